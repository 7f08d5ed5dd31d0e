#include "pipeline_apply.h"
#include "pipeline_change_remote.h"
#include "offloads.h"
#include "profile.h"
#include "refuse.h"
#include "settings_apply.h"

#include <math.h>
#include <string.h>

/* ---- what would be done ---------------------------------------------------------------------- */

static bool
read_files(struct apply_job *j, struct diff_text now[APPLY_FILES], struct err *e)
{
	const struct persist_file *kinds[APPLY_FILES];
	size_t n = apply_kinds(j->p->cmd->arena, j->p->profile, &j->p->run->facts, kinds);
	struct persist_found found[APPLY_FILES];
	const char *path[APPLY_FILES];

	for (size_t i = 0; i < n; i++)
		path[i] = kinds[i]->path;
	if (!change_read(j->p, path, n, UNDO_FILE_BYTES, found, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		j->change.files[i].found = found[i];
		now[i] = (struct diff_text){ found[i].text, found[i].len };
	}
	return true;
}

/* What was found and is to be done, before it is. */
static void
tell_plan(struct apply_job *j)
{
	const struct apply_plan *plan = &j->plan;
	struct arena *a = j->p->cmd->arena;
	struct apply_result *r = &j->result;

	r->values = NULL;
	r->files = NULL;
	r->n_values = r->n_files = 0;
	for (size_t i = 0; i < plan->n_values; i++)
		*(struct apply_value_result *)arena_push(a, &r->values, &r->n_values,
		    sizeof(*r->values)) = (struct apply_value_result){ plan->values[i].name,
			plan->values[i].old, plan->values[i].new, "pending", NULL };
	for (size_t i = 0; i < plan->n_files; i++) {
		if (plan->files[i].changes)
			*(struct apply_file_result *)arena_push(a, &r->files, &r->n_files,
			    sizeof(*r->files)) =
			    (struct apply_file_result){ plan->files[i].kind->path, "pending",
				NULL };
	}
	r->conflicts = plan->conflicts;
	r->n_conflicts = plan->n_conflicts;
	r->notes = plan->notes;
	r->n_notes = plan->n_notes;
	r->diff = apply_diff(a, plan);
	r->status = apply_pending(plan) ? "pending" : "nothing";
}

/*
 * A boot that reads no such file would not keep what the run says of offloads: then none of it is
 * set.  It is asked for only where it matters.
 */
static bool
look_for_reader(struct apply_job *j, struct err *e)
{
	struct arena *a = j->p->cmd->arena;
	const struct facts *f = &j->p->run->facts;
	const struct substitution s[] = { { "interface", f->interface }, { NULL, NULL } };
	const struct persist_file *kind = &j->p->profile->persist.offloads;
	struct command c = { .argv = NULL };
	struct run *without;
	struct output o;
	bool any = false;

	for (size_t i = 0; i < j->wanted->decision.n_settings; i++)
		any = any || offload_found(f, j->wanted->decision.settings[i].name) != NULL;
	if (!any || kind->n_reader == 0 || !offload_interface_ok(f->interface))
		return true;
	c.argv = profile_argv(a, kind->reader, kind->n_reader, s);
	if (c.argv == NULL || !host_run(j->p->host, a, &c, 1, &o, e))
		return c.argv == NULL;
	if (o.status <= 0)
		return o.status == 0 || fail(e, ERR_FAILED, "what sets the offloads of %s at boot "
		    "could not be looked for: %s", f->interface, o.why);
	without = arena_alloc(a, sizeof(*without));
	*without = apply_without_offloads(a, j->wanted);
	j->wanted = without;
	j->unread = arena_printf(a, "the offloads of %s are left out, they would not outlive a "
	    "boot: %s", f->interface, profile_expand(a, kind->unread, s));
	return true;
}

static bool
make_plan(struct apply_job *j, const struct diff_text *now, struct err *e)
{
	struct apply_plan *plan = &j->plan;

	if (!apply_make(j->p->cmd->arena, j->p->profile, &j->p->run->facts, j->wanted, now,
		j->held, plan, e))
		return false;
	if (j->unread != NULL)
		*(const char **)arena_push(j->p->cmd->arena, &plan->notes, &plan->n_notes,
		    sizeof(char *)) = j->unread;
	return true;
}

static bool
check_refusal(struct apply_job *j, struct err *e)
{
	struct arena *a = j->p->cmd->arena;
	const struct run *run = j->wanted;
	bool *measured = arena_array(a, j->plan.n_lines + 1, sizeof(*measured));

	for (size_t i = 0; i < j->plan.n_lines; i++)
		measured[i] = run->advice.n_paths == 0;
	return refuse_lines(a, j->p->profile, &j->p->run->facts, j->plan.lines, j->plan.n_lines,
	    measured, run->advice.n_paths == 0 ? run->options.streams : run->advice.connections,
	    e);
}

bool
apply_look(struct apply_job *j, struct err *e)
{
	struct arena *a = j->p->cmd->arena;
	const struct facts *f = &j->p->run->facts;
	struct diff_text now[APPLY_FILES];

	record_init(&apply_result_record, &j->result);
	j->result.schema = APPLY_SCHEMA;
	j->result.command = "apply";
	if (!apply_fits(a, j->p->profile, f, j->wanted, j->name, e) ||
	    !look_for_reader(j, e) || !read_files(j, now, e) || !make_plan(j, now, e) ||
	    !check_refusal(j, e))
		return false;
	tell_plan(j);
	return true;
}

/* ---- set ------------------------------------------------------------------------------------- */

static void
take_values(struct apply_job *j)
{
	struct change *c = &j->change;

	c->p = j->p;
	c->n_values = j->plan.n_values;
	c->values = arena_array(j->p->cmd->arena, c->n_values + 1, sizeof(*c->values));
	for (size_t i = 0; i < c->n_values; i++)
		c->values[i] = (struct change_value){ .name = j->plan.values[i].name,
			.now = j->plan.values[i].old, .want = j->plan.values[i].new };
}

static bool
was_refused(const struct change *c, const char *name)
{
	for (size_t i = 0; i < c->n_values; i++) {
		if (strcmp(c->values[i].name, name) == 0)
			return !c->values[i].held;
	}
	return false;
}

/* Which lines of the run are to be persisted; a module goes with what needs it. */
static void
tell_held(struct apply_job *j)
{
	const struct decision *d = &j->wanted->decision;
	const struct knob *cc = profile_knob(j->p->profile, ROLE_CONGESTION);

	j->held = arena_array(j->p->cmd->arena, d->n_settings + 1, sizeof(*j->held));
	for (size_t i = 0; i < d->n_settings; i++)
		j->held[i] = !was_refused(&j->change,
		    settings_is_module(&d->settings[i]) && cc != NULL ? cc->name :
		    d->settings[i].name);
	for (size_t i = 0; i < j->change.n_values; i++) {
		j->result.values[i].outcome = j->change.values[i].held ? "set" : "refused";
		j->result.values[i].why = j->change.values[i].why;
	}
}

static size_t
n_held(const struct change *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_values; i++)
		n += c->values[i].held;
	return n;
}

