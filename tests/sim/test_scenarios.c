/* A quick part of tests/bench/bench_search.c with fixed seeds: the search still decides as it did. */
#include "scenarios.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define WITHIN 0.04879016416943205 /* ln 1.05 */
#define RUNS 40

struct count {
	unsigned changed, near, cc, over, exception;
};

static struct count
run(const char *name, const struct run_options *o)
{
	static struct truth truth[2];
	const struct scenario *sc = scenario_find(name);
	struct count count = {0};

	cr_assert_not_null(sc, "%s", name);
	truth_start(&truth[0], sc, DIR_SEND);
	if (sc->receive_bytes > 0)
		truth_start(&truth[1], sc, DIR_RECEIVE);
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		struct outcome out;
		bool near = true, changed = false;

		scenario_run(sc, o, seed, &out);
		for (size_t i = 0; i < out.n; i++) {
			struct score s = truth_score(&truth[i], &out.result[i], out.slow[i]);

			near = near && s.regret <= WITHIN;
			changed = changed || s.changed;
			count.cc += s.cc_changed;
			count.exception += out.result[i].retransmit_exception;
		}
		count.near += near;
		count.changed += changed;
		count.over += out.elapsed_s > (double)out.n * o->budget_s;
	}
	return count;
}

Test(scenarios, nothing_is_recommended_where_nothing_helps)
{
	static const char *const names[] = {
		"n1-seed1", "n2-seed1-worse", "n3-virtio", "n4-lan10g", "n6-tokenbucket",
		"n7-bbr-worse", "n8-wan-null",
	};
	const struct run_options o = {.budget_s = 600, .policy = POLICY_BALANCED};

	for (size_t i = 0; i < NELEM(names); i++) {
		struct count c = run(names[i], &o);

		cr_expect(c.changed <= 2, "%s: %u of %u", names[i], c.changed, RUNS);
		cr_expect_eq(c.over, 0, "%s", names[i]);
	}
}

Test(scenarios, clear_effects_are_found)
{
	static const char *const names[] = {
		"e1-seed2-fbsd", "e2-seed2-lossy", "e3-netbsd-e1000", "e4-loss1pct", "e5-shallow",
		"e6-bloat", "e7-lan-small", "e10-satellite", "e11-recv", "e12-both",
	};
	const struct run_options o = {.budget_s = 600, .policy = POLICY_BALANCED};

	for (size_t i = 0; i < NELEM(names); i++) {
		struct count c = run(names[i], &o);

		cr_expect(c.near >= RUNS - 6, "%s: %u of %u", names[i], c.near, RUNS);
		cr_expect_eq(c.over, 0, "%s", names[i]);
	}
}

Test(scenarios, a_control_that_gets_stuck_is_refused)
{
	const struct run_options o = {.budget_s = 600, .policy = POLICY_BALANCED};

	cr_expect(run("stuck-bbr", &o).changed <= 5);
}

Test(scenarios, quick_mode_decides_the_labs_in_its_budget)
{
	static const struct {
		const char *name;
		bool change, cc, exception;
	} table[] = {
		{"lab-short", false, false, false}, {"lab-lossy", true, true, false},
		{"lab-shallow", true, true, true}, {"lab-full", true, false, false},
		{"lab-demo", true, false, false},
	};
	const struct run_options o = {.budget_s = 150, .mode = BUDGET_QUICK, .policy = POLICY_BALANCED};

	for (size_t i = 0; i < NELEM(table); i++) {
		struct count c = run(table[i].name, &o);

		cr_expect_eq(c.changed, table[i].change ? RUNS : 0, "%s: %u", table[i].name, c.changed);
		cr_expect_eq(c.cc, table[i].cc ? RUNS : 0, "%s: %u", table[i].name, c.cc);
		cr_expect_eq(c.exception, table[i].exception ? RUNS : 0, "%s: %u", table[i].name,
		    c.exception);
		cr_expect_eq(c.over, 0, "%s", table[i].name);
	}
	cr_expect_eq(run("lab-long", &o).changed, RUNS);
}

Test(scenarios, random_paths_are_the_same_for_a_seed_and_within_their_ranges)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct scenario a, b;

		scenario_random(&a, seed);
		scenario_random(&b, seed);
		cr_expect_eq(a.path.capacity_bps, b.path.capacity_bps);
		cr_expect(a.path.capacity_bps >= 10e6 && a.path.capacity_bps <= 2e9);
		cr_expect(a.path.rtt_s >= .0005 && a.path.rtt_s <= .25);
		cr_expect(a.path.queue_bytes >= 65536 && a.n_cc >= 2 && a.n_cc <= 3);
	}
}
