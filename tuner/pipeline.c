#include "pipeline.h"
#include "kernel.h"
#include "pipeline_both.h"
#include "pipeline_change_remote.h"
#include "pipeline_path.h"
#include "plan.h"
#include "../probes/facts.h"
#include "../probes/files.h"

#include <math.h>
#include <string.h>

#define PROFILE_BYTES NODE_BYTES /* what is too large for one is for its own reader to say */
#define BANDWIDTH_S 2.0 /* of each short transfer, after half a second and a dozen RTTs */

static bool
load_profile(struct pipeline *p, struct err *e)
{
	static const char *const uname[] = { "uname", "-s", NULL };
	struct command c = { .argv = uname };
	struct arena *a = p->cmd->arena;
	struct output o;
	const char *text;
	size_t len;

	if (p->profile_file != NULL)
		return files_read(a, p->profile_file, PROFILE_BYTES, &text, &len, e) &&
		    profile_parse(a, p->profile_file, text, len, &p->profile, e);
	if (!host_run(p->host, a, &c, 1, &o, e))
		return false;
	if (o.status != 0)
		return fail(e, ERR_FAILED, "uname -s: %s", o.why == NULL ? "failed" : o.why);
	return profile_for(a, arena_strndup(a, o.text, strcspn(o.text, "\r\n")), &p->profile, e);
}

bool
pipeline_open(struct pipeline *p, struct err *e)
{
	struct arena *a = p->cmd->arena;

	return p->profile != NULL ||
	    (host_open_by(a, p->run->options.host, &p->access, &p->host, e) &&
	    (p->record_dir == NULL || host_record(p->host, a, p->record_dir, e)) &&
	    load_profile(p, e));
}

const char *
pipeline_state_dir(struct pipeline *p)
{
	/* Another system's place is no place here. */
	bool ours = p->profile != NULL && (p->host == NULL || host_is_here(p->host));

	return guard_state_dir(p->cmd->arena, ours ? p->profile->persist.state : NULL);
}

/* Only what tells whose a journal is; a whole profile is dozens of commands. */
static bool
probe_ids(struct pipeline *p, struct facts *ids, struct err *e)
{
	static const char *const wanted[] = { "boot_id", "scope_id" };
	const struct profile *whole = p->profile;
	struct profile few = { .name = whole->name, .sysname = whole->sysname };

	for (size_t i = 0; i < whole->n_facts; i++) {
		const struct fact_rule *r = &whole->facts[i];

		if (strcmp(r->fact, wanted[0]) == 0 || strcmp(r->fact, wanted[1]) == 0)
			*(struct fact_rule *)arena_push(p->cmd->arena, &few.facts, &few.n_facts,
			    sizeof(*r)) = *r;
	}
	return facts_probe(p->host, p->cmd->arena, &few, NULL, false, ids, e);
}

/*
 * Journals of dead runs first: the facts are to be those of a healed host.  A command that only
 * looks goes on when they cannot be carried out, and says so.
 */
static bool
heal(struct pipeline *p, struct err *e)
{
	struct facts f;
	struct err unhealed = { ERR_NONE, "" };
	struct orphans found = { .restored = 0 };

	if (!probe_ids(p, &f, e))
		return false;
	if (!guard_orphans(p->cmd->arena, p->host, pipeline_state_dir(p), f.boot_id,
		f.scope_id, &found, &unhealed)) {
		if (p->sets)
			return fail(e, unhealed.code, "%s", unhealed.text);
		cmd_note(p->cmd, "what earlier runs left is not looked at: %s", unhealed.text);
	}
	if (found.unfinished != 0)
		cmd_note(p->cmd, "an earlier run died before it set anything; what it had begun to "
		    "write down is removed");
	if (found.restored != 0)
		cmd_note(p->cmd, "an earlier run died: %zu value%s restored", found.restored,
		    found.restored == 1 ? "" : "s");
	if (found.files != 0)
		cmd_note(p->cmd, "an earlier run died: %zu file%s put back as before", found.files,
		    found.files == 1 ? "" : "s");
	return true;
}

