/*
 * What iperf3 is asked, and its reports: recorded ones (3.12, an emulated path of 50 Mbit/s and
 * 20 ms), and everything that a report should not be.
 */
#include "probes/files.h"
#include "probes/iperf3.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static struct arena *a;

static void
setup(void)
{
	a = arena_new();
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(iperf3, .init = setup, .fini = teardown);

static const struct flow_spec flow = { .direction = DIR_SEND, .streams = 1, .warmup_s = .8,
	.duration_s = 2 };

static const char *
recorded(const char *name)
{
	struct err e = { ERR_NONE, "" };
	const char *text;
	size_t len;

	cr_assert(files_read(a, arena_printf(a, TESTS_DIR "/unit/data/iperf3/%s", name), 1 << 20,
	    &text, &len, &e), "%s", e.text);
	return text;
}

static const char *
words(const char *const *argv)
{
	struct text t = { .arena = a };

	for (; *argv != NULL; argv++)
		text_add(&t, "%s%s", t.len > 0 ? " " : "", *argv);
	return t.s;
}

static const char *
asked(struct flow_spec f, double pace_bps)
{
	const struct iperf3_ask q = { "192.0.2.1", 5201, &f, pace_bps };

	return words(iperf3_argv(a, &q));
}

Test(iperf3, is_asked_for_whole_seconds_and_tenths_and_no_buffers)
{
	struct flow_spec f = flow;

	f.duration_s = 9.1;
	f.cc = "bbr";
	cr_expect_str_eq(asked(f, NAN),
	    "iperf3 -c 192.0.2.1 -p 5201 -J -t 10 -O 1 -i 0.1 -P 1 -C bbr");
	f.direction = DIR_RECEIVE; /* the peer sends, by what it has */
	f.streams = 4;
	cr_expect_str_eq(asked(f, 8e6),
	    "iperf3 -c 192.0.2.1 -p 5201 -J -t 10 -O 1 -i 0.1 -P 4 -R -b 2000000");
	f.pin_bytes = 65536;
	cr_expect_not_null(strstr(asked(f, NAN), "-w 65536"));
	f.streams = 64; /* a report of a hundred megabytes serves nobody */
	f.duration_s = 119;
	cr_expect_not_null(strstr(asked(f, NAN), "-i 0.4"));
}

static struct trial
read_as(const char *text, enum direction d, enum iperf3_outcome expected)
{
	struct flow_spec f = flow;
	const char *why;
	struct trial t;

	f.direction = d;
	record_init(&trial_record, &t);
	flow_void(&t, NULL);
	cr_expect_eq(iperf3_read(a, text, strlen(text), &f, &t, &why), expected, "%.60s", text);
	return t;
}

static void
expect_unknown(const struct trial *t)
{
	cr_expect(isnan(t->inflight_bytes) && isnan(t->rwnd_limited) && isnan(t->sndbuf_limited) &&
	    isnan(t->delivery_rate_bps) && isnan(t->rtt.idle_ms));
}

Test(iperf3, a_report_of_sending_has_the_receivers_goodput_and_the_senders_rtt)
{
	struct trial t = read_as(recorded("send.json"), DIR_SEND, IPERF3_DONE);

	cr_assert_eq(t.status, TRIAL_OK, "%s", t.why);
	cr_expect_float_eq(t.goodput_bps, 8 * 12391984 / 2.055843, 1);
	cr_expect(t.rtt.min_ms >= 20 && t.rtt.min_ms <= t.rtt.loaded_ms && t.rtt.loaded_ms < 45);
	cr_expect(t.retransmits >= 0 && t.retransmits < .02, "%g", t.retransmits);
	cr_expect_float_eq(t.warmup_s, 1, 1e-9);
	cr_expect_float_eq(t.duration_s, 2, 1e-9);
	cr_expect_eq(t.n_intervals_bps, 30);
	cr_expect(t.steady);
	cr_expect_gt(t.bytes, 12391984.);
	expect_unknown(&t);
	cr_expect_str_eq(iperf3_address(a, recorded("send.json"), strlen(recorded("send.json"))),
	    "10.83.0.2");
}

Test(iperf3, a_report_of_receiving_has_no_rtt)
{
	struct trial t = read_as(recorded("receive.json"), DIR_RECEIVE, IPERF3_DONE);

	cr_assert_eq(t.status, TRIAL_OK, "%s", t.why);
	cr_expect_float_eq(t.goodput_bps, 8 * 11998128 / 2.0026, 1);
	cr_expect(isnan(t.rtt.min_ms) && isnan(t.rtt.loaded_ms));
	expect_unknown(&t);
}

Test(iperf3, streams_are_summed_up)
{
	struct trial t = read_as(recorded("send-2.json"), DIR_SEND, IPERF3_DONE);

	cr_assert_eq(t.status, TRIAL_OK, "%s", t.why);
	cr_expect_float_eq(t.goodput_bps, 8 * 12341304 / 2.048261, 1);
}

/* The first in text replaced. */
static const char *
with(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);

	cr_assert_not_null(at, "%s", old);
	return arena_printf(a, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

#define INTERVAL(seconds, bytes) "{\"streams\":[],\"sum\":{\"seconds\":" seconds ",\"bytes\":" bytes \
	",\"omitted\":false}}"
#define REPORT(intervals, received) "{\"start\":{\"tcp_mss_default\":1448},\"intervals\":[" \
	intervals "],\"end\":{\"sum_sent\":{\"bytes\":1000,\"retransmits\":0},\"sum_received\":{" \
	received "}}}"
#define GOOD INTERVAL("1", "1000") "," INTERVAL("1", "1000")

Test(iperf3, a_report_that_makes_no_sense_is_no_figure)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "", "without a report" },
		{ "{", "cut or no JSON" },
		{ "iperf3: unrecognized option '-C'\nUsage", "unrecognized option '-C'" },
		{ "[1]", "[1]" },
		{ "{}", "no bytes or no time" },
		{ "{\"start\":5,\"intervals\":{\"a\":1},\"end\":[]}", "no bytes or no time" },
		{ REPORT(GOOD, "\"seconds\":2,\"bytes\":-5"), "no bytes" },
		{ REPORT(GOOD, "\"seconds\":-2,\"bytes\":5"), "no bytes" },
		{ REPORT(GOOD, "\"seconds\":0,\"bytes\":5"), "no bytes" },
		{ REPORT(GOOD, "\"seconds\":2,\"bytes\":1e300"), "no bytes" },
		{ REPORT(GOOD, "\"seconds\":2,\"bytes\":1e999"), "cut or no JSON" },
		{ REPORT(GOOD, "\"seconds\":2,\"bytes\":NaN"), "cut or no JSON" },
		{ REPORT(GOOD, "\"seconds\":\"2\",\"bytes\":5"), "no bytes" },
		{ REPORT(GOOD, "\"seconds\":2,\"bytes\":4000000000"), "claims to have received" },
		{ REPORT(INTERVAL("-1", "1000"), "\"seconds\":2,\"bytes\":5"), "an interval" },
		{ REPORT(INTERVAL("1", "-1000"), "\"seconds\":2,\"bytes\":5"), "an interval" },
		{ REPORT(INTERVAL("1e6", "1000"), "\"seconds\":2,\"bytes\":5"), "an interval" },
		{ REPORT("7", "\"seconds\":2,\"bytes\":5"), "an interval" },
		{ REPORT("", "\"seconds\":2,\"bytes\":5"), "claims to have received" },
		{ "{\"error\":\"\\u001b[2Jno \\u0007way\\nmore\"}", "iperf3: ?[2Jno ?way" },
		{ "{\"error\":\"unable to set TCP_CONGESTION: Supplied congestion control algorithm "
		    "not supported on this host\"}", "unable to set TCP_CONGESTION" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct trial t = read_as(cases[i].text, DIR_SEND, IPERF3_DONE);

		cr_expect_eq(t.status, TRIAL_VOID, "%s", cases[i].text);
		cr_expect(isnan(t.goodput_bps), "%s", cases[i].text);
		cr_expect(t.why != NULL && strstr(t.why, cases[i].why) != NULL, "%s: %s",
		    cases[i].text, t.why);
		cr_expect(t.why != NULL && strpbrk(t.why, "\033\a\n") == NULL, "%s", t.why);
	}
	cr_expect_eq(read_as(REPORT(GOOD, "\"seconds\":2,\"bytes\":2000"), DIR_SEND,
	    IPERF3_DONE).status, TRIAL_OK, "the frame of the cases is sound");
}

