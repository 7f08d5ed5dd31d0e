/*
 * What limits a transfer in a lab is named: the clear-cut cases of tests/bench/limits.c.
 *
 * needs: root
 * wraps: send recv accept
 */
#include "tests/bench/lab_limit.h"

#include <criterion/criterion.h>

#define ATTEMPTS 3 /* a machine that pauses makes other limits than ours */

static void
named(enum limiter expected)
{
	for (size_t i = 0; i < n_limit_cases; i++) {
		const struct limit_case *c = &limit_cases[i];
		struct limit_seen seen = { .skipped = false };
		struct arena *a;

		if (!c->quick || c->expected != expected)
			continue;
		for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
			struct err e = { .code = ERR_NONE };
			bool right;

			a = arena_new();
			cr_assert(limit_case_run(a, c, &seen, &e), "%s: %s", c->name, e.text);
			right = !seen.skipped && seen.limit.limiter == expected;
			cr_assert(right || attempt < ATTEMPTS, "%s: %s, %s", c->name,
			    limiter_names[seen.limit.limiter], seen.limit.evidence);
			arena_free(a);
			if (right)
				return;
		}
	}
	cr_assert_fail("no case of %s", limiter_names[expected]);
}

Test(limits, a_small_send_buffer, .timeout = 60)
{
	named(LIMIT_SNDBUF);
}

Test(limits, a_small_window_of_the_peer, .timeout = 60)
{
	named(LIMIT_RWND);
}

Test(limits, an_application_that_writes_slowly, .timeout = 60)
{
	named(LIMIT_WRITER);
}

Test(limits, an_application_that_reads_slowly, .timeout = 60)
{
	named(LIMIT_READER);
}

Test(limits, random_losses, .timeout = 60)
{
	named(LIMIT_CWND);
}

Test(limits, a_policer, .timeout = 60)
{
	named(LIMIT_POLICER);
}

Test(limits, a_path_that_is_full, .timeout = 60)
{
	named(LIMIT_PATH);
}

Test(limits, a_process_that_gets_no_core, .timeout = 60)
{
	named(LIMIT_CPU);
}
