#include "match.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/*
 * The text comes from a host that may be hostile, so that a match is bounded: PCRE2 counts anew
 * for every place where a match may start, hence the small number.
 */
#define MATCH_STEPS 5000
#define MATCH_DEPTH 1000
#define MATCH_HEAP_KIB 1024
#define MATCH_PATTERN 512
#define MATCH_NESTING 20

static pcre2_code *
compile(const char *pattern, struct err *e)
{
	pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
	pcre2_code *code = NULL;
	PCRE2_UCHAR why[128];
	PCRE2_SIZE offset = 0;
	int error = 0;

	if (limits == NULL) {
		fail(e, ERR_FAILED, "out of memory");
		return NULL;
	}
	pcre2_set_newline(limits, PCRE2_NEWLINE_ANYCRLF);
	pcre2_set_parens_nest_limit(limits, MATCH_NESTING);
	pcre2_set_max_pattern_length(limits, MATCH_PATTERN);
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
	    PCRE2_MULTILINE | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C, &error,
	    &offset, limits);
	pcre2_compile_context_free(limits);
	if (code == NULL) {
		pcre2_get_error_message(error, why, sizeof(why));
		fail(e, ERR_USAGE, "%s at offset %zu", (const char *)why, (size_t)offset);
	}
	return code;
}

bool
match_check(const char *pattern, struct err *e)
{
	pcre2_code *code = compile(pattern, e);
	uint32_t groups = 0;

	if (code == NULL)
		return false;
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	pcre2_code_free(code);
	if (groups != 1)
		return fail(e, ERR_USAGE, "must have exactly one group, has %u", (unsigned)groups);
	return true;
}

static pcre2_match_context *
limited(void)
{
	pcre2_match_context *c = pcre2_match_context_create(NULL);

	if (c == NULL)
		return NULL;
	pcre2_set_match_limit(c, MATCH_STEPS);
	pcre2_set_depth_limit(c, MATCH_DEPTH);
	pcre2_set_heap_limit(c, MATCH_HEAP_KIB);
	return c;
}

/* A compiled pattern on its way through a text. */
struct matcher {
	pcre2_code *code;
	pcre2_match_context *limits;
	pcre2_match_data *data;
	const char *text;
	size_t len, at;
};

static struct matcher
matcher_start(const char *pattern, const char *text, size_t len)
{
	struct matcher m = { compile(pattern, NULL), limited(), NULL, text, len, 0 };

	if (m.code != NULL)
		m.data = pcre2_match_data_create_from_pattern(m.code, NULL);
	return m;
}

static void
matcher_end(struct matcher *m)
{
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	pcre2_code_free(m->code);
}

/* The group at the next match; NULL: there is none, or a limit was hit. */
static char *
matcher_next(struct arena *a, struct matcher *m)
{
	PCRE2_SIZE *at;

	/* More than 1: group 1 took part in the match. */
	if (m->limits == NULL || m->data == NULL || m->at > m->len ||
	    pcre2_match(m->code, (PCRE2_SPTR)m->text, m->len, m->at, 0, m->data, m->limits) <= 1)
		return NULL;
	at = pcre2_get_ovector_pointer(m->data);
	if (at[2] > at[3] || at[3] > m->len)
		return NULL;
	m->at = at[1] > m->at ? at[1] : m->at + 1;
	return arena_strndup(a, m->text + at[2], at[3] - at[2]);
}

char *
match_first(struct arena *a, const char *pattern, const char *text, size_t len)
{
	struct matcher m = matcher_start(pattern, text, len);
	char *found = matcher_next(a, &m);

	matcher_end(&m);
	return found;
}

void
match_all(struct arena *a, const char *pattern, const char *text, size_t len, size_t most,
    const char ***found, size_t *n)
{
	struct matcher m = matcher_start(pattern, text, len);
	const char *one;

	while (most-- > 0 && (one = matcher_next(a, &m)) != NULL)
		*(const char **)arena_push(a, found, n, sizeof(one)) = one;
	matcher_end(&m);
}
