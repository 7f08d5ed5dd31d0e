/*
 * kills: does a host come back, whenever and however a run is killed?
 *
 * usage: kills [N [LABS [PART [COMMAND]]]]   1000 kills, tune in 6 labs by default; needs what a lab
 * needs, on Linux, and root.  PART: steps, tune, apply or all; COMMAND: of apply and its steps only
 * those that begin like this.
 *
 * tune: N / 2 runs, each killed at a random moment by SIGKILL, SIGTERM, SIGINT, SIGHUP, or with its
 * whole process group; four of five wait until a value differs from what it was.
 * apply: as many of apply, apply --confirm, confirm and revert, also with their guards.  They are over
 * in milliseconds, so they are killed at a system call that is drawn by lot, or shortly after it.
 * steps: set, persist and restore, and the same commands, killed after each of their system calls in
 * turn.
 * After every kill all values and files must be as before or, for what persists, as after; never in
 * between.  Prints counts; the exit status is 1 on any violation, or when fewer than 70 of 100 kills
 * hit while something differed.
 */
#include "kills.h"

#include "probes/files.h"
#include "probes/lab.h"
#include "probes/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUN_BYTES ((size_t)64 << 20)
#define TOKEN "0123456789abcdef0123"
#define LABS_MAX 16
#define DIFFER_MS 20000 /* so long is waited for a value to differ */
#define ANY_MS 600      /* and among others a run is killed within so long */
#define GUARD_MS 60000  /* and so long for a guard to be done: more is a violation */

/*
 * A command that is killed.  "@" is pathtune, "%" a run file that is as it was for each run: that of
 * a tune that was stopped once a value differed, so that the next goes on there at once.
 */
static const struct subject {
	const char *name;
	const char *argv[12];
	bool server;    /* it measures: a server is started in b for each run */
	int spread_ms;  /* how long after a value differs it may be killed */
} subjects[] = {
	{ "tune", { "@", "tune", "--peer", LAB_ADDRESS_B, "--resume", "%", "-q" }, true, 1200 },
};

#define N_HOW KILLS_BOTH /* what a tune and its guard leave is in kills_steps.c */

enum phase { PHASE_UNARMED, PHASE_ARMED, PHASE_DIFFERS, PHASE_ENDED, N_PHASE };
static const char *const phase_names[] = { "not armed", "armed", "differs", "had ended" };

struct counts {
	unsigned long done[NELEM(subjects)][N_HOW][N_PHASE];
	unsigned long violations, failures;
	unsigned long age_ms; /* sum, of the runs that were killed */
};

struct worker {
	struct arena *a;
	const char *lab;
	char journal_dir[512];
	const char *run, *copy; /* run files */
	int knob[KILLS_KNOBS];
	int null;
	char original[KILLS_STATE];
	unsigned long long random;
	struct counts *counts;
};

static double
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static unsigned
draw(struct worker *w, unsigned below)
{
	w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)((w->random >> 33) % below);
}

/* ---- a lab ---------------------------------------------------------------------------------- */

static void
add(struct counts *c, unsigned long *n, const char *words, const char *detail)
{
	(void)c;
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
	fprintf(stderr, "kills: %s: %s\n", words, detail);
}

/* The argv as it is started: in a process group of its own, and without its stderr. */
static const char **
own_group(struct arena *a, const char *const *argv, const char *run)
{
	const char **made = arena_array(a, 16, sizeof(*made));
	size_t n = 2;

	made[0] = "/proc/self/exe";
	made[1] = "--group";
	for (size_t i = 0; argv[i] != NULL; i++)
		made[n++] = strcmp(argv[i], "@") == 0 ? PATHTUNE :
		    strcmp(argv[i], "%") == 0 ? run : argv[i];
	return made;
}

static bool
start_server(struct worker *w, struct arena *a, pid_t *pid, struct err *e)
{
	static const char *const serve[] = { "@", "serve", "--token-env", NULL };
	char line[256];
	int ends[2];
	bool ok;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(e, ERR_FAILED, "pipe: %s", strerror(errno));
	ok = lab_spawn(a, w->lab, 'b', own_group(a, serve, NULL), ends[1], pid, e);
	close(ends[1]);
	ok = ok && (read(ends[0], line, sizeof(line)) > 0 ||
	    fail(e, ERR_FAILED, "the server does not start"));
	close(ends[0]);
	return ok;
}

static bool
has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) != 0 ||
	    info.si_pid == pid;
}

static bool
differs(struct worker *w)
{
	char now[KILLS_STATE];

	return strcmp(kills_state(w->knob, NULL, 0, now), w->original) != 0;
}

