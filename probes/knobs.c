#include "knobs.h"

#include <string.h>

#define BLANKS " \t\r\n"

const char *
knobs_field(const char **s, size_t *len)
{
	const char *field = *s + strspn(*s, BLANKS);

	*len = strcspn(field, BLANKS);
	*s = field + *len;
	return *len == 0 ? NULL : field;
}

static bool
all_digits(const char *s, size_t len)
{
	return len != 0 && strspn(s, "0123456789") >= len;
}

bool
knobs_same_field(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (all_digits(a, a_len) && all_digits(b, b_len)) {
		for (; a_len > 1 && *a == '0'; a++)
			a_len--;
		for (; b_len > 1 && *b == '0'; b++)
			b_len--;
	}
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

bool
knobs_same(const char *a, const char *b)
{
	const char *fa, *fb;
	size_t na, nb;

	do {
		fa = knobs_field(&a, &na);
		fb = knobs_field(&b, &nb);
		if (fa == NULL || fb == NULL)
			return fa == fb;
	} while (knobs_same_field(fa, na, fb, nb));
	return false;
}

const char *
knobs_behind(const char *text, const char *after, size_t *len)
{
	const char *at = strstr(text, after);

	if (at == NULL)
		return NULL;
	at += strlen(after);
	return knobs_field(&at, len) == NULL ? NULL : at - *len;
}

/* ---- reading -------------------------------------------------------------------------------- */

static const char *
with_one_blank(struct arena *a, const char *s)
{
	struct text t = { .arena = a };
	const char *field;
	size_t len;

	while ((field = knobs_field(&s, &len)) != NULL) {
		if (t.len != 0)
			text_bytes(&t, " ", 1);
		text_bytes(&t, field, len);
	}
	return t.s == NULL ? "" : t.s;
}

static struct command
reading(const struct knob_value *v)
{
	return (struct command){ .argv = v->file == NULL ? v->read : NULL, .file = v->file,
		.even_stopped = true };
}

/* NULL: it was read; else why not.  OpenBSD's sysctl exits 0 and prints nothing on stdout. */
static const char *
why_unread(struct arena *a, const struct knob_value *v, const struct output *o)
{
	size_t len;
	const char *s = o->text;

	if (o->status != 0)
		return o->why;
	if (v->file == NULL && knobs_field(&s, &len) == NULL)
		return arena_printf(a, "%s printed nothing", v->read[0]);
	if (v->after != NULL && knobs_behind(o->text, v->after, &len) == NULL)
		return arena_printf(a, "%s does not say", v->read[0]);
	return NULL;
}

static const char *
value_in(struct arena *a, const struct knob_value *v, const char *said)
{
	size_t len = 0;
	const char *word = v->after == NULL ? NULL : knobs_behind(said, v->after, &len);

	return word == NULL ? with_one_blank(a, said) : arena_strndup(a, word, len);
}

/* As knobs_read(); *unread is the one that an error is about, which does not name it. */
static bool
read_all(struct host *h, struct arena *a, const struct knob_value *v, size_t n,
    const char **text, size_t *unread, struct err *e)
{
	struct command *c = arena_array(a, n + 1, sizeof(*c));
	struct output *out = arena_array(a, n + 1, sizeof(*out));
	const char *why;

	for (*unread = 0; *unread < n; ++*unread) {
		c[*unread] = reading(&v[*unread]);
		if (c[*unread].argv == NULL && c[*unread].file == NULL)
			return fail(e, ERR_FAILED, "nothing is known that reads it");
	}
	if (n != 0 && !host_run(h, a, c, n, out, e))
		return false;
	for (*unread = 0; *unread < n; ++*unread) {
		why = why_unread(a, &v[*unread], &out[*unread]);
		if (why != NULL)
			return fail(e, ERR_FAILED, "%s", why);
	}
	for (size_t i = 0; i < n; i++)
		text[i] = value_in(a, &v[i], out[i].text);
	return true;
}

bool
knobs_read(struct host *h, struct arena *a, const struct knob_value *v, size_t n,
    const char **text, struct err *e)
{
	struct err why = { 0 };
	size_t unread;

	if (read_all(h, a, v, n, text, &unread, &why))
		return true;
	return fail(e, why.code, "%s%s%s", unread < n ? v[unread].name : "",
	    unread < n ? ": " : "", why.text);
}

/* ---- writing -------------------------------------------------------------------------------- */

#define VALUE "{value}"

bool
knobs_word(const char *word, const char *value, char *dst, size_t size)
{
	const char *at = strstr(word, VALUE);
	size_t before = at == NULL ? strlen(word) : (size_t)(at - word);
	size_t middle = at == NULL ? 0 : strlen(value);
	const char *rest = at == NULL ? "" : at + strlen(VALUE);

	if (before + middle + strlen(rest) >= size)
		return false;
	memcpy(dst, word, before);
	memcpy(dst + before, value, middle);
	memcpy(dst + before + middle, rest, strlen(rest) + 1);
	return true;
}

/* What comes from a file of somebody's is not to end a line or become an option. */
static bool
check_text(const struct knob_value *v, struct err *e)
{
	const char *rest = v->text;
	size_t len;

	for (const char *s = v->text; *s != '\0'; s++)
		if (((unsigned char)*s < ' ' && strchr(BLANKS, *s) == NULL) || *s == 0x7f)
			return fail(e, ERR_FAILED, "the value has a control character");
	for (size_t i = 0; v->file == NULL && v->write != NULL && v->write[i] != NULL; i++) {
		if (strncmp(v->write[i], VALUE, strlen(VALUE)) == 0 && v->text[0] == '-' &&
		    !all_digits(v->text + 1, strlen(v->text + 1)))
			return fail(e, ERR_FAILED, "\"%s\" would be taken for an option",
			    v->text);
	}
	return v->file != NULL || knobs_field(&rest, &len) != NULL ||
	    fail(e, ERR_FAILED, "an empty value cannot be set by a command");
}

static const char *const *
writing(struct arena *a, const struct knob_value *v)
{
	const char *value = with_one_blank(a, v->text), **argv;
	size_t n = 0, size;
	char *word;

	while (v->write[n] != NULL)
		n++;
	argv = arena_array(a, n + 1, sizeof(*argv));
	for (size_t i = 0; i < n; i++) {
		size = strlen(v->write[i]) + strlen(value) + 1;
		word = arena_alloc(a, size);
		knobs_word(v->write[i], value, word, size);
		argv[i] = word;
	}
	return argv;
}

/* said: what a command that sets it complained of, or NULL; that does not count. */
static bool
write_one(struct host *h, struct arena *a, const struct knob_value *v, const char **said,
    struct err *e)
{
	struct command c = { .even_stopped = true };
	struct output out;

	*said = NULL;
	if (!check_text(v, e))
		return false;
	if (v->file != NULL)
		return host_write(h, v->file, v->text, e);
	if (v->write == NULL)
		return fail(e, ERR_FAILED, "nothing is known that sets it");
	c.argv = writing(a, v);
	if (!host_run(h, a, &c, 1, &out, e))
		return false;
	*said = out.why;
	return true;
}

bool
knobs_write(struct host *h, struct arena *a, const struct knob_value *v, struct err *e)
{
	struct err why = { 0 };
	const char *said;

	return write_one(h, a, v, &said, &why) || fail(e, why.code, "%s: %s", v->name, why.text);
}

/* ---- set, and hold -------------------------------------------------------------------------- */

/* As errors call what is written to. */
static const char *
target(const struct knob_value *v)
{
	return v->file != NULL ? v->file : v->write[0];
}

static bool
set_checked(struct host *h, struct arena *a, const struct knob_value *v, struct err *e)
{
	const char *now, *said;
	size_t unread;

	if (!write_one(h, a, v, &said, e) || !read_all(h, a, v, 1, &now, &unread, e))
		return false;
	if (!knobs_same(now, v->text))
		return fail(e, ERR_FAILED, "%s: was set to \"%s\", reads back \"%s\"%s%s%s",
		    target(v), v->text, now, said == NULL ? "" : " (", said == NULL ? "" : said,
		    said == NULL ? "" : ")");
	return true;
}

/* What one more sentence in the error says about a knob that could not be set. */
static const char *
put_back(struct host *h, struct arena *a, const struct knob_value *before)
{
	struct err ignored = { 0 };
	const char *now;

	if (knobs_read(h, a, before, 1, &now, &ignored) && knobs_same(now, before->text))
		return "; it holds what it held before";
	if (set_checked(h, a, before, &ignored))
		return arena_printf(a, "; set back to \"%s\"", before->text);
	return arena_printf(a, "; setting it back to \"%s\" failed as well (%s)", before->text,
	    ignored.text);
}

bool
knobs_set(struct host *h, struct arena *a, const struct knob_value *v, size_t n, struct err *e)
{
	const char **text = arena_array(a, n + 1, sizeof(*text));
	struct knob_value before;
	struct err why = { 0 };
	size_t i;

	if (!knobs_read(h, a, v, n, text, e))
		return false;
	for (i = 0; i < n; i++) {
		before = v[i];
		before.text = text[i];
		if (!set_checked(h, a, &v[i], &why))
			return fail(e, why.code, "%s: %s%s", v[i].name, why.text,
			    put_back(h, a, &before));
	}
	return true;
}

bool
knobs_hold(struct host *h, struct arena *a, const struct knob_value *v, size_t n, struct err *e)
{
	const char **now = arena_array(a, n + 1, sizeof(*now));
	size_t i;

	if (!knobs_read(h, a, v, n, now, e))
		return false;
	for (i = 0; i < n; i++)
		if (!knobs_same(now[i], v[i].text))
			return fail(e, ERR_FAILED, "%s: should be \"%s\", is \"%s\"", v[i].name,
			    v[i].text, now[i]);
	return true;
}
