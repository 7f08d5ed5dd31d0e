#include "probes/lab_link.h"
#include "probes/lab_loss.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define MS 1e6 /* ns */

/* 12 Mbit/s: 1500 bytes take a millisecond. */
static struct lab_spec
spec(void)
{
	struct lab_spec s = lab_default();

	s.rtt_ms = 20;
	s.link[0].rate_bps = 12e6;
	s.link[0].queue = 3;
	s.link[0].queue_unit = QUEUE_PACKETS;
	return s;
}

/* A packet of so many IP bytes; with segments > 1 a super-packet of 1500-byte ones. */
static void
put(struct link *l, unsigned segments, size_t bytes, unsigned char mark, double now)
{
	unsigned char *b = link_room(l);
	uint16_t gso = 1448, start = 20, offset = 16;
	size_t len = SEGMENT_VNET_BYTES + (segments > 1 ? 52 + segments * 1448 : bytes);

	memset(b, 0, len);
	b[SEGMENT_VNET_BYTES] = 0x45;
	b[len - 1] = mark;
	if (segments > 1) {
		b[0] = b[1] = 1;
		memcpy(b + 4, &gso, 2);
		memcpy(b + 6, &start, 2);
		memcpy(b + 8, &offset, 2);
		b[SEGMENT_VNET_BYTES + 20 + 12] = 0x80;
	}
	link_arrive(l, len, now);
}

/* Take all that is due; the IP bytes, and in *mark the last byte of the last. */
static size_t
take(struct link *l, double now, unsigned *packets, unsigned char *mark)
{
	struct iovec iov[2];
	size_t bytes = 0;
	int n;

	*packets = 0;
	while ((n = link_take(l, now, iov)) > 0) {
		const unsigned char *last = iov[n - 1].iov_base;

		for (int i = 0; i < n; i++)
			bytes += iov[i].iov_len;
		bytes -= SEGMENT_VNET_BYTES;
		*mark = last[iov[n - 1].iov_len - 1];
		++*packets;
	}
	return bytes;
}

Test(lab_link, a_packet_comes_after_its_serialisation_and_the_delay)
{
	struct lab_spec s = spec();
	struct link *l = link_new(&s, 0);

	cr_assert_eq(link_due(l), INFINITY);
	put(l, 1, 1500, 0, 5 * MS);
	cr_assert_float_eq(link_due(l), (5 + 1 + 10) * MS, 1);
	link_free(l);
}

Test(lab_link, packets_queue_behind_each_other_and_keep_their_order)
{
	struct lab_spec s = spec();
	struct link *l = link_new(&s, 0);
	unsigned char mark;
	unsigned n;

	for (unsigned char i = 1; i <= 3; i++)
		put(l, 1, 1500, i, 0);
	for (unsigned char i = 1; i <= 3; i++) {
		cr_assert_float_eq(link_due(l), (10 + i) * MS, 1);
		cr_assert_eq(take(l, (10 + i) * MS - 2, &n, &mark), 0);
		cr_assert_eq(take(l, (10 + i) * MS + 2, &n, &mark), 1500);
		cr_assert_eq(mark, i);
	}
	link_free(l);
}

Test(lab_link, a_queue_of_packets_holds_so_many_and_the_one_being_sent)
{
	struct lab_spec s = spec();
	struct link *l = link_new(&s, 0);

	for (int i = 0; i < 10; i++)
		put(l, 1, i % 2 == 0 ? 100 : 1500, 0, 0);
	cr_assert_eq(link_stats(l, 0).dropped_queue, 6);
	put(l, 1, 1500, 0, 10 * MS);
	cr_assert_eq(link_stats(l, 0).dropped_queue, 6, "room again");
	link_free(l);
}

