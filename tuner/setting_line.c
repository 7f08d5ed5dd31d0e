#include "setting_line.h"

#include <string.h>

/* What persist_file.accepts may say, each of which is one bit of a reader's. */
enum accepts {
	ACCEPTS_BLANKS = 1 << 0,    /* around the "=", and before the name           */
	ACCEPTS_COMMENT = 1 << 1,   /* from "#" to the end of the line               */
	ACCEPTS_SEMICOLON = 1 << 2, /* a line that begins with it is a comment       */
	ACCEPTS_QUOTES = 1 << 3,    /* a pair around the value                       */
	ACCEPTS_DASH = 1 << 4,      /* before the name: no matter if it fails        */
	ACCEPTS_QUESTION = 1 << 5,  /* "?=": no matter if it is missing              */
	ACCEPTS_COLON = 1 << 6,     /* instead of "="                                */
	ACCEPTS_SLASH = 1 << 7,     /* between the parts of a name, as well as dots  */
	ACCEPTS_INDENT = 1 << 8,    /* blanks before the name, though not around "=" */
	ACCEPTS_WORDS = 1 << 9,     /* each word of a line is a setting              */
};

static const struct {
	const char *word;
	unsigned bit;
} words[] = {
	{ "blanks", ACCEPTS_BLANKS }, { "comment", ACCEPTS_COMMENT },
	{ "semicolon", ACCEPTS_SEMICOLON }, { "quotes", ACCEPTS_QUOTES }, { "dash", ACCEPTS_DASH },
	{ "question", ACCEPTS_QUESTION }, { "colon", ACCEPTS_COLON }, { "slash", ACCEPTS_SLASH },
	{ "indent", ACCEPTS_INDENT }, { "words", ACCEPTS_WORDS },
};

/* A part of a text. */
struct span {
	const char *s;
	size_t len;
};

/* The parts of "prefix{name}suffix={value}tail". */
struct form {
	struct span prefix, suffix, tail;
	bool equals;
	unsigned accepts;
};

