#include "words.h"

#include <string.h>

#define BARE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+=,-"
#define READ BARE "{}" /* to bash and ksh {a,b} is two words, called sh or not */

void
words_quote(struct text *t, const char *word)
{
	if (*word != '\0' && word[strspn(word, BARE)] == '\0') {
		text_bytes(t, word, strlen(word));
		return;
	}
	text_bytes(t, "'", 1);
	for (size_t n; *word != '\0'; word += n) {
		n = strcspn(word, "'");
		text_bytes(t, word, n);
		if (word[n] == '\'') {
			text_bytes(t, "'\\''", 4);
			n++;
		}
	}
	text_bytes(t, "'", 1);
}

const char *
words_shown(struct arena *a, const char *word)
{
	struct text t = { .arena = a };

	words_quote(&t, word);
	text_disarm(t.s);
	return t.s;
}

/* One word from *line on, which is moved behind it. */
static bool
take_word(struct arena *a, const char **line, const char **word, struct err *e)
{
	struct text t = { .arena = a };
	const char *s = *line;

	text_bytes(&t, "", 0);
	for (size_t n; *s != '\0' && *s != ' ' && *s != '\t'; s += n) {
		if (*s == '\'') {
			n = strcspn(s + 1, "'");
			if (s[1 + n] == '\0')
				return fail(e, ERR_USAGE, "a quote is not closed");
			text_bytes(&t, s + 1, n);
			n += 2;
		} else if (*s == '\\' && s[1] != '\0') {
			text_bytes(&t, s + 1, 1);
			n = 2;
		} else {
			n = strspn(s, READ);
			if (n == 0)
				return fail(e, ERR_USAGE, "'%c' must be in single quotes", *s);
			text_bytes(&t, s, n);
		}
	}
	*line = s;
	*word = t.s;
	return true;
}

bool
words_split(struct arena *a, const char *line, const char ***argv, size_t *n, struct err *e)
{
	const char **words = NULL, *word;
	size_t count = 0;

	for (line += strspn(line, " \t"); *line != '\0'; line += strspn(line, " \t")) {
		if (!take_word(a, &line, &word, e))
			return false;
		*(const char **)arena_push(a, &words, &count, sizeof(*words)) = word;
	}
	*n = count;
	*(const char **)arena_push(a, &words, &count, sizeof(*words)) = NULL;
	*argv = words;
	return true;
}
