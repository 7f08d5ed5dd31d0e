#include "kills.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
#define ARGV_MAX 16

const char *const kills_how_names[] = { "SIGKILL", "SIGTERM", "SIGINT", "SIGHUP",
	"SIGKILL to the group", "SIGKILL, guard too" };
const int kills_how_signal[] = { SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGKILL, SIGKILL };

static bool
set_options(pid_t pid, long options)
{
	return ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(intptr_t)options) == 0;
}

static bool
stands(pid_t pid, long options)
{
	int status;

	return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
	    set_options(pid, options);
}

_Noreturn static void
be_program(const char *const *argv, bool traced)
{
	int null = open("/dev/null", O_RDWR);
	char *words[ARGV_MAX + 1] = { NULL };

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	setpgid(0, 0);
	for (size_t i = 0; i < ARGV_MAX && argv[i] != NULL; i++)
		memcpy(&words[i], &argv[i], sizeof(void *)); /* execv() changes none of them */
	if (!traced || (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0))
		execv(words[0], words);
	_exit(127);
}

int
kills_run(const char *const *argv)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		be_program(argv, false);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool
kills_trace_start(struct kills_traced *t, const char *const *argv, bool follow)
{
	*t = (struct kills_traced){ .pid = fork(), .follow = follow };
	if (t->pid == 0)
		be_program(argv, true);
	t->child = t->pid;
	return t->pid != -1 && stands(t->pid, OPTIONS | (follow ? PTRACE_O_TRACEFORK : 0));
}

bool
kills_trace_attach(struct kills_traced *t, pid_t pid)
{
	*t = (struct kills_traced){ .pid = pid, .child = -1 };
	return ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0 && stands(pid, OPTIONS);
}

/* From the parent, which goes on by itself, to the child that it has just forked. */
static bool
change_over(struct kills_traced *t)
{
	unsigned long child;
	pid_t parent = t->pid;

	t->follow = false;
	if (ptrace(PTRACE_GETEVENTMSG, parent, NULL, &child) != 0 ||
	    !stands((pid_t)child, OPTIONS))
		return false;
	t->pid = (pid_t)child;
	return ptrace(PTRACE_DETACH, parent, NULL, NULL) == 0;
}

static void
take_call(struct kills_traced *t)
{
	struct __ptrace_syscall_info info;

	t->inside = ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, (void *)sizeof(info), &info) > 0 &&
	    info.op == PTRACE_SYSCALL_INFO_ENTRY;
	if (t->inside) {
		t->call = (long)info.entry.nr;
		t->second = info.entry.args[1];
	}
}

bool
kills_trace_next(struct kills_traced *t)
{
	int sig = 0, status;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, t->pid, NULL, (void *)(intptr_t)sig) != 0 ||
		    waitpid(t->pid, &status, __WALL) != t->pid)
			return false;
		if (!WIFSTOPPED(status)) {
			t->child = t->child == t->pid ? -1 : t->child;
			t->pid = -1;
			return false;
		}
		sig = WSTOPSIG(status);
		if (sig == (SIGTRAP | 0x80)) {
			take_call(t);
			return true;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_FORK << 8) && !change_over(t))
			return false;
		sig = sig == SIGTRAP || sig == SIGSTOP ? 0 : sig; /* of execve(), of a new child */
	}
}

static void
spin(unsigned us)
{
	struct timespec now, from;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000000L + (now.tv_nsec - from.tv_nsec) / 1000 <
	    (long)us);
}

static bool
has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
	    info.si_pid == pid;
}

bool
kills_trace_kill(struct kills_traced *t, int sig, bool group, unsigned us)
{
	bool traced = us == 0 && sig == SIGKILL, there;

	if (us != 0) {
		ptrace(PTRACE_DETACH, t->pid, NULL, NULL);
		spin(us);
	}
	there = (t->child != t->pid || !has_ended(t->pid)) &&
	    kill(group ? -t->pid : t->pid, sig) == 0;
	if (us == 0 && !traced)
		ptrace(PTRACE_DETACH, t->pid, NULL, NULL);
	if (traced)
		waitpid(t->pid, NULL, __WALL);
	if (t->child != -1 && !(traced && t->child == t->pid))
		waitpid(t->child, NULL, 0);
	return there;
}

void
kills_trace_end(struct kills_traced *t)
{
	if (t->pid != -1)
		ptrace(PTRACE_DETACH, t->pid, NULL, NULL);
	if (t->child != -1)
		waitpid(t->child, NULL, 0);
}