Test(iperf3, a_report_cut_anywhere_is_no_figure)
{
	const char *whole = recorded("send.json");
	size_t len = strlen(whole);

	while (len > 0 && whole[len - 1] != '}')
		len--;
	for (size_t n = 0; n < len - 1; n += 7) {
		struct trial t = read_as(arena_strndup(a, whole, n), DIR_SEND, IPERF3_DONE);

		cr_assert_eq(t.status, TRIAL_VOID, "%zu", n);
	}
}

Test(iperf3, a_report_longer_than_it_can_be_is_not_read)
{
	size_t most = iperf3_report_max(&flow);
	char *text = arena_alloc(a, most + 2);
	struct trial t;

	memset(text, ' ', most + 1);
	memcpy(text, "{}", 2);
	t = read_as(text, DIR_SEND, IPERF3_DONE);
	cr_expect_not_null(strstr(t.why, "longer than"), "%s", t.why);
	cr_expect_lt(most, (size_t)1 << 20);
	text = arena_alloc(a, most);
	memset(text, '[', most - 1); /* nested too deep */
	text[0] = '{';
	t = read_as(text, DIR_SEND, IPERF3_DONE);
	cr_expect_eq(t.status, TRIAL_VOID);
}

Test(iperf3, a_busy_server_and_none_are_told_apart)
{
	read_as("{\"error\":\"the server is busy running a test. try again later\"}", DIR_SEND,
	    IPERF3_BUSY);
	read_as("{\"error\":\"unable to connect to server: Connection refused\"}", DIR_SEND,
	    IPERF3_UNREACHED);
}

