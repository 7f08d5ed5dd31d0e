#include "door.h"

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_BYTES 4096 /* a line, or an HTTP request's head */

struct waiting {
	int fd; /* -1: free */
	double since_s;
	bool in; /* may come in: for door_take() */
	struct net_address from;
	char text[REQUEST_BYTES + 1];
	size_t len;
};

struct door {
	struct arena *arena;
	struct door_spec spec;
	int listener[NET_LISTEN_MAX];
	size_t n_listeners;
	unsigned port;
	char secret[DOOR_SECRET + 1];
	struct waiting waiting[DOOR_WAITING];
	struct net_address refused;
	bool any_refused;
};

bool
door_open(struct arena *a, const struct door_spec *s, struct door **out, struct err *e)
{
	struct err own = { ERR_NONE, "" };
	unsigned char random[DOOR_SECRET / 2];
	struct door *d = arena_alloc(a, sizeof(*d));

	if (sodium_init() < 0)
		return fail(e, ERR_FAILED, "no random numbers");
	d->arena = a;
	d->spec = *s;
	for (size_t i = 0; i < DOOR_WAITING; i++)
		d->waiting[i].fd = -1;
	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(d->secret, sizeof(d->secret), random, sizeof(random));
	/* Behind a translated address: what the host connects to is not ours to bind. */
	if (!net_listen(s->address, 0, d->listener, &d->n_listeners, &d->port, &own) &&
	    !net_listen("*", 0, d->listener, &d->n_listeners, &d->port, e))
		return false;
	*out = d;
	return true;
}

unsigned
door_port(const struct door *d)
{
	return d->port;
}

const char *
door_secret(const struct door *d)
{
	return d->secret;
}

static struct waiting *
place(const struct door *d)
{
	for (size_t i = 0; i < DOOR_WAITING; i++) {
		if (d->waiting[i].fd == -1)
			return (struct waiting *)&d->waiting[i];
	}
	return NULL;
}

size_t
door_poll(const struct door *d, struct pollfd *p)
{
	bool room = place(d) != NULL; /* else they wait in the backlog */
	size_t n = 0;

	for (size_t i = 0; i < d->n_listeners; i++)
		p[n++] = (struct pollfd){ .fd = room ? d->listener[i] : -1, .events = POLLIN };
	for (size_t i = 0; i < DOOR_WAITING; i++)
		p[n++] = (struct pollfd){ .fd = d->waiting[i].in ? -1 : d->waiting[i].fd,
			.events = POLLIN };
	return n;
}

static void
refuse(struct door *d, struct waiting *w)
{
	d->refused = w->from;
	d->any_refused = true;
	close(w->fd);
	w->fd = -1;
}

static bool
from_host(const struct door *d, const struct net_address *from)
{
	for (size_t i = 0; i < d->spec.n_from; i++) {
		if (net_same_host(&d->spec.from[i], from))
			return true;
	}
	return false;
}

static void
let_in(struct door *d, struct waiting *w)
{
	static const char ok[] = "HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n"
	    "Connection: close\r\n\r\n";

	/* A new connection takes so few bytes at once, or it is broken. */
	if (d->spec.answer && send(w->fd, ok, sizeof(ok) - 1, MSG_NOSIGNAL) != sizeof(ok) - 1)
		refuse(d, w);
	else
		w->in = true;
}

static void
take_one(struct door *d, int listener)
{
	struct waiting *w = place(d);

	if (w == NULL)
		return;
	*w = (struct waiting){ .fd = -1, .since_s = flow_clock_s(),
		.from = { .len = sizeof(w->from.addr) } };
	w->fd = accept(listener, (struct sockaddr *)&w->from.addr, &w->from.len);
	if (w->fd == -1)
		return;
	if (!net_ready(w->fd) || (d->spec.greeting == GREETING_ADDRESS &&
	    !from_host(d, &w->from)))
		refuse(d, w);
	else if (d->spec.greeting == GREETING_ADDRESS)
		let_in(d, w);
}

enum proof { PROOF_NONE, PROOF_MORE, PROOF_GOOD };

static bool
is_secret(const struct door *d, const char *s)
{
	return sodium_memcmp(s, d->secret, DOOR_SECRET) == 0;
}

static enum proof
prove_line(const struct door *d, const struct waiting *w)
{
	if (w->len < DOOR_SECRET + 1)
		return PROOF_MORE;
	return is_secret(d, w->text) && w->text[DOOR_SECRET] == '\n' ? PROOF_GOOD : PROOF_NONE;
}

/* "METHOD /SECRET HTTP/1.x", and lines up to an empty one. */
static enum proof
prove_http(const struct door *d, const struct waiting *w)
{
	const char *path = strchr(w->text, ' ');

	if (strstr(w->text, "\r\n\r\n") == NULL)
		return w->len < REQUEST_BYTES ? PROOF_MORE : PROOF_NONE;
	return path != NULL && path[1] == '/' && strlen(path) > DOOR_SECRET + 2 &&
	    is_secret(d, path + 2) && path[2 + DOOR_SECRET] == ' ' ? PROOF_GOOD : PROOF_NONE;
}

/* What follows the line is payload; what follows the head of a request is too little to count. */
static size_t
wanted(const struct door *d, const struct waiting *w)
{
	return (d->spec.greeting == GREETING_LINE ? DOOR_SECRET + 1 : REQUEST_BYTES) - w->len;
}

static void
hear(struct door *d, struct waiting *w)
{
	ssize_t n = recv(w->fd, w->text + w->len, wanted(d, w), 0);
	enum proof proof;

	if (n <= 0) {
		if (n == 0 || !net_later())
			refuse(d, w);
		return;
	}
	w->len += (size_t)n;
	w->text[w->len] = '\0';
	proof = d->spec.greeting == GREETING_HTTP ? prove_http(d, w) : prove_line(d, w);
	if (proof == PROOF_NONE)
		refuse(d, w);
	else if (proof == PROOF_GOOD)
		let_in(d, w);
}

void
door_step(struct door *d, const struct pollfd *p)
{
	double now = flow_clock_s();

	for (size_t i = 0; i < DOOR_WAITING; i++) {
		struct waiting *w = &d->waiting[i];

		if (w->fd == -1 || w->in)
			continue;
		if (p[d->n_listeners + i].revents != 0)
			hear(d, w);
		else if (now - w->since_s >= DOOR_PROVE_S)
			refuse(d, w);
	}
	for (size_t i = 0; i < d->n_listeners; i++)
		if (p[i].revents & POLLIN)
			take_one(d, d->listener[i]);
}

int
door_take(struct door *d)
{
	int fd;

	for (size_t i = 0; i < DOOR_WAITING; i++) {
		if (d->waiting[i].fd == -1 || !d->waiting[i].in)
			continue;
		fd = d->waiting[i].fd;
		d->waiting[i].fd = -1;
		return fd;
	}
	return -1;
}

const char *
door_refused(const struct door *d)
{
	return d->any_refused ? net_say(d->arena, &d->refused) : NULL;
}

void
door_close(struct door *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < DOOR_WAITING; i++)
		if (d->waiting[i].fd != -1)
			close(d->waiting[i].fd);
	for (size_t i = 0; i < d->n_listeners; i++)
		close(d->listener[i]);
	d->n_listeners = 0;
}
