/*
 * KNEE: the smallest window within the noise of the wide-open one, and within the guards.  A window
 * that is larger than needed costs memory and, with loss-based control, delay.
 */
#include "search_state.h"

#include <math.h>

#define SHARE 0.7
#define KAPPA_LOSS 1.5 /* of the BDP: a sawtooth needs room above it */
#define KAPPA_LOSS_QUICK 1.35 /* where no round follows; the ladder rounds up */
#define KAPPA_BBR 2.0  /* bbr keeps up to two BDPs in flight */
#define DROPS 1e-5
#define BELOW 0.7      /* of the BDP: a step lower cannot carry it */
#define FILLS 0.95
#define CALM 0.055     /* standard error of three blocks up to which "no worse" means something */
#define QUICK_PAIRS 7
#define NOISY 0.13
#define GROSS 0.6931471805599453 /* ln 2: half of the goodput is gone */

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

	for (size_t i = a->since < s->race.blocks ? a->since : 0; i < s->race.blocks; i++)
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

/* As much as leaves no more queue than the guard allows. */
static double
delay_cap(const struct search *s)
{
	return ladder_floor(s, s->knee.high_bytes * (1 + guard_allowance_s(s) / s->rtt0_s));
}

/* Whether segments are dropped anyway, so that bbr pays for staying in STARTUP. */
static bool
drops(const struct search *s)
{
	return s->lossy || samples_median_retransmits(s->knee.pick->at, s->race.blocks) > DROPS;
}

/* Is there time, and data, for so many rounds? */
static bool
rounds_fit(struct search *s, size_t n)
{
	bool fit;

	block_clear(s);
	for (size_t i = 0; i <= KNEE_BELOW; i++)
		block_add(s, i, s->knee.pick->cc, s->knee.pick->window, s->knee.pick->extras);
	fit = blocks_fit(s, n * KNEE_BLOCKS, SHARE);
	s->block.n = 0;
	return fit;
}

/*
 * Has a quick run time for one round, which holds the knee against the wide-open window, and for
 * its pairs?  Amid noise it would say little, and with two directions the pairs need the time.
 */
static bool
quick_round_fits(struct search *s)
{
	bool fits;

	block_clear(s);
	for (size_t i = 0; i < 2; i++)
		block_add(s, i, s->knee.pick->cc, s->knee.pick->window, s->knee.pick->extras);
	fits = s->race.sd < NOISY && s->config.confirmations == 1 &&
	    blocks_fit(s, KNEE_BLOCKS + QUICK_PAIRS, 1);
	s->block.n = 0;
	return fits;
}

/*
 * Where the knee should be: some BDPs, but with loss-based control no more queue than allowed.  A
 * path whose queue ends before the allowance does needs no such cap; there it would only take the
 * room that recovery from losses needs.  bbr starts with the room that it holds in flight, and
 * steps up when the comparison says so; where none follows, or amid losses only one, it takes at
 * once what it starts with.  A quick run that has a round starts loss-based control a step smaller,
 * for the round can step up.
 */
static double
expected_window(struct search *s)
{
	struct knee *k = &s->knee;
	double y[RACE_BLOCKS], rtt = s->rtt0_s, sd, high, window;
	size_t n = pick_samples(s, y);
	bool loss = loss_based(s->cc[k->pick->cc]), quick = s->config.mode == BUDGET_QUICK;
	bool unchecked = quick && !quick_round_fits(s);

	sd = n < 3 ? s->race.sd : sqrt(stats_winsorised_variance(y, n));
	k->bdp_bytes = exp(stats_mean(y, n)) * rtt / 8;
	high = k->high_bytes = k->bdp_bytes * exp((quick ? .65 : .8) * sd);
	if (loss && quick && !unchecked)
		window = ladder_floor(s, KAPPA_LOSS * high);
	else if (loss)
		window = ladder_ceil(s, (quick ? KAPPA_LOSS_QUICK : KAPPA_LOSS) * high);
	else if (unchecked || (drops(s) && !quick && !rounds_fit(s, 2)))
		window = ladder_ceil(s, KAPPA_BBR_STARTS * high);
	else
		window = ladder_floor(s, KAPPA_BBR * high);
	if (loss && (!quick || swells(s)))
		window = fmin(window, delay_cap(s));
	window = fmax(window, ladder_ceil(s, high));
	return fmin(window, k->pick->window);
}

void
knee_forget(struct knee *k)
{
	k->past += k->blocks;
	k->blocks = 0;
	for (size_t i = 0; i < KNEE_ROLES; i++)
		for (size_t j = 0; j < KNEE_MOST; j++)
			k->at[i][j].y = NAN;
}

