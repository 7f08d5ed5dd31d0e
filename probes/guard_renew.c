#include "guard_renew.h"

#include "process.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define A_LEASE 20.0 /* renewals */
#define LEAST_S .1
#define MOST_S 10.0

struct guard_renew {
	pid_t pid;
	int alive; /* closed when we end */
};

/* A guard that has decided, or is gone with its directory, gets no more. */
static const char script[] =
    "cd \"$1\" || exit 1\n"
    "while read -r n && [ -e pid ] && [ ! -e decided ]; do\n"
    "	echo \"by $n\" >lease.by && mv -f lease.by lease\n"
    "done\n";

/* ---- in the process of its own --------------------------------------------------------------- */

struct renewing {
	struct host *host;
	const char *const *argv;
	struct host_child child;
	unsigned long sent;
};

static bool
begin(struct renewing *r, struct err *e)
{
	struct arena *a = arena_new();
	bool ok = host_start(r->host, a, r->argv, &r->child, e);

	if (ok)
		fcntl(r->child.in, F_SETFL, O_NONBLOCK); /* a link that is down holds us up else */
	else
		r->child.pid = -1;
	arena_free(a);
	return ok;
}

static void
renew(struct renewing *r)
{
	struct err ignored = { ERR_NONE, "" };
	struct arena *a;
	const char *line;

	if (r->child.pid == -1 && !begin(r, &ignored))
		return;
	a = arena_new();
	line = arena_printf(a, "%lu\n", ++r->sent);
	if (write(r->child.in, line, strlen(line)) == -1 && errno != EAGAIN)
		host_end(&r->child);
	arena_free(a);
}

_Noreturn static void
run(struct renewing *r, int alive, int said, double every_s)
{
	const int keep[] = { alive, said };
	struct pollfd ended = { alive, POLLIN, 0 };
	struct err e = { ERR_NONE, "" };

	process_alone(keep, NELEM(keep));
	if (!begin(r, &e)) {
		(void)!write(said, e.text, strlen(e.text));
		_exit(1);
	}
	close(said);
	do
		renew(r);
	while (poll(&ended, 1, (int)(every_s * 1e3)) == 0);
	host_end(&r->child);
	_exit(0);
}

/* ---- here ------------------------------------------------------------------------------------ */

/*
 * It closes its end when it is at work; before that it says why it cannot be.  Until then we renew:
 * a login may take longer than a lease.
 */
static bool
await(int said, struct guard_remote *g, struct arena *a, double every_s, struct err *e)
{
	char why[sizeof(e->text)];
	size_t len = 0;
	ssize_t n = 1;

	while (n != 0) {
		struct pollfd p[] = { { said, POLLIN, 0 }, { stop_fd(), POLLIN, 0 } };

		if (poll(p, NELEM(p), (int)(every_s * 1e3)) == 0) {
			if (!guard_remote_renew(g, a, e))
				return false;
			continue;
		}
		if (p[1].revents != 0)
			return fail(e, ERR_STOPPED, "stopped by signal %d", stop_requested());
		n = p[0].revents == 0 ? 1 : read(said, why + len, sizeof(why) - 1 - len);
		if (n == -1 && errno != EINTR)
			break;
		len += n > 0 && p[0].revents != 0 ? (size_t)n : 0;
		if (len == sizeof(why) - 1)
			break;
	}
	why[len] = '\0';
	return len == 0 || fail(e, ERR_FAILED, "the lease of the guard cannot be renewed: %s", why);
}

bool
guard_renew_start(struct host *h, struct arena *a, struct guard_remote *g, double lease_s,
    struct guard_renew **out, struct err *e)
{
	double every_s = fmin(fmax(lease_s / A_LEASE, LEAST_S), MOST_S);
	const char *const argv[] = { "sh", "-c", script, "sh", guard_remote_dir(g), NULL };
	struct renewing renewing = { .host = h, .argv = argv, .child = { .pid = -1 } };
	struct guard_renew *r = arena_alloc(a, sizeof(*r));
	int alive[2] = { -1, -1 }, said[2] = { -1, -1 };
	bool ok;

	if (!process_pipe(alive) || !process_pipe(said))
		return fail(e, ERR_FAILED, "a pipe: %s", strerror(errno));
	r->pid = fork();
	if (r->pid == 0)
		run(&renewing, alive[0], said[1], every_s);
	close(alive[0]);
	close(said[1]);
	r->alive = alive[1];
	ok = r->pid == -1 ? fail(e, ERR_FAILED, "fork: %s", strerror(errno)) :
	    await(said[0], g, a, every_s, e);
	close(said[0]);
	if (ok)
		*out = r;
	else
		guard_renew_end(r);
	return ok;
}

void
guard_renew_end(struct guard_renew *r)
{
	if (r == NULL)
		return;
	close(r->alive);
	if (r->pid > 0)
		process_leave(r->pid);
}
