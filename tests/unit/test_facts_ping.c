/*
 * The RTT by ping: in every layout, only when it was asked for, and of nobody with an odd name.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "canned.h"
#include "tuner/profile.h"

static const struct canned silent[] = { { NULL, 0, NULL } };
static struct arena *arena;
static struct profile *profile;

static void
setup(void)
{
	struct err e = { ERR_NONE, "" };

	arena = arena_new();
	cr_assert(profile_for(arena, "Linux", &profile, &e), "%s", e.text);
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(facts_ping, .init = setup, .fini = teardown);

#define PING "ping -n -q -c 3 192.0.2.7"

Test(facts_ping, the_rtt_by_ping_is_the_least_in_every_layout)
{
	static const struct {
		int status;
		const char *text;
		double rtt_ms;
		const char *why;
	} t[] = {
		{ 0, "5 packets transmitted, 5 packets received, 0.0% packet loss\n"
		    "round-trip min/avg/max/stddev = 0.042/0.071/0.150/0.030 ms\n", .042, NULL },
		{ 0, "\n----192.0.2.7 PING Statistics----\n"
		    "3 packets transmitted, 3 packets received, 0.0% packet loss\n"
		    "round-trip min/avg/max/stddev = 208.741/209.1/209.9/0.3 ms\n", 208.741, NULL },
		{ 0, "1 packets transmitted, 1 packets received, 0.0% packet loss\n"
		    "round-trip min/avg/max = 1204.5/1204.5/1204.5 ms\n", 1204.5, NULL },
		{ 0, "round-trip min/avg/max/std-dev = 0.043/0.072/0.151/0.031 ms\n", .043, NULL },
		{ 0, "3 packets transmitted, 3 received, +1 duplicates, 0% packet loss, time 206ms\n"
		    "rtt min/avg/max/mdev = 80.045/81.050/82.055/0.005 ms\n", 80.045, NULL },
		{ 0, "3 packets transmitted, 1 packets received, 66% packet loss\n"
		    "round-trip min/avg/max = 35/35/35 ms\n", 35, NULL },
		{ 0, "round-trip (ms)  min/avg/max/stddev = 0.3/0.4/0.5/0.1\n", .3, NULL },
		{ 1, "3 packets transmitted, 0 received, 100% packet loss, time 2049ms\n", NAN,
		    "no answer to ping" },
		{ 2, "3 packets transmitted, 0 packets received, 100.0% packet loss\n", NAN,
		    "no answer to ping" },
		{ 1, "3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2ms\n",
		    NAN, "no answer to ping" },
		{ 0, "min/avg/max = 1e3/2/3 ms\n", NAN, "ping -n -q -c 3 {peer} does not say" },
		{ 0, "min/avg/max = 12345678.5/2/3 ms\n", NAN, "ping -n -q -c 3 {peer} does not say" },
		{ 0, "min/avg/max = -1/2/3 ms\n", NAN, "ping -n -q -c 3 {peer} does not say" },
		{ 0, "min/avg/max = 1./2/3 ms\n", NAN, "ping -n -q -c 3 {peer} does not say" },
		{ 2, "", NAN, PING ": no" },
	};
	struct facts f;

	for (size_t i = 0; i < NELEM(t); i++) {
		const struct canned changed[] = { { PING, t[i].status, t[i].text },
			{ NULL, 0, NULL } };
		struct host h = { .answers = silent, .changed = changed };
		struct err e = { ERR_NONE, "" };

		cr_assert(facts_probe(&h, arena, profile, "192.0.2.7", true, &f, &e), "%s", e.text);
		cr_expect(t[i].why == NULL ? f.rtt_ms == t[i].rtt_ms : isnan(f.rtt_ms), "row %zu: %g",
		    i, f.rtt_ms);
		cr_expect_str_eq(why_unknown(&f, "rtt_ms"), t[i].why == NULL ? "(known)" : t[i].why,
		    "row %zu: %s", i, why_unknown(&f, "rtt_ms"));
		cr_expect_str_eq(f.peer, "192.0.2.7");
	}
}

Test(facts_ping, nobody_is_pinged_unless_asked_for)
{
	static const struct {
		const char *peer;
		bool ping, there;
		size_t pings;
	} t[] = {
		{ NULL, false, false, 0 }, { NULL, true, true, 0 },
		{ "192.0.2.7", false, false, 0 }, { "192.0.2.7", false, true, 0 },
		{ "192.0.2.7", true, false, 1 }, { "192.0.2.7", true, true, 1 },
		{ "-f", true, true, 0 }, { "a;b", true, true, 0 }, { "a b", true, false, 0 },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct host h = { .answers = silent, .there = t[i].there };
		struct err e = { ERR_NONE, "" };
		struct facts f;
		size_t pings = 0;

		cr_assert(facts_probe(&h, arena, profile, t[i].peer, t[i].ping, &f, &e), "%s", e.text);
		for (size_t j = 0; j < h.asked; j++)
			pings += strncmp(h.seen[j], "ping", 4) == 0;
		cr_expect_eq(pings, t[i].pings, "row %zu: %zu", i, pings);
		cr_expect(isnan(f.rtt_ms));
		cr_expect(strcmp(why_unknown(&f, "rtt_ms"), "(known)") == 0 ||
		    (t[i].ping && t[i].peer != NULL), "row %zu: nothing is said of it", i);
		cr_expect_eq(facts_peer_plain(t[i].peer), t[i].peer != NULL && t[i].peer[0] == '1');
	}
}
