/*
 * Killed after each system call in turn: ptrace(2) stops the process at each, and it goes no
 * further than the k-th.  In a network namespace of its own.
 */
#include "kills.h"

#include "probes/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OLD_W "4096 16384 4194304"
#define OLD_R "4096 131072 6291456"
#define GUARD_MS 30000

static char dir[] = "/tmp/pathtune-kills-XXXXXX";
static char state[64], conf[64], by[64], backup[64];
static const struct knob_value old[] = {
	{ .name = "net.ipv4.tcp_wmem", .file = KILLS_WMEM, .text = OLD_W },
	{ .name = "net.ipv4.tcp_rmem", .file = KILLS_RMEM, .text = OLD_R },
};
static const struct knob_value ours[] = {
	{ .name = "net.ipv4.tcp_wmem", .file = KILLS_WMEM, .text = "4096 16384 16777216" },
	{ .name = "net.ipv4.tcp_rmem", .file = KILLS_RMEM, .text = "4096 131072 33554432" },
};
static int knob[KILLS_KNOBS];

static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool ok = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
	    fsync(fd) == 0;

	if (fd != -1)
		close(fd);
	return ok;
}

/* ---- what is killed ------------------------------------------------------------------------- */

struct act {
	struct arena *a;
	struct host *h;
	struct guard *g;
	struct err e;
};

static bool
set(struct act *t)
{
	return guard_arm(t->a, state, "boot", "scope", old, 2, &t->g, &t->e) &&
	    guard_announce(t->g, ours, 2, &t->e) && knobs_set(t->h, t->a, ours, 2, &t->e) &&
	    guard_held(t->g, &t->e);
}

static bool
set_and_restore(struct act *t)
{
	return set(t) && guard_release(t->g, t->h, t->a, &t->e);
}

static bool
persist(struct act *t)
{
	bool there = access(conf, F_OK) == 0;

	return set(t) && guard_replaces(t->g, conf, by, there ? backup : NULL, &t->e) &&
	    write_file(by, "new") && (!there || link(conf, backup) == 0) &&
	    guard_replaces(t->g, conf, by, there ? backup : NULL, &t->e) &&
	    rename(by, conf) == 0 && guard_keep(t->g, &t->e) &&
	    (!there || unlink(backup) == 0);
}

static bool
persist_and_restore(struct act *t)
{
	bool there = access(conf, F_OK) == 0;

	return set(t) && guard_replaces(t->g, conf, by, there ? backup : NULL, &t->e) &&
	    write_file(by, "new") && (!there || link(conf, backup) == 0) &&
	    guard_replaces(t->g, conf, by, there ? backup : NULL, &t->e) &&
	    rename(by, conf) == 0 && guard_release(t->g, t->h, t->a, &t->e);
}

static bool
heal(struct act *t)
{
	struct orphans found;

	return guard_orphans(t->a, t->h, state, "boot", "scope", &found, &t->e);
}

/* To the end, or until it is killed on the way.  stop: it waits for its tracer first. */
static void
act(bool (*what)(struct act *), bool stop, bool wait)
{
	struct act t = { .a = arena_new() };

	if (!host_open(t.a, "local", &t.h, &t.e) ||
	    (stop && (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)) ||
	    !what(&t)) {
		fprintf(stderr, "kills: a step failed: %s, %s\n", t.e.text, strerror(errno));
		_exit(1);
	}
	while (wait)
		pause();
	_exit(0);
}

/* ---- stepping ------------------------------------------------------------------------------- */

/*
 * Let a stopped process go on until its k-th system call is done; false: it ended before that, with
 * this status.
 */
static bool
step_to(pid_t pid, unsigned k, int *status)
{
	bool inside = false;
	int sig = 0;

	for (unsigned n = 0;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)sig) != 0 ||
		    waitpid(pid, status, __WALL) != pid)
			return false;
		if (!WIFSTOPPED(*status))
			return false;
		sig = WSTOPSIG(*status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(*status);
		if (sig != 0)
			continue;
		inside = !inside;
		if (!inside && ++n == k)
			return true;
	}
}

static void
run_to_end(bool (*what)(struct act *))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		act(what, false, false);
	waitpid(pid, &status, 0);
}

/* ---- scenarios ------------------------------------------------------------------------------ */

enum who { THE_RUN, RUN_AND_GUARD, THE_GUARD };

static const struct scenario {
	const char *name;
	bool (*what)(struct act *);
	enum who who;       /* is killed after its k-th call */
	bool had_file;      /* conf was there before */
	bool may_stay;      /* as after it is right as well */
	bool (*before)(struct act *); /* run to its end and killed with its guard, first */
} scenarios[] = {
	{ "set, restore", set_and_restore, THE_RUN, true, false, NULL },
	{ "set, restore; guard too", set_and_restore, RUN_AND_GUARD, true, false, NULL },
	{ "set, persist", persist, THE_RUN, true, true, NULL },
	{ "set, persist; guard too", persist, RUN_AND_GUARD, true, true, NULL },
	{ "set, persist a new file", persist, THE_RUN, false, true, NULL },
	{ "new file; guard too", persist, RUN_AND_GUARD, false, true, NULL },
	{ "persist, restore", persist_and_restore, THE_RUN, true, false, NULL },
	{ "guard restores", set, THE_GUARD, true, false, NULL },
	{ "next command restores", heal, THE_RUN, true, false, set },
};

