#include "pipeline_knobs.h"
#include "decide.h"
#include "extras.h"
#include "pipeline_guard.h"
#include "plan.h"
#include "profile.h"
#include "settings_apply.h"
#include "../probes/knobs.h"
#include "../probes/stop.h"

#include <string.h>

struct knob_value
trial_knob_value(struct pipeline *p, const struct knob *k, const char *text)
{
	static const char value[] = "{value}"; /* it is known when it is set */
	const struct substitution of[] = { { "name", k->name }, { "value", value },
		{ NULL, NULL } };
	struct knob_value v = { .name = k->name, .file = k->file, .text = text };

	if (k->file == NULL && p->profile->n_knob_read != 0 && p->profile->n_knob_write != 0) {
		v.read = profile_argv(p->cmd->arena, p->profile->knob_read,
		    p->profile->n_knob_read, of);
		v.write = profile_argv(p->cmd->arena, p->profile->knob_write,
		    p->profile->n_knob_write, of);
	}
	return v;
}

/*
 * Each once, in the order in which they are set: the limit before what it bounds, wherever a user's
 * file names it.
 */
static void
guard_value(struct pipeline *p, struct knob_value v)
{
	const struct knob *k = settings_knob(p->profile, &p->run->facts, v.name);

	for (size_t i = 0; i < p->n_old; i++) {
		if (strcmp(p->old[i].name, v.name) == 0)
			return;
	}
	*(struct knob_value *)arena_push(p->cmd->arena, &p->old, &p->n_old, sizeof(v)) = v;
	if (k == NULL || k->role != ROLE_LIMIT)
		return;
	memmove(p->old + 1, p->old, (p->n_old - 1) * sizeof(v));
	p->old[0] = v;
}

static void
guard_knob(struct pipeline *p, const struct knob *k)
{
	const struct knob_fact *f = k == NULL ? NULL : facts_knob(&p->run->facts, k->name);
	struct knob_value v;

	if (f == NULL || !f->writable || f->text == NULL)
		return;
	v = trial_knob_value(p, k, f->text);
	if (v.file != NULL || (v.read != NULL && v.write != NULL))
		guard_value(p, v);
}

/* A line of a setting: a knob, or what an extra sets of the interface. */
static void
guard_line(struct pipeline *p, const struct extra *x, const struct change_line *l)
{
	const struct facts *f = &p->run->facts;
	const struct extra_set *s = x == NULL ? NULL : extras_set(p->cmd->arena, f, x, l->name);
	struct knob_value v = { .name = l->name, .text = l->old };
	struct extra_way way;

	if (s == NULL || s->knob != NULL) {
		guard_knob(p, settings_knob(p->profile, f, l->name));
	} else if (extras_way(p->cmd->arena, p->profile, f, s, &way)) {
		v.read = way.read;
		v.after = way.after;
		v.write = way.write;
		guard_value(p, v);
	}
}

/* Does a transfer have its own congestion control, whatever the default is? */
static bool
sets_cc(const struct pipeline *p)
{
	return p->endpoint == NULL || endpoint_sets_cc(p->endpoint);
}

/* What the widest window sets, and each extra. */
static void
guard_direction(struct pipeline *p, const struct plan_direction *d)
{
	size_t n;
	struct change_line *lines = decide_window_lines(
	    p->cmd->arena, p->profile, &p->run->facts, d, d->window_max_bytes, &n);

	guard_knob(p, plan_limit_knob(p->profile, d->direction));
	for (size_t i = 0; i < n; i++)
		guard_line(p, NULL, &lines[i]);
	guard_knob(p, plan_max_knob(p->profile, d->direction));
	for (size_t i = 0; i < d->n_extras; i++) {
		const struct extra *x = extras_find(p->profile, d->extras[i].id);

		for (size_t j = 0; j < d->extras[i].n_lines; j++)
			guard_line(p, x, &d->extras[i].lines[j]);
	}
	if (d->n_cc > 1 || (d->n_cc == 1 && !sets_cc(p)))
		guard_knob(p, profile_knob(p->profile, ROLE_CONGESTION));
}

