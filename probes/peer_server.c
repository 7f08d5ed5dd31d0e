#include "net.h"
#include "peer.h"
#include "peer_run.h"
#include "stop.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define PENDING_MAX 32
#define PENDING_S 5.0 /* to prove who it is */
#define STREAM_S 1.0  /* that a connection from the run's own host has at least */
#define FAILURES_SLOW 100
#define SLOW_S 1.0
#define FAILURES_SAID 10

/* A connection that has not yet shown what it is. */
struct pending {
	int fd; /* -1: free */
	double since_s;
	double hold_s; /* a wrong proof is answered by closing at this time; 0: none */
	struct net_address from;
	unsigned char nonce[WIRE_NONCE];
	unsigned char claim[WIRE_CLAIM];
	size_t len;
};

struct server {
	const struct serve_options *o;
	struct arena *arena;   /* of the server's life: addresses and announcements */
	struct arena *scratch; /* of one run */
	int listener[NET_LISTEN_MAX];
	size_t n_listeners;
	unsigned port;
	struct pending pending[PENDING_MAX];
	struct served *run; /* NULL: none */
	struct net_address client; /* of the run */
	const char *token;
	unsigned char key[WIRE_KEY];
	double began_s;
	double bytes;      /* of the runs before */
	unsigned failures; /* wrong proofs */
	bool done;
};

static void say(struct server *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
say(struct server *s, const char *fmt, ...)
{
	va_list ap;

	if (s->o->say == NULL)
		return;
	va_start(ap, fmt);
	s->o->say(s->o->arg, arena_vprintf(s->scratch, fmt, ap));
	va_end(ap);
}

/* A token is good for one run: before each there is a new one, unless it was given. */
static void
announce(struct server *s)
{
	s->token = s->o->token != NULL ? s->o->token : peer_token_new(s->scratch);
	wire_token_key(s->token, s->key);
	s->failures = 0;
	if (s->o->ready != NULL)
		s->o->ready(s->o->arg, s->port, s->o->token != NULL ? NULL : s->token);
}

static double
bytes_left(const struct server *s)
{
	double used = s->bytes + (s->run != NULL ? served_bytes(s->run) : 0);

	return isnan(s->o->max_bytes) ? NAN : s->o->max_bytes - used;
}

/* ---- connections that have not proved anything ---------------------------------------------- */

static void
pending_drop(struct pending *p)
{
	close(p->fd);
	p->fd = -1;
}

static unsigned
places_of(const struct server *s, const struct net_address *host)
{
	unsigned n = 0;

	for (size_t i = 0; i < PENDING_MAX; i++)
		n += s->pending[i].fd != -1 && net_same_host(&s->pending[i].from, host);
	return n;
}

/* Streams of the run must come about, and who guesses tokens must have its wait. */
static bool
gives_way(const struct server *s, const struct pending *p)
{
	bool ours = s->run != NULL && net_same_host(&p->from, &s->client);

	return p->hold_s == 0 && (!ours || flow_clock_s() - p->since_s >= STREAM_S);
}

/*
 * A free place, or the oldest of the host that takes most of them: a host that fills them all
 * keeps nobody out but itself.  NULL: the others must wait in the backlog.
 */
static struct pending *
pending_place(struct server *s)
{
	struct pending *place = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &s->pending[i];
		unsigned n;

		if (p->fd == -1)
			return p;
		n = places_of(s, &p->from);
		if (gives_way(s, p) &&
		    (place == NULL || n > most || (n == most && p->since_s < place->since_s))) {
			place = p;
			most = n;
		}
	}
	return place;
}

static void
pending_accept(struct server *s, int listener)
{
	struct net_address from = { .len = sizeof(from.addr) };
	unsigned char hello[WIRE_HELLO];
	struct pending *p = pending_place(s);
	int fd;

	if (p == NULL)
		return;
	fd = accept(listener, (struct sockaddr *)&from.addr, &from.len);
	if (fd == -1)
		return; /* it went away again, or we are short of descriptors: the next may do */
	if (p->fd != -1)
		pending_drop(p);
	*p = (struct pending){ .fd = fd, .since_s = flow_clock_s(), .from = from };
	wire_random(p->nonce, sizeof(p->nonce));
	wire_hello(p->nonce, hello);
	if (!net_ready(fd) ||
	    send(fd, hello, sizeof(hello), MSG_NOSIGNAL) != (ssize_t)sizeof(hello))
		pending_drop(p);
}

static size_t
pending_wants(const struct pending *p)
{
	return p->len == 0 ? 1 : p->claim[0] == 'D' ? WIRE_DATA : WIRE_CLAIM;
}

static bool
pending_whole(const struct pending *p)
{
	return p->len > 0 && p->len == pending_wants(p);
}

