/*
 * pathtune confirm: what apply --confirm set is to stay.
 */
#include "cmd_persist.h"
#include "pipeline_trial.h"

static bool
confirm(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct run *here = arena_alloc(c->arena, sizeof(*here));
	struct pipeline p = { .cmd = c, .run = here, .sets = true };
	const struct opt own[] = {
		{ "profile", 0, OPT_STRING, &p.profile_file, 0, 0, NULL, "FILE",
		    "use this profile of the system", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct opt *opts = cmd_access_flags(c->arena, own, &p.access);
	const char **words, *host;
	struct apply_result r;
	bool help, ok;
	size_t n;

	if (!cmd_options(c, &cmd_confirm, opts, argc, argv, false, &words, &n, &help, e) || help)
		return help;
	if (n > 1 || (n == 1 && !cmd_is_host(words[0])))
		return fail(e, ERR_USAGE, "'%.60s': one host can be named: local, "
		    "ssh://[user@]name[:port] or via:COMMAND", words[n - 1]);
	host = n == 1 ? words[0] : NULL;
	here->options.host = host;
	ok = cmd_access_check(opts, host, NULL, e) && cmd_persist_open(&p, "confirm", e) &&
	    trial_ask(&p, TRIAL_CONFIRM, &r, e);
	pipeline_close(&p);
	if (ok)
		cmd_result_print(c, host, &r);
	return ok;
}

const struct cmd cmd_confirm = { "confirm", "[HOST]",
	"keeps what apply --confirm set: writes it down for the next boot", confirm };
