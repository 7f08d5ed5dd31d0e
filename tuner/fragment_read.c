#include "fragment.h"
#include "setting_line.h"

#include <math.h>
#include <string.h>

/* The length of the line at text, without its newline. */
static size_t
line_len(const char *text, size_t len)
{
	const char *end = len == 0 ? NULL : memchr(text, '\n', len);

	return end == NULL ? len : (size_t)(end - text);
}

static void
read_line(struct arena *a, const struct persist_file *f, const char *text, size_t len,
    unsigned line, struct fragment_setting **all, size_t *n)
{
	struct setting_text s;

	while (setting_line_next(&text, &len, f, &s))
		*(struct fragment_setting *)arena_push(a, all, n, sizeof(**all)) =
		    (struct fragment_setting){ setting_line_name(a, &s, f),
			arena_strndup(a, s.value, s.value_len), line, s.optional };
}

struct fragment_setting *
fragment_read(struct arena *a, const struct persist_file *f, const char *text, size_t len,
    size_t *n)
{
	struct fragment_setting *all = NULL;
	unsigned line = 0;
	size_t at, bytes;

	*n = 0;
	if (f->line == NULL)
		return NULL;
	for (at = 0; at < len; at += bytes + 1) {
		bytes = line_len(text + at, len - at);
		line++;
		if (bytes != 0 && !(isfinite(f->line_bytes) && (double)bytes > f->line_bytes) &&
		    memchr(text + at, '\0', bytes) == NULL)
			read_line(a, f, text + at, bytes, line, &all, n);
	}
	return all;
}

static bool
is_mark(const char *line, size_t len, const char *mark)
{
	while (len != 0 && strchr(" \t\r", line[len - 1]) != NULL && line[len - 1] != '\0')
		len--;
	return len == strlen(mark) && memcmp(line, mark, len) == 0;
}

/* Where the block is: begin..end with its last newline; end 0: there is none. */
struct place {
	size_t begin, end;
	unsigned open; /* line of a BEGIN whose END is not there yet */
};

static bool
see_mark(const char *file, unsigned line, bool begin, size_t at, size_t next, struct place *p,
    struct err *e)
{
	if (begin && p->open != 0)
		return fail(e, ERR_FAILED, "%s:%u: \"%s\" has no \"%s\"", file, p->open,
		    FRAGMENT_BEGIN, FRAGMENT_END);
	if (begin && p->end != 0)
		return fail(e, ERR_FAILED, "%s:%u: a second block of pathtune's", file, line);
	if (!begin && p->open == 0)
		return fail(e, ERR_FAILED, "%s:%u: \"%s\" has no \"%s\"", file, line, FRAGMENT_END,
		    FRAGMENT_BEGIN);
	if (begin) {
		p->begin = at;
		p->open = line;
	} else {
		p->end = next;
		p->open = 0;
	}
	return true;
}

static bool
find_block(const char *file, const char *text, size_t len, struct place *p, struct err *e)
{
	unsigned line = 0;
	size_t at, bytes;

	for (at = 0; at < len; at += bytes + 1) {
		bool begin;

		bytes = line_len(text + at, len - at);
		line++;
		begin = is_mark(text + at, bytes, FRAGMENT_BEGIN);
		if ((begin || is_mark(text + at, bytes, FRAGMENT_END)) &&
		    !see_mark(file, line, begin, at,
		    at + bytes + 1 < len ? at + bytes + 1 : len, p, e))
			return false;
	}
	return p->open == 0 ? true :
	    fail(e, ERR_FAILED, "%s:%u: \"%s\" has no \"%s\"", file, p->open, FRAGMENT_BEGIN,
	    FRAGMENT_END);
}

bool
fragment_block(const char *file, const char *text, size_t len, size_t *begin, size_t *end,
    struct err *e)
{
	struct place p = { 0, 0, 0 };

	if (len != 0 && memchr(text, '\0', len) != NULL)
		return fail(e, ERR_FAILED, "%s: holds a NUL byte", file);
	if (!find_block(file, text, len, &p, e))
		return false;
	*begin = p.begin;
	*end = p.end;
	return true;
}

bool
fragment_merge(struct arena *a, const char *file, const char *text, size_t len, const char *block,
    char **out, struct err *e)
{
	struct place p = { 0, 0, 0 };
	struct text t = { .arena = a };

	if (!fragment_block(file, text, len, &p.begin, &p.end, e))
		return false;
	if (p.end == 0)
		p.begin = p.end = len;
	text_bytes(&t, text, p.begin);
	if (block != NULL) {
		if (t.len != 0 && t.s[t.len - 1] != '\n')
			text_bytes(&t, "\n", 1);
		text_bytes(&t, block, strlen(block));
		if (p.end < len && t.s[t.len - 1] != '\n')
			text_bytes(&t, "\n", 1);
	}
	text_bytes(&t, text + p.end, len - p.end);
	*out = t.s;
	return true;
}
