/*
 * CONFIRM: one candidate against the default, in fresh pairs whose order a coin decides.  Under
 * "no effect" the coin alone makes the sign of a difference, so the betting test holds whatever the
 * path does meanwhile; see stats.h.
 */
#include "search_state.h"

#include <math.h>

#define THRESHOLD 20        /* 1 / .05 */
#define LEAST_PAIRS 6
#define GROSS_PAIRS 4
#define CONNECTIONS_CC 20    /* of another control: one stuck in a fifth shows with .99 */
#define CONNECTIONS_QUICK 16 /* the same in a quick run: .97 */
#define CONNECTIONS_LEAST 13 /* when time ends before these were seen: .95 */
#define CONNECTIONS_STUCK 30 /* once one was stuck: a second shows with .99 */
#define CHECK_S 1            /* being stuck shows at once */
#define FILLS 0.95

/*
 * Where a guard would send us, NAN: nowhere.  A quick run has no time for two confirmations and
 * keeps its alpha for one.
 */
static double
step_down(const struct search *s)
{
	const struct confirm *c = &s->confirm;
	double below = ladder_below(s, c->window), bdp = s->fastest_bps * s->rtt0_s / 8;

	if (c->n > 0)
		bdp = exp(samples_median_y(c->side[1], c->n)) * s->rtt0_s / 8;
	if (s->config.mode == BUDGET_QUICK || !loss_based(s->cc[c->cc]))
		return NAN;
	if (!(below >= FILLS * bdp))
		return NAN;
	return c->cc == 0 && below <= s->config.window_bytes ? NAN : below;
}

static void
start_pairs(struct search *s, double window)
{
	struct confirm *c = &s->confirm;

	c->window = window;
	c->n = c->n_extra = 0;
	c->checking = false;
	c->start_s = s->elapsed_s;
	stats_bets_start(&c->bets);
}

void
confirm_enter(struct search *s, const struct arm *arm, double window, extras_set extras)
{
	struct confirm *c = &s->confirm;

	s->phase = PHASE_CONFIRM;
	c->arm = arm;
	c->cc = arm->cc;
	c->extras = extras;
	c->low = arm->low;
	start_pairs(s, window);
	/* Before the first pair: none of them may open a way that alpha was not shared for. */
	c->may_step = !isnan(step_down(s));
	c->threshold = THRESHOLD * (double)s->config.confirmations * (c->may_step ? 2 : 1);
}

static enum decision_class
class_of(const struct search *s)
{
	bool window = fabs(s->confirm.window - s->config.window_bytes) >= .5;

	if (s->confirm.cc == 0)
		return window ? CLASS_WINDOW : CLASS_EXTRAS;
	return window ? CLASS_BOTH : CLASS_CONGESTION;
}

static bool
crossed(const struct confirm *c)
{
	return c->n >= LEAST_PAIRS && c->bets.max_e >= c->threshold;
}

/* ---- out of time ---------------------------------------------------------------------------- */

bool
pairs_gain_is_sure(const double *d, size_t n)
{
	struct interval i = stats_signed_rank(d, n, .95);

	return i.estimate >= LEAST_GAIN && i.low > 0;
}

double
pairs_spread(const double *d, size_t n)
{
	double count = (double)n;

	return sqrt(((count - 1) * stats_winsorised_variance(d, n) + 2 * .01) / (count + 1));
}

static void
unsteady(struct search *s)
{
	search_because(s, "%zu of %zu connections fell far below the others", search_stuck(s),
	    search_connections(s));
	search_end(s, CLASS_UNSTEADY);
}

/*
 * The test may have spoken while more connections were wanted; then they were too expensive, but
 * another control is not recommended after a handful.
 */
static void
out_of_time(struct search *s)
{
	struct confirm *c = &s->confirm;
	bool seen = c->cc == 0 || search_connections(s) >= CONNECTIONS_LEAST;

	if (!crossed(c) || !pairs_gain_is_sure(c->d, c->n) || (!seen && search_stuck(s) == 0)) {
		s->result.out_of_data = s->bytes > .8 * s->config.data_cap_bytes;
		search_because(s, "out of %s", s->result.out_of_data ? "data" : "time");
		search_end(s, CLASS_INCONCLUSIVE);
	} else if (search_stuck(s) > 0) {
		unsteady(s);
	} else {
		search_end(s, class_of(s));
	}
}

