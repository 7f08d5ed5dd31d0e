#include "process.h"

#include "stop.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STDERR_BYTES ((size_t)4096)
#define GRACE_S 1.0    /* between SIGTERM and SIGKILL */
#define REAP_S 2.0     /* for a killed command to be gone */
#define FD_MAX 4096    /* as far as we look for inherited descriptors */
#define REAP_POLL_MS 1 /* POSIX has no wait with a time limit */

/* POSIX leaves the declaration to us; some headers have it all the same. */
extern char **environ; /* NOLINT(readability-redundant-declaration) */

struct process {
	const struct process_spec *spec;
	pid_t pid; /* also its process group */
	struct stream out, err;
	int in; /* where input goes; -1: all of it is gone, or there was none */
	size_t in_len;
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

static void
failed(struct output *out, const char *why)
{
	out->status = -1;
	out->why = why;
}

/* The program's path, which is not one that posix_spawnp() would find. */
static const char *
find_program(struct arena *a, const char *name, const char *search)
{
	const char *dir, *end;
	struct stat st;
	char *path;

	if (strchr(name, '/') != NULL)
		return name;
	for (dir = search; *dir != '\0'; dir = *end == ':' ? end + 1 : end) {
		end = dir + strcspn(dir, ":");
		if (end == dir)
			continue; /* the present directory, which means nothing to us */
		path = arena_printf(a, "%.*s/%s", (int)(end - dir), dir, name);
		if (access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return path;
	}
	return NULL;
}

/* Both ends above stderr, so that they never collide with what the command gets as 0, 1, 2. */
bool
process_pipe(int ends[2])
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

/* 0 or an errno.  in_fd -1: from /dev/null. */
static int
spawn_actions(posix_spawn_file_actions_t *actions, int in_fd, int out_fd, int err_fd)
{
	int error = in_fd != -1 ? posix_spawn_file_actions_adddup2(actions, in_fd, 0) :
	    posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

	if (error == 0)
		error = posix_spawn_file_actions_adddup2(actions, out_fd, 1);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(actions, err_fd, 2);
	return error;
}

/* 0 or an errno. */
static int
spawn(const struct process_spec *spec, const char *path, const int fds[3], pid_t *pid)
{
	static char lc_all[] = "LC_ALL=C", search_path[] = "PATH=" PROCESS_PATH;
	char *const clean[] = { lc_all, search_path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *const *words;
	int error;

	memcpy(&words, &spec->argv, sizeof(words)); /* posix_spawn() changes none of them */
	error = posix_spawn_file_actions_init(&actions);
	if (error != 0)
		return error;
	error = posix_spawnattr_init(&attr);
	if (error != 0)
		goto actions;
	error = spawn_actions(&actions, fds[0], fds[1], fds[2]);
	if (error == 0)
		error = spawn_attributes(&attr);
	if (error == 0)
		error = posix_spawn(pid, path, &actions, &attr, words,
		    spec->as_user ? environ : clean);
	posix_spawnattr_destroy(&attr);
actions:
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* 0 or an errno; our ends are open in p then. */
static int
connect_and_spawn(struct process *p, const char *path)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int error = 0;

	if (!process_pipe(out) || !process_pipe(err) ||
	    (p->spec->input != NULL && !process_pipe(in)) ||
	    (in[1] != -1 && fcntl(in[1], F_SETFL, O_NONBLOCK) != 0))
		error = errno;
	else
		error = spawn(p->spec, path, (const int[]){ in[0], out[1], err[1] }, &p->pid);
	if (error != 0) {
		close_pipe(in);
		close_pipe(out);
		close_pipe(err);
		return error;
	}
	close_pipe((int[]){ in[0], -1 });
	close_pipe((int[]){ out[1], err[1] });
	p->in = in[1];
	p->out.fd = out[0];
	p->err.fd = err[0];
	return 0;
}

static const char *
find_for(struct arena *a, const struct process_spec *spec)
{
	const char *users = getenv("PATH");

	return find_program(a, spec->argv[0],
	    spec->as_user && users != NULL ? users : PROCESS_PATH);
}

/* Start it with its streams open; why is set when that cannot be done. */
static bool
start(struct arena *a, struct process *p, const char **why)
{
	const char *name = p->spec->argv[0], *path = find_for(a, p->spec);
	int error;

	if (path == NULL) {
		*why = arena_printf(a, "%s: not found", name);
		return false;
	}
	error = connect_and_spawn(p, path);
	if (error != 0)
		*why = arena_printf(a, "%s: %s", name, strerror(error));
	return error == 0;
}

/* A stop came that ends it. */
static bool
stopped(const struct process *p)
{
	return !p->spec->even_stopped && stop_requested() != 0;
}

/* True when the wait is over: the time is up or a stop came. */
static bool
wait_ends(struct process *p, struct arena *a)
{
	if (stopped(p))
		p->killed = "stopped by a signal";
	else if (now_s() >= p->deadline)
		p->killed = arena_printf(a, "no end within %g s", p->spec->timeout_s);
	return p->killed != NULL;
}

static void
feed(struct process *p)
{
	size_t left = p->spec->input_len - p->in_len;
	ssize_t n = left == 0 ? 0 : write(p->in, p->spec->input + p->in_len, left);

	if (n > 0)
		p->in_len += (size_t)n;
	if (p->in_len != p->spec->input_len && (n > 0 || errno == EINTR || errno == EAGAIN))
		return;
	close(p->in); /* also when nobody reads it any more: the status tells why */
	p->in = -1;
}

static void
listen_to(struct stream *s, short revents)
{
	if (s->fd != -1 && revents != 0 && !stream_read(s))
		stream_close(s);
}

/* Wait for any of it until the deadline, and take what is there. */
static void
converse(struct process *p, double deadline, int stop)
{
	struct pollfd wait[] = { { p->out.fd, POLLIN, 0 }, { p->err.fd, POLLIN, 0 },
		{ p->in, POLLOUT, 0 }, { stop, POLLIN, 0 } };
	double left_s = deadline - now_s();

	if (poll(wait, NELEM(wait), left_s > 0 ? (int)(left_s * 1000) + 1 : 0) <= 0)
		return;
	listen_to(&p->out, wait[0].revents);
	listen_to(&p->err, wait[1].revents);
	if (p->in != -1 && wait[2].revents != 0)
		feed(p);
}

/* Until both streams are at their end, or there is a reason to kill. */
static void
collect(struct arena *a, struct process *p)
{
	while ((p->out.fd != -1 || p->err.fd != -1) && !wait_ends(p, a)) {
		converse(p, p->deadline, p->spec->even_stopped ? -1 : stop_fd());
		if (p->out.over) {
			p->killed = arena_printf(a, "more than %zu bytes of output", p->out.cap);
			return;
		}
	}
}

/*
 * Not reaped yet: the group's number is still its own.  What the user gave us may have something to
 * clean up, and gets the time for it.
 */
static void
end_group(struct process *p)
{
	double deadline = now_s() + GRACE_S;

	if (p->spec->as_user && kill(-p->pid, SIGTERM) == 0) {
		while ((p->out.fd != -1 || p->err.fd != -1) && now_s() < deadline)
			converse(p, deadline, -1);
	}
	kill(-p->pid, SIGKILL);
}

/* Reaped before the deadline?  -1 is the answer of a process that is not ours to wait for. */
static bool
reap(struct process *p, double deadline, int *status)
{
	struct pollfd stop = { .fd = p->spec->even_stopped ? -1 : stop_fd(), .events = POLLIN };
	pid_t pid;

	for (;;) {
		pid = waitpid(p->pid, status, WNOHANG);
		if (pid == p->pid || (pid == -1 && errno != EINTR))
			return true;
		if (now_s() >= deadline || (p->killed == NULL && stopped(p)))
			return false;
		poll(&stop, p->killed == NULL ? 1 : 0, REAP_POLL_MS);
	}
}

static void
judge(struct arena *a, struct process *p, int status, struct output *out)
{
	const char *said = stream_text(&p->err);

	if (p->killed != NULL)
		failed(out, p->killed);
	else if (WIFSIGNALED(status))
		failed(out, arena_printf(a, "ended by signal %d", WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0) {
		out->status = WEXITSTATUS(status);
		out->why = *said != '\0' && *said != '\n' && *said != '\r' ?
		    arena_strndup(a, said, strcspn(said, "\r\n")) :
		    arena_printf(a, "exit status %d", WEXITSTATUS(status));
	}
}

void
process_run(struct arena *a, const struct process_spec *spec, struct output *out)
{
	struct process p = { .spec = spec, .in = -1, .deadline = now_s() + spec->timeout_s,
		.out = { .arena = a, .cap = spec->output_bytes, .fd = -1 },
		.err = { .arena = a, .cap = STDERR_BYTES, .fd = -1 } };
	const char *why = NULL;
	int status = 0;

	*out = (struct output){ .text = "" };
	if (!start(a, &p, &why)) {
		failed(out, why);
		return;
	}
	collect(a, &p);
	if (p.killed == NULL && !reap(&p, p.deadline, &status))
		wait_ends(&p, a);
	if (p.killed != NULL) {
		end_group(&p);
		reap(&p, now_s() + REAP_S, &status);
	}
	stream_close(&p.out);
	stream_close(&p.err);
	if (p.in != -1)
		close(p.in);
	out->text = stream_text(&p.out);
	out->len = p.out.len;
	judge(a, &p, status, out);
}

bool
process_start(struct arena *a, const char *const *argv, bool as_user, const int fds[3], pid_t *pid,
    struct err *e)
{
	const struct process_spec spec = { .argv = argv, .as_user = as_user };
	const char *path = find_for(a, &spec);
	int error;

	if (path == NULL)
		return fail(e, ERR_FAILED, "%s: not found", argv[0]);
	error = spawn(&spec, path, fds, pid);
	return error == 0 || fail(e, ERR_FAILED, "%s: %s", argv[0], strerror(error));
}

void
process_end(pid_t pid)
{
	kill(-pid, SIGTERM);
	process_leave(pid);
}

void
process_leave(pid_t pid)
{
	const struct process_spec spec = { .even_stopped = true };
	struct process p = { .spec = &spec, .pid = pid, .killed = "no more use for it" };
	int status;

	if (reap(&p, now_s() + GRACE_S, &status))
		return;
	kill(-pid, SIGKILL);
	reap(&p, now_s() + REAP_S, &status);
}

/* A pipe of somebody's whose other end waits for all to let go of it must not wait for us. */
void
process_let_go(const int *keep, size_t n)
{
	long max = sysconf(_SC_OPEN_MAX);
	size_t i;
	int fd;

	for (fd = 3; fd < (max > 0 && max < FD_MAX ? (int)max : FD_MAX); fd++) {
		for (i = 0; i < n && keep[i] != fd; i++)
			continue;
		if (i == n)
			close(fd);
	}
}

void
process_alone(const int *keep, size_t n)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setpgid(0, 0);
	stop_reset();
	signal(SIGPIPE, SIG_IGN);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	process_let_go(keep, n);
}