static void
reset(const struct scenario *s)
{
	char journal[600];

	for (size_t i = 0; i < NELEM(old); i++)
		write_file(old[i].file, old[i].text);
	unlink(by);
	unlink(backup);
	unlink(conf);
	if (s->had_file)
		write_file(conf, "old");
	while (kills_journal(state, journal, sizeof(journal)))
		unlink(journal);
}

/* Wait for it to be stopped for the first time. */
static bool
await_stop(pid_t pid)
{
	int status;

	return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) == 0;
}

/* A run that has set everything and its guard die at once. */
static void
orphan(bool (*what)(struct act *))
{
	pid_t pid = fork(), guard;
	char now[KILLS_STATE], then[KILLS_STATE];

	if (pid == 0)
		act(what, false, true);
	kills_state(knob, NULL, 0, then);
	for (int ms = 0; ms < GUARD_MS && strstr(kills_state(knob, NULL, 0, now), "33554432") == NULL;
	     ms++)
		poll(NULL, 0, 1);
	guard = kills_child_of(pid);
	if (guard > 0)
		kill(guard, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The guard of a run that has set everything is stepped, after the run was killed. */
static bool
step_guard(const struct scenario *s, unsigned k)
{
	pid_t pid = fork(), guard;
	char now[KILLS_STATE];
	int status = 0;
	bool there;

	if (pid == 0)
		act(s->what, false, true);
	for (int ms = 0; ms < GUARD_MS && strstr(kills_state(knob, NULL, 0, now), "33554432") == NULL;
	     ms++)
		poll(NULL, 0, 1);
	guard = kills_child_of(pid);
	if (guard <= 0 || ptrace(PTRACE_ATTACH, guard, NULL, NULL) != 0 || !await_stop(guard)) {
		fprintf(stderr, "kills: the guard cannot be traced: %s\n", strerror(errno));
		return false;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	there = step_to(guard, k, &status);
	kill(guard, SIGKILL);
	waitpid(guard, NULL, __WALL);
	return there;
}

/* False: it ended before its k-th call. */
static bool
step_run(const struct scenario *s, unsigned k)
{
	pid_t pid = fork(), guard;
	int status = 0;
	bool there;

	if (pid == 0)
		act(s->what, true, false);
	there = await_stop(pid) && step_to(pid, k, &status);
	guard = s->who == RUN_AND_GUARD && there ? kills_child_of(pid) : 0;
	if (guard > 0)
		kill(guard, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	return there;
}

/* Only whole: as before, or for what may stay, as after, without what was beside. */
static bool
is_whole(const struct scenario *s, const char *before, const char *after, char *now)
{
	static const char *const files[] = { conf, by };
	char journal[600];
	bool stayed;

	if (!kills_await_guard(state, GUARD_MS))
		return snprintf(now, KILLS_STATE, "the guard is not done"), false;
	if (kills_journal(state, journal, sizeof(journal)))
		run_to_end(heal);
	kills_state(knob, files, NELEM(files), now);
	stayed = s->may_stay && strcmp(now, after) == 0;
	if (kills_journal(state, journal, sizeof(journal)))
		return snprintf(now, KILLS_STATE, "a journal is left"), false;
	return stayed || strcmp(now, before) == 0;
}

static bool
scenario_run(const struct scenario *s)
{
	static const char *const files[] = { conf, by };
	char before[KILLS_STATE], after[KILLS_STATE], now[KILLS_STATE];
	unsigned k, stayed = 0, violations = 0;
	bool there = true;

	reset(s);
	kills_state(knob, files, NELEM(files), before);
	if (s->may_stay)
		run_to_end(s->what);
	kills_state(knob, files, NELEM(files), after);
	for (k = 0; there;) {
		reset(s);
		if (s->before != NULL)
			orphan(s->before);
		k++;
		there = s->who == THE_GUARD ? step_guard(s, k) : step_run(s, k);
		if (!is_whole(s, before, after, now)) {
			violations++;
			fprintf(stderr, "kills: %s, call %u: %s\n", s->name, k, now);
		}
		stayed += s->may_stay && strcmp(now, after) == 0;
	}
	printf("  %-26s%8u%10u%12u\n", s->name, k - 1, stayed, violations);
	return violations == 0 && k > 2;
}

/* In a process of its own, for the namespace. */
static bool
all_scenarios(void)
{
	bool ok = true;

	if (unshare(CLONE_NEWNET) != 0 || !kills_open(-1, knob))
		return fprintf(stderr, "kills: a namespace: %s\n", strerror(errno)), false;
	printf("%-28s%8s%10s%12s\n", "killed after each call", "calls", "as after", "violations");
	for (size_t i = 0; i < NELEM(scenarios); i++)
		ok = scenario_run(&scenarios[i]) && ok;
	return ok;
}

bool
kills_steps(void)
{
	char command[128];
	int status = 1;
	pid_t pid;

	if (mkdtemp(dir) == NULL)
		return false;
	snprintf(state, sizeof(state), "%s/state", dir);
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	snprintf(by, sizeof(by), "%s/conf.new", dir);
	snprintf(backup, sizeof(backup), "%s/conf.old", dir);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		exit(all_scenarios() ? 0 : 1);
	waitpid(pid, &status, 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 && status == 0;
}