static void
check_open(struct search *s)
{
	block_clear(s);
	block_add(s, 1, s->confirm.cc, s->confirm.window, s->confirm.extras);
	s->block.duration_s = fmax(CHECK_S, 5 * s->rtt0_s);
	if (s->confirm.n_extra == SEARCH_EXTRA || !block_fits(s, 1, false)) {
		s->block.n = 0;
		out_of_time(s);
	}
}

void
confirm_open(struct search *s)
{
	struct confirm *c = &s->confirm;
	bool candidate_first;

	if (c->checking) {
		check_open(s);
		return;
	}
	block_clear(s);
	block_add(s, 0, 0, s->config.window_bytes, 0);
	block_add(s, 1, c->cc, c->window, c->extras);
	if (c->n >= STATS_MAX || !block_fits(s, 1, s->race.blocks == 0 && c->n == 0)) {
		s->block.n = 0;
		out_of_time(s);
		return;
	}
	candidate_first = s->config.random(s->config.random_arg) & 1;
	s->block.coin = candidate_first;
	if (candidate_first) {
		struct slot swap = s->block.slots[0];

		s->block.slots[0] = s->block.slots[1];
		s->block.slots[1] = swap;
	}
}

/* ---- what a pair says ----------------------------------------------------------------------- */

static void
guarded(struct search *s)
{
	double below = s->confirm.may_step ? step_down(s) : NAN;

	if (isnan(below)) {
		search_end(s, CLASS_GUARD);
		return;
	}
	s->confirm.may_step = false;
	s->confirm.extras = extras_at(s, s->confirm.extras, below);
	start_pairs(s, below);
}

static bool
breaks_guard(struct search *s, double factor)
{
	const struct confirm *c = &s->confirm;

	return guard_broken(s, samples_load(c->side[1], c->n), samples_load(c->side[0], c->n),
	    stats_hodges_lehmann(c->d, c->n), factor);
}

/* How many connections of the candidate must have been seen before it is recommended? */
static size_t
connections_wanted(const struct search *s, size_t stuck)
{
	if (stuck > 0)
		return CONNECTIONS_STUCK;
	if (s->confirm.cc == 0)
		return 0;
	return s->config.mode == BUDGET_QUICK ? CONNECTIONS_QUICK : CONNECTIONS_CC;
}

/* E has crossed: what else is asked of a change? */
static void
judge(struct search *s)
{
	struct confirm *c = &s->confirm;
	size_t stuck = search_stuck(s), wanted = connections_wanted(s, stuck);

	if (breaks_guard(s, 1.1))
		guarded(s);
	else if (!pairs_gain_is_sure(c->d, c->n))
		return;
	else if (stuck > 1)
		unsteady(s);
	else if (search_connections(s) >= wanted)
		search_end(s, class_of(s));
	else
		c->checking = true;
}

static bool
no_gain(const struct confirm *c)
{
	double z = c->low ? 1.28 : 1.645;

	return c->n >= (c->low ? 5u : 8u) && stats_hodges_lehmann(c->d, c->n) +
	    z * pairs_spread(c->d, c->n) / sqrt((double)c->n) < WORTH;
}

static void
pair_add(struct search *s, double d)
{
	struct confirm *c = &s->confirm;

	c->d[c->n++] = d;
	stats_bet(&c->bets, d);
}

void
confirm_close(struct search *s)
{
	struct confirm *c = &s->confirm;

	if (c->checking) {
		c->extra[c->n_extra++] = s->block.got[0];
		judge(s);
		return;
	}
	for (size_t i = 0; i < 2; i++)
		c->side[s->block.slots[i].who][c->n] = s->block.got[i];
	pair_add(s, c->side[1][c->n].y - c->side[0][c->n].y);
	if (c->n >= GROSS_PAIRS && breaks_guard(s, 1.5)) {
		guarded(s);
		return;
	}
	if (crossed(c))
		judge(s);
	if (!s->over && !c->checking && no_gain(c))
		search_end(s, CLASS_NO_GAIN);
}

/* Otherwise dropping unpromising pairs after a look would turn .03 false changes into .67. */
void
confirm_count_loss(struct search *s)
{
	struct confirm *c = &s->confirm;
	double most = c->bets.n > 0 ? c->bets.sizes[c->bets.n - 1] : log(2);

	if (c->n >= STATS_MAX)
		return;
	c->side[0][c->n] = c->side[1][c->n] = (struct sample){NAN, NAN, NAN, NAN};
	pair_add(s, -most);
}
