#include "lab_path.h"

#include "probes/flow.h"
#include "probes/knobs.h"
#include "probes/lab_ns.h"
#include "probes/lab_state.h"
#include "probes/peer.h"
#include "probes/stop.h"
#include "tuner/kernel.h"
#include "tuner/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<sys/prctl.h>)
#include <sys/prctl.h>
#endif
#endif

#define KIB 1024.0
#define MIB (1024.0 * KIB)
#define READY_MS 10000
#define TEXT 96
#define AROUND_S .6 /* connecting, setting, and saying so */
#define MOST_FLAGS 16
#define LOST_IN_BURST .5
#define SHORT_RTT_MS 40.0 /* as tuner/search.c: with losses a longer RTT takes a longer warm-up */
#define LOSSY_WARMUP_S 1.0

/* lab.md's table, in its order. */
const struct lab_path lab_paths[PATHS] = {
	{ "full", "300 Mbit/s, 80 ms, queue 1 BDP", 300e6, 80, 1, 0, 0,
	    { 1 * MIB, NAN, 3 * MIB, 4 * MIB, 6 * MIB, 12 * MIB } },
	{ "long", "600 Mbit/s, 209 ms, queue .25 BDP", 600e6, 209, .25, 0, 0,
	    { NAN, 8 * MIB, 12 * MIB, 16 * MIB, 24 * MIB, 32 * MIB } },
	{ "lossy", "100 Mbit/s, 100 ms, queue 1 BDP, loss .5 %", 100e6, 100, 1, .005, 0,
	    { 1 * MIB, NAN, 3 * MIB, 4 * MIB, 6 * MIB, 12 * MIB } },
	{ "shallow", "300 Mbit/s, 80 ms, queue .1 BDP", 300e6, 80, .1, 0, 0,
	    { NAN, 3 * MIB, 4 * MIB, 6 * MIB, 8 * MIB, 12 * MIB } },
	{ "short", "500 Mbit/s, 1 ms, queue 100 packets", 500e6, 1, NAN, 0, 0,
	    { 64 * KIB, 128 * KIB, 256 * KIB, 1 * MIB, NAN, 12 * MIB } },
	{ "near", "100 Mbit/s, 20 ms, queue 1 BDP", 100e6, 20, 1, 0, 0,
	    { 192 * KIB, 256 * KIB, 512 * KIB, 1 * MIB, NAN, 12 * MIB } },
	{ "far", "200 Mbit/s, 150 ms, queue 1 BDP, loss .03 %", 200e6, 150, 1, .0003, 0,
	    { NAN, 4 * MIB, 6 * MIB, 8 * MIB, 12 * MIB, 24 * MIB } },
	{ "radio", "80 Mbit/s, 30 ms, queue 1 BDP, loss .1 % in bursts", 80e6, 30, 1, .001, 4,
	    { 256 * KIB, 512 * KIB, 1 * MIB, NAN, 4 * MIB, 12 * MIB } },
};

const struct lab_path *
path_named(const char *name)
{
	for (size_t i = 0; i < PATHS; i++)
		if (strcmp(lab_paths[i].name, name) == 0)
			return &lab_paths[i];
	return NULL;
}

double
path_bdp_bytes(const struct lab_path *p)
{
	return p->rate_bps / 8 * p->rtt_ms / 1e3;
}

double
path_warmup_s(const struct lab_path *p)
{
	return fmax(2, 12 * p->rtt_ms / 1e3 + .5) + (p->loss > 0 && p->rtt_ms > SHORT_RTT_MS ? LOSSY_WARMUP_S : 0);
}

double
path_count_s(const struct lab_path *p)
{
	return fmax(3, 15 * p->rtt_ms / 1e3);
}

double
path_trial_s(const struct lab_path *p)
{
	return path_warmup_s(p) + path_count_s(p) + AROUND_S;
}

bool
path_max_bytes(struct arena *a, double window_bytes, double *max_bytes, struct err *e)
{
	struct profile *p;

	if (!profile_for(a, "Linux", &p, e))
		return false;
	for (size_t i = 0; i < p->n_windows; i++) {
		if (p->windows[i].direction != DIR_SEND)
			continue;
		*max_bytes = kernel_max_bytes(&p->windows[i], window_bytes);
		return true;
	}
	return fail(e, ERR_FAILED, "the profile has no model of a sender");
}

