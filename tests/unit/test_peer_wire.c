#include <criterion/criterion.h>

#include "probes/net.h"
#include "probes/peer.h"
#include "probes/peer_wire.h"
#include "probes/stop.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN "correct-horse-battery"

static void
begin(void)
{
	struct err e = { .code = ERR_NONE };

	cr_assert(wire_start(&e));
}

Test(wire, a_claim_holds_for_its_token_and_nonce_only, .init = begin)
{
	unsigned char key[WIRE_KEY], other[WIRE_KEY], server[WIRE_NONCE], client[WIRE_NONCE];
	unsigned char claim[WIRE_CLAIM], seen[WIRE_NONCE];

	wire_token_key(TOKEN, key);
	wire_token_key(TOKEN "x", other);
	wire_random(server, sizeof(server));
	wire_random(client, sizeof(client));
	wire_claim(key, server, client, claim);
	cr_assert(wire_claim_check(key, server, claim, seen));
	cr_assert_arr_eq(seen, client, WIRE_NONCE);
	cr_assert_not(wire_claim_check(other, server, claim, seen));
	server[0] ^= 1; /* a replay meets another nonce */
	cr_assert_not(wire_claim_check(key, server, claim, seen));
	server[0] ^= 1;
	for (size_t i = 0; i < WIRE_CLAIM; i++) {
		claim[i] ^= 1;
		cr_assert_not(wire_claim_check(key, server, claim, seen), "byte %zu", i);
		claim[i] ^= 1;
	}
}

Test(wire, a_claim_is_no_answer_and_busy_cannot_be_turned_into_yes, .init = begin)
{
	unsigned char key[WIRE_KEY], server[WIRE_NONCE] = { 1 }, client[WIRE_NONCE] = { 2 };
	unsigned char claim[WIRE_CLAIM], answer[WIRE_ANSWER];
	char letter;

	wire_token_key(TOKEN, key);
	wire_answer('B', key, server, client, answer);
	cr_assert(wire_answer_check(key, server, client, answer, &letter));
	cr_assert_eq(letter, 'B');
	answer[0] = 'K';
	cr_assert_not(wire_answer_check(key, server, client, answer, &letter));
	wire_claim(key, server, client, claim);
	memcpy(answer + 1, claim + 1 + WIRE_NONCE, WIRE_MAC);
	cr_assert_not(wire_answer_check(key, server, client, answer, &letter));
}

Test(wire, a_data_claim_is_bound_to_run_trial_stream_and_connection, .init = begin)
{
	unsigned char key[WIRE_KEY], server[WIRE_NONCE] = { 1 }, client[WIRE_NONCE] = { 2 };
	unsigned char hello[WIRE_NONCE] = { 3 }, claim[WIRE_DATA];
	struct wire_session s, other;
	uint32_t trial, stream;

	wire_token_key(TOKEN, key);
	wire_session(key, server, client, &s);
	client[0] = 9;
	wire_session(key, server, client, &other);
	wire_data(&s, hello, 70000, 63, claim);
	cr_assert(wire_data_check(&s, hello, claim, &trial, &stream));
	cr_assert_eq(trial, 70000);
	cr_assert_eq(stream, 63);
	cr_assert_not(wire_data_check(&other, hello, claim, &trial, &stream));
	for (size_t i = 0; i < WIRE_DATA; i++) {
		claim[i] ^= 0x80;
		cr_assert_not(wire_data_check(&s, hello, claim, &trial, &stream), "byte %zu", i);
		claim[i] ^= 0x80;
	}
	hello[0] = 4;
	cr_assert_not(wire_data_check(&s, hello, claim, &trial, &stream));
}

Test(wire, another_magic_is_not_our_hello, .init = begin)
{
	unsigned char nonce[WIRE_NONCE] = { 5 }, hello[WIRE_HELLO], seen[WIRE_NONCE];

	wire_hello(nonce, hello);
	cr_assert(wire_hello_read(hello, seen));
	cr_assert_arr_eq(seen, nonce, WIRE_NONCE);
	hello[9] ^= 1;
	cr_assert_not(wire_hello_read(hello, seen));
}

