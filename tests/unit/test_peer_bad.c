/* The server against strangers, garbage, wrong tokens, replays and clients that vanish. */
#include <criterion/criterion.h>

#include "peer_child.h"
#include "probes/net.h"
#include "probes/peer_message.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

TestSuite(peer_bad, .init = child_suite, .fini = child_suite_end);

/* ---- a raw client --------------------------------------------------------------------------- */

static int
raw_connect(unsigned port, bool wait_hello, unsigned char nonce[WIRE_NONCE])
{
	struct err e = { .code = ERR_NONE };
	struct net_address *to;
	unsigned char hello[WIRE_HELLO];
	size_t n;
	int fd;

	cr_assert(net_resolve(a, "127.0.0.1", port, &to, &n, &e), "%s", e.text);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to->addr, to->len), 0);
	if (wait_hello) {
		cr_assert_eq(recv(fd, hello, sizeof(hello), MSG_WAITALL), WIRE_HELLO);
		cr_assert(wire_hello_read(hello, nonce));
	}
	return fd;
}

/* The other end closes within ms, whatever it says before. */
static bool
closes(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char rest[4096];
	ssize_t n;

	do {
		if (poll(&p, 1, ms) != 1)
			return false;
		n = recv(fd, rest, sizeof(rest), 0);
	} while (n > 0);
	return true;
}

/* An authenticated channel made by hand; the nonces' session in *keys. */
static void
raw_session(const struct child *c, struct channel *ch, struct wire_session *keys)
{
	unsigned char server[WIRE_NONCE], client[WIRE_NONCE], key[WIRE_KEY];
	unsigned char claim[WIRE_CLAIM], answer[WIRE_ANSWER];
	int fd = raw_connect(c->port, true, server);
	char letter;

	wire_token_key(c->token, key);
	wire_random(client, sizeof(client));
	wire_claim(key, server, client, claim);
	cr_assert_eq(send(fd, claim, sizeof(claim), 0), WIRE_CLAIM);
	cr_assert_eq(recv(fd, answer, sizeof(answer), MSG_WAITALL), WIRE_ANSWER);
	cr_assert(wire_answer_check(key, server, client, answer, &letter) && letter == 'K');
	wire_session(key, server, client, keys);
	channel_init(ch, fd, false, keys);
}

/* A whole good run: the server is well. */
static void
check_serves(struct child *c, const char *what)
{
	struct flow_spec f = child_spec(DIR_SEND, 1);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 0 };

	cr_assert(peer_open(a, c->peer, c->token, &s, &e), "after %s: %s", what, e.text);
	cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "after %s: %s", what, e.text);
	cr_assert_eq(t.status, TRIAL_OK, "after %s: %s", what, t.why);
	peer_close(s);
	cr_assert(child_next(c), "after %s", what);
}

static const char zeros[256];

