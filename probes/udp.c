#include "udp.h"

#include "flow.h"

#include "../tuner/stats.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define BUFFER_BYTES (4 * 1024 * 1024) /* asked for; what the system grants is less */
#define BIN_S 0.01
#define BINS ((size_t)(2 * UDP_SECONDS_MAX / BIN_S))
#define TURNS 256       /* datagrams before the clock and the others are looked at */
#define BEHIND_S 2e-3   /* a sender that is later than that does not catch up: that were a burst */
#define PACE_S 2.5e-4   /* what is sent in one go, as time at the rate */
#define WHOLE 0.5       /* of a burst: fewer say nothing */
#define BURST_LEAST 8

struct udp {
	struct udp_spec spec;
	struct arena *arena;
	const struct wire_session *keys;
	struct net_address remote;
	uint32_t trial;
	bool server, met;        /* met: the other end has shown itself */
	int fd;
	double datagrams, burst;
	double began_s;          /* made; then, the first datagram sent or received */
	double greeted_s, over_s, last_s;
	double n;                /* sent or received */
	double skipped_s;        /* of the schedule, while the kernel took nothing */
	double half_s, half_n;   /* sender: where the second half began; NAN before */
	unsigned char *seen;     /* receiver: one bit a number */
	double first_s;          /* by the kernel's clock */
	double *bin;
	struct {
		uint32_t group;
		unsigned n;
		double from_s, to_s;
	} group;
	double *rates;
	size_t n_rates;
	char why[160];
};

bool
udp_check(const struct udp_spec *u, struct err *e)
{
	if (u->direction != DIR_SEND && u->direction != DIR_RECEIVE)
		return fail(e, ERR_USAGE, "direction of a UDP probe must be send or receive");
	if (!(u->rate_bps >= UDP_RATE_MIN && u->rate_bps <= UDP_RATE_MAX))
		return fail(e, ERR_USAGE, "UDP at %g bit/s is not within %g..%g", u->rate_bps,
		    UDP_RATE_MIN, UDP_RATE_MAX);
	if (!(u->duration_s > 0 && u->duration_s <= UDP_SECONDS_MAX))
		return fail(e, ERR_USAGE, "a UDP probe of %g s is not within 0..%g s",
		    u->duration_s, UDP_SECONDS_MAX);
	if (!(u->burst >= 0 && u->burst <= UDP_BURST_MAX))
		return fail(e, ERR_USAGE, "bursts of %g datagrams are not within 0..%d", u->burst,
		    UDP_BURST_MAX);
	if (!(u->max_bytes >= 0))
		return fail(e, ERR_USAGE, "byte cap %g of a UDP probe is negative", u->max_bytes);
	return true;
}

static double
burst_of(const struct udp_spec *u)
{
	if (u->burst > 0)
		return u->burst;
	return fmax(1, fmin(UDP_BURST_MAX, floor(u->rate_bps * PACE_S / 8 / UDP_BYTES)));
}

double
udp_datagrams(const struct udp_spec *u)
{
	double n = floor(u->rate_bps / 8 * u->duration_s / UDP_BYTES);

	if (u->max_bytes > 0)
		n = fmin(n, floor(u->max_bytes / UDP_BYTES));
	return fmax(1, fmin(n, UDP_DATAGRAMS_MAX));
}

/* ---- socket --------------------------------------------------------------------------------- */

static void
socket_options(int fd)
{
	int bytes = BUFFER_BYTES, on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
#ifdef SO_TIMESTAMP
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on));
#else
	(void)on;
#endif
}

