#include "record.h"

#include <jansson.h>
#include <string.h>

/* Within one document: what errors need. */
struct reader {
	struct arena *arena;
	const char *name;
	struct err *e;
};

static bool copy_node(const struct reader *r, const json_t *j, unsigned depth, struct node **out);

static bool
copy_list(const struct reader *r, const json_t *j, unsigned depth, struct node **end)
{
	size_t i, n = json_array_size(j);

	for (i = 0; i < n; i++) {
		if (!copy_node(r, json_array_get(j, i), depth, end))
			return false;
		end = &(*end)->next;
	}
	return true;
}

static bool
copy_map(const struct reader *r, json_t *j, unsigned depth, struct node **end)
{
	const char *key;
	json_t *value;

	json_object_foreach(j, key, value) {
		if (!node_key_ok(key))
			return fail(r->e, ERR_USAGE,
			    "%s: a key must be 1 to %d printable characters", r->name, NODE_KEY);
		if (!copy_node(r, value, depth, end))
			return false;
		(*end)->key = arena_strdup(r->arena, key);
		end = &(*end)->next;
	}
	return true;
}

static bool
copy_node(const struct reader *r, const json_t *j, unsigned depth, struct node **out)
{
	struct node *n = arena_alloc(r->arena, sizeof(*n));

	if (depth >= NODE_DEPTH)
		return fail(r->e, ERR_USAGE, "%s: nested more than %d levels deep", r->name,
		    NODE_DEPTH);
	*out = n;
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		n->kind = NODE_MAP;
		return copy_map(r, (json_t *)(uintptr_t)j, depth + 1, &n->child);
	case JSON_ARRAY:
		n->kind = NODE_LIST;
		return copy_list(r, j, depth + 1, &n->child);
	case JSON_STRING:
		n->kind = NODE_TEXT;
		n->text = arena_strdup(r->arena, json_string_value(j));
		return true;
	case JSON_INTEGER:
	case JSON_REAL:
		n->kind = NODE_NUMBER;
		n->number = json_number_value(j);
		return true;
	case JSON_TRUE:
	case JSON_FALSE:
		n->kind = NODE_BOOL;
		n->truth = json_is_true(j);
		return true;
	default:
		n->kind = NODE_NULL;
		return true;
	}
}

/* jansson quotes the input in its text; ours stays one line. */
static bool
syntax_error(const struct reader *r, const json_error_t *error)
{
	char what[JSON_ERROR_TEXT_LENGTH];
	char *p;

	memcpy(what, error->text, sizeof(what));
	what[sizeof(what) - 1] = '\0';
	for (p = what; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	return fail(r->e, ERR_USAGE, "%s:%d: %s", r->name, error->line < 1 ? 1 : error->line, what);
}

bool
node_from_json(struct arena *a, const char *name, const char *text, size_t len, struct node **out,
    struct err *e)
{
	struct reader r = { a, name, e };
	struct node *root = NULL;
	json_error_t error;
	json_t *j;
	bool ok;

	if (len > NODE_BYTES)
		return fail(e, ERR_USAGE, "%s: larger than %zu MiB", name, NODE_BYTES >> 20);
	if (len == 0)
		return fail(e, ERR_USAGE, "%s:1: empty", name);
	j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (j == NULL)
		return syntax_error(&r, &error);
	ok = copy_node(&r, j, 0, &root);
	json_decref(j);
	if (ok)
		*out = root;
	return ok;
}