/* ---- the lab --------------------------------------------------------------------------------- */

/* Gilbert-Elliott, so that the mean is the path's: every other segment of a burst is lost. */
static void
set_bursts(struct lab_link *l, const struct lab_path *p)
{
	double bad = p->loss / LOST_IN_BURST; /* share of the segments that fall into bursts */

	l->loss_model = LOSS_GILBERT_ELLIOTT;
	l->loss = LOST_IN_BURST;
	l->p_good = 1 / p->burst_segments;
	l->p_bad = l->p_good * bad / (1 - bad);
}

static void
set_loss(struct lab_link *l, const struct lab_path *p)
{
	l->loss = p->loss;
	l->loss_model = p->loss > 0 ? LOSS_BERNOULLI : LOSS_NONE;
	if (p->burst_segments > 0)
		set_bursts(l, p);
}

bool
path_lab_up(struct arena *a, const struct lab_path *p, struct path_lab *out, struct err *e)
{
	struct lab_spec s = lab_default();
	const char *cc;

	*out = (struct path_lab){ .arena = a, .path = p, .server = -1, .prober = -1,
		.prober_fd = -1, .idle_rtt_ms = NAN };
	out->name = arena_printf(a, "bars-%s-%ld", p->name, (long)getpid());
	lab_sweep(a, arena_printf(a, "bars-%s-", p->name));
	s.name = out->name;
	s.rtt_ms = p->rtt_ms;
	s.start = "linux-6.18";
	s.open_b = true;
	s.tied = true;
	for (int i = 0; i < 2; i++) {
		s.link[i].rate_bps = p->rate_bps;
		s.link[i].queue = isnan(p->queue_bdp) ? 100 : p->queue_bdp;
		s.link[i].queue_unit = isnan(p->queue_bdp) ? QUEUE_PACKETS : QUEUE_BDP;
		set_loss(&s.link[i], p);
	}
	return lab_up(a, &s, &cc, e);
}

void
path_lab_down(struct path_lab *l)
{
	struct err e = { ERR_NONE, "" };

	path_prober_end(l);
	if (!lab_down(l->arena, l->name, &e))
		fprintf(stderr, "%s: %s\n", l->path->name, e.text);
}

const char *
path_lab_health(struct path_lab *l, double *late_us)
{
	const char *words;
	struct lab_stats stats[2];
	struct err e = { ERR_NONE, "" };

	*late_us = lab_stats(l->arena, l->name, stats, &e) ? stats[0].lateness_us : NAN;
	return lab_health(l->arena, l->name, "this bench", &words, &e) ? words : NULL;
}

/* Its first line says that it listens; the token is in its environment. */
static bool
start_server(struct path_lab *l, struct err *e)
{
	const char *argv[] = { PATHTUNE, "serve", "--token-env", "--once", "-q", NULL };
	struct pollfd p[2] = { { -1, POLLIN, 0 }, { stop_fd(), POLLIN, 0 } };
	char line[256];
	int fds[2];
	bool ok;

	setenv("PATHTUNE_TOKEN", "token-of-the-path-benches", 1);
	if (pipe(fds) != 0)
		return fail(e, ERR_FAILED, "pipe: %s", strerror(errno));
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	ok = lab_spawn(l->arena, l->name, 'b', argv, fds[1], &l->server, e);
	close(fds[1]);
	p[0].fd = fds[0];
	if (ok && (poll(p, 2, READY_MS) <= 0 || stop_requested() ||
		read(fds[0], line, sizeof(line)) <= 0))
		ok = fail(e, stop_requested() ? ERR_STOPPED : ERR_FAILED, "%s", stop_requested() ?
		    "stopped by a signal" : "the server in the lab did not start");
	close(fds[0]);
	return ok;
}

