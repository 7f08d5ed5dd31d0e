#include "undo.h"
#include "diff.h"
#include "fragment.h"
#include "hazards.h"
#include "offloads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the record ------------------------------------------------------------------------------ */

static const char *const state_names[] = { "applied", "applying", "reverting", NULL };

static const struct field value_fields[] = {
	F_STR(undo_value, name, FIELD_REQUIRED),
	F_STR(undo_value, old, FIELD_REQUIRED),
	F_STR(undo_value, new, FIELD_REQUIRED),
	F_END,
};
static const struct record value_record = { "value", sizeof(struct undo_value), value_fields };

static const struct field file_fields[] = {
	F_STR(undo_file, path, FIELD_REQUIRED),
	F_BOOL(undo_file, block),
	F_NUM(undo_file, mode, 0, 07777, 0),
	F_NUM(undo_file, uid, 0, 4294967295.0, 0),
	F_NUM(undo_file, gid, 0, 4294967295.0, 0),
	F_STR(undo_file, old, 0),
	F_STR(undo_file, new, FIELD_REQUIRED),
	F_END,
};
static const struct record file_record = { "file", sizeof(struct undo_file), file_fields };

static const struct field level_fields[] = {
	F_ENUM(undo_level, state, state_names, FIELD_REQUIRED),
	F_STR(undo_level, applied, 0),
	F_STR(undo_level, run, 0),
	F_STR(undo_level, boot_id, 0),
	F_STR(undo_level, scope_id, 0),
	F_LIST(undo_level, values, &value_record),
	F_LIST(undo_level, files, &file_record),
	F_END,
};
static const struct record level_record = { "level", sizeof(struct undo_level), level_fields };

static const struct field undo_fields[] = {
	F_STR(undo, schema, FIELD_REQUIRED),
	F_STR(undo, version, 0),
	F_STR(undo, host, 0),
	F_STR(undo, os, 0),
	F_LIST(undo, levels, &level_record),
	F_END,
};
const struct record undo_record = { "undo", sizeof(struct undo), undo_fields };

/* ---- texts in it ----------------------------------------------------------------------------- */

char *
undo_encode(struct arena *a, const char *text, size_t len)
{
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n' || c == '\t' || (c >= ' ' && c <= '~' && c != '%'))
			text_bytes(&t, (const char *)&c, 1);
		else
			text_add(&t, "%%%02X", c);
	}
	return t.s;
}

static int
digit(char c)
{
	const char *all = "0123456789ABCDEF", *at = c == '\0' ? NULL : strchr(all, c);

	return at == NULL ? -1 : (int)(at - all);
}

char *
undo_decode(struct arena *a, const char *text, size_t *len)
{
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (; *text != '\0'; text++) {
		char c = *text;

		if (c == '%') {
			int high = digit(text[1]), low = high < 0 ? -1 : digit(text[2]);

			if (low < 0)
				return NULL;
			c = (char)(high * 16 + low);
			text += 2;
		}
		text_bytes(&t, &c, 1);
	}
	*len = t.len;
	return t.s;
}

static bool
check_level(struct arena *a, const char *name, const struct undo_level *l, struct err *e)
{
	size_t len;

	for (size_t i = 0; i < l->n_files; i++) {
		const struct undo_file *f = &l->files[i];

		if (f->path[0] != '/' || undo_decode(a, f->new, &len) == NULL ||
		    (f->old != NULL && undo_decode(a, f->old, &len) == NULL))
			return fail(e, ERR_FAILED, "%s: what it says of %.100s is damaged", name,
			    f->path);
	}
	return true;
}

static const char *
schema_of(const struct node *n)
{
	for (n = n->kind == NODE_MAP ? n->child : NULL; n != NULL; n = n->next) {
		if (strcmp(n->key, "schema") == 0 && n->kind == NODE_TEXT)
			return n->text;
	}
	return "none";
}

