/* Client and server on loopback: what works. */
#include <criterion/criterion.h>

#include "peer_child.h"
#include "probes/peer_message.h"

#include <netinet/in.h>
#include <sys/socket.h>

TestSuite(peer, .init = child_suite, .fini = child_suite_end);

static bool
have_ipv6(void)
{
	struct sockaddr_in6 s = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool ok = fd != -1 && bind(fd, (struct sockaddr *)&s, sizeof(s)) == 0;

	if (fd != -1)
		close(fd);
	return ok;
}

static void
check_trial(const struct trial *t, const struct flow_spec *f, const char *what)
{
	double counted = 0, all = 0;

	cr_assert_eq(t->status, TRIAL_OK, "%s: %s", what, t->why);
	cr_assert_null(t->why);
	cr_assert_eq(t->n_intervals_bps, 4, "%s: %zu", what, t->n_intervals_bps);
	for (size_t i = 0; i < 4; i++) {
		all += t->intervals_bps[i] / 80;
		counted += i > 0 ? t->intervals_bps[i] / 3 : 0;
	}
	cr_assert_gt(t->goodput_bps, 0, "%s", what);
	cr_assert_float_eq(t->goodput_bps, counted, counted * 1e-6, "%s", what);
	cr_assert_geq(t->bytes * (1 + 1e-9), all, "%s", what);
	cr_assert_float_eq(t->warmup_s, 0.1, 1e-9);
	cr_assert_float_eq(t->duration_s, 0.3, 1e-9);
	cr_assert_eq(t->streams, f->streams);
	cr_assert_eq(t->direction, f->direction);
	cr_assert(t->rtt.idle_ms > 0 && t->cpu >= 0, "%s", what);
	cr_assert(isnan(t->rtt.loaded_ms) || t->rtt.loaded_ms > 0, "%s", what);
	cr_assert(isnan(t->retransmits) || (t->retransmits >= 0 && t->retransmits <= 1), "%s", what);
}

Test(peer, both_directions_families_and_several_streams_are_measured)
{
	static const struct { enum direction d; unsigned streams; bool v6; } cases[] = {
		{ DIR_SEND, 1, false }, { DIR_RECEIVE, 1, false }, { DIR_SEND, 4, false },
		{ DIR_RECEIVE, 4, true }, { DIR_SEND, 1, true }, { DIR_SEND, 64, false },
		{ DIR_RECEIVE, 64, false },
	};
	bool v6 = have_ipv6();

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct flow_spec f = child_spec(cases[i].d, cases[i].streams);
		struct err e = { .code = ERR_NONE };
		struct session *s = NULL;
		struct trial t = { .block = 7 };
		struct child c;
		char what[64];

		if (cases[i].v6 && !v6)
			continue;
		snprintf(what, sizeof(what), "case %zu", i);
		cr_assert(child_start(&c, child_options(true)));
		cr_assert(peer_open(a, cases[i].v6 ? c.peer6 : c.peer, CHILD_TOKEN, &s, &e), "%s", e.text);
		cr_assert_str_eq(peer_address(s), cases[i].v6 ? "::1" : "127.0.0.1");
		cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s: %s", what, e.text);
		check_trial(&t, &f, what);
		cr_assert_eq(t.block, 7, "what is the caller's was changed");
		peer_close(s);
		cr_assert_eq(child_status(&c), 0, "a given token is good for one run");
	}
}

/* What an application sets that chooses its own buffers; the other end is asked for the same. */
Test(peer, buffers_are_pinned_at_both_ends_when_asked_for_and_only_then)
{
	static const enum direction each[] = { DIR_SEND, DIR_RECEIVE };
	struct err e = { .code = ERR_NONE };
	struct message m = message_new(MESSAGE_TRIAL, 1);
	struct session *s = NULL;
	struct flow_spec f, theirs;
	struct child c;

	cr_assert(child_start(&c, child_options(true)));
	cr_assert(peer_open(a, c.peer, CHILD_TOKEN, &s, &e), "%s", e.text);
	for (size_t i = 0; i < NELEM(each); i++) {
		struct trial t = { .block = 7 };

		f = child_spec(each[i], 2);
		f.pin_bytes = 65536;
		cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s", e.text);
		check_trial(&t, &f, "pinned");
	}
	message_from_spec(&m, &f);
	message_to_spec(&m, &theirs);
	cr_expect_eq(theirs.pin_bytes, 65536);
	m.pin_bytes = NAN; /* of a client that does not know of it */
	message_to_spec(&m, &theirs);
	cr_expect_eq(theirs.pin_bytes, 0);
	f.pin_bytes = FLOW_PIN_MAX + 1;
	cr_expect_not(flow_check(&f, &e));
	peer_close(s);
	cr_assert_eq(child_status(&c), 0);
}

