#include "store.h"
#include "files.h"
#include "guard_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool
store_lock(struct arena *a, const char *dir, int *lock, struct err *e)
{
	int fd;

	if (!journal_dir(a, dir, true, &fd, e))
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*lock = fd;
		return true;
	}
	if (errno == EWOULDBLOCK)
		fail(e, ERR_FAILED, "another pathtune is at work on this host; wait until it is "
		    "done");
	else
		fail(e, ERR_FAILED, "%s: %s", dir, strerror(errno));
	close(fd);
	return false;
}

static bool
is_private(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & 022) == 0;
}

bool
store_read(struct arena *a, const char *dir, const char *name, const char **text, size_t *len,
    struct err *e)
{
	const char *path = arena_printf(a, "%s/%s", dir, name);
	int dir_fd, fd;
	bool mine;

	*text = NULL;
	*len = 0;
	if (!journal_dir(a, dir, false, &dir_fd, e))
		return false;
	if (dir_fd == -1)
		return true;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	close(dir_fd);
	if (fd == -1 && errno == ENOENT)
		return true;
	if (fd == -1)
		return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
	mine = is_private(fd);
	close(fd);
	if (!mine)
		return fail(e, ERR_FAILED, "%s: not a file of ours alone (another owner, or others "
		    "may write it); look at it and remove it", path);
	return files_read(a, path, STORE_BYTES, text, len, e);
}

bool
store_write(struct arena *a, const char *dir, const char *name, const char *text, struct err *e)
{
	const char *path = arena_printf(a, "%s/%s", dir, name);

	if (text != NULL)
		return files_write(path, text, strlen(text), 0600, e);
	if (unlink(path) == 0 || errno == ENOENT)
		return true;
	return fail(e, ERR_FAILED, "%s: cannot be removed: %s", path, strerror(errno));
}
