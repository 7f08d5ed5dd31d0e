#include "record.h"

#include <math.h>
#include <string.h>

/* Where we are within the input, for errors: a chain on the stack. */
struct place {
	const struct place *up;
	const char *key;  /* NULL: the index-th element of a list */
	size_t index;
};

struct filler {
	struct arena *arena;
	const char *name;
	struct err *e;
};

bool
node_key_ok(const char *key)
{
	size_t n = 0;

	for (; key[n] != '\0'; n++) {
		if ((unsigned char)key[n] < ' ' || key[n] == 0x7f || n >= NODE_KEY)
			return false;
	}
	return n > 0;
}

static void
place_text(const struct place *p, struct text *t)
{
	if (p->up != NULL)
		place_text(p->up, t);
	if (p->key != NULL)
		text_add(t, "%s%s", t->len == 0 ? "" : ".", p->key);
	else if (p->up != NULL)
		text_add(t, "[%zu]", p->index);
}

/* "file:line: key: what" or "file: path.to.key: what". */
static bool
wrong(const struct filler *f, const struct place *p, const struct node *n, const char *what)
{
	struct text t = { .arena = f->arena };

	if (n->line == 0) {
		place_text(p, &t);
		return fail(f->e, ERR_USAGE, "%s: %s%s%s", f->name, t.len == 0 ? "" : t.s,
		    t.len == 0 ? "" : ": ", what);
	}
	while (p->key == NULL && p->up != NULL)
		p = p->up;
	return fail(f->e, ERR_USAGE, "%s:%u: %s%s%s", f->name, n->line,
	    p->key == NULL ? "" : p->key, p->key == NULL ? "" : ": ", what);
}

static void *
member(void *base, size_t offset)
{
	return (char *)base + offset;
}

void
record_init(const struct record *r, void *dst)
{
	const struct field *f;
	double unknown = NAN;

	memset(dst, 0, r->size);
	for (f = r->fields; f->name != NULL; f++) {
		if (f->type == FIELD_NUMBER)
			memcpy(member(dst, f->offset), &unknown, sizeof(unknown));
		else if (f->type == FIELD_RECORD)
			record_init(f->record, member(dst, f->offset));
	}
}

static bool
take_string(const struct filler *fl, const struct place *p, const struct node *n, const char **out)
{
	bool spelled = n->kind == NODE_NUMBER && n->text != NULL;

	if (n->kind != NODE_TEXT && !spelled)
		return wrong(fl, p, n, "must be text");
	*out = n->text;
	return true;
}

static bool
take_number(const struct filler *fl, const struct place *p, const struct field *f,
    const struct node *n, double *out)
{
	bool free = f->min == 0 && f->max == 0;

	if (n->kind != NODE_NUMBER || !isfinite(n->number))
		return wrong(fl, p, n, "must be a number");
	if (!free && (n->number < f->min || n->number > f->max))
		return wrong(fl, p, n, arena_printf(fl->arena, "must be within %.12g..%.12g",
		    f->min, f->max));
	*out = n->number;
	return true;
}

static bool
take_enum(const struct filler *fl, const struct place *p, const struct field *f,
    const struct node *n, int *out)
{
	struct text t = { .arena = fl->arena };
	int i;

	if (n->kind != NODE_TEXT)
		return wrong(fl, p, n, "must be a word");
	for (i = 0; f->names[i] != NULL; i++) {
		if (strcmp(f->names[i], n->text) == 0) {
			*out = i;
			return true;
		}
		text_add(&t, "%s%s", i == 0 ? "" : ", ", f->names[i]);
	}
	return wrong(fl, p, n, arena_printf(fl->arena, "must be one of %s", t.s));
}

static bool fill(const struct filler *fl, const struct place *at, const struct record *r,
    const struct node *n, void *dst);

static size_t
element_size(const struct field *f)
{
	switch (f->type) {
	case FIELD_STRINGS:
		return sizeof(const char *);
	case FIELD_NUMBERS:
		return sizeof(double);
	default:
		return f->record->size;
	}
}

