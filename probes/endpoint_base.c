/*
 * endpoint_base: a host that has nothing of ours: a program of its base system connects to us, and
 * this process sends or receives, and counts.
 *
 * The host sends: what arrives here is counted (flow.h).  It receives: what it acknowledged is
 * (acked.h).  Its congestion control is that of its system, and what its kernel knows of a transfer
 * stays unknown.
 */
#include "acked.h"
#include "door.h"
#include "endpoint_way.h"
#include "here.h"
#include "leash.h"
#include "stop.h"
#include "tcpinfo.h"
#include "../tuner/profile.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define COME_S 15.0      /* for the host's program to connect */
#define LATE_S 20.0      /* beyond what a transfer may take: then the host ends it by itself */
#define SAID_BYTES ((size_t)2048)

struct base {
	struct arena *arena;
	struct host *host;
	const struct profile *profile;
	struct here here;
	const struct endpoint_program *program[DIR_BOTH]; /* NULL: none is there */
	const char *lacking[DIR_BOTH];                    /* what was looked for */
	const char *tool;
	double rtt_ms;                                    /* of connections so far; NAN */
};

/* ---- one transfer ---------------------------------------------------------------------------- */

struct transfer {
	struct base *x;
	struct arena *arena;
	const struct flow_spec *spec; /* as the host has it */
	struct flow_spec own;         /* as we have it */
	const struct endpoint_program *program;
	struct door *door;
	struct host_child child;
	bool child_over;
	struct text said;
	struct flow *flow;
	struct acked *acked;          /* when we send */
	int fd[FLOW_STREAMS_MAX];
	double ticked_s;
};

enum { AT_STOP, AT_CHILD, AT_REST };
#define AT_MOST (DOOR_POLL_MAX > FLOW_STREAMS_MAX ? DOOR_POLL_MAX : FLOW_STREAMS_MAX)

static bool
transfer_poll(struct transfer *t, struct pollfd *p, size_t n, int timeout_ms, struct err *e)
{
	p[AT_STOP] = (struct pollfd){ .fd = stop_fd(), .events = POLLIN };
	p[AT_CHILD] = (struct pollfd){ .fd = t->child_over ? -1 : t->child.out, .events = POLLIN };
	if (poll(p, (nfds_t)(AT_REST + n), timeout_ms) < 0) {
		for (size_t i = 0; i < AT_REST + n; i++)
			p[i].revents = 0;
	}
	if (stop_requested() != 0)
		return fail(e, ERR_STOPPED, "%s: stopped by signal %d", t->program->tool,
		    stop_requested());
	if (p[AT_CHILD].revents != 0)
		t->child_over = !leash_hear(&t->child, &t->said, SAID_BYTES);
	return true;
}

static const char *const *
program_argv(const struct transfer *t)
{
	const char *address = t->x->here.address;
	const char *port = arena_printf(t->arena, "%u", door_port(t->door));
	const char *secret = door_secret(t->door);
	const struct substitution s[] = { { "address", address }, { "port", port },
		{ "secret", secret },
		{ "url", arena_printf(t->arena, strchr(address, ':') == NULL ? "http://%s:%s/%s" :
		    "http://[%s]:%s/%s", address, port, secret) },
		{ "seconds", arena_printf(t->arena, "%.0f",
		    ceil(t->spec->warmup_s + t->spec->duration_s + LATE_S)) },
		{ NULL, NULL } };

	return profile_argv(t->arena, t->program->argv, t->program->n_argv, s);
}

static bool
transfer_begin(struct transfer *t, struct err *e)
{
	const struct here *here = &t->x->here;
	const struct door_spec door = { .address = here->address,
		.greeting = t->program->greeting,
		.answer = t->program->greeting == GREETING_HTTP && t->own.direction == DIR_SEND,
		.from = here->host, .n_from = here->n_host };

	return door_open(t->arena, &door, &t->door, e) &&
	    host_start(t->x->host, t->arena, leash(t->arena, t->spec->streams,
		COME_S + t->spec->warmup_s + t->spec->duration_s + LATE_S, true, program_argv(t)),
		&t->child, e);
}

/* Why nobody came. */
static const char *
missing(struct transfer *t)
{
	const char *said = leash_line(t->arena, &t->said), *other = door_refused(t->door);
	const char *tool = t->program->tool;

	if (said != NULL)
		return arena_printf(t->arena, "%s on the host: %s", tool, said);
	if (other != NULL)
		return arena_printf(t->arena, "%s of the host did not come to %s; a connection "
		    "from %s was refused", tool, t->x->here.address, other);
	return arena_printf(t->arena, t->child_over ? "%s on the host ended before it came to %s, "
	    "TCP port %u" : "%s of the host did not come to %s, TCP port %u; is there a firewall "
	    "that drops it, or is this not our address (--here)?", tool, t->x->here.address,
	    door_port(t->door));
}