/* ---- channel -------------------------------------------------------------------------------- */

static struct wire_session keys = { .key = { 1, 2, 3 } };

static void
pair(struct channel *client, struct channel *server)
{
	int fd[2];

	begin();
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	cr_assert(net_ready(fd[0]) && net_ready(fd[1]));
	channel_init(client, fd[0], false, &keys);
	channel_init(server, fd[1], true, &keys);
}

Test(channel, messages_come_out_whole_and_in_order_however_they_are_cut)
{
	struct channel c, s;
	struct err e = { .code = ERR_NONE };
	unsigned char raw[256];
	const char *text;
	size_t len, seen = 0;
	ssize_t n;
	int pass[2];

	pair(&c, &s);
	cr_assert(channel_send(&c, "one", 3, &e) && channel_send(&c, "", 0, &e) &&
	    channel_send(&c, "three", 5, &e));
	n = recv(s.fd, raw, sizeof(raw), 0);
	cr_assert_gt(n, 0);
	close(s.fd);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pass), 0);
	s.fd = pass[0];
	for (ssize_t i = 0; i < n; i++) {
		static const char *const expected[] = { "one", "", "three" };

		cr_assert_eq(send(pass[1], raw + i, 1, 0), 1);
		cr_assert(channel_fill(&s, &e) && channel_next(&s, &text, &len, &e));
		if (text != NULL)
			cr_assert_str_eq(text, expected[seen++]);
	}
	cr_assert_eq(seen, 3);
	close(pass[1]);
	channel_close(&c);
	channel_close(&s);
}

Test(channel, a_large_message_is_flushed_as_the_other_end_reads)
{
	static char big[1024 * 1024];
	struct channel c, s;
	struct err e = { .code = ERR_NONE };
	const char *text = NULL;
	size_t len = 0;

	memset(big, 'x', sizeof(big));
	pair(&c, &s);
	cr_assert(channel_send(&c, big, sizeof(big), &e));
	cr_assert(channel_pending(&c));
	for (int i = 0; i < 1000 && text == NULL; i++)
		cr_assert(channel_flush(&c, &e) && channel_fill(&s, &e) &&
		    channel_next(&s, &text, &len, &e), "%s", e.text);
	cr_assert_eq(len, sizeof(big));
	cr_assert_not(channel_pending(&c));
	cr_assert_not(channel_send(&c, big, sizeof(big) + 1, &e));
	channel_close(&c);
	channel_close(&s);
}

enum harm { HARM_FLIP, HARM_REPLAY, HARM_REFLECT, HARM_LENGTH };

Test(channel, what_is_changed_replayed_reflected_or_too_long_is_refused)
{
	for (int harm = HARM_FLIP; harm <= HARM_LENGTH; harm++) {
		struct err e = { .code = ERR_NONE };
		struct channel c, s;
		unsigned char raw[128];
		const char *text;
		size_t len;
		ssize_t n;

		pair(&c, &s);
		cr_assert(channel_send(harm == HARM_REFLECT ? &s : &c, "hello", 5, &e));
		n = recv(harm == HARM_REFLECT ? c.fd : s.fd, raw, sizeof(raw), 0);
		cr_assert_eq(n, 4 + 5 + WIRE_MAC);
		if (harm == HARM_FLIP)
			raw[6] ^= 1;
		if (harm == HARM_LENGTH)
			memset(raw, 0xff, 4);
		cr_assert_eq(send(c.fd, raw, (size_t)n, 0), n);
		if (harm == HARM_REPLAY) {
			cr_assert(channel_fill(&s, &e) && channel_next(&s, &text, &len, &e));
			cr_assert_not_null(text);
			cr_assert_eq(send(c.fd, raw, (size_t)n, 0), n);
		}
		cr_assert(channel_fill(&s, &e));
		cr_assert_not(channel_next(&s, &text, &len, &e), "harm %d", harm);
		cr_assert_eq(e.code, ERR_FAILED);
		channel_close(&c);
		channel_close(&s);
	}
}

