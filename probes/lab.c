#include "lab.h"

#include "lab_health.h"
#include "lab_ns.h"
#include "lab_owner.h"
#include "lab_state.h"
#include "stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<sys/prctl.h>)
#include <sys/prctl.h>
#endif
#if __has_include(<sys/syscall.h>)
#include <sys/syscall.h>
#endif
#endif

#define READY_MS 10000
#define DEATH_MS 5000
#define OWNER_FD 3 /* the owner's end of the socket pair */

/* What the owner tells once its namespaces stand. */
struct ready {
	pid_t owner;
	struct lab_ns ns;
	struct err err;
};

/* ---- the owner ------------------------------------------------------------------------------- */

/* Whoever waits for an end of file of our caller's must not wait for the lab. */
static void
close_others(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, OWNER_FD + 1, ~0u, 0) == 0)
		return;
#endif
	for (int fd = OWNER_FD + 1; fd < 1024; fd++)
		close(fd);
}

static bool
detach(int socket)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
#ifdef PR_SET_NAME
	prctl(PR_SET_NAME, "pathtune-lab");
#endif
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    (socket != OWNER_FD && dup2(socket, OWNER_FD) < 0) || chdir("/") != 0)
		return false;
	close_others();
	return true;
}

/* The owner's whole life.  It carries packets only once its state is on disk. */
static void
owner_main(const struct lab_spec *s, int socket, struct lab_shared *shared)
{
	struct ready ready = { .owner = getpid() };
	char go;

	stop_reset();
	if (!detach(socket))
		_exit(1);
	ns_make(s, &ready.ns, &ready.err);
	if (send(OWNER_FD, &ready, sizeof(ready), MSG_NOSIGNAL) != (ssize_t)sizeof(ready) ||
	    ready.err.code != ERR_NONE || read(OWNER_FD, &go, 1) != 1)
		_exit(1);
	if (!s->tied)
		close(OWNER_FD);
	_exit(!owner_run(s, ready.ns.tun, s->tied ? OWNER_FD : -1, shared, &ready.err));
}

/* A session of its own, and nobody's child. */
static pid_t
fork_owner(const struct lab_spec *s, int socket, struct lab_shared *shared)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (setsid() < 0)
		_exit(1);
	pid = fork();
	if (pid != 0)
		_exit(pid < 0);
	owner_main(s, socket, shared);
	return 0;
}

/* ---- up -------------------------------------------------------------------------------------- */

/* Only signals that we hear end the wait. */
static bool
await_ready(int socket, struct ready *ready, struct err *e)
{
	struct pollfd p[] = { { socket, POLLIN, 0 }, { stop_fd(), POLLIN, 0 } };
	int n;

	do
		n = poll(p, NELEM(p), READY_MS);
	while (n < 0 && errno == EINTR);
	if (stop_requested())
		return fail(e, ERR_STOPPED, "stopped by a signal; the lab is not made");
	if (n <= 0 ||
	    recv(socket, ready, sizeof(*ready), MSG_WAITALL) != (ssize_t)sizeof(*ready))
		return fail(e, ERR_FAILED, "the lab's process did not come up");
	if (ready->err.code != ERR_NONE)
		return fail(e, ready->err.code, "%s", ready->err.text);
	return true;
}

static bool
start_owner(const struct lab_spec *s, struct lab_shared *shared, int *socket,
    struct ready *ready, struct err *e)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return fail(e, ERR_FAILED, "cannot make a socket pair: %s", strerror(errno));
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	pid = fork_owner(s, pair[1], shared);
	close(pair[1]);
	*socket = pair[0];
	if (pid < 0)
		return fail(e, ERR_FAILED, "cannot start the lab's process: %s", strerror(errno));
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return await_ready(pair[0], ready, e);
}

