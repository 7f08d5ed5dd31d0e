/* The client against servers that refuse, stall, vanish or talk nonsense. */
#include <criterion/criterion.h>

#include "peer_child.h"
#include "probes/net.h"
#include "probes/peer_message.h"

#include <fcntl.h>
#include <sys/socket.h>

TestSuite(peer_client, .init = child_suite, .fini = child_suite_end);

static void
kill_server(void *arg, double seconds, double bps)
{
	(void)seconds, (void)bps;
	kill(*(pid_t *)arg, SIGKILL);
}

Test(peer_client, a_server_that_vanishes_in_a_trial_is_an_error)
{
	static const enum direction d[] = { DIR_SEND, DIR_RECEIVE };

	for (size_t i = 0; i < NELEM(d); i++) {
		struct flow_spec f = child_spec(d[i], 1);
		struct err e = { .code = ERR_NONE };
		struct session *s = NULL;
		struct trial t = { .block = 0 };
		struct child c;
		struct progress p = { kill_server, &c.pid };

		f.duration_s = 30;
		cr_assert(child_start(&c, child_options(false)));
		cr_assert(peer_open(a, c.peer, c.token, &s, &e), "%s", e.text);
		cr_assert_not(peer_measure(s, a, &f, &p, &t, &e));
		cr_assert(e.code == ERR_FAILED && e.text[0] != '\0', "%s", e.text);
		peer_close(s);
		cr_assert_eq(child_status(&c), -1);
	}
}

static void
freeze_server(void *arg, double seconds, double bps)
{
	(void)seconds, (void)bps;
	kill(*(pid_t *)arg, SIGSTOP);
}

Test(peer_client, a_server_that_stalls_in_a_trial_is_given_up)
{
	struct flow_spec f = child_spec(DIR_RECEIVE, 1);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 0 };
	struct child c;
	struct progress p = { freeze_server, &c.pid };

	f.duration_s = 30;
	cr_assert(child_start(&c, child_options(false)));
	cr_assert(peer_open(a, c.peer, c.token, &s, &e), "%s", e.text);
	cr_assert_not(peer_measure(s, a, &f, &p, &t, &e));
	cr_assert(e.code == ERR_FAILED && strstr(e.text, "no longer answers") != NULL, "%s", e.text);
	peer_close(s);
	child_end(&c, SIGKILL);
}

static void
stop_us(void *arg, double seconds, double bps)
{
	(void)arg, (void)seconds, (void)bps;
	raise(SIGINT);
}

Test(peer_client, a_stop_in_a_trial_is_obeyed_and_told_as_such)
{
	struct flow_spec f = child_spec(DIR_SEND, 1);
	struct progress p = { stop_us, NULL };
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 7 };
	struct child c;

	f.duration_s = 30;
	cr_assert(child_start(&c, child_options(true)));
	cr_assert(stop_install());
	cr_assert(peer_open(a, c.peer, c.token, &s, &e), "%s", e.text);
	cr_assert_not(peer_measure(s, a, &f, &p, &t, &e));
	cr_assert_eq(e.code, ERR_STOPPED);
	cr_assert_eq(t.block, 7);
	peer_close(s);
	cr_assert_eq(child_status(&c), 0);
}

/* A blocking listener on loopback; its address as a peer. */
static int
fake_listen(char peer[32])
{
	struct err e = { .code = ERR_NONE };
	int fd[NET_LISTEN_MAX];
	unsigned port;
	size_t n;

	cr_assert(net_listen("127.0.0.1", 0, fd, &n, &port, &e), "%s", e.text);
	cr_assert_eq(fcntl(fd[0], F_SETFL, 0), 0);
	snprintf(peer, 32, "127.0.0.1:%u", port);
	return fd[0];
}

/* What a wrong server does with its only connection. */
struct fake {
	const char *what;
	const char *says;
	size_t n;
	bool waits;          /* for the client's claim, then answers */
	const char *answer;  /* 33 bytes or NULL: close */
	bool stays;          /* never closes */
	const char *error;
};

static void
fake_serve(int listener, const struct fake *f)
{
	int fd = accept(listener, NULL, NULL);
	char claim[WIRE_CLAIM];

	(void)!write(fd, f->says, f->n);
	if (f->waits)
		(void)recv(fd, claim, sizeof(claim), MSG_WAITALL);
	if (f->answer != NULL)
		(void)!write(fd, f->answer, WIRE_ANSWER);
	if (f->stays)
		while (read(fd, claim, sizeof(claim)) > 0)
			continue;
	_exit(0);
}