Test(lab_link, a_queue_of_bytes_or_bdps_holds_so_many_bytes)
{
	static const struct {
		double queue;
		enum queue_unit unit;
		unsigned sent;
	} cases[] = {
		{ 4500, QUEUE_BYTES, 4 }, { 5999, QUEUE_BYTES, 4 }, { 1, QUEUE_BYTES, 1 },
		{ 1, QUEUE_BDP, 21 }, { .25, QUEUE_BDP, 6 }, /* a BDP is 20 packets */
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct lab_spec s = spec();
		struct link *l;

		s.link[0].queue = cases[i].queue;
		s.link[0].queue_unit = cases[i].unit;
		l = link_new(&s, 0);
		for (int k = 0; k < 50; k++)
			put(l, 1, 1500, 0, 0);
		cr_assert_eq(link_stats(l, 0).segments_out, cases[i].sent, "case %zu: %g", i,
		    link_stats(l, 0).segments_out);
		cr_assert_float_eq(link_stats(l, 0).queue_bytes, cases[i].sent * 1500, 1e-6);
		cr_assert_float_eq(link_stats(l, 2 * MS).queue_bytes,
		    cases[i].sent > 2 ? (cases[i].sent - 2) * 1500 : 0, 1e-6);
		link_free(l);
	}
}

Test(lab_link, a_super_packet_is_accounted_by_segment)
{
	struct lab_spec s = spec();
	struct link *l = link_new(&s, 0);
	unsigned char mark;
	unsigned n;

	put(l, 10, 0, 9, 0); /* room for 4 */
	cr_assert_eq(link_stats(l, 0).segments_in, 10);
	cr_assert_eq(link_stats(l, 0).dropped_queue, 6);
	cr_assert_eq(take(l, 13 * MS + 2, &n, &mark), 3 * 1500);
	cr_assert_eq(n, 3, "a millisecond each: not delivered together");
	cr_assert_eq(take(l, 14 * MS + 2, &n, &mark), 1500);
	link_free(l);
}

Test(lab_link, segments_that_take_no_time_come_together_when_the_last_is_there)
{
	struct lab_spec s = spec();
	struct link *l;
	unsigned char mark;
	unsigned n;

	s.link[0].rate_bps = 1e9; /* 12 us each, 42 within LINK_BATCH_NS */
	s.link[0].queue = 100;
	l = link_new(&s, 0);
	put(l, 45, 0, 9, 0);
	cr_assert_eq(take(l, 10 * MS + 503999, &n, &mark), 0);
	cr_assert_eq(take(l, 10 * MS + 504001, &n, &mark), 42 * 1448 + 52);
	cr_assert_eq(n, 1);
	cr_assert_eq(take(l, 10 * MS + 540001, &n, &mark), 3 * 1448 + 52);
	cr_assert_eq(mark, 9);
	link_free(l);
}

/* The same segments are lost whether they come alone or in super-packets, early or late. */
Test(lab_link, batching_does_not_change_a_fate)
{
	struct lab_spec s = spec();
	double lost[2] = { 0 };
	struct loss model;
	unsigned expected = 0;

	s.seed = 5;
	s.link[0].rate_bps = 10e9;
	s.link[0].queue = 1000;
	s.link[0].loss_model = LOSS_BERNOULLI;
	s.link[0].loss = .2;
	for (int way = 0; way < 2; way++) {
		struct link *l = link_new(&s, 0);
		struct iovec iov[2];

		for (unsigned i = 0; i < 4000; i += way == 0 ? 1 : 40) {
			put(l, way == 0 ? 1 : 40, 1500, 0, i * 1e5);
			while (link_take(l, i * 1e5, iov) > 0)
				;
		}
		lost[way] = link_stats(l, 0).dropped_loss;
		link_free(l);
	}
	loss_init(&model, &s.link[0], 5, 0);
	for (int i = 0; i < 4000; i++)
		expected += loss_next(&model);
	cr_assert_eq(lost[0], expected);
	cr_assert_eq(lost[1], expected);
}

Test(lab_link, jitter_delays_but_keeps_the_order)
{
	struct lab_spec s = spec();
	struct link *l;
	double last = 0, most = 0;
	unsigned char mark;
	unsigned n;

	s.link[0].jitter_ms = 5;
	l = link_new(&s, 0);
	for (unsigned i = 0; i < 200; i++)
		put(l, 1, 1500, (unsigned char)i, i * 2 * MS);
	for (unsigned i = 0; i < 200; i++) {
		double due = link_due(l);

		cr_assert(due >= last && due >= i * 2 * MS + 11 * MS);
		last = due;
		most = fmax(most, due - i * 2 * MS);
		take(l, due, &n, &mark);
		while (n > 1) /* pushed back behind its predecessor: both due at once */
			n--, i++;
		cr_assert_eq(mark, i);
	}
	cr_assert_float_eq(link_stats(l, 0).lateness_us, 0, 1e-6, "taken when due");
	cr_assert(most > 12 * MS && most <= 16 * MS, "%g", most);
	link_free(l);
}

