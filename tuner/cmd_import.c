/*
 * pathtune import: what somebody else's table of results can and cannot show.
 */
#include "cmd.h"
#include "import.h"
#include "report_import.h"
#include "../probes/files.h"

#include <stdio.h>

static bool
conclude(struct cmd_context *c, const char *file, const char *os, const char *release,
    struct err *e)
{
	struct import_table t;
	struct import_system s;
	struct import_result r;
	const char *text;
	size_t len;

	if (!files_read(c->arena, file, IMPORT_BYTES, &text, &len, e) ||
	    !import_read(c->arena, file, text, len, &t, e) ||
	    !import_system(c->arena, &t, os, release, &s, e))
		return false;
	r = import_judge(c->arena, &t, &s);
	if (c->json)
		puts(import_json(c->arena, &t, &s, &r));
	else
		fputs(report_import(c->arena, &t, &s, &r), stdout);
	return true;
}

static bool
import(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	const char *os = NULL, *release = NULL, **words;
	struct opt opts[] = {
		{ "os", 0, OPT_STRING, &os, 0, 0, NULL, "NAME",
		    "that was measured: freebsd, linux, .. (what the table says)", false },
		{ "release", 0, OPT_STRING, &release, 0, 0, NULL, "RELEASE",
		    "of that system (what the table says, or the newest)", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	size_t n;
	bool help;

	if (!cmd_options(c, &cmd_import, opts, argc, argv, false, &words, &n, &help, e))
		return false;
	if (help)
		return true;
	if (n != 1)
		return fail(e, ERR_USAGE, "one table is needed; see pathtune import --help");
	return conclude(c, words[0], os, release, e);
}

const struct cmd cmd_import = { "import", "TABLE [FLAGS]",
	"tells what somebody else's table of results can and cannot show", import };
