/*
 * KNEE: the smallest window within the noise of the wide-open one, and within the guards.  A window
 * that is larger than needed costs memory and, with loss-based control, delay.
 */
#include "search_state.h"

#include <math.h>

#define SHARE 0.7
#define KAPPA_LOSS 1.5 /* of the BDP: a sawtooth needs room above it */
#define KAPPA_BBR 2.0  /* bbr keeps up to two BDPs in flight */
/*
 * While it starts, bbr keeps 2/ln 2 BDPs in flight and up to one more for acks that come in
 * bunches.  A sender whose buffer ends before that counts as limited by its application and was
 * seen (6.18) to stay in STARTUP for seconds: on a path with .5 % loss 73 Mbit/s with 8 % of the
 * segments sent again, against 96 with .5 %; with 3.4 BDP it still happened, with 5 no more.
 */
#define KAPPA_BBR_STARTS 4.0
#define BELOW 0.7      /* of the BDP: a step lower cannot carry it */
#define FILLS 0.95
#define CALM 0.055     /* standard error of three blocks up to which "no worse" means something */
#define ROUNDS 5

static bool
same(double a, double b)
{
	return fabs(a - b) < .5;
}

static size_t
pick_samples(const struct search *s, double *y)
{
	const struct arm *a = s->knee.pick;
	size_t n = 0;

	for (size_t i = 0; i < s->race.blocks; i++)
		if (!isnan(a->at[i].y))
			y[n++] = a->at[i].y;
	return n;
}

/* Whether the wide-open window was seen to swell the RTT beyond what the guard allows. */
static bool
swells(const struct search *s)
{
	double rtt = samples_median_rtt(s->knee.pick->at, s->race.blocks);

	return !(rtt <= guard_rtt_limit_s(s, race_default_load(s).rtt_s));
}

/*
 * Where the knee should be: some BDPs, but with loss-based control no more queue than allowed.  A
 * path whose queue ends before the allowance does needs no such cap; there it would only take the
 * room that recovery from losses needs.  Quick mode, which has no second look, takes the room that
 * each kind of control can use; the others start smaller and step up when the comparison says so.
 */
static double
expected_window(struct search *s)
{
	struct knee *k = &s->knee;
	double y[RACE_BLOCKS], rtt = s->rtt0_s, sd, high, window;
	size_t n = pick_samples(s, y);
	bool loss = loss_based(s->cc[k->pick->cc]), quick = s->config.mode == BUDGET_QUICK;

	sd = n < 3 ? s->race.sd : sqrt(stats_winsorised_variance(y, n));
	k->bdp_bytes = exp(stats_mean(y, n)) * rtt / 8;
	high = k->bdp_bytes * exp(.5 * sd);
	if (loss)
		window = ladder_ceil(s, KAPPA_LOSS * high);
	else if (quick)
		window = ladder_ceil(s, KAPPA_BBR_STARTS * high);
	else
		window = ladder_floor(s, KAPPA_BBR * high);
	if (loss && (!quick || swells(s)))
		window = fmin(window, ladder_floor(s, high * (1 + guard_allowance_s(s) / rtt)));
	window = fmax(window, ladder_ceil(s, high));
	return fmin(window, k->pick->window);
}

void
knee_forget(struct knee *k)
{
	k->blocks = 0;
	for (size_t i = 0; i < KNEE_ROLES; i++)
		for (size_t j = 0; j < KNEE_BLOCKS; j++)
			k->at[i][j].y = NAN;
}

static void
start_round(struct search *s, double window)
{
	struct knee *k = &s->knee;

	k->window = window;
	k->below = ladder_below(s, window);
	if (k->below < BELOW * k->bdp_bytes)
		k->below = NAN;
	knee_forget(k);
}

void
knee_enter(struct search *s, struct arm *pick)
{
	double window;

	s->phase = PHASE_KNEE;
	s->knee.pick = pick;
	window = expected_window(s);
	start_round(s, window);
	if (s->config.mode == BUDGET_QUICK || (same(window, pick->window) && isnan(s->knee.below)))
		extras_trim(s, window);
}

/* ---- what three blocks say ------------------------------------------------------------------ */

