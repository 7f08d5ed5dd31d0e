/*
 * pathtune confirm: what apply --confirm set is to stay.
 */
#include "cmd_persist.h"
#include "pipeline_trial.h"

#include <string.h>

static bool
confirm(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct run *here = arena_alloc(c->arena, sizeof(*here));
	struct pipeline p = { .cmd = c, .run = here };
	struct opt opts[] = {
		{ "profile", 0, OPT_STRING, &p.profile_file, 0, 0, NULL, "FILE",
		    "use this profile of the system", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct apply_result r;
	const char **words;
	size_t n;
	bool help, ok;

	if (!cmd_options(c, &cmd_confirm, opts, argc, argv, false, &words, &n, &help, e) || help)
		return help;
	if (n > 1 || (n == 1 && strcmp(words[0], "local") != 0))
		return fail(e, ERR_USAGE, "'%.60s': only the local host can be confirmed",
		    words[n - 1]);
	here->options.host = "local";
	ok = pipeline_open(&p, e) &&
	    trial_ask(c->arena, pipeline_state_dir(&p), TRIAL_CONFIRM, &r, e);
	pipeline_close(&p);
	if (ok)
		cmd_result_print(c, &r);
	return ok;
}

const struct cmd cmd_confirm = { "confirm", "[local]",
	"keeps what apply --confirm set: writes it down for the next boot", confirm };
