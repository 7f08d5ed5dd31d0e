/*
 * pathtune advise: what the kernel models tell from facts alone; changes nothing, measures nothing.
 */
#include "advise.h"
#include "fragment.h"
#include "nic_advice.h"
#include "pipeline.h"
#include "units.h"
#include "../probes/files.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

/* Beyond any path there is; the products stay within what a run file holds. */
#define RTT_LEAST_S 1e-6
#define RTT_MOST_S 100
#define RATE_LEAST_BPS 1e3
#define RATE_MOST_BPS 1e12
#define RAM_LEAST_BYTES 1048576
#define RAM_MOST_BYTES 1e15

struct asked {
	const char *host, *facts, *os, *release, *arch, *save, *out, *profile;
	const char *ping;
	struct opt_words paths;
	double ram_bytes, rtt_s, rate_bps;
	struct host_access access;
};

/* Flags that say the same thing, or that mean nothing without each other. */
static bool
check_contradictions(const struct asked *x, const struct opt *opts, const struct options *o,
    struct err *e)
{
	static const char *const of_os[] = { "release", "arch", "ram" };
	bool one_path = cmd_given(opts, "rtt") || cmd_given(opts, "rate");

	if (x->facts != NULL && x->os != NULL)
		return fail(e, ERR_USAGE, "--facts and --os contradict each other");
	if (x->ping != NULL && (x->facts != NULL || x->os != NULL))
		return fail(e, ERR_USAGE, "--ping and --%s contradict each other",
		    x->facts != NULL ? "facts" : "os");
	if (x->host != NULL && (x->facts != NULL || x->os != NULL))
		return fail(e, ERR_USAGE, "'%.60s': a host and --%s contradict each other", x->host,
		    x->facts != NULL ? "facts" : "os");
	for (size_t i = 0; i < NELEM(of_os); i++) {
		if (x->os == NULL && cmd_given(opts, of_os[i]))
			return fail(e, ERR_USAGE, "--%s is of use only with --os", of_os[i]);
	}
	if (x->os != NULL && x->release == NULL)
		return fail(e, ERR_USAGE,
		    "--release is needed with --os: defaults differ between releases");
	if (x->paths.n != 0 && one_path)
		return fail(e, ERR_USAGE, "--path and --%s contradict each other",
		    cmd_given(opts, "rtt") ? "rtt" : "rate");
	if (o->connections != floor(o->connections))
		return fail(e, ERR_USAGE, "--connections: a whole number is needed");
	return true;
}

/* "209ms,600M" */
static bool
parse_path(struct arena *a, const char *text, struct advice_path *out, struct err *e)
{
	const char *comma = strchr(text, ',');
	struct err why = { ERR_NONE, "" };
	double rtt_s, rate_bps;

	if (comma == NULL)
		return fail(e, ERR_USAGE, "--path: '%.40s' is not RTT,RATE, like 209ms,600M", text);
	if (!units_time(arena_strndup(a, text, (size_t)(comma - text)), &rtt_s, &why) ||
	    !units_rate(comma + 1, &rate_bps, &why))
		return fail(e, ERR_USAGE, "--path: %s", why.text);
	if (rtt_s < RTT_LEAST_S || rtt_s > RTT_MOST_S || rate_bps < RATE_LEAST_BPS ||
	    rate_bps > RATE_MOST_BPS)
		return fail(e, ERR_USAGE, "--path: '%.40s' is out of range", text);
	*out = (struct advice_path){ rtt_s * 1e3, rate_bps };
	return true;
}

static bool
settle_paths(struct arena *a, const struct asked *x, struct options *o, struct err *e)
{
	if (x->paths.n == 0 && isnan(x->rtt_s) && isnan(x->rate_bps))
		return true;
	o->n_paths = x->paths.n == 0 ? 1 : x->paths.n;
	o->paths = arena_array(a, o->n_paths, sizeof(*o->paths));
	if (x->paths.n == 0)
		o->paths[0] = (struct advice_path){ x->rtt_s * 1e3, x->rate_bps };
	for (size_t i = 0; i < x->paths.n; i++) {
		if (!parse_path(a, x->paths.words[i], &o->paths[i], e))
			return false;
	}
	return true;
}

