#include "files.h"

#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES ((size_t)16 * 1024)

/* ---- read ------------------------------------------------------------------------------------ */

/* Until there is something to read; a stop ends the wait for a pipe. */
static bool
await_input(int fd)
{
	struct pollfd wait[] = { { .fd = fd, .events = POLLIN },
		{ .fd = stop_fd(), .events = POLLIN } };

	while (poll(wait, 2, -1) == -1)
		if (errno != EINTR)
			return true; /* read() tells what is wrong */
	return wait[0].revents != 0;
}

static bool
read_all(int fd, const char *path, size_t cap, struct text *t, struct err *e)
{
	char part[READ_BYTES];
	ssize_t n;

	for (;;) {
		if (!await_input(fd))
			return fail(e, ERR_STOPPED, "%s: stopped by signal %d", path,
			    stop_requested());
		n = read(fd, part, sizeof(part));
		if (n == 0)
			return true;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
		if ((size_t)n > cap - t->len)
			return fail(e, ERR_FAILED, "%s: larger than %zu bytes", path, cap);
		text_bytes(t, part, (size_t)n);
	}
}

bool
files_read(struct arena *a, const char *path, size_t cap, const char **text, size_t *len,
    struct err *e)
{
	struct text t = { .arena = a };
	int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	bool ok;

	if (fd == -1)
		return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
	text_bytes(&t, "", 0);
	ok = read_all(fd, path, cap, &t, e);
	close(fd);
	if (ok) {
		*text = t.s;
		*len = t.len;
	}
	return ok;
}

bool
files_read_any(struct arena *a, const char *path, size_t cap, const char **text, size_t *len,
    struct err *e)
{
	if (access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return files_read(a, path, cap, text, len, e);
	*text = "";
	*len = 0;
	return true;
}

char *
files_line(struct arena *a, const char **at, const char *end)
{
	const char *s = *at, *newline;

	if (s >= end)
		return NULL;
	newline = memchr(s, '\n', (size_t)(end - s));
	*at = newline == NULL ? end : newline + 1;
	return arena_strndup(a, s, (size_t)((newline == NULL ? end : newline) - s));
}

/* ---- write ----------------------------------------------------------------------------------- */

/* Where a file goes: a name in an open directory, and what messages call it. */
struct place {
	int dir_fd;
	const char *name;
	const char *shown;
};

bool
files_put(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len != 0) {
		n = write(fd, text, len);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* A directory that cannot be synced (EINVAL on some file systems) is as good as it gets. */
static bool
sync_dir(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL;
}

/* Beside the file, under a name that nobody has; in name. */
static int
create_beside(const struct place *p, char *name, size_t size)
{
	int fd = -1, i;

	for (i = 0; fd == -1 && i < 100; i++) {
		snprintf(name, size, ".pathtune-%ld-%d", (long)getpid(), i);
		fd = openat(
		    p->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd == -1 && errno != EEXIST)
			break;
	}
	return fd;
}

/* The mode and owner of the file that is there, or those of a new one. */
static bool
dress(int fd, const struct place *p, unsigned mode)
{
	struct stat there, new;
	mode_t mask;

	if (fstatat(p->dir_fd, p->name, &there, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(there.st_mode)) {
		mask = umask(0);
		umask(mask);
		return fchmod(fd, (mode_t)mode & ~mask) == 0;
	}
	if (fstat(fd, &new) != 0)
		return false;
	if ((new.st_uid != there.st_uid || new.st_gid != there.st_gid) &&
	    fchown(fd, there.st_uid, there.st_gid) != 0)
		return false;
	return fchmod(fd, there.st_mode & 07777) == 0;
}

static bool
write_beside(const struct place *p, const char *text, size_t len, unsigned mode, struct err *e)
{
	char beside[64];
	int fd = create_beside(p, beside, sizeof(beside)), error = 0;

	if (fd == -1)
		return fail(e, ERR_FAILED, "%s: %s", p->shown, strerror(errno));
	if (!files_put(fd, text, len) || !dress(fd, p, mode) || fsync(fd) != 0)
		error = errno;
	if (close(fd) != 0 && error == 0)
		error = errno;
	if (error == 0 && renameat(p->dir_fd, beside, p->dir_fd, p->name) != 0)
		error = errno;
	if (error != 0) {
		unlinkat(p->dir_fd, beside, 0);
		return fail(e, ERR_FAILED, "%s: %s", p->shown, strerror(error));
	}
	if (!sync_dir(p->dir_fd))
		return fail(e, ERR_FAILED, "%s: %s", p->shown, strerror(errno));
	return true;
}

static bool
write_device(const char *path, const char *text, size_t len, struct err *e)
{
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC), error = 0;

	if (fd == -1)
		return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
	if (!files_put(fd, text, len))
		error = errno;
	if (close(fd) != 0 && error == 0)
		error = errno;
	return error == 0 || fail(e, ERR_FAILED, "%s: %s", path, strerror(error));
}

/* real has no link in its last part (realpath), or does not exist. */
static bool
write_regular(const char *real, const char *shown, const char *text, size_t len, unsigned mode,
    struct err *e)
{
	const char *slash = strrchr(real, '/');
	struct place p = { .name = slash == NULL ? real : slash + 1, .shown = shown };
	char dir[PATH_MAX];
	bool ok;

	if (slash != NULL && (size_t)(slash - real) >= sizeof(dir))
		return fail(e, ERR_FAILED, "%.80s..: %s", shown, strerror(ENAMETOOLONG));
	if (*p.name == '\0')
		return fail(e, ERR_FAILED, "%s: not the name of a file", shown);
	snprintf(dir, sizeof(dir), "%.*s",
	    slash == NULL ? 1 : (int)(slash - real) + (slash == real), slash == NULL ? "." : real);
	p.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p.dir_fd == -1)
		return fail(e, ERR_FAILED, "%s: %s", shown, strerror(errno));
	ok = write_beside(&p, text, len, mode, e);
	close(p.dir_fd);
	return ok;
}

bool
files_write(const char *path, const char *text, size_t len, unsigned mode, struct err *e)
{
	struct stat st;
	char *real;
	bool ok;

	if (stat(path, &st) != 0) {
		if (errno != ENOENT || lstat(path, &st) == 0)
			return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
		return write_regular(path, path, text, len, mode, e);
	}
	if (S_ISDIR(st.st_mode))
		return fail(e, ERR_FAILED, "%s: %s", path, strerror(EISDIR));
	if (!S_ISREG(st.st_mode))
		return write_device(path, text, len, e);
	real = realpath(path, NULL);
	if (real == NULL)
		return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
	ok = write_regular(real, path, text, len, mode, e);
	free(real);
	return ok;
}

bool
files_may_write(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return fail(e, ERR_FAILED, "%s: %s", path, strerror(EISDIR));
	if (stat(path, &st) == 0)
		return S_ISREG(st.st_mode) || access(path, W_OK) == 0 ||
		    fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
	if (slash != NULL)
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + 1, path);
	return access(dir, W_OK | X_OK) == 0 ||
	    fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
}

