/*
 * cuts: the bar of runs over ssh whose link is cut: 100 times ($CUTS) at a random moment ($CUTS_SEED)
 * at which a value of the target differs from what it was.  Every time all is back within the lease.
 * A program of Criterion's: the machines are those of a test.
 *
 * needs: root tun sshd ip
 */
#include "../lab/cuts.h"

static unsigned
number(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

Test(cuts, every_one_leaves_the_old_values_within_the_lease, .timeout = 7200)
{
	struct arena *a = arena_new();
	struct cuts c = cuts_new(arena_printf(a, "cuts-%ld", (long)getpid()));
	unsigned n = number("CUTS", 100), late = 0;
	double worst_s = 0, sum_s = 0;

	c.seed = number("CUTS_SEED", 1);
	for (unsigned i = 0; i < n; i++) {
		double back_s = cuts_cut(&c);

		late += back_s > CUTS_LEASE_S;
		worst_s = back_s > worst_s ? back_s : worst_s;
		sum_s += back_s;
		printf("cut %3u: all as before after %.2f s\n", i + 1, back_s);
		fflush(stdout);
	}
	printf("%u cuts, lease %d s: mean %.2f s, worst %.2f s, late %u (bar: 0)\n", n, CUTS_LEASE_S,
	    sum_s / n, worst_s, late);
	cr_expect_eq(late, 0);
	cuts_end(&c);
	arena_free(a);
}
