#include "transport.h"

#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define STDERR_BYTES ((size_t)4096)
#define REAP_S 2.0     /* for a killed command to be gone */
#define REAP_POLL_MS 1 /* POSIX has no wait with a time limit */

/* One stream of a command's output: the first cap bytes of it. */
struct stream {
	int fd; /* -1 at its end */
	char *text;
	size_t len, cap;
	bool over; /* more than cap came */
};

struct process {
	pid_t pid; /* also its process group */
	struct stream out, err;
	double deadline;
	const char *killed; /* why we ended it, or NULL */
};

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool
failed(struct output *out, int status, const char *why)
{
	out->status = status;
	out->why = why;
	return true;
}

static void
finish_text(struct output *out, char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] == '\0')
			text[i] = '?';
	text[len] = '\0';
	out->text = text;
	out->len = len;
}

/* Read what is there now into the stream; at its end the descriptor is closed. */
static void
stream_read(struct stream *s)
{
	char more;
	bool full = s->len == s->cap;
	ssize_t n = read(s->fd, full ? &more : s->text + s->len, full ? 1 : s->cap - s->len);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0 && full)
		s->over = true;
	else if (n > 0)
		s->len += (size_t)n;
	else {
		close(s->fd);
		s->fd = -1;
	}
}

static bool
read_file(struct arena *a, const char *file, struct output *out)
{
	struct stream s = { .cap = HOST_OUTPUT_BYTES };
	char *text;

	s.fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (s.fd == -1)
		return failed(out, 1, arena_printf(a, "%s: %s", file, strerror(errno)));
	s.cap = 4096; /* what nearly every file of the kernel's fits in */
	text = s.text = arena_alloc(a, s.cap + 1);
	errno = 0;
	while (s.fd != -1 && errno == 0 && !s.over) {
		if (s.len == s.cap && s.cap < HOST_OUTPUT_BYTES) {
			s.cap = HOST_OUTPUT_BYTES;
			s.text = arena_alloc(a, s.cap + 1);
			memcpy(s.text, text, s.len);
			text = s.text;
		}
		stream_read(&s);
		if (errno == EINTR)
			errno = 0;
	}
	if (errno != 0)
		failed(out, 1, arena_printf(a, "%s: %s", file, strerror(errno)));
	else if (s.over)
		failed(out, 1, arena_printf(a, "%s: larger than %zu bytes", file, s.cap));
	if (s.fd != -1)
		close(s.fd);
	finish_text(out, s.text, s.len);
	return true;
}

