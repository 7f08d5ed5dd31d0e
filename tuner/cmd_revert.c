/*
 * pathtune revert: takes back the last apply, or all of them.
 */
#include "cmd_persist.h"
#include "pipeline_trial.h"

#include <string.h>

struct asked {
	const char *profile, *host;
	struct host_access access;
	bool all, dry, yes;
};

static bool
parse(struct cmd_context *c, int argc, char **argv, struct asked *x, bool *help, struct err *e)
{
	const struct opt own[] = {
		{ "all", 'a', OPT_FLAG, &x->all, 0, 0, NULL, NULL,
		    "back to what was before the first apply", false },
		{ "dry-run", 'n', OPT_FLAG, &x->dry, 0, 0, NULL, NULL,
		    "show what would change, and stop: exit 3 when something would", false },
		{ "yes", 'y', OPT_FLAG, &x->yes, 0, 0, NULL, NULL, "do not ask", false },
		{ "profile", 0, OPT_STRING, &x->profile, 0, 0, NULL, "FILE",
		    "use this profile of the system", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct opt *opts = cmd_access_flags(c->arena, own, &x->access);
	const char **words;
	size_t n;

	if (!cmd_options(c, &cmd_revert, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	if (n > 1 || (n == 1 && !cmd_is_host(words[0])))
		return fail(e, ERR_USAGE, "'%.60s': one host can be named: local, "
		    "ssh://[user@]name[:port] or via:COMMAND", words[n - 1]);
	x->host = n == 1 ? words[0] : NULL;
	return cmd_access_check(opts, x->host, NULL, e);
}

/* An apply that waits to be confirmed is taken back first, by the one who keeps it. */
static bool
end_trial(struct pipeline *p, const struct asked *x, bool *done, struct err *e)
{
	struct apply_result r;

	*done = false;
	if (!trial_waits(p))
		return true;
	record_init(&apply_result_record, &r);
	r.schema = APPLY_SCHEMA;
	r.command = "revert";
	r.status = x->dry ? "pending" : "reverted";
	if (x->dry)
		p->cmd->status = CMD_PENDING;
	else if (!cmd_agree(p->cmd, x->yes, "Take back what waits to be confirmed?", e) ||
	    !trial_ask(p, TRIAL_REVERT, NULL, e))
		return false;
	if (!p->cmd->json)
		cmd_note(p->cmd, x->dry ? "what waits to be confirmed would be taken back" :
		    "what waited to be confirmed is taken back");
	cmd_result_print(p->cmd, x->host, &r);
	*done = true;
	return true;
}

static bool
report(struct apply_job *j, const struct asked *x, struct err *e)
{
	const struct apply_result *r = &j->result;

	cmd_result_print(j->p->cmd, x->host, r);
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
		cmd_result_print(c, x->host, &look.result);
		return false;
	}
	if (strcmp(look.result.status, "nothing") == 0 || x->dry) {
		if (!c->json && look.result.diff != NULL)
			cmd_diff_print(c, look.result.diff);
		cmd_result_print(c, x->host, &look.result);
		c->status = strcmp(look.result.status, "nothing") == 0 ? 0 : CMD_PENDING;
		return true;
	}
	if (!c->json) {
		cmd_diff_print(c, look.result.diff);
		cmd_result_print(c, x->host, &look.result);
	}
	return cmd_agree(c, x->yes, "Take this back?", e) && pipeline_revert(j, x->all, false, e) &&
	    report(j, x, e);
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
	p.access = x.access;
	p.sets = !x.dry;
	here->options.host = x.host;
	ok = cmd_persist_open(&p, "revert", e) && end_trial(&p, &x, &done, e);
	if (ok && !done) {
		ok = cmd_persist_probe(&p, "revert", e) &&
		    (x.dry ? apply_record(&j, e) : apply_open(&j, e)) && take_back(&j, &x, e);
	}
	apply_close(&j);
	pipeline_close(&p);
	return ok;
}

const struct cmd cmd_revert = { "revert", "[HOST] [--all] [--dry-run] [--yes]",
	"takes back what was applied last, values and files", revert };
