#include "transcript.h"

#include "../tuner/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "# pathtune transcript 1"
#define ADDRESS \
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz:.%_-" /* with its zone */

struct reader {
	struct arena *arena;
	const char *name;
	const char *at, *end;
	unsigned number;  /* of the line */
	char mark;        /* the line's first byte as it is written, and whether '~' follows */
	bool tilde;
	char *line;       /* without its newline, escapes resolved */
	size_t len;
	struct transcript *t;
	struct err *e;
};

/* complain(r, fmt, ..): the error of the present line; always false. */
#define complain(r, ...) \
	fail((r)->e, ERR_USAGE, "%s:%u: %s", (r)->name, (r)->number, \
	    arena_printf((r)->arena, __VA_ARGS__))

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* "\\" or "\xNN" at s, of which len bytes are there.  How many it takes; 0: it is neither. */
static size_t
escape(const char *s, size_t len, char *byte)
{
	if (len >= 2 && s[1] == '\\') {
		*byte = '\\';
		return 2;
	}
	if (len < 4 || s[1] != 'x' || hex_digit(s[2]) < 0 || hex_digit(s[3]) < 0)
		return 0;
	*byte = (char)(hex_digit(s[2]) * 16 + hex_digit(s[3]));
	return 4;
}

/* A line that stands for bytes: escapes resolved, anything that should have been one refused. */
static bool
decode(struct reader *r, const char *s, size_t len)
{
	char *out = arena_alloc(r->arena, len + 1);
	size_t i, n, took;

	for (i = n = 0; i < len; i += took, n++) {
		took = 1;
		out[n] = s[i];
		if (s[i] == '\\' && (took = escape(s + i, len - i, &out[n])) == 0)
			return complain(r, "a backslash is \\\\ or begins \\xNN (lower case)");
		if (s[i] != '\t' && (s[i] < ' ' || s[i] > '~'))
			return complain(r, "byte 0x%02x must be written \\x%02x",
			    (unsigned)(unsigned char)s[i], (unsigned)(unsigned char)s[i]);
	}
	r->line = out;
	r->len = n;
	return true;
}

/* False with an error, or without one at the end. */
static bool
next_line(struct reader *r)
{
	const char *s = r->at, *newline;
	size_t len;

	if (s == r->end)
		return false;
	newline = memchr(s, '\n', (size_t)(r->end - s));
	len = (size_t)((newline == NULL ? r->end : newline) - s);
	r->at = newline == NULL ? r->end : newline + 1;
	r->number++;
	r->mark = len == 0 ? '\0' : *s;
	r->tilde = len > 1 && s[1] == '~';
	if (r->mark != '#')
		return decode(r, s, len);
	r->line = arena_strndup(r->arena, s, len);
	r->len = strlen(r->line);
	return r->len == len || complain(r, "a NUL byte");
}

/* ---- header and end -------------------------------------------------------------------------- */

/* One thing that the header may say. */
struct header_key {
	const char *key;
	const char **word;
	const char *bytes; /* that a word may have; NULL: any */
	double *number;
	double most;       /* of a number: what the fact may be (facts_record) */
};

static bool
header_number(struct reader *r, const struct header_key *k, const char *text)
{
	char *end;
	double v = strtod(text, &end);

	if (!isnan(*k->number))
		return complain(r, "%s is there twice", k->key);
	if (strspn(text, "0123456789.e+-") != strlen(text) || end == text || *end != '\0' ||
	    !(v > 0 && v <= k->most))
		return complain(r, "%s: '%.40s' is not a number above 0, up to %g", k->key, text,
		    k->most);
	*k->number = v;
	return true;
}

static bool
header_word(struct reader *r, const struct header_key *k, char *text)
{
	if (*k->word != NULL)
		return complain(r, "%s is there twice", k->key);
	if (*text == '\0')
		return complain(r, "%s is empty", k->key);
	if (k->bytes != NULL && text[strspn(text, k->bytes)] != '\0')
		return complain(r, "%s: '%.40s' is not a numeric address", k->key, text);
	text_disarm(text);
	*k->word = text;
	return true;
}