Test(peer_bad, garbage_before_the_proof_is_closed_and_the_server_goes_on)
{
	static const struct { const char *what, *bytes; size_t n; } cases[] = {
		{ "an HTTP request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27 },
		{ "zeros", zeros, 256 },
		{ "a C without proof", "C\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 65 },
		{ "a D without a run", "D\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 57 },
		{ "a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11 },
		{ "our own greeting", WIRE_MAGIC, WIRE_MAGIC_BYTES },
	};
	struct child c;

	cr_assert(child_start(&c, child_options(false)));
	for (size_t i = 0; i < NELEM(cases); i++) {
		unsigned char nonce[WIRE_NONCE];
		int fd = raw_connect(c.port, i % 2 == 0, nonce);

		cr_assert_eq(send(fd, cases[i].bytes, cases[i].n, 0), (ssize_t)cases[i].n);
		cr_assert(closes(fd, 4000), "%s", cases[i].what);
		close(fd);
	}
	check_serves(&c, "garbage");
	child_end(&c, SIGKILL);
}

Test(peer_bad, those_who_say_nothing_or_half_are_closed_and_keep_nobody_out)
{
	unsigned char nonce[WIRE_NONCE];
	struct child c;
	int fd[20];

	cr_assert(child_start(&c, child_options(false)));
	for (size_t i = 0; i < NELEM(fd); i++) {
		fd[i] = raw_connect(c.port, false, nonce);
		cr_assert_eq(send(fd[i], "C1234567", i % 9, 0), (ssize_t)(i % 9));
	}
	check_serves(&c, "twenty silent connections");
	for (size_t i = 0; i < NELEM(fd); i++) {
		cr_assert(closes(fd[i], 20000), "connection %zu", i);
		close(fd[i]);
	}
	child_end(&c, SIGKILL);
}

/* From 127.0.0.2, another host than the client's in the server's eyes; -1: there is none here. */
static int
stranger_connect(unsigned port)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd != -1 && bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

Test(peer_bad, a_host_that_fills_every_place_keeps_no_client_and_no_stream_out)
{
	struct flow_spec f = child_spec(DIR_SEND, FLOW_STREAMS_MAX);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 0 };
	struct child c;
	int fd[200];

	cr_assert(child_start(&c, child_options(false)));
	fd[0] = stranger_connect(c.port);
	if (fd[0] == -1) {
		child_end(&c, SIGKILL);
		cr_skip_test("127.0.0.2 is not this host's");
	}
	for (size_t i = 1; i < NELEM(fd) / 2; i++)
		cr_assert_neq(fd[i] = stranger_connect(c.port), -1);
	cr_assert(peer_open(a, c.peer, c.token, &s, &e), "%s", e.text);
	for (size_t i = NELEM(fd) / 2; i < NELEM(fd); i++)
		cr_assert_neq(fd[i] = stranger_connect(c.port), -1);
	cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s", e.text);
	cr_assert_eq(t.status, TRIAL_OK, "%s", t.why);
	peer_close(s);
	for (size_t i = 0; i < NELEM(fd); i++)
		close(fd[i]);
	child_end(&c, SIGKILL);
}

Test(peer_bad, a_wrong_token_is_told_as_such_and_slowed_down_in_the_end)
{
	struct child c;

	cr_assert(child_start(&c, child_options(false)));
	for (int i = 0; i < 101; i++) {
		struct err e = { .code = ERR_NONE };
		struct session *s;

		cr_assert_not(peer_open(a, c.peer, "not-the-token-of-this-run", &s, &e));
		cr_assert(e.code == ERR_FAILED && strstr(e.text, "token not accepted") != NULL, "%s",
		    e.text);
	}
	cr_assert_not_null(child_line(&c, "say 100 wrong tokens: answering more slowly"));
	check_serves(&c, "wrong tokens");
	child_end(&c, SIGKILL);
}

/* The greeting was read: answer it with a claim by this token. */
static void
raw_claim(int fd, const char *token, const unsigned char server[WIRE_NONCE])
{
	unsigned char client[WIRE_NONCE] = { 1 }, key[WIRE_KEY], claim[WIRE_CLAIM];

	wire_token_key(token, key);
	wire_claim(key, server, client, claim);
	cr_assert_eq(send(fd, claim, sizeof(claim), 0), WIRE_CLAIM);
}

Test(peer_bad, after_a_hundred_wrong_tokens_a_host_has_one_try_at_a_time)
{
	unsigned char nonce[WIRE_NONCE];
	struct wire_session keys;
	struct channel ch;
	struct child c;
	int wrong;

	cr_assert(child_start(&c, child_options(false)));
	for (int i = 0; i < 100; i++) {
		wrong = raw_connect(c.port, true, nonce);
		raw_claim(wrong, "not-the-token-of-this-run", nonce);
		close(wrong);
	}
	cr_assert_not_null(child_line(&c, "say 100 wrong tokens: answering more slowly"));
	wrong = raw_connect(c.port, true, nonce);
	raw_claim(wrong, "not-the-token-of-this-run", nonce);
	raw_session(&c, &ch, &keys);
	cr_assert(closes(wrong, 0), "even the right proof waited for the answer to the wrong one");
	close(wrong);
	channel_close(&ch);
	child_end(&c, SIGKILL);
}

Test(peer_bad, a_replayed_proof_is_refused)
{
	unsigned char first[WIRE_NONCE], second[WIRE_NONCE], client[WIRE_NONCE] = { 1 };
	unsigned char key[WIRE_KEY], claim[WIRE_CLAIM];
	struct child c;
	int fd;

	cr_assert(child_start(&c, child_options(false)));
	fd = raw_connect(c.port, true, first);
	close(fd);
	wire_token_key(c.token, key);
	wire_claim(key, first, client, claim);
	fd = raw_connect(c.port, true, second);
	cr_assert_arr_neq(first, second, WIRE_NONCE);
	cr_assert_eq(send(fd, claim, sizeof(claim), 0), WIRE_CLAIM);
	cr_assert(closes(fd, 4000));
	close(fd);
	check_serves(&c, "a replayed proof");
	child_end(&c, SIGKILL);
}

Test(peer_bad, an_authenticated_client_that_talks_nonsense_loses_its_run_only)
{
	static const char *const cases[] = {
		"", "{", "null", "[]", "{\"type\":\"trial\"}", "{\"type\":\"result\",\"trial\":1}",
		"{\"type\":\"stop\",\"trial\":1}", "{\"type\":\"trial\",\"trial\":2}",
		"{\"type\":\"trial\",\"trial\":1,\"streams\":65}", "{\"type\":\"trial\",\"trial\":-1}",
		"{\"type\":\"trial\",\"trial\":1,\"warmup_s\":1e300}", "{\"type\":\"nothing\",\"trial\":1}",
		"{\"type\":\"trial\",\"trial\":1,\"surprise\":1}", "{\"type\":3,\"trial\":1}",
	};
	struct child c;

	cr_assert(child_start(&c, child_options(false)));
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct err e = { .code = ERR_NONE };
		struct wire_session keys;
		struct channel ch;

		raw_session(&c, &ch, &keys);
		cr_assert(channel_send(&ch, cases[i], strlen(cases[i]), &e));
		cr_assert(closes(ch.fd, 4000), "%s", cases[i]);
		channel_close(&ch);
		cr_assert(child_next(&c), "%s", cases[i]);
	}
	check_serves(&c, "nonsense");
	child_end(&c, SIGKILL);
}

Test(peer_bad, frames_that_are_changed_too_long_or_cut_end_the_run)
{
	static const char *const cases[] = {
		"\xff\xff\xff\xff", "\x00\x10\x00\x01", "\x00\x00\x00\x01xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	};
	struct child c;

	cr_assert(child_start(&c, child_options(false)));
	for (size_t i = 0; i < 2 * NELEM(cases); i++) {
		const char *bytes = cases[i / 2];
		size_t n = i / 2 < 2 ? 4 : 40;
		struct wire_session keys;
		struct channel ch;

		raw_session(&c, &ch, &keys);
		cr_assert_eq(send(ch.fd, bytes, i % 2 == 0 ? n : 2, 0), (ssize_t)(i % 2 == 0 ? n : 2));
		if (i % 2 == 1)
			shutdown(ch.fd, SHUT_WR);
		cr_assert(closes(ch.fd, 4000), "case %zu", i);
		channel_close(&ch);
		cr_assert(child_next(&c), "case %zu", i);
	}
	check_serves(&c, "bad frames");
	child_end(&c, SIGKILL);
}

/* The answer to an impossible transfer is a result, not the end. */
Test(peer_bad, a_transfer_out_of_bounds_is_refused_with_a_reason)
{
	static const struct { const char *what, *why; } t[] = {
		{ "\"warmup_s\":100,\"duration_s\":100", "100 s warm-up" },
		{ "\"warmup_s\":1,\"duration_s\":1,\"pin_bytes\":4095", "socket buffers of 4095" },
	};
	struct err e = { .code = ERR_NONE };
	struct wire_session keys;
	struct channel ch;
	struct child c;

	cr_assert(child_start(&c, child_options(false)));
	raw_session(&c, &ch, &keys);
	for (size_t i = 0; i < NELEM(t); i++) {
		struct message m = { .type = MESSAGE_NONE };
		const char *ask = arena_printf(a, "{\"type\":\"trial\",\"trial\":%zu,\"direction\":"
		    "\"send\",\"streams\":1,%s}", i + 1, t[i].what);

		cr_assert(channel_send(&ch, ask, strlen(ask), &e));
		while (m.type == MESSAGE_NONE && !ch.closed)
			cr_assert(channel_fill(&ch, &e) && message_next(a, &ch, &m, &e), "%s", e.text);
		cr_assert_eq(m.type, MESSAGE_RESULT);
		cr_assert_eq(m.status, TRIAL_VOID);
		cr_assert(strstr(m.why, t[i].why) != NULL, "%s", m.why);
	}
	channel_close(&ch);
	child_end(&c, SIGKILL);
}

/* The server sends to nobody who cannot prove that the run is his. */
Test(peer_bad, a_stranger_gets_no_data_while_a_trial_is_open)
{
	static const char ask[] = "{\"type\":\"trial\",\"trial\":1,\"direction\":\"receive\",\"streams\":1,"
	    "\"warmup_s\":1,\"duration_s\":1,\"early_s\":0,\"max_bytes\":0}";
	unsigned char nonce[WIRE_NONCE], other[WIRE_NONCE], claim[WIRE_DATA], byte;
	struct err e = { .code = ERR_NONE };
	struct wire_session keys;
	struct channel ch;
	struct child c;
	int fd, good;

	cr_assert(child_start(&c, child_options(false)));
	raw_session(&c, &ch, &keys);
	cr_assert(channel_send(&ch, ask, strlen(ask), &e));
	good = raw_connect(c.port, true, nonce);
	wire_data(&keys, nonce, 1, 0, claim);
	fd = raw_connect(c.port, true, other); /* the claim of another connection */
	cr_assert_eq(send(fd, claim, sizeof(claim), 0), WIRE_DATA);
	cr_assert_leq(recv(fd, &byte, 1, 0), 0);
	close(fd);
	fd = raw_connect(c.port, true, other); /* a stream that was not agreed on */
	wire_data(&keys, other, 1, 1, claim);
	cr_assert_eq(send(fd, claim, sizeof(claim), 0), WIRE_DATA);
	cr_assert_leq(recv(fd, &byte, 1, 0), 0);
	close(fd);
	wire_data(&keys, nonce, 1, 0, claim);
	cr_assert_eq(send(good, claim, sizeof(claim), 0), WIRE_DATA);
	cr_assert_eq(recv(good, &byte, 1, MSG_WAITALL), 1);
	close(good);
	channel_close(&ch);
	child_end(&c, SIGKILL);
}

static void
die(void *arg, double seconds, double bps)
{
	(void)arg, (void)seconds, (void)bps;
	raise(SIGKILL);
}

Test(peer_bad, a_client_that_vanishes_in_a_trial_leaves_the_server_free)
{
	static const enum direction d[] = { DIR_SEND, DIR_RECEIVE };
	struct child c;

	cr_assert(child_start(&c, child_options(false)));
	for (size_t i = 0; i < NELEM(d); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			struct flow_spec f = child_spec(d[i], 2);
			struct progress p = { die, NULL };
			struct err e = { .code = ERR_NONE };
			struct session *s = NULL;
			struct trial t = { .block = 0 };

			f.duration_s = 30;
			if (peer_open(a, c.peer, c.token, &s, &e))
				(void)peer_measure(s, a, &f, &p, &t, &e);
			_exit(0);
		}
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert(WIFSIGNALED(status), "the trial was to be running");
		cr_assert(child_next(&c));
	}
	check_serves(&c, "two clients that vanished");
	child_end(&c, SIGKILL);
}

Test(peer_bad, a_server_that_is_told_to_stop_ends_in_order)
{
	struct flow_spec f = child_spec(DIR_SEND, 1);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 0 };
	struct child c;

	cr_assert(child_start(&c, child_options(false)));
	cr_assert(peer_open(a, c.peer, c.token, &s, &e), "%s", e.text);
	cr_assert_eq(child_end(&c, SIGTERM), ERR_STOPPED);
	cr_assert_not(peer_measure(s, a, &f, NULL, &t, &e));
	cr_assert(e.code == ERR_FAILED && strstr(e.text, "was stopped") != NULL, "%s", e.text);
	peer_close(s);
}