Test(lab_link, the_policer_lets_its_burst_and_its_rate_pass)
{
	struct lab_spec s = spec();
	struct link *l;

	s.link[0].queue = 1000;
	s.link[0].police_bps = 1.2e6; /* a packet in 10 ms */
	s.link[0].police_burst_bytes = 4500;
	l = link_new(&s, 0);
	for (int i = 0; i < 10; i++)
		put(l, 1, 1500, 0, 0);
	cr_assert_eq(link_stats(l, 0).dropped_police, 7);
	put(l, 1, 1500, 0, 9.9 * MS);
	cr_assert_eq(link_stats(l, 0).dropped_police, 8);
	put(l, 1, 1500, 0, 10.1 * MS);
	cr_assert_eq(link_stats(l, 0).dropped_police, 8);
	cr_assert_eq(link_stats(l, 0).dropped_queue, 0);
	link_free(l);
}

/* Through the ring's end many times: every packet comes out as it went in. */
Test(lab_link, packets_survive_the_ring)
{
	struct lab_spec s = spec();
	struct link *l;
	unsigned char mark = 0;
	unsigned n;

	s.link[0].rate_bps = 1e9;
	s.link[0].queue = 100;
	l = link_new(&s, 0);
	for (unsigned i = 0; i < 20000; i++) {
		double at = i * .1 * MS;

		put(l, 1 + i % 7, 700 + i % 50, (unsigned char)(i % 251), at);
		take(l, at, &n, &mark);
	}
	cr_assert_eq(link_stats(l, 0).dropped_queue, 0);
	take(l, 1e12, &n, &mark);
	cr_assert_eq(mark, 19999 % 251);
	cr_assert_eq(link_stats(l, 0).segments_in, link_stats(l, 0).segments_out);
	link_free(l);
}

/* Of each super-packet the full queue leaves one segment; the others take no room in the ring. */
Test(lab_link, what_the_queue_dropped_takes_no_memory)
{
	struct lab_spec s = spec();
	struct link *l;

	s.link[0].queue = 100;
	l = link_new(&s, 0);
	put(l, 40, 0, 0, 0);
	put(l, 40, 0, 0, 0);
	put(l, 40, 0, 0, 0);
	for (unsigned i = 1; i <= 100; i++)
		put(l, 40, 0, 0, i * MS + 1);
	cr_assert_eq(link_stats(l, 0).segments_out, 101 + 100);
	link_free(l);
}

Test(lab_link, a_flood_of_tiny_packets_is_dropped_not_overrun)
{
	struct lab_spec s = spec();
	struct link *l;

	s.link[0].rate_bps = 8e3;
	s.link[0].queue = 1e6;
	s.link[0].queue_unit = QUEUE_BYTES;
	l = link_new(&s, 0);
	for (unsigned i = 0; i < 40000; i++) /* 0.8 MB: the queue alone would take them all */
		put(l, 1, 20, 0, 0);
	cr_assert(link_stats(l, 0).segments_out > 10000);
	cr_assert(link_stats(l, 0).dropped_queue > 0);
	cr_assert_eq(link_stats(l, 0).segments_in, 40000);
	link_free(l);
}

/* The link is idle again and again, but its owner does not come to deliver: memory ends. */
Test(lab_link, packets_that_nobody_takes_are_dropped_not_overrun)
{
	struct lab_spec s = spec();
	struct link *l = link_new(&s, 0);
	struct iovec iov[2];
	unsigned taken = 0;

	for (unsigned i = 0; i < 2000; i++)
		put(l, 1, 1500, (unsigned char)(i % 251), i * MS);
	cr_assert(link_stats(l, 0).dropped_queue > 0);
	for (int n; (n = link_take(l, 1e12, iov)) > 0; taken++) {
		const unsigned char *last = iov[n - 1].iov_base;

		cr_assert_eq(last[iov[n - 1].iov_len - 1], taken % 251, "packet %u", taken);
	}
	cr_assert_eq(taken, link_stats(l, 0).segments_out);
	cr_assert(taken > 500);
	link_free(l);
}
