#include "children.h"

#include "flow.h"
#include "stop.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 50  /* whether one has ended whose pipe somebody else holds open */
#define SOON_MS 1   /* it has closed its pipes: its end is near */

struct child {
	struct child *next; /* younger ones behind */
	struct child_spec spec;
	struct arena *arena;
	pid_t pid;
	struct stream out;
	int err;
	char said[CHILDREN_SAID_BYTES + 1];
	size_t n_said;
	double started_s, deadline_s;
	const char *why;    /* it is to end; NULL: it may run */
	bool killed;
	int status;         /* of waitpid(), when reaped */
	bool reaped;
};

/* ---- the child's side ------------------------------------------------------------------------ */

static void
close_those_of(const struct children *c)
{
	for (const struct child *k = c->first; k != NULL; k = k->next) {
		if (k->out.fd != -1)
			close(k->out.fd);
		if (k->err != -1)
			close(k->err);
	}
}

/* Never returns.  Signals are blocked until they have a handler of its own or the default one. */
static void
be_child(const struct children *c, const struct child_spec *spec, const int out[2],
    const int err[2], const sigset_t *unblocked)
{
	int null = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	stop_reset();
	close_those_of(c);
	if (null == -1 || dup2(null, 0) == -1 || dup2(out[1], 1) == -1 || dup2(err[1], 2) == -1)
		_exit(1);
	close(null);
	close(out[0]);
	close(out[1]);
	close(err[0]);
	close(err[1]);
	if (!stop_install())
		_exit(1);
	sigprocmask(SIG_SETMASK, unblocked, NULL);
	_exit(spec->run(spec->arg));
}

/* ---- started --------------------------------------------------------------------------------- */

/* Above the standard descriptors, and not for programs that are executed. */
static bool
open_pipe(int ends[2])
{
	int low[2];

	if (pipe(low) != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 3);
		close(low[i]);
	}
	return ends[0] != -1 && ends[1] != -1 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

static void
close_ends(const int ends[2])
{
	for (int i = 0; i < 2; i++) {
		if (ends[i] != -1)
			close(ends[i]);
	}
}

static pid_t
fork_one(struct children *c, const struct child_spec *spec, const int out[2], const int err[2])
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		be_child(c, spec, out, err, &before);
	if (pid > 0)
		setpgid(pid, pid); /* as it does itself: whoever is first */
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static void
append(struct children *c, struct child *k)
{
	struct child **at = &c->first;

	while (*at != NULL)
		at = &(*at)->next;
	*at = k;
	c->n++;
}

bool
children_start(struct children *c, const struct child_spec *spec, struct err *e)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	struct child *k;
	struct arena *a;
	pid_t pid = -1;

	if (open_pipe(out) && open_pipe(err))
		pid = fork_one(c, spec, out, err);
	if (pid == -1) {
		fail(e, ERR_FAILED, "no process can be started: %s", strerror(errno));
		close_ends(out);
		close_ends(err);
		return false;
	}
	close(out[1]);
	close(err[1]);
	a = arena_new();
	k = arena_alloc(a, sizeof(*k));
	k->spec = *spec;
	k->arena = a;
	k->pid = pid;
	k->out = (struct stream){ .arena = a, .cap = CHILDREN_OUTPUT_BYTES, .fd = out[0] };
	k->err = err[0];
	k->started_s = flow_clock_s();
	k->deadline_s = k->started_s + spec->limit_s;
	append(c, k);
	return true;
}

/* ---- ended ----------------------------------------------------------------------------------- */

/* Not reaped yet: the number is still its own. */
static void
end_child(struct child *k, const char *why)
{
	if (k->why != NULL || k->reaped)
		return;
	k->why = why;
	k->deadline_s = flow_clock_s() + k->spec.grace_s;
	kill(k->pid, SIGTERM);
}

static void
check_time(struct child *k, double now_s)
{
	if (k->reaped || k->killed || now_s < k->deadline_s)
		return;
	if (k->why == NULL) {
		end_child(k, arena_printf(k->arena, "no end within %g s", k->spec.limit_s));
	} else {
		k->killed = true;
		kill(k->pid, SIGKILL);
	}
}

void
children_stop(struct children *c, const char *why)
{
	for (struct child *k = c->first; k != NULL; k = k->next)
		end_child(k, why);
}

static const char too_much[] = "more output than is taken from one host";

/* ---- heard ----------------------------------------------------------------------------------- */

/* Its end is kept, where a program says why it gives up. */
static bool
hear_said(struct child *k)
{
	char buf[CHILDREN_SAID_BYTES];
	ssize_t n = read(k->err, buf, sizeof(buf));
	size_t drop;

	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	drop = k->n_said + (size_t)n > CHILDREN_SAID_BYTES ?
	    k->n_said + (size_t)n - CHILDREN_SAID_BYTES : 0;
	memmove(k->said, k->said + drop, k->n_said - drop);
	k->n_said -= drop;
	memcpy(k->said + k->n_said, buf, (size_t)n);
	k->n_said += (size_t)n;
	return true;
}