static void
collected(struct pipeline *p)
{
	p->now = arena_array(p->cmd->arena, p->n_old + 1, sizeof(*p->now));
	if (p->n_old != 0)
		memcpy(p->now, p->old, p->n_old * sizeof(*p->now));
}

/* Every knob that the searches or the last check may set. */
void
trial_knobs_collect(struct pipeline *p)
{
	const struct plan *plan = p->own != NULL ? p->own : &p->run->plan;

	for (size_t i = 0; i < plan->n_directions; i++)
		guard_direction(p, &plan->directions[i]);
	collected(p);
}

void
trial_knobs_collect_lines(struct pipeline *p, const struct change_line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		guard_knob(p, settings_knob(p->profile, &p->run->facts, lines[i].name));
	collected(p);
}

/* A host that is not as it was weighs more than why the run ended. */
bool
trial_knobs_release(struct pipeline *p, struct err *e)
{
	struct err unrestored = { ERR_NONE, "" }, ended = *e;
	bool restored = pipeline_guard_release(p, &unrestored);

	stop_hold(false);
	if (restored)
		return true;
	*e = (struct err){ ERR_NONE, "" };
	return fail(e, unrestored.code, "%s%s%s", unrestored.text,
	    ended.code == ERR_NONE ? "" : "; before that: ", ended.text);
}

/*
 * A number becomes smaller; of a knob with several fields the one that is tuned.  What is no knob
 * is of the interface: there it is the way back, since an offload may need one that was switched
 * before it.
 */
static bool
goes_down(const struct pipeline *p, size_t i, const char *to)
{
	const struct knob_value *from = &p->now[i];
	const struct knob *k = settings_knob(p->profile, &p->run->facts, from->name);

	return k == NULL ? !knobs_same(from->text, to) && knobs_same(to, p->old[i].text) :
	    settings_field(to, k->field) < settings_field(from->text, k->field);
}

/*
 * What differs, in the order in which it is to be written: what goes down from the last to the
 * first, so that no limit is ever below what it bounds, then the rest from the first.
 */
static size_t
differing(const struct pipeline *p, const struct knob_value *want, struct knob_value *diff)
{
	size_t n = 0;

	for (size_t i = p->n_old; i-- > 0;) {
		if (goes_down(p, i, want[i].text))
			diff[n++] = want[i];
	}
	for (size_t i = 0; i < p->n_old; i++) {
		if (!goes_down(p, i, want[i].text) &&
		    !knobs_same(p->now[i].text, want[i].text))
			diff[n++] = want[i];
	}
	return n;
}

/* Nothing over what a guard elsewhere has begun to restore. */
static bool
set_fenced(struct pipeline *p, const struct knob_value *v, size_t n, struct err *e)
{
	struct knob_value *fenced = arena_array(p->cmd->arena, n + 1, sizeof(*fenced));

	for (size_t i = 0; i < n; i++)
		fenced[i] = pipeline_guard_fenced(p, &v[i]);
	return knobs_set(p->host, p->cmd->arena, fenced, n, e);
}

/* Those that were set before the one that was refused; what fails here the guard brings back. */
static void
take_back(struct pipeline *p, const struct knob_value *diff, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		for (size_t j = 0; j < p->n_old; j++) {
			struct err ignored = { ERR_NONE, "" };

			if (strcmp(p->now[j].name, diff[i].name) == 0)
				set_fenced(p, &p->now[j], 1, &ignored);
		}
	}
}

/*
 * Bring the guarded knobs to these texts (n_old of them); only what differs is written, and nothing
 * over a value that is not ours.
 */
bool
trial_knobs_put(struct pipeline *p, const struct knob_value *want, struct err *e)
{
	struct knob_value *diff = arena_array(p->cmd->arena, p->n_old + 1, sizeof(*diff));
	struct err moved = { ERR_NONE, "" };
	size_t n;

	if (!knobs_hold(p->host, p->cmd->arena, p->now, p->n_old, &moved))
		return fail(e, moved.code, moved.code == ERR_STOPPED ? "%s" :
		    "%s: somebody else sets it as well", moved.text);
	n = differing(p, want, diff);
	if (n == 0)
		return true;
	if (!pipeline_guard_announce(p, diff, n, e))
		return false;
	if (!set_fenced(p, diff, n, e)) {
		take_back(p, diff, n);
		return false;
	}
	if (!pipeline_guard_held(p, e))
		return false;
	memcpy(p->now, want, p->n_old * sizeof(*want));
	return true;
}