double
knee_lead(const struct search *s, enum knee_role a, enum knee_role b, double *se)
{
	const struct knee *k = &s->knee;
	double d[KNEE_BLOCKS], weight = s->race.sd_weight, sum = weight * s->race.sd * s->race.sd;
	size_t n = 0;

	for (size_t i = 0; i < k->blocks; i++)
		if (!isnan(k->at[a][i].y) && !isnan(k->at[b][i].y))
			d[n++] = k->at[a][i].y - k->at[b][i].y;
	if (n > 1) {
		sum += (double)(n - 1) * stats_variance(d, n);
		weight += (double)(n - 1);
	}
	*se = sqrt(sum / weight / (double)n);
	return stats_hodges_lehmann(d, n);
}

bool
knee_guard_broken(struct search *s, enum knee_role role)
{
	struct load start = race_default_load(s);
	double y[RACE_BLOCKS], ahead = stats_mean(y, pick_samples(s, y)) -
	    samples_median_y(s->race.arms[0].at, s->race.blocks);

	return guard_broken(
	    s, samples_load(s->knee.at[role], s->knee.blocks), start, ahead, 1.1);
}

/*
 * Another window to look at, NAN: take this one.  A broken guard asks for less window, unless the
 * wide-open one keeps it: bbr held short of what it starts with loses what it cannot place.
 */
static double
elsewhere(struct search *s)
{
	struct knee *k = &s->knee;
	bool room = !same(k->window, k->pick->window) && !k->went_down;
	bool wide_keeps = room && !knee_guard_broken(s, KNEE_PICK);
	double se, ahead, next;

	if (knee_guard_broken(s, KNEE_AT) && wide_keeps)
		return fmin(ladder_above(s, k->window), k->pick->window);
	if (knee_guard_broken(s, KNEE_AT)) {
		next = ladder_below(s, k->window);
		k->went_down = true;
		return next >= FILLS * k->bdp_bytes ? next : NAN;
	}
	if (!room)
		return NAN;
	ahead = knee_lead(s, KNEE_PICK, KNEE_AT, &se);
	next = ladder_above(s, k->window);
	return ahead > BETTER && ahead - .3 * se > 0 && next <= k->pick->window ? next : NAN;
}

/*
 * Is one step down as good?  Yes when it is clearly better (more window, less goodput), or where
 * the path is so calm that being no worse than both others means something.
 */
static bool
below_will_do(const struct search *s)
{
	double se, ahead = knee_lead(s, KNEE_BELOW, KNEE_AT, &se), unused;

	if (ahead > BETTER && ahead - 2 * se > 0)
		return true;
	return se < CALM && ahead >= 0 && !(knee_lead(s, KNEE_BELOW, KNEE_PICK, &unused) < 0);
}

static void
decide(struct search *s)
{
	struct knee *k = &s->knee;
	double next;

	if (below_will_do(s)) {
		extras_trim(s, k->below);
		return;
	}
	next = elsewhere(s);
	if (isnan(next) || ++k->rounds >= ROUNDS)
		extras_trim(s, k->window);
	else
		start_round(s, next);
}

static void
add_role(struct search *s, enum knee_role role, double window)
{
	const struct arm *pick = s->knee.pick;

	block_add(s, role, pick->cc, window, extras_at(s, pick->extras, window));
}

void
knee_open(struct search *s)
{
	struct knee *k = &s->knee;

	if (k->without != 0) {
		extras_trim_open(s);
		return;
	}
	block_clear(s);
	add_role(s, KNEE_AT, k->window);
	if (!same(k->window, k->pick->window))
		add_role(s, KNEE_PICK, k->pick->window);
	if (!isnan(k->below))
		add_role(s, KNEE_BELOW, k->below);
	if (!block_fits(s, SHARE, false)) {
		s->block.n = 0;
		extras_trim(s, k->window);
		return;
	}
	block_shuffle(s);
}

void
knee_close(struct search *s)
{
	struct knee *k = &s->knee;

	if (k->without != 0) {
		extras_trim_close(s);
		return;
	}
	for (size_t i = 0; i < s->block.n; i++) {
		k->at[s->block.slots[i].who][k->blocks] = s->block.got[i];
		k->seen[k->n_seen++] = s->block.got[i];
	}
	if (++k->blocks == KNEE_BLOCKS)
		decide(s);
}
