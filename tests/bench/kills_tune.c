/*
 * tune killed at random moments, in labs of its own.
 */
#include "kills.h"

#include "probes/files.h"
#include "probes/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUN_BYTES ((size_t)64 << 20)
#define RUN_MS 2900     /* no run is killed later */
#define START_MS 1000   /* so soon a value is to differ */
#define RUNS 16         /* whether it does is drawn by lot with the run: so many are tried */
#define STOP_MS 20000   /* the first run, which is to be stopped once a value differs */
#define SPREAD_MS 1200  /* and so long after that it is killed, */
#define ANY_MS 600      /* or, one of five, so long after its start */
#define GUARD_MS 60000  /* and so long for a guard to be done: more is a violation */

/*
 * What is killed.  "@" is pathtune, "%" a run file that is as it was for each run: that of a tune
 * that was stopped once a value differed, so that the next goes on there at once.
 */
static const char *const tune[] = { "@", "tune", "--peer", LAB_ADDRESS_B, "--resume", "%", "-q",
	NULL };

#define N_HOW KILLS_BOTH /* what a tune and its guard leave is in kills_steps.c */

enum phase { PHASE_UNARMED, PHASE_ARMED, PHASE_DIFFERS, PHASE_ENDED, N_PHASE };
static const char *const phase_names[] = { "not armed", "armed", "differs", "had ended" };

