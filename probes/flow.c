#include "flow.h"
#include "flow_look.h"
#include "net.h"
#include "tcpinfo.h"

#include "../tuner/bins.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_BYTES ((size_t)128 * 1024)
#define RECEIVE_BYTES ((size_t)1024 * 1024)
#define TURNS 16 /* reads of one stream before the others and the clock are looked at */
#define NOW_BINS 5
#define CAPPED_S 0.5 /* counted at least, when a byte cap ends the transfer */
#define SLACK_S 1e-9 /* counts of intervals are no exact seconds */

struct flow {
	struct flow_spec spec;
	int fd[FLOW_STREAMS_MAX]; /* -1: closed */
	unsigned n;
	double started_s; /* flow_start(); NAN before */
	double first_s;   /* first payload byte; NAN before */
	double last_s;    /* when a byte last moved */
	double over_s;    /* NAN: still running */
	double bytes;
	enum trial_status status;
	char why[160];
	struct bins bins;          /* receiver */
	size_t first_bin, end_bin; /* what was counted */
	struct tcp_log log;        /* sender */
	double sampled_s;          /* the last look */
	struct flow_look look;
	double moved[NOW_BINS + 1]; /* sender: bytes at the last samples, a ring */
	size_t n_samples;
};

static unsigned char buffer[RECEIVE_BYTES];

/* Payload that no link would compress; the same on every run. */
static void
buffer_fill(void)
{
	uint64_t x = 88172645463325252u; /* xorshift64 */

	for (size_t i = 0; i + sizeof(x) <= sizeof(buffer); i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(buffer + i, &x, sizeof(x));
	}
}

struct flow *
flow_new(struct arena *a, const struct flow_spec *f)
{
	struct flow *fl = arena_alloc(a, sizeof(*fl));

	fl->spec = *f;
	look_init(&fl->look, a);
	fl->started_s = fl->first_s = fl->over_s = NAN;
	fl->first_bin = bins_warmup(f->warmup_s);
	tcp_log_init(&fl->log, a);
	if (f->direction == DIR_SEND)
		buffer_fill();
	return fl;
}

void
flow_add(struct flow *fl, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags != -1)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	fl->fd[fl->n++] = fd;
}

unsigned
flow_streams(const struct flow *fl)
{
	return fl->n;
}

void
flow_start(struct flow *fl)
{
	fl->started_s = fl->last_s = fl->sampled_s = flow_clock_s();
	if (fl->spec.direction == DIR_SEND)
		fl->first_s = fl->started_s;
}

bool
flow_over(const struct flow *fl)
{
	return !isnan(fl->over_s);
}

static bool
sending(const struct flow *fl)
{
	return fl->spec.direction == DIR_SEND;
}

static bool
capped(const struct flow *fl)
{
	return fl->spec.max_bytes > 0 && fl->bytes >= fl->spec.max_bytes;
}

size_t
flow_poll(const struct flow *fl, struct pollfd *p)
{
	bool wants = !sending(fl) || (!flow_over(fl) && !isnan(fl->started_s) && !capped(fl));

	for (unsigned i = 0; i < fl->n; i++) {
		p[i].fd = sending(fl) && flow_over(fl) ? -1 : fl->fd[i];
		p[i].events = !wants ? 0 : sending(fl) ? POLLOUT : POLLIN;
		p[i].revents = 0;
	}
	return fl->n;
}

int
flow_timeout_ms(const struct flow *fl)
{
	double now = flow_clock_s(), next = fl->sampled_s + FLOW_INTERVAL_S;

	if (isnan(fl->started_s) || flow_over(fl))
		return 100;
	if (!sending(fl)) {
		if (isnan(fl->first_s))
			return 100;
		next = fl->first_s + (double)(bins_complete(now - fl->first_s) + 1) * BINS_S;
	}
	return (int)fmin(100, fmax(1, ceil((next - now) * 1e3)));
}

static void
over(struct flow *fl, double now)
{
	size_t whole = fl->first_bin + (size_t)floor(fl->spec.duration_s / BINS_S + 1e-9);

	if (flow_over(fl))
		return;
	fl->over_s = now;
	look_end(&fl->look);
	fl->end_bin = bins_complete(now - fl->first_s);
	if (fl->end_bin > whole)
		fl->end_bin = whole;
}

void
flow_fail(struct flow *fl, enum trial_status status, const char *why)
{
	if (flow_over(fl))
		return;
	fl->status = status;
	snprintf(fl->why, sizeof(fl->why), "%s", why);
	over(fl, flow_clock_s());
}

