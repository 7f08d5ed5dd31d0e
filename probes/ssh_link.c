#include "ssh_link.h"

#include "flow.h"
#include "stop.h"

#include <libssh/server.h> /* only for ssh_send_keepalive() */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define ALSO_MAX 2
#define LOOK_MS 500 /* libssh may have taken in what poll() then does not show */

const char *const host_become_names[] = { "none", "sudo", "doas", NULL };

/* Neither asks for a password; csh understands these lines as well. */
static const char *const shell_as[] = { "exec /bin/sh -s", "exec sudo -n /bin/sh -s",
	"exec doas -n /bin/sh -s" };

bool
ssh_link_new(struct arena *a, const char *rest, const struct host_access *access,
    struct ssh_link **out, struct err *e)
{
	struct ssh_link *l = arena_alloc(a, sizeof(*l));

	if (!ssh_name_parse(a, rest, &l->to, e))
		return false;
	l->arena = a;
	l->rest = rest;
	l->name = ssh_name_say(a, &l->to);
	l->asked = l->to.host;
	l->access = access;
	l->silence_s = access->timeout_s > 0 ? access->timeout_s : HOST_SSH_TIMEOUT_S;
	*out = l;
	return true;
}

/* Ask a silent host whether it is there, a few times within the silence that it may keep. */
static void
keep_alive(struct ssh_link *l, double now_s)
{
	double last_s = l->heard_s > l->asked_s ? l->heard_s : l->asked_s;

	if (!l->ready || now_s - last_s < l->silence_s / 4)
		return;
	l->asked_s = now_s;
	ssh_send_keepalive(l->session);
}

static void
wait_for_any(struct ssh_link *l, double until_s)
{
	int flags = ssh_get_poll_flags(l->session);
	struct pollfd p[3 + ALSO_MAX] = { { ssh_get_fd(l->session),
			(short)(POLLIN | ((flags & SSH_WRITE_PENDING) != 0 ? POLLOUT : 0)), 0 },
		{ l->even_stopped ? -1 : stop_fd(), POLLIN, 0 },
		{ l->proxy != NULL ? ssh_proxy_stderr(l->proxy) : -1, POLLIN, 0 } };
	double left_ms = (until_s - flow_clock_s()) * 1e3 + 1;

	if (l->n_also != 0)
		memcpy(p + 3, l->also, l->n_also * sizeof(*p));
	if (poll(p, 3 + l->n_also,
		left_ms < 0 ? 0 : left_ms > LOOK_MS ? LOOK_MS : (int)left_ms) <= 0)
		return;
	if ((p[0].revents & POLLIN) != 0)
		l->heard_s = flow_clock_s();
	if (p[2].revents != 0)
		ssh_proxy_listen(l->proxy);
}

bool
ssh_link_wait(struct ssh_link *l, double deadline_s, const char *what, double limit_s,
    struct err *e)
{
	double now_s = flow_clock_s(), silent_s = l->heard_s + l->silence_s;

	if (stop_requested() != 0 && !l->even_stopped)
		return fail(e, ERR_STOPPED, "%s: stopped by signal %d", l->name, stop_requested());
	if (now_s >= deadline_s)
		return fail(e, ERR_FAILED, "%s: no end of %s within %.3g s", l->name, what,
		    limit_s);
	if (now_s >= silent_s)
		return fail(e, ERR_FAILED, "%s: nothing was heard of it for %.3g s, during %s; the "
		    "host or the way there is down", l->name, l->silence_s, what);
	keep_alive(l, now_s);
	wait_for_any(l, deadline_s < silent_s ? deadline_s : silent_s);
	return true;
}

bool
ssh_link_shell(struct ssh_link *l, ssh_channel c, double deadline_s, double limit_s, struct err *e)
{
	bool open = false;
	int rc;

	for (;;) {
		rc = open ? ssh_channel_request_exec(c, shell_as[l->access->become]) :
		    ssh_channel_open_session(c);
		if (rc == SSH_OK && open)
			return true;
		if (rc == SSH_OK) {
			open = true;
			continue;
		}
		if (rc != SSH_AGAIN)
			return fail(e, ERR_FAILED, "%s: no command can be run there: %s", l->name,
			    ssh_link_why(l));
		if (!ssh_link_wait(l, deadline_s, "the start of a shell", limit_s, e))
			return false;
	}
}

void
ssh_link_fresh(struct ssh_link *l)
{
	l->heard_s = l->asked_s = flow_clock_s();
}

const char *
ssh_link_why(struct ssh_link *l)
{
	const char *said = NULL, *why = ssh_get_error(l->session);

	if (l->proxy != NULL) {
		ssh_proxy_listen(l->proxy);
		said = ssh_proxy_said(l->proxy);
	}
	if (said != NULL)
		return arena_printf(l->arena, "its ProxyCommand says: %.200s", said);
	return *why != '\0' ? arena_printf(l->arena, "%.200s", why) : "the connection was closed";
}

/*
 * libssh leaves open the connection that it was given (0.10), unless it broke: then it has none any
 * more.  A libssh that closes it does no harm: nothing else is opened in between.
 */
static void
end_session(ssh_session session)
{
	int fd = ssh_get_fd(session);

	ssh_disconnect(session);
	ssh_free(session);
	if (fd != -1)
		close(fd);
}

void
ssh_link_close(struct ssh_link *l)
{
	if (l->session != NULL)
		end_session(l->session);
	if (l->proxy != NULL)
		ssh_proxy_end(l->proxy);
	l->session = NULL;
	l->proxy = NULL;
}
