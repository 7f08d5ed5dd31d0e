/*
 * Taking back what was applied.  Part of pipeline_apply.h.
 */
#include "pipeline_apply.h"
#include "pipeline_change_remote.h"
#include "hazards.h"
#include "offloads.h"

#include <string.h>

static bool
same_id(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Values of another namespace of this boot are not those that one sees here. */
static bool
check_scope(const struct apply_job *j, const struct undo_level *l, struct err *e)
{
	const struct facts *f = &j->p->run->facts;

	if (same_id(l->boot_id, f->boot_id) && l->scope_id != NULL && f->scope_id != NULL &&
	    strcmp(l->scope_id, f->scope_id) != 0)
		return fail(e, ERR_FAILED, "it was applied in another network namespace (%s); "
		    "revert it there", l->scope_id);
	return true;
}

static void
tell_value(struct apply_job *j, const struct undo_value *v, const char *outcome, const char *why)
{
	*(struct apply_value_result *)arena_push(j->p->cmd->arena, &j->result.values,
	    &j->result.n_values, sizeof(*j->result.values)) =
	    (struct apply_value_result){ v->name, v->new, v->old, outcome, why };
}

static void
tell_file(struct apply_job *j, const char *path, const char *outcome, const char *why)
{
	*(struct apply_file_result *)arena_push(j->p->cmd->arena, &j->result.files,
	    &j->result.n_files, sizeof(*j->result.files)) =
	    (struct apply_file_result){ path, outcome, why };
}

/* Last set, first taken back: what a limit admits goes before the limit. */
static void
plan_values(struct apply_job *j, const struct undo_level *l)
{
	struct change *c = &j->change;
	struct arena *a = j->p->cmd->arena;

	c->values = arena_array(a, l->n_values + 1, sizeof(*c->values));
	for (size_t i = l->n_values; i-- > 0;) {
		const struct undo_value *v = &l->values[i];
		const char *now = offload_or_knob(&j->p->run->facts, v->name);

		switch (undo_value_step(v, now)) {
		case UNDO_NOTHING:
			break;
		case UNDO_RESTORE:
			c->values[c->n_values++] = (struct change_value){ .name = v->name,
				.now = now, .want = v->old };
			tell_value(j, v, "pending", NULL);
			break;
		case UNDO_LEAVE:
			tell_value(j, v, "left", now == NULL && offload_is_line(v->name) ?
			    "the interface of this host is another one, or does not tell it" :
			    now == NULL ? "this kernel does not have it" :
			    arena_printf(a, "is %s now, which is not what was applied (%s)", now,
			    v->new));
			break;
		}
	}
}

/* False, and *edited, where somebody else's lines would be lost. */
static bool
plan_file(struct apply_job *j, const struct undo_file *f, const struct undo_now *now,
    const struct persist_found *found, struct text *diff, bool *edited, struct err *e)
{
	struct change *c = &j->change;
	struct undo_want want;

	if (!undo_file_want(j->p->cmd->arena, f, now, &want, e))
		return false;
	if (want.step == UNDO_LEAVE) {
		*edited = *edited || now->text != NULL;
		tell_file(j, f->path, "left", want.why);
	}
	if (want.step != UNDO_RESTORE)
		return true;
	if (c->n_files == CHANGE_FILES)
		return fail(e, ERR_FAILED, "the record names too many files");
	c->files[c->n_files++] = (struct change_file){ .found = *found, .want = want.text,
		.len = want.len };
	tell_file(j, f->path, "pending", NULL);
	text_add(diff, "%s", diff_unified(j->p->cmd->arena, f->path,
	    (struct diff_text){ now->text, now->len },
	    (struct diff_text){ want.text, want.len }));
	return true;
}

static bool
plan_files(struct apply_job *j, const struct undo_level *l, struct err *e)
{
	struct text diff = { .arena = j->p->cmd->arena };
	struct persist_found *found;
	struct undo_now *now;
	bool edited = false;

	text_bytes(&diff, "", 0);
	if (!apply_files_now(j, l, &now, &found, e))
		return false;
	for (size_t i = 0; i < l->n_files; i++) {
		if (!plan_file(j, &l->files[i], &now[i], &found[i], &diff, &edited, e))
			return false;
	}
	j->result.diff = diff.s;
	j->result.status = edited ? "refused" : "pending";
	if (edited)
		return fail(e, ERR_FAILED, "somebody else edited what was applied (above); nothing "
		    "was changed: take the edit back, or move the file away, and revert again");
	return true;
}

/* From "pending" to what came of it. */
static void
tell_outcome(struct apply_job *j)
{
	struct apply_result *r = &j->result;
	size_t file = 0;

	for (size_t i = 0; i < r->n_values; i++) {
		if (strcmp(r->values[i].outcome, "pending") != 0)
			continue;
		r->values[i].outcome = "restored";
	}
	for (size_t i = 0; i < r->n_files; i++) {
		if (strcmp(r->files[i].outcome, "pending") == 0)
			r->files[i].outcome = j->change.files[file++].want == NULL ? "removed" :
			    "restored";
	}
	r->status = "reverted";
	for (size_t i = 0; i < r->n_values; i++) {
		if (strcmp(r->values[i].outcome, "restored") != 0)
			r->status = "partly";
	}
}

/* A value that cannot be set back would leave the host between the two. */
static bool
all_held(const struct change *c, struct err *e)
{
	for (size_t i = 0; i < c->n_values; i++) {
		if (!c->values[i].held)
			return fail(e, ERR_FAILED, "%s; nothing was taken back", c->values[i].why);
	}
	return true;
}

/*
 * The record says first what is about to happen, with the levels to be taken back as one: what a
 * run that dies leaves is judged by that.
 */
static bool
carry_out(struct apply_job *j, const struct undo_level *l, size_t first, struct err *e)
{
	struct undo was = j->undo;
	struct undo_level one = *l;
	struct err unwritten = { ERR_NONE, "" };

	one.state = UNDO_REVERTING;
	j->undo.levels = arena_array(j->p->cmd->arena, first + 1, sizeof(one));
	memcpy(j->undo.levels, was.levels, first * sizeof(one));
	j->undo.levels[first] = one;
	/* On a host that is reached through a shell it is written when all else is, or never. */
	j->undo.n_levels = change_is_remote(j->p) ? first : first + 1;
	if (!apply_save(j, e))
		return false;
	if (!change_begin(&j->change, e) || !change_set(&j->change, e) ||
	    !all_held(&j->change, e) || !change_keep(&j->change, e)) {
		if (apply_cancel(j, e)) {
			j->undo = was;
			apply_save(j, &unwritten);
		}
		return false;
	}
	j->undo.n_levels = first;
	if (!apply_save(j, &unwritten))
		cmd_note(j->p->cmd, "%s", unwritten.text);
	tell_outcome(j);
	return true;
}

bool
pipeline_revert(struct apply_job *j, bool all, bool dry, struct err *e)
{
	size_t first = all || j->undo.n_levels == 0 ? 0 : j->undo.n_levels - 1;
	struct undo_level level;

	record_init(&apply_result_record, &j->result);
	j->result.schema = APPLY_SCHEMA;
	j->result.command = "revert";
	j->result.status = "nothing";
	j->change = (struct change){ .p = j->p };
	if (j->undo.n_levels == 0)
		return true;
	level = undo_joined(j->p->cmd->arena, &j->undo, first);
	if (!check_scope(j, &level, e))
		return false;
	plan_values(j, &level);
	if (!plan_files(j, &level, e))
		return false;
	return dry || carry_out(j, &level, first, e);
}
