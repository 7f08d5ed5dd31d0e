/*
 * pathtune tune: the measured search; leaves the host as it was and prints what to do.
 */
#include "fragment.h"
#include "pipeline.h"
#include "units.h"
#include "../probes/files.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define DATA_CAP_BYTES (10.0 * 1024 * 1024 * 1024)

/* Of one direction: half of it would leave most questions open. */
static const double budgets_s[] = {
	[BUDGET_STANDARD] = 600,
	[BUDGET_QUICK] = 150,
	[BUDGET_THOROUGH] = 1800,
};

struct asked {
	const char *token_file, *save, *out, *profile, *try_file;
	bool direction_given;
	bool token_stdin, quick, thorough;
	double budget_s;
};

static bool
settle_budget(const struct asked *x, struct options *o, struct err *e)
{
	if (x->quick && x->thorough)
		return fail(e, ERR_USAGE, "--quick and --thorough contradict each other");
	o->mode = x->quick ? BUDGET_QUICK : x->thorough ? BUDGET_THOROUGH : BUDGET_STANDARD;
	o->budget_s = x->budget_s;
	if (isnan(o->budget_s))
		o->budget_s = budgets_s[o->mode] * (o->direction == DIR_BOTH ? 2 : 1);
	return true;
}

static bool
settle_host(const char **words, size_t n, struct options *o, struct err *e)
{
	if (n > 1)
		return fail(e, ERR_USAGE, "'%.60s': only one host can be named", words[1]);
	o->host = n == 1 ? words[0] : "local";
	if (strcmp(o->host, "local") != 0)
		return fail(e, ERR_USAGE,
		    "'%.60s': only the local host can be tuned by this version", o->host);
	if (o->peer == NULL)
		return fail(e, ERR_USAGE, "--peer is needed: a host that runs pathtune serve");
	if (o->direction == DIR_NONE)
		return fail(e, ERR_USAGE, "--direction: 'none' is not one of send, receive, both");
	if (o->streams != floor(o->streams))
		return fail(e, ERR_USAGE, "--streams: a whole number is needed");
	return true;
}

