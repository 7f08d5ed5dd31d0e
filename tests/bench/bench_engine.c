/*
 * bench_engine: our flow engine against iperf3, pair by pair, each pair in the other order.  Prints
 * a table of medians and of the median ratio within pairs.
 *
 *   bench_engine [PAIRS [SECONDS]]   one stream on loopback, then on labs (where labs can be made)
 *   bench_engine client PEER send|receive WARMUP SECONDS [STREAMS [CC]]
 *   bench_engine serve LISTEN        one run
 *
 * The last two take the token from PATHTUNE_TOKEN; the first runs them within a lab.
 */
#include "probes/lab.h"
#include "probes/peer.h"
#include "probes/stop.h"
#include "tuner/record.h"
#include "tuner/stats.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARMUP_S 1.0
#define LAB "bench-engine"
#define PORT "5219"
#define PORT_IPERF "5220"
#define PAIRS_MAX 64
#define LOOPBACK_RATIO 1.1
#define LAB_WITHIN .03

/* ---- one end ------------------------------------------------------------------------------- */

static void
print_trial(const struct trial *t)
{
	fprintf(stderr, "status %s%s%s, %.1f s of %.0f MB, %s, cpu %.2f\n",
	    trial_status_names[t->status], t->why != NULL ? ": " : "",
	    t->why != NULL ? t->why : "", t->duration_s, t->bytes / 1e6,
	    t->steady ? "steady" : "not steady", t->cpu);
	fprintf(stderr, "rtt idle %.3f min %.3f loaded %.3f ms, retransmits %.4f, in flight %.0f, "
	    "rwnd %.2f, sndbuf %.2f, delivery %.1f Mbit/s\n", t->rtt.idle_ms, t->rtt.min_ms,
	    t->rtt.loaded_ms, t->retransmits, t->inflight_bytes, t->rwnd_limited,
	    t->sndbuf_limited, t->delivery_rate_bps / 1e6);
}

static int
client(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .status = TRIAL_VOID };
	struct flow_spec f = {
		.direction = strcmp(argv[3], "send") == 0 ? DIR_SEND : DIR_RECEIVE,
		.warmup_s = atof(argv[4]),
		.duration_s = atof(argv[5]),
		.streams = argc > 6 ? (unsigned)atoi(argv[6]) : 1,
		.cc = argc > 7 ? argv[7] : NULL,
	};
	const char *token;
	bool ok = stop_install() && peer_token_env(&token, &e) &&
	    peer_open(a, argv[2], token, &s, &e) && peer_measure(s, a, &f, NULL, &t, &e);

	if (ok) {
		printf("%.1f\n", t.goodput_bps / 1e6);
		print_trial(&t);
	} else {
		fprintf(stderr, "bench_engine: %s\n", e.text);
	}
	peer_close(s);
	arena_free(a);
	return ok && t.status == TRIAL_OK ? 0 : 1;
}

static void
ready(void *arg, unsigned port, const char *token)
{
	(void)arg, (void)token;
	printf("ready %u\n", port);
	fflush(stdout);
}

static int
serve(const char *listen)
{
	struct serve_options o = { .listen = listen, .max_time_s = 120, .max_bytes = NAN,
		.ready = ready };
	struct err e = { .code = ERR_NONE };

	if (stop_install() && peer_token_env(&o.token, &e) && peer_serve(&o, &e))
		return 0;
	fprintf(stderr, "bench_engine: %s\n", e.text);
	return 1;
}

/* ---- running programs here or in the lab ---------------------------------------------------- */

struct bench {
	struct arena *arena;
	const char *self;
	bool lab;
	const char *server_address;
	const char *cc;
	double seconds;
};