/* Before the first question a comment may be one of the things that we know. */
static bool
take_header(struct reader *r)
{
	struct transcript *t = r->t;
	const struct header_key keys[] = {
		{ .key = "origin", .word = &t->origin },
		{ .key = "peer", .word = &t->path.peer, .bytes = ADDRESS },
		{ .key = "rtt_ms", .number = &t->path.rtt_ms, .most = 1e6 },
		{ .key = "send_bps", .number = &t->path.send_bps, .most = 1e15 },
		{ .key = "receive_bps", .number = &t->path.receive_bps, .most = 1e15 },
	};

	for (size_t i = 0, n; i < NELEM(keys); i++) {
		n = strlen(keys[i].key);
		if (strncmp(r->line, "# ", 2) != 0 || strncmp(r->line + 2, keys[i].key, n) != 0 ||
		    strncmp(r->line + 2 + n, ": ", 2) != 0)
			continue;
		return keys[i].word != NULL ? header_word(r, &keys[i], r->line + n + 4) :
		    header_number(r, &keys[i], r->line + n + 4);
	}
	return true;
}

/* "# end N" with the right N, and nothing behind it. */
static bool
take_end(struct reader *r)
{
	const char *digits = r->line + strlen("# end ");

	if (strcmp(digits, arena_printf(r->arena, "%zu", r->t->n_entries)) != 0)
		return complain(r, "%zu answers are here, '%.40s' says the end; is it cut?",
		    r->t->n_entries, digits);
	return r->at == r->end || (r->number++, complain(r, "something follows the end"));
}

/* ---- entries --------------------------------------------------------------------------------- */

static bool
take_question(struct reader *r, struct transcript_entry *x)
{
	struct err why = { ERR_NONE, "" };
	bool file = r->mark == '<';
	size_t n = 0;

	x->line = r->number;
	if ((!file && r->mark != '$') || r->line[1] != ' ')
		return complain(r, "'%.40s' is not the beginning of a question, \"$ \" or \"< \"",
		    r->line);
	if (strlen(r->line) != r->len)
		return complain(r, "a question has no NUL byte");
	if (!words_split(r->arena, r->line + 2, &x->argv, &n, &why))
		return complain(r, "%s", why.text);
	if (n == 0 || (file && n != 1))
		return complain(r, file ? "one file is asked for" : "no command");
	if (file) {
		x->file = x->argv[0];
		x->argv = NULL;
	}
	return true;
}

/* Lines "|": stdout.  *more is false behind one that no newline ended. */
static bool
take_text(struct reader *r, struct text *t, bool *more)
{
	if (!*more)
		return complain(r, "output goes on behind a line that no newline ended");
	*more = !r->tilde;
	if (*more) {
		r->line[r->len] = '\n';
		text_bytes(t, r->line + 1, r->len);
	} else {
		text_bytes(t, r->line + 2, r->len - 2);
	}
	return t->len <= HOST_OUTPUT_BYTES ||
	    complain(r, "more than %zu bytes of output", HOST_OUTPUT_BYTES);
}

static bool
take_status(struct reader *r, struct transcript_entry *x)
{
	struct output *o = &x->answer;
	char *end;
	long v = strtol(r->line + 1, &end, 10);

	if (r->line[1] != ' ' || end == r->line + 1 || *end != '\0' || v < -1 || v > 255)
		return complain(r, "'%.40s' is not \"= \" and a status, -1 to 255", r->line);
	o->status = (int)v;
	if (v == 0 && o->why != NULL)
		return complain(r, "a reason (\"!\"), but the status is 0");
	if (v != 0 && o->why == NULL)
		o->why = v == -1 ? "not started or ended" :
		    arena_printf(r->arena, "exit status %ld", v);
	return true;
}