static void
await_difference(struct worker *w, pid_t pid)
{
	double until = clock_ms() + DIFFER_MS;

	while (!differs(w) && !has_ended(pid) && clock_ms() < until)
		poll(NULL, 0, 2);
}

/* The run file of a tune that is stopped once a value differs. */
static bool
make_run(struct worker *w, struct err *e)
{
	const char *const argv[] = { "@", "tune", "--peer", LAB_ADDRESS_B, "--quick", "--direction",
		"send", "--start-cc", "cubic", "-q", "--save", "%", NULL };
	pid_t server, pid;
	int status;

	w->run = arena_printf(w->a, "%s.run", w->journal_dir);
	w->copy = arena_printf(w->a, "%s.copy", w->journal_dir);
	if (!start_server(w, w->a, &server, e) ||
	    !lab_spawn(w->a, w->lab, 'a', own_group(w->a, argv, w->run), w->null, &pid, e))
		return false;
	await_difference(w, pid);
	kill(pid, SIGINT);
	waitpid(pid, &status, 0);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return access(w->run, R_OK) == 0 || fail(e, ERR_FAILED, "no run file was saved");
}

/* The knobs of side a, opened there: what is read from them is that namespace's for good. */
static bool
open_lab(struct worker *w, unsigned i, struct err *e)
{
	static const char *const idle[] = { "sleep", "infinity", NULL };
	struct lab_spec s = lab_default();
	struct lab_info *info;
	const char *cc;
	size_t n;
	pid_t pid;
	bool ok;

	w->lab = arena_printf(w->a, "kills-%ld-%u", (long)getpid(), i);
	s.name = w->lab;
	s.link[0].rate_bps = s.link[1].rate_bps = 50e6;
	s.rtt_ms = 5;
	s.start = "bsd-256k";
	s.open_b = true;
	s.tied = true;
	if (!lab_up(w->a, &s, &cc, e) || !lab_list(w->a, w->lab, &info, &n, e) || n != 1 ||
	    !lab_spawn(w->a, w->lab, 'a', idle, -1, &pid, e))
		return false;
	snprintf(w->journal_dir, sizeof(w->journal_dir), "%s/journal", info->state_dir);
	ok = kills_open(pid, w->knob) || fail(e, ERR_FAILED, "the lab's knobs: %s",
	    strerror(errno));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	kills_state(w->knob, NULL, 0, w->original);
	return ok && make_run(w, e);
}

/* ---- one kill ------------------------------------------------------------------------------- */


/* Four of five moments lie where a value differs, the others anywhere. */
static void
await_moment(struct worker *w, const struct subject *s, pid_t pid)
{
	if (draw(w, 5) == 0) {
		poll(NULL, 0, (int)draw(w, ANY_MS));
		return;
	}
	await_difference(w, pid);
	poll(NULL, 0, (int)draw(w, (unsigned)s->spread_ms));
}

static enum phase
phase_of(struct worker *w, pid_t pid)
{
	char journal[600];

	if (has_ended(pid))
		return PHASE_ENDED;
	if (differs(w))
		return PHASE_DIFFERS;
	return kills_journal(w->journal_dir, journal, sizeof(journal)) ? PHASE_ARMED :
	    PHASE_UNARMED;
}

/* What is wrong with the host; NULL: nothing. */
static const char *
judge(struct worker *w, struct arena *a)
{
	char now[KILLS_STATE], journal[600];

	if (!kills_await_guard(w->journal_dir, GUARD_MS))
		return "the guard is not done";
	if (kills_journal(w->journal_dir, journal, sizeof(journal)))
		return "a journal is left";
	if (strcmp(kills_state(w->knob, NULL, 0, now), w->original) != 0)
		return arena_printf(a, "values are %s", now);
	return NULL;
}