/* ---- addresses ------------------------------------------------------------------------------ */

Test(net, names_addresses_and_ports_are_told_apart)
{
	static const struct { const char *text, *host; unsigned port; } cases[] = {
		{ "example.org", "example.org", 5209 }, { "example.org:80", "example.org", 80 },
		{ "192.0.2.1:1", "192.0.2.1", 1 }, { "[::1]:65535", "::1", 65535 },
		{ "[::1]", "::1", 5209 }, { "::1", "::1", 5209 }, { "fe80::1%eth0", "fe80::1%eth0", 5209 },
		{ "*:0", "*", 0 },
		{ "", NULL, 0 }, { ":80", NULL, 0 }, { "a:", NULL, 0 }, { "a:65536", NULL, 0 },
		{ "a:8x", NULL, 0 }, { "a:-1", NULL, 0 }, { "[::1", NULL, 0 }, { "[::1]80", NULL, 0 },
		{ "[]:80", NULL, 0 }, { "iperf3://a", NULL, 0 }, { "a:123456789012345", NULL, 0 },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct err e = { .code = ERR_NONE };
		const char *host = NULL;
		unsigned port = 0;
		bool ok = net_parse(a, "peer", cases[i].text, 5209, &host, &port, &e);

		cr_assert_eq(ok, cases[i].host != NULL, "'%s'", cases[i].text);
		cr_assert_eq(e.code, ok ? ERR_NONE : ERR_USAGE, "'%s'", cases[i].text);
		if (ok) {
			cr_assert_str_eq(host, cases[i].host);
			cr_assert_eq(port, cases[i].port, "'%s'", cases[i].text);
		}
	}
	arena_free(a);
}

Test(net, a_host_is_an_ipv4_address_or_an_ipv6_network)
{
	static const struct { const char *x, *y; bool same; } cases[] = {
		{ "192.0.2.1", "192.0.2.1", true }, { "192.0.2.1", "192.0.2.2", false },
		{ "2001:db8::1", "2001:db8::2:1", true }, { "2001:db8::1", "2001:db8:0:1::1", false },
		{ "192.0.2.1", "2001:db8::1", false },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct err e = { .code = ERR_NONE };
		struct net_address *x, *y;
		size_t n;

		cr_assert(net_resolve(a, cases[i].x, 1, &x, &n, &e), "%s", e.text);
		cr_assert(net_resolve(a, cases[i].y, 2, &y, &n, &e), "%s", e.text);
		cr_assert_eq(net_same_host(x, y), cases[i].same, "%s %s", cases[i].x, cases[i].y);
	}
	arena_free(a);
}

/* ---- tokens --------------------------------------------------------------------------------- */

Test(token, length_and_characters_are_checked)
{
	char long_one[PEER_TOKEN_MAX + 2];
	struct err e = { .code = ERR_NONE };

	memset(long_one, 'a', sizeof(long_one));
	long_one[PEER_TOKEN_MAX + 1] = '\0';
	cr_assert_not(peer_token_check(long_one, &e));
	long_one[PEER_TOKEN_MAX] = '\0';
	e.code = ERR_NONE;
	cr_assert(peer_token_check(long_one, &e));
	cr_assert_not(peer_token_check("short", &e));
	cr_assert_eq(e.code, ERR_USAGE);
	e.code = ERR_NONE;
	cr_assert_not(peer_token_check("sixteen blanks are not", &e));
	cr_assert_null(strstr(e.text, "sixteen"), "the token must not be shown");
}