static void
start_round(struct search *s, double window)
{
	struct knee *k = &s->knee;

	k->window = window;
	k->below = ladder_below(s, window);
	if (k->below < BELOW * k->bdp_bytes || s->config.mode == BUDGET_QUICK)
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
	if ((s->config.mode == BUDGET_QUICK && !quick_round_fits(s)) ||
	    (same(window, pick->window) && isnan(s->knee.below)))
		extras_trim(s, window);
}

/* ---- what three blocks say ------------------------------------------------------------------ */

double
knee_lead(const struct search *s, enum knee_role a, enum knee_role b, double *se)
{
	const struct knee *k = &s->knee;
	double d[KNEE_MOST], weight = s->race.sd_weight, sum = weight * s->race.sd * s->race.sd;
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

/* bbr that breaks a guard, or falls behind, where segments are dropped lacks the room to start. */
static double
step_up(const struct search *s)
{
	const struct knee *k = &s->knee;
	double next = ladder_above(s, k->window), high = k->high_bytes;

	for (size_t i = 0; i < k->blocks; i++)
		if (k->at[KNEE_PICK][i].y < INFINITY)
			high = fmax(high, exp(k->at[KNEE_PICK][i].y) * s->rtt0_s / 8);
	if (!loss_based(s->cc[k->pick->cc]) && drops(s))
		next = fmax(next, ladder_ceil(s, KAPPA_BBR_STARTS * high));
	return fmin(next, k->pick->window);
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
		return step_up(s);
	if (knee_guard_broken(s, KNEE_AT)) {
		next = ladder_below(s, k->window);
		k->went_down = true;
		return next >= FILLS * k->bdp_bytes ? next : NAN;
	}
	if (!room)
		return NAN;
	ahead = knee_lead(s, KNEE_PICK, KNEE_AT, &se);
	return ahead > BETTER && ahead - .3 * se > 0 ? step_up(s) : NAN;
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

/* A window that is all in flight while no queue stands is the limit itself. */
static bool
window_filled(const struct search *s)
{
	const struct knee *k = &s->knee;
	double flow = exp(samples_median_y(k->at[KNEE_AT], k->blocks)) * s->rtt0_s / 8;

	return flow >= FILLS * k->window;
}

/* The step after the one round of a quick run, which nothing checks any more. */
static double
quick_step(const struct search *s, double next)
{
	const struct knee *k = &s->knee;
	bool loss = loss_based(s->cc[k->pick->cc]);
	double se;

	knee_lead(s, KNEE_AT, KNEE_PICK, &se);
	if (isnan(next) && window_filled(s) && !same(k->window, k->pick->window))
		next = ladder_above(s, k->window);
	if (isnan(next) && loss && se * sqrt(KNEE_BLOCKS) > NOISY)
		next = ladder_ceil(s, KAPPA_LOSS * k->high_bytes);
	if (isnan(next))
		return k->window;
	if (next > k->window && loss && swells(s))
		next = fmin(next, fmax(delay_cap(s), k->window));
	return fmin(next, k->pick->window);
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
	if (s->config.mode == BUDGET_QUICK)
		extras_trim(s, quick_step(s, next));
	else if (isnan(next) || ++k->rounds >= KNEE_ROUNDS)
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
	if (!block_fits(s, s->config.mode == BUDGET_QUICK ? 1 : SHARE, false)) {
		s->block.n = 0;
		extras_trim(s, k->window);
		return;
	}
	block_shuffle(s);
}

/*
 * Do the blocks tell opposite stories?  A wide-open connection that loses much at its start (seen:
 * 575, 570 and then 78 Mbit/s) outweighs two others among three.  Where time allows such a round
 * gets as many blocks again; nothing that was measured is dropped.
 */
static bool
contradict(struct search *s)
{
	struct knee *k = &s->knee;
	double least = INFINITY, most = -INFINITY;

	for (size_t i = 0; i < k->blocks; i++) {
		double d = k->at[KNEE_PICK][i].y - k->at[KNEE_AT][i].y;

		if (!isnan(d)) {
			least = fmin(least, d);
			most = fmax(most, d);
		}
	}
	if (k->doubled || s->config.mode == BUDGET_QUICK || most < BETTER || least > -GROSS ||
	    !rounds_fit(s, 1))
		return false;
	k->doubled = true;
	return true;
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
	k->blocks++;
	if (k->blocks == KNEE_MOST || (k->blocks == KNEE_BLOCKS && !contradict(s)))
		decide(s);
}
