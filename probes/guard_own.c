#include "guard_own.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 50      /* times PATIENCE_MS for the guard of a dead run to be done, */
#define PATIENCE_RUN 750 /* and so much more where it may need commands */
#define PATIENCE_MS 20

const char *
guard_state_dir(struct arena *a, const char *usual)
{
	const char *dir = getenv("PATHTUNE_STATE"), *home = getenv("HOME");
	const struct passwd *user;

	if (dir != NULL && *dir != '\0')
		return arena_strdup(a, dir);
	if (geteuid() == 0)
		return usual == NULL ? "/var/lib/pathtune" : usual;
	if (home == NULL || *home == '\0') {
		user = getpwuid(geteuid());
		home = user == NULL ? "" : user->pw_dir;
	}
	return arena_printf(a, "%s/.local/state/pathtune", home);
}

/* ---- the journal is ours alone --------------------------------------------------------------- */

bool
guard_locate(struct arena *a, const char *state_dir, const char *name, bool make,
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

size_t
guard_commands(const struct journal *j)
{
	size_t n = 0;

	for (size_t k = 0; k < j->n; k++)
		n += j->knob[k].file[0] == '\0';
	return n;
}

static int
patience(const struct journal *j)
{
	return PATIENCE + (guard_commands(j) != 0 ? PATIENCE_RUN : 0);
}

bool
guard_acquire(struct arena *a, struct journal_file *f, bool make, struct journal *j, bool *busy,
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
		if (tries == patience(j) || (j->begun && !is_dead(j->process)))
			break;
		poll(NULL, 0, PATIENCE_MS);
	}
	*busy = true;
	return true;
}

bool
guard_fail_busy(const struct journal *j, struct err *e)
{
	return fail(e, ERR_FAILED,
	    "another pathtune (process %ld) is at work on this host; wait until "
	    "it is done",
	    j->process);
}