bool
undo_read(struct arena *a, const char *name, const char *text, size_t len, struct undo *out,
    struct err *e)
{
	struct err damaged = { ERR_NONE, "" }; /* nobody can correct it at the command line */
	struct node *node;
	struct undo u;

	if (!node_from_json(a, name, text, len, &node, &damaged))
		return fail(e, ERR_FAILED, "%s; the record is damaged: without it, moved away, "
		    "nothing that was applied can be taken back", damaged.text);
	if (strcmp(schema_of(node), UNDO_SCHEMA) != 0)
		return fail(e, ERR_FAILED, "%s: its schema is '%.40s', this program reads %s; use "
		    "the pathtune that wrote it", name, schema_of(node), UNDO_SCHEMA);
	record_init(&undo_record, &u);
	if (!record_from_node(a, name, &undo_record, node, &u, &damaged))
		return fail(e, ERR_FAILED, "%s", damaged.text);
	for (size_t i = 0; i < u.n_levels; i++) {
		if (!check_level(a, name, &u.levels[i], e))
			return false;
	}
	*out = u;
	return true;
}

/* ---- levels ---------------------------------------------------------------------------------- */

static void
join_value(struct arena *a, struct undo_level *l, const struct undo_value *v)
{
	for (size_t i = 0; i < l->n_values; i++) {
		if (strcmp(l->values[i].name, v->name) == 0) {
			l->values[i].new = v->new;
			return;
		}
	}
	*(struct undo_value *)arena_push(a, &l->values, &l->n_values, sizeof(*v)) = *v;
}

static void
join_file(struct arena *a, struct undo_level *l, const struct undo_file *f)
{
	for (size_t i = 0; i < l->n_files; i++) {
		if (strcmp(l->files[i].path, f->path) == 0) {
			l->files[i].new = f->new;
			return;
		}
	}
	*(struct undo_file *)arena_push(a, &l->files, &l->n_files, sizeof(*f)) = *f;
}

struct undo_level
undo_joined(struct arena *a, const struct undo *u, size_t first)
{
	struct undo_level all = u->levels[u->n_levels - 1];

	all.values = NULL;
	all.files = NULL;
	all.n_values = all.n_files = 0;
	for (size_t i = first; i < u->n_levels; i++) {
		const struct undo_level *l = &u->levels[i];

		for (size_t j = 0; j < l->n_values; j++)
			join_value(a, &all, &l->values[j]);
		for (size_t j = 0; j < l->n_files; j++)
			join_file(a, &all, &l->files[j]);
	}
	return all;
}

void
undo_push(struct arena *a, struct undo *u, const struct undo_level *level)
{
	*(struct undo_level *)arena_push(a, &u->levels, &u->n_levels, sizeof(*level)) = *level;
	if (u->n_levels > UNDO_LEVELS) {
		struct undo oldest = { .levels = u->levels, .n_levels = 2 };

		u->levels[1] = undo_joined(a, &oldest, 0);
		u->levels++;
		u->n_levels--;
	}
}

/* ---- what is to be done ---------------------------------------------------------------------- */

/* The file's text, decoded, is this one; NULL is no file. */
static bool
is_text(struct arena *a, const char *encoded, const struct undo_now *now)
{
	const char *text;
	size_t len;

	if (encoded == NULL || now->text == NULL)
		return encoded == NULL && now->text == NULL;
	text = undo_decode(a, encoded, &len);
	return text != NULL && len == now->len && memcmp(text, now->text, len) == 0;
}

static bool
all_files(struct arena *a, const struct undo_level *l, const struct undo_now *now, bool old)
{
	for (size_t i = 0; i < l->n_files; i++) {
		if (!is_text(a, old ? l->files[i].old : l->files[i].new, &now[i]))
			return false;
	}
	return true;
}

