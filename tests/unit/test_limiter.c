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