Test(peer_client, every_wrong_server_gets_its_own_error)
{
	static const char hello[WIRE_HELLO + 1] = WIRE_MAGIC "nonce-of-32-bytes-0123456789abcd";
	static const struct fake cases[] = {
		{ "closes", "", 0, false, NULL, false, "not a pathtune server" },
		{ "speaks ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3 and some more\r\n", 54, false, NULL,
		    false, "not a pathtune server" },
		{ "greets by half", hello, 20, false, NULL, false, "not a pathtune server" },
		{ "refuses", hello, WIRE_HELLO, true, NULL, false, "token not accepted" },
		{ "pretends", hello, WIRE_HELLO, true, "Kxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", true,
		    "does not know the token" },
		{ "says busy without proof", hello, WIRE_HELLO, true, "Bxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		    true, "does not know the token" },
		{ "says nothing", "", 0, false, NULL, true, "no answer in time" },
		{ "stays silent after the claim", hello, WIRE_HELLO, true, NULL, true, "no answer in time" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct err e = { .code = ERR_NONE };
		struct session *s = NULL;
		char peer[32];
		int listener = fake_listen(peer);
		pid_t pid = fork();

		if (pid == 0)
			fake_serve(listener, &cases[i]);
		close(listener);
		cr_assert_not(peer_open(a, peer, CHILD_TOKEN, &s, &e), "%s", cases[i].what);
		cr_assert(e.code == ERR_FAILED && strstr(e.text, cases[i].error) != NULL &&
		    strstr(e.text, peer) != NULL, "%s: %s", cases[i].what, e.text);
		cr_assert_null(strstr(e.text, CHILD_TOKEN));
		cr_assert_eq(waitpid(pid, NULL, 0), pid);
	}
}

Test(peer_client, a_peer_that_cannot_be_reached_or_written_is_told_apart)
{
	static const struct { const char *peer; enum err_code code; const char *error; } cases[] = {
		{ "127.0.0.1:1", ERR_FAILED, "connection refused" },
		{ "no-such-name.invalid", ERR_FAILED, "cannot resolve" },
		{ "127.0.0.1:0", ERR_USAGE, "port 0" },
		{ "127.0.0.1:99999", ERR_USAGE, "port" },
		{ "iperf3://127.0.0.1", ERR_USAGE, "URL" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct err e = { .code = ERR_NONE };
		struct session *s = NULL;

		cr_assert_not(peer_open(a, cases[i].peer, CHILD_TOKEN, &s, &e), "%s", cases[i].peer);
		cr_assert(e.code == cases[i].code && strstr(e.text, cases[i].error) != NULL, "%s", e.text);
	}
}

/* ---- servers that know the token ------------------------------------------------------------ */

static void
fake_prove(int listener, struct channel *c)
{
	unsigned char nonce[WIRE_NONCE] = { 1 }, client[WIRE_NONCE], key[WIRE_KEY];
	unsigned char hello[WIRE_HELLO], claim[WIRE_CLAIM], answer[WIRE_ANSWER];
	int fd = accept(listener, NULL, NULL);
	struct wire_session keys;

	wire_token_key(CHILD_TOKEN, key);
	wire_hello(nonce, hello);
	(void)!write(fd, hello, sizeof(hello));
	(void)recv(fd, claim, sizeof(claim), MSG_WAITALL);
	if (!wire_claim_check(key, nonce, claim, client))
		_exit(1);
	wire_answer('K', key, nonce, client, answer);
	(void)!write(fd, answer, sizeof(answer));
	wire_session(key, nonce, client, &keys);
	channel_init(c, fd, true, &keys);
}

/* Wait for the request of a trial, say one thing, and close. */
static void
fake_run(int listener, const char *says)
{
	struct message m = { .type = MESSAGE_NONE };
	struct err e = { .code = ERR_NONE };
	struct channel c;

	fake_prove(listener, &c);
	while (m.type == MESSAGE_NONE && !c.closed)
		if (!channel_fill(&c, &e) || !message_next(a, &c, &m, &e))
			_exit(1);
	if (says != NULL && !channel_send(&c, says, strlen(says), &e))
		_exit(1);
	_exit(0);
}

#define RESULT "{\"type\":\"result\",\"trial\":1,"

/* lost: the session is; else the trial is void.  Neither says what a terminal would obey. */
Test(peer_client, what_an_authenticated_server_may_not_say_gets_its_own_error)
{
	static const struct { const char *says; bool lost; const char *error; } cases[] = {
		{ NULL, true, "closed the session" },
		{ "{\"type\":\"bye\",\"trial\":0,\"why\":\"\\u001b[2J\\nbored\"}", true, "?[2J?bored" },
		{ "{\"type\":\"bye\",\"trial\":0}", true, "no reason given" },
		{ "{\"type\":\"stop\",\"trial\":1}", true, "only a client sends" },
		{ "{\"type\":\"ready\",\"trial\":2}", true, "not asked" },
		{ "{\"type\":\"ready\",\"trial\":1,\"max_bytes\":1}", true, "closed the session" },
		{ "{\"type\":\"result\"", true, "message of the peer" },
		{ "{\"type\":\"result\",\"trial\":1,\"\\u001b[2J\":1}", true, "message of the peer" },
		{ RESULT "\"goodput_bps\":1e999}", true, "message of the peer" },
		{ RESULT "\"goodput_bps\":-1}", true, "message of the peer" },
		{ RESULT "\"status\":\"ok\"}", false, "no goodput" },
		{ RESULT "\"status\":\"ok\",\"goodput_bps\":0}", false, "no goodput" },
		{ RESULT "\"status\":\"void\",\"why\":\"tired\\u009b\"}", false, "tired??" },
		{ RESULT "\"status\":\"void\"}", false, "could not do this transfer" },
		{ RESULT "\"status\":\"ok\",\"goodput_bps\":8e9,\"counted_s\":1}", false, "not sent" },
		{ RESULT "\"status\":\"ok\",\"goodput_bps\":1,\"counted_s\":1,\"bytes\":4e9}", false,
		    "not sent" },
		{ RESULT "\"status\":\"ok\",\"goodput_bps\":1e15,\"counted_s\":1e-18}", false, "not sent" },
		{ RESULT "\"status\":\"ok\",\"goodput_bps\":1,\"counted_s\":1,\"intervals_bps\":[8e9]}",
		    false, "not sent" },
		{ RESULT "\"status\":\"ok\",\"goodput_bps\":1,\"counted_s\":1,\"intervals_bps\":[-1]}",
		    false, "not sent" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct flow_spec f = child_spec(DIR_SEND, 1);
		struct err e = { .code = ERR_NONE };
		struct session *s = NULL;
		struct trial t = { .block = 7 };
		char peer[32];
		int listener = fake_listen(peer), status;
		const char *text = e.text;
		pid_t pid = fork();

		if (pid == 0)
			fake_run(listener, cases[i].says);
		cr_assert(peer_open(a, peer, CHILD_TOKEN, &s, &e), "%s", e.text);
		cr_assert_eq(peer_measure(s, a, &f, NULL, &t, &e), !cases[i].lost, "case %zu", i);
		if (cases[i].lost) {
			cr_assert_eq(e.code, ERR_FAILED, "case %zu: %s", i, e.text);
		} else {
			cr_assert_eq(t.status, TRIAL_VOID, "case %zu", i);
			cr_assert(isnan(t.goodput_bps), "case %zu", i);
			cr_assert(t.bytes < 1e6, "case %zu: it would use up the run's bytes", i);
			text = t.why;
		}
		cr_assert(strstr(text, cases[i].error) != NULL, "case %zu: %s", i, text);
		for (const char *p = text; *p != '\0'; p++)
			cr_assert(*p >= ' ' && *p <= '~', "case %zu: byte %d", i, *p);
		peer_close(s);
		close(listener);
		cr_assert(waitpid(pid, &status, 0) == pid && status == 0, "case %zu", i);
	}
}

Test(peer_client, datagrams_that_were_not_sent_are_no_figure)
{
	static const char *const cases[] = {
		RESULT "\"status\":\"ok\",\"got_bytes\":1e12,\"got_bps\":1e6}",
		RESULT "\"status\":\"ok\",\"got_bytes\":0,\"got_bps\":1e12}",
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		const struct udp_spec u = { DIR_SEND, 1e6, .1, 0, 0 };
		struct err e = { .code = ERR_NONE };
		struct session *s = NULL;
		struct udp_result r;
		char peer[32];
		int listener = fake_listen(peer), status;
		pid_t pid = fork();

		if (pid == 0)
			fake_run(listener, cases[i]);
		cr_assert(peer_open(a, peer, CHILD_TOKEN, &s, &e), "%s", e.text);
		cr_assert(peer_udp(s, a, &u, &r, &e), "%s", e.text);
		cr_assert(r.why != NULL && strstr(r.why, "not sent") != NULL, "case %zu: %s", i, r.why);
		cr_assert(isnan(r.got_bytes) && isnan(r.got_bps), "case %zu", i);
		peer_close(s);
		close(listener);
		cr_assert(waitpid(pid, &status, 0) == pid && status == 0, "case %zu", i);
	}
}

/* Say goodbye unasked, and break the connection. */
static void
fake_crossing(int listener)
{
	static const char bye[] = "{\"type\":\"bye\",\"trial\":0,\"why\":\"out of patience\"}";
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct err e = { .code = ERR_NONE };
	struct channel c;

	fake_prove(listener, &c);
	net_nodelay(c.fd);
	if (!channel_send(&c, bye, sizeof(bye) - 1, &e) ||
	    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0 || close(c.fd) != 0)
		_exit(1);
	_exit(0);
}

Test(peer_client, a_goodbye_that_crosses_our_request_is_heard_though_sending_fails)
{
	struct flow_spec f = child_spec(DIR_SEND, 1);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 7 };
	char peer[32];
	int listener = fake_listen(peer), status;
	pid_t pid = fork();

	if (pid == 0)
		fake_crossing(listener);
	cr_assert(peer_open(a, peer, CHILD_TOKEN, &s, &e), "%s", e.text);
	cr_assert(waitpid(pid, &status, 0) == pid && status == 0);
	cr_assert_not(peer_measure(s, a, &f, NULL, &t, &e));
	cr_assert(strstr(e.text, "ended the run: out of patience") != NULL, "%s", e.text);
	peer_close(s);
	close(listener);
}
