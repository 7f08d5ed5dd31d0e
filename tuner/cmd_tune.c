/*
 * pathtune tune: the measured search; leaves the host as it was and prints what to do; with
 * --apply it goes on to do that.
 */
#include "cmd_persist.h"
#include "cmd_tune.h"
#include "ends.h"
#include "fragment.h"
#include "hazards.h"
#include "nic_advice.h"
#include "pipeline_both.h"
#include "pipeline_save.h"
#include "pipeline_seed.h"
#include "pipeline_trial.h"
#include "resume.h"
#include "../probes/files.h"
#include "words.h"

#include <math.h>
#include <string.h>

#define DATA_CAP_BYTES (10.0 * 1024 * 1024 * 1024)

struct asked {
	const char *token_file, *save, *out, *profile, *resume, *try_file;
	bool token_stdin, quick, thorough, no_save, direction_given, both;
	double budget_s;
	struct run *old; /* that goes on; NULL: a new one begins */
	bool apply;      /* a change is put in force, like this: */
	struct cmd_apply_asked how;
	bool over;       /* it has its verdict, and gets no more time */
	double lease_s;
	struct host_access access;
};

static bool
settle_budget(const struct asked *x, struct options *o, struct err *e)
{
	if (x->quick && x->thorough)
		return fail(e, ERR_USAGE, "--quick and --thorough contradict each other");
	o->mode = x->quick ? BUDGET_QUICK : x->thorough ? BUDGET_THOROUGH : BUDGET_STANDARD;
	o->budget_s = x->budget_s;
	if (isnan(o->budget_s))
		o->budget_s = budget_mode_s[o->mode] * (o->direction == DIR_BOTH ? 2 : 1);
	return true;
}

static bool
settle_host(const char **words, size_t n, const struct asked *x, struct options *o, struct err *e)
{
	const char *was = x->resume == NULL ? NULL : o->host == NULL ? "local" : o->host;

	if (n > 1)
		return fail(e, ERR_USAGE, "'%.60s': only one host can be named", words[1]);
	if (n == 1 && was != NULL && strcmp(words[0], was) != 0)
		return fail(e, ERR_USAGE, "'%.60s' contradicts the run that is to go on, which is "
		    "of %.60s", words[0], was);
	o->host = n == 1 ? words[0] : was != NULL ? was : "local";
	if (strncmp(o->host, "replay:", 7) == 0)
		return fail(e, ERR_USAGE, "'%.60s': a recording cannot be tuned", o->host);
	if (x->lease_s > 0 && strcmp(o->host, "local") == 0 && o->end == NULL)
		return fail(e, ERR_USAGE, "--lease is of no use with the local host");
	if (o->peer == NULL)
		return fail(e, ERR_USAGE, "--peer is needed: the other end of the path");
	if (o->direction == DIR_NONE)
		return fail(e, ERR_USAGE, "--direction: 'none' is not one of send, receive, both");
	if (o->streams != floor(o->streams))
		return fail(e, ERR_USAGE, "--streams: a whole number is needed");
	return true;
}

static bool
agrees(const struct opt *opts, const char *flag, bool same, struct err *e)
{
	return !cmd_given(opts, flag) || same ||
	    fail(e, ERR_USAGE, "--%s contradicts the run that is to go on", flag);
}

/* Flags say what the run says, or nothing; only time may be added. */
static bool
check_agreement(const struct opt *opts, const struct asked *x, const struct options *o,
    const struct options *was, struct err *e)
{
	double had_s = was->budget_s + (isnan(was->more_s) ? 0 : was->more_s);

	if (x->no_save)
		return fail(e, ERR_USAGE, "--no-save and --resume contradict each other");
	if (x->budget_s < had_s)
		return fail(e, ERR_USAGE, "--budget: the run has %.0f s already; more than that "
		    "lets it go on for longer", had_s);
	return agrees(opts, "peer", strings_same(o->peer, was->peer), e) &&
	    agrees(opts, "direction", o->direction == was->direction, e) &&
	    agrees(opts, "quick", was->mode == BUDGET_QUICK, e) &&
	    agrees(opts, "thorough", was->mode == BUDGET_THOROUGH, e) &&
	    agrees(opts, "data-cap", o->data_cap_bytes == was->data_cap_bytes, e) &&
	    agrees(opts, "streams", o->streams == was->streams, e) &&
	    agrees(opts, "policy", o->policy == was->policy, e) &&
	    agrees(opts, "all-cc", was->all_cc, e) &&
	    agrees(opts, "both", was->end != NULL, e) &&
	    agrees(opts, "start-cc", strings_same(o->start_cc, was->start_cc), e);
}

