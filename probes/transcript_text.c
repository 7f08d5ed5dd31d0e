#include "transcript.h"

#include "../tuner/words.h"

#include <math.h>
#include <string.h>

static void
add_escaped(struct text *t, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\')
			text_bytes(t, "\\\\", 2);
		else if (s[i] == '\t' || (s[i] >= ' ' && s[i] <= '~'))
			text_bytes(t, &s[i], 1);
		else
			text_add(t, "\\x%02x", (unsigned)(unsigned char)s[i]);
	}
}

static void
add_question(struct text *t, const struct transcript_entry *x)
{
	struct text words = { .arena = t->arena };

	if (x->argv == NULL)
		words_quote(&words, x->file);
	for (const char **w = x->argv; w != NULL && *w != NULL; w++) {
		if (w != x->argv)
			text_bytes(&words, " ", 1);
		words_quote(&words, *w);
	}
	text_bytes(t, x->argv == NULL ? "< " : "$ ", 2);
	add_escaped(t, words.s, words.len);
	text_bytes(t, "\n", 1);
}

static void
add_answer(struct text *t, const struct output *o)
{
	const char *s = o->text, *end = s + o->len, *newline;

	for (; s < end; s = newline + 1) {
		newline = memchr(s, '\n', (size_t)(end - s));
		text_bytes(t, newline == NULL ? "|~" : "|", newline == NULL ? 2 : 1);
		if (newline == NULL) {
			newline = end;
		} else if (*s == '~') {
			text_bytes(t, "\\x7e", 4);
			s++;
		}
		add_escaped(t, s, (size_t)(newline - s));
		text_bytes(t, "\n", 1);
	}
	if (o->status != 0 && o->why != NULL) {
		text_bytes(t, "!", 1);
		add_escaped(t, o->why, strlen(o->why));
		text_bytes(t, "\n", 1);
	}
	text_add(t, "= %d\n", o->status);
}

static void
add_header(struct text *t, const struct transcript *from)
{
	const struct {
		const char *key;
		double number;
	} numbers[] = {
		{ "rtt_ms", from->path.rtt_ms },
		{ "send_bps", from->path.send_bps },
		{ "receive_bps", from->path.receive_bps },
	};

	text_add(t, "# pathtune transcript 1\n");
	if (from->origin != NULL)
		text_add(t, "# origin: %s\n", from->origin);
	if (from->path.peer != NULL)
		text_add(t, "# peer: %s\n", from->path.peer);
	for (size_t i = 0; i < NELEM(numbers); i++) {
		if (!isnan(numbers[i].number))
			text_add(t, "# %s: %.10g\n", numbers[i].key, numbers[i].number);
	}
}

char *
transcript_text(struct arena *a, const struct transcript *from)
{
	struct text t = { .arena = a };

	add_header(&t, from);
	for (size_t i = 0; i < from->n_entries; i++) {
		add_question(&t, &from->entries[i]);
		add_answer(&t, &from->entries[i].answer);
	}
	text_add(&t, "# end %zu\n", from->n_entries);
	return t.s;
}