static bool
parse(struct cmd_context *c, int argc, char **argv, struct asked *x, struct options *o, bool *help,
    struct err *e)
{
	int direction = DIR_BOTH, policy = POLICY_BALANCED;
	struct opt opts[] = {
		{ "peer", 0, OPT_STRING, &o->peer, 0, 0, NULL, "NAME[:PORT]",
		    "where pathtune serve runs", false },
		{ "token-file", 0, OPT_STRING, &x->token_file, 0, 0, NULL, "FILE",
		    "the server's token (or PATHTUNE_TOKEN)", false },
		{ "token-stdin", 0, OPT_FLAG, &x->token_stdin, 0, 0, NULL, NULL,
		    "read the token from standard input", false },
		{ "direction", 0, OPT_ENUM, &direction, 0, 0, direction_names, "send|receive|both",
		    "what is to be tuned, as seen from here", false },
		{ "budget", 0, OPT_TIME, &x->budget_s, 10, 86400, NULL, "TIME",
		    "of the whole search (10m a direction)", false },
		{ "quick", 0, OPT_FLAG, &x->quick, 0, 0, NULL, NULL,
		    "150 s a direction: clear effects only", false },
		{ "thorough", 0, OPT_FLAG, &x->thorough, 0, 0, NULL, NULL,
		    "30 min a direction: small effects too", false },
		{ "data-cap", 0, OPT_BYTES, &o->data_cap_bytes, 1048576, 1e15, NULL, "SIZE",
		    "traffic of the whole search (10G)", false },
		{ "streams", 0, OPT_NUMBER, &o->streams, 1, FLOW_STREAMS_MAX, NULL, "N",
		    "connections at a time (1)", false },
		{ "policy", 0, OPT_ENUM, &policy, 0, 0, policy_names, "throughput|latency|balanced",
		    "how much RTT under load may rise", false },
		{ "all-cc", 0, OPT_FLAG, &o->all_cc, 0, 0, NULL, NULL,
		    "try every congestion control, not only cubic and bbr", false },
		{ "start-cc", 0, OPT_STRING, &o->start_cc, 0, 0, NULL, "NAME",
		    "compare with this congestion control instead of the default", false },
		{ "try", 0, OPT_STRING, &x->try_file, 0, 0, NULL, "FILE",
		    "compare the settings of this file instead of searching", false },
		{ "save", 0, OPT_STRING, &x->save, 0, 0, NULL, "FILE", "write the run file",
		    false },
		{ "out", 0, OPT_STRING, &x->out, 0, 0, NULL, "DIR",
		    "write the fragment below DIR as it would lie on the host", false },
		{ "profile", 0, OPT_STRING, &x->profile, 0, 0, NULL, "FILE",
		    "use this profile of the system", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	const char **words;
	size_t n;

	if (!cmd_options(c, &cmd_tune, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	x->direction_given = cmd_given(opts, "direction");
	o->direction = (enum direction)direction;
	o->policy = (enum policy)policy;
	return settle_host(words, n, o, e);
}

static void
announce(struct cmd_context *c, const struct plan *plan)
{
	cmd_note(c,
	    "measuring for at most %s, at most %s of traffic; live connections of this host "
	    "may feel the values under trial",
	    units_say_time(c->arena, plan->expected_s),
	    units_say_bytes(c->arena, plan->expected_bytes));
}

static const char *
utc_now(struct arena *a)
{
	time_t now = time(NULL);
	char s[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(s, sizeof(s), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return arena_strdup(a, s);
}

static bool
stages(struct pipeline *p, const char *token, struct err *e)
{
	if (!pipeline_probe(p, token, e) || !pipeline_plan(p, e))
		return false;
	announce(p->cmd, &p->run->plan);
	return p->tries != NULL ? pipeline_try(p, e) : pipeline_measure(p, e);
}

/* What was found is saved also when the run was stopped: its trials cost time and traffic. */
static bool
deliver(
    struct cmd_context *c, struct pipeline *p, const struct asked *x, bool measured, struct err *e)
{
	struct err unsaved = { ERR_NONE, "" };
	struct run *run = p->run;

	if (measured) {
		fragment_make(c->arena, p->profile, run);
		cmd_run_print(c, run);
	}
	if (x->save != NULL && run->n_trials != 0 &&
	    !cmd_run_save(c->arena, x->save, run, &unsaved)) {
		if (e->code != ERR_NONE)
			cmd_note(c, "%s", unsaved.text);
		return fail(e, unsaved.code, "%s", unsaved.text);
	}
	if (!measured || x->out == NULL)
		return measured;
	if (run->n_files == 0)
		cmd_note(c, "nothing is written below %s: the present settings stay", x->out);
	return run->n_files == 0 || cmd_run_out(c, x->out, run, e);
}

static bool
tune(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct asked x = { .budget_s = NAN };
	struct run *run = arena_alloc(c->arena, sizeof(*run));
	struct pipeline p = { .cmd = c, .run = run, .sets = true };
	const char *token;
	bool help, ok;

	record_init(&run_record, run);
	run->schema = RUN_SCHEMA;
	run->version = PATHTUNE_VERSION;
	run->started = utc_now(c->arena);
	run->options.command = "tune";
	run->options.streams = 1;
	run->options.data_cap_bytes = DATA_CAP_BYTES;
	if (!parse(c, argc, argv, &x, &run->options, &help, e))
		return false;
	if (help)
		return true;
	if (x.try_file != NULL && !pipeline_try_read(&p, x.try_file, x.direction_given, e))
		return false;
	if (!settle_budget(&x, &run->options, e))
		return false;
	p.profile_file = x.profile;
	if (x.save != NULL && !files_may_write(x.save, e))
		return false;
	if (!cmd_token(c->arena, x.token_file, x.token_stdin, &token, e))
		return false;
	ok = stages(&p, token, e);
	pipeline_close(&p);
	return deliver(c, &p, &x, ok, e) && e->code == ERR_NONE;
}

const struct cmd cmd_tune = { "tune", "[local] --peer NAME[:PORT] [FLAGS]",
	"searches by measuring for the settings of this path; changes nothing for good", tune };
