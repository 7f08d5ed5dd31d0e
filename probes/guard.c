#include "guard.h"

#include "guard_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 5000   /* the guard has nothing to do but to answer */
#define PATIENCE 50      /* times PATIENCE_MS for the guard of a dead run to be done */
#define PATIENCE_MS 20

struct guard {
	struct arena *arena;
	struct journal *journal;
	struct journal_file file;
	int socket;
	pid_t pid;
};

const char *
guard_state_dir(struct arena *a)
{
	const char *dir = getenv("PATHTUNE_STATE"), *home = getenv("HOME");
	const struct passwd *user;

	if (dir != NULL && *dir != '\0')
		return arena_strdup(a, dir);
	if (geteuid() == 0)
		return "/var/lib/pathtune";
	if (home == NULL || *home == '\0') {
		user = getpwuid(geteuid());
		home = user == NULL ? "" : user->pw_dir;
	}
	return arena_printf(a, "%s/.local/state/pathtune", home);
}

/* ---- the journal is ours alone --------------------------------------------------------------- */

static bool
locate(struct arena *a, const char *state_dir, const char *name, bool make,
    struct journal_file *f, struct err *e)
{
	f->fd = -1;
	f->name = name;
	f->path = arena_printf(a, "%s/%s", state_dir, name);
	return journal_dir(a, state_dir, make, &f->dir_fd, e);
}

static bool
is_dead(long process)
{
	return process > 0 && kill((pid_t)process, 0) == -1 && errno == ESRCH;
}

/*
 * Open and lock it.  A run that was killed holds it until its guard has restored; that is waited
 * for.  fd is -1 when there is none (any more) and make is false; *busy names the run at work.
 */
static bool
acquire(struct arena *a, struct journal_file *f, bool make, struct journal *j, bool *busy,
    struct err *e)
{
	struct err unreadable = { 0 };
	int tries;

	*busy = false;
	for (tries = 0;; tries++) {
		if (!journal_open(f, make, e))
			return false;
		if (f->fd == -1)
			return true;
		if (journal_lock(f)) {
			if (journal_is_there(f))
				return true;
			close(f->fd); /* its run was done in the same moment */
			continue;
		}
		if (!journal_load(a, f, j, &unreadable))
			j->process = 0;
		close(f->fd);
		f->fd = -1;
		if (tries == PATIENCE || (j->begun && !is_dead(j->process)))
			break;
		poll(NULL, 0, PATIENCE_MS);
	}
	*busy = true;
	return true;
}

static bool
fail_busy(const struct journal *j, struct err *e)
{
	return fail(e, ERR_FAILED,
	    "another pathtune (process %ld) is at work on this host; wait until "
	    "it is done",
	    j->process);
}

/* ---- arm ------------------------------------------------------------------------------------- */

static bool
take_journal(struct guard *g, const char *state_dir, const char *scope_id, struct err *e)
{
	struct journal *there = arena_alloc(g->arena, sizeof(*there));
	bool busy;

	if (!locate(g->arena, state_dir, journal_name(g->arena, scope_id), true, &g->file, e) ||
	    !acquire(g->arena, &g->file, true, there, &busy, e))
		return false;
	if (busy)
		return fail_busy(there, e);
	if (!journal_load(g->arena, &g->file, there, e))
		return false;
	if (there->begun || there->unfinished)
		return fail(e, ERR_FAILED, "%s: values of an earlier run are not restored yet",
		    g->file.path);
	return true;
}

static bool
open_knobs(struct guard_child *c, struct err *e)
{
	const struct journal *j = c->journal;
	size_t k;

	for (k = 0; k < j->n; k++) {
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
	if (c->null != -1)
		close(c->null);
}

/* One byte: it is ready, or knows what it was told. */
static bool
await_answer(struct guard *g, struct err *e)
{
	struct pollfd wait = { .fd = g->socket, .events = POLLIN };
	char byte;
	int ready;

	do
		ready = poll(&wait, 1, ANSWER_MS);
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
	return await_answer(g, e);
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
	struct guard_child child = { .null = -1 };
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
	armed = journal_append(&g->file, journal_head(a, g->journal), e);
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

static bool
tell(struct guard *g, const char *lines, struct err *e)
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
	    journal_append(&g->file, lines, e) && tell(g, lines, e) &&
	    tell(g, GUARD_SYNC "\n", e) && await_answer(g, e))
		return true;
	g->journal->n_ours = before; /* told again, should it be tried again */
	return false;
}

/* ---- carry out ------------------------------------------------------------------------------- */

/* The knobs as the host's verb reaches them; keeps the first reason of a failure. */
struct by_host {
	struct host *host;
	struct arena *arena;
	const struct journal *journal;
	struct err why;
};

static bool
read_by_host(void *arg, size_t k, char text[JOURNAL_TEXT])
{
	struct by_host *b = arg;
	const char *now;

	if (!knobs_read(b->host, b->arena, b->journal->knob[k].file, &now, &b->why))
		return false;
	text[0] = '\0';
	strncat(text, now, JOURNAL_TEXT - 1);
	return true;
}

