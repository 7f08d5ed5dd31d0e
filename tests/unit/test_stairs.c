/* Which UDP rates are tried, and what is kept of them. */
#include "tuner/stairs.h"

#include <criterion/criterion.h>
#include <math.h>

/* A path that carries so much, and a sender that can send so much. */
static unsigned
climb(double known_bps, double most_bps, double path_bps, double sender_bps, struct path_fact *p)
{
	struct stairs s;
	double rate;
	unsigned n = 0;

	record_init(&path_fact_record, p);
	stairs_init(&s, known_bps, most_bps);
	while (stairs_next(&s, &rate)) {
		double sent = fmin(rate, sender_bps), got = fmin(sent, path_bps);

		cr_assert(rate <= most_bps);
		stairs_tell(&s, rate, sent, got, 1 - got / sent, p);
		cr_assert_lt(++n, 40);
	}
	return n;
}

Test(stairs, overload_a_full_path_twice)
{
	struct path_fact p;

	cr_assert_eq(climb(95e6, 1e10, 97e6, 1e10, &p), 2);
	cr_assert(stairs_top_seen(&p));
	cr_assert_float_eq(p.udp_bps, 97e6, 1);
	cr_assert_float_eq(p.udp_sent_bps, 95e6 * 2.6, 1);
	cr_assert_float_eq(p.udp_loss, 1 - 97 / (95 * 2.6), 1e-9);
}

Test(stairs, climb_from_what_tcp_got_to_what_the_path_carries)
{
	struct path_fact p;

	cr_assert_eq(climb(7.4e6, 1e10, 590e6, 1e10, &p), 9);
	cr_assert_float_eq(p.udp_bps, 590e6, 1);
	cr_assert(p.udp_sent_bps > 590e6 / .85 && p.udp_sent_bps < 4 * 590e6 / .85);
	cr_assert_leq(climb(NAN, 1e10, 1e6, 1e10, &p), 2);
	cr_assert_float_eq(p.udp_bps, 1e6, 1);
}

Test(stairs, go_on_where_a_short_queue_drops_but_more_arrives_each_time)
{
	struct path_fact p;
	struct stairs s;
	double rate;
	unsigned n = 0;

	record_init(&path_fact_record, &p);
	stairs_init(&s, 7e6, 1e10);
	while (stairs_next(&s, &rate)) {
		double got = fmin(.6 * rate, 190e6);

		stairs_tell(&s, rate, rate, got, 1 - got / rate, &p);
		cr_assert_lt(++n, 20);
	}
	cr_assert_float_eq(p.udp_bps, 190e6, 1);
}

Test(stairs, try_once_more_what_was_sent_too_slowly_by_chance)
{
	struct path_fact p;
	struct stairs s;
	double rate;

	record_init(&path_fact_record, &p);
	stairs_init(&s, 10e6, 1e10);
	stairs_tell(&s, 13e6, 6e6, 6e6, 0, &p);
	cr_assert(stairs_next(&s, &rate) && rate == 13e6);
	stairs_tell(&s, 13e6, 13e6, 13e6, 0, &p);
	cr_assert(stairs_next(&s, &rate) && rate == 26e6);
	stairs_tell(&s, 26e6, 6e6, 6e6, 0, &p);
	stairs_tell(&s, 26e6, 6e6, 6e6, 0, &p);
	cr_assert_not(stairs_next(&s, &rate));
}

Test(stairs, end_where_the_sender_or_the_limit_does_and_claim_no_top_then)
{
	struct path_fact p;

	climb(10e6, 1e10, 1e9, 100e6, &p);
	cr_assert_float_eq(p.udp_bps, 100e6, 1);
	cr_assert_not(stairs_top_seen(&p));
	climb(10e6, 50e6, 1e9, 1e10, &p);
	cr_assert_float_eq(p.udp_sent_bps, 50e6, 1, "the limit itself is tried");
	cr_assert_not(stairs_top_seen(&p));
	cr_assert_not(stairs_top_seen(NULL));
	record_init(&path_fact_record, &p);
	cr_assert_not(stairs_top_seen(&p), "nothing was sent");
}
