#include "persist.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NEW ".pathtune-new"
#define OLD ".pathtune-old"

static bool
fail_errno(struct err *e, const char *path)
{
	return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
}

static int
open_again(const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode);
	while (fd == -1 && errno == EINTR);
	return fd;
}

/* ---- read ------------------------------------------------------------------------------------ */

static bool
read_all(int fd, const char *path, size_t cap, struct text *t, struct err *e)
{
	char part[16384];
	ssize_t n;

	for (;;) {
		n = read(fd, part, sizeof(part));
		if (n == 0)
			return true;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(e, path);
		if ((size_t)n > cap - t->len)
			return fail(e, ERR_FAILED, "%s: larger than %zu bytes, too large for a "
			    "file of settings", path, cap);
		text_bytes(t, part, (size_t)n);
	}
}

static const char *
what_is(mode_t mode)
{
	return S_ISLNK(mode) ? "is a symbolic link" : S_ISDIR(mode) ? "is a directory" :
	    "is no regular file";
}

bool
persist_read(struct arena *a, const char *path, size_t cap, struct persist_found *out,
    struct err *e)
{
	struct persist_found f = { .path = path };
	struct text t = { .arena = a };
	bool ok;
	int fd;

	if (lstat(path, &f.st) != 0) {
		/* ENOTDIR: what should be its directory is a file. */
		if (errno != ENOENT)
			return fail_errno(e, path);
		*out = f;
		return true;
	}
	if (!S_ISREG(f.st.st_mode))
		return fail(e, ERR_FAILED, "%s: %s, not a file that pathtune would write; look at "
		    "it and move it away", path, what_is(f.st.st_mode));
	/* A size that the kernel knows: no need to read a hundred megabytes to say so. */
	if ((uintmax_t)f.st.st_size > cap)
		return fail(e, ERR_FAILED, "%s: larger than %zu bytes, too large for a file of "
		    "settings", path, cap);
	fd = open_again(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -1)
		return fail_errno(e, path);
	text_bytes(&t, "", 0);
	ok = read_all(fd, path, cap, &t, e);
	close(fd);
	if (!ok)
		return false;
	f.text = t.s;
	f.len = t.len;
	*out = f;
	return true;
}

/* ---- write ----------------------------------------------------------------------------------- */

static bool
sync_fd(int fd)
{
	int r;

	do
		r = fsync(fd);
	while (r != 0 && errno == EINTR);
	return r == 0;
}

/* A directory that cannot be synced (EINVAL on some file systems) is as good as it gets. */
static bool
sync_dir(const char *dir, struct err *e)
{
	int fd = open_again(dir, O_RDONLY | O_DIRECTORY, 0);
	bool ok;

	/* A link to a directory is one, too: /etc on some systems. */
	if (fd == -1 && (errno == ELOOP || errno == ENOTDIR || errno == EMLINK))
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return fail_errno(e, dir);
	ok = sync_fd(fd) || errno == EINVAL || fail_errno(e, dir);
	close(fd);
	return ok;
}

static bool
dress(int fd, const struct persist_found *f)
{
	struct stat new;

	if (f->text == NULL)
		return fchmod(fd, 0644) == 0;
	if (fstat(fd, &new) != 0)
		return false;
	if ((new.st_uid != f->st.st_uid || new.st_gid != f->st.st_gid) &&
	    fchown(fd, f->st.st_uid, f->st.st_gid) != 0)
		return false;
	return fchmod(fd, f->st.st_mode & 07777) == 0;
}

static bool
write_new(const char *by, const struct persist_found *f, const char *text, size_t len,
    struct err *e)
{
	int fd = open_again(by, O_WRONLY | O_CREAT | O_EXCL, 0600), error = 0;

	if (fd == -1)
		return fail_errno(e, by);
	if (!files_put(fd, text, len) || !dress(fd, f) || !sync_fd(fd))
		error = errno;
	if (close(fd) != 0 && errno != EINTR && error == 0)
		error = errno;
	errno = error;
	return error == 0 || fail_errno(e, by);
}