/* The program's path on SEARCH_PATH, which is not the PATH that posix_spawnp() would look at. */
static const char *
find_program(struct arena *a, const char *name)
{
	const char *dir, *end;
	char *path;

	if (strchr(name, '/') != NULL)
		return name;
	for (dir = SEARCH_PATH; *dir != '\0'; dir = *end == ':' ? end + 1 : end) {
		end = dir + strcspn(dir, ":");
		path = arena_printf(a, "%.*s/%s", (int)(end - dir), dir, name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* Both ends above stderr, so that they never collide with what the command gets as 0, 1, 2. */
static bool
open_pipe(int ends[2])
{
	int low[2], i;

	if (pipe(low) != 0)
		return false;
	for (i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 3);
		close(low[i]);
	}
	return ends[0] != -1 && ends[1] != -1;
}

static void
close_pipe(int ends[2])
{
	int i;

	for (i = 0; i < 2; i++)
		if (ends[i] != -1)
			close(ends[i]);
}

/* Default signal handling, no signal blocked, a process group of its own. */
static int
spawn_attributes(posix_spawnattr_t *attr)
{
	static const int restored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT };
	sigset_t none, defaults;
	size_t i;

	sigemptyset(&none);
	sigemptyset(&defaults);
	for (i = 0; i < NELEM(restored); i++)
		sigaddset(&defaults, restored[i]);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &defaults);
	posix_spawnattr_setpgroup(attr, 0);
	return posix_spawnattr_setflags(attr,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* 0 or an errno. */
static int
spawn(const char *path, const char *const *argv, int out_fd, int err_fd, pid_t *pid)
{
	static char lc_all[] = "LC_ALL=C", search_path[] = "PATH=" SEARCH_PATH;
	char *const envp[] = { lc_all, search_path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *const *words;
	int error;

	memcpy(&words, &argv, sizeof(words)); /* posix_spawn() changes no word, but its type does */
	error = posix_spawn_file_actions_init(&actions);
	if (error != 0)
		return error;
	error = posix_spawnattr_init(&attr);
	if (error != 0)
		goto actions;
	error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&actions, out_fd, 1);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&actions, err_fd, 2);
	if (error == 0)
		error = spawn_attributes(&attr);
	if (error == 0)
		error = posix_spawn(pid, path, &actions, &attr, words, envp);
	posix_spawnattr_destroy(&attr);
actions:
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* Start it with its streams open; why is set when that cannot be done. */
static bool
start(struct arena *a, const struct command *c, struct process *p, const char **why)
{
	const char *path = find_program(a, c->argv[0]);
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int error = 0;

	if (path == NULL) {
		*why = arena_printf(a, "%s: not found", c->argv[0]);
		return false;
	}
	if (!open_pipe(out) || !open_pipe(err))
		error = errno;
	else
		error = spawn(path, c->argv, out[1], err[1], &p->pid);
	if (error != 0) {
		close_pipe(out);
		close_pipe(err);
		*why = arena_printf(a, "%s: %s", c->argv[0], strerror(error));
		return false;
	}
	close(out[1]);
	close(err[1]);
	p->out = (struct stream){ out[0], NULL, 0, HOST_OUTPUT_BYTES, false };
	p->err = (struct stream){ err[0], NULL, 0, STDERR_BYTES, false };
	p->out.text = arena_alloc(a, p->out.cap + 1);
	p->err.text = arena_alloc(a, p->err.cap + 1);
	return true;
}

/* True when the wait is over: the time is up or a stop came. */
static bool
wait_ends(struct process *p, double timeout_s, struct arena *a)
{
	if (stop_requested() != 0)
		p->killed = "stopped by a signal";
	else if (now_s() >= p->deadline)
		p->killed = arena_printf(a, "no end within %g s", timeout_s);
	return p->killed != NULL;
}

/* Until both streams are at their end, or there is a reason to kill. */
static void
collect(struct arena *a, struct process *p, double timeout_s)
{
	struct stream *streams[] = { &p->out, &p->err };
	struct pollfd wait[3];
	size_t i;
	double left_s;

	while (p->out.fd != -1 || p->err.fd != -1) {
		if (wait_ends(p, timeout_s, a))
			return;
		for (i = 0; i < 2; i++)
			wait[i] = (struct pollfd){ .fd = streams[i]->fd, .events = POLLIN };
		wait[2] = (struct pollfd){ .fd = stop_fd(), .events = POLLIN };
		left_s = p->deadline - now_s();
		if (poll(wait, 3, left_s > 0 ? (int)(left_s * 1000) + 1 : 0) <= 0)
			continue;
		for (i = 0; i < 2; i++)
			if (streams[i]->fd != -1 && wait[i].revents != 0)
				stream_read(streams[i]);
		if (p->out.over) {
			p->killed = arena_printf(a, "more than %zu bytes of output", p->out.cap);
			return;
		}
		p->err.over = false; /* more words of complaint than we keep do no harm */
	}
}

/* Reaped before the deadline?  -1 is the answer of a process that is not ours to wait for. */
static bool
reap(struct process *p, double deadline, int *status)
{
	struct pollfd stop = { .fd = stop_fd(), .events = POLLIN };
	pid_t pid;

	for (;;) {
		pid = waitpid(p->pid, status, WNOHANG);
		if (pid == p->pid || (pid == -1 && errno != EINTR))
			return true;
		if (now_s() >= deadline || (p->killed == NULL && stop_requested() != 0))
			return false;
		poll(&stop, p->killed == NULL ? 1 : 0, REAP_POLL_MS);
	}
}

static const char *
first_line(struct arena *a, const struct stream *s)
{
	return arena_strndup(a, s->text, strcspn(s->text, "\r\n"));
}

static void
judge(struct arena *a, struct process *p, int status, struct output *out)
{
	const char *said;

	if (p->killed != NULL)
		failed(out, -1, p->killed);
	else if (WIFSIGNALED(status))
		failed(out, -1, arena_printf(a, "ended by signal %d", WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0) {
		said = first_line(a, &p->err);
		failed(out, WEXITSTATUS(status), *said != '\0' ? said :
		    arena_printf(a, "exit status %d", WEXITSTATUS(status)));
	}
}

static void
run_command(struct arena *a, const struct command *c, struct output *out)
{
	double timeout_s = c->timeout_s > 0 ? c->timeout_s : HOST_TIMEOUT_S;
	struct process p = { .deadline = now_s() + timeout_s };
	const char *why = NULL;
	int status = 0;

	if (!start(a, c, &p, &why)) {
		failed(out, -1, why);
		return;
	}
	collect(a, &p, timeout_s);
	if (p.killed == NULL && !reap(&p, p.deadline, &status))
		wait_ends(&p, timeout_s, a);
	if (p.killed != NULL) {
		kill(-p.pid, SIGKILL); /* not reaped yet: the group's number is still its own */
		reap(&p, now_s() + REAP_S, &status);
	}
	if (p.out.fd != -1)
		close(p.out.fd);
	if (p.err.fd != -1)
		close(p.err.fd);
	finish_text(out, p.out.text, p.out.len);
	judge(a, &p, status, out);
}

static bool
run_one(struct arena *a, const struct command *c, struct output *out, struct err *e)
{
	*out = (struct output){ .text = "" };
	if (c->argv == NULL)
		return read_file(a, c->file, out);
	if (stop_requested() == 0)
		run_command(a, c, out);
	if (stop_requested() != 0)
		return fail(e, ERR_STOPPED, "%s: stopped by signal %d", c->argv[0],
		    stop_requested());
	return true;
}

/*
 * Why a file cannot be opened for writing.  A knob of the first namespace has no write bits in
 * another, and root is refused all the same (os-facts A.5.1); one that root alone may write has
 * them.
 */
static const char *
refusal(const char *file, int error)
{
	struct stat st;

	if (error == EROFS || ((error == EACCES || error == EPERM) &&
	    (geteuid() == 0 || (stat(file, &st) == 0 && (st.st_mode & 0222) == 0))))
		return "read-only here (container or namespace)";
	return error == EACCES || error == EPERM ? "needs root" : strerror(error);
}

static bool
local_run(void *self, struct arena *a, const struct command *c, size_t n, struct output *out,
    struct err *e)
{
	(void)self;
	for (size_t i = 0; i < n; i++) {
		if (!run_one(a, &c[i], &out[i], e))
			return false;
	}
	return true;
}

static bool
local_write(void *self, const char *file, const char *value, struct err *e)
{
	size_t len = strlen(value);
	int error = 0, fd;
	ssize_t n;

	(void)self;

	fd = open(file, O_WRONLY | O_TRUNC | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return fail(e, ERR_FAILED, "%s: %s", file, refusal(file, errno));
	n = write(fd, value, len); /* one write: the kernel takes each as a whole value */
	if (n == -1)
		error = errno;
	close(fd);
	if (error != 0)
		return fail(e, ERR_FAILED, "%s: the kernel refuses \"%s\": %s", file, value,
		    strerror(error));
	if ((size_t)n != len)
		return fail(e, ERR_FAILED, "%s: only %zd of %zu bytes of \"%s\" were taken", file,
		    n, len, value);
	return true;
}

/* The local host holds nothing open. */
static bool
local_open(struct arena *a, const char *rest, void **self, struct err *e)
{
	(void)a, (void)e;
	*self = NULL;
	return *rest == '\0';
}

static const struct host_path *
local_path(const void *self)
{
	(void)self;
	return NULL;
}

static void
local_close(void *self)
{
	(void)self;
}

const struct transport transport_local = { "local", true, local_open, local_run, local_write,
	local_path, local_close };
