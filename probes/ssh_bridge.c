#include "ssh_bridge.h"

#include "flow.h"
#include "process.h"
#include "start.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PART ((size_t)32768)
#define FAREWELL_MS 500 /* for the end of the input to be on its way */

struct bridge {
	struct ssh_link *link;
	ssh_channel channel;
	int in, out, err;      /* -1: at its end */
	char up[PART], down[PART];
	size_t n_up, n_down;
	bool eof_sent, over;   /* over: nothing more comes from there */
};

/* ---- in the process of its own --------------------------------------------------------------- */

static void
let_in(struct bridge *b)
{
	ssize_t n;

	if (b->n_up != 0 || b->in == -1)
		return;
	n = read(b->in, b->up, sizeof(b->up));
	if (n > 0)
		b->n_up = (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		b->in = -1;
}

/* False: the channel takes nothing any more. */
static bool
send_up(struct bridge *b)
{
	int n;

	if (b->n_up != 0) {
		n = ssh_channel_write(b->channel, b->up, (uint32_t)b->n_up);
		if (n < 0)
			return n == SSH_AGAIN;
		memmove(b->up, b->up + n, b->n_up - (size_t)n);
		b->n_up -= (size_t)n;
	}
	if (b->in == -1 && b->n_up == 0 && !b->eof_sent)
		b->eof_sent = ssh_channel_send_eof(b->channel) == SSH_OK;
	return true;
}

static void
hear_down(struct bridge *b)
{
	char said[512];
	int n;

	if (b->n_down == 0 && !b->over) {
		n = ssh_channel_read_nonblocking(b->channel, b->down, sizeof(b->down), 0);
		b->over = n == SSH_EOF || n == SSH_ERROR;
		b->n_down = n > 0 ? (size_t)n : 0;
		b->link->heard_s = n > 0 ? flow_clock_s() : b->link->heard_s;
	}
	n = ssh_channel_read_nonblocking(b->channel, said, sizeof(said), 1);
	if (n > 0 && b->err != -1 && write(b->err, said, (size_t)n) == -1 && errno == EPIPE)
		b->err = -1;
}

static void
let_out(struct bridge *b)
{
	ssize_t n;

	if (b->n_down == 0 || b->out == -1)
		return;
	n = write(b->out, b->down, b->n_down);
	if (n > 0) {
		memmove(b->down, b->down + n, b->n_down - (size_t)n);
		b->n_down -= (size_t)n;
	} else if (errno != EAGAIN && errno != EINTR) {
		b->out = -1;
	}
}

/* Does anybody still listen to us? */
static bool
nobody(const struct bridge *b)
{
	struct pollfd p = { b->out, 0, 0 };

	return b->out == -1 || (poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLNVAL)) != 0);
}

static bool
pass_on(struct bridge *b, struct err *e)
{
	for (;;) {
		struct pollfd also[2];

		hear_down(b);
		let_out(b);
		let_in(b);
		if (!send_up(b) || nobody(b) || (b->over && b->n_down == 0))
			return true;
		also[0] = (struct pollfd){ b->n_up == 0 ? b->in : -1, POLLIN, 0 };
		also[1] = (struct pollfd){ b->out, b->n_down != 0 ? POLLOUT : 0, 0 };
		b->link->also = also;
		b->link->n_also = 2;
		if (!ssh_link_wait(b->link, INFINITY, "what was started there", 0, e))
			return false;
		b->link->n_also = 0;
	}
}

/* A program there hears of it by the end of its input. */
static void
farewell(struct bridge *b)
{
	if (!ssh_is_connected(b->link->session))
		return;
	if (!b->eof_sent)
		ssh_channel_send_eof(b->channel);
	ssh_channel_close(b->channel);
	ssh_blocking_flush(b->link->session, FAREWELL_MS);
}

static bool
cross(struct bridge *b, struct err *e)
{
	double limit_s = b->link->silence_s;
	bool ok;

	if (!ssh_login(b->link, e))
		return false;
	b->channel = ssh_channel_new(b->link->session);
	if (b->channel == NULL)
		return fail(e, ERR_FAILED, "%s: %s", b->link->name, ssh_link_why(b->link));
	ok = ssh_link_shell(b->link, b->channel, flow_clock_s() + limit_s, limit_s, e) &&
	    pass_on(b, e);
	farewell(b);
	return ok;
}

/* Nothing of the parent's stays open here, its session least of all. */
_Noreturn static void
run(struct arena *a, const struct ssh_link *like, const struct start_pipes *p)
{
	static struct bridge b;
	const int keep[] = { p->in[0], p->out[1], p->err[1] };
	struct err e = { ERR_NONE, "" };

	process_alone(keep, NELEM(keep));
	b = (struct bridge){ .in = p->in[0], .out = p->out[1], .err = p->err[1] };
	for (size_t i = 0; i < NELEM(keep); i++)
		fcntl(keep[i], F_SETFL, O_NONBLOCK);
	if (ssh_link_new(a, like->rest, like->access, &b.link, &e) && !cross(&b, &e) && b.err != -1)
		dprintf(b.err, "\n%s\n", e.text);
	if (b.link != NULL)
		ssh_link_close(b.link);
	_exit(e.code == ERR_NONE ? 0 : 1);
}

/* ---- here ------------------------------------------------------------------------------------ */

bool
ssh_bridge_start(struct arena *a, const struct ssh_link *like, const char *const *argv,
    struct host_child *out, struct err *e)
{
	struct start_pipes p;

	if (stop_requested() != 0)
		return fail(e, ERR_STOPPED, "%s: stopped by signal %d", like->name,
		    stop_requested());
	if (!start_pipes_open(&p, e))
		return false;
	out->pid = fork();
	if (out->pid == -1) {
		fail(e, ERR_FAILED, "fork: %s", strerror(errno));
		start_pipes_close(&p);
		return false;
	}
	if (out->pid == 0)
		run(a, like, &p);
	setpgid(out->pid, out->pid); /* it does so too: whoever comes first */
	out->in = p.in[1];
	out->out = p.out[0];
	close(p.in[0]);
	close(p.out[1]);
	close(p.err[1]);
	return start_through(a, like->name, argv, 2 * like->silence_s, out, p.err[0], e);
}