static bool
all_values_old(const struct undo_level *l, const struct facts *f)
{
	for (size_t i = 0; i < l->n_values; i++) {
		const struct undo_value *v = &l->values[i];

		if (undo_value_step(v, offload_or_knob(f, v->name)) != UNDO_NOTHING)
			return false;
	}
	return true;
}

bool
undo_settle(struct arena *a, struct undo *u, const struct undo_now *now, const struct facts *f)
{
	struct undo_level *last = u->n_levels == 0 ? NULL : &u->levels[u->n_levels - 1];

	if (last == NULL || last->state == UNDO_APPLIED)
		return false;
	if (last->n_files != 0 ? all_files(a, last, now, true) : all_values_old(last, f))
		u->n_levels--;
	else
		last->state = UNDO_APPLIED;
	return true;
}

enum undo_step
undo_value_step(const struct undo_value *v, const char *text)
{
	if (text != NULL && hazards_same_value(text, v->old))
		return UNDO_NOTHING;
	return text != NULL && hazards_same_value(text, v->new) ? UNDO_RESTORE : UNDO_LEAVE;
}

static bool
left(struct undo_want *out, const char *why)
{
	*out = (struct undo_want){ UNDO_LEAVE, NULL, 0, why };
	return true;
}

/* Lines that somebody else wrote into what is ours. */
static const char *
say_edit(struct arena *a, const struct undo_file *f, struct diff_text ours, struct diff_text there)
{
	return arena_printf(a, "was edited since it was applied:\n%s",
	    diff_unified(a, f->path, ours, there));
}

static const char *
block_of(struct arena *a, const char *path, const char *text, size_t len, struct diff_text *out)
{
	struct err e = { ERR_NONE, "" };
	size_t begin, end;

	if (text == NULL || !fragment_block(path, text, len, &begin, &end, &e) || end == 0)
		return NULL;
	*out = (struct diff_text){ text + begin, end - begin };
	return arena_strndup(a, text + begin, end - begin);
}

/* Others may have written around our block: that is to stay. */
static bool
want_block(struct arena *a, const struct undo_file *f, const struct undo_now *now,
    struct undo_want *out, struct err *e)
{
	size_t begin, end, len;
	const char *text = undo_decode(a, f->new, &len), *before;
	struct diff_text ours = { NULL, 0 }, there, ignored;
	char *merged;

	if (!fragment_block(f->path, now->text, now->len, &begin, &end, e))
		return false;
	if (end == 0)
		return left(out, "pathtune's block was taken out of it by somebody else");
	there = (struct diff_text){ now->text + begin, end - begin };
	if (block_of(a, f->path, text, len, &ours) == NULL || ours.len != there.len ||
	    memcmp(ours.text, there.text, ours.len) != 0)
		return left(out, say_edit(a, f, ours, there));
	text = f->old == NULL ? NULL : undo_decode(a, f->old, &len);
	before = block_of(a, f->path, text, len, &ignored);
	if (!fragment_merge(a, f->path, now->text, now->len, before, &merged, e))
		return false;
	*out = (struct undo_want){ UNDO_RESTORE, merged, strlen(merged), NULL }; /* no NUL in it */
	return true;
}

bool
undo_file_want(struct arena *a, const struct undo_file *f, const struct undo_now *now,
    struct undo_want *out, struct err *e)
{
	size_t len = 0;
	const char *text;

	if (is_text(a, f->old, now)) {
		*out = (struct undo_want){ UNDO_NOTHING, NULL, 0, NULL };
		return true;
	}
	if (now->text == NULL)
		return left(out, "was removed by somebody else");
	if (is_text(a, f->new, now)) {
		text = f->old == NULL ? NULL : undo_decode(a, f->old, &len);
		*out = (struct undo_want){ UNDO_RESTORE, text, len, NULL };
		return true;
	}
	if (f->block)
		return want_block(a, f, now, out, e);
	text = undo_decode(a, f->new, &len);
	return left(out, say_edit(a, f, (struct diff_text){ text, len },
	    (struct diff_text){ now->text, now->len }));
}