static bool
settle_resume(struct arena *a, const struct opt *opts, struct asked *x, struct options *o,
    struct err *e)
{
	struct run *old = arena_alloc(a, sizeof(*old));
	struct err why = { ERR_NONE, "" };
	double more_s;

	if (!cmd_run_load(a, x->resume, old, e))
		return false;
	if (!resume_may(old, &why))
		return fail(e, why.code, "%s: %s", x->resume, why.text);
	if (!check_agreement(opts, x, o, &old->options, e))
		return false;
	more_s = x->budget_s - old->options.budget_s;
	if (more_s > (isnan(old->options.more_s) ? 0 : old->options.more_s)) {
		x->over = !resume_reopen(a, old);
		old->options.more_s = x->over ? old->options.more_s : more_s;
		if (!x->over)
			resume_share(old);
	} else {
		x->over = old->decision.verdict != VERDICT_NONE;
	}
	x->old = old;
	x->save = x->save == NULL ? x->resume : x->save;
	*o = old->options;
	return true;
}

/* Nobody measures for minutes to learn that there was nobody to ask. */
static bool
check_flags(struct cmd_context *c, const struct opt *opts, const struct asked *x, struct err *e)
{
	if (x->no_save && x->save != NULL)
		return fail(e, ERR_USAGE, "--save and --no-save contradict each other");
	if (x->resume != NULL && x->try_file != NULL)
		return fail(e, ERR_USAGE, "--try and --resume contradict each other");
	if (!x->apply && (x->how.yes || cmd_given(opts, "confirm")))
		return fail(e, ERR_USAGE, "--yes and --confirm belong to --apply");
	if (x->apply && c->json)
		return fail(e, ERR_USAGE, "--apply and --json contradict each other: that would be "
		    "two documents; save the run, and apply that");
	return !x->apply || x->how.yes || cmd_may_ask(c) ||
	    fail(e, ERR_USAGE, "--apply: there is nobody to ask; --yes goes ahead without");
}

static bool
settle(struct cmd_context *c, const struct opt *opts, const char **words, size_t n,
    struct asked *x, struct options *o, struct err *e)
{
	o->end = x->both ? ENDS_HOST : NULL;
	return check_flags(c, opts, x, e) &&
	    (x->resume == NULL || settle_resume(c->arena, opts, x, o, e)) &&
	    settle_host(words, n, x, o, e) && cmd_access_check(opts, o->host, o->peer, e) &&
	    (o->end == NULL || tune_both_check(c, o, x->apply, x->try_file != NULL, x->no_save,
	    e));
}

