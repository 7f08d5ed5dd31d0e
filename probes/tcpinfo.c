#include "tcpinfo.h"

#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/*
 * The kernel's own header knows more of the structure than the C library's.  What the running
 * kernel fills is told by the length that getsockopt() returns.
 */
#if defined(__has_include)
#if __has_include(<linux/tcp.h>)
#include <linux/tcp.h>
#define TCPINFO_LONG
#endif
#endif
#ifndef TCPINFO_LONG
#include <netinet/tcp.h>
#endif

#if !defined(FIONWRITE) && defined(TIOCOUTQ)
#define FIONWRITE TIOCOUTQ /* Linux: SIOCOUTQ of tcp(7) */
#endif

double
tcpinfo_queued(int fd)
{
#ifdef FIONWRITE
	int n;

	return ioctl(fd, FIONWRITE, &n) == 0 && n >= 0 ? n : NAN;
#else
	(void)fd;
	return NAN;
#endif
}

struct tcp_sample
tcpinfo_none(void)
{
	return (struct tcp_sample){ .rtt_ms = 0, .min_rtt_ms = NAN };
}

#ifdef TCP_INFO
static bool
info_get(int fd, struct tcp_info *i, socklen_t *len)
{
	*len = sizeof(*i);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, i, len) == 0;
}
#endif

#if defined(TCPINFO_LONG)

/* A member, times a factor, when the kernel's answer reaches that far. */
#define MEMBER(m, factor) \
	(len >= offsetof(struct tcp_info, m) + sizeof(i.m) ? (double)i.m * (factor) : NAN)

/* Units: linux/tcp.h; times in microseconds, delivery_rate in bytes per second. */
bool
tcpinfo_read(int fd, struct tcp_sample *out)
{
	struct tcp_info i;
	socklen_t len;
	double mss;

	if (!info_get(fd, &i, &len))
		return false;
	mss = MEMBER(tcpi_snd_mss, 1);
	*out = (struct tcp_sample){
		.rtt_ms = MEMBER(tcpi_rtt, 1e-3),
		.min_rtt_ms = MEMBER(tcpi_min_rtt, 1e-3),
		.retransmits = MEMBER(tcpi_total_retrans, 1),
		.segments = MEMBER(tcpi_data_segs_out, 1),
		.delivery_bps = MEMBER(tcpi_delivery_rate, 8),
		.busy_s = MEMBER(tcpi_busy_time, 1e-6),
		.rwnd_s = MEMBER(tcpi_rwnd_limited, 1e-6),
		.sndbuf_s = MEMBER(tcpi_sndbuf_limited, 1e-6),
		.inflight_bytes = MEMBER(tcpi_unacked, mss),
		.cwnd_bytes = MEMBER(tcpi_snd_cwnd, mss),
		.rwnd_bytes = MEMBER(tcpi_snd_wnd, 1),
		.unsent_bytes = MEMBER(tcpi_notsent_bytes, 1),
		.acked_bytes = MEMBER(tcpi_bytes_acked, 1),
	};
	if (out->min_rtt_ms >= UINT32_MAX * 1e-3) /* ~0: no sample yet */
		out->min_rtt_ms = NAN;
	return true;
}

#else

/* The RTT is what FreeBSD, NetBSD and OpenBSD have in common (tcpi_rtt in microseconds). */
bool
tcpinfo_read(int fd, struct tcp_sample *out)
{
	*out = (struct tcp_sample){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN,
		NAN, NAN };
#ifdef TCP_INFO
	struct tcp_info i;
	socklen_t len;

	if (!info_get(fd, &i, &len) ||
	    len < offsetof(struct tcp_info, tcpi_rtt) + sizeof(i.tcpi_rtt))
		return false;
	out->rtt_ms = (double)i.tcpi_rtt * 1e-3;
	return true;
#else
	(void)fd;
	return false;
#endif
}

#endif

void
tcpinfo_add(struct tcp_sample *sum, const struct tcp_sample *s, unsigned n)
{
	sum->rtt_ms += s->rtt_ms / n;
	sum->min_rtt_ms = fmin(sum->min_rtt_ms, s->min_rtt_ms);
	sum->retransmits += s->retransmits;
	sum->segments += s->segments;
	sum->delivery_bps += s->delivery_bps;
	sum->busy_s += s->busy_s;
	sum->rwnd_s += s->rwnd_s;
	sum->sndbuf_s += s->sndbuf_s;
	sum->inflight_bytes += s->inflight_bytes;
	sum->cwnd_bytes += s->cwnd_bytes;
	sum->rwnd_bytes += s->rwnd_bytes;
	sum->unsent_bytes += s->unsent_bytes;
	sum->acked_bytes += s->acked_bytes;
}

void
tcp_log_init(struct tcp_log *l, struct arena *a)
{
	*l = (struct tcp_log){ .arena = a, .delivery_bps = NAN,
		.base = { .segments = NAN, .busy_s = NAN } }; /* no share until it is known */
}

static void
push(struct tcp_log *l, double **array, size_t *n, double v)
{
	if (!isnan(v))
		*(double *)arena_push(l->arena, array, n, sizeof(double)) = v;
}

void
tcp_log_add(struct tcp_log *l, const struct tcp_sample *s, bool warm)
{
	l->last = *s;
	if (!warm)
		return;
	if (!l->counting)
		l->base = *s;
	l->counting = true;
	push(l, &l->rtt_ms, &l->n_rtt_ms, s->rtt_ms);
	push(l, &l->inflight_bytes, &l->n_inflight_bytes, s->inflight_bytes);
	push(l, &l->cwnd_bytes, &l->n_cwnd_bytes, s->cwnd_bytes);
	push(l, &l->unsent_bytes, &l->n_unsent_bytes, s->unsent_bytes);
	push(l, &l->rwnd_bytes, &l->n_rwnd_bytes, s->rwnd_bytes);
	l->delivery_bps = fmax(l->delivery_bps, s->delivery_bps);
}

static int
by_size(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

double
tcp_log_median(double *v, size_t n)
{
	if (n == 0)
		return NAN;
	qsort(v, n, sizeof(*v), by_size);
	return (v[(n - 1) / 2] + v[n / 2]) / 2;
}

/* The share of part in whole since the warm-up; NAN when nothing of the whole has passed. */
static double
share(double part, double part_base, double whole, double whole_base)
{
	return whole > whole_base ? fmin(1, (part - part_base) / (whole - whole_base)) : NAN;
}

void
tcp_log_fill(const struct tcp_log *l, struct trial *t)
{
	const struct tcp_sample *b = &l->base, *z = &l->last;

	t->rtt.min_ms = l->counting ? z->min_rtt_ms : NAN;
	t->rtt.loaded_ms = tcp_log_median(l->rtt_ms, l->n_rtt_ms);
	t->inflight_bytes = tcp_log_median(l->inflight_bytes, l->n_inflight_bytes);
	t->cwnd_bytes = tcp_log_median(l->cwnd_bytes, l->n_cwnd_bytes);
	t->unsent_bytes = tcp_log_median(l->unsent_bytes, l->n_unsent_bytes);
	t->rwnd_bytes = tcp_log_median(l->rwnd_bytes, l->n_rwnd_bytes);
	t->delivery_rate_bps = l->delivery_bps;
	t->retransmits = share(z->retransmits, b->retransmits, z->segments, b->segments);
	t->rwnd_limited = share(z->rwnd_s, b->rwnd_s, z->busy_s, b->busy_s);
	t->sndbuf_limited = share(z->sndbuf_s, b->sndbuf_s, z->busy_s, b->busy_s);
}