Test(peer, a_pinned_socket_keeps_the_size_it_was_given)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), out = 0, in = 0;
	struct err e = { .code = ERR_NONE };
	socklen_t len = sizeof(out);

	cr_assert(flow_pin(fd, 32768, &e), "%s", e.text);
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &out, &len), 0);
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &in, &len), 0);
	/* Linux doubles it for its own overhead. */
	cr_expect((out == 32768 || out == 65536) && in == out, "%d %d", out, in);
	close(fd);
	cr_expect_not(flow_pin(fd, 32768, &e));
}

struct ticks {
	unsigned n;
	double fastest_bps;
};

static void
tick(void *arg, double seconds, double now_bps)
{
	struct ticks *k = arg;

	k->n += seconds >= 0;
	k->fastest_bps = fmax(k->fastest_bps, now_bps);
}

Test(peer, one_session_serves_trial_after_trial_with_progress)
{
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct child c;

	cr_assert(child_start(&c, child_options(true)));
	cr_assert(peer_open(a, c.peer, CHILD_TOKEN, &s, &e), "%s", e.text);
	for (int i = 0; i < 4; i++) {
		struct flow_spec f = child_spec(i % 2 == 0 ? DIR_SEND : DIR_RECEIVE, 1 + (unsigned)i);
		struct ticks k = { 0, 0 };
		struct progress p = { tick, &k };
		struct trial t = { .block = 0 };

		cr_assert(peer_measure(s, a, &f, &p, &t, &e), "%s", e.text);
		check_trial(&t, &f, "trial");
		cr_assert(k.n >= 2 && k.fastest_bps > 0, "%u ticks, %g bit/s", k.n, k.fastest_bps);
	}
	peer_close(s);
	cr_assert_eq(child_status(&c), 0);
}

Test(peer, a_byte_cap_is_never_exceeded)
{
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct child c;

	cr_assert(child_start(&c, child_options(true)));
	cr_assert(peer_open(a, c.peer, CHILD_TOKEN, &s, &e), "%s", e.text);
	for (int i = 0; i < 4; i++) {
		struct flow_spec f = child_spec(i % 2 == 0 ? DIR_SEND : DIR_RECEIVE, 1 + (unsigned)i);
		struct trial t = { .block = 0 };

		f.max_bytes = 1234567;
		f.warmup_s = 30; /* however slow this machine is, nothing is counted */
		cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s", e.text);
		cr_assert_eq(t.status, TRIAL_VOID, "too little for a figure");
		cr_assert(strstr(t.why, "byte cap") != NULL, "%s", t.why);
		cr_assert(isnan(t.goodput_bps));
		cr_assert_eq(t.bytes, 1234567, "%f", t.bytes);
	}
	peer_close(s);
	cr_assert_eq(child_status(&c), 0);
}

Test(peer, a_cap_that_is_used_up_is_not_the_same_as_none)
{
	static const struct { double cap, used, left; } cases[] = {
		{ 1000, 0, 1000 }, { 1000, 400, 600 }, { 1000, 1000, 1 }, { 1000, 2000, 1 },
		{ 0, 500, 0 }, { NAN, 500, 0 },
	};

	for (size_t i = 0; i < NELEM(cases); i++)
		cr_assert_eq(flow_cap_left(cases[i].cap, cases[i].used), cases[i].left, "case %zu", i);
}

Test(peer, the_server_ends_when_its_bytes_are_used_up)
{
	struct serve_options o = child_options(false);
	struct flow_spec f = child_spec(DIR_SEND, 1);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 0 };
	struct child c;

	o.max_bytes = 500000;
	f.warmup_s = 30; /* however slow this machine is, nothing is counted */
	cr_assert(child_start(&c, o));
	cr_assert(peer_open(a, c.peer, c.token, &s, &e), "%s", e.text);
	cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s", e.text);
	cr_assert_eq(t.status, TRIAL_VOID);
	cr_assert_geq(t.bytes, 500000); /* the cap may reach the sender after its first bytes */
	cr_assert_not(peer_measure(s, a, &f, NULL, &t, &e));
	cr_assert(e.code == ERR_FAILED && strstr(e.text, "used up") != NULL, "%s", e.text);
	peer_close(s);
	cr_assert_not_null(child_line(&c, "say ending: the server's byte cap"));
	cr_assert_eq(child_status(&c), 0);
}

Test(peer, the_server_ends_when_its_time_is_up_even_within_a_trial)
{
	struct serve_options o = child_options(false);
	struct flow_spec f = child_spec(DIR_RECEIVE, 1);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 0 };
	struct child c;

	o.max_time_s = 3;
	f.duration_s = 30;
	cr_assert(child_start(&c, o));
	cr_assert(peer_open(a, c.peer, c.token, &s, &e), "%s", e.text);
	cr_assert_not(peer_measure(s, a, &f, NULL, &t, &e));
	cr_assert(e.code == ERR_FAILED && strstr(e.text, "time is up") != NULL, "%s", e.text);
	peer_close(s);
	cr_assert_eq(child_status(&c), 0);
}

