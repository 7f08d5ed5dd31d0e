#include "pipeline_change.h"
#include "pipeline_change_remote.h"
#include "pipeline_knobs.h"
#include "offloads.h"
#include "profile.h"
#include "../probes/remote_file.h"
#include "../probes/stop.h"

#include <string.h>

static const struct knob *
knob_named(const struct profile *p, const struct facts *f, const char *name)
{
	for (size_t i = 0; i < p->n_knobs; i++) {
		if (strcmp(p->knobs[i].name, name) == 0 &&
		    profile_in_range(&p->knobs[i].range, f->release, f->arch))
			return &p->knobs[i];
	}
	return NULL;
}

/* False: this release does not have it, or it is of another interface. */
static bool
offload_value(struct change *c, const char *name, struct knob_value *out)
{
	const struct facts *f = &c->p->run->facts;
	const struct offload *o = offload_found(f, name);
	struct extra_way way;

	if (o == NULL || !offload_way(c->p->cmd->arena, c->p->profile, f, o->name, &way))
		return false;
	*out = (struct knob_value){ .name = name, .read = way.read, .write = way.write,
		.after = way.after };
	return true;
}

static bool
is_there(struct change *c, const char *name)
{
	struct knob_value ignored;

	return knob_named(c->p->profile, &c->p->run->facts, name) != NULL ||
	    offload_value(c, name, &ignored);
}

static struct knob_value
value_of(struct change *c, const struct change_value *v, const char *text)
{
	const struct knob *k = knob_named(c->p->profile, &c->p->run->facts, v->name);
	struct knob_value value = { .name = v->name };

	if (k != NULL)
		return trial_knob_value(c->p, k, text);
	offload_value(c, v->name, &value);
	value.text = text;
	return value;
}

/* Those as found, or those that were set; *n of them. */
static struct knob_value *
values_of(struct change *c, bool held, size_t *n)
{
	struct knob_value *all = arena_array(c->p->cmd->arena, c->n_values + 1, sizeof(*all));

	*n = 0;
	for (size_t i = 0; i < c->n_values; i++) {
		if (!held || c->values[i].held)
			all[(*n)++] = value_of(c, &c->values[i],
			    held ? c->values[i].want : c->values[i].now);
	}
	return all;
}

bool
change_read(struct pipeline *p, const char *const *path, size_t n, size_t cap,
    struct persist_found *out, struct err *e)
{
	if (change_is_remote(p))
		return remote_file_read(p->host, p->cmd->arena, path, n, cap, out, e);
	for (size_t i = 0; i < n; i++) {
		if (!persist_read(p->cmd->arena, path[i], cap, &out[i], e))
			return false;
	}
	return true;
}

static bool
arm(struct change *c, const struct knob_value *old, size_t n, struct err *e)
{
	const struct facts *f = &c->p->run->facts;

	return change_is_remote(c->p) ? change_remote_begin(c, old, n, e) :
	    guard_arm(c->p->cmd->arena, pipeline_state_dir(c->p), f->boot_id, f->scope_id, old, n,
		&c->guard, e);
}

bool
change_begin(struct change *c, struct err *e)
{
	struct arena *a = c->p->cmd->arena;
	struct err moved = { ERR_NONE, "" };
	struct knob_value *old;
	size_t n;

	for (size_t i = 0; i < c->n_values; i++) {
		if (!is_there(c, c->values[i].name))
			return fail(e, ERR_FAILED, "%s: this release does not have it",
			    c->values[i].name);
	}
	old = values_of(c, false, &n);
	if (!arm(c, old, n, e))
		return false;
	stop_hold(true);
	if (knobs_hold(c->p->host, a, old, n, &moved))
		return true;
	change_cancel(c, NULL);
	return fail(e, ERR_FAILED, "%s; it was changed while this run began", moved.text);
}

/* A congestion control that is a module can be set once that is loaded; where it cannot be, the
   value does not hold. */
static void
load_module(struct change *c, const struct change_value *v)
{
	const struct profile *p = c->p->profile;
	const struct knob *k = knob_named(p, &c->p->run->facts, v->name);
	const struct substitution s[] = { { "name", v->want }, { NULL, NULL } };
	struct err ignored = { ERR_NONE, "" };
	struct command load = { .argv = NULL };
	struct output o;

	if (k == NULL || k->role != ROLE_CONGESTION || p->congestion.n_load == 0 ||
	    strings_have(c->p->run->facts.cc_available, c->p->run->facts.n_cc_available, v->want))
		return;
	load.argv = profile_argv(c->p->cmd->arena, p->congestion.load, p->congestion.n_load, s);
	host_run(c->p->host, c->p->cmd->arena, &load, 1, &o, &ignored);
}