static void
note_rtt(struct base *x, int fd)
{
	struct tcp_sample s;

	if (tcpinfo_read(fd, &s) && s.rtt_ms > 0)
		x->rtt_ms = fmin(x->rtt_ms, s.rtt_ms);
}

/* All streams come in; true also when they do not, then *why says it. */
static bool
transfer_await(struct transfer *t, const char **why, struct err *e)
{
	double deadline = flow_clock_s() + COME_S;
	struct pollfd p[AT_REST + AT_MOST];
	unsigned n;
	int fd;

	*why = NULL;
	while ((n = flow_streams(t->flow)) < t->spec->streams) {
		if (!transfer_poll(t, p, door_poll(t->door, p + AT_REST), 100, e))
			return false;
		door_step(t->door, p + AT_REST);
		for (; n < t->spec->streams && (fd = door_take(t->door)) != -1; n++) {
			note_rtt(t->x, fd);
			t->fd[n] = fd;
			flow_add(t->flow, fd);
		}
		if (n < t->spec->streams &&
		    (t->child_over || flow_clock_s() >= deadline)) {
			*why = missing(t);
			return true;
		}
	}
	return true;
}

static void
transfer_tick(struct transfer *t, const struct progress *p)
{
	double now = flow_clock_s();

	if (p == NULL || p->tick == NULL || now - t->ticked_s < FLOW_INTERVAL_S)
		return;
	t->ticked_s = now;
	p->tick(p->arg, flow_seconds(t->flow),
	    t->acked != NULL ? acked_now_bps(t->acked) : flow_now_bps(t->flow));
}

static bool
transfer_drive(struct transfer *t, const struct progress *progress, struct err *e)
{
	struct pollfd p[AT_REST + AT_MOST];

	flow_start(t->flow);
	if (t->own.direction == DIR_SEND)
		t->acked = acked_new(t->arena, &t->own, t->flow, t->fd);
	while (!flow_over(t->flow)) {
		if (!transfer_poll(t, p, flow_poll(t->flow, p + AT_REST), flow_timeout_ms(t->flow),
			e))
			return false;
		flow_step(t->flow, p + AT_REST);
		if (t->acked != NULL && !flow_over(t->flow) && !acked_step(t->acked))
			flow_stop(t->flow);
		transfer_tick(t, progress);
	}
	return true;
}

/* What the flow says of itself; it broke off: what the host's program says of that. */
static void
transfer_fill(struct transfer *t, struct trial *out)
{
	const char *said;

	flow_fill(t->flow, t->arena, out);
	if (out->status == TRIAL_OK && t->acked != NULL)
		acked_fill(t->acked, t->arena, out);
	said = out->status == TRIAL_VOID ? leash_line(t->arena, &t->said) : NULL;
	if (said != NULL)
		out->why = arena_printf(t->arena, "%s; %s on the host: %s", out->why,
		    t->program->tool, said);
}

static void
transfer_end(struct transfer *t)
{
	flow_close(t->flow);
	host_end(&t->child);
	door_close(t->door);
}

/* The host's cc does not matter here: it cannot be chosen for one transfer. */
static bool
transfer_run(struct transfer *t, const struct progress *progress, struct trial *out,
    struct err *e)
{
	const char *why;
	bool ok;

	t->own = *t->spec;
	t->own.direction = t->spec->direction == DIR_SEND ? DIR_RECEIVE : DIR_SEND;
	t->flow = flow_new(t->arena, &t->own);
	ok = transfer_begin(t, e) && transfer_await(t, &why, e);
	if (ok && why != NULL)
		out->why = why;
	else if (ok)
		ok = transfer_drive(t, progress, e);
	if (ok && why == NULL)
		transfer_fill(t, out);
	transfer_end(t);
	return ok;
}

