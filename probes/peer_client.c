#include "peer_session.h"
#include "stop.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define HELLO_S 5.0

bool
session_poll(struct pollfd *p, size_t n, int timeout_ms, struct err *e)
{
	p[n] = (struct pollfd){ .fd = stop_fd(), .events = POLLIN };
	if (poll(p, (nfds_t)n + 1, timeout_ms) < 0) {
		for (size_t i = 0; i < n; i++)
			p[i].revents = 0;
		if (errno != EINTR)
			return fail(e, ERR_FAILED, "poll: %s", strerror(errno));
	}
	if (stop_requested() != 0)
		return fail(e, ERR_STOPPED, "stopped by signal %d", stop_requested());
	return true;
}

bool
session_refused(const char *name, int why, struct err *e)
{
	if (why == ECONNREFUSED)
		return fail(e, ERR_FAILED,
		    "peer %s: connection refused; is 'pathtune serve' running there?", name);
	return fail(e, ERR_FAILED, "peer %s: cannot connect: %s", name, strerror(why));
}

int
session_dial(const struct net_address *to, const char *name, struct err *e)
{
	int fd = net_socket(to, e);

	if (fd == -1)
		return -1;
	if (net_connect(fd, to) >= 0)
		return fd;
	session_refused(name, errno, e);
	close(fd);
	return -1;
}

/* Wait for one descriptor until the deadline; false also when it passed. */
static bool
wait_for(int fd, short events, double deadline, const char *name, const char *what, struct err *e)
{
	struct pollfd p[2] = { { .fd = fd, .events = events } };

	do {
		double left = deadline - flow_clock_s();

		if (left <= 0)
			return fail(e, ERR_FAILED, "peer %s: no answer in time (%s)", name, what);
		if (!session_poll(p, 1, (int)ceil(left * 1e3), e))
			return false;
	} while (p[0].revents == 0);
	return true;
}

/* Connect within seconds; the time it took goes into *ms.  -1 with an error. */
static int
connect_timed(
    const struct net_address *to, const char *name, double seconds, double *ms, struct err *e)
{
	double began = flow_clock_s();
	int fd = session_dial(to, name, e), why;

	if (fd == -1)
		return -1;
	if (!wait_for(fd, POLLOUT, began + seconds, name, "connecting", e))
		goto bad;
	*ms = (flow_clock_s() - began) * 1e3;
	why = net_connected(fd);
	if (why == 0)
		return fd;
	session_refused(name, why, e);
bad:
	close(fd);
	return -1;
}

/* What happened when less came than was expected. */
enum got { GOT_ALL, GOT_CLOSED, GOT_NOTHING };

static enum got
read_all(int fd, unsigned char *p, size_t n, const char *name, const char *what, struct err *e)
{
	double deadline = flow_clock_s() + HELLO_S;
	size_t have = 0;

	while (have < n) {
		ssize_t k;

		if (!wait_for(fd, POLLIN, deadline, name, what, e))
			return GOT_NOTHING;
		k = recv(fd, p + have, n - have, 0);
		if (k == 0 || (k < 0 && !net_later()))
			return GOT_CLOSED;
		have += k > 0 ? (size_t)k : 0;
	}
	return GOT_ALL;
}

static bool
greet(struct session *s, int fd, unsigned char nonce[WIRE_NONCE], struct err *e)
{
	unsigned char hello[WIRE_HELLO];
	enum got got = read_all(fd, hello, sizeof(hello), s->name, "waiting for the greeting", e);

	if (got == GOT_NOTHING)
		return false;
	if (got == GOT_CLOSED || !wire_hello_read(hello, nonce))
		return fail(e, ERR_FAILED, "peer %s: not a pathtune server, or of another version",
		    s->name);
	return true;
}