static void
pending_wrong(struct server *s, struct pending *p)
{
	s->failures++;
	if (s->failures <= FAILURES_SAID)
		say(s, "refused %s: wrong token", net_say(s->scratch, &p->from));
	if (s->failures == FAILURES_SLOW)
		say(s, "%u wrong tokens: answering more slowly from now on", s->failures);
	if (s->failures < FAILURES_SLOW)
		pending_drop(p);
	else
		p->hold_s = flow_clock_s() + SLOW_S;
}

static void
pending_client(struct server *s, struct pending *p)
{
	unsigned char client[WIRE_NONCE], answer[WIRE_ANSWER];
	struct wire_session keys;
	char letter = s->run != NULL ? 'B' : 'K';

	if (!wire_claim_check(s->key, p->nonce, p->claim, client)) {
		pending_wrong(s, p);
		return;
	}
	wire_answer(letter, s->key, p->nonce, client, answer);
	if (send(p->fd, answer, sizeof(answer), MSG_NOSIGNAL) != (ssize_t)sizeof(answer) ||
	    letter == 'B') {
		say(s, "refused %s: %s", net_say(s->scratch, &p->from),
		    letter == 'B' ? "busy" : "it has left");
		pending_drop(p);
		return;
	}
	say(s, "a run begins: %s", net_say(s->scratch, &p->from));
	net_nodelay(p->fd);
	wire_session(s->key, p->nonce, client, &keys);
	s->run = served_new(p->fd, &keys, bytes_left(s));
	s->client = p->from;
	p->fd = -1;
}

/* The host's last wrong proof is still to be answered: its next one waits for that. */
static bool
host_held(const struct server *s, const struct net_address *host)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		const struct pending *p = &s->pending[i];

		if (p->fd != -1 && p->hold_s > 0 && net_same_host(&p->from, host))
			return true;
	}
	return false;
}

static void
pending_data(struct server *s, struct pending *p)
{
	enum run_claim c =
	    s->run == NULL ? CLAIM_REFUSED : served_claim(s->run, p->fd, p->nonce, p->claim);

	if (c == CLAIM_TAKEN)
		p->fd = -1;
	else if (c == CLAIM_REFUSED)
		pending_drop(p);
}

/* Read no further than the claim: what follows it belongs to the stream. */
static void
pending_read(struct pending *p)
{
	while (!pending_whole(p)) {
		ssize_t n = recv(p->fd, p->claim + p->len, pending_wants(p) - p->len, 0);

		if (n < 0 && net_later())
			return;
		if (n > 0)
			p->len += (size_t)n;
		if (n <= 0 || (p->claim[0] != 'C' && p->claim[0] != 'D')) {
			pending_drop(p);
			return;
		}
	}
}