/* ---- a tree ---------------------------------------------------------------------------------- */

/* The next part of a path and its length; 0 at the end.  *path is moved behind it. */
static size_t
next_part(const char **path, const char **part)
{
	size_t len;

	*part = *path;
	len = strcspn(*path, "/");
	*path += len;
	if (**path == '/')
		++*path;
	return len;
}

static bool
check_path(const char *path, struct err *e)
{
	const char *rest = path + 1, *part;
	size_t len;

	if (path[0] != '/' || path[strlen(path) - 1] == '/')
		return fail(e, ERR_FAILED, "%s: not the absolute path of a file", path);
	while (*rest != '\0') {
		len = next_part(&rest, &part);
		if (len == 0 || len > NAME_MAX || (len == 1 && part[0] == '.') ||
		    (len == 2 && memcmp(part, "..", 2) == 0))
			return fail(e, ERR_FAILED, "%s: a path with an empty, \".\", \"..\" or too "
			    "long part", path);
	}
	return true;
}

/* Go down into a directory, made if it is missing; fd is closed or replaced. */
static bool
descend(int *fd, const char *part, size_t len)
{
	char name[NAME_MAX + 1];
	int below, error;

	memcpy(name, part, len);
	name[len] = '\0';
	if (mkdirat(*fd, name, 0755) != 0 && errno != EEXIST)
		below = -1;
	else
		below = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	error = errno;
	close(*fd);
	*fd = below;
	errno = error;
	return below != -1;
}

static bool
write_below(const char *dir, const struct file_text *f, struct err *e)
{
	const char *last = strrchr(f->path, '/') + 1, *rest = f->path + 1, *part;
	char shown[512];
	struct place p = { .name = last, .shown = shown };
	bool ok = true;
	size_t len;

	snprintf(shown, sizeof(shown), "%s%s", dir, f->path);
	p.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (p.dir_fd != -1 && rest != last) {
		len = next_part(&rest, &part);
		if (!descend(&p.dir_fd, part, len))
			break;
	}
	if (p.dir_fd == -1)
		return fail(e, ERR_FAILED, "%s: %s", shown, strerror(errno));
	ok = write_beside(&p, f->text, strlen(f->text), 0644, e);
	close(p.dir_fd);
	return ok;
}

bool
files_tree_write(const char *dir, const struct file_text *files, size_t n, struct err *e)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!check_path(files[i].path, e))
			return false;
	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		return fail(e, ERR_FAILED, "%s: %s", dir, strerror(errno));
	for (i = 0; i < n; i++)
		if (!write_below(dir, &files[i], e))
			return false;
	return true;
}
