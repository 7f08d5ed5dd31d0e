#include "guard_own.h"
#include "guard_remote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- arm ------------------------------------------------------------------------------------- */

static bool
take_journal(struct guard *g, const char *state_dir, const char *scope_id, struct err *e)
{
	struct journal *there = arena_alloc(g->arena, sizeof(*there));
	bool busy;

	if (!guard_locate(g->arena, state_dir, journal_name(g->arena, scope_id), true, &g->file,
		e) ||
	    !guard_acquire(g->arena, &g->file, true, there, &busy, e))
		return false;
	if (busy)
		return guard_fail_busy(there, e);
	if (!journal_load(g->arena, &g->file, there, e))
		return false;
	if (there->begun || there->unfinished)
		return fail(e, ERR_FAILED, "%s: values of an earlier run are not restored yet",
		    g->file.path);
	return true;
}

/* It looks for journals once it is there, and we for it once ours is: one of the two gives up. */
static bool
check_remote(const struct guard *g, struct err *e)
{
	struct stat st;

	return fstatat(g->file.dir_fd, GUARD_REMOTE_DIR, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    fail(e, ERR_FAILED, "a pathtune on another machine is at work on this host; wait until "
	    "it is done");
}

/* Whoever reads it finds what is there, and does not wait. */
static bool
open_pipe(int ends[2])
{
	return pipe(ends) == 0 && fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
	    fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

static bool
open_knobs(struct guard_child *c, struct err *e)
{
	const struct journal *j = c->journal;
	size_t k;

	if (guard_commands(j) != 0 && !open_pipe(c->pipe))
		return fail(e, ERR_FAILED, "a pipe for commands: %s", strerror(errno));
	for (k = 0; k < j->n; k++) {
		if (j->knob[k].file[0] == '\0')
			continue;
		c->knob_fd[k] = open(j->knob[k].file, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (c->knob_fd[k] == -1)
			return fail(e, ERR_FAILED, "%s: %s: %s", j->knob[k].name, j->knob[k].file,
			    strerror(errno));
	}
	c->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	return c->null != -1 || fail(e, ERR_FAILED, "/dev/null: %s", strerror(errno));
}

static void
close_knobs(struct guard_child *c)
{
	size_t k;

	for (k = 0; k < JOURNAL_KNOBS; k++)
		if (c->knob_fd[k] != -1)
			close(c->knob_fd[k]);
	for (k = 0; k < 2; k++)
		if (c->pipe[k] != -1)
			close(c->pipe[k]);
	if (c->null != -1)
		close(c->null);
}

bool
guard_await_answer(struct guard *g, struct err *e)
{
	struct pollfd wait = { .fd = g->socket, .events = POLLIN };
	char byte;
	int ready;

	do
		ready = poll(&wait, 1, GUARD_ANSWER_MS);
	while (ready == -1 && errno == EINTR);
	if (ready <= 0 || recv(g->socket, &byte, 1, 0) != 1)
		return fail(e, ERR_FAILED, "the guard (process %ld) does not answer", (long)g->pid);
	return true;
}

/* All signals wait while there are two of us with the handlers of one. */
static bool
fork_child(struct guard *g, struct guard_child *c, struct err *e)
{
	sigset_t all, before;
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return fail(e, ERR_FAILED, "the guard cannot be started: %s", strerror(errno));
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	c->parent = getpid();
	c->file = g->file;
	c->socket = ends[1];
	g->socket = ends[0];
	g->pid = fork();
	if (g->pid == 0) {
		close(ends[0]);
		guard_child_run(c);
	}
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (g->pid == -1)
		return fail(e, ERR_FAILED, "the guard cannot be started: %s", strerror(error));
	return guard_await_answer(g, e);
}

/* Nothing was set yet: leave no trace. */
static void
disarm(struct guard *g)
{
	if (g->socket != -1)
		close(g->socket);
	if (g->pid > 0) {
		kill(g->pid, SIGKILL);
		waitpid(g->pid, NULL, 0);
	}
	if (g->file.fd != -1)
		journal_remove(&g->file);
	journal_close(&g->file);
}

bool
guard_arm(struct arena *a, const char *state_dir, const char *boot_id, const char *scope_id,
    const struct knob_value *old, size_t n, struct guard **out, struct err *e)
{
	struct guard *g = arena_alloc(a, sizeof(*g));
	struct guard_child child = { .null = -1, .pipe = { -1, -1 } };
	bool armed = false;

	*g = (struct guard){ a, arena_alloc(a, sizeof(*g->journal)), { -1, -1, NULL, NULL }, -1,
		-1 };
	child.journal = g->journal;
	memset(child.knob_fd, -1, sizeof(child.knob_fd));
	if (!journal_fill(g->journal, boot_id, scope_id, old, n, e) || !open_knobs(&child, e))
		goto out;
	if (!take_journal(g, state_dir, scope_id, e)) {
		journal_close(&g->file);
		goto out;
	}
	armed = check_remote(g, e) && journal_append(&g->file, journal_head(a, g->journal), e);
	if (armed && fsync(g->file.dir_fd) != 0)
		armed = fail(e, ERR_FAILED, "%s: %s", state_dir, strerror(errno));
	armed = armed && fork_child(g, &child, e);
	if (armed)
		*out = g;
	else
		disarm(g);
out:
	close_knobs(&child);
	return armed;
}

/* ---- announce -------------------------------------------------------------------------------- */

bool
guard_tell(struct guard *g, const char *lines, struct err *e)
{
	size_t left = strlen(lines);
	ssize_t sent;

	for (; left != 0; lines += sent, left -= (size_t)sent) {
		sent = send(g->socket, lines, left, MSG_NOSIGNAL);
		if (sent == -1 && errno == EINTR)
			sent = 0;
		if (sent < 0)
			return fail(e, ERR_FAILED, "the guard (process %ld) is gone", (long)g->pid);
	}
	return true;
}

bool
guard_announce(struct guard *g, const struct knob_value *v, size_t n, struct err *e)
{
	size_t before = g->journal->n_ours;
	const char *lines;

	if (journal_announce(g->arena, g->journal, v, n, &lines, e) &&
	    journal_append(&g->file, lines, e) && guard_tell(g, lines, e) &&
	    guard_tell(g, GUARD_SYNC "\n", e) && guard_await_answer(g, e))
		return true;
	g->journal->n_ours = before; /* told again, should it be tried again */
	return false;
}

bool
guard_held(struct guard *g, struct err *e)
{
	/* Should it not reach the disk: after a power cut no value is ours anyway. */
	static const char line[] = JOURNAL_HELD "\n";

	if (g->journal->n_held == g->journal->n_ours)
		return true;
	if (write(g->file.fd, line, sizeof(line) - 1) != (ssize_t)sizeof(line) - 1 ||
	    !guard_tell(g, line, e))
		return fail(e, ERR_FAILED, "%s: %s", g->file.path, strerror(errno));
	g->journal->n_held = g->journal->n_ours;
	return true;
}

/* The name of a file that is to be in the same directory as path. */
static bool
base_beside(const char *path, const char *other, char base[JOURNAL_BASE], struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t dir = slash == NULL ? 0 : (size_t)(slash - path) + 1;

	if (dir == 0 || strncmp(path, other, dir) != 0 ||
	    strchr(other + dir, '/') != NULL || strlen(other + dir) >= JOURNAL_BASE)
		return fail(e, ERR_FAILED, "%s: is not in the directory of %s", other, path);
	memcpy(base, other + dir, strlen(other + dir) + 1);
	return true;
}

bool
guard_replaces(struct guard *g, const char *path, const char *by, const char *old,
    struct err *e)
{
	struct journal_replaced r = { .old = "" };
	size_t before = g->journal->n_files;
	const char *line;
	struct stat st = { .st_dev = 0 };

	if (strlen(path) >= sizeof(r.path))
		return fail(e, ERR_FAILED, "%.200s: too long a name", path);
	memcpy(r.path, path, strlen(path) + 1);
	if (!base_beside(path, by, r.by, e) || (old != NULL && !base_beside(path, old, r.old, e)))
		return false;
	if (lstat(by, &st) != 0 && errno != ENOENT)
		return fail(e, ERR_FAILED, "%s: %s", by, strerror(errno));
	r.device = (uintmax_t)st.st_dev;
	r.inode = (uintmax_t)st.st_ino;
	r.size = (uintmax_t)st.st_size;
	r.time_s = (uintmax_t)st.st_mtime;
	if (journal_replaces(g->arena, g->journal, &r, &line, e) &&
	    journal_append(&g->file, line, e) && guard_tell(g, line, e) &&
	    guard_tell(g, GUARD_SYNC "\n", e) && guard_await_answer(g, e))
		return true;
	g->journal->n_files = before;
	return false;
}
