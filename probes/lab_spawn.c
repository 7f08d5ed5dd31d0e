#include "lab.h"

#include "lab_ns.h"
#include "lab_state.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<sys/prctl.h>)
#include <sys/prctl.h>
#endif
#endif

struct spawn {
	const struct lab_state *lab;
	const char *journal;
	const char *const *argv;
	unsigned side;
	int out_fd;
	int report;     /* where an error goes; closed by exec */
	pid_t parent;
};

/*
 * Ask to be killed with our parent.  Last, because a change of credentials (the user namespace)
 * forgets it (prctl(2)); a parent that died before is noticed by its number.
 */
static bool
die_with_parent(pid_t parent)
{
#ifdef PR_SET_PDEATHSIG
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	return getppid() == parent;
}

static void
child_main(const struct spawn *s)
{
	struct err e = { 0 };
	ssize_t n;

	stop_reset();
	if (ns_enter((pid_t)s->lab->owner, (int)s->lab->net[s->side], s->lab->user, &e)) {
		setenv("PATHTUNE_STATE", s->journal, 1);
		if ((s->out_fd < 0 || dup2(s->out_fd, STDOUT_FILENO) >= 0) &&
		    die_with_parent(s->parent))
			execvp(s->argv[0], (char *const *)(uintptr_t)s->argv);
		fail(&e, ERR_FAILED, "%s: %s", s->argv[0], strerror(errno));
	}
	n = write(s->report, &e, sizeof(e));
	_exit(n < 0 ? 126 : 127);
}

/* Nothing to read means that exec closed the pipe. */
static bool
await_exec(int report, pid_t pid, struct err *e)
{
	struct err why;
	ssize_t n;

	do
		n = read(report, &why, sizeof(why));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return true;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fail(e, n == (ssize_t)sizeof(why) ? why.code : ERR_FAILED, "%s",
	    n == (ssize_t)sizeof(why) ? why.text : "cannot start a process in the lab");
}

bool
lab_spawn(struct arena *a, const char *name, char side, const char *const *argv, int out_fd,
    pid_t *pid, struct err *e)
{
	struct lab_state *lab;
	const char *path;
	int report[2];
	pid_t child;
	bool ok;

	if (side != 'a' && side != 'b')
		return fail(e, ERR_USAGE, "the side of a lab is a or b, not %c", side);
	if (!state_find(a, name, &lab, &path, NULL, e))
		return false;
	if (pipe(report) != 0)
		return fail(e, ERR_FAILED, "cannot make a pipe: %s", strerror(errno));
	fcntl(report[0], F_SETFD, FD_CLOEXEC);
	fcntl(report[1], F_SETFD, FD_CLOEXEC);
	struct spawn s = { lab, arena_printf(a, "%s/%s", path, STATE_JOURNAL), argv, side == 'b',
		out_fd, report[1], getpid() };
	child = fork();
	if (child == 0)
		child_main(&s);
	close(report[1]);
	ok = child > 0 ? await_exec(report[0], child, e) :
	    fail(e, ERR_FAILED, "cannot start a process in the lab: %s", strerror(errno));
	close(report[0]);
	if (ok)
		*pid = child;
	return ok;
}

static void
reap(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
}

/* Pass signals on until the child ends; false when the owner died first. */
static bool
watch(int child, int owner)
{
	enum { CHILD, OWNER, STOP };
	struct pollfd p[] = {
		{ child, POLLIN, 0 }, { owner, POLLIN, 0 }, { stop_fd(), POLLIN, 0 },
	};

	for (;;) {
		if (poll(p, NELEM(p), -1) < 0)
			continue;
		if (p[CHILD].revents != 0)
			return true;
		if (p[OWNER].revents != 0)
			return false;
		if (p[STOP].revents != 0) {
			state_signal(child, stop_requested());
			p[STOP].fd = -1;
		}
	}
}

bool
lab_wait(struct arena *a, const char *name, pid_t pid, int *status, struct err *e)
{
	struct lab_state *lab;
	int owner = -1, child = state_process(pid), st;
	bool ok = false;

	if (child < 0)
		fail(e, ERR_FAILED, "cannot watch process %ld: %s", (long)pid, strerror(errno));
	else if (state_find(a, name, &lab, NULL, &owner, e) && !(ok = watch(child, owner)))
		fail(e, ERR_FAILED, "lab %s: its owner died", name);
	if (!ok)
		kill(pid, SIGKILL);
	reap(pid, &st);
	if (ok)
		*status = st;
	if (owner >= 0)
		close(owner);
	if (child >= 0)
		close(child);
	return ok;
}
