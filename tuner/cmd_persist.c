#include "cmd_persist.h"
#include "pipeline_change_remote.h"
#include "pipeline_trial.h"
#include "../probes/stop.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool
cmd_is_host(const char *word)
{
	static const char *const prefixes[] = { "ssh://", "via:", "replay:" };

	for (size_t i = 0; i < NELEM(prefixes); i++) {
		if (strncmp(word, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return strcmp(word, "local") == 0;
}

bool
cmd_persist_open(struct pipeline *p, const char *command, struct err *e)
{
	const char *host = p->run->options.host;

	record_init(&run_record, p->run);
	p->run->schema = RUN_SCHEMA;
	p->run->version = PATHTUNE_VERSION;
	p->run->options.command = command;
	p->run->options.host = host != NULL ? host : "local";
	if (!pipeline_open(p, e))
		return false;
	if (p->sets && host_path(p->host) != NULL)
		return fail(e, ERR_USAGE, "'%.200s': a recording cannot be changed", host);
	return !change_is_remote(p) || change_remote_look(p, e);
}

bool
cmd_persist_probe(struct pipeline *p, const char *command, struct err *e)
{
	if (!cmd_persist_open(p, command, e))
		return false;
	if (p->sets && trial_waits(p))
		return fail(e, ERR_FAILED, "an apply waits to be confirmed: run pathtune confirm, "
		    "or pathtune revert");
	return pipeline_probe(p, NULL, e);
}

/* Lines from the host and from files are not to command the terminal. */
static void
put(struct cmd_context *c, const char *text)
{
	char *copy = arena_strdup(c->arena, text);

	text_disarm(copy);
	fputs(copy, stdout);
}

void
cmd_diff_print(struct cmd_context *c, const char *diff)
{
	put(c, diff);
	fflush(stdout);
}

void
cmd_plan_print(struct cmd_context *c, const struct apply_job *j)
{
	if (c->json)
		return;
	cmd_diff_print(c, j->result.diff);
	put(c, apply_words(c->arena, &j->plan));
	fflush(stdout);
}

static void
print_value(struct cmd_context *c, const struct apply_value_result *v)
{
	bool pending = strcmp(v->outcome, "pending") == 0;

	if (pending || strcmp(v->outcome, "set") == 0 || strcmp(v->outcome, "restored") == 0)
		put(c, arena_printf(c->arena, "%s %s: %s -> %s\n", pending ? "to set" : v->outcome,
		    v->name, v->old, v->new));
	else
		put(c, arena_printf(c->arena, "%s %s: %s\n", v->outcome, v->name,
		    v->why == NULL ? "" : v->why));
}

static const char *
say_status(struct arena *a, const char *host, const struct apply_result *r)
{
	bool revert = strcmp(r->command, "revert") == 0;

	if (strcmp(r->status, "nothing") == 0)
		return revert ? "nothing to revert: nothing is applied\n" :
		    "nothing to do: it is in force already\n";
	if (strcmp(r->status, "unconfirmed") == 0)
		return arena_printf(a, "these values go back in %.0f s, unless: pathtune "
		    "confirm%s%s\n", r->confirm_s, host == NULL ? "" : " ",
		    host == NULL ? "" : host);
	return strcmp(r->status, "confirmed") == 0 ? "confirmed\n" : "";
}

void
cmd_result_print(struct cmd_context *c, const char *host, const struct apply_result *r)
{
	if (c->json) {
		puts(record_to_json(c->arena, &apply_result_record, r, true));
		return;
	}
	for (size_t i = 0; i < r->n_values; i++)
		print_value(c, &r->values[i]);
	for (size_t i = 0; i < r->n_files; i++)
		put(c, arena_printf(c->arena, "%s %s%s%s\n",
		    strcmp(r->files[i].outcome, "pending") != 0 ? r->files[i].outcome :
		    strcmp(r->status, "unconfirmed") == 0 ? "not written yet:" : "to change",
		    r->files[i].path, r->files[i].why == NULL ? "" : ": ",
		    r->files[i].why == NULL ? "" : r->files[i].why));
	put(c, say_status(c->arena, host != NULL && strcmp(host, "local") != 0 ? host : NULL, r));
}

static bool
answer(struct err *e)
{
	struct pollfd wait[] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = stop_fd(), .events = POLLIN } };
	char line[16];
	ssize_t n;

	while (poll(wait, 2, -1) == -1 && stop_requested() == 0)
		continue;
	if (stop_requested() != 0)
		return fail(e, ERR_STOPPED, "stopped by signal %d; nothing was changed",
		    stop_requested());
	n = read(STDIN_FILENO, line, sizeof(line));
	return (n > 0 && (line[0] == 'y' || line[0] == 'Y')) ||
	    fail(e, ERR_FAILED, "not confirmed; nothing was changed");
}

bool
cmd_may_ask(const struct cmd_context *c)
{
	return isatty(STDIN_FILENO) && !c->json;
}

bool
cmd_agree(struct cmd_context *c, bool yes, const char *question, struct err *e)
{
	if (yes)
		return true;
	if (!cmd_may_ask(c))
		return fail(e, ERR_USAGE, "there is nobody to ask; --yes goes ahead without");
	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	return answer(e);
}