static void
kill_once(struct worker *w, size_t subject)
{
	struct arena *a = arena_new();
	const struct subject *s = &subjects[subject];
	enum kills_how how = (enum kills_how)draw(w, N_HOW);
	struct err e = { 0 };
	pid_t server = -1, pid;
	enum phase phase;
	const char *wrong, *text;
	double started;
	size_t len;

	if (s->server && !start_server(w, a, &server, &e)) {
		add(w->counts, &w->counts->failures, w->lab, e.text);
		goto out;
	}
	unlink(w->copy);
	if (!files_read(a, w->run, RUN_BYTES, &text, &len, &e) ||
	    !files_write(w->copy, text, len, 0600, &e)) {
		add(w->counts, &w->counts->failures, w->lab, e.text);
		goto server;
	}
	started = clock_ms();
	if (!lab_spawn(a, w->lab, 'a', own_group(a, s->argv, w->copy), w->null, &pid, &e)) {
		add(w->counts, &w->counts->failures, w->lab, e.text);
		goto server;
	}
	await_moment(w, s, pid);
	phase = phase_of(w, pid);
	kill(how == KILLS_GROUP ? -pid : pid, kills_how_signal[how]);
	__atomic_add_fetch(&w->counts->age_ms, (unsigned long)(clock_ms() - started),
	    __ATOMIC_RELAXED);
	waitpid(pid, NULL, 0);
	wrong = judge(w, a);
	__atomic_add_fetch(&w->counts->done[subject][how][phase], 1, __ATOMIC_RELAXED);
	if (wrong != NULL)
		add(w->counts, &w->counts->violations, arena_printf(a, "%s, %s, %s", s->name,
		    kills_how_names[how], phase_names[phase]), wrong);
server:
	if (server != -1) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
out:
	arena_free(a);
}

static int
work(unsigned i, unsigned kills, struct counts *counts)
{
	struct worker w = { .a = arena_new(), .counts = counts, .random = 7919 * (i + 1),
		.null = open("/dev/null", O_WRONLY | O_CLOEXEC) };
	struct err e = { 0 };

	if (!open_lab(&w, i, &e)) {
		fprintf(stderr, "kills: %s\n", e.text);
		return 1;
	}
	for (size_t s = 0; s < NELEM(subjects); s++)
		for (unsigned k = 0; k < kills; k++)
			kill_once(&w, s);
	lab_down(w.a, w.lab, &e);
	arena_free(w.a);
	return 0;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static bool
print(const struct counts *c)
{
	unsigned long sum[N_PHASE] = { 0 }, all = 0;

	for (size_t s = 0; s < NELEM(subjects); s++) {
		printf("%-22s", subjects[s].name);
		for (int p = 0; p < N_PHASE; p++)
			printf("%12s", phase_names[p]);
		printf("\n");
		for (int h = 0; h < N_HOW; h++) {
			printf("  %-20s", kills_how_names[h]);
			for (int p = 0; p < N_PHASE; p++) {
				printf("%12lu", c->done[s][h][p]);
				sum[p] += c->done[s][h][p];
				all += c->done[s][h][p];
			}
			printf("\n");
		}
	}
	printf("%lu kills, %lu while a value differed, after %.1f s on average; %lu violations, "
	    "%lu runs that did not start\n", all, sum[PHASE_DIFFERS],
	    all == 0 ? 0 : (double)c->age_ms / 1e3 / (double)all, c->violations, c->failures);
	return c->violations == 0 && c->failures == 0 && sum[PHASE_DIFFERS] * 100 >= all * 70;
}

static bool
random_kills(unsigned kills, unsigned labs)
{
	struct counts *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[LABS_MAX];
	bool ok = c != MAP_FAILED;
	int status;

	for (unsigned i = 0; ok && i < labs; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			_exit(work(i, kills / labs + (i < kills % labs), c));
		}
	}
	for (unsigned i = 0; ok && i < labs; i++) {
		waitpid(pid[i], &status, 0);
		if (status != 0)
			__atomic_add_fetch(&c->failures, 1, __ATOMIC_RELAXED);
	}
	return ok && print(c);
}

static bool
is_wanted(const char *asked, const char *part)
{
	return strcmp(asked, "all") == 0 || strcmp(asked, part) == 0;
}

int
main(int argc, char **argv)
{
	unsigned kills = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	unsigned labs = argc > 2 ? (unsigned)atoi(argv[2]) : 6;
	const char *part, *scene;
	bool ok = true;

	if (argc > 2 && strcmp(argv[1], "--group") == 0) {
		setpgid(0, 0);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO); /* as expected, a lot */
		execv(argv[2], argv + 2);
		return 127;
	}
	part = argc > 3 ? argv[3] : "all";
	scene = argc > 4 ? argv[4] : NULL;
	if (labs == 0 || labs > LABS_MAX || kills / 2 < labs)
		return fprintf(stderr, "usage: kills [N [LABS [PART [COMMAND]]]]\n"), 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("PATHTUNE_TOKEN", TOKEN, 1);
	if (is_wanted(part, "steps")) {
		ok = (scene != NULL || kills_steps()) && ok;
		ok = kills_apply_steps(scene) && ok;
	}
	if (is_wanted(part, "tune"))
		ok = random_kills(kills / 2, labs) && ok;
	if (is_wanted(part, "apply"))
		ok = kills_apply(kills - kills / 2, scene) && ok;
	return ok ? 0 : 1;
}
