#include <criterion/criterion.h>

#include "probes/flow.h"
#include "probes/tcpinfo.h"

#include <math.h>

static struct tcp_sample
sampled(double rtt_ms, double retransmits, double segments)
{
	return (struct tcp_sample){ .rtt_ms = rtt_ms, .min_rtt_ms = 40, .retransmits = retransmits,
		.segments = segments, .delivery_bps = rtt_ms * 1e6, .inflight_bytes = rtt_ms * 1000 };
}

/* The trial that these samples make, the first n_warm of them within the warm-up. */
static struct trial
logged(struct arena *a, const struct tcp_sample *s, size_t n, size_t n_warm)
{
	struct trial t = { .block = 0 };
	struct tcp_log l;

	flow_void(&t, NULL);
	tcp_log_init(&l, a);
	for (size_t i = 0; i < n; i++)
		tcp_log_add(&l, &s[i], i >= n_warm);
	tcp_log_fill(&l, &t);
	return t;
}

Test(tcp_log, what_the_warm_up_did_is_not_counted)
{
	struct arena *a = arena_new();
	struct tcp_sample s[] = { sampled(900, 500, 1000), sampled(50, 500, 2000),
		sampled(90, 510, 2500), sampled(60, 520, 3000), sampled(70, 530, 4000) };
	struct trial t;

	for (size_t i = 0; i < NELEM(s); i++) {
		s[i].busy_s = 10 + (double)i;
		s[i].rwnd_s = 5 + (double)i / 4;
		s[i].sndbuf_s = 3;
	}
	t = logged(a, s, NELEM(s), 1);
	cr_assert_float_eq(t.retransmits, 30. / 2000, 1e-12, "%g", t.retransmits);
	cr_assert_float_eq(t.rtt.loaded_ms, 65, 1e-9, "%g", t.rtt.loaded_ms);
	cr_assert_float_eq(t.inflight_bytes, 65000, 1e-6, "%g", t.inflight_bytes);
	cr_assert_float_eq(t.delivery_rate_bps, 90e6, 1e-3, "%g", t.delivery_rate_bps);
	cr_assert_float_eq(t.rtt.min_ms, 40, 1e-9);
	cr_assert_float_eq(t.rwnd_limited, .25, 1e-12, "%g", t.rwnd_limited);
	cr_assert_float_eq(t.sndbuf_limited, 0, 1e-12, "%g", t.sndbuf_limited);
	arena_free(a);
}

Test(tcp_log, without_a_difference_after_the_warm_up_no_share_is_known)
{
	static const struct { size_t n, warm; } cases[] = { { 0, 0 }, { 3, 3 }, { 3, 2 } };
	struct tcp_sample s[] = { sampled(50, 0, 10), sampled(50, 1, 20), sampled(50, 2, 30) };
	struct arena *a = arena_new();

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct trial t = logged(a, s, cases[i].n, cases[i].warm);

		cr_assert(isnan(t.retransmits), "case %zu: %g", i, t.retransmits);
		cr_assert(isnan(t.rwnd_limited), "case %zu: %g", i, t.rwnd_limited);
		cr_assert_eq(isnan(t.rtt.loaded_ms), cases[i].n == cases[i].warm, "case %zu", i);
		cr_assert_eq(isnan(t.rtt.min_ms), cases[i].n == cases[i].warm, "case %zu", i);
	}
	arena_free(a);
}

Test(tcp_log, what_a_kernel_does_not_tell_stays_unknown_and_spoils_nothing_else)
{
	struct arena *a = arena_new();
	struct tcp_sample s[] = { sampled(50, NAN, NAN), sampled(NAN, NAN, NAN), sampled(70, NAN, NAN) };
	struct trial t = logged(a, s, NELEM(s), 0);

	cr_assert(isnan(t.retransmits));
	cr_assert_float_eq(t.rtt.loaded_ms, 60, 1e-9, "%g", t.rtt.loaded_ms);
	arena_free(a);
}

Test(tcp_log, streams_add_up_but_their_round_trips_do_not)
{
	struct tcp_sample sum = tcpinfo_none(), one = sampled(50, 1, 10), two = sampled(70, 2, 20);

	one.min_rtt_ms = NAN;
	tcpinfo_add(&sum, &one, 2);
	tcpinfo_add(&sum, &two, 2);
	cr_assert_float_eq(sum.rtt_ms, 60, 1e-9);
	cr_assert_float_eq(sum.min_rtt_ms, 40, 1e-9);
	cr_assert_float_eq(sum.retransmits, 3, 1e-9);
	cr_assert_float_eq(sum.segments, 30, 1e-9);
	cr_assert_float_eq(sum.inflight_bytes, 120000, 1e-6);
}
