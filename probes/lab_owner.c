#include "lab_owner.h"

#include "lab_link.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<sys/prctl.h>)
#include <sys/prctl.h>
#endif
#endif

#define BURST 8              /* packets read from one side before the other has its turn */
#define LEAD_MAX_NS 60e3     /* of sleeps that end early, to be late by less */
#define LEAD_WEIGHT .1       /* of the last sleep in the mean lateness */
#define SPIN_BELOW_NS 500e3  /* one-way delays where lateness matters most: the whole lead always */
#define IDLE_NS 1e9
#define READ_TRIES 1000

struct owner {
	struct link *link[2];
	int tun[2];
	int maker;               /* can be read once the other end is closed; or -1 */
	bool alone;              /* it was */
	struct timespec origin;
	double lead_ns;          /* sleeps are late by about so much: end them earlier */
	int awake;               /* keeps the processors from halting while packets flow; or -1 */
	bool short_delay;
	struct lab_shared *shared;
};

static double
now_ns(const struct owner *o)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)(t.tv_sec - o->origin.tv_sec) * 1e9 +
	    (double)(t.tv_nsec - o->origin.tv_nsec);
}

/*
 * Sleeps that end on time, and a processor right after, also on a busy machine; a wire would not
 * wait for one.  Both are only better, not needed.
 */
static void
ask_for_priority(void)
{
	struct sched_param p = { .sched_priority = 1 };

#ifdef PR_SET_TIMERSLACK
	prctl(PR_SET_TIMERSLACK, 1);
#endif
	if (sched_setscheduler(0, SCHED_RR, &p) != 0 && setpriority(PRIO_PROCESS, 0, -10) != 0)
		errno = 0;
}

/*
 * A virtual processor that halts gets its host's processor back late: on a busy host one timer in a
 * hundred was 2.4 ms late, and .04 ms when the guest polled instead of halting.  The kernel polls
 * while somebody asks for a latency of 0 (Linux, Documentation/power/pm_qos_interface.rst), and
 * stops when the descriptor closes, however we end.
 */
static void
stay_awake(struct owner *o)
{
	int32_t latency_us = 0;

	if (o->awake >= 0)
		return;
	o->awake = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	if (o->awake >= 0 && write(o->awake, &latency_us, sizeof(latency_us)) < 0)
		errno = 0;
}

static void
let_sleep(struct owner *o)
{
	if (o->awake >= 0)
		close(o->awake);
	o->awake = -1;
}

/* Side d's packets into the link from d; false when none waited. */
static bool
take_in(struct owner *o, unsigned d)
{
	unsigned n;

	for (n = 0; n < BURST; n++) {
		unsigned char *room = link_room(o->link[d]);
		ssize_t len = read(o->tun[d], room, SEGMENT_PACKET_MAX);

		if (len <= 0)
			break;
		stay_awake(o);
		link_arrive(o->link[d], (size_t)len, now_ns(o));
	}
	return n == BURST;
}

/* What is due goes to the other side.  What that refuses (device down) is lost, as on a wire. */
static void
deliver(struct owner *o, unsigned d)
{
	struct iovec iov[2];
	int n;

	while ((n = link_take(o->link[d], now_ns(o), iov)) > 0)
		if (writev(o->tun[1 - d], iov, n) < 0)
			errno = 0;
}

static void
publish(struct owner *o)
{
	double now = now_ns(o);
	unsigned s = atomic_load_explicit(&o->shared->sequence, memory_order_relaxed);

	atomic_store_explicit(&o->shared->sequence, s + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (unsigned d = 0; d < 2; d++)
		o->shared->stats[d] = link_stats(o->link[d], now);
	atomic_store_explicit(&o->shared->sequence, s + 2, memory_order_release);
}

bool
shared_read(const struct lab_shared *shared, struct lab_stats stats[2])
{
	for (int i = 0; i < READ_TRIES; i++) {
		unsigned s = atomic_load_explicit(&shared->sequence, memory_order_acquire);

		memcpy(stats, shared->stats, sizeof(shared->stats));
		atomic_thread_fence(memory_order_acquire);
		if (s % 2 == 0 &&
		    s == atomic_load_explicit(&shared->sequence, memory_order_relaxed))
			return true;
	}
	return false;
}

static void
spin_until(const struct owner *o, double due)
{
	while (now_ns(o) < due)
		;
}

static int
larger(int a, int b)
{
	return a > b ? a : b;
}

/* Sleep until then, until a packet comes or the maker is gone; true for the first. */
static bool
sleep_for(struct owner *o, double ns)
{
	int most = larger(larger(o->tun[0], o->tun[1]), o->maker), ready;
	struct timespec t = { .tv_sec = (time_t)(ns / 1e9) };
	fd_set in;

	t.tv_nsec = (long)(ns - (double)t.tv_sec * 1e9);
	FD_ZERO(&in);
	FD_SET(o->tun[0], &in);
	FD_SET(o->tun[1], &in);
	if (o->maker >= 0)
		FD_SET(o->maker, &in);
	ready = pselect(most + 1, &in, NULL, NULL, &t, NULL);
	o->alone = ready > 0 && o->maker >= 0 && FD_ISSET(o->maker, &in);
	return ready == 0;
}

/* Until a packet comes or the next is due. */
static void
rest(struct owner *o)
{
	double due = fmin(link_due(o->link[0]), link_due(o->link[1]));
	double wake = due - o->lead_ns, now = now_ns(o);

	if (wake > now) {
		double ns = fmin(wake - now, IDLE_NS);

		if (!sleep_for(o, ns))
			return;
		if (ns >= IDLE_NS)
			let_sleep(o);
		if (!o->short_delay)
			o->lead_ns += LEAD_WEIGHT * (now_ns(o) - (now + ns) - o->lead_ns);
		o->lead_ns = fmin(o->lead_ns, LEAD_MAX_NS);
	}
	if (due - now_ns(o) < LEAD_MAX_NS)
		spin_until(o, due);
}

static void
carry(struct owner *o)
{
	while (!o->alone) {
		bool more = false;

		/* What a delivery makes the kernel send (acknowledgements, data) waits at once. */
		for (unsigned d = 0; d < 2; d++)
			deliver(o, d);
		for (unsigned d = 0; d < 2; d++)
			more |= take_in(o, d);
		publish(o);
		if (!more)
			rest(o);
	}
}

bool
owner_run(const struct lab_spec *s, const int tun[2], int maker, struct lab_shared *shared,
    struct err *e)
{
	struct owner o = { .tun = { tun[0], tun[1] }, .maker = maker, .awake = -1,
		.shared = shared };

	clock_gettime(CLOCK_MONOTONIC, &o.origin);
	o.short_delay = s->rtt_ms / 2 * 1e6 < SPIN_BELOW_NS;
	o.lead_ns = o.short_delay ? LEAD_MAX_NS : 0;
	for (unsigned d = 0; d < 2; d++) {
		o.link[d] = link_new(s, d);
		if (o.link[d] == NULL) {
			link_free(o.link[0]);
			return fail(e, ERR_FAILED, "lab: no memory for queue and path");
		}
	}
	ask_for_priority();
	carry(&o);
	return true;
}
