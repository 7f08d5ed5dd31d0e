/*
 * tune --both on three machines: both ends are set, and both are as before however it ends.
 * needs: root tun sshd ip
 */
#include "both.h"

#define LEASE_S 3

static const char *
lab_of_this(struct arena *a)
{
	return arena_printf(a, "both-%ld", (long)getpid());
}

/* After a test that failed. */
static void
end(void)
{
	struct arena *a = arena_new();

	lab_down(a, lab_of_this(a), NULL);
	arena_free(a);
}

TestSuite(both, .fini = end);

/* A trial with a larger window is over. */
static bool
one_is_over(struct both *b, const char *path)
{
	return access(path, F_OK) == 0 && !isnan(both_best_bps(both_load(b, path), false));
}

Test(both, windows_of_both_ends_fill_the_path_and_a_signal_brings_both_back, .timeout = 120)
{
	struct arena *a = arena_new();
	struct both b = both_new(lab_of_this(a));
	const char *path = sshd_path(b.w.sshd, "run.json");
	struct started tuner = both_tune(&b, arena_printf(a, "--both --save %s", path));
	double begun_s = flow_clock_s();
	struct said s;
	struct run *run;

	while (!one_is_over(&b, path) && flow_clock_s() < begun_s + BOTH_WAIT_S)
		poll(NULL, 0, 50);
	both_await(&b, &tuner, 0, false);
	both_await(&b, &tuner, 1, false);
	kill(tuner.pid, SIGINT);
	s = program_end(a, tuner);
	cr_expect_eq(s.status, 5, "%s", s.err);
	cr_expect(both_as_before(&b, 0) && both_as_before(&b, 1), "restored: %s", s.err);
	run = both_load(&b, path);
	cr_expect_str_eq(run->options.end, "host");
	cr_expect_lt(both_best_bps(run, true), .5 * BOTH_RATE_BPS);
	cr_expect_gt(both_best_bps(run, false), .75 * BOTH_RATE_BPS);
	both_end(&b);
	arena_free(a);
}

Test(both, a_link_to_one_end_that_is_cut_brings_both_back, .timeout = 120)
{
	struct arena *a = arena_new();
	struct both b = both_new(lab_of_this(a));
	struct started tuner = both_tune(&b, arena_printf(a, "--both --no-save -q --lease %ds "
	    "--ssh-timeout 4s", LEASE_S));
	double back_s;
	struct said s;

	both_await(&b, &tuner, 1, false);
	SSHD_DO("ip", "link", "set", "d0", "down");
	back_s = both_await(&b, &tuner, 1, true);
	cr_expect_leq(back_s, LEASE_S, "the peer, by its guard: %.2f s", back_s);
	s = program_end(a, tuner);
	cr_expect_eq(s.status, 1, "%s", s.err);
	cr_expect_not_null(strstr(s.err, "the guard there sets everything back"), "%s", s.err);
	cr_expect(both_as_before(&b, 0), "the target, by this end: %s", s.err);
	both_end(&b);
	arena_free(a);
}