static void
stream_lost(struct flow *fl, unsigned i, const char *what)
{
	char why[160];

	close(fl->fd[i]);
	fl->fd[i] = -1;
	snprintf(why, sizeof(why), "stream %u of %u: %s", i + 1, fl->n, what);
	flow_fail(fl, TRIAL_VOID, why);
}

static void
receive_stream(struct flow *fl, unsigned i)
{
	for (int turn = 0; turn < TURNS; turn++) {
		/* Linux throws the bytes away without copying them; others copy, as correct. */
		ssize_t n = recv(fl->fd[i], buffer, sizeof(buffer), MSG_TRUNC);

		if (n <= 0) {
			if (n == 0 || !net_later())
				stream_lost(fl, i, n == 0 ? "closed by the peer" : strerror(errno));
			return;
		}
		fl->last_s = flow_clock_s();
		if (isnan(fl->first_s))
			fl->first_s = fl->last_s;
		fl->bytes += (double)n;
		if (!flow_over(fl))
			bins_add(&fl->bins, fl->last_s - fl->first_s, (double)n);
		if ((size_t)n < sizeof(buffer))
			return;
	}
}

/*
 * One write for each POLLOUT, as applications with an event loop do.  Asking each time matters: a
 * sender that writes on until EAGAIN was seen to queue 2 MB under a send buffer of 256 KiB (6.18),
 * and so to be faster than its setting lets others be.
 */
static void
send_stream(struct flow *fl, unsigned i)
{
	size_t len = SEND_BYTES;
	ssize_t n;

	if (fl->spec.max_bytes > 0 && fl->spec.max_bytes - fl->bytes < (double)len)
		len = (size_t)ceil(fmax(0, fl->spec.max_bytes - fl->bytes));
	if (len == 0)
		return;
	n = send(fl->fd[i], buffer, len, MSG_NOSIGNAL);
	if (n < 0) {
		if (!net_later())
			stream_lost(fl, i, strerror(errno));
		return;
	}
	fl->bytes += (double)n;
	fl->last_s = flow_clock_s();
}

/* The sum over all streams; streams that tell nothing make the sum unknown. */
static void
sample(struct flow *fl, double now)
{
	struct tcp_sample sum = tcpinfo_none(), one;
	bool known = true;

	for (unsigned i = 0; i < fl->n && known; i++) {
		known = fl->fd[i] != -1 && tcpinfo_read(fl->fd[i], &one);
		if (known)
			tcpinfo_add(&sum, &one, fl->n);
	}
	if (known)
		tcp_log_add(&fl->log, &sum, now - fl->started_s >= fl->spec.warmup_s);
	if (now - fl->started_s >= fl->spec.warmup_s)
		look_writes(&fl->look, fl->fd, fl->n);
	fl->moved[fl->n_samples++ % NELEM(fl->moved)] =
	    known && !isnan(sum.acked_bytes) ? sum.acked_bytes : fl->bytes;
	fl->sampled_s = now;
}

/* Enough was seen: what is counted are the bins up to end. */
static void
receiver_done(struct flow *fl, double now, size_t end)
{
	if (bins_rate(&fl->bins, fl->first_bin, end) > 0)
		over(fl, now);
	else /* no figure that could be compared, but no failure of ours either */
		flow_fail(fl, TRIAL_TIMEOUT, "nothing arrived after the warm-up");
}

static void
receiver_judge(struct flow *fl, double now)
{
	size_t end = isnan(fl->first_s) ? 0 : bins_complete(now - fl->first_s);
	double counted_s = end > fl->first_bin ? (double)(end - fl->first_bin) * BINS_S : 0;
	double due_s = (double)fl->first_bin * BINS_S + fl->spec.duration_s;
	bool enough = counted_s + SLACK_S >= fmin(CAPPED_S, fl->spec.duration_s);
	bool early = fl->spec.early_s > 0 && counted_s + SLACK_S >= fl->spec.early_s;

	if (now - fl->sampled_s >= FLOW_INTERVAL_S && now - fl->first_s >= fl->spec.warmup_s) {
		fl->sampled_s = now;
		look_unread(&fl->look, fl->fd, fl->n);
	}
	if (now - fl->first_s >= due_s || (capped(fl) && enough) ||
	    (early && bins_tight(&fl->bins, fl->first_bin, end)))
		receiver_done(fl, now, end);
	else if (capped(fl))
		flow_fail(fl, TRIAL_VOID, "the byte cap was reached before enough was counted");
	else if (now - fl->last_s >= FLOW_STALL_S && isnan(fl->first_s))
		flow_fail(fl, TRIAL_TIMEOUT, "no byte arrived for 5 s");
	else if (now - fl->last_s >= FLOW_STALL_S)
		flow_fail(fl, TRIAL_TIMEOUT, "the transfer stalled for 5 s");
	else if (now - fl->started_s >= due_s + FLOW_STALL_S)
		flow_fail(fl, TRIAL_TIMEOUT, "the transfer did not end in time");
}

