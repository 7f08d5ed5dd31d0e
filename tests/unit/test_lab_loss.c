#include "probes/lab_loss.h"

#include <criterion/criterion.h>
#include <math.h>

#define SEGMENTS 1000000

static double
share_lost(const struct lab_link *link, uint64_t seed, unsigned direction)
{
	struct loss l;
	unsigned lost = 0;

	loss_init(&l, link, seed, direction);
	for (unsigned i = 0; i < SEGMENTS; i++)
		lost += loss_next(&l);
	return (double)lost / SEGMENTS;
}

Test(lab_loss, bernoulli_loses_the_share_that_was_asked)
{
	static const double shares[] = { 0, 1e-5, 1e-3, .005, .05, .5 };

	for (size_t i = 0; i < NELEM(shares); i++) {
		for (unsigned seed = 1; seed <= 5; seed++) {
			struct lab_link link = { .loss_model = LOSS_BERNOULLI, .loss = shares[i] };
			double p = shares[i], sd = sqrt(p * (1 - p) / SEGMENTS);
			double got = share_lost(&link, seed, seed % 2);

			cr_assert(fabs(got - p) <= 3 * sd, "share %g seed %u: lost %g", p, seed,
			    got);
		}
	}
}

/*
 * Losses come in bursts, so their number varies more than a binomial one: states k segments apart
 * are correlated by r^k, r = 1 - p_bad - p_good, and the covariances add up over all k.
 */
Test(lab_loss, gilbert_elliott_loses_the_stationary_share)
{
	static const struct lab_link links[] = {
		{ .loss_model = LOSS_GILBERT_ELLIOTT, .p_bad = .01, .p_good = .3, .loss = 1 },
		{ .loss_model = LOSS_GILBERT_ELLIOTT, .p_bad = .001, .p_good = .1, .loss = .5 },
		{ .loss_model = LOSS_GILBERT_ELLIOTT, .p_bad = .02, .p_good = .5, .loss = .3,
		    .loss_good = .001 },
	};

	for (size_t i = 0; i < NELEM(links); i++) {
		const struct lab_link *l = &links[i];
		double p = loss_expected(l), bad = l->p_bad / (l->p_bad + l->p_good);
		double r = 1 - l->p_bad - l->p_good, step = l->loss - l->loss_good;
		double sd = sqrt((p * (1 - p) + 2 * step * step * bad * (1 - bad) * r / (1 - r)) /
		    SEGMENTS);

		for (unsigned seed = 1; seed <= 5; seed++) {
			double got = share_lost(l, seed, 0);

			cr_assert(fabs(got - p) <= 3 * sd, "chain %zu seed %u: lost %g of %g, sd %g",
			    i, seed, got, p, sd);
		}
	}
}

Test(lab_loss, gilbert_elliott_bursts_have_the_length_of_the_bad_state)
{
	struct lab_link link = { .loss_model = LOSS_GILBERT_ELLIOTT, .p_bad = .01, .p_good = .25,
		.loss = 1 };
	unsigned lost = 0, bursts = 0;
	bool before = false;
	struct loss l;

	loss_init(&l, &link, 7, 0);
	for (unsigned i = 0; i < SEGMENTS; i++) {
		bool now = loss_next(&l);

		lost += now;
		bursts += now && !before;
		before = now;
	}
	cr_assert(fabs((double)lost / bursts - 4) < .1, "%g", (double)lost / bursts);
}

Test(lab_loss, the_nth_segment_has_the_same_fate_for_the_same_seed)
{
	struct lab_link links[] = {
		{ .loss_model = LOSS_BERNOULLI, .loss = .3 },
		{ .loss_model = LOSS_GILBERT_ELLIOTT, .p_bad = .1, .p_good = .3, .loss = .8 },
	};

	for (size_t i = 0; i < NELEM(links); i++) {
		struct loss one, same, seed, direction;
		unsigned other_seed = 0, other_direction = 0;

		loss_init(&one, &links[i], 42, 0);
		loss_init(&same, &links[i], 42, 0);
		loss_init(&seed, &links[i], 43, 0);
		loss_init(&direction, &links[i], 42, 1);
		for (unsigned n = 0; n < 10000; n++) {
			bool fate = loss_next(&one);

			cr_assert_eq(fate, loss_next(&same), "segment %u", n);
			other_seed += fate != loss_next(&seed);
			other_direction += fate != loss_next(&direction);
		}
		cr_assert(other_seed > 1000 && other_direction > 1000);
	}
}

/* Written down once: a change of the generator would change every recorded experiment. */
Test(lab_loss, the_fates_of_seed_1_are_these)
{
	struct lab_link link = { .loss_model = LOSS_BERNOULLI, .loss = .25 };
	char fates[41] = "";
	struct loss l;

	loss_init(&l, &link, 1, 0);
	for (unsigned n = 0; n < 40; n++)
		fates[n] = loss_next(&l) ? 'x' : '.';
	cr_assert_str_eq(fates, "....x...x..........x.x...........x......");
}

Test(lab_loss, no_loss_loses_nothing)
{
	struct lab_link link = { .loss_model = LOSS_NONE, .loss = 1 };

	cr_assert_eq(share_lost(&link, 1, 0), 0);
	cr_assert_eq(loss_expected(&link), 0);
}