static bool
base_measure(void *self, struct arena *a, const struct flow_spec *f,
    const struct progress *progress, struct trial *t, struct err *e)
{
	struct base *x = self;
	struct transfer transfer = { .x = x, .arena = a, .spec = f, .child = { -1, -1, -1 },
		.said = { .arena = a } };
	struct trial measured = *t;
	bool ok = true;

	if (!flow_check(f, e))
		return false;
	transfer.program = x->program[f->direction];
	flow_void(&measured, NULL);
	if (transfer.program == NULL)
		measured.why = x->lacking[f->direction];
	else if (f->pin_bytes > 0)
		measured.why = "socket buffers of a program of the base system cannot be pinned";
	else
		ok = transfer_run(&transfer, progress, &measured, e);
	if (!ok)
		return false;
	measured.direction = f->direction;
	measured.streams = f->streams;
	*t = measured;
	return true;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Which of the profile's programs are there, in one round trip. */
static bool
find_programs(struct base *x, struct err *e)
{
	const struct endpoints *known = &x->profile->endpoints;
	struct command *c = arena_array(x->arena, known->n_programs, sizeof(*c));
	struct output *o = arena_array(x->arena, known->n_programs, sizeof(*o));
	struct text looked[DIR_BOTH] = { { .arena = x->arena }, { .arena = x->arena },
		{ .arena = x->arena } };

	for (size_t i = 0; i < known->n_programs; i++) {
		const char *const argv[] = { "sh", "-c", "command -v \"$1\"", "sh",
			known->programs[i].tool, NULL };

		c[i].argv = memcpy(arena_alloc(x->arena, sizeof(argv)), argv, sizeof(argv));
	}
	if (known->n_programs > 0 && !host_run(x->host, x->arena, c, known->n_programs, o, e))
		return false;
	for (size_t i = 0; i < known->n_programs; i++) {
		const struct endpoint_program *p = &known->programs[i];

		text_add(&looked[p->direction], "%s%s", looked[p->direction].len > 0 ? ", " : "",
		    p->tool);
		if (o[i].status == 0 && x->program[p->direction] == NULL)
			x->program[p->direction] = p;
	}
	for (int d = DIR_SEND; d < DIR_BOTH; d++)
		x->lacking[d] = looked[d].s == NULL ? "this system's profile knows no program that "
		    "could do this" : arena_printf(x->arena, "nothing on the host can %s: looked "
		    "for %s; install one of them, iperf3 or pathtune", d == DIR_SEND ? "send" :
		    "receive", looked[d].s);
	return true;
}

static bool
name_tools(struct base *x, struct err *e)
{
	const struct endpoint_program *s = x->program[DIR_SEND], *r = x->program[DIR_RECEIVE];

	if (s == NULL && r == NULL)
		return fail(e, ERR_FAILED, "%s; and %s", x->lacking[DIR_SEND],
		    x->lacking[DIR_RECEIVE]);
	if (s != NULL && r != NULL && strcmp(s->tool, r->tool) != 0)
		x->tool = arena_printf(x->arena, "%s, %s", s->tool, r->tool);
	else
		x->tool = s != NULL ? s->tool : r->tool;
	return true;
}

/* A connection and no more: does it come, and how far is it? */
static bool
first_contact(struct base *x, struct err *e)
{
	enum direction d = x->program[DIR_SEND] != NULL ? DIR_SEND : DIR_RECEIVE;
	const struct flow_spec f = { .direction = d, .streams = 1, .duration_s = 1 };
	struct transfer t = { .x = x, .arena = x->arena, .spec = &f, .program = x->program[d],
		.child = { -1, -1, -1 }, .said = { .arena = x->arena } };
	const char *why = NULL;
	bool ok;

	t.own = f;
	t.own.direction = d == DIR_SEND ? DIR_RECEIVE : DIR_SEND;
	t.flow = flow_new(t.arena, &t.own);
	ok = transfer_begin(&t, e) && transfer_await(&t, &why, e);
	transfer_end(&t);
	return ok && (why == NULL || fail(e, ERR_FAILED, "--peer here: %s", why));
}

bool
endpoint_base_open(struct arena *a, const struct endpoint_spec *s, void **self, struct err *e)
{
	struct base *x = arena_alloc(a, sizeof(*x));

	x->arena = a;
	x->host = s->host;
	x->profile = s->profile;
	x->rtt_ms = NAN;
	if (!find_programs(x, e) || !name_tools(x, e) || !here_find(a, s, &x->here, e) ||
	    !first_contact(x, e))
		return false;
	*self = x;
	return true;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static bool
base_idle_rtt(void *self, unsigned n, double *rtt_ms, struct err *e)
{
	struct base *x = self;
	double ms;

	(void)n;
	if (!endpoint_ping(x->host, x->profile, x->here.address, &ms, e))
		return false;
	if (isnan(ms))
		ms = x->rtt_ms;
	if (isnan(ms))
		return fail(e, ERR_FAILED, "--peer here: neither ping on the host nor this kernel "
		    "tells the RTT");
	*rtt_ms = ms;
	return true;
}

static const char *
base_address(const void *self)
{
	return ((const struct base *)self)->here.address;
}

static const char *
base_tool(const void *self)
{
	return ((const struct base *)self)->tool;
}

static void
base_close(void *self)
{
	(void)self;
}

static const char unknown[] = "a program of the base system tells nothing about its connection: of "
    "a host that sends, retransmits, RTT under load and what limited it stay unknown, and its "
    "congestion control is that of the system";

const struct endpoint_way endpoint_base = { base_measure, base_idle_rtt, base_address, base_tool,
	NULL, false, unknown, base_close };
