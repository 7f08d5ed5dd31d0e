/*
 * pathtune show: a saved run, read back and told again.
 */
#include "cmd.h"

static bool
show(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct opt opts[] = { { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false } };
	struct run run;
	const char **words;
	size_t n;
	bool help;

	if (!cmd_options(c, &cmd_show, opts, argc, argv, false, &words, &n, &help, e))
		return false;
	if (help)
		return true;
	if (n != 1)
		return fail(e, ERR_USAGE, "one run file is needed; see pathtune show --help");
	if (!cmd_run_load(c->arena, words[0], &run, e))
		return false;
	cmd_run_print(c, &run);
	return true;
}

const struct cmd cmd_show = { "show", "RUN", "tells what a saved run found and decided", show };
