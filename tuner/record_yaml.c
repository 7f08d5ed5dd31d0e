#include "record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/*
 * libyaml's events are pulled one by one, and we stop at the first one that goes too deep: its own
 * scanner takes quadratic time over brackets that are never closed, so it must not read on.
 */
struct reader {
	struct arena *arena;
	const char *name;
	const char *text;
	size_t len;
	yaml_parser_t parser;
	yaml_event_t event; /* the last one pulled; zeroed when there is none */
	struct err *e;
};

static unsigned
line_at(const char *text, size_t offset)
{
	unsigned line = 1;
	size_t i;

	for (i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static unsigned
event_line(const struct reader *r)
{
	return (unsigned)r->event.start_mark.line + 1;
}

/* A problem of the byte reader comes with an offset, one of the scanner with a line. */
static bool
syntax_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	unsigned line = (unsigned)p->problem_mark.line + 1;

	if (p->error == YAML_READER_ERROR)
		line = line_at(r->text, p->problem_offset < r->len ? p->problem_offset : r->len);
	return fail(r->e, ERR_USAGE, "%s:%u: %s", r->name, line,
	    p->problem != NULL ? p->problem : "cannot be read");
}

static bool
pull(struct reader *r)
{
	yaml_event_delete(&r->event);
	memset(&r->event, 0, sizeof(r->event));
	return yaml_parser_parse(&r->parser, &r->event) ? true : syntax_error(r);
}

static bool
not_used(struct reader *r, const char *what)
{
	return fail(r->e, ERR_USAGE, "%s:%u: %s are not used here", r->name, event_line(r), what);
}

static bool
plain_event(struct reader *r)
{
	const yaml_event_t *v = &r->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (v->type == YAML_ALIAS_EVENT)
		return not_used(r, "aliases");
	if (v->type == YAML_SCALAR_EVENT) {
		anchor = v->data.scalar.anchor;
		tag = v->data.scalar.tag;
	} else if (v->type == YAML_SEQUENCE_START_EVENT) {
		anchor = v->data.sequence_start.anchor;
		tag = v->data.sequence_start.tag;
	} else if (v->type == YAML_MAPPING_START_EVENT) {
		anchor = v->data.mapping_start.anchor;
		tag = v->data.mapping_start.tag;
	}
	if (anchor != NULL)
		return not_used(r, "anchors");
	return tag == NULL ? true : not_used(r, "tags");
}

/* A decimal number with optional sign, fraction and exponent, and nothing else. */
static bool
is_number(const char *s, double *number)
{
	static const char digits[] = "0123456789";
	const char *p = s + (*s == '-' || *s == '+');
	size_t n = strspn(p, digits);

	if (n == 0)
		return false;
	p += n;
	if (*p == '.') {
		n = strspn(p + 1, digits);
		if (n == 0)
			return false;
		p += 1 + n;
	}
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '-' || p[1] == '+');
		n = strspn(p, digits);
		if (n == 0)
			return false;
		p += n;
	}
	*number = strtod(s, NULL);
	return *p == '\0' && isfinite(*number);
}

static void
plain_scalar(struct node *n)
{
	const char *s = n->text;

	if (*s == '\0' || strcmp(s, "~") == 0 || strcmp(s, "null") == 0) {
		n->kind = NODE_NULL;
	} else if (strcmp(s, "true") == 0 || strcmp(s, "false") == 0) {
		n->kind = NODE_BOOL;
		n->truth = *s == 't';
	} else if (is_number(s, &n->number)) {
		n->kind = NODE_NUMBER;
	}
}

static bool
scalar_text(struct reader *r, const char **out)
{
	const char *s = (const char *)r->event.data.scalar.value;
	size_t n = r->event.data.scalar.length;

	if (memchr(s, '\0', n) != NULL)
		return fail(r->e, ERR_USAGE, "%s:%u: NUL byte", r->name, event_line(r));
	*out = arena_strndup(r->arena, s, n);
	return true;
}

static bool read_node(struct reader *r, unsigned depth, struct node **out);

static bool
read_list(struct reader *r, unsigned depth, struct node *list)
{
	struct node **end = &list->child;

	for (;;) {
		if (!pull(r))
			return false;
		if (r->event.type == YAML_SEQUENCE_END_EVENT)
			return true;
		if (!read_node(r, depth, end))
			return false;
		end = &(*end)->next;
	}
}