static void
hear(struct child *k, short out, short err)
{
	if (out != 0 && k->out.fd != -1 && !stream_read(&k->out) && errno != EAGAIN)
		stream_close(&k->out);
	if (err != 0 && k->err != -1 && !hear_said(k)) {
		close(k->err);
		k->err = -1;
	}
	if (k->out.over)
		end_child(k, too_much);
}

static int
wait_ms(const struct children *c, double at_most_s)
{
	double least_s = at_most_s, now_s = flow_clock_s();

	for (const struct child *k = c->first; k != NULL; k = k->next) {
		if (k->out.fd == -1 && k->err == -1)
			return SOON_MS;
		if (k->deadline_s - now_s < least_s)
			least_s = k->deadline_s - now_s;
	}
	least_s = least_s < 0 ? 0 : least_s;
	return least_s * 1e3 > LOOK_MS ? LOOK_MS : (int)(least_s * 1e3) + 1;
}

static void
listen_all(struct children *c, double at_most_s)
{
	struct pollfd *p = calloc(2 * c->n + 1, sizeof(*p));
	size_t i = 1;

	if (p == NULL)
		return;
	/* A stop that came already would be a reason not to wait. */
	p[0] = (struct pollfd){ stop_requested() != 0 ? -1 : stop_fd(), POLLIN, 0 };
	for (const struct child *k = c->first; k != NULL; k = k->next, i += 2) {
		p[i] = (struct pollfd){ k->out.over ? -1 : k->out.fd, POLLIN, 0 };
		p[i + 1] = (struct pollfd){ k->err, POLLIN, 0 };
	}
	if (poll(p, (nfds_t)(2 * c->n + 1), wait_ms(c, at_most_s)) > 0) {
		i = 1;
		for (struct child *k = c->first; k != NULL; k = k->next, i += 2)
			hear(k, p[i].revents, p[i + 1].revents);
	}
	free(p);
}

/* ---- reaped ---------------------------------------------------------------------------------- */

/* Its last words: whatever is in the pipes now, though others may hold them open. */
static void
drain(struct child *k)
{
	struct pollfd p[2];

	for (;;) {
		p[0] = (struct pollfd){ k->out.over ? -1 : k->out.fd, POLLIN, 0 };
		p[1] = (struct pollfd){ k->err, POLLIN, 0 };
		if (poll(p, 2, 0) <= 0)
			return;
		hear(k, p[0].revents, p[1].revents);
	}
}

static bool
reap(struct child *k)
{
	pid_t pid = k->reaped ? k->pid : waitpid(k->pid, &k->status, WNOHANG);

	if (pid == -1 && errno != EINTR) {
		k->status = -1; /* somebody else has reaped it */
		pid = k->pid;
	}
	k->reaped = k->reaped || pid == k->pid;
	return k->reaped;
}

static void
judge(struct child *k, struct child_end *end)
{
	*end = (struct child_end){ .tag = k->spec.tag, .status = -1, .why = k->why,
		.arena = k->arena, .seconds = flow_clock_s() - k->started_s };
	if (k->out.over)
		end->why = too_much;
	else if (k->why == NULL && k->status != -1 && WIFEXITED(k->status))
		end->status = WEXITSTATUS(k->status);
	else if (k->why == NULL)
		end->why = k->status != -1 && WIFSIGNALED(k->status) ?
		    arena_printf(k->arena, "its process was ended by signal %d",
			WTERMSIG(k->status)) : "its process is lost";
	end->out = stream_text(&k->out);
	end->out_len = k->out.len;
	for (size_t i = 0; i < k->n_said; i++) {
		if (k->said[i] == '\0')
			k->said[i] = '?';
	}
	k->said[k->n_said] = '\0';
	end->err = k->said;
}

static bool
take_ended(struct children *c, struct child_end *end)
{
	for (struct child **at = &c->first; *at != NULL; at = &(*at)->next) {
		struct child *k = *at;

		if (!reap(k))
			continue;
		drain(k);
		judge(k, end);
		stream_close(&k->out);
		if (k->err != -1)
			close(k->err);
		*at = k->next;
		c->n--;
		return true;
	}
	return false;
}

bool
children_wait(struct children *c, double at_most_s, struct child_end *end)
{
	double now_s;

	if (take_ended(c, end))
		return true;
	listen_all(c, at_most_s);
	now_s = flow_clock_s();
	for (struct child *k = c->first; k != NULL; k = k->next)
		check_time(k, now_s);
	return take_ended(c, end);
}

size_t
children_older(const struct children *c, double than_s)
{
	double now_s = flow_clock_s();
	size_t n = 0;

	for (const struct child *k = c->first; k != NULL; k = k->next)
		n += now_s - k->started_s > than_s;
	return n;
}

void *
children_oldest(const struct children *c, double *seconds)
{
	if (c->first == NULL)
		return NULL;
	*seconds = flow_clock_s() - c->first->started_s;
	return c->first->spec.tag;
}