Test(token, new_ones_are_legal_and_differ, .init = begin)
{
	struct arena *a = arena_new();
	struct err e = { .code = ERR_NONE };
	const char *one = peer_token_new(a), *two = peer_token_new(a);

	cr_assert(peer_token_check(one, &e), "%s", e.text);
	cr_assert_str_neq(one, two);
	arena_free(a);
}

Test(token, a_file_must_be_ours_alone_and_hold_one_token)
{
	static const struct { const char *text; size_t len; mode_t mode; const char *error; } cases[] = {
		{ TOKEN, sizeof(TOKEN) - 1, 0600, NULL },
		{ TOKEN "\n", sizeof(TOKEN), 0400, NULL },
		{ TOKEN "\r\n", sizeof(TOKEN) + 1, 0600, NULL },
		{ TOKEN "\n", sizeof(TOKEN), 0640, "chmod 600" },
		{ TOKEN "\n", sizeof(TOKEN), 0602, "chmod 600" },
		{ TOKEN "\n" TOKEN "\n", 2 * sizeof(TOKEN), 0600, "printable" },
		{ TOKEN "\0" TOKEN, 2 * sizeof(TOKEN) - 1, 0600, "NUL" },
		{ "", 0, 0600, "0 characters" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < NELEM(cases); i++) {
		char path[] = "/tmp/test_token.XXXXXX";
		struct err e = { .code = ERR_NONE };
		const char *token = NULL;
		int fd = mkstemp(path);
		bool ok;

		cr_assert_neq(fd, -1);
		cr_assert_eq(write(fd, cases[i].text, cases[i].len), (ssize_t)cases[i].len);
		cr_assert_eq(fchmod(fd, cases[i].mode), 0);
		close(fd);
		ok = peer_token_file(a, path, &token, &e);
		unlink(path);
		cr_assert_eq(ok, cases[i].error == NULL, "case %zu: %s", i, e.text);
		if (ok)
			cr_assert_str_eq(token, TOKEN);
		else
			cr_assert(strstr(e.text, cases[i].error) != NULL &&
			    strstr(e.text, "battery") == NULL, "case %zu: %s", i, e.text);
	}
	arena_free(a);
}

Test(token, a_file_that_is_not_one_is_named)
{
	static const char *const path[] = { "/nonexistent/token", "/tmp", "/dev/null" };
	struct arena *a = arena_new();

	for (size_t i = 0; i < NELEM(path); i++) {
		struct err e = { .code = ERR_NONE };
		const char *token;

		cr_assert_not(peer_token_file(a, path[i], &token, &e));
		cr_assert(strstr(e.text, path[i]) != NULL, "%s", e.text);
	}
	arena_free(a);
}

/* A pipe as standard input, its writing end. */
static int
stdin_pipe(void)
{
	int fd[2];

	cr_assert_eq(pipe(fd), 0);
	cr_assert_eq(dup2(fd[0], STDIN_FILENO), STDIN_FILENO);
	close(fd[0]);
	return fd[1];
}

Test(token, a_line_of_standard_input_is_enough, .timeout = 30)
{
	struct arena *a = arena_new();
	struct err e = { .code = ERR_NONE };
	const char *token = NULL;
	int fd = stdin_pipe(); /* stays open, as a terminal does */

	cr_assert_eq(write(fd, TOKEN "\n", sizeof(TOKEN)), sizeof(TOKEN));
	cr_assert(peer_token_stdin(a, &token, &e), "%s", e.text);
	cr_assert_str_eq(token, TOKEN);
	close(fd);
	arena_free(a);
}

Test(token, a_stop_is_heard_while_waiting_for_standard_input, .timeout = 30)
{
	struct arena *a = arena_new();
	struct err e = { .code = ERR_NONE };
	const char *token = NULL;
	int fd = stdin_pipe();

	cr_assert(stop_install());
	raise(SIGINT);
	cr_assert_not(peer_token_stdin(a, &token, &e));
	cr_assert_eq(e.code, ERR_STOPPED);
	close(fd);
	arena_free(a);
}
