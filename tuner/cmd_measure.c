/*
 * pathtune measure: transfers with the settings as they are, saved for comparing; sets nothing.
 */
#include "pipeline_sample.h"
#include "pipeline_save.h"
#include "resume.h"
#include "stats.h"
#include "units.h"
#include "words.h"
#include "../probes/files.h"

#include <math.h>

#define DATA_CAP_BYTES (10.0 * 1024 * 1024 * 1024)
#define TRANSFERS 5.0 /* in a round */

struct asked {
	const char *token_file, *save, *profile;
	bool token_stdin, no_save;
	struct sampling how;
};

static bool
check(const struct asked *x, const struct opt *opts, const struct options *o, struct err *e)
{
	const struct sampling *s = &x->how;

	if (o->peer == NULL)
		return fail(e, ERR_USAGE, "--peer is needed: a host that runs pathtune serve");
	if (o->direction == DIR_NONE)
		return fail(e, ERR_USAGE, "--direction: 'none' is not one of send, receive, both");
	if (x->no_save && x->save != NULL)
		return fail(e, ERR_USAGE, "--save and --no-save contradict each other");
	if (cmd_given(opts, "every") && s->rounds < 2)
		return fail(e, ERR_USAGE, "--every is of use only with --repeat");
	if (s->rounds != floor(s->rounds) || s->transfers != floor(s->transfers) ||
	    o->streams != floor(o->streams))
		return fail(e, ERR_USAGE, "--%s: a whole number is needed",
		    s->rounds != floor(s->rounds) ? "repeat" :
		    s->transfers != floor(s->transfers) ? "transfers" : "streams");
	if (s->rounds * s->transfers > STATS_MAX)
		return fail(e, ERR_USAGE, "--repeat: %.0f rounds of %.0f transfers are more than "
		    "%d, which is all that is compared", s->rounds, s->transfers, STATS_MAX);
	return true;
}

static bool
parse(struct cmd_context *c, int argc, char **argv, struct asked *x, struct pipeline *p, bool *help,
    struct err *e)
{
	struct options *o = &p->run->options;
	int direction = DIR_BOTH;
	const struct opt own[] = {
		{ "peer", 0, OPT_STRING, &o->peer, 0, 0, NULL, "NAME[:PORT]",
		    "where pathtune serve runs", false },
		{ "token-file", 0, OPT_STRING, &x->token_file, 0, 0, NULL, "FILE",
		    "the server's token (or PATHTUNE_TOKEN)", false },
		{ "token-stdin", 0, OPT_FLAG, &x->token_stdin, 0, 0, NULL, NULL,
		    "read the token from standard input", false },
		{ "direction", 0, OPT_ENUM, &direction, 0, 0, direction_names, "send|receive|both",
		    "what is to be measured, as seen from here", false },
		{ "transfers", 0, OPT_NUMBER, &x->how.transfers, 1, STATS_SHIFT_MAX, NULL, "N",
		    "each direction and round (5)", false },
		{ "repeat", 0, OPT_NUMBER, &x->how.rounds, 1, STATS_SHIFT_MAX, NULL, "N",
		    "rounds (1)", false },
		{ "every", 0, OPT_TIME, &x->how.every_s, 1, 86400, NULL, "TIME",
		    "from one round's start to the next (10m)", false },
		{ "streams", 0, OPT_NUMBER, &o->streams, 1, FLOW_STREAMS_MAX, NULL, "N",
		    "connections at a time (1)", false },
		{ "data-cap", 0, OPT_BYTES, &o->data_cap_bytes, 1048576, 1e15, NULL, "SIZE",
		    "traffic in all (10G)", false },
		{ "save", 0, OPT_STRING, &x->save, 0, 0, NULL, "FILE",
		    "write the run file there, not below the state's directory", false },
		{ "no-save", 0, OPT_FLAG, &x->no_save, 0, 0, NULL, NULL, "keep no run file",
		    false },
		{ "profile", 0, OPT_STRING, &x->profile, 0, 0, NULL, "FILE",
		    "use this profile of the system", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct opt *opts = cmd_peer_flags(c->arena, own, &p->access);
	const char **words;
	size_t n;

	if (!cmd_options(c, &cmd_measure, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	if (n > 1)
		return fail(e, ERR_USAGE, "'%.60s': only one host can be named", words[1]);
	o->host = n == 1 ? words[0] : "local";
	o->direction = (enum direction)direction;
	return check(x, opts, o, e) && cmd_access_check(opts, o->host, o->peer, e);
}

static void
announce(struct cmd_context *c, const struct run *run, const struct asked *x)
{
	cmd_note(c, "measuring: at most %s, %s of traffic; nothing is set",
	    units_say_time(c->arena, ceil(pipeline_sample_s(run, &x->how))),
	    units_say_bytes(c->arena, run->options.data_cap_bytes));
}

/* What was measured is kept also when it was stopped. */
static bool
deliver(struct pipeline *p, bool ok, struct err *e)
{
	struct cmd_context *c = p->cmd;
	struct err unsaved = { ERR_NONE, "" };
	const char *file;

	if (p->run->n_trials == 0)
		return ok;
	if (ok)
		cmd_run_print(c, p->run);
	if (p->save == NULL)
		return ok;
	if (!cmd_run_save(c->arena, p->save, p->run, &unsaved))
		return fail(e, unsaved.code, "%s", unsaved.text);
	file = words_shown(c->arena, p->save);
	cmd_note(c, "the run is saved in %s; compare it with: pathtune compare %s RUN", file, file);
	return ok;
}

static bool
measure(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct asked x = { .how = { TRANSFERS, 1, 600 } };
	struct run *run = arena_alloc(c->arena, sizeof(*run));
	struct pipeline p = { .cmd = c, .run = run };
	const char *token;
	bool help, ok;

	record_init(&run_record, run);
	run->schema = RUN_SCHEMA;
	run->version = PATHTUNE_VERSION;
	run->started = cmd_utc_now(c->arena);
	run->options.command = "measure";
	run->options.streams = 1;
	run->options.data_cap_bytes = DATA_CAP_BYTES;
	if (!parse(c, argc, argv, &x, &p, &help, e))
		return false;
	if (help)
		return true;
	p.profile_file = x.profile;
	if (x.save != NULL && !files_may_write(x.save, e))
		return false;
	if (!cmd_token(c->arena, run->options.peer, x.token_file, x.token_stdin, &token, e))
		return false;
	ok = pipeline_probe(&p, token, e);
	if (ok) {
		announce(c, run, &x);
		p.save = x.save;
		if (x.save == NULL && !x.no_save)
			save_choose(&p);
		ok = pipeline_sample(&p, &x.how, e);
	}
	pipeline_close(&p);
	return deliver(&p, ok, e) && e->code == ERR_NONE;
}

const struct cmd cmd_measure = { "measure", "[HOST] --peer NAME[:PORT] [FLAGS]",
	"measures with the settings as they are, for comparing; sets nothing", measure };