static bool
take_element(const struct filler *fl, const struct place *p, const struct field *f,
    const struct node *n, void *dst)
{
	switch (f->type) {
	case FIELD_STRINGS:
		return take_string(fl, p, n, dst);
	case FIELD_NUMBERS:
		*(double *)dst = NAN;
		return n->kind == NODE_NULL || take_number(fl, p, f, n, dst);
	default:
		return fill(fl, p, f->record, n, dst);
	}
}

/* Grown by arena_push, so that whoever gets the array may go on pushing. */
static bool
take_list(const struct filler *fl, const struct place *up, const struct field *f,
    const struct node *list, void *dst)
{
	struct place p = { up, NULL, 0 };
	const struct node *n;
	void *array = NULL, *element;
	size_t count = 0;

	if (list->kind != NODE_LIST)
		return wrong(fl, up, list, "must be a list");
	for (n = list->child; n != NULL; n = n->next) {
		p.index = count;
		element = arena_push(fl->arena, &array, &count, element_size(f));
		if (!take_element(fl, &p, f, n, element))
			return false;
	}
	memcpy(member(dst, f->offset), &array, sizeof(array));
	memcpy(member(dst, f->count_offset), &count, sizeof(count));
	return true;
}

static bool
take_field(const struct filler *fl, const struct place *p, const struct field *f,
    const struct node *n, void *dst)
{
	void *m = member(dst, f->offset);

	if (n->kind == NODE_NULL)
		return (f->flags & FIELD_REQUIRED) == 0 ? true : wrong(fl, p, n, "is missing");
	switch (f->type) {
	case FIELD_STRING:
		return take_string(fl, p, n, m);
	case FIELD_NUMBER:
		return take_number(fl, p, f, n, m);
	case FIELD_BOOL:
		if (n->kind != NODE_BOOL)
			return wrong(fl, p, n, "must be true or false");
		*(bool *)m = n->truth;
		return true;
	case FIELD_ENUM:
		return take_enum(fl, p, f, n, m);
	case FIELD_RECORD:
		return fill(fl, p, f->record, n, m);
	default:
		return take_list(fl, p, f, n, dst);
	}
}

static const struct node *
child_named(const struct node *map, const char *key)
{
	const struct node *n;

	for (n = map->child; n != NULL; n = n->next) {
		if (strcmp(n->key, key) == 0)
			return n;
	}
	return NULL;
}

static bool
keys_known(const struct filler *fl, const struct place *at, const struct record *r,
    const struct node *map)
{
	const struct node *n;
	const struct field *f;

	for (n = map->child; n != NULL; n = n->next) {
		struct place p = { at, n->key, 0 };

		for (f = r->fields; f->name != NULL && strcmp(f->name, n->key) != 0; f++)
			;
		if (f->name == NULL)
			return wrong(fl, &p, n, "unknown key");
	}
	return true;
}

static bool
fill(const struct filler *fl, const struct place *at, const struct record *r,
    const struct node *map, void *dst)
{
	const struct field *f;
	const struct node *n;

	if (map->kind != NODE_MAP)
		return wrong(fl, at, map, arena_printf(fl->arena, "must be a map (%s)", r->name));
	record_init(r, dst);
	if (!keys_known(fl, at, r, map))
		return false;
	for (f = r->fields; f->name != NULL; f++) {
		struct place p = { at, f->name, 0 };

		n = child_named(map, f->name);
		if (n == NULL && (f->flags & FIELD_REQUIRED) != 0)
			return wrong(fl, &p, map, "is missing");
		if (n != NULL && !take_field(fl, &p, f, n, dst))
			return false;
	}
	return true;
}

bool
record_from_node(struct arena *a, const char *name, const struct record *r, const struct node *n,
    void *dst, struct err *e)
{
	struct filler fl = { a, name, e };
	struct place top = { NULL, NULL, 0 };
	void *made = arena_alloc(a, r->size);

	if (!fill(&fl, &top, r, n, made))
		return false;
	memcpy(dst, made, r->size);
	return true;
}
