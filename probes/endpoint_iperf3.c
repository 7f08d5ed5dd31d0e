/*
 * endpoint_iperf3: iperf3 on the host, wherever that is, and a server of it.
 */
#include "endpoint_way.h"
#include "facts.h"
#include "iperf3.h"
#include "leash.h"
#include "net.h"
#include "stop.h"

#include <math.h>
#include <poll.h>
#include <string.h>

#define LATE_S 15.0      /* for connecting, and for the report at the end */
#define BUSY_TRIES 5     /* it takes a server a moment to be done with the last test */
#define BUSY_WAIT_S 1.0
#define HELD_BACK .9     /* of the pace: then it was the pace that was measured */
#define SAFE 2.0         /* times the fastest seen: no pace is needed below the cap */

struct iperf3 {
	struct host *host;
	const struct profile *profile;
	const char *server, *name; /* name: with its port, as errors call it */
	unsigned port;
	const char *address;
	double rtt_ms;             /* of the first connection */
	double fastest_bps;        /* seen so far; 0: nothing yet */
};

/* ---- opening --------------------------------------------------------------------------------- */

static bool
server_parse(struct arena *a, const char *peer, struct iperf3 *x, struct err *e)
{
	if (!net_parse(a, "iperf3 server", peer + strlen(ENDPOINT_IPERF3), IPERF3_PORT, &x->server,
		&x->port, e))
		return false;
	if (x->port == 0 || !facts_peer_plain(x->server))
		return fail(e, ERR_USAGE, "'%.200s' is not iperf3://name[:port]", peer);
	x->name = arena_printf(a, strchr(x->server, ':') != NULL ? "[%s]:%u" : "%s:%u", x->server,
	    x->port);
	return true;
}

static bool
find_program(struct arena *a, struct iperf3 *x, struct err *e)
{
	struct command c = { .argv = (const char *const[]){ "iperf3", "--version", NULL } };
	struct output o;

	if (!host_run(x->host, a, &c, 1, &o, e))
		return false;
	if (o.status == 0)
		return iperf3_version(o.text, e);
	return fail(e, ERR_FAILED, "iperf3 cannot be run on the host (%s); install its package "
	    "there", o.why);
}

static bool
fail_unreached(const struct iperf3 *x, const char *why, struct err *e)
{
	return fail(e, ERR_FAILED, "peer %s: %s; is 'iperf3 -s' running there, and may the host "
	    "reach its port?", x->name, why);
}

static bool
fail_busy(const struct iperf3 *x, struct err *e)
{
	return fail(e, ERR_FAILED, "peer %s: the iperf3 server is busy with a test of somebody "
	    "else", x->name);
}

static bool
wait_a_moment(const struct iperf3 *x, struct err *e)
{
	struct pollfd stop = { .fd = stop_fd(), .events = POLLIN };

	poll(&stop, 1, (int)(BUSY_WAIT_S * 1e3));
	return stop_requested() == 0 ||
	    fail(e, ERR_STOPPED, "peer %s: stopped by signal %d", x->name, stop_requested());
}

/* A second of next to nothing: is the server there, what is its address, how far is it? */
static bool
first_contact(struct arena *a, struct iperf3 *x, struct err *e)
{
	const char *port = arena_printf(a, "%u", x->port);
	const char *const argv[] = { "iperf3", "-c", x->server, "-p", port, "-J",
		"-t", "1", "-i", "0.1", "-l", "1K", "-b", "64K", NULL };
	const struct command c = { .argv = argv, .timeout_s = LATE_S };
	const struct flow_spec f = { .direction = DIR_SEND, .streams = 1, .duration_s = 1 };
	enum iperf3_outcome outcome;
	const char *why = NULL;
	struct trial t;
	struct output o;

	for (int i = 0; i < BUSY_TRIES; i++) {
		if ((i > 0 && !wait_a_moment(x, e)) || !host_run(x->host, a, &c, 1, &o, e))
			return false;
		flow_void(&t, o.status == -1 ? o.why : NULL);
		outcome = iperf3_read(a, o.text, o.len, &f, &t, &why);
		if (outcome != IPERF3_BUSY)
			break;
	}
	if (outcome == IPERF3_BUSY)
		return fail_busy(x, e);
	if (outcome == IPERF3_UNREACHED || o.status == -1)
		return fail_unreached(x, why != NULL ? why : o.why, e);
	x->address = iperf3_address(a, o.text, o.len);
	if (x->address == NULL)
		return fail(e, ERR_FAILED, "peer %s: %s", x->name,
		    t.why != NULL ? t.why : "iperf3's report does not say to whom it spoke");
	x->rtt_ms = t.rtt.min_ms;
	return true;
}

bool
endpoint_iperf3_open(struct arena *a, const struct endpoint_spec *s, void **self, struct err *e)
{
	struct iperf3 *x = arena_alloc(a, sizeof(*x));

	x->host = s->host;
	x->profile = s->profile;
	if (!server_parse(a, s->peer, x, e) || !find_program(a, x, e) || !first_contact(a, x, e))
		return false;
	*self = x;
	return true;
}

/* ---- one trial ------------------------------------------------------------------------------- */

struct attempt {
	struct iperf3 *x;
	struct arena *arena;
	const struct flow_spec *spec;
	double pace_bps;
	struct text said;
	bool late;
};

