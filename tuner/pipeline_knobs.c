#include "pipeline_knobs.h"
#include "decide.h"
#include "plan.h"
#include "profile.h"
#include "settings_apply.h"
#include "../probes/knobs.h"
#include "../probes/stop.h"

#include <string.h>

/* Read and set as the profile says: as a file, or by its commands. */
static struct knob_value
value_of(struct pipeline *p, const struct knob *k, const char *text)
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

static void
guard_knob(struct pipeline *p, const struct knob *k)
{
	const struct knob_fact *f = k == NULL ? NULL : facts_knob(&p->run->facts, k->name);
	struct knob_value v;

	if (f == NULL || !f->writable || f->text == NULL)
		return;
	for (size_t i = 0; i < p->n_old; i++) {
		if (strcmp(p->old[i].name, k->name) == 0)
			return;
	}
	v = value_of(p, k, f->text);
	if (v.file != NULL || (v.read != NULL && v.write != NULL))
		*(struct knob_value *)arena_push(p->cmd->arena, &p->old, &p->n_old, sizeof(v)) = v;
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
	const struct plan *plan = &p->run->plan;

	for (size_t i = 0; i < plan->n_directions; i++) {
		const struct plan_direction *d = &plan->directions[i];

		guard_knob(p, plan_limit_knob(p->profile, d->direction));
		guard_knob(p, plan_max_knob(p->profile, d->direction));
		if (d->n_cc > 1)
			guard_knob(p, profile_knob(p->profile, ROLE_CONGESTION));
	}
	collected(p);
}

void
trial_knobs_collect_lines(struct pipeline *p, const struct change_line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		guard_knob(p, settings_knob(p->profile, &p->run->facts, lines[i].name));
	collected(p);
}

/*
 * From here on no other run can set them.  The facts are older than that: another run, or somebody
 * else, may have set a value meanwhile, and that one would be brought back.
 */
bool
trial_knobs_arm(struct pipeline *p, struct err *e)
{
	const struct facts *f = &p->run->facts;
	struct err moved = { ERR_NONE, "" };

	if (p->n_old == 0)
		return true;
	if (!guard_arm(p->cmd->arena, guard_state_dir(p->cmd->arena), f->boot_id, f->scope_id,
		p->old, p->n_old, &p->guard, e))
		return false;
	stop_hold(true);
	if (knobs_hold(p->host, p->cmd->arena, p->old, p->n_old, &moved))
		return true;
	return fail(e, ERR_FAILED, "%s; it was changed while this run began", moved.text);
}

/* A host that is not as it was weighs more than why the run ended. */
bool
trial_knobs_release(struct pipeline *p, struct err *e)
{
	struct err unrestored = { ERR_NONE, "" }, ended = *e;
	struct guard *g = p->guard;
	bool restored;

	p->guard = NULL;
	restored = g == NULL || guard_release(g, p->host, p->cmd->arena, &unrestored);
	stop_hold(false);
	if (restored)
		return true;
	*e = (struct err){ ERR_NONE, "" };
	return fail(e, unrestored.code, "%s%s%s", unrestored.text,
	    ended.code == ERR_NONE ? "" : "; before that: ", ended.text);
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
	size_t n = 0;

	if (!knobs_hold(p->host, p->cmd->arena, p->now, p->n_old, &moved))
		return fail(e, moved.code, moved.code == ERR_STOPPED ? "%s" :
		    "%s: somebody else sets it as well", moved.text);
	for (size_t i = 0; i < p->n_old; i++) {
		if (!knobs_same(p->now[i].text, want[i].text))
			diff[n++] = want[i];
	}
	if (n == 0)
		return true;
	if (!guard_announce(p->guard, diff, n, e) ||
	    !knobs_set(p->host, p->cmd->arena, diff, n, e) || !guard_held(p->guard, e))
		return false;
	memcpy(p->now, want, p->n_old * sizeof(*want));
	return true;
}

bool
trial_knobs_lines(struct pipeline *p, const struct change_line *lines, size_t n, struct err *e)
{
	struct knob_value *want = arena_array(p->cmd->arena, p->n_old + 1, sizeof(*want));

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

bool
trial_knobs_setting(struct pipeline *p, const struct plan_direction *d, const struct setting *s,
    struct err *e)
{
	size_t n;
	const struct change_line *lines = decide_window_lines(
	    p->cmd->arena, p->profile, &p->run->facts, d, s->window_bytes, &n);

	return trial_knobs_lines(p, lines, n, e);
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
