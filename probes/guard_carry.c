/*
 * The ends of a guard: restored, kept, or left behind by the dead.
 */
#include "guard_own.h"
#include "guard_run.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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
	struct knob_value v = journal_knob_value(b->journal, k, NULL);
	const char *now;

	if (!knobs_read(b->host, b->arena, &v, 1, &now, &b->why))
		return false;
	text[0] = '\0';
	strncat(text, now, JOURNAL_TEXT - 1);
	return true;
}

static bool
write_by_host(void *arg, size_t k, const char *text)
{
	struct by_host *b = arg;
	struct knob_value v = journal_knob_value(b->journal, k, text);

	return knobs_write(b->host, b->arena, &v, &b->why);
}

static struct journal_result
restore_by_host(struct by_host *b)
{
	const struct journal_reach reach = { b, read_by_host, write_by_host };

	return journal_restore(b->journal, &reach);
}

static size_t
failures(const struct journal_result *r)
{
	return r->failed + r->failed_files;
}

static bool
fail_unrestored(const struct by_host *b, const struct journal_result *r, const char *path,
    struct err *e)
{
	if (r->failed_files != 0)
		return fail(e, ERR_FAILED, "%s: could not be put back as it was; %s stays, the "
		    "next pathtune command tries again",
		    b->journal->file[r->first_failed_file].path, path);
	return fail(e, ERR_FAILED, "%s: could not be set back to \"%s\": %s; %s stays, the next "
	    "pathtune command tries again", b->journal->knob[r->first_failed].name,
	    b->journal->knob[r->first_failed].old,
	    b->why.code == ERR_NONE ? "it does not hold" : b->why.text, path);
}

/* It reads, writes and reads back. */
static int
end_ms(const struct journal *j)
{
	return GUARD_ANSWER_MS + (int)guard_commands(j) * 3 * (GUARD_RUN_MS + GUARD_FORK_MS);
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
	while (poll(&wait, 1, end_ms(g->journal)) == -1 && errno == EINTR)
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
	well = await_end(g, failures(&result) == 0) || failures(&result) == 0;
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

bool
guard_keep(struct guard *g, struct err *e)
{
	if (!guard_tell(g, GUARD_KEEP "\n" GUARD_SYNC "\n", e) || !guard_await_answer(g, e))
		return false;
	if (unlinkat(g->file.dir_fd, g->file.name, 0) != 0)
		return fail(e, ERR_FAILED, "%s: %s", g->file.path, strerror(errno));
	/* Should this not reach the disk before a power cut: then all is undone, as a whole. */
	fsync(g->file.dir_fd);
	await_end(g, true);
	journal_close(&g->file);
	return true;
}

/* ---- what dead runs left --------------------------------------------------------------------- */

/* What can be done from here; *stays: for whoever is in its scope. */
static struct journal_result
restore_orphan(struct by_host *by, const char *boot_id, const char *scope_id, bool *stays)
{
	const struct journal *j = by->journal;
	const struct journal_reach reach = { by, read_by_host, write_by_host };
	bool here = journal_is_scope(j, scope_id);

	*stays = false;
	if (!j->begun || j->unfinished)
		return (struct journal_result){ 0 };
	if (!journal_is_boot(j, boot_id))
		return journal_restore_booted(j, here ? &reach : NULL);
	if (here)
		return journal_restore(j, &reach);
	*stays = true;
	return journal_restore_files(j);
}

/* The journal is locked, nobody else can be at it. */
static bool
carry_out(struct by_host *by, const struct journal_file *f, const char *boot_id,
    const char *scope_id, struct orphans *found, struct err *e)
{
	bool stays;
	struct journal_result result = restore_orphan(by, boot_id, scope_id, &stays);

	found->restored += result.restored;
	found->files += result.files;
	if (failures(&result) != 0)
		return fail_unrestored(by, &result, f->path, e);
	if (!stays && !journal_remove(f))
		return fail(e, ERR_FAILED, "%s: cannot be removed: %s", f->path, strerror(errno));
	found->unfinished += by->journal->unfinished;
	return true;
}

static bool
one_orphan(struct by_host *by, struct journal_file *f, const char *boot_id,
    const char *scope_id, struct orphans *found, struct err *e)
{
	struct journal *j = arena_alloc(by->arena, sizeof(*j));
	bool busy, ok;

	if (!guard_acquire(by->arena, f, false, j, &busy, e))
		return false;
	if (busy)
		return (!journal_is_scope(j, scope_id) && j->n_files == 0) ||
		    guard_fail_busy(j, e);
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

	*found = (struct orphans){ 0, 0, 0 };
	if (!guard_locate(a, state_dir, "", false, &f, e) || f.dir_fd == -1)
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