/* The same file under this name, and nobody wrote to it. */
static bool
is_still(const char *path, const struct stat *was)
{
	struct stat now;

	return lstat(path, &now) == 0 && now.st_dev == was->st_dev && now.st_ino == was->st_ino &&
	    now.st_size == was->st_size && now.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

static bool
check_found(const struct persist_found *f, struct err *e)
{
	struct stat now;

	return (f->text != NULL ? is_still(f->path, &f->st) :
	    lstat(f->path, &now) != 0 && errno == ENOENT) ||
	    fail(e, ERR_FAILED, "%s: was changed in this moment by somebody else", f->path);
}

static char *
beside(struct arena *a, const char *path, const char *end, const char *mark)
{
	const char *slash = strrchr(path, '/');

	return arena_printf(a, "%.*s.%s%s-%s", (int)(slash - path) + 1, path, slash + 1, end, mark);
}

bool
persist_name(struct arena *a, const struct persist_found *f, const char *mark,
    struct persist_swap *out, struct err *e)
{
	const char *slash = strrchr(f->path, '/');

	if (f->path[0] != '/' || slash[1] == '\0')
		return fail(e, ERR_FAILED, "%s: not the absolute path of a file", f->path);
	*out = (struct persist_swap){ .path = f->path, .found = *f,
		.dir = slash == f->path ? "/" : arena_strndup(a, f->path,
		    (size_t)(slash - f->path)),
		.by = beside(a, f->path, NEW, mark),
		.old = f->text == NULL ? NULL : beside(a, f->path, OLD, mark) };
	return true;
}

/* Missing on some systems: /boot/loader.conf.d, /etc/modules-load.d. */
static bool
make_dir(const char *dir, struct err *e)
{
	struct stat st;

	if (stat(dir, &st) == 0)
		return S_ISDIR(st.st_mode) || fail(e, ERR_FAILED, "%s: is not a directory", dir);
	if (errno != ENOENT || (mkdir(dir, 0755) != 0 && errno != EEXIST))
		return fail_errno(e, dir);
	return true;
}

static bool
prepare(const struct persist_swap *s, const char *text, size_t len, struct err *e)
{
	if (!make_dir(s->dir, e) || !write_new(s->by, &s->found, text, len, e) ||
	    !check_found(&s->found, e))
		return false;
	if (s->old != NULL && link(s->path, s->old) != 0)
		return fail(e, ERR_FAILED, "%s: cannot be kept beside: %s", s->path,
		    strerror(errno));
	return sync_dir(s->dir, e);
}

static void
clear(const struct persist_swap *s)
{
	unlink(s->by);
	if (s->old != NULL)
		unlink(s->old);
}

bool
persist_prepare(const struct persist_swap *s, const char *text, size_t len, struct err *e)
{
	clear(s);
	if (prepare(s, text, len, e))
		return true;
	clear(s);
	return false;
}

bool
persist_swap(const struct persist_swap *s, bool remove, struct err *e)
{
	int r;

	if (!check_found(&s->found, e))
		return false;
	do
		r = remove ? unlink(s->path) : rename(s->by, s->path);
	while (r != 0 && errno == EINTR);
	return r == 0 ? sync_dir(s->dir, e) : fail_errno(e, s->path);
}

bool
persist_check(const struct persist_swap *s, struct err *e)
{
	return s->old == NULL || is_still(s->old, &s->found.st) ||
	    fail(e, ERR_FAILED, "%s: was changed in this moment by somebody else", s->path);
}

bool
persist_settle(const struct persist_swap *s, struct err *e)
{
	if ((unlink(s->by) != 0 && errno != ENOENT) ||
	    (s->old != NULL && unlink(s->old) != 0 && errno != ENOENT))
		return fail_errno(e, s->path);
	return sync_dir(s->dir, e);
}

void
persist_tidy(struct arena *a, const char *path, const char *mark)
{
	unlink(beside(a, path, NEW, mark));
	unlink(beside(a, path, OLD, mark));
}