bool
setting_line_accepts(const char *word)
{
	for (size_t i = 0; i < NELEM(words); i++) {
		if (strcmp(words[i].word, word) == 0)
			return true;
	}
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span
trim_left(struct span t)
{
	while (t.len > 0 && is_blank(*t.s)) {
		t.s++;
		t.len--;
	}
	return t;
}

static struct span
trim_right(struct span t)
{
	while (t.len > 0 && is_blank(t.s[t.len - 1]))
		t.len--;
	return t;
}

static struct span
span_of(const char *s, const char *end)
{
	return (struct span){ s, (size_t)(end - s) };
}

static unsigned
accepted(const struct persist_file *f)
{
	unsigned bits = strchr(f->line, '"') != NULL ? ACCEPTS_QUOTES : 0;

	if (strstr(f->line, " = ") != NULL)
		bits |= ACCEPTS_BLANKS;
	for (size_t i = 0; i < NELEM(words); i++) {
		if (strings_have(f->accepts, f->n_accepts, words[i].word))
			bits |= words[i].bit;
	}
	return bits;
}

static struct form
form_of(const struct persist_file *f)
{
	const char *name = strstr(f->line, "{name}"), *value = strstr(f->line, "{value}");
	const char *rest = name == NULL ? f->line : name + strlen("{name}");
	const char *equals = strchr(rest, '=');
	struct form form = { .accepts = accepted(f), .equals = equals != NULL };

	form.prefix = span_of(f->line, name == NULL ? f->line : name);
	if (equals != NULL)
		form.suffix = trim_right(span_of(rest, equals));
	if (value != NULL)
		form.tail = (struct span){ value + strlen("{value}"),
			strlen(value + strlen("{value}")) };
	return form;
}

/* Without a comment at its end; a backslash keeps the sign. */
static struct span
without_comment(struct span t)
{
	for (size_t i = 0; i < t.len; i++) {
		if (t.s[i] == '#' && (i == 0 || t.s[i - 1] != '\\'))
			t.len = i;
	}
	return trim_right(t);
}

/* What is left of a line when the form's prefix and tail are taken off; false: it lacks them. */
static bool
within(const struct form *f, struct span *t)
{
	if (t->len < f->prefix.len + f->tail.len ||
	    memcmp(t->s, f->prefix.s, f->prefix.len) != 0 ||
	    (f->tail.len != 0 &&
		memcmp(t->s + t->len - f->tail.len, f->tail.s, f->tail.len) != 0))
		return false;
	t->s += f->prefix.len;
	t->len -= f->prefix.len + f->tail.len;
	return true;
}

static size_t
length_before(struct span t, bool (*stop)(char c))
{
	size_t n = 0;

	while (n < t.len && !stop(t.s[n]))
		n++;
	return n;
}

static bool
is_equals(char c)
{
	return c == '=';
}

static bool
is_equals_or_colon(char c)
{
	return c == '=' || c == ':';
}

static struct span
unquoted(struct span t)
{
	if (t.len >= 2 && (*t.s == '"' || *t.s == '\'') && t.s[t.len - 1] == *t.s)
		return (struct span){ t.s + 1, t.len - 2 };
	return t;
}

/* The name without "?" and the form's suffix; false: it is none. */
static bool
take_name(const struct form *f, struct span t, struct setting_text *out)
{
	if ((f->accepts & ACCEPTS_QUESTION) != 0 && t.len > 0 && t.s[t.len - 1] == '?') {
		out->optional = true;
		t.len--;
	}
	if ((f->accepts & ACCEPTS_BLANKS) != 0)
		t = trim_right(t);
	if (t.len <= f->suffix.len ||
	    (f->suffix.len != 0 &&
		memcmp(t.s + t.len - f->suffix.len, f->suffix.s, f->suffix.len) != 0))
		return false;
	out->name = t.s;
	out->name_len = t.len - f->suffix.len;
	for (size_t i = 0; i < out->name_len; i++) {
		if (out->name[i] <= ' ' || out->name[i] > '~')
			return false;
	}
	return true;
}

/* The line is a name, and where the form has an "=" a value. */
static bool
take_parts(const struct form *f, struct span t, struct setting_text *out)
{
	struct span value = { t.s + t.len, 0 };
	size_t n = t.len;

	if (f->equals) {
		n = length_before(t, (f->accepts & ACCEPTS_COLON) != 0 ? is_equals_or_colon :
		    is_equals);
		if (n == t.len)
			return false;
		value = (struct span){ t.s + n + 1, t.len - n - 1 };
		if ((f->accepts & ACCEPTS_BLANKS) != 0)
			value = trim_left(value);
		if ((f->accepts & ACCEPTS_QUOTES) != 0)
			value = unquoted(value);
		if (value.len == 0)
			return false;
	}
	out->value = value.s;
	out->value_len = value.len;
	return take_name(f, (struct span){ t.s, n }, out);
}

bool
setting_line(const char *s, size_t len, const struct persist_file *f, struct setting_text *out)
{
	struct form form = form_of(f);
	struct span t = trim_right((struct span){ s, len });
	struct setting_text found = { 0 };

	if ((form.accepts & (ACCEPTS_BLANKS | ACCEPTS_INDENT)) != 0)
		t = trim_left(t);
	if (t.len == 0 || *t.s == '#' || (*t.s == ';' && (form.accepts & ACCEPTS_SEMICOLON) != 0))
		return false;
	if ((form.accepts & ACCEPTS_COMMENT) != 0)
		t = without_comment(t);
	if (*t.s == '-' && (form.accepts & ACCEPTS_DASH) != 0) {
		found.optional = true;
		t = (struct span){ t.s + 1, t.len - 1 };
	}
	if (!within(&form, &t))
		return false;
	if ((form.accepts & ACCEPTS_BLANKS) == 0)
		t.len = length_before(t, is_blank);
	if (!take_parts(&form, t, &found))
		return false;
	*out = found;
	return true;
}

/* The next word of what is left of a line. */
static struct span
next_word(struct span *left)
{
	struct span word = trim_left(*left);

	left->s = word.s + length_before(word, is_blank);
	left->len = word.len - (size_t)(left->s - word.s);
	word.len -= left->len;
	return word;
}

bool
setting_line_next(const char **s, size_t *len, const struct persist_file *f,
    struct setting_text *out)
{
	struct span left = { *s, *len }, word = left;
	bool sets = false;

	if ((accepted(f) & ACCEPTS_WORDS) == 0) {
		left = (struct span){ left.s + left.len, 0 };
		sets = setting_line(word.s, word.len, f, out);
	}
	while (!sets && left.len != 0) {
		word = next_word(&left);
		/* The rest of the line is a comment. */
		if (memchr(word.s, '#', word.len) != NULL)
			left = (struct span){ left.s + left.len, 0 };
		sets = word.len != 0 && setting_line(word.s, word.len, f, out);
	}
	*s = left.s;
	*len = left.len;
	return sets;
}

/* With slashes between the parts a dot belongs to a part, and the other way round. */
static char
turned(char c)
{
	return c == '/' ? '.' : c == '.' ? '/' : c;
}

/* Where the reader takes slashes, the first separator decides what the others are. */
static bool
is_turned(const struct setting_text *t, const struct persist_file *f)
{
	size_t first = 0;

	while (first < t->name_len && t->name[first] != '.' && t->name[first] != '/')
		first++;
	return first < t->name_len && t->name[first] == '/' && (accepted(f) & ACCEPTS_SLASH) != 0;
}

char *
setting_line_name(struct arena *a, const struct setting_text *t, const struct persist_file *f)
{
	char *name = arena_strndup(a, t->name, t->name_len);
	bool turn = is_turned(t, f);

	for (char *c = name; turn && *c != '\0'; c++)
		*c = turned(*c);
	return name;
}

bool
setting_line_sets(const struct setting_text *t, const struct persist_file *f, const char *knob)
{
	bool turn = is_turned(t, f);

	if (strlen(knob) != t->name_len)
		return false;
	for (size_t i = 0; i < t->name_len; i++) {
		if ((turn ? turned(t->name[i]) : t->name[i]) != knob[i])
			return false;
	}
	return true;
}