/* Start argv on side 'a' or 'b' of the lab, or just here; its stdout can be read from *out. */
static pid_t
start(struct bench *b, char side, const char *const *argv, FILE **out)
{
	struct err e = { .code = ERR_NONE };
	pid_t pid = -1;
	int fd[2];

	if (pipe(fd) != 0)
		return -1;
	if (b->lab) {
		if (!lab_spawn(b->arena, LAB, side, argv, fd[1], &pid, &e))
			fprintf(stderr, "bench_engine: %s\n", e.text);
	} else if ((pid = fork()) == 0) {
		dup2(fd[1], STDOUT_FILENO);
		close(fd[0]);
		close(fd[1]);
		if (freopen("/dev/null", "w", stderr) != NULL)
			execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(fd[1]);
	*out = fdopen(fd[0], "r");
	return pid;
}

static int
finish(pid_t pid, FILE *out)
{
	int status = -1;

	fclose(out);
	if (pid > 0 && waitpid(pid, &status, 0) != pid)
		status = -1;
	return status;
}

static double
ours(struct bench *b)
{
	const char *peer = arena_printf(b->arena, "%s:" PORT, b->server_address);
	const char *seconds = arena_printf(b->arena, "%g", b->seconds);
	const char *warmup = arena_printf(b->arena, "%g", WARMUP_S);
	const char *const server[] = { b->self, "serve", peer, NULL };
	const char *const args[] = { b->self, "client", peer, "send", warmup, seconds, "1", b->cc,
		NULL };
	double mbps = NAN;
	FILE *out, *said;
	char line[64];
	pid_t pid = start(b, 'b', server, &said), other;

	if (fgets(line, sizeof(line), said) != NULL) {
		other = start(b, 'a', args, &out);
		if (fscanf(out, "%lf", &mbps) != 1)
			mbps = NAN;
		finish(other, out);
	}
	finish(pid, said);
	return mbps;
}

/* end.sum_received.bits_per_second of iperf3's JSON. */
static double
iperf_result(struct arena *a, FILE *out)
{
	static const char *const path[] = { "end", "sum_received", "bits_per_second" };
	struct err e = { .code = ERR_NONE };
	struct text t = { .arena = a };
	struct node *n;
	char chunk[4096];
	size_t len;

	while ((len = fread(chunk, 1, sizeof(chunk), out)) > 0)
		text_bytes(&t, chunk, len);
	if (t.len == 0 || !node_from_json(a, "iperf3", t.s, t.len, &n, &e))
		return NAN;
	for (size_t i = 0; i < NELEM(path) && n != NULL; i++) {
		n = n->child;
		while (n != NULL && strcmp(n->key, path[i]) != 0)
			n = n->next;
	}
	return n == NULL ? NAN : n->number / 1e6;
}

static double
theirs(struct bench *b)
{
	const char *seconds = arena_printf(b->arena, "%g", b->seconds);
	const char *omit = arena_printf(b->arena, "%g", WARMUP_S);
	const char *const server[] = { "iperf3", "-s", "-1", "-p", PORT_IPERF, "--forceflush",
		NULL };
	const char *const args[] = { "iperf3", "-J", "-c", b->server_address, "-p", PORT_IPERF,
		"-t", seconds, "-O", omit, b->cc != NULL ? "-C" : NULL, b->cc, NULL };
	double mbps = NAN;
	FILE *out, *said;
	char line[256];
	pid_t pid = start(b, 'b', server, &said), other;
	bool listening = false;

	while (!listening && fgets(line, sizeof(line), said) != NULL)
		listening = strncmp(line, "Server listening", 16) == 0;
	if (listening) {
		other = start(b, 'a', args, &out);
		mbps = iperf_result(b->arena, out);
		finish(other, out);
	}
	if (isnan(mbps) && pid > 0)
		kill(pid, SIGTERM);
	finish(pid, said);
	return mbps;
}

/* On loopback the engine is what limits; a path of the lab both are to fill. */
static const char *
judge(const struct bench *b, double ratio)
{
	bool reached = b->lab ? fabs(ratio - 1) <= LAB_WITHIN : ratio >= LOOPBACK_RATIO;

	return isnan(ratio) ? "not measured" : reached ? "reached" : "falls short";
}

static void
pairs(struct bench *b, const char *name, size_t n)
{
	double us[PAIRS_MAX], them[PAIRS_MAX], ratio[PAIRS_MAX];
	size_t good = 0;

	for (size_t i = 0; i < n && stop_requested() == 0; i++) {
		double x = i % 2 == 0 ? ours(b) : NAN, y = theirs(b);

		if (i % 2 == 1)
			x = ours(b);
		if (isnan(x) || isnan(y))
			continue;
		us[good] = x;
		them[good] = y;
		ratio[good++] = x / y;
	}
	printf("%-28s %5zu %10.1f %10.1f %7.3f   %-11s %s\n", name, good, stats_median(us, good),
	    stats_median(them, good), stats_median(ratio, good),
	    b->lab ? "within 3 %" : "1.1", judge(b, stats_median(ratio, good)));
	fflush(stdout);
}

static void
lab_pairs(struct bench *b, double rate_bps, double rtt_ms, size_t n)
{
	struct err e = { .code = ERR_NONE };
	struct lab_spec s = lab_default();
	char name[64];

	s.name = LAB;
	s.rtt_ms = rtt_ms;
	s.link[0].rate_bps = s.link[1].rate_bps = rate_bps;
	s.open_b = true;
	snprintf(name, sizeof(name), "lab %.0f Mbit/s %.0f ms", rate_bps / 1e6, rtt_ms);
	if (!lab_up(b->arena, &s, &b->cc, &e)) {
		printf("%-28s not run: %s\n", name, e.text);
		return;
	}
	b->lab = true;
	b->server_address = LAB_ADDRESS_B;
	pairs(b, name, n);
	if (!lab_down(b->arena, LAB, &e))
		fprintf(stderr, "bench_engine: %s\n", e.text);
}

int
main(int argc, char **argv)
{
	struct bench b = { .arena = arena_new(), .self = argv[0], .server_address = "127.0.0.1" };
	size_t n = 9;

	if (argc > 5 && strcmp(argv[1], "client") == 0)
		return client(argc, argv);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	if (argc > 1 && atoi(argv[1]) > 0 && atoi(argv[1]) <= PAIRS_MAX)
		n = (size_t)atoi(argv[1]);
	b.seconds = argc > 2 ? atof(argv[2]) : 3;
	stop_install();
	setenv("PATHTUNE_TOKEN", "token-of-the-engine-bench", 1);
	printf("%-28s %5s %10s %10s %7s   %s\n", "path, one stream, Mbit/s", "pairs", "ours",
	    "iperf3", "ratio", "bar");
	pairs(&b, "loopback", n);
	b.seconds = fmax(b.seconds, 5);
	lab_pairs(&b, 100e6, 20, (n + 2) / 3);
	lab_pairs(&b, 300e6, 20, (n + 2) / 3);
	lab_pairs(&b, 1e9, 20, (n + 2) / 3);
	arena_free(b.arena);
	return 0;
}