static bool
probe_path(struct pipeline *p, const char *token, struct err *e)
{
	struct run *run = p->run;
	const struct endpoint_spec spec = { .peer = run->options.peer, .token = token,
		.host = p->host, .host_name = run->options.host,
		.program = p->cmd->program, .profile = p->profile, .access = &p->access };

	if (!endpoint_open(p->cmd->arena, &spec, &p->endpoint, e))
		return false;
	if (!facts_probe(p->host, p->cmd->arena, p->profile, endpoint_address(p->endpoint), false,
		&run->facts, e))
		return false;
	run->facts.peer = run->options.peer;
	run->facts.tool = endpoint_tool(p->endpoint);
	if (endpoint_unknown(p->endpoint) != NULL)
		*(struct unknown *)arena_push(p->cmd->arena, &run->facts.unknown,
		    &run->facts.n_unknown, sizeof(struct unknown)) =
		    (struct unknown){ "transfer", endpoint_unknown(p->endpoint) };
	return endpoint_idle_rtt(p->endpoint, 5, &run->facts.rtt_ms, e);
}

/*
 * Without a server.  A recording has its own peer, and knows what was found on the path to it; an
 * RTT by ping is that of its ping.
 */
static bool
probe_host(struct pipeline *p, struct err *e)
{
	const struct host_path *path = host_path(p->host);
	const char *ping = p->run->options.ping;
	struct facts *f = &p->run->facts;

	if (!facts_probe(p->host, p->cmd->arena, p->profile,
		path != NULL && path->peer != NULL ? path->peer : ping, ping != NULL, f, e))
		return false;
	if (path == NULL)
		return true;
	f->rtt_ms = ping == NULL ? path->rtt_ms : f->rtt_ms;
	f->send_bps = path->send_bps;
	f->receive_bps = path->receive_bps;
	return true;
}

/*
 * What a pathtune of another machine holds here, or left: its guard is a shell's, so it is asked,
 * and carried out, by one.
 */
static bool
heal_others(struct pipeline *p, struct err *e)
{
	const char *dir = pipeline_state_dir(p), *why;
	struct err unhealed = { ERR_NONE, "" };
	struct guard_remote_state s;

	if (!guard_remote_left(p->cmd->arena, dir))
		return true;
	if (!guard_remote_look(p->host, p->cmd->arena, dir, NULL, true, &s, &unhealed)) {
		if (p->sets)
			return fail(e, unhealed.code, "%s", unhealed.text);
		cmd_note(p->cmd, "what a run from another machine left is not looked at: %s",
		    unhealed.text);
		return true;
	}
	if (s.healed != 0)
		cmd_note(p->cmd, "a run from another machine died: %zu value%s restored", s.healed,
		    s.healed == 1 ? "" : "s");
	if (s.there == GUARD_REMOTE_NONE)
		return true;
	why = s.there == GUARD_REMOTE_WAITS ? "what was applied from another machine waits to be "
	    "confirmed: confirm or revert it from there" :
	    "a pathtune on another machine is at work on this host; wait until it is done";
	if (p->sets)
		return fail(e, ERR_FAILED, "%s", why);
	cmd_note(p->cmd, "%s", why);
	return true;
}

bool
pipeline_probe(struct pipeline *p, const char *token, struct err *e)
{
	const char *ping = p->run->options.ping;

	if (ping != NULL && !facts_peer_plain(ping))
		return fail(e, ERR_USAGE, "--ping: '%.60s' is neither an address nor a name", ping);
	if (!pipeline_open(p, e))
		return false;
	/* The journals of this machine say nothing about another, which has its own. */
	if (host_is_here(p->host) ? !heal_others(p, e) || !heal(p, e) :
	    p->sets && change_is_remote(p) && !change_remote_look(p, e))
		return false;
	if (!(p->run->options.peer != NULL ? probe_path(p, token, e) : probe_host(p, e)) ||
	    !both_probe(p, e))
		return false;
	return p->profile_file == NULL ||
	    profile_is_of(p->profile, p->profile_file, p->run->facts.os, e);
}