const struct change_line *
trial_knobs_unguarded(const struct pipeline *p, const struct change_line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool known = false;

		for (size_t k = 0; k < p->n_old && !known; k++)
			known = strcmp(p->old[k].name, lines[i].name) == 0;
		if (!known)
			return &lines[i];
	}
	return NULL;
}

bool
trial_knobs_lines(struct pipeline *p, const struct change_line *lines, size_t n, struct err *e)
{
	struct knob_value *want = arena_array(p->cmd->arena, p->n_old + 1, sizeof(*want));
	const struct change_line *unguarded = trial_knobs_unguarded(p, lines, n);

	/* What is measured would not be what the trial is said to be of. */
	if (unguarded != NULL)
		return fail(e, ERR_FAILED, "%s: cannot be set under the guard, so it is not tried",
		    unguarded->name);
	if (p->n_old != 0)
		memcpy(want, p->old, p->n_old * sizeof(*want));
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < p->n_old; j++) {
			if (strcmp(want[j].name, lines[i].name) == 0)
				want[j].text = lines[i].new;
		}
	}
	return trial_knobs_put(p, want, e);
}

/* A stack that is a module must be there before it can be the default; it stays loaded. */
static bool
load_stack(struct pipeline *p, const struct change_line *l, struct err *e)
{
	const struct knob *k = profile_knob(p->profile, ROLE_STACK);
	const struct substitution s[] = { { "name", l->new },
		{ "release", p->run->facts.release }, { NULL, NULL } };
	const struct congestion *how = &p->profile->stacks;
	struct command c = { 0 };
	struct output o;

	if (k == NULL || strcmp(k->name, l->name) != 0 || how->n_load == 0 ||
	    strings_have(p->run->facts.stacks_available, p->run->facts.n_stacks_available, l->new))
		return true;
	c.argv = profile_argv(p->cmd->arena, how->load, how->n_load, s);
	if (c.argv == NULL)
		return fail(e, ERR_FAILED, "the module of %s cannot be named", l->new);
	if (!host_run(p->host, p->cmd->arena, &c, 1, &o, e))
		return false;
	return o.status == 0 || fail(e, ERR_FAILED, "%s", o.why == NULL ? "not loaded" : o.why);
}

static bool
load_stacks(struct pipeline *p, const struct plan_direction *d, const struct setting *s,
    struct err *e)
{
	for (size_t i = 0; i < d->n_extras; i++) {
		const struct plan_extra *x = &d->extras[i];

		if (!strings_have(s->extras, s->n_extras, x->id))
			continue;
		for (size_t j = 0; j < x->n_lines; j++) {
			if (!load_stack(p, &x->lines[j], e))
				return false;
		}
	}
	return true;
}

/*
 * From here on no other run can set them.  The facts are older than that: another run, or somebody
 * else, may have set a value meanwhile, and that one would be brought back.
 */
bool
trial_knobs_arm(struct pipeline *p, struct err *e)
{
	struct err moved = { ERR_NONE, "" };

	if (p->n_old == 0)
		return true;
	if (!pipeline_guard_arm(p, e))
		return false;
	stop_hold(true);
	if (knobs_hold(p->host, p->cmd->arena, p->old, p->n_old, &moved))
		return true;
	return fail(e, ERR_FAILED, "%s; it was changed while this run began", moved.text);
}

const struct change_line *
trial_knobs_with_cc(const struct pipeline *p, const char *cc, const struct change_line *lines,
    size_t *n)
{
	const struct knob *k = profile_knob(p->profile, ROLE_CONGESTION);
	const struct knob_fact *f = k == NULL ? NULL : facts_knob(&p->run->facts, k->name);
	struct change_line *all;

	if (cc == NULL || sets_cc(p) || (f != NULL && f->text != NULL && knobs_same(f->text, cc)))
		return lines;
	all = arena_array(p->cmd->arena, *n + 1, sizeof(*all));
	if (*n != 0)
		memcpy(all, lines, *n * sizeof(*all));
	all[*n] = (struct change_line){ .name = k == NULL ? "congestion control" : k->name,
		.new = cc };
	++*n;
	return all;
}