static bool
parse(struct cmd_context *c, int argc, char **argv, struct asked *x, struct options *o, bool *help,
    struct err *e)
{
	int direction = DIR_BOTH, policy = POLICY_BALANCED;
	const struct opt own[] = {
		{ "peer", 0, OPT_STRING, &o->peer, 0, 0, NULL, "PEER",
		    "the other end: NAME[:PORT], ssh://.., iperf3://.., here", false },
		{ "token-file", 0, OPT_STRING, &x->token_file, 0, 0, NULL, "FILE",
		    "the server's token (or PATHTUNE_TOKEN)", false },
		{ "token-stdin", 0, OPT_FLAG, &x->token_stdin, 0, 0, NULL, NULL,
		    "read the token from standard input", false },
		{ "direction", 0, OPT_ENUM, &direction, 0, 0, direction_names, "send|receive|both",
		    "what is to be tuned, as seen from here", false },
		{ "both", 0, OPT_FLAG, &x->both, 0, 0, NULL, NULL,
		    "tune the peer (ssh://..) as well as the host", false },
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
		{ "resume", 0, OPT_STRING, &x->resume, 0, 0, NULL, "RUN",
		    "go on with the run of this file; with a larger --budget for longer", false },
		{ "try", 0, OPT_STRING, &x->try_file, 0, 0, NULL, "FILE",
		    "compare the settings of this file instead of searching", false },
		{ "save", 0, OPT_STRING, &x->save, 0, 0, NULL, "FILE",
		    "write the run file there, not below the state's directory", false },
		{ "no-save", 0, OPT_FLAG, &x->no_save, 0, 0, NULL, NULL, "keep no run file",
		    false },
		{ "out", 0, OPT_STRING, &x->out, 0, 0, NULL, "DIR",
		    "write the fragment below DIR as it would lie on the host", false },
		{ "apply", 0, OPT_FLAG, &x->apply, 0, 0, NULL, NULL,
		    "put a change in force afterwards, as pathtune apply does", false },
		{ "yes", 'y', OPT_FLAG, &x->how.yes, 0, 0, NULL, NULL, "do not ask then", false },
		{ "confirm", 0, OPT_TIME, &x->how.confirm_s, TRIAL_LEAST_S, TRIAL_MOST_S, NULL,
		    "TIME", "apply for so long, unless confirmed", false },
		{ "profile", 0, OPT_STRING, &x->profile, 0, 0, NULL, "FILE",
		    "use this profile of the system", false },
		{ "lease", 0, OPT_TIME, &x->lease_s, 2, 86400, NULL, "TIME",
		    "ssh: values survive us there for so long (four trials)", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct opt *opts = cmd_peer_flags(c->arena, own, &x->access);
	const char **words;
	size_t n;

	if (!cmd_options(c, &cmd_tune, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	x->direction_given = cmd_given(opts, "direction");
	o->direction = (enum direction)direction;
	o->policy = (enum policy)policy;
	return settle(c, opts, words, n, x, o, e);
}

/* ---- before ---------------------------------------------------------------------------------- */

static bool
make_plan(struct pipeline *p, const struct asked *x, struct err *e)
{
	struct run *run = p->run;
	struct err why = { ERR_NONE, "" };

	if (x->old != NULL && !resume_same_host(&x->old->facts, &run->facts, &why))
		return fail(e, why.code, "%s cannot go on: %s", x->resume, why.text);
	if (!pipeline_plan(p, e))
		return false;
	if (x->old != NULL && !resume_same_plan(&x->old->plan, &run->plan, &why))
		return fail(e, why.code, "%s cannot go on: %s", x->resume, why.text);
	hazards_find(p->cmd->arena, p->profile, &run->facts, &run->hazards, &run->n_hazards);
	return true;
}

static bool
stages(struct pipeline *p, const struct asked *x, const char *token, struct err *e)
{
	if (!pipeline_probe(p, token, e) || !make_plan(p, x, e))
		return false;
	if (x->apply && !p->run->facts.privileged)
		return fail(e, ERR_FAILED, "--apply: only root can set what may be found");
	tune_announce(p->cmd, p->run);
	p->save = x->save;
	if (x->save == NULL && !x->no_save)
		save_choose(p);
	return p->tries != NULL ? pipeline_try(p, e) : pipeline_measure(p, e);
}

/* ---- after ----------------------------------------------------------------------------------- */

/* Where it is, and how it goes on when it ended too early. */
static void
tell_file(struct pipeline *p, bool measured)
{
	struct cmd_context *c = p->cmd;
	const char *file = words_shown(c->arena, p->save);
	double budget_s = measured ? resume_budget_s(p->run) : NAN;

	cmd_note(c, "the run is saved in %s", file);
	if (!measured && p->tries == NULL)
		cmd_note(c, "go on with: pathtune tune --resume %s", file);
	else if (!isnan(budget_s) && p->tries == NULL)
		cmd_note(c, "what is inconclusive goes on with: pathtune tune --resume %s --budget "
		    "%.0fm", file, ceil(budget_s / 60));
}

/* What was found is saved also when the run was stopped: its trials cost time and traffic. */
static bool
save(struct pipeline *p, bool measured, struct err *e)
{
	struct err unsaved = { ERR_NONE, "" };

	if (p->save == NULL || p->run->n_trials == 0)
		return true;
	if (cmd_run_save(p->cmd->arena, p->save, p->run, &unsaved)) {
		tell_file(p, measured);
		return true;
	}
	if (e->code != ERR_NONE || p->save_unasked)
		cmd_note(p->cmd, "%s", unsaved.text);
	return p->save_unasked || fail(e, unsaved.code, "%s", unsaved.text);
}

static bool
deliver(
    struct cmd_context *c, struct pipeline *p, const struct asked *x, bool measured, struct err *e)
{
	struct run *run = p->run;

	if (measured) {
		if (!x->over && !nic_advise_run(c->arena, p->profile, run, e))
			return false;
		if (!x->over)
			fragment_make(c->arena, p->profile, run);
		cmd_run_print(c, run);
	}
	if (!save(p, measured, e))
		return false;
	if (measured && p->far != NULL && !tune_both_deliver(p, x->out, e))
		return false;
	if (!measured || x->out == NULL)
		return measured;
	if (run->n_files == 0)
		cmd_note(c, "nothing is written below %s: the present settings stay", x->out);
	return run->n_files == 0 || cmd_run_out(c, x->out, run, e);
}

/* With the host closed: its facts are those of now, not of before the search. */
static bool
apply(struct cmd_context *c, struct pipeline *p, const struct asked *x, struct err *e)
{
	struct cmd_apply_asked how = x->how;

	if (!x->apply)
		return true;
	if (p->run->decision.verdict != VERDICT_CHANGE) {
		cmd_note(c, "nothing is applied: the present settings stay");
		return true;
	}
	how.profile = x->profile;
	how.host = p->run->options.host;
	how.access = p->access;
	return cmd_apply_run(c, p->run, p->save != NULL ? p->save : x->resume != NULL ? x->resume :
	    "the run", &how, e);
}

/* A run that goes on keeps its name, its coins and what it has. */
static void
begin(struct run *run, const struct run *old, struct arena *a)
{
	run->seed = old != NULL ? old->seed : seed_new(a);
	run->search = SEARCH_VERSION;
	if (old == NULL)
		return;
	run->started = old->started;
	run->trials = old->trials;
	run->n_trials = old->n_trials;
	run->decision = old->decision;
}

static bool
tune(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct asked x = { .budget_s = NAN, .how = { .confirm_s = NAN } };
	struct run *run = arena_alloc(c->arena, sizeof(*run));
	struct pipeline p = { .cmd = c, .run = run, .sets = true };
	const char *token;
	bool help, ok;

	record_init(&run_record, run);
	run->schema = RUN_SCHEMA;
	run->version = PATHTUNE_VERSION;
	run->started = cmd_utc_now(c->arena);
	run->options.command = "tune";
	run->options.streams = 1;
	run->options.data_cap_bytes = DATA_CAP_BYTES;
	if (!parse(c, argc, argv, &x, &run->options, &help, e))
		return false;
	if (help)
		return true;
	p.access = x.access;
	if (x.over) {
		p.run = x.old;
		p.save = x.save == x.resume ? NULL : x.save;
		return deliver(c, &p, &x, true, e) && apply(c, &p, &x, e);
	}
	begin(run, x.old, c->arena);
	if (x.try_file != NULL && !pipeline_try_read(&p, x.try_file, x.direction_given, e))
		return false;
	if (x.old == NULL && !settle_budget(&x, &run->options, e))
		return false;
	p.profile_file = x.profile;
	p.lease_s = x.lease_s;
	if (x.save != NULL && (!files_may_write(x.save, e) || (run->options.end != NULL &&
	    !files_may_write(tune_both_name(c->arena, x.save), e))))
		return false;
	if (run->options.end != NULL)
		both_new(&p);
	if (!cmd_token(c->arena, run->options.peer, x.token_file, x.token_stdin, &token, e))
		return false;
	ok = stages(&p, &x, token, e);
	pipeline_close(&p);
	return deliver(c, &p, &x, ok, e) && e->code == ERR_NONE && apply(c, &p, &x, e);
}

const struct cmd cmd_tune = { "tune", "[HOST] --peer NAME[:PORT] [FLAGS]",
	"searches by measuring for the settings of this path; nothing stays unless asked", tune };