/* The event at hand as the key of a map that has these keys already. */
static bool
read_key(struct reader *r, const struct node *child, const char **key)
{
	unsigned line = event_line(r), n = 0;

	if (!plain_event(r))
		return false;
	if (r->event.type != YAML_SCALAR_EVENT)
		return fail(r->e, ERR_USAGE, "%s:%u: a key must be a word", r->name, line);
	if (!scalar_text(r, key))
		return false;
	if (!node_key_ok(*key))
		return fail(r->e, ERR_USAGE, "%s:%u: a key must be 1 to %d printable characters",
		    r->name, line, NODE_KEY);
	for (; child != NULL; child = child->next, n++) {
		if (strcmp(child->key, *key) == 0)
			return fail(r->e, ERR_USAGE, "%s:%u: %s: duplicate key, first in line %u",
			    r->name, line, *key, child->line);
	}
	if (n >= NODE_KEYS)
		return fail(r->e, ERR_USAGE, "%s:%u: more than %d keys", r->name, line, NODE_KEYS);
	return true;
}

static bool
read_map(struct reader *r, unsigned depth, struct node *map)
{
	struct node **end = &map->child;
	const char *key = NULL;
	unsigned line;

	for (;;) {
		if (!pull(r))
			return false;
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return true;
		line = event_line(r);
		if (!read_key(r, map->child, &key) || !pull(r) || !read_node(r, depth, end))
			return false;
		(*end)->key = key;
		(*end)->line = line;
		end = &(*end)->next;
	}
}

/* The event at hand and all that belongs to it. */
static bool
read_node(struct reader *r, unsigned depth, struct node **out)
{
	struct node *n = arena_alloc(r->arena, sizeof(*n));

	n->line = event_line(r);
	if (!plain_event(r))
		return false;
	if (depth >= NODE_DEPTH)
		return fail(r->e, ERR_USAGE, "%s:%u: nested more than %d levels deep", r->name,
		    n->line, NODE_DEPTH);
	*out = n;
	switch (r->event.type) {
	case YAML_SEQUENCE_START_EVENT:
		n->kind = NODE_LIST;
		return read_list(r, depth + 1, n);
	case YAML_MAPPING_START_EVENT:
		n->kind = NODE_MAP;
		return read_map(r, depth + 1, n);
	default:
		n->kind = NODE_TEXT;
		if (!scalar_text(r, &n->text))
			return false;
		if (r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
			plain_scalar(n);
		return true;
	}
}

static bool
read_document(struct reader *r, struct node **out)
{
	if (!pull(r) || !pull(r)) /* stream start, document start */
		return false;
	if (r->event.type != YAML_DOCUMENT_START_EVENT)
		return fail(r->e, ERR_USAGE, "%s:1: empty", r->name);
	if (!pull(r) || !read_node(r, 0, out) || !pull(r) || !pull(r))
		return false;
	if (r->event.type != YAML_STREAM_END_EVENT)
		return fail(r->e, ERR_USAGE, "%s:%u: more than one document", r->name,
		    event_line(r));
	return true;
}

bool
node_from_yaml(struct arena *a, const char *name, const char *text, size_t len, struct node **out,
    struct err *e)
{
	return node_from_yaml_most(a, name, text, len, NODE_YAML_BYTES, out, e);
}

bool
node_from_yaml_most(struct arena *a, const char *name, const char *text, size_t len, size_t most,
    struct node **out, struct err *e)
{
	struct reader r = { .arena = a, .name = name, .text = text, .len = len, .e = e };
	const char *nul = len == 0 ? NULL : memchr(text, '\0', len);
	struct node *root = NULL;
	bool ok;

	if (len > most)
		return fail(e, ERR_USAGE, "%s: larger than %zu KiB", name, most / 1024);
	if (nul != NULL)
		return fail(e, ERR_USAGE, "%s:%u: NUL byte", name,
		    line_at(text, (size_t)(nul - text)));
	if (!yaml_parser_initialize(&r.parser))
		return fail(e, ERR_FAILED, "%s: out of memory", name);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	ok = read_document(&r, &root);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	if (ok)
		*out = root;
	return ok;
}
