#include "files.h"
#include "guard.h"
#include "guard_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_BYTES ((size_t)JOURNAL_LINE * (JOURNAL_KNOBS + JOURNAL_OURS + 1))

/* Make the directory and those above it that are missing. */
static bool
make_dirs(struct arena *a, const char *path, struct err *e)
{
	char *p = arena_strdup(a, path), *slash;

	for (slash = p + 1; *p != '\0'; slash++) {
		slash += strcspn(slash, "/");
		if (*slash == '\0')
			break;
		*slash = '\0';
		if (mkdir(p, 0700) != 0 && errno != EEXIST)
			return fail(e, ERR_FAILED, "%s: cannot be made for the state: %s", p,
			    strerror(errno));
		*slash = '/';
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fail(e, ERR_FAILED, "%s: cannot be made for the state: %s", path,
		    strerror(errno));
	return true;
}

/* Ours alone to write?  A journal says what is written into a kernel. */
static bool
is_private(const struct stat *st)
{
	return st->st_uid == geteuid() && (st->st_mode & 022) == 0;
}

bool
journal_dir(struct arena *a, const char *state_dir, bool make, int *fd, struct err *e)
{
	struct stat st;

	if (make && !make_dirs(a, state_dir, e))
		return false;
	*fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd == -1 && errno == ENOENT && !make)
		return true;
	if (*fd == -1)
		return fail(e, ERR_FAILED, "%s: %s", state_dir, strerror(errno));
	if (fstat(*fd, &st) != 0 || !is_private(&st)) {
		close(*fd);
		*fd = -1;
		return fail(e, ERR_FAILED,
		    "%s: the directory of the state belongs to another user or "
		    "can be written by others",
		    state_dir);
	}
	return true;
}

const char *
guard_scope_name(struct arena *a, const char *scope_id)
{
	char *name = arena_printf(a, "%.80s", scope_id == NULL ? "host" : scope_id);
	char *s;

	for (s = name; *s != '\0'; s++)
		if (strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-", *s) ==
		    NULL)
			*s = '_';
	return name;
}

const char *
journal_name(struct arena *a, const char *scope_id)
{
	return arena_printf(a, JOURNAL_PREFIX "%s", guard_scope_name(a, scope_id));
}

bool
journal_open(struct journal_file *f, bool make, struct err *e)
{
	int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (make ? O_CREAT : 0);
	struct stat st;

	f->fd = openat(f->dir_fd, f->name, flags, 0600);
	if (f->fd == -1 && errno == ENOENT && !make)
		return true;
	if (f->fd == -1)
		return fail(e, ERR_FAILED, "%s: %s", f->path, strerror(errno));
	if (fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) && is_private(&st))
		return true;
	close(f->fd);
	f->fd = -1;
	return fail(e, ERR_FAILED,
	    "%s: not a file of ours alone (another owner, or others may write "
	    "it); look at it and remove it",
	    f->path);
}

bool
journal_is_there(const struct journal_file *f)
{
	struct stat ours, there;

	return fstat(f->fd, &ours) == 0 &&
	    fstatat(f->dir_fd, f->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

bool
journal_lock(const struct journal_file *f)
{
	return flock(f->fd, LOCK_EX | LOCK_NB) == 0;
}

/* What is there now; a run that lives may be adding to it. */
static bool
load_text(struct arena *a, const struct journal_file *f, char **text, size_t *len, struct err *e)
{
	struct stat st;
	ssize_t n = 1;

	if (fstat(f->fd, &st) != 0)
		return fail(e, ERR_FAILED, "%s: %s", f->path, strerror(errno));
	if (st.st_size > (off_t)JOURNAL_BYTES)
		return fail(e, ERR_FAILED, "%s: too large for a journal; look at it and remove it",
		    f->path);
	*text = arena_alloc(a, (size_t)st.st_size + 1);
	for (*len = 0; n > 0 && *len < (size_t)st.st_size; *len += (size_t)n) {
		n = pread(f->fd, *text + *len, (size_t)st.st_size - *len, (off_t)*len);
		if (n < 0)
			return fail(e, ERR_FAILED, "%s: %s", f->path, strerror(errno));
	}
	return true;
}

/* Blocks of the file that never reached the disk read as NUL bytes. */
static size_t
without_nuls(const char *text, size_t len)
{
	while (len != 0 && text[len - 1] == '\0')
		len--;
	return len;
}

bool
journal_load(struct arena *a, const struct journal_file *f, struct journal *j, struct err *e)
{
	char *text, *line, *end;
	struct err why = { 0 };
	unsigned number = 1;
	size_t size, len;

	memset(j, 0, sizeof(*j));
	if (!load_text(a, f, &text, &size, e))
		return false;
	len = without_nuls(text, size);
	for (line = text; (end = memchr(line, '\n', len - (size_t)(line - text))) != NULL;
	     line = end + 1) {
		*end = '\0';
		if (strlen(line) != (size_t)(end - line) || !journal_line(j, line, &why))
			return fail(e, ERR_FAILED,
			    "%s: line %u: %s; nothing was changed, look at it and "
			    "remove it",
			    f->path, number, why.code == ERR_NONE ? "a NUL byte" : why.text);
		number++;
	}
	j->unfinished = size != 0 && (!j->begun || j->n != j->promised);
	if (j->unfinished && !journal_begins(j, line, len - (size_t)(line - text)))
		return fail(e, ERR_FAILED, "%s: ends in line %u, which is damaged; nothing was "
		    "changed, look at it and remove it", f->path, number);
	return true;
}

bool
journal_append(const struct journal_file *f, const char *text, struct err *e)
{
	off_t before = lseek(f->fd, 0, SEEK_END);
	int error;

	if (files_put(f->fd, text, strlen(text)) && fsync(f->fd) == 0)
		return true;
	error = errno;
	if (before == -1 || ftruncate(f->fd, before) != 0)
		return fail(e, ERR_FAILED, "%s: %s, and what was written of it stays", f->path,
		    strerror(error));
	return fail(e, ERR_FAILED, "%s: %s", f->path, strerror(error));
}

bool
journal_remove(const struct journal_file *f)
{
	if (!journal_is_there(f))
		return true;
	return unlinkat(f->dir_fd, f->name, 0) == 0 && fsync(f->dir_fd) == 0;
}

void
journal_close(struct journal_file *f)
{
	if (f->fd != -1)
		close(f->fd);
	if (f->dir_fd != -1)
		close(f->dir_fd);
	f->fd = f->dir_fd = -1;
}
