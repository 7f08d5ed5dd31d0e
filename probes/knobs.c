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

bool
knobs_read(struct host *h, struct arena *a, const char *file, const char **text, struct err *e)
{
	struct command c = { .file = file };
	struct text t = { .arena = a };
	const char *s, *field;
	struct output out;
	size_t len;

	if (!host_run(h, a, &c, 1, &out, e))
		return false;
	if (out.status != 0)
		return fail(e, ERR_FAILED, "%s", out.why);
	for (s = out.text; (field = knobs_field(&s, &len)) != NULL;) {
		if (t.len != 0)
			text_bytes(&t, " ", 1);
		text_bytes(&t, field, len);
	}
	*text = t.s == NULL ? "" : t.s;
	return true;
}

static bool
set_checked(struct host *h, struct arena *a, const struct knob_value *v, struct err *e)
{
	const char *now;

	if (!host_write(h, v->file, v->text, e) || !knobs_read(h, a, v->file, &now, e))
		return false;
	if (!knobs_same(now, v->text))
		return fail(e, ERR_FAILED, "%s: was set to \"%s\", reads back \"%s\"", v->file,
		    v->text, now);
	return true;
}

/* What one more sentence in the error says about a knob that could not be set. */
static const char *
put_back(struct host *h, struct arena *a, const struct knob_value *before)
{
	struct err ignored = { 0 };
	const char *now;

	if (knobs_read(h, a, before->file, &now, &ignored) && knobs_same(now, before->text))
		return "; it holds what it held before";
	if (set_checked(h, a, before, &ignored))
		return arena_printf(a, "; set back to \"%s\"", before->text);
	return arena_printf(a, "; setting it back to \"%s\" failed as well (%s)", before->text,
	    ignored.text);
}

bool
knobs_set(struct host *h, struct arena *a, const struct knob_value *v, size_t n, struct err *e)
{
	struct knob_value before;
	struct err why = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		before = v[i];
		if (!knobs_read(h, a, v[i].file, &before.text, &why))
			return fail(e, ERR_FAILED, "%s: %s", v[i].name, why.text);
		if (!set_checked(h, a, &v[i], &why))
			return fail(e, ERR_FAILED, "%s: %s%s", v[i].name, why.text,
			    put_back(h, a, &before));
	}
	return true;
}

bool
knobs_hold(struct host *h, struct arena *a, const struct knob_value *v, size_t n, struct err *e)
{
	struct err why = { 0 };
	const char *now;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!knobs_read(h, a, v[i].file, &now, &why))
			return fail(e, ERR_FAILED, "%s: %s", v[i].name, why.text);
		if (!knobs_same(now, v[i].text))
			return fail(e, ERR_FAILED, "%s: should be \"%s\", is \"%s\"", v[i].name,
			    v[i].text, now);
	}
	return true;
}