/* Prove that we know the token, and see that the peer does. */
static bool
authenticate(struct session *s, int fd, const char *token, struct err *e)
{
	unsigned char server[WIRE_NONCE], client[WIRE_NONCE], key[WIRE_KEY];
	unsigned char claim[WIRE_CLAIM], answer[WIRE_ANSWER];
	enum got got;
	char letter;

	if (!greet(s, fd, server, e))
		return false;
	wire_token_key(token, key);
	wire_random(client, sizeof(client));
	wire_claim(key, server, client, claim);
	got = GOT_CLOSED;
	if (send(fd, claim, sizeof(claim), MSG_NOSIGNAL) == (ssize_t)sizeof(claim))
		got = read_all(fd, answer, sizeof(answer), s->name, "waiting for its proof", e);
	if (got == GOT_NOTHING)
		return false;
	if (got == GOT_CLOSED)
		return fail(
		    e, ERR_FAILED, "peer %s: token not accepted: wrong, or used already", s->name);
	if (!wire_answer_check(key, server, client, answer, &letter))
		return fail(e, ERR_FAILED,
		    "peer %s: does not know the token itself: not our server", s->name);
	if (letter == 'B')
		return fail(e, ERR_FAILED, "peer %s: busy with another run", s->name);
	wire_session(key, server, client, &s->keys);
	return true;
}

/* The first address that answers. */
static int
connect_any(
    struct arena *a, struct session *s, const struct net_address *to, size_t n, struct err *e)
{
	struct err last = { .code = ERR_NONE };
	int fd = -1;

	for (size_t i = 0; i < n && fd == -1 && last.code != ERR_STOPPED; i++) {
		last.code = ERR_NONE;
		s->to = to[i];
		s->name = net_say_port(a, &to[i]);
		fd = connect_timed(&to[i], s->name, PEER_CONNECT_S / (double)n, &s->idle_ms, &last);
	}
	if (fd == -1)
		fail(e, last.code, "%s", last.text);
	return fd;
}

bool
peer_open(struct arena *a, const char *peer, const char *token, struct session **out, struct err *e)
{
	struct session *s = arena_alloc(a, sizeof(*s));
	struct net_address *to;
	const char *host;
	unsigned port;
	size_t n;
	int fd;

	if (!peer_token_check(token, e) || !wire_start(e) ||
	    !net_parse(a, "peer", peer, PEER_PORT, &host, &port, e))
		return false;
	if (port == 0)
		return fail(e, ERR_USAGE, "peer '%.200s': port 0 cannot be connected to", peer);
	if (!net_resolve(a, host, port, &to, &n, e))
		return false;
	fd = connect_any(a, s, to, n, e);
	if (fd == -1)
		return false;
	if (!authenticate(s, fd, token, e)) {
		close(fd);
		return false;
	}
	net_nodelay(fd);
	s->address = net_say(a, &s->to);
	s->own = net_own(a, fd);
	channel_init(&s->channel, fd, false, &s->keys);
	*out = s;
	return true;
}

bool
peer_idle_rtt(struct session *s, unsigned n, double *rtt_ms, struct err *e)
{
	double smallest = INFINITY, ms;

	for (unsigned i = 0; i < n; i++) {
		int fd = connect_timed(&s->to, s->name, PEER_CONNECT_S, &ms, e);

		if (fd == -1)
			return false;
		close(fd);
		smallest = fmin(smallest, ms);
	}
	if (n == 0)
		return fail(e, ERR_USAGE, "idle RTT: 0 connects asked for");
	s->idle_ms = fmin(s->idle_ms, smallest);
	*rtt_ms = smallest;
	return true;
}

const char *
peer_address(const struct session *s)
{
	return s->address;
}

const char *
peer_own_address(const struct session *s)
{
	return s->own;
}

void
peer_close(struct session *s)
{
	struct message bye = message_new(MESSAGE_BYE, 0);
	struct err ignored = { .code = ERR_NONE };
	struct arena *a;

	if (s == NULL || s->channel.fd == -1)
		return;
	a = arena_new();
	if (!s->channel.closed) /* a courtesy: closing says the same */
		(void)message_send(a, &s->channel, &bye, &ignored);
	arena_free(a);
	channel_close(&s->channel);
}