static void
pending_step(struct server *s, struct pending *p, short revents)
{
	double now = flow_clock_s();

	if (p->hold_s > 0) { /* gone or not: who hangs up does not get its next try earlier */
		if (now >= p->hold_s)
			pending_drop(p);
		return;
	}
	if (!pending_whole(p)) {
		if (revents != 0)
			pending_read(p);
	} else if (revents & (POLLHUP | POLLERR)) {
		pending_drop(p);
	}
	if (p->fd != -1 && pending_whole(p)) {
		if (p->claim[0] == 'D')
			pending_data(s, p);
		else if (!host_held(s, &p->from))
			pending_client(s, p);
	}
	if (p->fd != -1 && p->hold_s == 0 && now - p->since_s >= PENDING_S)
		pending_drop(p);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void
run_over(struct server *s, const struct err *why)
{
	double moved = served_bytes(s->run);

	say(s, "the run is over: %u trials, %.1f MB%s%s", served_trials(s->run), moved / 1e6,
	    why->code == ERR_NONE ? "" : "; ", why->code == ERR_NONE ? "" : why->text);
	served_free(s->run);
	s->run = NULL;
	s->bytes += moved;
	wire_random(s->key, sizeof(s->key)); /* the token was used: nobody proves it again */
	s->done = s->done || s->o->once || s->o->token != NULL;
	arena_free(s->scratch);
	s->scratch = arena_new();
	if (!s->done && !(bytes_left(s) <= 0))
		announce(s);
}

/* A limit of the server's own: say so to the client, and end. */
static void
server_end(struct server *s, const char *why)
{
	struct err none = { .code = ERR_NONE };

	s->done = true;
	say(s, "ending: %s", why);
	if (s->run == NULL)
		return;
	served_bye(s->run, why);
	run_over(s, &none);
}

static void
server_limits(struct server *s)
{
	if (!s->done && flow_clock_s() - s->began_s >= s->o->max_time_s)
		server_end(s, "the server's time is up");
	else if (!s->done && bytes_left(s) <= 0 && (s->run == NULL || !served_busy(s->run)))
		server_end(s, "the server's byte cap is used up");
}

/* In this order: the stop, standard input, listeners, pending connections, the run. */
#define POLL_MAX (2 + NET_LISTEN_MAX + PENDING_MAX + RUN_POLL_MAX)

static size_t
server_poll(struct server *s, struct pollfd *p)
{
	bool room = pending_place(s) != NULL; /* else connections wait in the backlog */
	size_t n = 0;

	p[n++] = (struct pollfd){ .fd = stop_fd(), .events = POLLIN };
	p[n++] = (struct pollfd){ .fd = s->o->while_stdin ? STDIN_FILENO : -1, .events = POLLIN };
	for (size_t i = 0; i < s->n_listeners; i++)
		p[n++] = (struct pollfd){ .fd = room ? s->listener[i] : -1, .events = POLLIN };
	for (size_t i = 0; i < PENDING_MAX; i++) {
		const struct pending *q = &s->pending[i];

		p[n++] = (struct pollfd){ .fd = q->hold_s > 0 ? -1 : q->fd,
			.events = pending_whole(q) ? 0 : POLLIN };
	}
	return n + (s->run != NULL ? served_poll(s->run, p + n) : 0);
}

static int
server_timeout_ms(const struct server *s)
{
	int ms = s->run != NULL ? served_timeout_ms(s->run) : 1000;
	double left = (s->began_s + s->o->max_time_s - flow_clock_s()) * 1e3;

	for (size_t i = 0; i < PENDING_MAX; i++)
		if (s->pending[i].fd != -1 && ms > 100)
			ms = 100;
	return left < ms ? (int)fmax(0, ceil(left)) : ms;
}

/* What comes that way means nothing, but that it ends. */
static bool
stdin_over(void)
{
	char ignored[256];
	ssize_t n = read(STDIN_FILENO, ignored, sizeof(ignored));

	return n == 0 || (n == -1 && !net_later());
}

static void
server_step(struct server *s, const struct pollfd *p)
{
	const struct pollfd *listeners = p + 2, *pending = listeners + s->n_listeners;
	struct err why = { .code = ERR_NONE };

	/* The run first: it was polled with the others, and may be replaced by them. */
	if (s->run != NULL && !served_step(s->run, pending + PENDING_MAX, &why))
		run_over(s, &why);
	for (size_t i = 0; i < PENDING_MAX && !s->done; i++)
		if (s->pending[i].fd != -1)
			pending_step(s, &s->pending[i], pending[i].revents);
	for (size_t i = 0; i < s->n_listeners && !s->done; i++)
		if (listeners[i].revents & POLLIN)
			pending_accept(s, s->listener[i]);
	if (p[1].revents != 0 && !s->done && stdin_over())
		server_end(s, "who started it has closed its input");
	server_limits(s);
}

static bool
server_loop(struct server *s, struct err *e)
{
	struct pollfd p[POLL_MAX];

	while (!s->done) {
		size_t n = server_poll(s, p);

		if (poll(p, (nfds_t)n, server_timeout_ms(s)) < 0) {
			if (errno != EINTR)
				return fail(e, ERR_FAILED, "poll: %s", strerror(errno));
			for (size_t i = 0; i < n; i++)
				p[i].revents = 0;
		}
		if (stop_requested() != 0) {
			server_end(s, "the server was stopped");
			return fail(e, ERR_STOPPED, "stopped by signal %d", stop_requested());
		}
		server_step(s, p);
	}
	return true;
}

static bool
server_listen(struct server *s, struct err *e)
{
	const char *host = "*";
	unsigned port = PEER_PORT;

	if (s->o->listen != NULL &&
	    !net_parse(s->arena, "--listen", s->o->listen, PEER_PORT, &host, &port, e))
		return false;
	return net_listen(host, port, s->listener, &s->n_listeners, &s->port, e);
}

bool
peer_serve(const struct serve_options *o, struct err *e)
{
	struct server s = { .o = o };
	bool ok;

	if (!wire_start(e) || (o->token != NULL && !peer_token_check(o->token, e)))
		return false;
	s.arena = arena_new();
	s.scratch = arena_new();
	s.began_s = flow_clock_s();
	for (size_t i = 0; i < PENDING_MAX; i++)
		s.pending[i].fd = -1;
	ok = server_listen(&s, e);
	if (ok) {
		announce(&s);
		ok = server_loop(&s, e);
	}
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (s.pending[i].fd != -1)
			close(s.pending[i].fd);
	served_free(s.run);
	for (size_t i = 0; i < s.n_listeners; i++)
		close(s.listener[i]);
	arena_free(s.scratch);
	arena_free(s.arena);
	return ok;
}