bool
trial_knobs_setting(struct pipeline *p, const struct plan_direction *d, const struct setting *s,
    struct err *e)
{
	size_t n;
	const struct change_line *lines = decide_setting_lines(
	    p->cmd->arena, p->profile, &p->run->facts, d, s, &n);

	lines = trial_knobs_with_cc(p, s->cc, lines, &n);
	return load_stacks(p, d, s, e) && trial_knobs_lines(p, lines, n, e);
}

/* Each reason once: the search asks for it again before it gives up. */
static void
note_refused(struct pipeline *p, const struct setting *s, const char *why)
{
	struct plan *plan = &p->run->plan;
	struct arena *a = p->cmd->arena;
	const char *note = arena_printf(a, "%s is not tried: %s", s->n_extras != 0 ? s->extras[0] :
	    s->cc, why);

	for (size_t i = 1; i < s->n_extras; i++)
		note = arena_printf(a, "%s, %s", s->extras[i], note);
	if (!strings_have(plan->notes, plan->n_notes, note))
		*(const char **)arena_push(a, &plan->notes, &plan->n_notes, sizeof(char *)) = note;
}

bool
trial_knobs_try(struct pipeline *p, const struct plan_direction *d, const struct setting *s,
    const char **why, struct err *e)
{
	struct err refused = { ERR_NONE, "" }, stuck = { ERR_NONE, "" };
	size_t n_cc = 0;

	*why = NULL;
	if (trial_knobs_setting(p, d, s, &refused))
		return true;
	trial_knobs_with_cc(p, s->cc, NULL, &n_cc);
	if (s->n_extras + n_cc == 0 || stop_requested() || !trial_knobs_put(p, p->old, &stuck))
		return fail(e, refused.code, "%s", refused.text);
	*why = arena_strdup(p->cmd->arena, refused.text);
	note_refused(p, s, *why);
	return true;
}

bool
trial_knobs_flush(struct pipeline *p, struct err *e)
{
	const char **argv = arena_array(p->cmd->arena, p->profile->n_flush + 1, sizeof(*argv));
	struct command c = { .argv = argv };
	struct output o;

	if (p->profile->n_flush == 0)
		return true;
	memcpy(argv, p->profile->flush, p->profile->n_flush * sizeof(*argv));
	if (!host_run(p->host, p->cmd->arena, &c, 1, &o, e))
		return false;
	if (o.status != 0 && !p->flush_failed && p->run->facts.privileged) {
		cmd_note(p->cmd,
		    "the path metrics cache could not be emptied (%s): a trial may inherit "
		    "from the one before",
		    o.why == NULL ? argv[0] : o.why);
		p->flush_failed = true;
	}
	return true;
}

/*
 * Lines that the trials did not set themselves (the default congestion control: trials ask per
 * socket) are tried once, read back, and put back by the guard's release.
 */
bool
trial_knobs_verify(struct pipeline *p, struct err *e)
{
	struct decision *d = &p->run->decision;
	const struct knob *k = profile_knob(p->profile, ROLE_CONGESTION);
	struct knob_value *want = arena_array(p->cmd->arena, p->n_old + 1, sizeof(*want));

	for (size_t i = 0; k != NULL && i < d->n_settings; i++) {
		struct err refused = { ERR_NONE, "" };

		if (strcmp(d->settings[i].name, k->name) != 0)
			continue;
		d->settings[i].verified = false;
		if (p->n_old != 0)
			memcpy(want, p->now, p->n_old * sizeof(*want));
		for (size_t j = 0; j < p->n_old; j++) {
			if (strcmp(want[j].name, k->name) != 0)
				continue;
			want[j].text = d->settings[i].new;
			d->settings[i].verified = trial_knobs_put(p, want, &refused);
		}
		if (stop_requested())
			return fail(e, ERR_STOPPED, "stopped by a signal");
		if (!d->settings[i].verified)
			cmd_note(p->cmd, "%s = %s is measured per socket only: %s", k->name,
			    d->settings[i].new,
			    refused.code == ERR_NONE ? "it cannot be set here" : refused.text);
	}
	return true;
}
