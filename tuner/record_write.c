#include "record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct writer {
	struct text text;
	bool pretty;
	unsigned depth;
};

static void
put(struct writer *w, const char *s)
{
	text_bytes(&w->text, s, strlen(s));
}

static void
new_line(struct writer *w)
{
	unsigned i;

	if (!w->pretty)
		return;
	put(w, "\n");
	for (i = 0; i < w->depth; i++)
		put(w, "  ");
}

static void
put_escaped(struct writer *w, unsigned char c)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const char *at = strchr(plain, c);
	char escaped[8];

	if (at != NULL)
		snprintf(escaped, sizeof(escaped), "\\%c", letter[at - plain]);
	else
		snprintf(escaped, sizeof(escaped), "\\u%04x", c);
	put(w, escaped);
}

static void
put_string(struct writer *w, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	if (s == NULL) {
		put(w, "null");
		return;
	}
	put(w, "\"");
	while (*p != '\0') {
		n = text_utf8((const char *)p);
		if (n == 0)
			put(w, "\xef\xbf\xbd"); /* U+FFFD stands for a byte that is no character */
		else if (*p < ' ' || *p == '"' || *p == '\\')
			put_escaped(w, *p);
		else
			text_bytes(&w->text, (const char *)p, n);
		p += n == 0 ? 1 : n;
	}
	put(w, "\"");
}

static void
put_number(struct writer *w, double x)
{
	char s[40];

	if (!isfinite(x))
		snprintf(s, sizeof(s), "null");
	else if (fabs(x) < 9007199254740992.0 && x == floor(x)) /* 2^53: exact, and no sign of 0 */
		snprintf(s, sizeof(s), "%lld", (long long)x);
	else
		snprintf(s, sizeof(s), "%.12g", x);
	put(w, s);
}

static void put_record(struct writer *w, const struct record *r, const void *src);

static const void *
member(const void *base, size_t offset)
{
	return (const char *)base + offset;
}

/* Words and numbers of a list stay on one line, records get lines of their own. */
static void
put_list(struct writer *w, const struct field *f, const void *src)
{
	const char *array;
	size_t i, n;

	memcpy(&array, member(src, f->offset), sizeof(array));
	memcpy(&n, member(src, f->count_offset), sizeof(n));
	put(w, "[");
	w->depth++;
	for (i = 0; i < n; i++) {
		put(w, i == 0 ? "" : f->type == FIELD_LIST || !w->pretty ? "," : ", ");
		if (f->type == FIELD_STRINGS) {
			put_string(w, ((const char *const *)(const void *)array)[i]);
		} else if (f->type == FIELD_NUMBERS) {
			put_number(w, ((const double *)(const void *)array)[i]);
		} else {
			new_line(w);
			put_record(w, f->record, array + i * f->record->size);
		}
	}
	w->depth--;
	if (n != 0 && f->type == FIELD_LIST)
		new_line(w);
	put(w, "]");
}

static void
put_field(struct writer *w, const struct field *f, const void *src)
{
	const void *m = member(src, f->offset);

	switch (f->type) {
	case FIELD_STRING:
		put_string(w, *(const char *const *)m);
		break;
	case FIELD_NUMBER:
		put_number(w, *(const double *)m);
		break;
	case FIELD_BOOL:
		put(w, *(const bool *)m ? "true" : "false");
		break;
	case FIELD_ENUM:
		put_string(w, f->names[*(const int *)m]);
		break;
	case FIELD_RECORD:
		put_record(w, f->record, m);
		break;
	default:
		put_list(w, f, src);
	}
}

static void
put_record(struct writer *w, const struct record *r, const void *src)
{
	const struct field *f;

	put(w, "{");
	w->depth++;
	for (f = r->fields; f->name != NULL; f++) {
		put(w, f == r->fields ? "" : ",");
		new_line(w);
		put_string(w, f->name);
		put(w, w->pretty ? ": " : ":");
		put_field(w, f, src);
	}
	w->depth--;
	new_line(w);
	put(w, "}");
}

char *
record_to_json(struct arena *a, const struct record *r, const void *src, bool pretty)
{
	struct writer w = { .text = { .arena = a }, .pretty = pretty };

	put_record(&w, r, src);
	return w.text.s;
}
