/*
 * A run that arms a guard, goes to a given point, says so through a pipe and waits to be killed
 * there.  The guard is done when the journal can be locked.
 */
#ifndef PATHTUNE_VICTIM_H
#define PATHTUNE_VICTIM_H

#include <criterion/criterion.h>

#include "probes/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

struct victim {
	pid_t pid;
	int said;    /* our end of the pipe */
	int journal; /* open, to be locked */
};

/* In the run: it goes no further. */
static inline void
step(bool ok)
{
	if (!ok)
		_exit(99);
}

static inline struct victim
victim_start(const char *journal, bool (*arm)(struct guard **), void (*to)(struct guard *))
{
	struct guard *g;
	struct victim r;
	int ends[2];
	char byte;

	cr_assert_eq(pipe(ends), 0);
	r.pid = fork();
	if (r.pid == 0) {
		step(setpgid(0, 0) == 0);
		step(arm(&g));
		to(g);
		step(write(ends[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	close(ends[1]);
	r.said = ends[0];
	cr_assert_eq(read(r.said, &byte, 1), 1, "the run got there");
	r.journal = open(journal, O_RDWR);
	cr_assert_neq(r.journal, -1, "%s", journal);
	return r;
}

/* It is dead, or about to be; wait for its guard. */
static inline void
victim_wait(struct victim *r)
{
	cr_assert_eq(waitpid(r->pid, NULL, 0), r->pid);
	cr_assert_eq(flock(r->journal, LOCK_EX), 0);
	close(r->journal);
	close(r->said);
}

static inline void
victim_kill(struct victim *r, pid_t target, int sig)
{
	cr_assert_eq(kill(target, sig), 0);
	victim_wait(r);
}

/* The guard of a run: its only child. */
static inline pid_t
victim_guard(pid_t run)
{
	long ppid, pid, found = -1;
	char line[128];
	FILE *ps = popen("ps -A -o ppid=,pid=,comm=", "r");

	cr_assert_not_null(ps);
	while (fgets(line, sizeof(line), ps) != NULL)
		if (sscanf(line, "%ld %ld", &ppid, &pid) == 2 && ppid == (long)run &&
		    strstr(line, " ps") == NULL && strstr(line, " sh") == NULL)
			found = pid;
	pclose(ps);
	cr_assert_neq(found, -1, "no guard");
	return (pid_t)found;
}

/* A test's temporary directory, and what it used there. */
static inline void
victim_clear(struct host *host, struct arena *arena, const char *path)
{
	const char *const argv[] = { "rm", "-rf", path, NULL };
	struct command c = { .argv = argv };
	struct err unrun = { ERR_NONE, "" };
	struct output out;

	cr_assert(host_run(host, arena, &c, 1, &out, &unrun), "%s", unrun.text);
	host_close(host);
	arena_free(arena);
}

static inline void
victim_kill_both(struct victim *r)
{
	cr_assert_eq(kill(victim_guard(r->pid), SIGKILL), 0);
	victim_kill(r, r->pid, SIGKILL);
}

#endif
