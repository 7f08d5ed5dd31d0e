/*
 * pathtune revert: takes back the last apply, or all of them.
 */
#include "cmd_persist.h"
#include "pipeline_trial.h"

#include <string.h>

struct asked {
	const char *profile;
	bool all, dry, yes;
};

static bool
parse(struct cmd_context *c, int argc, char **argv, struct asked *x, bool *help, struct err *e)
{
	struct opt opts[] = {
		{ "all", 'a', OPT_FLAG, &x->all, 0, 0, NULL, NULL,
		    "back to what was before the first apply", false },
		{ "dry-run", 'n', OPT_FLAG, &x->dry, 0, 0, NULL, NULL,
		    "show what would change, and stop: exit 3 when something would", false },
		{ "yes", 'y', OPT_FLAG, &x->yes, 0, 0, NULL, NULL, "do not ask", false },
		{ "profile", 0, OPT_STRING, &x->profile, 0, 0, NULL, "FILE",
		    "use this profile of the system", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	const char **words;
	size_t n;

	if (!cmd_options(c, &cmd_revert, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	return n == 0 || (n == 1 && strcmp(words[0], "local") == 0) ||
	    fail(e, ERR_USAGE, "'%.60s': only the local host can be reverted", words[0]);
}

/* An apply that waits to be confirmed is taken back first, by the one who keeps it. */
static bool
end_trial(struct pipeline *p, const struct asked *x, bool *done, struct err *e)
{
	const char *dir = pipeline_state_dir(p);
	struct apply_result r;

	*done = false;
	if (!trial_waits(p->cmd->arena, dir))
		return true;
	record_init(&apply_result_record, &r);
	r.schema = APPLY_SCHEMA;
	r.command = "revert";
	r.status = x->dry ? "pending" : "reverted";
	if (x->dry)
		p->cmd->status = CMD_PENDING;
	else if (!cmd_agree(p->cmd, x->yes, "Take back what waits to be confirmed?", e) ||
	    !trial_ask(p->cmd->arena, dir, TRIAL_REVERT, NULL, e))
		return false;
	if (!p->cmd->json)
		cmd_note(p->cmd, x->dry ? "what waits to be confirmed would be taken back" :
		    "what waited to be confirmed is taken back");
	cmd_result_print(p->cmd, &r);
	*done = true;
	return true;
}

static bool
report(struct apply_job *j, struct err *e)
{
	const struct apply_result *r = &j->result;

	cmd_result_print(j->p->cmd, r);
	for (size_t i = 0; i < r->n_values; i++) {
		if (strcmp(r->values[i].outcome, "left") == 0)
			return fail(e, ERR_FAILED, "%s was not set back; the rest was",
			    r->values[i].name);
	}
	return true;
}

static bool
take_back(struct apply_job *j, const struct asked *x, struct err *e)
{
	struct cmd_context *c = j->p->cmd;
	struct apply_job look = *j;

	if (!pipeline_revert(&look, x->all, true, e)) {
		cmd_result_print(c, &look.result);
		return false;
	}
	if (strcmp(look.result.status, "nothing") == 0 || x->dry) {
		if (!c->json && look.result.diff != NULL)
			cmd_diff_print(c, look.result.diff);
		cmd_result_print(c, &look.result);
		c->status = strcmp(look.result.status, "nothing") == 0 ? 0 : CMD_PENDING;
		return true;
	}
	if (!c->json) {
		cmd_diff_print(c, look.result.diff);
		cmd_result_print(c, &look.result);
	}
	return cmd_agree(c, x->yes, "Take this back?", e) && pipeline_revert(j, x->all, false, e) &&
	    report(j, e);
}

static bool
revert(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct asked x = { .profile = NULL };
	struct run *here = arena_alloc(c->arena, sizeof(*here));
	struct pipeline p = { .cmd = c, .run = here };
	struct apply_job j = { .p = &p, .lock = -1 };
	bool help, done, ok;

	if (!parse(c, argc, argv, &x, &help, e) || help)
		return help;
	p.profile_file = x.profile;
	here->options.host = "local";
	ok = pipeline_open(&p, e) && end_trial(&p, &x, &done, e);
	if (ok && !done) {
		p.sets = !x.dry;
		ok = cmd_persist_probe(&p, "revert", e) &&
		    (x.dry ? apply_record(&j, e) : apply_open(&j, e)) && take_back(&j, &x, e);
	}
	apply_close(&j);
	pipeline_close(&p);
	return ok;
}

const struct cmd cmd_revert = { "revert", "[local] [--all] [--dry-run] [--yes]",
	"takes back what was applied last, values and files", revert };