static void
reap(pid_t *pid)
{
	while (*pid > 0 && waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	*pid = -1;
}

/* It ends by itself once its run is over; one that had none is told to. */
static void
end_server(struct path_lab *l)
{
	const struct timespec while_ending = { 0, 50000000 };

	for (int i = 0; i < 40 && l->server > 0; i++) {
		if (waitpid(l->server, NULL, WNOHANG) == l->server)
			l->server = -1;
		else
			nanosleep(&while_ending, NULL);
	}
	if (l->server > 0)
		kill(l->server, SIGTERM);
	reap(&l->server);
}

/* ---- the prober: a child in namespace a ------------------------------------------------------ */

struct request {
	char value[3][TEXT]; /* of the knobs below; empty: as found */
	char cc[TEXT];
	double warmup_s, count_s;
};

struct answer {
	bool ok;
	struct err e;
	double idle_rtt_ms;
	struct path_trial trial;
	char why[TEXT]; /* trial.why does not cross processes */
};

static const char *const knob_files[3] = { "/proc/sys/net/ipv4/tcp_wmem",
	"/proc/sys/net/ipv4/tcp_rmem", "/proc/sys/net/ipv4/tcp_notsent_lowat" };

struct prober {
	struct arena *arena;
	struct host *host;
	struct session *session;
	const char *found[3];
};

static bool
set_values(struct prober *p, const struct request *r, struct err *e)
{
	static const char *const flush[] = { "ip", "tcp_metrics", "flush", NULL };
	struct command c = { .argv = flush };
	struct knob_value v[3];
	struct output o;

	for (size_t i = 0; i < NELEM(v); i++)
		v[i] = (struct knob_value){ .name = knob_files[i], .file = knob_files[i],
			.text = *r->value[i] != '\0' ? r->value[i] : p->found[i] };
	if (!knobs_set(p->host, p->arena, v, NELEM(v), e) ||
	    !host_run(p->host, p->arena, &c, 1, &o, e))
		return false;
	return o.status == 0 || fail(e, ERR_FAILED, "the path metrics cache cannot be emptied: %s",
	    o.why == NULL ? "ip failed" : o.why);
}

static bool
probe_once(struct prober *p, const struct request *r, struct answer *out, struct err *e)
{
	struct flow_spec f = { .direction = DIR_SEND, .streams = 1, .warmup_s = r->warmup_s,
		.duration_s = r->count_s, .cc = r->cc };
	struct trial t;

	record_init(&trial_record, &t);
	if (!set_values(p, r, e) || !peer_measure(p->session, p->arena, &f, NULL, &t, e))
		return false;
	snprintf(out->why, sizeof(out->why), "%s", t.why == NULL ? "" : t.why);
	out->trial = (struct path_trial){ t.status, NULL, t.goodput_bps, t.rtt.loaded_ms,
		t.retransmits, t.inflight_bytes, t.rwnd_limited, t.sndbuf_limited };
	return true;
}

static bool
probe_begin(struct prober *p, const struct lab_state *lab, struct answer *out, struct err *e)
{
	const char *token;

	if (!ns_enter((pid_t)lab->owner, (int)lab->net[0], lab->user, e) ||
	    !host_open(p->arena, "local", &p->host, e))
		return false;
	for (size_t i = 0; i < NELEM(knob_files); i++) {
		const struct knob_value v = { .name = knob_files[i], .file = knob_files[i] };

		if (!knobs_read(p->host, p->arena, &v, 1, &p->found[i], e))
			return false;
	}
	return peer_token_env(&token, e) &&
	    peer_open(p->arena, LAB_ADDRESS_B, token, &p->session, e) &&
	    peer_idle_rtt(p->session, 5, &out->idle_rtt_ms, e);
}

/* Answers one message with one, until nobody asks any more; the first tells that it is ready. */
_Noreturn static void
prober_main(const struct lab_state *lab, int fd)
{
	static const struct request as_found;
	struct arena *a = arena_new();
	struct prober p = { .arena = a };
	struct answer out = { .ok = false };
	struct request r;

	out.ok = probe_begin(&p, lab, &out, &out.e);
	while (send(fd, &out, sizeof(out), MSG_NOSIGNAL) == (ssize_t)sizeof(out) && out.ok &&
	    recv(fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r)) {
		memset(&out, 0, sizeof(out));
		out.ok = probe_once(&p, &r, &out, &out.e);
	}
	if (p.session != NULL)
		set_values(&p, &as_found, &out.e);
	peer_close(p.session);
	arena_free(a);
	_exit(0);
}

static bool
hear_answer(struct path_lab *l, struct answer *out, struct err *e)
{
	ssize_t n;

	do {
		/* A signal that only we heard; the prober has its own memory of them. */
		if (stop_requested())
			kill(l->prober, SIGTERM);
		n = recv(l->prober_fd, out, sizeof(*out), 0);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*out))
		return fail(e, ERR_FAILED, "the prober in the lab ended");
	return out->ok || fail(e, out->e.code, "%s", out->e.text);
}

