#include "tuner/limiter.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const struct setting cubic4 = { .cc = "cubic", .window_bytes = 4e6 };

struct seen {
	double rwnd, sndbuf, retransmits, goodput, rate, idle_ms, loaded_ms, inflight;
};

static struct trial
trial_of(const struct seen *s)
{
	struct trial t;

	record_init(&trial_record, &t);
	t.setting = cubic4;
	t.direction = DIR_SEND;
	t.rwnd_limited = s->rwnd;
	t.sndbuf_limited = s->sndbuf;
	t.retransmits = s->retransmits;
	t.goodput_bps = s->goodput;
	t.delivery_rate_bps = s->rate;
	t.rtt.idle_ms = s->idle_ms;
	t.rtt.loaded_ms = s->loaded_ms;
	t.inflight_bytes = s->inflight;
	return t;
}

Test(limiter, names_what_the_numbers_show_and_quotes_one)
{
	/* The first four as seen in the lab. */
	static const struct {
		struct seen seen;
		enum limiter expected;
		const char *number;
	} t[] = {
		{ { .94, .0, 0, 17e6, 20e6, 80, 80.2, 3e6 }, LIMIT_RWND, "94 %" },
		{ { .0, .33, 0, 110e6, 140e6, 209, 209.3, 3e6 }, LIMIT_SNDBUF, "33 %" },
		{ { .0, .02, .0002, 289e6, 290e6, 80, 143, 3e6 }, LIMIT_PATH, "143.0 ms" },
		{ { .0, .0, .005, 3e6, 60e6, 100, 101, 3e6 }, LIMIT_CWND, "0.5 %" },
		{ { .0, .0, 0, 288e6, 290e6, 80, 81, 3e6 }, LIMIT_PATH, "99 %" },
		{ { .3, .6, 0, 17e6, 20e6, 80, 80.2, 3e6 }, LIMIT_SNDBUF, "60 %" },
		{ { .0, .0, 0, 100e6, 290e6, 80, 81, 3e6 }, LIMIT_UNKNOWN, "neither" },
		{ { .0, .02, 0, 101e6, 108e6, 209, 212, 3.9e6 }, LIMIT_SNDBUF,
		    "3.72 MiB in flight" },
		{ { .0, .02, 0, 480e6, 490e6, 1, 5, 3.9e6 }, LIMIT_PATH, "5.0 ms" },
		{ { NAN, NAN, NAN, 100e6, NAN, 80, NAN, 3e6 }, LIMIT_UNKNOWN, "no TCP_INFO" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct arena *a = arena_new();
		struct trial trial = trial_of(&t[i].seen);
		struct limit l = limiter_name(a, NULL, &trial, 1, DIR_SEND, &cubic4);

		cr_assert_eq(l.limiter, t[i].expected, "row %zu: %s (%s)", i,
		    limiter_names[l.limiter], l.evidence);
		cr_assert(strstr(l.evidence, t[i].number) != NULL, "row %zu: %s", i, l.evidence);
		arena_free(a);
	}
}

Test(limiter, looks_only_at_good_trials_of_the_setting_in_question)
{
	struct arena *a = arena_new();
	struct seen window = { .9, 0, 0, 17e6, 20e6, 80, 80.2, 1e6 };
	struct seen path = { 0, 0, 0, 288e6, 290e6, 80, 143, 3e6 };
	struct trial t[4];

	t[0] = trial_of(&path);
	t[1] = trial_of(&window);
	t[1].setting.window_bytes = 1e6;
	t[2] = trial_of(&window);
	t[2].status = TRIAL_TIMEOUT;
	t[3] = trial_of(&window);
	t[3].direction = DIR_RECEIVE;
	cr_assert_eq(limiter_name(a, NULL, t, 4, DIR_SEND, &cubic4).limiter, LIMIT_PATH);
	cr_assert_eq(limiter_name(a, NULL, t + 1, 3, DIR_SEND, &cubic4).limiter, LIMIT_UNKNOWN);
	arena_free(a);
}

Test(limiter, calls_a_path_full_only_when_no_other_setting_got_more_over_it)
{
	struct arena *a = arena_new();
	struct seen cubic = { 0, 0, 0, 85e6, 88e6, 80, 80.5, 1e6 };
	struct seen bbr = { 0, 0, .02, 284e6, 290e6, 80, 81, 3e6 };
	struct trial t[2] = { trial_of(&cubic), trial_of(&bbr) };
	struct limit l;

	t[1].setting.cc = "bbr";
	cr_assert_eq(limiter_name(a, NULL, t, 1, DIR_SEND, &cubic4).limiter, LIMIT_PATH);
	l = limiter_name(a, NULL, t, 2, DIR_SEND, &cubic4);
	cr_assert_eq(l.limiter, LIMIT_CWND, "%s", l.evidence);
	cr_assert(strstr(l.evidence, "284 Mbit/s") != NULL, "%s", l.evidence);
	cr_assert_eq(limiter_name(a, NULL, t, 2, DIR_SEND, &t[1].setting).limiter, LIMIT_PATH);
	arena_free(a);
}

Test(limiter, compares_the_window_with_what_one_connection_has_in_flight)
{
	struct arena *a = arena_new();
	struct seen four = { 0, .02, 0, 100e6, 290e6, 80, 81, 3.9e6 };
	struct trial t = trial_of(&four);

	t.streams = 4;
	cr_assert_eq(limiter_name(a, NULL, &t, 1, DIR_SEND, &cubic4).limiter, LIMIT_UNKNOWN);
	t.inflight_bytes = 4 * 3.9e6;
	cr_assert_eq(limiter_name(a, NULL, &t, 1, DIR_SEND, &cubic4).limiter, LIMIT_SNDBUF);
	arena_free(a);
}

Test(limiter, names_losses_without_an_rtt_and_claims_no_queue_then)
{
	struct arena *a = arena_new();
	struct seen lossy = { 0, 0, .005, 3e6, 60e6, NAN, NAN, 3e6 };
	struct trial t = trial_of(&lossy);
	struct limit l = limiter_name(a, NULL, &t, 1, DIR_SEND, &cubic4);

	cr_assert_eq(l.limiter, LIMIT_CWND);
	cr_assert_str_eq(l.evidence,
	    "losses hold the cwnd down: 0.5 % of the segments were sent again");
	t.rtt.idle_ms = 1.1;
	t.rtt.loaded_ms = 1.7;
	l = limiter_name(a, NULL, &t, 1, DIR_SEND, &cubic4);
	cr_assert_eq(l.limiter, LIMIT_CWND);
	cr_assert(strstr(l.evidence, "queue") == NULL && strstr(l.evidence, "1.7 under load"), "%s",
	    l.evidence);
	arena_free(a);
}

/* ---- evidence beyond TCP_INFO ---------------------------------------------------------------- */

/* A transfer of 40 Mbit/s over 50 ms that nothing explains yet. */
static struct trial
plain(void)
{
	struct seen s = { .01, .0, 0, 40e6, 60e6, 50, 50.5, 250e3 };
	struct trial t = trial_of(&s);

	t.cpu = t.peer_cpu = .02;
	t.cpu_wait = t.peer_cpu_wait = .05;
	t.idle_writes = .02;
	t.unread_bytes = 0;
	t.unsent_bytes = 3e5;
	t.cwnd_bytes = 1e6;
	t.rwnd_bytes = 6e6;
	return t;
}

static struct path_fact
other(double udp, double sent, double burst, double streams)
{
	struct path_fact p;

	record_init(&path_fact_record, &p);
	p.direction = DIR_SEND;
	p.udp_bps = udp;
	p.udp_sent_bps = sent;
	p.udp_loss = fmax(0, 1 - udp / sent);
	p.udp_burst_bps = burst;
	p.streams = 4;
	p.streams_bps = streams;
	return p;
}

static void
says(const struct trial *t, const struct path_fact *p, enum limiter expected, const char *number)
{
	struct arena *a = arena_new();
	struct limit l = limiter_name(a, p, t, 1, t->direction, &t->setting);

	cr_assert_eq(l.limiter, expected, "%s, not %s: %s", limiter_names[expected],
	    limiter_names[l.limiter], l.evidence);
	cr_assert(strstr(l.evidence, number) != NULL, "%s", l.evidence);
	arena_free(a);
}

Test(limiter, names_the_cpu_of_the_end_that_had_to_wait_or_ran_all_the_time)
{
	struct trial t = plain();

	t.cpu = .98;
	says(&t, NULL, LIMIT_CPU, "used 98 % of a core");
	t.cpu = .2;
	t.cpu_wait = .7;
	says(&t, NULL, LIMIT_CPU, "got 20 % of a core and waited for more 70 %");
	t.peer_cpu_wait = .99;
	says(&t, NULL, LIMIT_PEER_CPU, "the peer's process got 2 %");
	t = plain();
	t.cpu_wait = .6;
	says(&t, NULL, LIMIT_UNKNOWN, "wait for a core 60 %");
	t.retransmits = .01; /* who waits so long loses for other reasons than the path's */
	says(&t, NULL, LIMIT_UNKNOWN, "wait for a core 60 %");
	t.retransmits = 0;
	t.idle_writes = .9;
	says(&t, NULL, LIMIT_CPU, "60 %");
	t = plain();
	t.peer_cpu_wait = .6;
	t.unread_bytes = 4e6;
	says(&t, NULL, LIMIT_PEER_CPU, "60 %");
	t = plain();
	t.peer_system_cpu = .97;
	says(&t, NULL, LIMIT_PEER_CPU, "97 % of a core on interrupts");
	t = plain();
	t.cpu = 1;
	t.rwnd_limited = t.sndbuf_limited = NAN; /* a system that tells no TCP_INFO */
	says(&t, NULL, LIMIT_CPU, "100 %");
}

Test(limiter, tells_a_slow_application_from_a_small_window)
{
	struct trial t = plain();

	t.idle_writes = .97;
	says(&t, NULL, LIMIT_WRITER, "97 %");
	t.direction = DIR_RECEIVE;
	says(&t, NULL, LIMIT_WRITER, "97 %");
	t = plain();
	t.rwnd_limited = .99;
	says(&t, NULL, LIMIT_RWND, "99 %");
	t.unread_bytes = 2e3; /* came while it read */
	says(&t, NULL, LIMIT_RWND, "99 %");
	t.unread_bytes = 2e6;
	says(&t, NULL, LIMIT_READER, "1.91 MiB lay unread");
	t.rwnd_limited = NAN;
	says(&t, NULL, LIMIT_READER, "unread");
}

Test(limiter, takes_a_full_send_buffer_for_the_limit_where_the_times_do_not_show_it)
{
	struct trial t = plain();

	t.unsent_bytes = 0;
	says(&t, NULL, LIMIT_SNDBUF, "244 KiB in flight");
	t.unsent_bytes = 2e5;
	says(&t, NULL, LIMIT_UNKNOWN, "neither");
	t.unsent_bytes = 0;
	t.cwnd_bytes = 26e4;
	says(&t, NULL, LIMIT_UNKNOWN, "neither");
	t.cwnd_bytes = NAN;
	says(&t, NULL, LIMIT_UNKNOWN, "neither");
}

Test(limiter, says_growth_while_a_limited_transfer_still_gets_faster)
{
	double rising[39], level[39];
	struct trial t = plain();

	for (size_t i = 0; i < NELEM(rising); i++) {
		rising[i] = 1e6 * (double)(i + 1);
		level[i] = i < 9 ? 1e6 : 40e6;
	}
	t.sndbuf_limited = .8;
	t.warmup_s = .9;
	t.n_intervals_bps = NELEM(rising);
	t.intervals_bps = rising;
	says(&t, NULL, LIMIT_GROWTH, "the send buffer still grew");
	t.intervals_bps = level;
	says(&t, NULL, LIMIT_SNDBUF, "80 %");
	t.intervals_bps = rising;
	t.inflight_bytes = 3.9e6; /* as large as it gets */
	says(&t, NULL, LIMIT_SNDBUF, "80 %");
	t.sndbuf_limited = 0;
	t.rwnd_limited = .8;
	says(&t, NULL, LIMIT_GROWTH, "the receiver's window still grew");
}

Test(limiter, tells_a_policer_from_losses_and_from_a_full_path)
{
	struct trial t = plain();
	struct path_fact policed = other(49e6, 120e6, 195e6, 47e6);
	struct path_fact lossy = other(195e6, 400e6, 200e6, 150e6);
	struct path_fact robbed = other(41e6, 63e6, 100e6, 16e6);
	struct path_fact full = other(42e6, 110e6, 43e6, 41e6);

	t.retransmits = .003;
	says(&t, &policed, LIMIT_POLICER, "above 49 Mbit/s");
	says(&t, &lossy, LIMIT_CWND, "0.3 %");
	says(&t, &full, LIMIT_PATH, "UDP gets 42 Mbit/s");
	t.goodput_bps = 6e6;
	says(&t, &robbed, LIMIT_CWND, "0.3 %");
	t = plain();
	says(&t, &policed, LIMIT_POLICER, "bursts pass at 195 Mbit/s");
	t.rtt.loaded_ms = 60;
	says(&t, &policed, LIMIT_POLICER, "bursts pass at 195 Mbit/s");
	t.rtt.loaded_ms = 90;
	says(&t, &policed, LIMIT_PATH, "90.0 ms");
	t = plain();
	t.delivery_rate_bps = 41e6;
	says(&t, NULL, LIMIT_PATH, "98 %");
	full.udp_bps = 30e6; /* less than TCP got: that probe was disturbed */
	says(&t, &full, LIMIT_UNKNOWN, "neither");
	t.retransmits = .01;
	t.rtt.loaded_ms = 60; /* a noisy RTT is no queue where four get four times as much */
	lossy.streams_bps = 160e6;
	says(&t, &lossy, LIMIT_CWND, "1 %");
}

Test(limiter, blames_the_nic_only_when_nothing_else_is_left)
{
	struct seen story = { 0, 0, 0, 7.4e6, 7.5e6, 209, 210, 190e3 };
	struct trial t = trial_of(&story);
	struct path_fact udp = other(590e6, 700e6, 600e6, 7.6e6);

	t.cpu = t.peer_cpu = t.idle_writes = .02;
	says(&t, &udp, LIMIT_NIC, "TCP gets 7.40 Mbit/s, UDP 590 Mbit/s");
	says(&t, NULL, LIMIT_PATH, "99 %");
	t.rtt.loaded_ms = 900; /* the queue of the driver itself */
	says(&t, &udp, LIMIT_NIC, "590 Mbit/s");
	t.rtt.loaded_ms = 210;
	t.retransmits = .01;
	says(&t, &udp, LIMIT_CWND, "1 %");
	t.retransmits = 0;
	t.rwnd_limited = .9;
	says(&t, &udp, LIMIT_RWND, "90 %");
	t.rwnd_limited = 0;
	t.cpu = .99;
	says(&t, &udp, LIMIT_CPU, "99 %");
	t.cpu = .02;
	udp.streams_bps = 29e6; /* four get four times as much */
	says(&t, &udp, LIMIT_CWND, "590 Mbit/s");
	udp.streams_bps = 7.6e6;
	t.cwnd_bytes = 200e3; /* full: whatever made it small */
	says(&t, &udp, LIMIT_CWND, "stays low");
	t.cwnd_bytes = 2e6;
	t.unsent_bytes = 1e6;
	says(&t, &udp, LIMIT_NIC, "no CPU");
	udp = other(20e6, 30e6, 20e6, 7.6e6);
	says(&t, &udp, LIMIT_CWND, "UDP got 20 Mbit/s");
}

Test(limiter, blames_the_nic_of_a_sender_that_tells_little_by_what_several_connections_get)
{
	struct seen story = { NAN, NAN, NAN, 7.4e6, NAN, 209, 210, NAN };
	struct trial t = trial_of(&story);
	struct path_fact udp = other(590e6, 700e6, 600e6, 7.6e6);

	t.cpu = t.peer_cpu = t.idle_writes = .02;
	t.unread_bytes = 0;
	says(&t, &udp, LIMIT_NIC, "590 Mbit/s");
	t.unread_bytes = 3e6; /* the 193 kB that are in flight on average are less */
	says(&t, &udp, LIMIT_READER, "unread");
	t.unread_bytes = 0;
	t.idle_writes = .9;
	says(&t, &udp, LIMIT_WRITER, "90 %");
	t.idle_writes = .02;
	udp.streams_bps = 29e6;
	says(&t, &udp, LIMIT_UNKNOWN, "no TCP_INFO");
	udp = other(7.5e6, 20e6, 7.6e6, 7.4e6);
	says(&t, &udp, LIMIT_PATH, "UDP gets 7.50 Mbit/s");
	says(&t, NULL, LIMIT_UNKNOWN, "no TCP_INFO");
}

Test(limiter, blames_no_nic_while_an_alibi_of_something_else_is_not_known)
{
	static const struct seen story = { 0, 0, 0, 7.4e6, 7.5e6, 209, 210, 190e3 };
	static const struct {
		size_t member;
		const char *words;
	} t[] = {
		{ offsetof(struct trial, idle_writes), "always had something to send" },
		{ offsetof(struct trial, cpu), "how busy both ends were" },
		{ offsetof(struct trial, peer_cpu), "how busy both ends were" },
		{ offsetof(struct trial, retransmits), "how many segments were sent again" },
		{ offsetof(struct trial, cwnd_bytes), "whether the cwnd was full" },
		{ offsetof(struct trial, sndbuf_limited), "whether a window was full" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct path_fact udp = other(590e6, 700e6, 600e6, NAN);
		struct trial trial = trial_of(&story);

		trial.cpu = trial.peer_cpu = trial.idle_writes = .02;
		trial.cwnd_bytes = 1e6;
		says(&trial, &udp, LIMIT_NIC, "590 Mbit/s");
		*(double *)((char *)&trial + t[i].member) = NAN;
		says(&trial, &udp, LIMIT_UNKNOWN, t[i].words);
	}
}

Test(limiter, wants_another_look_only_where_it_may_change_the_answer)
{
	struct side s = { .goodput_bps = 90e6, .rtt_ms = 30 };
	struct limit path = { LIMIT_PATH, "" }, cwnd = { LIMIT_CWND, "" };
	struct limit unknown = { LIMIT_UNKNOWN, "" }, rwnd = { LIMIT_RWND, "" };

	cr_assert(limiter_unsure(&unknown, &s, 20, 1e9) && limiter_unsure(&cwnd, &s, 20, 1e9));
	cr_assert_not(limiter_unsure(&rwnd, &s, 20, 1e9));
	cr_assert(limiter_unsure(&path, &s, 20, 1e9), "the queue may be the driver's own");
	cr_assert(limiter_unsure(&path, &s, 20, NAN));
	cr_assert_not(limiter_unsure(&path, &s, 20, 1e8), "no NIC of 100 Mbit/s carries 4 times 90");
	s.rtt_ms = 20.5;
	cr_assert(limiter_unsure(&path, &s, 20, 1e8), "no queue stands");
	s.goodput_bps = NAN;
	cr_assert_not(limiter_unsure(&unknown, &s, 20, 1e9), "nothing was measured");
}

Test(limiter, knows_what_an_scp_gets_over_this_rtt)
{
	cr_assert_float_eq(limiter_scp_bps(209), 80.27e6, 1e4);
	cr_assert(isnan(limiter_scp_bps(NAN)) && isnan(limiter_scp_bps(0)));
}
