/*
 * bench_lab: does the emulated path have the RTT, the rate and the loss that were asked?
 *
 * RTT: median of UDP echoes over the idle path.  Goodput: payload that one cubic stream with wide
 * open buffers brings to the receiver after its slow start, of the possible (rate x 1448 / 1500).
 * CPU: of the process that plays the link, meanwhile.  Loss: fed to the model without sockets.
 */
#include "probes/lab.h"
#include "probes/lab_loss.h"
#include "probes/lab_ns.h"
#include "probes/lab_state.h"
#include "tuner/stats.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAME "bench-lab"
#define PORT 5001
#define ECHOES 101
#define WARMUP_S 3.0
#define COUNT_S 8.0
#define RTT_BAR_MS .5
#define SEGMENTS 1000000u

struct path_case {
	double rate_bps, rtt_ms, bar; /* bar: share of the possible */
};

static const struct path_case paths[] = {
	{ 10e6, 20, .99 }, { 100e6, 20, .99 }, { 300e6, 80, .99 }, { 500e6, 1, .99 },
	{ 1e9, 20, .99 }, { 2e9, 20, .95 }, { 100e6, .2, .99 },
};

static struct lab_state *lab;

_Noreturn static void
die(const char *what)
{
	fprintf(stderr, "bench_lab: %s\n", what);
	exit(1);
}

static const char *
judge(bool reached)
{
	return reached ? "reached" : "falls short";
}

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in
peer(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	inet_pton(AF_INET, LAB_ADDRESS_B, &a.sin_addr);
	return a;
}

/* A child on one side; its figures come through *from. */
static pid_t
fork_in(unsigned side, int *from)
{
	struct err e = { 0 };
	int fd[2];
	pid_t pid;

	if (pipe(fd) != 0 || (pid = fork()) < 0)
		die(strerror(errno));
	if (pid == 0 && !ns_enter((pid_t)lab->owner, (int)lab->net[side], lab->user, &e))
		die(e.text);
	close(fd[pid != 0]);
	*from = fd[pid == 0];
	return pid;
}

static void
finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- RTT ------------------------------------------------------------------------------------- */

static void
echo(int report)
{
	struct sockaddr_in at = peer(), from;
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	char c;

	if (bind(s, (struct sockaddr *)&at, sizeof(at)) != 0 || write(report, "r", 1) != 1)
		die("cannot listen");
	for (;;) {
		socklen_t len = sizeof(from);

		if (recvfrom(s, &c, 1, 0, (struct sockaddr *)&from, &len) == 1)
			sendto(s, &c, 1, 0, (struct sockaddr *)&from, len);
	}
}

