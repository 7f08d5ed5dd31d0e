#include "flow.h"

#include "../tuner/bins.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

double
flow_clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool
flow_check(const struct flow_spec *f, struct err *e)
{
	if (f->direction != DIR_SEND && f->direction != DIR_RECEIVE)
		return fail(e, ERR_USAGE, "direction of a transfer must be send or receive");
	if (f->streams < 1 || f->streams > FLOW_STREAMS_MAX)
		return fail(
		    e, ERR_USAGE, "streams %u is not within 1..%d", f->streams, FLOW_STREAMS_MAX);
	if (!(f->warmup_s >= 0) || !(f->duration_s >= BINS_S) || !(f->early_s >= 0) ||
	    !(f->warmup_s + f->duration_s <= FLOW_SECONDS_MAX))
		return fail(e, ERR_USAGE,
		    "a transfer of %g s warm-up and %g s is not within %g..%g s", f->warmup_s,
		    f->duration_s, BINS_S, FLOW_SECONDS_MAX);
	if (!(f->max_bytes >= 0))
		return fail(e, ERR_USAGE, "byte cap %g of a transfer is negative", f->max_bytes);
	if (f->pin_bytes != 0 &&
	    !(f->pin_bytes >= FLOW_PIN_MIN && f->pin_bytes <= FLOW_PIN_MAX))
		return fail(e, ERR_USAGE, "socket buffers of %g bytes are not within %g..%g",
		    f->pin_bytes, FLOW_PIN_MIN, FLOW_PIN_MAX);
	return true;
}

double
flow_cap_left(double cap, double used)
{
	return cap > 0 ? fmax(1, cap - used) : 0;
}

#if !defined(TCP_CONGESTION) && defined(TCP_CONGCTL)
#define TCP_CONGESTION TCP_CONGCTL /* NetBSD's name for it */
#endif

bool
flow_set_cc(int fd, const char *cc, struct err *e)
{
#ifdef TCP_CONGESTION
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc)) == 0)
		return true;
	return fail(e, ERR_FAILED, "congestion control '%.40s': %s", cc,
	    errno == ENOENT ? "this kernel does not have it" : strerror(errno));
#else
	(void)fd;
	return fail(e, ERR_FAILED,
	    "congestion control '%.40s': this system cannot set it for a socket", cc);
#endif
}

bool
flow_pin(int fd, double bytes, struct err *e)
{
	int size = (int)bytes;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0)
		return true;
	return fail(e, ERR_FAILED, "socket buffers of %d bytes: %s", size, strerror(errno));
}

void
flow_void(struct trial *t, const char *why)
{
	t->status = TRIAL_VOID;
	t->why = why;
	t->goodput_bps = t->retransmits = NAN;
	t->rtt.idle_ms = t->rtt.min_ms = t->rtt.loaded_ms = NAN;
	t->inflight_bytes = t->rwnd_limited = t->sndbuf_limited = t->delivery_rate_bps = NAN;
	t->bytes = 0;
	t->warmup_s = t->duration_s = t->cpu = t->peer_cpu = NAN;
	t->cpu_wait = t->peer_cpu_wait = t->system_cpu = t->peer_system_cpu = NAN;
	t->idle_writes = t->unsent_bytes = t->unread_bytes = t->cwnd_bytes = t->rwnd_bytes = NAN;
	t->steady = false;
	t->intervals_bps = NULL;
	t->n_intervals_bps = 0;
}
