#include "pipeline_change_remote.h"
#include "../probes/stop.h"

#include <math.h>
#include <string.h>

#define LEASE_LEAST_S 4.0
#define LEASE_MOST_S 600.0
#define LEASE_SILENCES 2 /* a link that is silent for so long ends the command */

bool
change_is_remote(const struct pipeline *p)
{
	return !host_is_here(p->host) && host_path(p->host) == NULL;
}

const char *
change_state_dir(struct pipeline *p)
{
	return change_is_remote(p) ? p->there.dir : pipeline_state_dir(p);
}

static void
tell(struct pipeline *p, const struct guard_remote_state *s)
{
	if (s->healed != 0)
		cmd_note(p->cmd, "an earlier run died: %zu value%s restored on the host", s->healed,
		    s->healed == 1 ? "" : "s");
	if (s->said == NULL)
		return;
	if (strcmp(s->said, "kept") == 0)
		cmd_note(p->cmd, "the change whose command was lost before its end was made");
	else if (strncmp(s->said, "undone ", 7) == 0)
		cmd_note(p->cmd, "the change whose command was lost before its end was not "
		    "made: %s", s->said + 7);
	else if (strncmp(s->said, "ok", 2) == 0)
		cmd_note(p->cmd, "the change whose command was lost before its end was taken back");
	else
		cmd_note(p->cmd, "of a command that was lost before its end: %s", s->said);
}

bool
change_remote_look(struct pipeline *p, struct err *e)
{
	struct guard_remote_state *s = &p->there;

	if (s->dir != NULL)
		return true;
	if (!guard_remote_look(p->host, p->cmd->arena, NULL, p->profile->persist.state, p->sets, s,
		e))
		return false;
	tell(p, s);
	if (s->there == GUARD_REMOTE_DEAD)
		cmd_note(p->cmd, "an earlier run died there; the next apply, confirm or revert "
		    "takes back what it left");
	if (p->sets && s->there == GUARD_REMOTE_BUSY)
		return fail(e, ERR_FAILED, "another pathtune is at work on the host; wait until it "
		    "is done");
	return true;
}

static double
lease_s(const struct change *c)
{
	double silence_s = c->p->access.timeout_s;

	if (c->lease_s > 0)
		return ceil(c->lease_s);
	silence_s = silence_s > 0 ? silence_s : HOST_SSH_TIMEOUT_S;
	return fmax(LEASE_LEAST_S, fmin(LEASE_MOST_S, ceil(LEASE_SILENCES * silence_s)));
}

bool
change_remote_begin(struct change *c, const struct knob_value *old, size_t n, struct err *e)
{
	struct arena *a = c->p->cmd->arena;
	struct guard_remote_spec *spec = arena_alloc(a, sizeof(*spec));
	size_t healed;

	*spec = (struct guard_remote_spec){ .old = old, .n = n, .lease_s = lease_s(c),
		.state_dir = c->p->there.dir, .scope_id = c->p->run->facts.scope_id };
	if (!guard_remote_start(c->p->host, a, spec, &c->remote, &healed, e))
		return false;
	if (healed == 0)
		return true;
	change_remote_cancel(c, e);
	return fail(e, ERR_FAILED, "what an earlier run had left was taken back in this moment; "
	    "run it again");
}

/* The record is one of the files: it is there when they are, and only then. */
static struct guard_remote_file *
files_of(struct change *c, size_t *n)
{
	struct guard_remote_file *all = arena_array(c->p->cmd->arena, c->n_files + 1,
	    sizeof(*all));

	*n = 0;
	for (size_t i = 0; i <= c->n_files; i++) {
		const struct change_file *f = i == 0 ? &c->record : &c->files[i - 1];

		if (f->found.path != NULL && (f->want != NULL || f->found.text != NULL))
			all[(*n)++] = (struct guard_remote_file){ f->found.path, f->found.text,
				f->found.len, f->want, f->len, i == 0 };
	}
	return all;
}

/* As they read back: the guard compares texts. */
static bool
holds_of(struct change *c, const struct knob_value *held, size_t n,
    struct guard_remote_hold *holds, struct err *e)
{
	const char **now = arena_array(c->p->cmd->arena, n + 1, sizeof(*now));

	if (!knobs_read(c->p->host, c->p->cmd->arena, held, n, now, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!knobs_same(now[i], held[i].text))
			return fail(e, ERR_FAILED, "%s: should be \"%s\", is \"%s\"", held[i].name,
			    held[i].text, now[i]);
		holds[i].text = now[i];
		for (size_t k = 0; k < c->n_values; k++) {
			if (strcmp(c->values[k].name, held[i].name) == 0)
				holds[i].knob = k;
		}
	}
	return true;
}

bool
change_remote_stage(struct change *c, const struct knob_value *held, size_t n,
    const char *result, struct err *e)
{
	struct guard_remote_hold *holds = arena_array(c->p->cmd->arena, n + 1, sizeof(*holds));
	struct guard_remote_change x = { .holds = holds, .n_holds = n, .result = result };

	x.files = files_of(c, &x.n_files);
	return holds_of(c, held, n, holds, e) &&
	    guard_remote_stage(c->remote, c->p->cmd->arena, &x, e);
}

bool
change_remote_commit(struct change *c, struct err *e)
{
	struct guard_remote *g = c->remote;

	c->remote = NULL;
	return guard_remote_commit(g, c->p->cmd->arena, e);
}

bool
change_remote_cancel(struct change *c, struct err *e)
{
	struct guard_remote *g = c->remote;
	struct err lost = { ERR_NONE, "" };

	c->remote = NULL;
	if (g == NULL || guard_remote_release(g, c->p->cmd->arena, &lost))
		return true;
	return e != NULL && fail(e, lost.code, "%s", lost.text);
}