static void
sender_judge(struct flow *fl, double now)
{
	double due = fl->spec.warmup_s + fl->spec.duration_s;

	if (now - fl->sampled_s >= FLOW_INTERVAL_S)
		sample(fl, now);
	/* Twice the receiver's patience: it is the receiver's to say what happened. */
	if (now - fl->started_s >= due + 2 * FLOW_STALL_S)
		flow_fail(fl, TRIAL_TIMEOUT, "the receiver did not end the transfer in time");
	else if (now - fl->last_s >= 2 * FLOW_STALL_S && !capped(fl))
		flow_fail(fl, TRIAL_TIMEOUT, "no byte could be sent for 10 s");
}

void
flow_step(struct flow *fl, const struct pollfd *p)
{
	/* Slow start costs less CPU than what is counted. */
	if (!flow_over(fl) && flow_clock_s() - fl->started_s >= fl->spec.warmup_s)
		look_begin(&fl->look);
	for (unsigned i = 0; i < fl->n; i++) {
		if (fl->fd[i] == -1 || p[i].revents == 0)
			continue;
		if (!sending(fl))
			receive_stream(fl, i);
		else if (!isnan(fl->started_s) && (p[i].revents & POLLOUT))
			send_stream(fl, i);
		else if (p[i].revents & (POLLERR | POLLHUP))
			stream_lost(fl, i, "reset by the peer");
	}
	if (flow_over(fl) || isnan(fl->started_s))
		return;
	if (sending(fl))
		sender_judge(fl, flow_clock_s());
	else
		receiver_judge(fl, flow_clock_s());
}

void
flow_stop(struct flow *fl)
{
	double now = flow_clock_s();

	if (flow_over(fl))
		return;
	if (sending(fl) && !isnan(fl->started_s))
		sample(fl, now);
	over(fl, now);
}

void
flow_cap(struct flow *fl, double max_bytes)
{
	if (fl->spec.max_bytes == 0 || max_bytes < fl->spec.max_bytes)
		fl->spec.max_bytes = max_bytes;
}

double
flow_now_bps(const struct flow *fl)
{
	size_t n = fl->n_samples, slots = NELEM(fl->moved), k;

	if (!sending(fl)) {
		n = isnan(fl->first_s) ? 0 : bins_complete(flow_clock_s() - fl->first_s);
		return n == 0 ? 0 : 8 * bins_rate(&fl->bins, n > NOW_BINS ? n - NOW_BINS : 0, n);
	}
	if (n < 2)
		return 0;
	k = n < slots ? n - 1 : NOW_BINS;
	return 8 * (fl->moved[(n - 1) % slots] - fl->moved[(n - 1 - k) % slots]) /
	    ((double)k * FLOW_INTERVAL_S);
}

double
flow_seconds(const struct flow *fl)
{
	return isnan(fl->first_s) ? 0 : flow_clock_s() - fl->first_s;
}

double
flow_bytes(const struct flow *fl)
{
	return fl->bytes;
}

static void
fill_received(const struct flow *fl, struct arena *a, struct trial *t)
{
	t->bytes = fl->bytes;
	t->warmup_s = (double)fl->first_bin * BINS_S;
	t->duration_s = 0;
	t->n_intervals_bps = fl->end_bin;
	t->intervals_bps = arena_array(a, fl->end_bin, sizeof(double));
	for (size_t i = 0; i < fl->end_bin; i++)
		t->intervals_bps[i] = 8 * bins_rate(&fl->bins, i, i + 1);
	if (fl->end_bin <= fl->first_bin)
		return;
	t->duration_s = (double)(fl->end_bin - fl->first_bin) * BINS_S;
	t->steady = bins_steady(&fl->bins, fl->first_bin, fl->end_bin);
	if (fl->status == TRIAL_OK)
		t->goodput_bps = 8 * bins_rate(&fl->bins, fl->first_bin, fl->end_bin);
}

void
flow_fill(const struct flow *fl, struct arena *a, struct trial *t)
{
	t->status = fl->status;
	t->why = fl->status == TRIAL_OK ? NULL : arena_strdup(a, fl->why);
	look_fill(&fl->look, t);
	if (sending(fl))
		tcp_log_fill(&fl->log, t);
	else
		fill_received(fl, a, t);
}

void
flow_close(struct flow *fl)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	for (unsigned i = 0; fl != NULL && i < fl->n; i++) {
		if (fl->fd[i] == -1)
			continue;
		(void)setsockopt(fl->fd[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fl->fd[i]);
		fl->fd[i] = -1;
	}
}