static bool
set_one(struct change *c, struct change_value *v, struct err *e)
{
	struct knob_value want = value_of(c, v, v->want);
	struct arena *a = c->p->cmd->arena;
	struct err refused = { ERR_NONE, "" };

	load_module(c, v);
	if (!(c->remote != NULL ? guard_remote_announce(c->remote, a, &want, 1, e) :
	    guard_announce(c->guard, &want, 1, e)))
		return false;
	if (c->remote != NULL)
		want = guard_remote_fenced(c->remote, a, &want);
	v->held = knobs_set(c->p->host, a, &want, 1, &refused);
	v->why = v->held ? NULL : arena_strdup(a, refused.text);
	if (stop_requested() != 0)
		return fail(e, ERR_STOPPED, "stopped by signal %d", stop_requested());
	return true;
}

bool
change_set(struct change *c, struct err *e)
{
	for (size_t i = 0; i < c->n_values; i++) {
		if (!set_one(c, &c->values[i], e))
			return false;
	}
	return c->n_values == 0 || (c->remote != NULL ?
	    guard_remote_held(c->remote, c->p->cmd->arena, e) : guard_held(c->guard, e));
}

static bool
announce(struct change *c, const struct persist_swap *s, struct err *e)
{
	return guard_replaces(c->guard, s->path, s->by, s->old, e);
}

/*
 * The guard knows the names beside before there is anything, so that nothing stays there, and then
 * what it is that will have the name.  Beside a file that is to go lies an empty one, for it.
 */
static bool
replace(struct change *c, struct change_file *f, struct err *e)
{
	struct arena *a = c->p->cmd->arena;
	const char *mark = guard_scope_name(a, c->p->run->facts.scope_id);
	bool goes = f->want == NULL;

	return persist_name(a, &f->found, mark, &f->swap, e) && announce(c, &f->swap, e) &&
	    persist_prepare(&f->swap, goes ? "" : f->want, goes ? 0 : f->len, e) &&
	    announce(c, &f->swap, e) && persist_swap(&f->swap, goes, e);
}

bool
change_stage(struct change *c, const char *result, struct err *e)
{
	size_t n;
	const struct knob_value *held = values_of(c, true, &n);

	if (!change_remote_stage(c, held, n, result, e))
		return false;
	return stop_requested() == 0 ||
	    fail(e, ERR_STOPPED, "stopped by signal %d", stop_requested());
}

static bool
keep_remote(struct change *c, struct err *e)
{
	bool kept;

	if (!change_stage(c, NULL, e))
		return false;
	kept = change_remote_commit(c, e);
	stop_hold(false);
	return kept;
}

bool
change_keep(struct change *c, struct err *e)
{
	struct err left = { ERR_NONE, "" };
	struct knob_value *held;
	size_t n;

	if (c->remote != NULL)
		return keep_remote(c, e);
	held = values_of(c, true, &n);
	for (size_t i = 0; i < c->n_files; i++) {
		if (!replace(c, &c->files[i], e))
			return false;
	}
	if (!knobs_hold(c->p->host, c->p->cmd->arena, held, n, e))
		return false;
	for (size_t i = 0; i < c->n_files; i++) {
		if (!persist_check(&c->files[i].swap, e))
			return false;
	}
	if (stop_requested() != 0)
		return fail(e, ERR_STOPPED, "stopped by signal %d", stop_requested());
	if (!guard_keep(c->guard, e))
		return false;
	c->guard = NULL;
	stop_hold(false);
	for (size_t i = 0; i < c->n_files; i++) {
		if (!persist_settle(&c->files[i].swap, &left))
			cmd_note(c->p->cmd, "%s; what lies beside it is of no use any more",
			    left.text);
	}
	return true;
}

bool
change_cancel(struct change *c, struct err *e)
{
	struct guard *g = c->guard;
	bool restored;

	if (change_is_remote(c->p)) {
		stop_hold(false);
		return change_remote_cancel(c, e);
	}
	c->guard = NULL;
	restored = g == NULL || guard_release(g, c->p->host, c->p->cmd->arena, e);
	stop_hold(false);
	return restored;
}
