/* UDP probes on loopback: what arrives, and what must not count or be answered. */
#include "peer_child.h"

#include "probes/udp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>

TestSuite(udp, .init = child_suite, .fini = child_suite_end);

static struct wire_session keys;

static struct net_address
address(const char *ip, unsigned port)
{
	struct net_address n = { .len = sizeof(struct sockaddr_in) };
	struct sockaddr_in *s = (struct sockaddr_in *)&n.addr;

	s->sin_family = AF_INET;
	s->sin_port = htons((uint16_t)port);
	cr_assert_eq(inet_pton(AF_INET, ip, &s->sin_addr), 1);
	return n;
}

static unsigned
free_port(void)
{
	struct sockaddr_in s = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(s);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	cr_assert(fd != -1 && bind(fd, (struct sockaddr *)&s, len) == 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&s, &len), 0);
	close(fd);
	return ntohs(s.sin_port);
}

/* A serving end of trial 7, for the host 127.0.0.1. */
static struct udp *
serving(const struct udp_spec *u, unsigned port)
{
	struct net_address local = address("127.0.0.1", port), remote = address("127.0.0.1", 9);
	struct err e = { .code = ERR_NONE };
	struct udp *x;

	memset(&keys, 0x5a, sizeof(keys));
	x = udp_new(a, u, &keys, 7, true, &local, &remote, &e);
	cr_assert_not_null(x, "%s", e.text);
	return x;
}

/* A stranger's or client's socket, connected to the serving end. */
static int
socket_from(const char *ip, unsigned port)
{
	struct net_address from = address(ip, 0), to = address("127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert(fd != -1 && bind(fd, (struct sockaddr *)&from.addr, from.len) == 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to.addr, to.len), 0);
	return fd;
}

static void
throw(int fd, const struct wire_session *k, char kind, bool server, uint32_t trial, uint32_t number)
{
	unsigned char p[UDP_BYTES] = { 0 };
	size_t len = kind == 'H' ? WIRE_DATAGRAM : UDP_BYTES;

	wire_datagram(k, kind, server, trial, number, p);
	cr_assert_eq(send(fd, p, len, 0), (ssize_t)len);
}

static void
step(struct udp *u, unsigned times)
{
	struct pollfd p;

	for (unsigned i = 0; i < times; i++) {
		udp_poll(u, &p);
		cr_assert(poll(&p, 1, 0) >= 0);
		udp_step(u, &p);
	}
}

static bool
answered(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 50) > 0 && (p.revents & POLLIN) != 0;
}

Test(udp, both_directions_are_counted_by_the_end_that_receives)
{
	static const enum direction way[] = { DIR_SEND, DIR_RECEIVE };

	for (size_t i = 0; i < NELEM(way); i++) {
		const struct udp_spec u = { way[i], 4.8e6, .4, 0, 0 };
		struct err e = { .code = ERR_NONE };
		struct udp_result r;
		struct session *s;
		struct child c;

		cr_assert(child_start(&c, child_options(true)));
		cr_assert(peer_open(a, c.peer, CHILD_TOKEN, &s, &e), "%s", e.text);
		cr_assert(peer_udp(s, a, &u, &r, &e), "%s", e.text);
		cr_assert_null(r.why, "%s", r.why);
		cr_assert_eq(udp_datagrams(&u), 200);
		cr_assert(r.sent_bytes > 0 && r.sent_bytes <= 200 * UDP_BYTES, "%g", r.sent_bytes);
		cr_assert_float_eq(r.got_bytes, r.sent_bytes, 1, "loopback loses nothing");
		cr_assert_float_eq(r.loss, 0, 1e-9);
		cr_assert(r.got_bps > 0 && r.sent_bps > 0);
		/* The session is still good for a transfer, and for another probe. */
		cr_assert(peer_udp(s, a, &u, &r, &e) && r.why == NULL, "%s", e.text);
		peer_close(s);
		cr_assert_eq(child_status(&c), 0);
	}
}

Test(udp, a_byte_cap_bounds_what_is_sent)
{
	const struct udp_spec u = { DIR_RECEIVE, 8e6, 1, 0, 24000 }, more = { DIR_SEND, 8e6, 1, 0, 0 };
	struct serve_options o = child_options(true);
	struct err e = { .code = ERR_NONE };
	struct udp_result r;
	struct session *s;
	struct child c;

	o.max_bytes = 60000;
	cr_assert(child_start(&c, o));
	cr_assert(peer_open(a, c.peer, CHILD_TOKEN, &s, &e), "%s", e.text);
	cr_assert(peer_udp(s, a, &u, &r, &e), "%s", e.text);
	cr_assert_float_eq(r.sent_bytes, 24000, 1, "ours");
	cr_assert(peer_udp(s, a, &more, &r, &e), "%s", e.text);
	cr_assert_float_eq(r.sent_bytes, 36000, 1, "what is left of the server's");
	cr_assert_not(peer_udp(s, a, &more, &r, &e), "nothing is left");
	cr_assert(strstr(e.text, "byte cap") != NULL, "%s", e.text);
	peer_close(s);
	cr_assert_eq(child_status(&c), 0);
}