static bool
write_by_host(void *arg, size_t k, const char *text)
{
	struct by_host *b = arg;

	return host_write(b->host, b->journal->knob[k].file, text, &b->why);
}

static struct journal_result
restore_by_host(struct by_host *b)
{
	const struct journal_reach reach = { b, read_by_host, write_by_host };

	return journal_restore(b->journal, &reach);
}

static bool
fail_unrestored(const struct by_host *b, const struct journal_result *r, const char *path,
    struct err *e)
{
	return fail(e, ERR_FAILED, "%s: could not be set back to \"%s\": %s; %s stays, the next "
	    "pathtune command tries again", b->journal->knob[r->first_failed].name,
	    b->journal->knob[r->first_failed].old,
	    b->why.code == ERR_NONE ? "it does not hold" : b->why.text, path);
}

/*
 * Let the guard go: dismissed, or left to try by itself what we could not.  True when it said that
 * all is well.
 */
static bool
await_end(struct guard *g, bool dismiss)
{
	struct pollfd wait = { .fd = g->socket, .events = POLLIN };
	int status = -1;

	if (dismiss)
		send(g->socket, GUARD_DONE "\n", sizeof(GUARD_DONE "\n") - 1, MSG_NOSIGNAL);
	shutdown(g->socket, SHUT_WR);
	while (poll(&wait, 1, ANSWER_MS) == -1 && errno == EINTR)
		continue;
	if (wait.revents == 0)
		kill(g->pid, SIGKILL);
	close(g->socket);
	while (waitpid(g->pid, &status, 0) == -1 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
guard_release(struct guard *g, struct host *h, struct arena *a, struct err *e)
{
	struct by_host by = { .host = h, .arena = a, .journal = g->journal };
	struct journal_result result = restore_by_host(&by);
	bool well, removed;

	/* The journal goes last: should we be killed first, its values are the old ones. */
	well = await_end(g, result.failed == 0) || result.failed == 0;
	removed = !well || journal_remove(&g->file);
	journal_close(&g->file);
	if (!well)
		return fail_unrestored(&by, &result, g->file.path, e);
	if (!removed)
		return fail(e, ERR_FAILED,
		    "%s: all values are restored, but it cannot be removed: %s", g->file.path,
		    strerror(errno));
	if (result.foreign != 0)
		return fail(e, ERR_FAILED, "%s: is \"%s\" now, which is not ours; left as it is",
		    g->journal->knob[result.first_foreign].name, result.foreign_text);
	return true;
}

/* ---- what dead runs left --------------------------------------------------------------------- */

/* The journal is locked, nobody else can be at it. */
static bool
carry_out(struct by_host *by, const struct journal_file *f, const char *boot_id,
    const char *scope_id, struct orphans *found, struct err *e)
{
	const struct journal *j = by->journal;
	struct journal_result result = { 0 };

	if (j->begun && !j->unfinished && journal_is_boot(j, boot_id)) {
		if (!journal_is_scope(j, scope_id))
			return true;
		result = restore_by_host(by);
		found->restored += result.restored;
	}
	if (result.failed != 0)
		return fail_unrestored(by, &result, f->path, e);
	if (!journal_remove(f))
		return fail(e, ERR_FAILED, "%s: cannot be removed: %s", f->path, strerror(errno));
	found->unfinished += j->unfinished;
	return true;
}

static bool
one_orphan(struct by_host *by, struct journal_file *f, const char *boot_id,
    const char *scope_id, struct orphans *found, struct err *e)
{
	struct journal *j = arena_alloc(by->arena, sizeof(*j));
	bool busy, ok;

	if (!acquire(by->arena, f, false, j, &busy, e))
		return false;
	if (busy)
		return !journal_is_scope(j, scope_id) || fail_busy(j, e);
	if (f->fd == -1)
		return true;
	by->journal = j;
	ok = journal_load(by->arena, f, j, e) &&
	    carry_out(by, f, boot_id, scope_id, found, e);
	close(f->fd);
	return ok;
}

bool
guard_orphans(struct arena *a, struct host *h, const char *state_dir, const char *boot_id,
    const char *scope_id, struct orphans *found, struct err *e)
{
	struct by_host by = { .host = h, .arena = a };
	struct journal_file f;
	const struct dirent *entry;
	bool ok = true;
	DIR *dir;

	*found = (struct orphans){ 0, 0 };
	if (!locate(a, state_dir, "", false, &f, e) || f.dir_fd == -1)
		return f.dir_fd == -1 && e->code == ERR_NONE;
	dir = opendir(state_dir);
	if (dir == NULL)
		ok = fail(e, ERR_FAILED, "%s: %s", state_dir, strerror(errno));
	while (ok && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, JOURNAL_PREFIX, strlen(JOURNAL_PREFIX)) != 0)
			continue;
		f.name = arena_strdup(a, entry->d_name);
		f.path = arena_printf(a, "%s/%s", state_dir, f.name);
		ok = one_orphan(&by, &f, boot_id, scope_id, found, e);
	}
	if (dir != NULL)
		closedir(dir);
	close(f.dir_fd);
	return ok;
}
