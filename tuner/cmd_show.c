/*
 * pathtune show: a saved run, read back and told again.
 */
#include "cmd.h"
#include "report_html.h"
#include "report_markdown.h"
#include "../probes/files.h"

#include <stdio.h>
#include <string.h>

static bool
write_page(struct cmd_context *c, const char *path, const struct run *run, struct err *e)
{
	const char *page = report_html(c->arena, run);

	return files_write(path, page, strlen(page), 0644, e);
}

static bool
show(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	const char *html = NULL;
	bool markdown = false;
	struct opt opts[] = {
		{ "html", 0, OPT_STRING, &html, 0, 0, NULL, "FILE", "write a page with figures",
		    false },
		{ "markdown", 0, OPT_FLAG, &markdown, 0, 0, NULL, NULL,
		    "print it for an issue tracker", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
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
	if (html != NULL)
		return write_page(c, html, &run, e);
	if (markdown)
		fputs(report_markdown(c->arena, &run), stdout);
	else
		cmd_run_print(c, &run);
	return true;
}

const struct cmd cmd_show = { "show", "RUN [FLAGS]",
	"tells what a saved run found and decided", show };