/* From behind the question to its status. */
static bool
take_answer(struct reader *r, struct transcript_entry *x)
{
	struct text t = { .arena = r->arena };
	bool more = true;

	text_bytes(&t, "", 0);
	while (next_line(r)) {
		if (r->mark == '|' && x->answer.why == NULL) {
			if (!take_text(r, &t, &more))
				return false;
		} else if (r->mark == '!' && x->answer.why == NULL) {
			x->answer.why = r->line + 1;
		} else if (r->mark == '=') {
			for (size_t i = 0; i < t.len; i++)
				t.s[i] = t.s[i] == '\0' ? '?' : t.s[i];
			x->answer.text = t.s;
			x->answer.len = t.len;
			return take_status(r, x);
		} else {
			return complain(r,
			    "'%.40s' where the answer goes on with \"|\", \"!\" or \"=\"", r->line);
		}
	}
	return r->e->code == ERR_NONE && complain(r, "the answer has no end; is the file cut?");
}

static bool
take_entry(struct reader *r)
{
	struct transcript_entry x = { 0 };

	if (r->t->n_entries == TRANSCRIPT_ENTRIES)
		return complain(r, "more than %zu questions", TRANSCRIPT_ENTRIES);
	if (!take_question(r, &x) || !take_answer(r, &x))
		return false;
	*(struct transcript_entry *)arena_push(r->arena, &r->t->entries, &r->t->n_entries,
	    sizeof(x)) = x;
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int
compare_argv(const char *const *x, const char *const *y)
{
	int order = 0;

	for (; order == 0 && *x != NULL && *y != NULL; x++, y++)
		order = strcmp(*x, *y);
	return order != 0 ? order : (*x != NULL) - (*y != NULL);
}

static int
compare_questions(const struct transcript_entry *x, const char *const *argv, const char *file)
{
	if (x->argv == NULL || argv == NULL)
		return x->argv == NULL && argv == NULL ? strcmp(x->file, file) :
		    (x->argv != NULL) - (argv != NULL);
	return compare_argv(x->argv, argv);
}

static int
compare_entries(const void *xp, const void *yp)
{
	const struct transcript_entry *x = xp, *y = yp;
	int order = compare_questions(x, y->argv, y->file);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static bool
all_differ(struct reader *r)
{
	size_t i, n = r->t->n_entries;
	struct transcript_entry *sorted = arena_array(r->arena, n, sizeof(*sorted));

	for (i = 0; i < n; i++)
		sorted[i] = r->t->entries[i];
	qsort(sorted, n, sizeof(*sorted), compare_entries);
	for (i = 1; i < n; i++) {
		if (compare_questions(&sorted[i - 1], sorted[i].argv, sorted[i].file) != 0)
			continue;
		r->number = sorted[i].line;
		return complain(r, "the same question as in line %u", sorted[i - 1].line);
	}
	return true;
}

static bool
take_all(struct reader *r)
{
	if (!next_line(r) || strcmp(r->line, FIRST_LINE) != 0)
		return complain(
		    r, "this is no transcript: its first line is not \"%s\"", FIRST_LINE);
	while (next_line(r)) {
		if (strncmp(r->line, "# end ", 6) == 0)
			return take_end(r) && all_differ(r);
		if (r->len == 0)
			continue;
		if (r->mark != '#') {
			if (!take_entry(r))
				return false;
		} else if (r->t->n_entries == 0 && !take_header(r)) {
			return false;
		}
	}
	return r->e->code == ERR_NONE && complain(r, "no \"# end\"; is the file cut?");
}

bool
transcript_parse(struct arena *a, const char *name, const char *text, size_t len,
    struct transcript *out, struct err *e)
{
	struct transcript t = { .path = { NULL, NAN, NAN, NAN } };
	struct err why = { ERR_NONE, "" };
	struct reader r = { .arena = a, .name = name, .at = text, .end = text + len, .t = &t,
		.e = &why };

	if (!take_all(&r))
		return fail(e, why.code, "%s", why.text);
	*out = t;
	return true;
}

const struct transcript_entry *
transcript_find(const struct transcript *t, const struct command *c)
{
	for (size_t i = 0; i < t->n_entries; i++) {
		if (compare_questions(&t->entries[i], c->argv, c->file) == 0)
			return &t->entries[i];
	}
	return NULL;
}
