#include "setting_line.h"

#include <string.h>

/* A part of a text. */
struct part {
	const char *s;
	size_t len;
};

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct part
trimmed(struct part p)
{
	for (; p.len != 0 && blank(p.s[0]); p.s++)
		p.len--;
	while (p.len != 0 && blank(p.s[p.len - 1]))
		p.len--;
	return p;
}

static bool
starts(struct part p, struct part with)
{
	return p.len >= with.len && memcmp(p.s, with.s, with.len) == 0;
}

static bool
ends(struct part p, struct part with)
{
	return p.len >= with.len && memcmp(p.s + p.len - with.len, with.s, with.len) == 0;
}

/* What stands around {name} and {value} in a template; between and after are one without {value}. */
struct shape {
	struct part before, between, after;
	bool value;
};

static struct shape
shape_of(const char *line)
{
	const char *name = strstr(line, "{name}"), *value;
	struct shape s = { .before = { line, 0 } };

	if (name == NULL)
		return s;
	s.before.len = (size_t)(name - line);
	name += strlen("{name}");
	value = strstr(name, "{value}");
	s.value = value != NULL;
	s.between = (struct part){ name, s.value ? (size_t)(value - name) : strlen(name) };
	s.after.s = s.value ? value + strlen("{value}") : name;
	s.after.len = strlen(s.after.s);
	return s;
}

/* Everything before a comment: of a whole line, or anywhere but behind a backslash. */
static struct part
without_comment(struct part p, bool whole)
{
	if (p.len != 0 && (p.s[0] == '#' || (whole && p.s[0] == ';')))
		return (struct part){ p.s, 0 };
	for (size_t i = 1; !whole && i < p.len; i++) {
		if (p.s[i] == '#' && p.s[i - 1] != '\\')
			p.len = i;
	}
	return trimmed(p);
}

static size_t
find(struct part p, struct part what)
{
	size_t at = 0;

	while (at + what.len <= p.len && memcmp(p.s + at, what.s, what.len) != 0)
		at++;
	return at;
}

/* "=", or ":" where that may stand in its place and comes first. */
static bool
split(struct part p, struct part mark, bool colon, struct part *name, struct part *value)
{
	size_t at = find(p, mark), len = mark.len;
	const char *c = colon ? memchr(p.s, ':', p.len) : NULL;

	if (c != NULL && (size_t)(c - p.s) < at) {
		at = (size_t)(c - p.s);
		len = 1;
	}
	if (at + len > p.len)
		return false;
	*name = (struct part){ p.s, at };
	*value = (struct part){ p.s + at + len, p.len - at - len };
	return true;
}

static struct part
unquoted(struct part p)
{
	if (p.len >= 2 && (p.s[0] == '"' || p.s[0] == '\'') && p.s[p.len - 1] == p.s[0])
		p = (struct part){ p.s + 1, p.len - 2 };
	return p;
}

/* A word ends at a blank; one that begins with it is none. */
static struct part
first_word(struct part p)
{
	size_t n = 0;

	while (n < p.len && !blank(p.s[n]))
		n++;
	return (struct part){ p.s, n };
}

static bool
plain_name(struct part p)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-/";

	for (size_t i = 0; i < p.len; i++) {
		if (memchr(plain, p.s[i], sizeof(plain) - 1) == NULL)
			return false;
	}
	return p.len != 0;
}

/* The mark that optional_line has before the usual one: "?" of "?=". */
static struct part
excuse_of(const struct persist_file *f, struct part mark)
{
	struct part none = { "", 0 }, theirs;

	if (f->optional_line == NULL)
		return none;
	theirs = trimmed(shape_of(f->optional_line).between);
	if (theirs.len <= mark.len || !ends(theirs, mark))
		return none;
	return (struct part){ theirs.s, theirs.len - mark.len };
}

static bool
give(struct setting_text *out, struct part name, struct part value, bool optional)
{
	if (!plain_name(name))
		return false;
	*out = (struct setting_text){ name.s, name.len, value.s, value.len, optional };
	return true;
}

/* name and value, once what stands around them is gone. */
static bool
assignment(struct part p, const struct persist_file *f, const struct shape *shape, bool loose,
    struct setting_text *out)
{
	struct part name, value, mark = trimmed(shape->between), excuse = excuse_of(f, mark);
	bool dash = loose && p.len != 0 && p.s[0] == '-', optional = dash;

	if (dash)
		p = (struct part){ p.s + 1, p.len - 1 };
	if (!split(p, mark, f->blanks, &name, &value))
		return false;
	if (excuse.len != 0 && ends(name, excuse)) {
		name.len -= excuse.len;
		optional = true;
	}
	if (loose || f->blanks) {
		name = trimmed(name);
		value = trimmed(value);
	} else {
		value = first_word(value);
	}
	value = unquoted(value);
	return value.len != 0 && give(out, name, value, optional);
}

bool
setting_line(const char *s, size_t len, const struct persist_file *f, struct setting_text *out)
{
	struct shape shape = shape_of(f->line);
	bool loose = memchr(shape.between.s, ' ', shape.between.len) != NULL;
	struct part p = without_comment(trimmed((struct part){ s, len }), loose);

	if (p.len == 0 || memchr(p.s, '\0', p.len) != NULL)
		return false;
	if (!starts(p, shape.before) || p.len < shape.before.len + shape.after.len ||
	    !ends(p, shape.after))
		return false;
	p = (struct part){ p.s + shape.before.len, p.len - shape.before.len - shape.after.len };
	if (!shape.value)
		return give(out, p, (struct part){ "", 0 }, false);
	return assignment(p, f, &shape, loose, out);
}

char *
setting_name(struct arena *a, const struct setting_text *s)
{
	char *name = arena_strndup(a, s->name, s->name_len);
	char *first = strpbrk(name, "./");

	/* The first separator decides which of the two it is. */
	if (first == NULL || *first == '.')
		return name;
	for (char *c = first; *c != '\0'; c++)
		*c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
	return name;
}
