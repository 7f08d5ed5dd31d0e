/*
 * pathtune fleet: one command on every host of an inventory, each in a process of its own.
 */
#include "cmd_fleet.h"
#include "cmd_persist.h"
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define JOBS 32
#define JOBS_MOST 500
#define NAME_WIDTH 40
#define LIMIT_MOST_S 604800

static bool
settle(const struct fleet_asked *x, const char *command, struct err *e)
{
	if (x->command == -1)
		return fail(e, ERR_USAGE, "'%.60s' is not one of probe, advise, check, apply, tune",
		    command);
	if (x->jobs != floor(x->jobs))
		return fail(e, ERR_USAGE, "--jobs: a whole number is needed");
	if (x->resume && x->out == NULL)
		return fail(e, ERR_USAGE, "--resume needs --out: what is done lies there");
	return true;
}

/* Flags may stand on both sides of the inventory; what follows the command is the command's. */
static bool
parse(struct cmd_context *c, int argc, char **argv, struct fleet_asked *x, bool *help,
    struct err *e)
{
	struct opt opts[] = {
		{ "limit", 0, OPT_STRING, &x->limit, 0, 0, NULL, "PATTERN",
		    "only these hosts and groups: a,b*,!c or @FILE", false },
		{ "jobs", 'j', OPT_NUMBER, &x->jobs, 1, JOBS_MOST, NULL, "N",
		    "hosts at a time (32)", false },
		{ "out", 0, OPT_STRING, &x->out, 0, 0, NULL, "DIR",
		    "keep each host's document as DIR/COMMAND/HOST.json", false },
		{ "resume", 0, OPT_FLAG, &x->resume, 0, 0, NULL, NULL,
		    "with --out: only hosts that have no document there yet", false },
		{ "failed", 0, OPT_STRING, &x->failed, 0, 0, NULL, "FILE",
		    "write the hosts that are not done, for --limit @FILE", false },
		{ "time-limit", 0, OPT_TIME, &x->time_limit_s, .1, LIMIT_MOST_S, NULL, "TIME",
		    "of one host (2m; apply 10m, tune 6h)", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	const char **words, **rest;
	size_t n, n_rest;

	if (!cmd_options(c, &cmd_fleet, opts, argc, argv, true, &words, &n, help, e) || *help)
		return *help;
	if (n == 0)
		return fail(e, ERR_USAGE, "an inventory is needed, and a command");
	if (!cmd_options(c, &cmd_fleet, opts, (int)n, argv + argc - n, true, &rest, &n_rest, help,
		e) || *help)
		return *help;
	if (n_rest == 0)
		return fail(e, ERR_USAGE, "a command is needed: probe, advise, check, apply, tune");
	x->file = words[0];
	x->command = fleet_command(rest[0]);
	x->words = rest + 1;
	x->n_words = n_rest - 1;
	return settle(x, rest[0], e);
}

/* What is wrong with the words of one host is known before any host is asked. */
static bool
check_words(struct fleet *f, struct err *e)
{
	const struct fleet_asked *x = f->asked;
	struct arena *a = arena_new();
	const char **argv;
	bool ok = true;
	size_t n;

	for (size_t i = 0; ok && i < f->queue.n_jobs; i++)
		ok = fleet_argv(a, f->queue.jobs[i].host, x->command, x->words, x->n_words, &argv,
		    &n, e);
	arena_free(a);
	return ok;
}

static bool
prepare(struct fleet *f, struct err *e)
{
	struct arena *a = f->cmd->arena;
	bool *chosen;

	if (!fleet_inventory_load(a, f->asked->file, &f->inventory, e))
		return false;
	chosen = arena_array(a, f->inventory.n_hosts + 1, sizeof(*chosen));
	if (!fleet_limit(f, chosen, e) || !fleet_dir_open(f, chosen, e))
		return false;
	fleet_queue_make(a, &f->inventory, chosen, f->asked->command == INVENTORY_TUNE, &f->queue);
	f->rows = arena_array(a, f->queue.n_jobs + 1, sizeof(*f->rows));
	return check_words(f, e);
}

/* ---- what is said ---------------------------------------------------------------------------- */

static const char *
word_for(const struct fleet_row *r)
{
	return !r->reported ? "not run" : r->result.status == 0 ? "ok" : r->result.status == 3 ?
	    "pending" : "failed";
}

static void
print_table(const struct fleet *f)
{
	int width = 4, n;

	for (size_t i = 0; i < f->queue.n_jobs; i++) {
		n = (int)strlen(f->queue.jobs[i].host->name);
		width = n > width ? n : width;
	}
	width = width > NAME_WIDTH ? NAME_WIDTH : width;
	for (size_t i = 0; i < f->queue.n_jobs; i++) {
		const struct fleet_row *r = &f->rows[i];
		const char *about = !r->reported ? "" : r->result.error != NULL ? r->result.error :
		    r->about;

		printf("%-*s  %-7s  %7s%s%s\n", width, f->queue.jobs[i].host->name, word_for(r),
		    r->reported ? units_say_time(f->cmd->arena, r->result.seconds) : "-",
		    *about == '\0' ? "" : "  ", about);
	}
}

static void
list_failed(const struct fleet *f)
{
	for (size_t i = 0; i < f->queue.n_jobs; i++) {
		if (f->rows[i].reported && !fleet_is_good(&f->rows[i].result))
			cmd_note(f->cmd, "%s: %s", f->rows[i].result.host, f->rows[i].result.error);
	}
}

static void
say_result(const struct fleet *f)
{
	if (!f->cmd->json)
		print_table(f);
	fflush(stdout);
	list_failed(f);
	if (f->before != 0)
		cmd_note(f->cmd, "%zu host%s done before", f->before,
		    f->before == 1 ? " was" : "s were");
}

static bool
conclude(struct fleet *f, struct err *e)
{
	size_t n = f->queue.n_jobs;

	if (f->failed != 0)
		return fail(e, f->good + f->before == 0 ? ERR_FAILED : ERR_FLEET,
		    "%zu of %zu host%s failed", f->failed, n, n == 1 ? "" : "s");
	f->cmd->status = f->pending != 0 ? CMD_PENDING : 0;
	return true;
}

static bool
fleet(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct fleet_asked x = { .jobs = JOBS, .time_limit_s = NAN };
	struct fleet f = { .cmd = c, .asked = &x };
	struct err unwritten = { ERR_NONE, "" };
	bool help, ok;

	if (!parse(c, argc, argv, &x, &help, e) || help)
		return help;
	if (!prepare(&f, e))
		return false;
	ok = fleet_run(&f, e);
	say_result(&f);
	if (!fleet_failed_write(&f, &unwritten)) {
		if (!ok || f.failed != 0)
			cmd_note(c, "%s", unwritten.text);
		else
			ok = fail(e, unwritten.code, "%s", unwritten.text);
	}
	return ok && conclude(&f, e);
}

const struct cmd cmd_fleet = { "fleet",
	"INVENTORY [FLAGS] probe|advise|check|apply|tune [FLAGS AND WORDS OF IT]",
	"one command on many hosts, some at a time", fleet };