static int
socket_open(const struct net_address *bound, const struct net_address *to, struct err *e)
{
	const struct net_address *any = bound != NULL ? bound : to;
	int fd = socket(any->addr.ss_family, SOCK_DGRAM, 0);

	if (fd != -1 && net_ready(fd) &&
	    (bound == NULL || bind(fd, (const struct sockaddr *)&bound->addr, bound->len) == 0) &&
	    (bound != NULL || connect(fd, (const struct sockaddr *)&to->addr, to->len) == 0)) {
		socket_options(fd);
		return fd;
	}
	fail(e, ERR_FAILED, "UDP: %s", strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

struct udp *
udp_new(struct arena *a, const struct udp_spec *u, const struct wire_session *keys, uint32_t trial,
    bool server, const struct net_address *local, const struct net_address *remote, struct err *e)
{
	struct udp *x = arena_alloc(a, sizeof(*x));
	int fd = socket_open(server ? local : NULL, remote, e);

	if (fd == -1)
		return NULL;
	*x = (struct udp){ .spec = *u, .arena = a, .keys = keys, .remote = *remote, .trial = trial,
		.server = server, .fd = fd, .datagrams = udp_datagrams(u), .burst = burst_of(u),
		.greeted_s = -INFINITY, .over_s = NAN, .half_s = NAN,
		.first_s = NAN, .group = { UINT32_MAX, 0, 0, 0 } };
	x->began_s = flow_clock_s();
	if (u->direction == DIR_RECEIVE) {
		x->seen = arena_array(a, (size_t)x->datagrams / 8 + 1, 1);
		x->bin = arena_array(a, BINS, sizeof(*x->bin));
	}
	return x;
}

void
udp_close(struct udp *u)
{
	if (u == NULL || u->fd == -1)
		return;
	close(u->fd);
	u->fd = -1;
}

static bool
sending(const struct udp *u)
{
	return u->spec.direction == DIR_SEND;
}

bool
udp_over(const struct udp *u)
{
	return !isnan(u->over_s);
}

void
udp_stop(struct udp *u)
{
	if (!udp_over(u))
		u->over_s = flow_clock_s();
}

void
udp_fail(struct udp *u, const char *why)
{
	if (udp_over(u))
		return;
	snprintf(u->why, sizeof(u->why), "%s", why);
	udp_stop(u);
}

double
udp_bytes(const struct udp *u)
{
	return u->n * UDP_BYTES;
}

/* ---- sending -------------------------------------------------------------------------------- */

/* True: the kernel took it. */
static bool
transmit(struct udp *u, char kind, uint32_t number)
{
	static unsigned char datagram[UDP_BYTES];
	size_t len = kind == 'H' ? WIRE_DATAGRAM : UDP_BYTES;

	wire_datagram(u->keys, kind, u->server, u->trial, number, datagram);
	return send(u->fd, datagram, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* When the next burst is due, by a schedule that leaves out the time in which nothing went. */
static double
next_s(const struct udp *u)
{
	double bursts = floor(u->n / u->burst);

	return u->began_s + u->skipped_s + bursts * u->burst * UDP_BYTES * 8 / u->spec.rate_bps;
}

/* How long the schedule is. */
static double
whole_s(const struct udp *u)
{
	return u->datagrams * UDP_BYTES * 8 / u->spec.rate_bps;
}

static void
send_due(struct udp *u)
{
	double now = flow_clock_s();

	if (u->n == 0)
		u->began_s = now;
	for (int i = 0; i < TURNS && u->n < u->datagrams && next_s(u) <= now; i++) {
		if (!transmit(u, 'U', (uint32_t)u->n)) {
			if (!net_later() && errno != ENOBUFS && errno != ECONNREFUSED) {
				udp_fail(u, strerror(errno));
				return;
			}
			break;
		}
		u->n++;
		u->last_s = flow_clock_s();
	}
	if (now - next_s(u) > BEHIND_S)
		u->skipped_s += now - next_s(u) - BEHIND_S;
	if (isnan(u->half_s) && now - u->began_s >= whole_s(u) / 2) {
		u->half_s = now;
		u->half_n = u->n;
	}
	if (u->n >= u->datagrams || now - u->began_s >= u->spec.duration_s)
		udp_stop(u);
}

/* ---- receiving ------------------------------------------------------------------------------ */

static double
stamp_of(struct msghdr *m)
{
	struct timeval t = { 0, 0 };

#ifdef SCM_TIMESTAMP
	struct cmsghdr *c = CMSG_FIRSTHDR(m); /* nothing else was asked for */

	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP)
		memcpy(&t, CMSG_DATA(c), sizeof(t));
#else
	(void)m;
#endif
	if (t.tv_sec == 0)
		gettimeofday(&t, NULL);
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static void
group_end(struct udp *u)
{
	double t = u->group.to_s - u->group.from_s;

	if (u->group.n >= BURST_LEAST && u->group.n >= WHOLE * u->burst && t > 0 &&
	    u->n_rates < STATS_MAX)
		*(double *)arena_push(u->arena, &u->rates, &u->n_rates, sizeof(double)) =
		    (u->group.n - 1) * UDP_BYTES * 8 / t;
	u->group.n = 0;
}

static void
group_add(struct udp *u, uint32_t number, double at_s)
{
	uint32_t group = number / (uint32_t)u->burst;

	if (group != u->group.group) {
		group_end(u);
		u->group.group = group;
		u->group.from_s = at_s;
	}
	u->group.n++;
	u->group.to_s = at_s;
}

static void
count(struct udp *u, uint32_t number, double at_s)
{
	size_t bin;

	if (number >= u->datagrams || u->seen[number / 8] & 1u << number % 8)
		return;
	u->seen[number / 8] |= (unsigned char)(1u << number % 8);
	if (isnan(u->first_s))
		u->first_s = at_s;
	bin = (size_t)fmax(0, fmin((at_s - u->first_s) / BIN_S, (double)BINS - 1));
	u->bin[bin]++;
	u->n++;
	u->last_s = flow_clock_s();
	group_add(u, number, at_s);
}

/* The serving end's first authentic word from the right host: from now on nobody else is heard. */
static bool
meet(struct udp *u, const struct net_address *from)
{
	if (!u->server || u->met)
		return true;
	if (connect(u->fd, (const struct sockaddr *)&from->addr, from->len) != 0)
		return false;
	u->met = true;
	return true;
}

static void
take(struct udp *u, const unsigned char *p, size_t len, const struct net_address *from, double at_s)
{
	uint32_t trial, number;
	char kind;

	if (u->server && !u->met && !net_same_host(from, &u->remote))
		return;
	if ((len != WIRE_DATAGRAM && len != UDP_BYTES) ||
	    !wire_datagram_check(u->keys, !u->server, p, &kind, &trial, &number) ||
	    trial != u->trial || (kind == 'U') != (len == UDP_BYTES) || !meet(u, from))
		return;
	u->met = true;
	if (kind == 'U' && !sending(u))
		count(u, number, at_s);
}

static void
receive(struct udp *u)
{
	unsigned char datagram[UDP_BYTES + 1];
	union {
		struct cmsghdr align;
		char space[256];
	} control;

	for (int i = 0; i < TURNS; i++) {
		struct net_address from = { .len = sizeof(from.addr) };
		struct iovec v = { datagram, sizeof(datagram) };
		struct msghdr m = { .msg_name = &from.addr, .msg_namelen = sizeof(from.addr),
			.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(u->fd, &m, 0);

		if (n < 0 && !net_later() && errno != ECONNREFUSED)
			udp_fail(u, strerror(errno));
		if (n < 0)
			return;
		from.len = m.msg_namelen;
		take(u, datagram, (size_t)n, &from, stamp_of(&m));
	}
}

/* ---- for the owner -------------------------------------------------------------------------- */

size_t
udp_poll(const struct udp *u, struct pollfd *p)
{
	*p = (struct pollfd){ .fd = u->fd, .events = POLLIN };
	return 1;
}

/* The client that receives greets until something comes; one that sends is its own greeting. */
static bool
greets(const struct udp *u)
{
	return !u->server && !sending(u) && !u->met;
}

int
udp_timeout_ms(const struct udp *u)
{
	double until_s = .1;

	if (sending(u) && !udp_over(u) && (u->met || !u->server))
		until_s = fmin(until_s, next_s(u) - flow_clock_s());
	return (int)fmax(0, floor(until_s * 1e3)); /* the rest is spun: poll() is too coarse */
}

void
udp_step(struct udp *u, const struct pollfd *p)
{
	double now = flow_clock_s();

	if (u->fd == -1)
		return;
	if (p->revents != 0)
		receive(u);
	if (udp_over(u))
		return;
	if (greets(u) && now - u->greeted_s >= UDP_GREET_S) {
		(void)transmit(u, 'H', 0);
		u->greeted_s = now;
	}
	if (sending(u) && (u->met || !u->server))
		send_due(u);
	else if (u->server && !u->met && now - u->began_s >= UDP_WAIT_S)
		udp_fail(u, "no UDP came through from the client");
}

struct udp_result
udp_result(const struct udp *u, struct arena *a)
{
	struct udp_result r = { NULL, NAN, NAN, NAN, NAN, NAN, NAN };
	double half_s = whole_s(u) / 2, n = 0;
	struct udp *mine = arena_alloc(a, sizeof(*mine));

	if (*u->why != '\0')
		r.why = arena_strdup(a, u->why);
	if (sending(u)) {
		r.sent_bytes = udp_bytes(u);
		r.sent_bps = (u->n - u->half_n) * UDP_BYTES * 8 /
		    fmax(half_s, u->over_s - u->half_s);
		return r;
	}
	*mine = *u;
	mine->arena = a;
	group_end(mine);
	for (size_t i = (size_t)(half_s / BIN_S); i < (size_t)(2 * half_s / BIN_S) && i < BINS; i++)
		n += u->bin[i];
	r.got_bytes = udp_bytes(u);
	r.got_bps = n * UDP_BYTES * 8 / half_s;
	r.burst_bps = stats_median(mine->rates, mine->n_rates);
	return r;
}
