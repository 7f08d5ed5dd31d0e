/*
 * faults: one system call of a test's fails, with an error that fits it.  A test that includes
 * this names the functions in its own line "wraps:".
 */
#ifndef PATHTUNE_TESTS_FAULTS_H
#define PATHTUNE_TESTS_FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHORT (-1) /* not an error: only a part is written or read */

#define KINDS 32

/*
 * Shared with the processes that a change starts.  Calls are counted by function, ours and those
 * of the guard apart: which of the two comes first is not always the same.
 */
struct point {
	unsigned kind, other, nth;
};

static struct faults {
	unsigned count[KINDS][2];
	struct point at;        /* this one fails; nth 0: none */
	unsigned variant;       /* which of the errors that fit it */
	bool hit;
} *faults;
static bool armed;
static pid_t ours;

static const struct fitting {
	const char *name;
	int errors[6]; /* 0 ends them */
} fitting[] = {
	{ "open", { EACCES, EROFS, EIO, ENOSPC, EINTR, 0 } },
	{ "openat", { EACCES, EROFS, EIO, ENOSPC, EINTR, 0 } },
	{ "read", { EIO, EINTR, SHORT, 0 } }, { "pread", { EIO, EINTR, SHORT, 0 } },
	{ "write", { ENOSPC, EIO, EACCES, EINTR, SHORT, 0 } },
	{ "pwrite", { EIO, EINTR, 0 } },
	{ "fsync", { EIO, ENOSPC, EROFS, EINTR, 0 } },
	{ "rename", { ENOSPC, EIO, EACCES, EROFS, EINTR, 0 } },
	{ "renameat", { ENOSPC, EIO, EACCES, EROFS, EINTR, 0 } },
	{ "link", { ENOSPC, EIO, EACCES, EROFS, 0 } },
	{ "unlink", { EIO, EACCES, EROFS, 0 } }, { "unlinkat", { EIO, EACCES, EROFS, 0 } },
	{ "mkdir", { ENOSPC, EACCES, EROFS, 0 } },
	{ "lstat", { EIO, EACCES, 0 } }, { "stat", { EIO, EACCES, 0 } },
	{ "fstat", { EIO, 0 } }, { "fstatat", { EIO, EACCES, 0 } },
	{ "fchmod", { EIO, EROFS, 0 } }, { "fchown", { EPERM, EIO, 0 } },
	{ "ftruncate", { EIO, 0 } }, { "flock", { EINTR, ENOLCK, 0 } }, { "lseek", { EIO, 0 } },
	{ "fork", { EAGAIN, ENOMEM, 0 } }, { "posix_spawn", { EAGAIN, ENOENT, EACCES, 0 } },
	{ "execve", { EACCES, ENOENT, EIO, 0 } },
	{ "pipe", { EMFILE, 0 } }, { "socketpair", { EMFILE, 0 } },
	{ "send", { EPIPE, EINTR, 0 } }, { "recv", { ECONNRESET, EINTR, 0 } },
};

static unsigned
kind_of(const char *name)
{
	unsigned i = 0;

	while (strcmp(fitting[i].name, name) != 0)
		i++;
	return i;
}

/* The error with which this call is to fail; 0: it is not. */
static int
fault(const char *name)
{
	unsigned kind, other, n, errors = 0;

	if (!armed)
		return 0;
	kind = kind_of(name);
	other = getpid() != ours;
	n = __atomic_add_fetch(&faults->count[kind][other], 1, __ATOMIC_SEQ_CST);
	if (kind != faults->at.kind || other != faults->at.other || n != faults->at.nth)
		return 0;
	while (fitting[kind].errors[errors] != 0)
		errors++;
	faults->hit = true;
	return fitting[kind].errors[faults->variant % errors];
}

#define FAIL(name, failed) \
	do { \
		int error_ = fault(name); \
		if (error_ > 0) { \
			errno = error_; \
			return failed; \
		} \
	} while (0)

#define WRAP(type, name, failed, params, args) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params \
	{ \
		FAIL(#name, failed); \
		return __real_##name args; \
	}

#define WRAP_PART(type, name, params, before, len, after) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params \
	{ \
		int error_ = fault(#name); \
		if (error_ > 0) { \
			errno = error_; \
			return -1; \
		} \
		return __real_##name(before, error_ == SHORT && len > 1 ? len / 2 : len after); \
	}

#define COMMA ,
WRAP_PART(ssize_t, read, (int fd, void *to, size_t n), fd COMMA to, n, )
WRAP_PART(ssize_t, pread, (int fd, void *to, size_t n, off_t at), fd COMMA to, n, COMMA at)
WRAP_PART(ssize_t, write, (int fd, const void *from, size_t n), fd COMMA from, n, )
WRAP(ssize_t, pwrite, -1, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
WRAP(int, fsync, -1, (int fd), (fd))
WRAP(int, rename, -1, (const char *a, const char *b), (a, b))
WRAP(int, renameat, -1, (int d, const char *a, int f, const char *b), (d, a, f, b))
WRAP(int, link, -1, (const char *a, const char *b), (a, b))
WRAP(int, unlink, -1, (const char *a), (a))
WRAP(int, unlinkat, -1, (int d, const char *a, int flags), (d, a, flags))
WRAP(int, mkdir, -1, (const char *a, mode_t mode), (a, mode))
WRAP(int, lstat, -1, (const char *a, struct stat *st), (a, st))
WRAP(int, stat, -1, (const char *a, struct stat *st), (a, st))
WRAP(int, fstat, -1, (int fd, struct stat *st), (fd, st))
WRAP(int, fstatat, -1, (int d, const char *a, struct stat *st, int flags), (d, a, st, flags))
WRAP(int, fchmod, -1, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchown, -1, (int fd, uid_t u, gid_t g), (fd, u, g))
WRAP(int, ftruncate, -1, (int fd, off_t n), (fd, n))
WRAP(int, flock, -1, (int fd, int how), (fd, how))
WRAP(off_t, lseek, -1, (int fd, off_t n, int whence), (fd, n, whence))
WRAP(pid_t, fork, -1, (void), ())
WRAP(int, execve, -1, (const char *a, char *const v[], char *const env[]), (a, v, env))
WRAP(int, pipe, -1, (int ends[2]), (ends))
WRAP(int, socketpair, -1, (int d, int type, int p, int ends[2]), (d, type, p, ends))
WRAP(ssize_t, send, -1, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))
WRAP(ssize_t, recv, -1, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __real_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attr, char *const argv[], char *const env[]);
int __wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attr, char *const argv[], char *const env[]);

static mode_t
mode_of(int flags, va_list ap)
{
	return (flags & O_CREAT) != 0 ? (mode_t)va_arg(ap, int) : 0;
}

int
__wrap_open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	FAIL("open", -1);
	return __real_open(path, flags, mode);
}

int
__wrap_openat(int dir, const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	FAIL("openat", -1);
	return __real_openat(dir, path, flags, mode);
}

int
__wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attr, char *const argv[], char *const env[])
{
	int error = fault("posix_spawn");

	return error > 0 ? error : __real_posix_spawn(pid, path, actions, attr, argv, env);
}

#endif
