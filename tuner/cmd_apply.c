/*
 * pathtune apply: puts a run in force, for good or until it is confirmed.
 */
#include "cmd_persist.h"
#include "pipeline_trial.h"

#include <math.h>
#include <string.h>

static bool
parse(struct cmd_context *c, int argc, char **argv, struct cmd_apply_asked *x, const char **file,
    bool *help, struct err *e)
{
	const struct opt own[] = {
		{ "dry-run", 'n', OPT_FLAG, &x->dry, 0, 0, NULL, NULL,
		    "show what would change, and stop: exit 3 when something would", false },
		{ "yes", 'y', OPT_FLAG, &x->yes, 0, 0, NULL, NULL, "do not ask", false },
		{ "confirm", 0, OPT_TIME, &x->confirm_s, TRIAL_LEAST_S, TRIAL_MOST_S, NULL, "TIME",
		    "set values only, and take them back after TIME unless confirmed", false },
		{ "profile", 0, OPT_STRING, &x->profile, 0, 0, NULL, "FILE",
		    "use this profile of the system", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct opt *opts = cmd_access_flags(c->arena, own, &x->access);
	const char **words;
	size_t n;

	if (!cmd_options(c, &cmd_apply, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	if (n == 0)
		return fail(e, ERR_USAGE, "a run file is needed; see pathtune apply --help");
	if (n > 2 || (n == 2 && !cmd_is_host(words[1])))
		return fail(e, ERR_USAGE, "'%.60s' is not a host: a run can be applied to local, "
		    "ssh://[user@]name[:port] or via:COMMAND", words[n - 1]);
	*file = words[0];
	x->host = n == 2 ? words[1] : NULL;
	return cmd_access_check(opts, x->host, NULL, e);
}

static bool
for_a_while(struct apply_job *j, const struct cmd_apply_asked *x, struct err *e)
{
	if (j->plan.n_values == 0) {
		cmd_note(j->p->cmd, "all values are set already: only files would change, which "
		    "need no --confirm");
		return true;
	}
	return trial_start(j, x->confirm_s, e);
}

/* What held is in force; that not all did is an error all the same. */
static bool
finish(struct apply_job *j, struct err *e)
{
	for (size_t i = 0; i < j->result.n_values; i++) {
		if (strcmp(j->result.values[i].outcome, "refused") == 0)
			return fail(e, ERR_FAILED, "%s; what held is in force",
			    j->result.values[i].why);
	}
	return true;
}

static bool
carry_out(struct apply_job *j, const struct cmd_apply_asked *x, struct err *e)
{
	if (!apply_pending(&j->plan)) {
		cmd_plan_print(j->p->cmd, j); /* what is left out, and who else sets it */
		cmd_result_print(j->p->cmd, x->host, &j->result);
		return true;
	}
	if (x->dry) {
		cmd_plan_print(j->p->cmd, j);
		if (j->p->cmd->json)
			cmd_result_print(j->p->cmd, x->host, &j->result);
		j->p->cmd->status = CMD_PENDING;
		return true;
	}
	cmd_plan_print(j->p->cmd, j);
	if (!cmd_agree(j->p->cmd, x->yes, isnan(x->confirm_s) ? "Apply this for good?" :
	    "Set these values for a while?", e) ||
	    !(isnan(x->confirm_s) ? apply_set(j, e) && apply_write(j, e) :
	    for_a_while(j, x, e)))
		return false;
	cmd_result_print(j->p->cmd, x->host, &j->result);
	return finish(j, e);
}

bool
cmd_apply_run(struct cmd_context *c, const struct run *wanted, const char *name,
    const struct cmd_apply_asked *x, struct err *e)
{
	struct pipeline p = { .cmd = c, .run = arena_alloc(c->arena, sizeof(*p.run)),
		.sets = !x->dry, .profile_file = x->profile, .access = x->access };
	struct apply_job j = { .p = &p, .wanted = wanted, .name = name, .lock = -1 };
	bool ok;

	p.run->options.host = x->host;
	ok = cmd_persist_probe(&p, "apply", e) && (x->dry || apply_open(&j, e)) &&
	    apply_look(&j, e) && carry_out(&j, x, e);

	apply_close(&j);
	pipeline_close(&p);
	return ok;
}

static bool
apply(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct cmd_apply_asked x = { .confirm_s = NAN };
	struct run wanted;
	const char *file = NULL;
	bool help;

	if (!parse(c, argc, argv, &x, &file, &help, e) || help)
		return help;
	return cmd_run_load(c->arena, file, &wanted, e) && cmd_apply_run(c, &wanted, file, &x, e);
}

const struct cmd cmd_apply = { "apply", "RUN [HOST] [--dry-run] [--yes] [--confirm TIME]",
	"puts a saved run in force, and writes it down for the next boot", apply };
