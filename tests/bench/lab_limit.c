#include "lab_limit.h"

#include "probes/files.h"
#include "probes/lab.h"
#include "probes/lab_ns.h"
#include "probes/lab_state.h"
#include "probes/endpoint.h"
#include "probes/peer.h"
#include "probes/stop.h"
#include "tuner/kernel.h"
#include "tuner/limiter.h"
#include "tuner/pipeline_path.h"
#include "tuner/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TOKEN "token-of-the-limit-bench"
#define OPEN_BYTES (64.0 * 1024 * 1024)
#define LARGE 65536     /* a payload's read or write, no message's */
#define GULP 16384.0
#define WARMUP_S 1.0    /* and a dozen RTTs */
#define COUNT_S 2.5

/* ---- an application that is slow ------------------------------------------------------------- */

static double slow_bps, gulp_bytes;

ssize_t __real_send(int fd, const void *p, size_t n, int flags);
ssize_t __real_recv(int fd, void *p, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags);

static void
work(ssize_t bytes)
{
	double s = (double)bytes * 8 / slow_bps;
	struct timespec t = { (time_t)s, (long)((s - floor(s)) * 1e9) };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static bool
slow(size_t n)
{
	return slow_bps > 0 && n >= LARGE;
}

ssize_t
__wrap_send(int fd, const void *p, size_t n, int flags)
{
	ssize_t did = __real_send(fd, p, slow(n) ? (size_t)gulp_bytes : n, flags);

	if (did > 0 && slow(n))
		work(did);
	return did;
}

ssize_t
__wrap_recv(int fd, void *p, size_t n, int flags)
{
	ssize_t did = __real_recv(fd, p, slow(n) ? (size_t)gulp_bytes : n, flags);

	if (did > 0 && slow(n))
		work(did);
	return did;
}

/* The server sends by the system's default, which differs from machine to machine. */
int __real_accept(int fd, struct sockaddr *from, socklen_t *len);
int __wrap_accept(int fd, struct sockaddr *from, socklen_t *len);

int
__wrap_accept(int fd, struct sockaddr *from, socklen_t *len)
{
	struct err ignored = { .code = ERR_NONE };
	int got = __real_accept(fd, from, len);

	if (got != -1)
		(void)flow_set_cc(got, "cubic", &ignored);
	return got;
}

/* ---- an end that gets little CPU ------------------------------------------------------------- */

static bool
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd != -1)
		close(fd);
	return ok;
}

static const char *
group_dir(struct arena *a)
{
	static const char *const tops[] = { "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct",
		"/sys/fs/cgroup" };
	static unsigned made;

	for (size_t i = 0; i < NELEM(tops); i++) {
		if (access(arena_printf(a, "%s/cgroup.procs", tops[i]), W_OK) == 0)
			return arena_printf(a, "%s/pathtune-limit-%ld-%u", tops[i], (long)getpid(), made++);
	}
	return NULL;
}

/* A group of ours with this share of a core; NULL: none can be made here. */
static const char *
group_make(struct arena *a, double share)
{
	const char *dir = group_dir(a);

	if (dir == NULL || mkdir(dir, 0755) != 0)
		return NULL;
	if (put(arena_printf(a, "%s/cpu.max", dir), arena_printf(a, "%.0f 100000", share * 1e5)) ||
	    (put(arena_printf(a, "%s/cpu.cfs_period_us", dir), "100000") &&
		put(arena_printf(a, "%s/cpu.cfs_quota_us", dir), arena_printf(a, "%.0f", share * 1e5))))
		return dir;
	rmdir(dir);
	return NULL;
}