Test(iperf3, numbers_that_cannot_be_are_unknown)
{
	const char *text = recorded("send.json");
	struct trial t;

	text = with(text, "\"min_rtt\":", "\"min_rtt\": -1, \"was\":");
	t = read_as(text, DIR_SEND, IPERF3_DONE);
	cr_expect_eq(t.status, TRIAL_OK);
	cr_expect(isnan(t.rtt.min_ms));
	text = with(recorded("send.json"), "\"tcp_mss_default\":", "\"x\":"); /* no segments, no share */
	cr_expect(isnan(read_as(text, DIR_SEND, IPERF3_DONE).retransmits));
	text = with(recorded("send.json"), "\"remote_host\":\t\"10.83.0.2\"",
	    "\"remote_host\":\"-c $(reboot)\"");
	cr_expect_null(iperf3_address(a, text, strlen(text)));
}

Test(iperf3, versions_since_3_1_will_do)
{
	static const struct { const char *says; bool will_do; } cases[] = {
		{ "iperf 3.1\n", true }, { "iperf 3.12 (cJSON 1.7.15)\nLinux", true },
		{ "iperf 3.17.1+ (cJSON 1.7.15)", true }, { "iperf 4.0", true },
		{ "iperf 3.0.11", false }, { "iperf 2.1.8", false }, { "", false },
		{ "iperf version 2.0.13", false }, { "\033[2J", false },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct err e = { ERR_NONE, "" };

		cr_expect_eq(iperf3_version(cases[i].says, &e), cases[i].will_do, "%s",
		    cases[i].says);
	}
}