bool
path_prober_start(struct path_lab *l, struct err *e)
{
	struct lab_state *lab;
	struct answer out;
	int fd[2];

	if (!state_find(l->arena, l->name, &lab, NULL, NULL, e) || !start_server(l, e))
		return false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return fail(e, ERR_FAILED, "socketpair: %s", strerror(errno));
	fflush(stdout);
	l->prober = fork();
	if (l->prober == 0) {
		close(fd[0]);
		prober_main(lab, fd[1]);
	}
	close(fd[1]);
	l->prober_fd = fd[0];
	if (l->prober < 0)
		return fail(e, ERR_FAILED, "fork: %s", strerror(errno));
	if (!hear_answer(l, &out, e))
		return false;
	l->idle_rtt_ms = out.idle_rtt_ms;
	return true;
}

bool
path_prober_measure(struct path_lab *l, const struct path_setting *s, struct path_trial *t,
    struct err *e)
{
	const char *text[3] = { s->wmem, s->rmem, s->notsent };
	struct request r = { .warmup_s = path_warmup_s(l->path), .count_s = path_count_s(l->path) };
	struct answer out;

	for (size_t i = 0; i < NELEM(text); i++)
		snprintf(r.value[i], TEXT, "%s", text[i] == NULL ? "" : text[i]);
	snprintf(r.cc, TEXT, "%s", s->cc == NULL ? PATH_START_CC : s->cc);
	if (send(l->prober_fd, &r, sizeof(r), MSG_NOSIGNAL) != (ssize_t)sizeof(r))
		return fail(e, ERR_FAILED, "the prober in the lab ended");
	if (!hear_answer(l, &out, e))
		return false;
	*t = out.trial;
	t->why = *out.why == '\0' ? NULL : arena_strdup(l->arena, out.why);
	return true;
}

void
path_prober_end(struct path_lab *l)
{
	if (l->prober_fd >= 0)
		close(l->prober_fd);
	l->prober_fd = -1;
	reap(&l->prober);
	end_server(l);
}

/* ---- tune ------------------------------------------------------------------------------------ */

bool
path_lab_tune(struct path_lab *l, const char *const *flags, const char *save, const char *log,
    double *seconds, struct err *e)
{
	const char *argv[MOST_FLAGS + 16] = { PATHTUNE, "tune", "--peer", LAB_ADDRESS_B,
		"--direction", "send", "--start-cc", PATH_START_CC, "-q", "--save", save };
	int status, fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	double began = flow_clock_s();
	size_t n = 11;
	pid_t pid;
	bool ok;

	if (fd < 0)
		return fail(e, ERR_FAILED, "%s: %s", log, strerror(errno));
	fprintf(stderr, "%s: tune, into %s\n", l->path->name, save);
	for (size_t i = 0; flags != NULL && flags[i] != NULL && i < MOST_FLAGS; i++)
		argv[n++] = flags[i];
	ok = start_server(l, e) && lab_spawn(l->arena, l->name, 'a', argv, fd, &pid, e) &&
	    lab_wait(l->arena, l->name, pid, &status, e);
	close(fd);
	end_server(l);
	*seconds = flow_clock_s() - began;
	if (ok && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		return fail(e, stop_requested() ? ERR_STOPPED : ERR_FAILED, "tune ended with %d, see %s",
		    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), log);
	return ok;
}

/* ---- all paths ------------------------------------------------------------------------------- */

static bool
reap_one(void)
{
	int status;
	pid_t pid;

	do
		pid = waitpid(-1, &status, 0);
	while (pid < 0 && errno == EINTR);
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
paths_each(const struct lab_path *const *paths, size_t n, unsigned jobs,
    bool (*run)(const struct lab_path *p, void *arg), void *arg)
{
	pid_t self = getpid();
	unsigned running = 0;
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		pid_t pid;

		if (running == jobs && running-- != 0)
			ok &= reap_one();
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
#ifdef PR_SET_PDEATHSIG
			prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
			if (getppid() != self || !stop_install())
				_exit(1);
			ok = run(paths[i], arg);
			fflush(stdout);
			_exit(ok ? 0 : 1);
		}
		running += pid > 0;
		ok &= pid > 0;
	}
	while (running-- != 0)
		ok &= reap_one();
	return ok;
}
