/*
 * pathtune probe: what is there: the system, its knobs, the interface, and with a peer the path.
 * Changes nothing.
 */
#include "cmd.h"
#include "hazards.h"
#include "limiter.h"
#include "pipeline.h"
#include "pipeline_path.h"
#include "report_facts.h"
#include "report_hazards.h"
#include "report_page.h"
#include "units.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define PROBE_BYTES (4.0 * 1024 * 1024 * 1024) /* of each of the two short transfers, at most */

struct asked {
	const char *host, *peer, *ping, *token_file, *profile, *record;
	bool token_stdin, udp;
	struct host_access access;
};

static bool
is_address(const char *s)
{
	struct in6_addr any;

	return inet_pton(AF_INET, s, &any) == 1 || inet_pton(AF_INET6, s, &any) == 1;
}

static bool
settle(const struct asked *x, struct err *e)
{
	if (x->peer != NULL && x->ping != NULL)
		return fail(e, ERR_USAGE, "--peer and --ping contradict each other");
	if (x->ping != NULL && x->record != NULL && !is_address(x->ping))
		return fail(e, ERR_USAGE,
		    "--record: the name '%.60s' would stay in it; --ping an address", x->ping);
	if (x->peer == NULL && (x->token_file != NULL || x->token_stdin))
		return fail(e, ERR_USAGE, "a token is of use only with --peer");
	if (x->peer == NULL && x->udp)
		return fail(e, ERR_USAGE, "--udp is of use only with --peer");
	if (x->peer != NULL && strncmp(x->host, "replay:", 7) == 0)
		return fail(e, ERR_USAGE, "--peer: no path can be measured from '%.60s'", x->host);
	if (x->record != NULL && strncmp(x->host, "replay:", 7) == 0)
		return fail(e, ERR_USAGE, "--record: '%.60s' is a recording already", x->host);
	return true;
}

static bool
parse(struct cmd_context *c, int argc, char **argv, struct asked *x, bool *help, struct err *e)
{
	const struct opt own[] = {
		{ "peer", 0, OPT_STRING, &x->peer, 0, 0, NULL, "PEER",
			"the other end: RTT and bandwidth too; see pathtune(8), PEERS", false },
		{ "ping", 0, OPT_STRING, &x->ping, 0, 0, NULL, "ADDRESS",
			"the host's interface towards it, and the RTT by three pings", false },
		{ "token-file", 0, OPT_STRING, &x->token_file, 0, 0, NULL, "FILE",
			"the server's token (or PATHTUNE_TOKEN)", false },
		{ "token-stdin", 0, OPT_FLAG, &x->token_stdin, 0, 0, NULL, NULL,
			"read the token from standard input", false },
		{ "udp", 0, OPT_FLAG, &x->udp, 0, 0, NULL, NULL,
			"with --peer: also what UDP and several connections get", false },
		{ "profile", 0, OPT_STRING, &x->profile, 0, 0, NULL, "FILE",
			"use this profile of the system", false },
		{ "record", 0, OPT_STRING, &x->record, 0, 0, NULL, "DIR",
			"keep what the host was asked and said, for replay:DIR", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct opt *opts = cmd_peer_flags(c->arena, own, &x->access);
	const char **words;
	size_t n;

	if (!cmd_options(c, &cmd_probe, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	if (n > 1)
		return fail(e, ERR_USAGE, "'%.60s': only one host can be named", words[1]);
	x->host = n == 1 ? words[0] : "local";
	return cmd_access_check(opts, x->host, x->peer, e) && settle(x, e);
}

static bool
bandwidth(struct pipeline *p, struct err *e)
{
	cmd_note(p->cmd, "two short transfers, each of at most %s",
	    units_say_bytes(p->cmd->arena, PROBE_BYTES));
	return pipeline_bandwidth(p, e);
}

static bool
look(struct pipeline *p, struct err *e)
{
	cmd_note(p->cmd, "UDP in steps of less than a second, at most %s a direction, and %d "
	    "connections", units_say_bytes(p->cmd->arena, PATH_UDP_BYTES), PATH_STREAMS);
	return pipeline_look(p, e);
}

static bool
stages(struct pipeline *p, const struct asked *x, const char *token, struct err *e)
{
	if (!pipeline_probe(p, token, e) || (p->endpoint != NULL && !bandwidth(p, e)) ||
	    (x->udp && !look(p, e)))
		return false;
	if (p->record_dir == NULL)
		return true;
	if (!pipeline_record(p, e))
		return false;
	cmd_note(p->cmd, "recorded in %s; names and addresses are replaced, but read it before you "
	    "hand it on", p->record_dir);
	return true;
}

static void
find_limits(struct arena *a, const struct run *run, struct facts_document *d)
{
	for (size_t i = 0; i < run->n_trials; i++) {
		const struct trial *one = &run->trials[i];
		struct limit l = limiter_name(a, facts_path(&run->facts, one->direction), one, 1,
		    one->direction, &one->setting);

		*(struct path_limit *)arena_push(a, &d->limits, &d->n_limits,
		    sizeof(*d->limits)) =
		    (struct path_limit){ one->direction, l.limiter, l.evidence };
	}
}

static const char *
say_limits(struct arena *a, const struct facts_document *d)
{
	struct text t = { .arena = a };

	for (size_t i = 0; i < d->n_limits; i++)
		text_wrap(&t, "", PAGE_COLUMNS, arena_printf(a, "%s is limited by %s: %s",
		    d->limits[i].direction == DIR_SEND ? "sending" : "receiving",
		    limiter_names[d->limits[i].limiter], d->limits[i].evidence));
	return t.len == 0 ? "" : t.s;
}

static void
print(struct cmd_context *c, const struct profile *p, const struct run *run)
{
	const struct facts *f = &run->facts;
	struct facts_document d = { .facts = *f };
	const char *note = profile_release_note(c->arena, p, f->release);

	if (note != NULL)
		cmd_note(c, "%s", note);
	hazards_find(c->arena, p, f, &d.hazards, &d.n_hazards);
	find_limits(c->arena, run, &d);
	if (c->json)
		puts(record_to_json(c->arena, hazards_document(c->arena), &d, true));
	else
		printf("%s%s%s", report_facts(c->arena, f), say_limits(c->arena, &d),
		    report_hazards(c->arena, d.hazards, d.n_hazards));
}

static bool
probe(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct asked x = { 0 };
	struct run *run = arena_alloc(c->arena, sizeof(*run));
	struct pipeline p = { .cmd = c, .run = run };
	const char *token = NULL;
	bool help, ok;

	if (!parse(c, argc, argv, &x, &help, e))
		return false;
	if (help)
		return true;
	if (x.peer != NULL && !cmd_token(c->arena, x.peer, x.token_file, x.token_stdin, &token, e))
		return false;
	record_init(&run_record, run);
	run->options.command = "probe";
	run->options.host = x.host;
	run->options.peer = x.peer;
	run->options.ping = x.ping;
	run->options.data_cap_bytes = PROBE_BYTES;
	p.profile_file = x.profile;
	p.record_dir = x.record;
	p.access = x.access;
	ok = stages(&p, &x, token, e);
	pipeline_close(&p);
	if (!ok || e->code != ERR_NONE)
		return false;
	print(c, p.profile, run);
	return true;
}

const struct cmd cmd_probe = { "probe", "[HOST] [--peer NAME[:PORT] | --ping ADDRESS] [FLAGS]",
	"finds out what is there: system, knobs, interface, path; changes nothing", probe };