/* The directory with its parts; the figures mapped. */
static bool
make_dir(int base, const char *name, int *dir, struct lab_shared **shared, struct err *e)
{
	void *map = MAP_FAILED;
	int fd;

	if (mkdirat(base, name, 0700) != 0)
		return fail(e, ERR_FAILED, "lab %s: cannot make its directory: %s", name,
		    strerror(errno));
	if (!state_open(base, name, dir, e))
		return false;
	fd = openat(*dir, STATE_STATS, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && ftruncate(fd, sizeof(**shared)) == 0)
		map = mmap(NULL, sizeof(**shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED || mkdirat(*dir, STATE_JOURNAL, 0700) != 0)
		return fail(e, ERR_FAILED, "lab %s: cannot fill its directory: %s", name,
		    strerror(errno));
	*shared = map;
	return true;
}

/* Put the state on disk, then let the owner begin. */
static bool
commit(struct arena *a, const struct lab_spec *s, int dir, int socket, const struct ready *r,
    struct err *e)
{
	struct cpu_time cpu = health_cpu_now();
	struct lab_state st = {
		.owner = r->owner,
		.boot = state_boot(),
		.net = { r->ns.net[0], r->ns.net[1] },
		.user = r->ns.user,
		.cpu_total_s = cpu.total_s,
		.cpu_stolen_s = cpu.stolen_s,
		.start_cc = ns_start_cc(s->start),
		.cc_refused = r->ns.cc_refused,
		.spec = *s,
	};

	if (!state_start_time(r->owner, &st.owner_start))
		return fail(e, ERR_FAILED, "lab %s: its process died at once", s->name);
	if (!state_write(a, dir, &st, e))
		return false;
	if (send(socket, "g", 1, MSG_NOSIGNAL) != 1)
		return fail(e, ERR_FAILED, "lab %s: its process died at once", s->name);
	return true;
}

static bool
build(struct arena *a, const struct lab_spec *s, int base, struct err *e)
{
	struct lab_shared *shared = NULL;
	int dir = -1, socket = -1;
	struct ready ready;
	bool ok;

	ok = make_dir(base, s->name, &dir, &shared, e) &&
	    start_owner(s, shared, &socket, &ready, e) && commit(a, s, dir, socket, &ready, e);
	/* An owner that is waiting for its start ends when this closes, a tied one at any time. */
	if (socket >= 0 && !(ok && s->tied))
		close(socket);
	if (shared != NULL)
		munmap(shared, sizeof(*shared));
	if (dir >= 0)
		close(dir);
	if (!ok)
		state_remove(base, s->name, NULL);
	return ok;
}

/*
 * Look at what is there under this name: *owner is the descriptor of a living owner, or -1.
 * *there: a directory exists.
 */
static bool
look(struct arena *a, int base, const char *name, bool *there, int *owner, struct err *e)
{
	struct lab_state *s = NULL;
	int dir = -1;
	bool ok;

	*owner = -1;
	if (!state_open(base, name, &dir, e))
		return false;
	*there = dir >= 0;
	if (dir < 0)
		return true;
	ok = state_read(a, dir, name, &s, e);
	close(dir);
	if (s != NULL)
		*owner = state_owner(s);
	return ok;
}

bool
lab_up(struct arena *a, const struct lab_spec *s, const char **start_cc, struct err *e)
{
	int base = -1, owner = -1;
	const char *path;
	bool there, ok = false;

	if (!lab_check(s, e) || !state_base(a, true, &path, &base, e) || !state_lock(base, e) ||
	    !look(a, base, s->name, &there, &owner, e))
		goto out;
	if (owner >= 0) {
		fail(e, ERR_FAILED, "lab %s: already up (pathtune lab down %s)", s->name, s->name);
		goto out;
	}
	ok = (!there || state_remove(base, s->name, e)) && build(a, s, base, e);
	if (ok)
		*start_cc = ns_start_cc(s->start);
out:
	if (owner >= 0)
		close(owner);
	if (base >= 0)
		close(base);
	return ok;
}

/* ---- down ------------------------------------------------------------------------------------ */

/* The owner holds nothing that would want an orderly end.  No signal to us stops this half way. */
static bool
end_owner(int owner, const char *name, struct err *e)
{
	struct pollfd p = { owner, POLLIN, 0 };
	int n;

	if (!state_signal(owner, SIGKILL) && errno != ESRCH)
		return fail(e, ERR_FAILED, "lab %s: cannot end its owner: %s", name,
		    strerror(errno));
	do
		n = poll(&p, 1, DEATH_MS);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return fail(e, ERR_FAILED, "lab %s: its owner does not end", name);
	return true;
}

bool
lab_down(struct arena *a, const char *name, struct err *e)
{
	int base = -1, owner = -1;
	const char *path;
	bool there = false, ok = false;

	if (!lab_check_name(name, e) || !state_base(a, false, &path, &base, e) ||
	    (base >= 0 && (!state_lock(base, e) || !look(a, base, name, &there, &owner, e))))
		goto out;
	if (!there)
		fail(e, ERR_FAILED, "lab %s: there is none", name);
	else
		ok = (owner < 0 || end_owner(owner, name, e)) && state_remove(base, name, e);
out:
	if (owner >= 0)
		close(owner);
	if (base >= 0)
		close(base);
	return ok;
}

/* Is it PREFIX with a number behind it? */
static bool
is_numbered(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 && name[n] != '\0' &&
	    strspn(name + n, "0123456789") == strlen(name + n);
}

/* Nobody can be making it: the base is locked. */
static bool
remove_dead(struct arena *a, int base, const char *name)
{
	struct err unread = { ERR_NONE, "" };
	bool there, dead;
	int owner;

	dead = look(a, base, name, &there, &owner, &unread) && there && owner < 0;
	if (owner >= 0)
		close(owner);
	return dead && state_remove(base, name, NULL);
}

size_t
lab_sweep(struct arena *a, const char *prefix)
{
	const char *path;
	struct dirent *entry;
	size_t removed = 0;
	DIR *d = NULL;
	int base = -1, fd = -1;

	if (state_base(a, false, &path, &base, NULL) && base >= 0 && state_lock(base, NULL))
		fd = fcntl(base, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && (d = fdopendir(fd)) == NULL)
		close(fd);
	while (d != NULL && (entry = readdir(d)) != NULL)
		if (lab_check_name(entry->d_name, NULL) && is_numbered(entry->d_name, prefix))
			removed += remove_dead(a, base, entry->d_name);
	if (d != NULL)
		closedir(d);
	if (base >= 0)
		close(base);
	return removed;
}