struct counts {
	unsigned long done[N_HOW][N_PHASE];
	unsigned long violations, failures, healed;
	unsigned long age_ms, oldest_ms; /* of the runs that were killed: sum, most */
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

/* ---- counts that several processes share ---------------------------------------------------- */

static void
count(unsigned long *n, unsigned long more)
{
	__atomic_add_fetch(n, more, __ATOMIC_RELAXED);
}

static void
add(unsigned long *n, const char *words, const char *detail)
{
	count(n, 1);
	fprintf(stderr, "kills: %s: %s\n", words, detail);
}

static void
count_age(struct counts *c, unsigned long age_ms)
{
	unsigned long oldest = __atomic_load_n(&c->oldest_ms, __ATOMIC_RELAXED);

	count(&c->age_ms, age_ms);
	while (age_ms > oldest && !__atomic_compare_exchange_n(&c->oldest_ms, &oldest, age_ms, false,
	    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
}

/* ---- a lab ---------------------------------------------------------------------------------- */

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
await_difference(struct worker *w, pid_t pid, double until_ms)
{
	while (!differs(w) && !has_ended(pid) && clock_ms() < until_ms)
		poll(NULL, 0, 2);
}

/* The run is as it was in every copy, and so is what its next trial sets. */
static bool
copy_run(struct worker *w, struct arena *a, struct err *e)
{
	const char *text;
	size_t len;

	unlink(w->copy);
	return files_read(a, w->run, RUN_BYTES, &text, &len, e) &&
	    files_write(w->copy, text, len, 0600, e);
}

/* The run file of a tune that is stopped once a value differs. */
static bool
stop_run(struct worker *w, struct err *e)
{
	const char *const argv[] = { "@", "tune", "--peer", LAB_ADDRESS_B, "--quick", "--direction",
		"send", "--start-cc", "cubic", "-q", "--save", "%", NULL };
	pid_t server, pid;
	int status;

	unlink(w->run);
	if (!start_server(w, w->a, &server, e) ||
	    !lab_spawn(w->a, w->lab, 'a', own_group(w->a, argv, w->run), w->null, &pid, e))
		return false;
	await_difference(w, pid, clock_ms() + STOP_MS);
	kill(pid, SIGINT);
	waitpid(pid, &status, 0);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return access(w->run, R_OK) == 0 || fail(e, ERR_FAILED, "no run file was saved");
}

/* Does one that goes on with it begin with a trial that sets something? */
static bool
starts_soon(struct worker *w, bool *soon, struct err *e)
{
	double started = clock_ms();
	pid_t server, pid;

	if (!copy_run(w, w->a, e) || !start_server(w, w->a, &server, e) ||
	    !lab_spawn(w->a, w->lab, 'a', own_group(w->a, tune, w->copy), w->null,
	    &pid, e))
		return false;
	await_difference(w, pid, started + RUN_MS);
	*soon = clock_ms() - started < START_MS;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return kills_await_guard(w->journal_dir, GUARD_MS) ||
	    fail(e, ERR_FAILED, "the guard is not done");
}

/* On a machine that is too busy for it the last one is taken: fewer kills will hit. */
static bool
make_run(struct worker *w, struct err *e)
{
	bool soon = false;

	w->run = arena_printf(w->a, "%s.run", w->journal_dir);
	w->copy = arena_printf(w->a, "%s.copy", w->journal_dir);
	for (unsigned i = 0; i < RUNS && !soon; i++) {
		if (!stop_run(w, e) || !starts_soon(w, &soon, e))
			return false;
	}
	return true;
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
await_moment(struct worker *w, pid_t pid, double started)
{
	bool any = draw(w, 5) == 0;
	double after_ms = draw(w, any ? ANY_MS : SPREAD_MS), left_ms;

	if (!any)
		await_difference(w, pid, started + RUN_MS);
	left_ms = started + RUN_MS - clock_ms();
	if (left_ms > 0)
		poll(NULL, 0, (int)(after_ms < left_ms ? after_ms : left_ms));
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

/* The next command, whichever it is. */
static void
next_command(struct worker *w, struct arena *a)
{
	static const char *const check[] = { "@", "check", "-q", NULL };
	struct err e = { 0 };
	pid_t pid;

	if (lab_spawn(a, w->lab, 'a', own_group(a, check, NULL), w->null, &pid, &e))
		waitpid(pid, NULL, 0);
}

/* What is wrong with the host; NULL: nothing.  healed: the next command had to remove a journal. */
static const char *
judge(struct worker *w, struct arena *a, bool *healed)
{
	char now[KILLS_STATE], journal[600];

	*healed = false;
	if (!kills_await_guard(w->journal_dir, GUARD_MS))
		return "the guard is not done";
	if (strcmp(kills_state(w->knob, NULL, 0, now), w->original) != 0)
		return arena_printf(a, "values are %s", now);
	*healed = kills_journal(w->journal_dir, journal, sizeof(journal));
	if (!*healed)
		return NULL;
	next_command(w, a);
	if (kills_journal(w->journal_dir, journal, sizeof(journal)))
		return "a journal is left after the next command";
	if (strcmp(kills_state(w->knob, NULL, 0, now), w->original) != 0)
		return arena_printf(a, "after the next command values are %s", now);
	return NULL;
}

/* A run that was started: when it dies, and what is found then. */
static void
kill_run(struct worker *w, struct arena *a, pid_t pid, double started)
{
	enum kills_how how = (enum kills_how)draw(w, N_HOW);
	enum phase phase;
	const char *wrong;
	bool healed;

	await_moment(w, pid, started);
	phase = phase_of(w, pid);
	kill(how == KILLS_GROUP ? -pid : pid, kills_how_signal[how]);
	count_age(w->counts, (unsigned long)(clock_ms() - started));
	waitpid(pid, NULL, 0);
	wrong = judge(w, a, &healed);
	count(&w->counts->done[how][phase], 1);
	count(&w->counts->healed, healed);
	if (wrong != NULL)
		add(&w->counts->violations, arena_printf(a, "tune, %s, %s",
		    kills_how_names[how], phase_names[phase]), wrong);
}

static void
kill_once(struct worker *w)
{
	struct arena *a = arena_new();
	struct err e = { 0 };
	pid_t server = -1, pid;
	double started;
	bool ok;

	ok = start_server(w, a, &server, &e) && copy_run(w, a, &e);
	started = clock_ms();
	ok = ok && lab_spawn(a, w->lab, 'a', own_group(a, tune, w->copy), w->null, &pid, &e);
	if (ok)
		kill_run(w, a, pid, started);
	else
		add(&w->counts->failures, w->lab, e.text);
	if (server != -1) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
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
	for (unsigned k = 0; k < kills; k++)
		kill_once(&w);
	unlink(w.run);
	unlink(w.copy);
	if (!lab_down(w.a, w.lab, &e))
		fprintf(stderr, "kills: %s\n", e.text);
	arena_free(w.a);
	return 0;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static bool
print(const struct counts *c)
{
	unsigned long sum[N_PHASE] = { 0 }, all = 0;

	printf("%-22s", "tune");
	for (int p = 0; p < N_PHASE; p++)
		printf("%12s", phase_names[p]);
	printf("\n");
	for (int h = 0; h < N_HOW; h++) {
		printf("  %-20s", kills_how_names[h]);
		for (int p = 0; p < N_PHASE; p++) {
			printf("%12lu", c->done[h][p]);
			sum[p] += c->done[h][p];
			all += c->done[h][p];
		}
		printf("\n");
	}
	printf("%lu kills, %lu while a value differed, after %.1f s on average and %.1f s at most; "
	    "%lu healed by the next command; %lu violations, %lu runs that did not start\n", all,
	    sum[PHASE_DIFFERS], all == 0 ? 0 : (double)c->age_ms / 1e3 / (double)all,
	    (double)c->oldest_ms / 1e3, c->healed, c->violations, c->failures);
	return c->violations == 0 && c->failures == 0 && sum[PHASE_DIFFERS] * 100 >= all * 70;
}

bool
kills_tune(unsigned kills, unsigned labs)
{
	struct counts *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[KILLS_LABS];
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