Test(udp, what_is_out_of_bounds_is_refused_by_both_ends)
{
	static const struct udp_spec bad[] = {
		{ DIR_BOTH, 1e6, 1, 0, 0 }, { DIR_SEND, 1e11, 1, 0, 0 }, { DIR_SEND, NAN, 1, 0, 0 },
		{ DIR_SEND, 1e6, 6, 0, 0 }, { DIR_SEND, 1e6, 0, 0, 0 }, { DIR_SEND, 1e6, 1, 65, 0 },
		{ DIR_SEND, 1e6, 1, 0, -1 },
	};
	struct err e = { .code = ERR_NONE };
	struct session *s;
	struct child c;

	cr_assert(child_start(&c, child_options(true)));
	cr_assert(peer_open(a, c.peer, CHILD_TOKEN, &s, &e), "%s", e.text);
	for (size_t i = 0; i < NELEM(bad); i++) {
		struct udp_result r;
		struct err why = { .code = ERR_NONE };

		cr_assert_not(peer_udp(s, a, &bad[i], &r, &why), "row %zu", i);
		cr_assert_eq(why.code, ERR_USAGE, "row %zu", i);
	}
	peer_close(s);
	cr_assert_eq(child_status(&c), 0);
}

Test(udp, nothing_is_sent_before_an_authentic_greeting_from_the_right_host)
{
	const struct udp_spec u = { DIR_SEND, 4e6, 1, 0, 0 };
	unsigned port = free_port();
	struct udp *x = serving(&u, port);
	struct wire_session wrong = keys;
	int client = socket_from("127.0.0.1", port), stranger = socket_from("127.0.0.2", port);

	wrong.key[0] ^= 1;
	throw(client, &wrong, 'H', false, 7, 0);   /* another key */
	throw(client, &keys, 'H', false, 8, 0);    /* another trial */
	throw(client, &keys, 'H', true, 7, 0);     /* our own words, sent back */
	throw(stranger, &keys, 'H', false, 7, 0);  /* a true one, recorded and sent from elsewhere */
	step(x, 5);
	cr_assert_float_eq(udp_bytes(x), 0, .1, "silent");
	cr_assert_not(answered(client) || answered(stranger));
	throw(client, &keys, 'H', false, 7, 0);
	step(x, 5);
	cr_assert_gt(udp_bytes(x), 0);
	cr_assert(answered(client), "the true one is");
	cr_assert_not(answered(stranger));
	udp_close(x);
	close(client);
	close(stranger);
}

Test(udp, only_authentic_datagrams_count_and_each_of_them_once)
{
	const struct udp_spec u = { DIR_RECEIVE, 4.8e6, .1, 0, 0 };
	unsigned port = free_port();
	struct udp *x = serving(&u, port);
	struct wire_session wrong = keys;
	int client = socket_from("127.0.0.1", port), stranger = socket_from("127.0.0.2", port);
	unsigned char junk[UDP_BYTES + 1] = { 'U' };

	wrong.run[3] ^= 1;
	throw(stranger, &keys, 'U', false, 7, 5);
	throw(client, &keys, 'U', false, 7, 0);
	throw(client, &keys, 'U', false, 7, 0);     /* again */
	throw(client, &keys, 'U', false, 7, 3);
	throw(client, &keys, 'U', false, 7, 1);     /* late, but new */
	throw(client, &keys, 'U', false, 7, 50);    /* beyond what was agreed */
	throw(client, &keys, 'U', false, 7, UINT32_MAX);
	throw(client, &wrong, 'U', false, 7, 9);
	throw(client, &keys, 'U', false, 6, 10);
	throw(client, &keys, 'U', true, 7, 11);
	cr_assert_gt(send(client, junk, sizeof(junk), 0), 0);
	cr_assert_gt(send(client, junk, 3, 0), 0);
	step(x, 20);
	cr_assert_float_eq(udp_bytes(x), 3 * UDP_BYTES, .1, "%g", udp_bytes(x));
	udp_stop(x);
	cr_assert_float_eq(udp_result(x, a).got_bytes, 3 * UDP_BYTES, .1);
	udp_close(x);
	close(client);
	close(stranger);
}

Test(udp, who_was_met_first_is_the_only_one_that_is_heard)
{
	const struct udp_spec u = { DIR_RECEIVE, 4.8e6, .1, 0, 0 };
	unsigned port = free_port();
	struct udp *x = serving(&u, port);
	int first = socket_from("127.0.0.1", port), second = socket_from("127.0.0.1", port);

	throw(first, &keys, 'U', false, 7, 0);
	step(x, 3);
	throw(second, &keys, 'U', false, 7, 1);
	throw(first, &keys, 'U', false, 7, 2);
	step(x, 3);
	cr_assert_float_eq(udp_bytes(x), 2 * UDP_BYTES, .1);
	udp_close(x);
	close(first);
	close(second);
}

Test(udp, the_port_is_closed_but_for_the_time_of_a_probe)
{
	const struct udp_spec u = { DIR_SEND, 4.8e6, .1, 0, 0 };
	struct err e = { .code = ERR_NONE };
	struct udp_result r;
	struct session *s;
	struct child c;
	int fd;

	cr_assert(child_start(&c, child_options(true)));
	cr_assert(peer_open(a, c.peer, CHILD_TOKEN, &s, &e), "%s", e.text);
	for (int i = 0; i < 2; i++) {
		struct pollfd p = { .events = POLLIN };
		char byte;

		p.fd = fd = socket_from("127.0.0.1", c.port);
		cr_assert_eq(send(fd, "x", 1, 0), 1);
		cr_assert_eq(poll(&p, 1, 2000), 1, "the kernel says that nobody is there");
		cr_assert(recv(fd, &byte, 1, 0) < 0);
		close(fd);
		if (i == 0)
			cr_assert(peer_udp(s, a, &u, &r, &e), "%s", e.text);
	}
	peer_close(s);
	cr_assert_eq(child_status(&c), 0);
}