/*
 * A report comes only at the end, so a cap cannot be watched: unless what was seen so far leaves
 * room for twice as much, nothing faster than the cap in that time is let through.
 */
static double
pace(const struct iperf3 *x, const struct flow_spec *f)
{
	double seconds = iperf3_omit_s(f) + iperf3_run_s(f);

	if (f->max_bytes == 0 ||
	    (x->fastest_bps > 0 && SAFE * x->fastest_bps * seconds / 8 <= f->max_bytes))
		return NAN;
	return f->max_bytes * 8 / seconds;
}

/* Until it says nothing more, its time is up or a stop came. */
static bool
listen_to(struct attempt *at, struct host_child *c, const struct progress *p, struct err *e)
{
	double began = flow_clock_s(), ticked = began, now;
	double most = iperf3_omit_s(at->spec) + iperf3_run_s(at->spec) + LATE_S;
	size_t cap = iperf3_report_max(at->spec) + 1;
	struct pollfd wait[2] = { { c->out, POLLIN, 0 }, { stop_fd(), POLLIN, 0 } };

	for (;;) {
		poll(wait, NELEM(wait), (int)(FLOW_INTERVAL_S * 1e3));
		if (stop_requested() != 0)
			return fail(e, ERR_STOPPED, "iperf3: stopped by signal %d",
			    stop_requested());
		if (!leash_hear(c, &at->said, cap))
			return true;
		now = flow_clock_s();
		at->late = now - began >= most;
		if (at->late || at->said.len == cap)
			return true;
		if (p != NULL && p->tick != NULL && now - ticked >= FLOW_INTERVAL_S) {
			ticked = now;
			p->tick(p->arg, now - began, NAN);
		}
	}
}

static bool
run_once(struct attempt *at, const struct progress *p, struct err *e)
{
	const struct iperf3 *x = at->x;
	const struct iperf3_ask q = { x->server, x->port, at->spec, at->pace_bps };
	double seconds = iperf3_omit_s(at->spec) + iperf3_run_s(at->spec) + LATE_S;
	struct host_child c;
	bool ok;

	at->said = (struct text){ .arena = at->arena };
	if (!host_start(x->host, at->arena, leash(at->arena, 1, seconds, false,
		iperf3_argv(at->arena, &q)), &c, e))
		return false;
	ok = listen_to(at, &c, p, e);
	host_end(&c);
	return ok;
}

static void
judge(struct attempt *at, struct trial *t)
{
	if (at->late) {
		flow_void(t, "iperf3 did not end in time");
		t->status = TRIAL_TIMEOUT;
		return;
	}
	if (t->status != TRIAL_OK)
		return;
	if (t->goodput_bps > at->x->fastest_bps)
		at->x->fastest_bps = t->goodput_bps;
	if (t->goodput_bps > HELD_BACK * at->pace_bps) {
		t->status = TRIAL_VOID;
		t->why = "the byte cap held the transfer back";
		t->goodput_bps = NAN;
	}
}

static bool
iperf3_measure(void *self, struct arena *a, const struct flow_spec *f,
    const struct progress *progress, struct trial *t, struct err *e)
{
	struct iperf3 *x = self;
	struct attempt at = { .x = x, .arena = a, .spec = f, .pace_bps = pace(x, f) };
	enum iperf3_outcome outcome = IPERF3_BUSY;
	struct trial measured = *t;
	const char *why;

	if (!flow_check(f, e))
		return false;
	for (int i = 0; i < BUSY_TRIES && outcome == IPERF3_BUSY; i++) {
		if ((i > 0 && !wait_a_moment(x, e)) || !run_once(&at, progress, e))
			return false;
		flow_void(&measured, NULL);
		outcome = iperf3_read(a, at.said.s, at.said.len, f, &measured, &why);
	}
	if (outcome == IPERF3_UNREACHED)
		return fail_unreached(x, why, e);
	judge(&at, &measured);
	measured.direction = f->direction;
	measured.streams = f->streams;
	*t = measured;
	return true;
}

/* The server counts every connection as a test, so none is made just to time it. */
static bool
iperf3_idle_rtt(void *self, unsigned n, double *rtt_ms, struct err *e)
{
	struct iperf3 *x = self;
	double ms;

	(void)n;
	if (!endpoint_ping(x->host, x->profile, x->address, &ms, e))
		return false;
	if (isnan(ms))
		ms = x->rtt_ms;
	if (isnan(ms))
		return fail(e, ERR_FAILED, "peer %s: neither ping nor iperf3 tells the RTT",
		    x->name);
	*rtt_ms = ms;
	return true;
}

static const char *
iperf3_where(const void *self)
{
	return ((const struct iperf3 *)self)->address;
}

static const char *
iperf3_tool(const void *self)
{
	(void)self;
	return "iperf3";
}

static void
iperf3_close(void *self)
{
	(void)self;
}

static const char unknown[] = "iperf3 does not tell what limited the sender (window or buffer), "
    "how much was in flight, and of a host that receives the RTT under load";

const struct endpoint_way endpoint_iperf3 = { iperf3_measure, iperf3_idle_rtt, iperf3_where,
	iperf3_tool, NULL, false, unknown, iperf3_close };
const struct endpoint_way endpoint_iperf3_cc = { iperf3_measure, iperf3_idle_rtt, iperf3_where,
	iperf3_tool, NULL, true, unknown, iperf3_close };