Test(peer, a_token_is_good_for_one_run_and_the_next_is_announced)
{
	struct err e = { .code = ERR_NONE };
	char first[PEER_TOKEN_MAX + 1];
	struct session *s = NULL;
	struct child c;

	cr_assert(child_start(&c, child_options(false)));
	strcpy(first, c.token);
	cr_assert(peer_open(a, c.peer, first, &s, &e), "%s", e.text);
	peer_close(s);
	cr_assert(child_next(&c));
	cr_assert_str_neq(c.token, first);
	cr_assert_not(peer_open(a, c.peer, first, &s, &e));
	cr_assert(strstr(e.text, "token not accepted") != NULL, "%s", e.text);
	e.code = ERR_NONE;
	cr_assert(peer_open(a, c.peer, c.token, &s, &e), "%s", e.text);
	peer_close(s);
	child_end(&c, SIGKILL);
}

Test(peer, once_ends_the_server_after_one_run)
{
	struct serve_options o = child_options(false);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct child c;

	o.once = true;
	cr_assert(child_start(&c, o));
	cr_assert(peer_open(a, c.peer, c.token, &s, &e), "%s", e.text);
	peer_close(s);
	cr_assert_eq(child_status(&c), 0);
}

Test(peer, a_second_client_hears_busy_and_disturbs_nothing)
{
	struct flow_spec f = child_spec(DIR_SEND, 1);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL, *second = NULL;
	struct trial t = { .block = 0 };
	struct child c;

	cr_assert(child_start(&c, child_options(false)));
	cr_assert(peer_open(a, c.peer, c.token, &s, &e), "%s", e.text);
	cr_assert_not(peer_open(a, c.peer, c.token, &second, &e));
	cr_assert(strstr(e.text, "busy") != NULL, "%s", e.text);
	e.code = ERR_NONE;
	cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s", e.text);
	check_trial(&t, &f, "after a busy answer");
	peer_close(s);
	child_end(&c, SIGKILL);
}

Test(peer, idle_connects_take_no_place_and_are_no_failures)
{
	struct flow_spec f = child_spec(DIR_RECEIVE, 1);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 0 };
	struct child c;
	double ms = 0;

	cr_assert(child_start(&c, child_options(true)));
	cr_assert(peer_open(a, c.peer, CHILD_TOKEN, &s, &e), "%s", e.text);
	cr_assert(peer_idle_rtt(s, 100, &ms, &e), "%s", e.text);
	cr_assert(ms > 0 && ms < 1000, "%f", ms);
	cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s", e.text);
	cr_assert_leq(t.rtt.idle_ms, ms);
	peer_close(s);
	cr_assert_null(child_line(&c, "say refused"));
	cr_assert_eq(child_status(&c), 0);
}

/* By the kernel of whoever sends: ours, or the server's. */
static void
refuse_cc(enum direction d)
{
	struct flow_spec f = child_spec(d, 1);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 0 };
	struct child c;

	cr_assert(child_start(&c, child_options(true)));
	cr_assert(peer_open(a, c.peer, CHILD_TOKEN, &s, &e), "%s", e.text);
	f.cc = "no-such-control";
	cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s", e.text);
	cr_assert_eq(t.status, TRIAL_VOID);
	cr_assert(strstr(t.why, "no-such-control") != NULL, "%s", t.why);
	f.cc = NULL;
	cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s", e.text);
	check_trial(&t, &f, "after a refused one");
	f.cc = "reno"; /* every kernel has it */
	cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s", e.text);
	check_trial(&t, &f, "with one that is there");
	peer_close(s);
	cr_assert_eq(child_status(&c), 0);
}

Test(peer, congestion_control_that_is_refused_voids_the_trial_only)
{
	refuse_cc(DIR_SEND);
	refuse_cc(DIR_RECEIVE);
}

Test(peer, an_impossible_transfer_is_refused_before_anything_is_sent)
{
	static const struct flow_spec cases[] = {
		{ DIR_BOTH, 1, 1, 1, 0, 0, NULL, 0 }, { DIR_SEND, 0, 1, 1, 0, 0, NULL, 0 },
		{ DIR_SEND, FLOW_STREAMS_MAX + 1, 1, 1, 0, 0, NULL, 0 },
		{ DIR_SEND, 1, -1, 1, 0, 0, NULL, 0 }, { DIR_SEND, 1, 1, 0, 0, 0, NULL, 0 },
		{ DIR_SEND, 1, 60, 61, 0, 0, NULL, 0 }, { DIR_SEND, 1, NAN, 1, 0, 0, NULL, 0 },
		{ DIR_SEND, 1, 1, 1, 0, -1, NULL, 0 }, { DIR_SEND, 1, 1, 1, 0, 0, NULL, NAN },
		{ DIR_SEND, 1, 1, 1, 0, 0, NULL, FLOW_PIN_MIN - 1 },
		{ DIR_SEND, 1, 1, 1, 0, 0, NULL, FLOW_PIN_MAX + 1 },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct err e = { .code = ERR_NONE };

		cr_assert_not(flow_check(&cases[i], &e), "case %zu", i);
		cr_assert_eq(e.code, ERR_USAGE);
	}
}
