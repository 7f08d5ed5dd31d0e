#include "profile.h"

#include "match.h"
#include "profile_check.h"

#include <ctype.h>
#include <string.h>

#define PATTERN_BYTES 1024 /* more than PCRE2 is allowed (match.c) */

/* An escape such as \d, \{ or \x{41}: its length. */
static size_t
escape_length(const char *s)
{
	if (s[1] == '\0')
		return 1;
	if (isalpha((unsigned char)s[1]) && s[2] == '{')
		return 2 + strcspn(s + 2, "}");
	return 2;
}

/*
 * The next {key} of a pattern: letters between braces, which no quantifier has.  Its length goes
 * to *len; NULL: there is none.
 */
static const char *
next_key(const char *s, size_t *len)
{
	while (*s != '\0') {
		if (*s == '\\') {
			s += escape_length(s);
			continue;
		}
		*len = *s == '{' ? strspn(s + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;
		if (*len != 0 && s[*len + 1] == '}')
			return s;
		s++;
	}
	return NULL;
}

/* A value means nothing but itself when what is neither letter nor digit has a backslash. */
static void
add_literally(struct text *t, const char *value)
{
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		text_bytes(t, "\\", c < 0x80 && !isalnum(c) ? 1 : 0);
		text_bytes(t, value, 1);
	}
}

const struct substitution *
profile_substitution(const struct substitution *s, const char *key, size_t len)
{
	for (; s->key != NULL; s++) {
		if (strlen(s->key) == len && memcmp(s->key, key, len) == 0)
			return s;
	}
	return NULL;
}

char *
profile_pattern(struct arena *a, const char *pattern, const struct substitution *s)
{
	struct text t = { .arena = a };
	const struct substitution *found;
	const char *key;
	size_t len;

	while ((key = next_key(pattern, &len)) != NULL) {
		found = profile_substitution(s, key + 1, len);
		if (found == NULL || found->value == NULL)
			return NULL;
		text_bytes(&t, pattern, (size_t)(key - pattern));
		add_literally(&t, found->value);
		pattern = key + len + 2;
	}
	text_bytes(&t, pattern, strlen(pattern));
	return t.s;
}

const char *
profile_pattern_lacks(const char *pattern, const struct substitution *s)
{
	const struct substitution *found;
	size_t len;

	for (; (pattern = next_key(pattern, &len)) != NULL; pattern += len + 2) {
		found = profile_substitution(s, pattern + 1, len);
		if (found != NULL && found->value == NULL)
			return found->key;
	}
	return NULL;
}

bool
profile_pattern_check(const char *pattern, const char *known, struct err *e)
{
	char stand_in[PATTERN_BYTES];
	const char *s = pattern, *key;
	size_t len, n = 0;

	if (strlen(pattern) >= sizeof(stand_in))
		return fail(e, ERR_USAGE, "is too long");
	while ((key = next_key(s, &len)) != NULL) {
		if (!check_among(known, key + 1, len))
			return fail(e, ERR_USAGE, "{%.*s} is not known here",
			    len > 32 ? 32 : (int)len, key + 1);
		memcpy(stand_in + n, s, (size_t)(key - s));
		n += (size_t)(key - s);
		stand_in[n++] = 'x';
		s = key + len + 2;
	}
	memcpy(stand_in + n, s, strlen(s) + 1);
	return match_check(stand_in, e);
}
