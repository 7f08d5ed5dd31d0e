/*
 * pathtune compare: two saved runs, one before and one after something.
 */
#include "cmd.h"
#include "report_compare.h"

#include <stdio.h>

#define STATUS_UNDECIDED 3

static bool
compare(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct opt opts[] = {
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct run before, after;
	struct comparison x;
	const char **words;
	size_t n;
	bool help;

	if (!cmd_options(c, &cmd_compare, opts, argc, argv, false, &words, &n, &help, e))
		return false;
	if (help)
		return true;
	if (n != 2)
		return fail(e, ERR_USAGE,
		    "two run files are needed, before and after; see pathtune compare --help");
	if (!cmd_run_load(c->arena, words[0], &before, e) ||
	    !cmd_run_load(c->arena, words[1], &after, e) ||
	    !compare_runs(c->arena, &before, &after, &x, e))
		return false;
	if (c->json)
		puts(record_to_json(c->arena, &comparison_record, &x, true));
	else
		fputs(report_compare(c->arena, &x, c->color), stdout);
	c->status = x.verdict == COMPARE_UNDECIDED ? STATUS_UNDECIDED : 0;
	return true;
}

const struct cmd cmd_compare = { "compare", "RUN RUN [FLAGS]",
	"tells whether the second run is better than the first", compare };