/* The plan without what did not hold; the facts, and so the values to set, are those of before. */
static bool
plan_again(struct apply_job *j, struct err *e)
{
	struct apply_result was = j->result;
	struct diff_text now[APPLY_FILES];

	for (size_t i = 0; i < j->plan.n_files; i++)
		now[i] = j->plan.files[i].now;
	if (!make_plan(j, now, e))
		return false;
	tell_plan(j);
	j->result.values = was.values;
	j->result.n_values = was.n_values;
	return true;
}

bool
apply_set(struct apply_job *j, struct err *e)
{
	size_t held;

	take_values(j);
	if (!change_begin(&j->change, e))
		return false;
	if (!change_set(&j->change, e))
		goto undo;
	tell_held(j);
	held = n_held(&j->change);
	if (held == j->change.n_values)
		return true;
	if (held == 0) {
		fail(e, ERR_FAILED, "%s; nothing was changed", j->change.values[0].why);
		goto undo;
	}
	if (plan_again(j, e))
		return true;
undo:
	apply_cancel(j, e);
	return false;
}

/* What could not be brought back weighs more than why it was to be. */
bool
apply_cancel(struct apply_job *j, struct err *e)
{
	struct err unrestored = { ERR_NONE, "" }, ended = *e;

	if (change_cancel(&j->change, &unrestored))
		return true;
	*e = (struct err){ ERR_NONE, "" };
	return fail(e, unrestored.code, "%s%s%s", unrestored.text,
	    ended.code == ERR_NONE ? "" : "; before that: ", ended.text);
}

/* ---- write ----------------------------------------------------------------------------------- */

static void
add_file(struct apply_job *j, const struct apply_file *f, const struct persist_found *found)
{
	struct arena *a = j->p->cmd->arena;
	struct undo_file *u = arena_push(a, &j->level.files, &j->level.n_files, sizeof(*u));

	*u = (struct undo_file){ .path = f->kind->path, .block = f->block, .mode = NAN, .uid = NAN,
		.gid = NAN, .new = undo_encode(a, f->wanted.text, f->wanted.len) };
	if (found->text == NULL)
		return;
	u->old = undo_encode(a, found->text, found->len);
	u->mode = found->st.st_mode & 07777;
	u->uid = found->st.st_uid;
	u->gid = found->st.st_gid;
}