bool
pipeline_record(struct pipeline *p, struct err *e)
{
	struct arena *a = p->cmd->arena;
	const struct facts *f = &p->run->facts;
	const char *peer = p->endpoint == NULL ? f->peer : endpoint_address(p->endpoint);
	const struct host_path path = { peer, f->rtt_ms, f->send_bps, f->receive_bps };

	return host_record_save(p->host,
	    arena_printf(a, "recorded on %s %s", f->os != NULL ? f->os : "an unknown system",
		f->release != NULL ? f->release : "of unknown release"), &path, e);
}

/* The usable window as it is, where the profile has a model of it. */
static struct setting
present(const struct pipeline *p, enum direction d)
{
	const struct facts *f = &p->run->facts;
	struct kernel_knobs knobs = kernel_knobs(p->profile, f);
	struct setting s = { .window_bytes = INFINITY };
	struct kernel_window w;

	if (kernel_window(p->profile, f, &knobs, d, f->rtt_ms, &w))
		s.window_bytes = w.window_bytes;
	return s;
}

static bool
one_way(struct pipeline *p, enum direction d, double *bps, struct err *e)
{
	double rtt_s = p->run->facts.rtt_ms / 1e3;
	struct flow_spec f = { .direction = d,
		.streams = 1,
		.warmup_s = .5 + 12 * rtt_s,
		.duration_s = BANDWIDTH_S,
		.early_s = 1,
		.max_bytes = p->run->options.data_cap_bytes };
	struct trial t;

	cmd_progress(p->cmd, "bandwidth, %s", d == DIR_SEND ? "sending" : "receiving");
	record_init(&trial_record, &t);
	if (!endpoint_measure(p->endpoint, p->cmd->arena, &f, NULL, &t, e))
		return false;
	*bps = t.status == TRIAL_OK ? t.goodput_bps : NAN;
	t.setting = present(p, d);
	*(struct trial *)arena_push(p->cmd->arena, &p->run->trials, &p->run->n_trials,
	    sizeof(t)) = t;
	return true;
}

bool
pipeline_bandwidth(struct pipeline *p, struct err *e)
{
	bool ok = one_way(p, DIR_SEND, &p->run->facts.send_bps, e) &&
	    one_way(p, DIR_RECEIVE, &p->run->facts.receive_bps, e);

	cmd_progress_end(p->cmd);
	return ok;
}

bool
pipeline_look(struct pipeline *p, struct err *e)
{
	struct facts *f = &p->run->facts;
	bool ok = true;

	for (int i = 0; i < 2 && ok; i++) {
		enum direction d = i == 0 ? DIR_SEND : DIR_RECEIVE;
		const struct path_ask ask = { .direction = d,
			.known_bps = i == 0 ? f->send_bps : f->receive_bps,
			.link_bps = f->link_bps, .rtt_ms = f->rtt_ms, .udp = true, .streams = true,
			.cap_bytes = p->run->options.data_cap_bytes };
		struct path_fact path;
		const char *why;

		cmd_progress(p->cmd, "UDP and %d connections, %s", PATH_STREAMS,
		    i == 0 ? "sending" : "receiving");
		ok = path_measure(p->endpoint, p->cmd->arena, &ask, &path, &why, e);
		if (!ok)
			break;
		if (why != NULL)
			cmd_note(p->cmd, "UDP, %s: %s", i == 0 ? "sending" : "receiving", why);
		*(struct path_fact *)arena_push(p->cmd->arena, &f->path, &f->n_path,
		    sizeof(path)) = path;
	}
	cmd_progress_end(p->cmd);
	return ok;
}

bool
pipeline_plan(struct pipeline *p, struct err *e)
{
	return plan_make(p->cmd->arena, p->profile, &p->run->facts, &p->run->options,
	    &p->run->plan, e) && both_plan(p, e);
}

void
pipeline_close(struct pipeline *p)
{
	endpoint_close(p->endpoint);
	p->endpoint = NULL;
	if (p->far != NULL)
		pipeline_close(p->far);
	if (p->host != NULL)
		host_close(p->host);
	p->host = NULL;
}