static void
ping(int report)
{
	struct sockaddr_in to = peer();
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	double ms[ECHOES], median;
	char c = 0;

	if (connect(s, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("cannot connect");
	for (int i = 0; i < ECHOES; i++) {
		double began = now_s();

		if (send(s, &c, 1, 0) != 1 || recv(s, &c, 1, 0) != 1)
			die("no echo");
		ms[i] = (now_s() - began) * 1e3;
	}
	median = stats_median(ms, ECHOES);
	_exit(write(report, &median, sizeof(median)) < 0);
}

static double
rtt_ms(void)
{
	double ms = NAN;
	int there, here;
	pid_t server = fork_in(1, &there), client;
	char c;

	if (server == 0)
		echo(there);
	if (read(there, &c, 1) != 1)
		die("no echo server");
	client = fork_in(0, &here);
	if (client == 0)
		ping(here);
	if (read(here, &ms, sizeof(ms)) != (ssize_t)sizeof(ms))
		die("no RTT");
	finish(client);
	finish(server);
	close(there);
	close(here);
	return ms;
}

/* ---- goodput --------------------------------------------------------------------------------- */

static void
send_all(void)
{
	struct sockaddr_in to = peer();
	int s = socket(AF_INET, SOCK_STREAM, 0);
	int knob = open("/proc/sys/net/ipv4/tcp_wmem", O_WRONLY);
	static char buf[128 * 1024];

	if (write(knob, "4096 16384 67108864", 19) != 19 ||
	    setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) != 0 ||
	    connect(s, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("cannot connect");
	while (write(s, buf, sizeof(buf)) > 0)
		;
	_exit(0);
}

static double
owner_cpu_s(void)
{
	char path[64], stat[1024] = "";
	unsigned long user = 0, system = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)lab->owner);
	f = fopen(path, "r");
	if (f == NULL || fgets(stat, sizeof(stat), f) == NULL ||
	    sscanf(strrchr(stat, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
	    &user, &system) != 2)
		die("no CPU time");
	fclose(f);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

struct transfer {
	double goodput_bps, cpu;
};

static void
receive(int report)
{
	struct sockaddr_in at = peer();
	int s = socket(AF_INET, SOCK_STREAM, 0), c;
	double end = 0, began = 0, bytes = 0, now, cpu = 0;
	struct transfer t;
	ssize_t n;

	if (bind(s, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(s, 1) != 0 ||
	    write(report, "r", 1) != 1 || (c = accept(s, NULL, NULL)) < 0)
		die("cannot listen");
	end = now_s() + WARMUP_S + COUNT_S;
	while ((n = recv(c, NULL, 1 << 20, MSG_TRUNC)) > 0 && (now = now_s()) < end) {
		if (began == 0 && now > end - COUNT_S) {
			began = now;
			cpu = owner_cpu_s();
		} else if (began != 0)
			bytes += (double)n;
	}
	t = (struct transfer){ bytes * 8 / (now_s() - began), (owner_cpu_s() - cpu) / COUNT_S };
	_exit(write(report, &t, sizeof(t)) < 0);
}

static struct transfer
transfer(void)
{
	struct transfer t = { 0 };
	int there, here;
	pid_t receiver = fork_in(1, &there), sender;
	char c;

	if (receiver == 0)
		receive(there);
	if (read(there, &c, 1) != 1)
		die("no receiver");
	sender = fork_in(0, &here);
	if (sender == 0)
		send_all();
	if (read(there, &t, sizeof(t)) != (ssize_t)sizeof(t))
		die("no goodput");
	finish(sender);
	finish(receiver);
	close(there);
	close(here);
	return t;
}

static void
bench_path(const struct path_case *p)
{
	struct arena *a = arena_new();
	struct lab_spec s = lab_default();
	struct lab_stats stats[2];
	struct err e = { 0 };
	struct transfer t;
	const char *cc;
	double error, share;

	s.name = NAME;
	s.rtt_ms = p->rtt_ms;
	s.open_b = true;
	s.link[0].rate_bps = s.link[1].rate_bps = p->rate_bps;
	if (p->rate_bps / 8 * p->rtt_ms / 1e3 < 150e3) { /* a stream needs some packets of queue */
		s.link[0].queue = s.link[1].queue = 100;
		s.link[0].queue_unit = s.link[1].queue_unit = QUEUE_PACKETS;
	}
	if (!lab_up(a, &s, &cc, &e) || !state_find(a, NAME, &lab, NULL, NULL, &e))
		die(e.text);
	error = rtt_ms() - p->rtt_ms;
	t = transfer();
	share = t.goodput_bps / (p->rate_bps * 1448 / 1500);
	if (!lab_stats(a, NAME, stats, &e) || !lab_down(a, NAME, &e))
		die(e.text);
	printf("%6.0f Mbit/s %6.1f ms   %+6.3f ms %-11s   %6.2f %%, bar %.0f %% %-11s   "
	    "CPU %.2f   late %3.0f us\n", p->rate_bps / 1e6, p->rtt_ms, error,
	    judge(fabs(error) <= RTT_BAR_MS), share * 100, p->bar * 100, judge(share >= p->bar),
	    t.cpu, stats[0].lateness_us);
	fflush(stdout);
	arena_free(a);
}

/* ---- loss ------------------------------------------------------------------------------------ */

/* Lost segments; *fates stands for which ones. */
static double
feed(const struct lab_link *link, unsigned seed, uint64_t *fates)
{
	struct loss l;
	double lost = 0;

	loss_init(&l, link, seed, 0);
	*fates = 0;
	for (unsigned i = 0; i < SEGMENTS; i++) {
		bool fate = loss_next(&l);

		lost += fate;
		*fates = *fates * 0x100000001b3u + fate;
	}
	return lost;
}

/*
 * Of the number lost.  Bernoulli's is binomial.  In a chain the states of segments k apart are
 * correlated by r^k, r = 1 - p_bad - p_good; the covariances add up over all k.
 */
static double
deviation(const struct lab_link *l)
{
	double p = loss_expected(l), variance = p * (1 - p);

	if (l->loss_model == LOSS_GILBERT_ELLIOTT) {
		double bad = l->p_bad / (l->p_bad + l->p_good), r = 1 - l->p_bad - l->p_good;
		double step = l->loss - l->loss_good;

		variance += 2 * step * step * bad * (1 - bad) * r / (1 - r);
	}
	return sqrt(SEGMENTS * variance);
}

static void
bench_loss(const char *what, const struct lab_link *link)
{
	double p = loss_expected(link), sd = deviation(link), worst = 0;
	double binomial = sqrt(SEGMENTS * p * (1 - p));
	uint64_t fates, again;
	bool same = true;

	for (unsigned seed = 1; seed <= 5; seed++) {
		double off = (feed(link, seed, &fates) - SEGMENTS * p) / sd;

		worst = fabs(off) > fabs(worst) ? off : worst;
		feed(link, seed, &again);
		same = same && fates == again;
	}
	printf("%-31s  %8.0f   %+9.2f  %-11s  %+14.2f   %s\n", what, SEGMENTS * p, worst,
	    judge(fabs(worst) <= 3), worst * sd / binomial, judge(same));
}

int
main(void)
{
	static const struct lab_link half = { .loss_model = LOSS_BERNOULLI, .loss = .005 };
	static const struct lab_link rare = { .loss_model = LOSS_BERNOULLI, .loss = 1e-4 };
	static const struct lab_link chain = { .loss_model = LOSS_GILBERT_ELLIOTT, .p_bad = .005,
		.p_good = .5, .loss = .5 };
	static const struct lab_link bursts = { .loss_model = LOSS_GILBERT_ELLIOTT, .p_bad = .001,
		.p_good = .2, .loss = .8, .loss_good = 1e-4 };
	struct arena *a = arena_new();

	lab_down(a, NAME, NULL);
	arena_free(a);
	printf("losses in %u segments, seeds 1 to 5, bar 3 standard deviations (sd) of the model:\n"
	    "a chain's losses come in bursts, so their number varies more than a binomial one\n"
	    "%-31s  %8s   %9s  %-11s  %14s   %s\n", SEGMENTS, "model", "expected", "worst, sd",
	    "", "in binomial sd", "same fates again");
	bench_loss("Bernoulli 0.5 %", &half);
	bench_loss("Bernoulli 0.01 %", &rare);
	bench_loss("Gilbert-Elliott .005,.5,.5", &chain);
	bench_loss("Gilbert-Elliott .001,.2,.8,1e-4", &bursts);
	printf("\n%-20s   RTT error, bar %.1f ms    goodput of the possible\n", "path", RTT_BAR_MS);
	for (size_t i = 0; i < NELEM(paths); i++)
		bench_path(&paths[i]);
	return 0;
}