/* The files that change come first in change.files, in the plan's order. */
static void
take_files(struct apply_job *j)
{
	struct change *c = &j->change;
	struct change_file all[APPLY_FILES];

	memcpy(all, c->files, sizeof(all));
	c->n_files = 0;
	for (size_t i = 0; i < j->plan.n_files; i++) {
		const struct apply_file *f = &j->plan.files[i];

		if (!f->changes)
			continue;
		add_file(j, f, &all[i].found);
		c->files[c->n_files] = all[i];
		c->files[c->n_files].want = f->wanted.text;
		c->files[c->n_files++].len = f->wanted.len;
	}
}

static void
take_level(struct apply_job *j)
{
	const struct facts *f = &j->p->run->facts;
	struct arena *a = j->p->cmd->arena;

	/* On a host that is reached through a shell it is written when all else is, or never. */
	j->level = (struct undo_level){
		.state = change_is_remote(j->p) ? UNDO_APPLIED : UNDO_APPLYING,
		.applied = cmd_utc_now(a),
		.run = j->name, .boot_id = f->boot_id, .scope_id = f->scope_id };
	for (size_t i = 0; i < j->change.n_values; i++) {
		const struct change_value *v = &j->change.values[i];

		if (v->held)
			*(struct undo_value *)arena_push(a, &j->level.values, &j->level.n_values,
			    sizeof(*j->level.values)) = (struct undo_value){ v->name, v->now,
				v->want };
	}
	take_files(j);
}

/* The record of a dead run is settled by what it finds: a mark that is missing does no harm. */
static void
mark_applied(struct apply_job *j)
{
	struct err unmarked = { ERR_NONE, "" };

	j->undo.levels[j->undo.n_levels - 1].state = UNDO_APPLIED;
	if (!apply_save(j, &unmarked))
		cmd_note(j->p->cmd, "%s", unmarked.text);
}

static void
forget_level(struct apply_job *j)
{
	struct err unmarked = { ERR_NONE, "" };

	j->undo.n_levels--;
	if (!apply_save(j, &unmarked))
		cmd_note(j->p->cmd, "%s", unmarked.text);
}

static void
tell_written(struct apply_job *j)
{
	for (size_t i = 0; i < j->result.n_files; i++)
		j->result.files[i].outcome = "written";
	j->result.status = n_held(&j->change) == j->change.n_values ? "applied" : "partly";
}

bool
apply_stage(struct apply_job *j, struct err *e)
{
	struct apply_result now = j->result, *r = &j->result;
	struct apply_file_result *pending = r->files;
	struct arena *a = j->p->cmd->arena;
	bool ok;

	take_level(j);
	undo_push(a, &j->undo, &j->level);
	r->files = arena_array(a, r->n_files + 1, sizeof(*r->files));
	if (r->n_files != 0)
		memcpy(r->files, pending, r->n_files * sizeof(*r->files));
	tell_written(j);
	r->command = "confirm";
	r->status = "confirmed";
	ok = apply_save(j, e) &&
	    change_stage(&j->change, record_to_json(a, &apply_result_record, r, false), e);
	j->result = now;
	if (!ok)
		apply_cancel(j, e);
	return ok;
}

bool
apply_write(struct apply_job *j, struct err *e)
{
	bool recorded = false;

	take_level(j);
	undo_push(j->p->cmd->arena, &j->undo, &j->level);
	recorded = apply_save(j, e);
	if (!recorded || !change_keep(&j->change, e)) {
		if (apply_cancel(j, e) && recorded)
			forget_level(j);
		return false;
	}
	mark_applied(j);
	tell_written(j);
	return true;
}

bool
pipeline_apply(struct pipeline *p, const struct run *run, const char *name,
    struct apply_result *result, struct err *e)
{
	struct apply_job j = { .p = p, .wanted = run, .name = name, .lock = -1 };
	bool ok = apply_open(&j, e) && apply_look(&j, e);

	if (ok && apply_pending(&j.plan))
		ok = apply_set(&j, e) && apply_write(&j, e);
	apply_close(&j);
	*result = j.result;
	return ok && (strcmp(j.result.status, "partly") != 0 ||
	    fail(e, ERR_FAILED, "not all values could be set; what held was written"));
}