static bool
parse(struct cmd_context *c, int argc, char **argv, struct asked *x, struct options *o, bool *help,
    struct err *e)
{
	int role = DIR_BOTH;
	const struct opt own[] = {
		{ "rtt", 0, OPT_TIME, &x->rtt_s, RTT_LEAST_S, RTT_MOST_S, NULL, "TIME",
		    "round-trip time of the path", false },
		{ "rate", 0, OPT_RATE, &x->rate_bps, RATE_LEAST_BPS, RATE_MOST_BPS, NULL, "RATE",
		    "what the path carries", false },
		{ "path", 0, OPT_WORDS, &x->paths, 0, 0, NULL, "RTT,RATE",
		    "the same; may be given for several paths", false },
		{ "ping", 0, OPT_STRING, &x->ping, 0, 0, NULL, "ADDRESS",
		    "let the host ping it: its interface, and the RTT without --rtt", false },
		{ "role", 0, OPT_ENUM, &role, 0, 0, direction_names, "send|receive|both",
		    "what the host is to do in bulk (both)", false },
		{ "connections", 0, OPT_NUMBER, &o->connections, 1, 1e6, NULL, "N",
		    "that transfer in bulk at the same time (1)", false },
		{ "nic", 0, OPT_STRING, &o->nic, 0, 0, NULL, "MODEL",
		    "the plan for this model of virtual NIC: e1000, virtio, ..", false },
		{ "facts", 0, OPT_STRING, &x->facts, 0, 0, NULL, "FILE",
		    "of a host: what probe --json printed, or a run file", false },
		{ "os", 0, OPT_STRING, &x->os, 0, 0, NULL, "NAME",
		    "of a host that nobody asks: freebsd, linux, ..", false },
		{ "release", 0, OPT_STRING, &x->release, 0, 0, NULL, "RELEASE",
		    "of that system", false },
		{ "arch", 0, OPT_STRING, &x->arch, 0, 0, NULL, "NAME",
		    "its machine, like amd64 (any 64-bit one)", false },
		{ "ram", 0, OPT_BYTES, &x->ram_bytes, RAM_LEAST_BYTES, RAM_MOST_BYTES, NULL, "SIZE",
		    "its memory", false },
		{ "save", 0, OPT_STRING, &x->save, 0, 0, NULL, "FILE", "write the run file",
		    false },
		{ "out", 0, OPT_STRING, &x->out, 0, 0, NULL, "DIR",
		    "write the fragment below DIR as it would lie on the host", false },
		{ "profile", 0, OPT_STRING, &x->profile, 0, 0, NULL, "FILE",
		    "use this profile of the system", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct opt *opts = cmd_access_flags(c->arena, own, &x->access);
	const char **words;
	size_t n;

	if (!cmd_options(c, &cmd_advise, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	if (n > 1)
		return fail(e, ERR_USAGE, "'%.60s': only one host can be named", words[1]);
	if (role == DIR_NONE)
		return fail(e, ERR_USAGE, "--role: 'none' is not one of send, receive, both");
	x->host = n == 1 ? words[0] : NULL;
	o->direction = (enum direction)role;
	return check_contradictions(x, opts, o, e) && cmd_access_check(opts, x->host, NULL, e) &&
	    settle_paths(c->arena, x, o, e);
}

static bool
profile_from_file(struct arena *a, const char *file, struct profile **out, struct err *e)
{
	const char *text;
	size_t len;

	return files_read(a, file, NODE_YAML_BYTES, &text, &len, e) &&
	    profile_parse(a, file, text, len, out, e);
}

static bool
from_flags(struct pipeline *p, const struct asked *x, struct err *e)
{
	struct arena *a = p->cmd->arena;
	struct err why = { ERR_NONE, "" };

	if (x->profile == NULL && !profile_named(a, x->os, &p->profile, &why))
		return fail(e, why.code, "--os: %s", why.text);
	if (x->profile != NULL && !profile_from_file(a, x->profile, &p->profile, e))
		return false;
	if (strcasecmp(p->profile->name, x->os) != 0 && strcasecmp(p->profile->sysname, x->os) != 0)
		return fail(e, ERR_USAGE, "--os %.40s: %s is a profile of %s", x->os, x->profile,
		    p->profile->name);
	p->run->options.host = NULL;
	return advise_facts(a, p->profile, x->release, x->arch, x->ram_bytes, &p->run->facts, e);
}

static bool
from_facts(struct pipeline *p, const struct asked *x, struct err *e)
{
	struct arena *a = p->cmd->arena;

	if (!cmd_facts_load(a, x->facts, &p->run->facts, e))
		return false;
	if (p->run->facts.os == NULL)
		return fail(e, ERR_USAGE, "%s: the facts do not say which system this is",
		    x->facts);
	if (x->profile == NULL)
		return profile_for(a, p->run->facts.os, &p->profile, e);
	return profile_from_file(a, x->profile, &p->profile, e) &&
	    profile_is_of(p->profile, x->profile, p->run->facts.os, e);
}

/* What a release decides cannot be looked up for one that is no number. */
static bool
check_release(const struct facts *f, struct err *e)
{
	return f->release == NULL || isdigit((unsigned char)*f->release) ||
	    fail(e, ERR_USAGE, "'%.40s' is not a release; it begins with a number", f->release);
}

/* Before all other notes: they hold only as far as this one lets them. */
static void
note_release(struct pipeline *p)
{
	struct arena *a = p->cmd->arena;
	struct advice *v = &p->run->advice;
	const char *note = profile_release_note(a, p->profile, p->run->facts.release), **notes;

	if (note == NULL)
		return;
	notes = arena_array(a, v->n_notes + 1, sizeof(*notes));
	notes[0] = note;
	for (size_t i = 0; i < v->n_notes; i++)
		notes[i + 1] = v->notes[i];
	v->notes = notes;
	v->n_notes++;
}

static bool
gather(struct pipeline *p, const struct asked *x, struct err *e)
{
	if (x->os != NULL)
		return from_flags(p, x, e);
	if (x->facts != NULL)
		return from_facts(p, x, e);
	p->run->options.host = x->host == NULL ? "local" : x->host;
	p->run->options.ping = x->ping;
	p->profile_file = x->profile;
	p->access = x->access;
	return pipeline_probe(p, NULL, e);
}

static bool
deliver(struct pipeline *p, const struct asked *x, struct err *e)
{
	struct run *run = p->run;
	struct cmd_context *c = p->cmd;

	note_release(p);
	fragment_make(c->arena, p->profile, run);
	cmd_run_print(c, run);
	if (x->save != NULL && !cmd_run_save(c->arena, x->save, run, e))
		return false;
	if (x->out != NULL && run->n_files == 0)
		cmd_note(c, "nothing is written below %s: the present settings stay", x->out);
	return x->out == NULL || run->n_files == 0 || cmd_run_out(c, x->out, run, e);
}

static bool
advise(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct asked x = { .ram_bytes = NAN, .rtt_s = NAN, .rate_bps = NAN };
	struct run *run = arena_alloc(c->arena, sizeof(*run));
	struct pipeline p = { .cmd = c, .run = run };
	bool help, ok;

	record_init(&run_record, run);
	run->schema = RUN_SCHEMA;
	run->version = PATHTUNE_VERSION;
	run->started = cmd_utc_now(c->arena);
	run->options.command = "advise";
	run->options.connections = 1;
	if (!parse(c, argc, argv, &x, &run->options, &help, e))
		return false;
	if (help)
		return true;
	if (x.save != NULL && !files_may_write(x.save, e))
		return false;
	ok = gather(&p, &x, e) && check_release(&run->facts, e) &&
	    advise_make(c->arena, p.profile, run, e) &&
	    nic_advise_run(c->arena, p.profile, run, e);
	pipeline_close(&p);
	return ok && deliver(&p, &x, e) && e->code == ERR_NONE;
}

const struct cmd cmd_advise = { "advise", "[HOST] [--rtt TIME --rate RATE] [FLAGS]",
	"computes from facts alone the smallest settings for a path; measures nothing", advise };