static pid_t
fork_tied(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

/* Both on one core, and only one of them is served there when it wants to be. */
static bool
rival(pid_t *pid)
{
	struct sched_param none = { 0 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		return false;
	*pid = fork_tied();
	if (*pid == 0) {
		(void)setpriority(PRIO_PROCESS, 0, 0); /* its rival is us alone */
		for (;;)
			;
	}
	return *pid > 0 && sched_setscheduler(0, SCHED_IDLE, &none) == 0;
}

/* ---- the two ends ---------------------------------------------------------------------------- */

struct answer {
	bool ok;
	struct err e;
	struct trial trial;
	struct path_fact path;
	double intervals_bps[256];
};

struct running {
	struct arena *a;
	const struct limit_case *c;
	const struct lab_state *lab;
	const char *group[2];
	double window_bytes;
	pid_t server;
};

static bool
knob(struct arena *a, const char *name, double most)
{
	double bytes = most > 0 ? most : OPEN_BYTES;

	return put(arena_printf(a, "/proc/sys/net/ipv4/%s", name), arena_printf(a, "4096 %.0f %.0f",
	    fmin(bytes, strcmp(name, "tcp_rmem") == 0 ? 131072 : 16384), bytes));
}

/* Within the namespace, with the values of this end and what holds it back. */
static bool
enter(struct running *r, enum limit_end end, struct err *e)
{
	const struct limit_case *c = r->c;
	pid_t hog = -1;

	/* Before /sys is another one. */
	if (r->group[end] != NULL && !put(arena_printf(r->a, "%s/cgroup.procs", r->group[end]),
	    arena_printf(r->a, "%ld", (long)getpid())))
		return fail(e, ERR_FAILED, "cannot enter the control group");
	if (!ns_enter((pid_t)r->lab->owner, (int)r->lab->net[end], r->lab->user, e))
		return false;
	if (!knob(r->a, "tcp_wmem", c->send_max[end]) ||
	    !knob(r->a, "tcp_rmem", c->receive_max[end]))
		return fail(e, ERR_FAILED, "cannot set the values of an end");
	slow_bps = c->slow_bps[end];
	gulp_bytes = c->gulp_bytes > 0 ? c->gulp_bytes : GULP;
	if (c->cpu[end] == CPU_RIVAL && !rival(&hog))
		return fail(e, ERR_FAILED, "cannot be made to wait for a core");
	return true;
}

static void
ready(void *arg, unsigned port, const char *token)
{
	(void)port;
	(void)token;
	if (write(*(int *)arg, "r", 1) != 1)
		_exit(1);
}

/* The server, in b; returns when it listens. */
static bool
serve(struct running *r, struct err *e)
{
	char byte;
	int fd[2];

	if (pipe(fd) != 0)
		return fail(e, ERR_FAILED, "pipe: %s", strerror(errno));
	r->server = fork_tied();
	if (r->server == 0) {
		struct serve_options o = { .token = TOKEN, .once = true, .max_time_s = 120,
			.max_bytes = NAN, .ready = ready, .arg = &fd[1] };
		struct err why = { .code = ERR_NONE };

		close(fd[0]);
		if (!enter(r, END_B, &why) || !peer_serve(&o, &why))
			fprintf(stderr, "%s: server: %s\n", r->c->name, why.text);
		_exit(0);
	}
	close(fd[1]);
	if (r->server < 0 || read(fd[0], &byte, 1) != 1)
		fail(e, ERR_FAILED, "the server in the lab did not start");
	close(fd[0]);
	return e->code == ERR_NONE;
}

static struct setting
setting_of(const struct running *r)
{
	const struct limit_case *c = r->c;

	return (struct setting){ .cc = c->direction == DIR_RECEIVE ? NULL :
		c->cc != NULL ? c->cc : "cubic", .window_bytes = r->window_bytes };
}

/* What tune does: a trial, and where that leaves questions, the path by other means. */
static bool
look(struct running *r, struct answer *out, struct err *e)
{
	const struct limit_case *c = r->c;
	enum direction d = c->direction == DIR_NONE ? DIR_SEND : c->direction;
	struct setting s = setting_of(r);
	struct flow_spec f = { .direction = d, .streams = 1,
		.warmup_s = WARMUP_S + 12 * c->rtt_ms / 1e3, .duration_s = COUNT_S, .cc = s.cc };
	struct path_ask ask = { .direction = d, .link_bps = NAN, .rtt_ms = c->rtt_ms, .cc = s.cc,
		.udp = true, .streams = true };
	struct endpoint_spec peer = { .peer = LAB_ADDRESS_B, .token = TOKEN };
	struct endpoint *session;
	struct side side;
	struct limit l;
	const char *why;
	bool ok;

	if (!host_open(r->a, "local", &peer.host, e) || !endpoint_open(r->a, &peer, &session, e))
		return false;
	record_init(&trial_record, &out->trial);
	ok = endpoint_measure(session, r->a, &f, NULL, &out->trial, e);
	out->trial.setting = s;
	l = limiter_name(r->a, NULL, &out->trial, 1, d, &s);
	ask.known_bps = out->trial.goodput_bps;
	side = (struct side){ s, out->trial.goodput_bps, out->trial.rtt.loaded_ms, NAN };
	if (ok && limiter_unsure(&l, &side, out->trial.rtt.idle_ms, NAN))
		ok = path_measure(session, r->a, &ask, &out->path, &why, e);
	endpoint_close(session);
	return ok;
}

_Noreturn static void
look_main(struct running *r, int fd)
{
	static struct answer out;
	const char *bytes = (const char *)&out;

	record_init(&path_fact_record, &out.path);
	out.ok = enter(r, END_A, &out.e) && look(r, &out, &out.e);
	for (size_t i = 0; i < out.trial.n_intervals_bps && i < NELEM(out.intervals_bps); i++)
		out.intervals_bps[i] = out.trial.intervals_bps[i];
	for (size_t done = 0; done < sizeof(out);) {
		ssize_t n = write(fd, bytes + done, sizeof(out) - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	_exit(0);
}

static bool
look_from(struct running *r, struct answer *out, struct err *e)
{
	int fd[2];
	size_t got = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(fd) != 0)
		return fail(e, ERR_FAILED, "pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork_tied();
	if (pid == 0) {
		close(fd[0]);
		look_main(r, fd[1]);
	}
	close(fd[1]);
	while (got < sizeof(*out) &&
	    ((n = read(fd[0], (char *)out + got, sizeof(*out) - got)) > 0 || errno == EINTR))
		got += n > 0 ? (size_t)n : 0;
	close(fd[0]);
	waitpid(pid, NULL, 0);
	if (got != sizeof(*out))
		return fail(e, ERR_FAILED, "the client in the lab ended");
	return out->ok || fail(e, out->e.code, "%s", out->e.text);
}

/* ---- one case -------------------------------------------------------------------------------- */

static bool
window_of(struct arena *a, const struct limit_case *c, double *bytes, struct err *e)
{
	enum direction d = c->direction == DIR_NONE ? DIR_SEND : c->direction;
	double most = d == DIR_SEND ? c->send_max[END_A] : c->receive_max[END_A];
	const struct window_model *m;
	struct profile *p;

	if (!profile_for(a, "Linux", &p, e))
		return false;
	m = profile_window(p, d, "6.18", NULL);
	if (m == NULL)
		return fail(e, ERR_FAILED, "the profile has no model of a window");
	*bytes = kernel_window_bytes(m, most > 0 ? most : OPEN_BYTES);
	return true;
}

static bool
make_lab(struct arena *a, const struct limit_case *c, const char *lab, struct err *e)
{
	struct lab_spec s = lab_default();
	const char *cc;

	s.name = lab;
	s.rtt_ms = c->rtt_ms;
	s.start = "linux-6.18";
	s.tied = true;
	for (int i = 0; i < 2; i++) {
		bool data = i == (c->direction == DIR_RECEIVE);

		s.link[i].rate_bps = c->rate_bps;
		s.link[i].queue_unit = QUEUE_BDP;
		s.link[i].queue = data ? c->queue_bdp : 1;
		s.link[i].loss = data ? c->loss : 0;
		s.link[i].loss_model = data && c->loss > 0 ? LOSS_BERNOULLI : LOSS_NONE;
		s.link[i].police_bps = data ? c->police_bps : 0;
		s.link[i].police_burst_bytes = data ? fmax(c->police_bps / 8 * .1, 15000) : 0;
	}
	return lab_up(a, &s, &cc, e);
}

/* Not by a signal that it hears: what its handler writes would reach all who came of the fork. */
static void
reap(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* A process that was told to end may still be in it. */
static void
group_end(const char *dir)
{
	const struct timespec a_while = { 0, 20000000 };

	for (int i = 0; dir != NULL && rmdir(dir) != 0 && errno == EBUSY && i < 100; i++)
		nanosleep(&a_while, NULL);
}

static void
conclude(struct arena *a, const struct limit_case *c, struct running *r, const struct answer *got,
    struct limit_seen *out)
{
	struct setting s = setting_of(r);

	out->trial = got->trial;
	out->trial.intervals_bps = arena_array(a, NELEM(got->intervals_bps), sizeof(double));
	memcpy(out->trial.intervals_bps, got->intervals_bps, sizeof(got->intervals_bps));
	if (out->trial.n_intervals_bps > NELEM(got->intervals_bps))
		out->trial.n_intervals_bps = NELEM(got->intervals_bps);
	out->trial.why = NULL; /* of another process */
	out->trial.setting = s;
	out->path = got->path;
	out->probed = got->path.direction != DIR_NONE;
	out->window_bytes = r->window_bytes;
	out->limit = limiter_name(a, out->probed ? &out->path : NULL, &out->trial, 1,
	    c->direction == DIR_NONE ? DIR_SEND : c->direction, &s);
}

static bool
run_in(struct arena *a, struct running *r, const char *lab, struct limit_seen *out, struct err *e)
{
	struct answer *got = arena_alloc(a, sizeof(*got));
	struct lab_state *state;
	bool ok;

	if (!make_lab(a, r->c, lab, e))
		return false;
	ok = state_find(a, lab, &state, NULL, NULL, e);
	r->lab = state;
	ok = ok && serve(r, e) && look_from(r, got, e);
	reap(r->server);
	lab_down(a, lab, e);
	if (ok)
		conclude(a, r->c, r, got, out);
	return ok;
}

bool
limit_case_run(struct arena *a, const struct limit_case *c, struct limit_seen *out, struct err *e)
{
	struct running r = { .a = a, .c = c, .server = -1 };
	bool ok = true;

	*out = (struct limit_seen){ .window_bytes = NAN };
	signal(SIGPIPE, SIG_IGN);
	for (int end = END_A; end <= END_B; end++) {
		if (c->cpu[end] != CPU_GROUP)
			continue;
		r.group[end] = group_make(a, c->share[end]);
		if (r.group[end] == NULL) {
			out->skipped = true;
			out->why = "no control group with a share of the CPU can be made here";
			return true;
		}
	}
	ok = window_of(a, c, &r.window_bytes, e) &&
	    run_in(a, &r, arena_printf(a, "limit-%ld", (long)getpid()), out, e);
	group_end(r.group[END_A]);
	group_end(r.group[END_B]);
	return ok;
}
