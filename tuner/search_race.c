/*
 * RACE: which candidate, if any?  Nothing found here is evidence for a change (that takes the fresh
 * pairs of CONFIRM); being wrong costs time or a missed gain.
 */
#include "search_state.h"

#include <math.h>

#define SHARE 0.5
#define SHARE_QUICK 0.65
#define BLOCKS_QUICK 2
#define QUICK_PAIRS 10
#define Z95 1.645
#define Z90 1.28
#define Z_QUICK 0.5  /* a quick race has no more blocks to make sure */
/*
 * Of the fastest trial's BDP: more than any control needs, bbr's start included (search_knee.c).  A
 * window of many times that may be slower by itself, and a quick race has no time to find out.
 */
#define WIDE_BDPS 4

static bool
quick(const struct search *s)
{
	return s->config.mode == BUDGET_QUICK;
}

/* ---- samples of arms ------------------------------------------------------------------------ */

void
arm_forget(struct arm *a)
{
	a->n = 0;
	for (size_t i = 0; i < RACE_BLOCKS; i++)
		a->at[i].y = NAN;
}

static struct arm *
arm_add(struct search *s, size_t cc, double window, bool low)
{
	struct arm *a = &s->race.arms[s->race.n_arms++];

	a->cc = cc;
	a->window = window;
	a->extras = extras_at(s, s->companions, window);
	a->low = low;
	a->live = true;
	arm_forget(a);
	return a;
}

/* Log ratios of a over b in the blocks that had both. */
static size_t
arm_diff(const struct search *s, const struct arm *a, const struct arm *b, double *d)
{
	size_t n = 0;

	for (size_t i = 0; i < s->race.blocks; i++)
		if (!isnan(a->at[i].y) && !isnan(b->at[i].y))
			d[n++] = a->at[i].y - b->at[i].y;
	return n;
}

struct lead {
	double h;  /* Hodges-Lehmann of the log ratios */
	double se;
	size_t n;
};

static struct lead
arm_lead(const struct search *s, const struct arm *a, const struct arm *b)
{
	double d[RACE_BLOCKS] = { 0 };
	struct lead lead;

	lead.n = arm_diff(s, a, b, d);
	lead.h = stats_hodges_lehmann(d, lead.n);
	lead.se = s->race.sd / sqrt((double)lead.n);
	return lead;
}

double
arm_gain(const struct search *s, const struct arm *a)
{
	return arm_lead(s, a, &s->race.arms[0]).h;
}

static void
pool_sd(struct search *s)
{
	double sum = PRIOR_WEIGHT * PRIOR_SD * PRIOR_SD, weight = PRIOR_WEIGHT;

	for (size_t i = 1; i < s->race.n_arms; i++) {
		double d[RACE_BLOCKS];
		size_t n = arm_diff(s, &s->race.arms[i], &s->race.arms[0], d);

		if (n < 2)
			continue;
		sum += (double)(n - 1) * stats_winsorised_variance(d, n);
		weight += (double)(n - 1);
	}
	s->race.sd = sqrt(sum / weight);
	s->race.sd_weight = weight;
}

/* The live arm with the largest gain; NULL: none was measured. */
static struct arm *
leader(struct search *s)
{
	struct arm *best = NULL;
	double most = -INFINITY;

	for (size_t i = 1; i < s->race.n_arms; i++) {
		struct arm *a = &s->race.arms[i];

		if (a->live && a->n > 0 && arm_gain(s, a) > most) {
			most = arm_gain(s, a);
			best = a;
		}
	}
	return best;
}

/* ---- what can bind -------------------------------------------------------------------------- */

static void
nothing_binds(struct search *s, double need)
{
	double w0 = s->config.window_bytes;

	if (w0 >= need)
		search_because(s, "the window (%.3g MB) exceeds twice the line rate times the RTT "
		    "(%.3g MB): buffers cannot be the limit", w0 / 1e6, need / 1e6);
	else
		search_because(
		    s, "no larger window and no other congestion control can be tried here");
	search_end(s, CLASS_CANNOT_BIND);
}

void
race_enter(struct search *s)
{
	double w0 = s->config.window_bytes, most = s->ladder[s->n_ladder - 1];
	double need = 2 * s->line_bps / 8 * fmax(s->rtt0_s, s->probe.rtt_s);
	double wide = w0 >= need ? w0 : ladder_ceil(s, fmin(most, need));

	arm_add(s, 0, w0, false);
	if (wide > w0)
		arm_add(s, 0, wide, s->slack)->simple = true;
	for (size_t cc = 1; cc < s->n_cc; cc++)
		arm_add(s, cc, wide, (s->slack || wide <= w0) && !s->lossy);
	for (size_t i = 0; i < s->config.n_extras; i++)
		if (s->bound & ~s->companions & 1u << i)
			arm_add(s, 0, wide, false)->extras |= 1u << i;
	s->phase = PHASE_RACE;
	if (s->race.n_arms == 1) {
		nothing_binds(s, need);
	} else if (s->race.n_arms == 2 && wide <= w0 && s->race.arms[1].extras == 0) {
		s->race.arms[1].live = false; /* no rival: nothing to select from */
		confirm_enter(s, &s->race.arms[1], w0, 0);
	}
}

/* ---- screening ------------------------------------------------------------------------------ */

static bool
hopeless(const struct search *s, const struct arm *a)
{
	struct lead m = arm_lead(s, a, &s->race.arms[0]);

	if (m.n >= (a->low ? 2u : 4u) && m.h + (a->low ? 1 : Z95) * m.se < WORTH)
		return true;
	return m.n >= 2 && m.h + Z95 * m.se < -.05;
}

static void
screen_alone(struct search *s)
{
	for (size_t i = 1; i < s->race.n_arms; i++) {
		struct arm *a = &s->race.arms[i];

		if (a->live)
			drops_screen(s, a);
		if (a->live && hopeless(s, a))
			a->live = false;
	}
}

/* Is it still open which of the leader and this rival should be taken? */
static bool
ambiguous(const struct arm *l, const struct arm *rival, struct lead ahead)
{
	bool clearly = ahead.n >= 4 && ahead.h > BETTER && ahead.h - Z95 * ahead.se > 0;
	bool equal = ahead.h + Z90 * ahead.se < 1.5 * BETTER;

	if (ahead.n == 0)
		return true;
	if (rival->simple && !clearly && !equal)
		return true;
	return l->simple && -ahead.h + Z95 * ahead.se > WORTH;
}

static bool
screen_against(struct search *s, const struct arm *l)
{
	bool open = false;

	for (size_t i = 1; i < s->race.n_arms; i++) {
		struct arm *a = &s->race.arms[i];
		struct lead ahead = arm_lead(s, l, a);

		if (!a->live || a == l)
			continue;
		if (ahead.h > BETTER && ahead.h - 2 * ahead.se > 0)
			a->live = false;
		else
			open |= ambiguous(l, a, ahead);
	}
	return open;
}

static bool
any_live(const struct search *s)
{
	for (size_t i = 1; i < s->race.n_arms; i++)
		if (s->race.arms[i].live)
			return true;
	return false;
}

/* Drop what cannot win; true: it is clear whom to take. */
static bool
screen(struct search *s)
{
	struct arm *l;
	struct lead m;
	bool open;

	pool_sd(s);
	screen_alone(s);
	if ((l = leader(s)) == NULL)
		return false;
	open = screen_against(s, l);
	m = arm_lead(s, l, &s->race.arms[0]);
	if (quick(s) && m.n == 1)
		return l->cc != 0 && m.h - 2 * m.se > HALF_AGAIN && !open;
	return m.n >= 2 && m.h - 2 * m.se > .02 && !open;
}

/* ---- the end -------------------------------------------------------------------------------- */

/*
 * The fewest changes: the default control, unless another is better beyond doubt; in a quick race,
 * where doubt mostly means too few blocks, unless it is likely.
 */
static struct arm *
choose(struct search *s)
{
	struct arm *l = leader(s), *simple = s->race.n_arms > 1 ? &s->race.arms[1] : NULL;
	struct lead ahead;

	if (l == NULL || simple == NULL || !simple->simple || !simple->live || simple->n == 0 ||
	    l == simple)
		return l;
	if (s->slack && arm_gain(s, simple) < WORTH && arm_gain(s, l) >= WORTH)
		return l;
	ahead = arm_lead(s, l, simple);
	return ahead.h > BETTER && ahead.h - (quick(s) ? Z_QUICK : Z95) * ahead.se > 0 ? l : simple;
}

static double
share(const struct search *s)
{
	return quick(s) ? SHARE_QUICK : SHARE;
}

/* fresh: of the block that is not asked. */
static void
race_end(struct search *s, bool fresh)
{
	struct arm *pick = choose(s);
	const char *lacking = pick == NULL ? block_lacks(s, share(s), fresh) : NULL;

	s->block.n = 0;
	if (pick == NULL) {
		search_because(s, "the %s is too small for one block of %zu trials", lacking,
		    s->race.n_arms);
		search_end(s, CLASS_INCONCLUSIVE);
	} else if (arm_gain(s, pick) < 0) {
		search_end(s, CLASS_NO_GAIN);
	} else {
		knee_enter(s, pick);
	}
}

struct arm *
race_other(struct search *s)
{
	struct arm *simple = &s->race.arms[1], *l;

	if (!quick(s) || !simple->simple)
		return NULL;
	simple->live = false;
	l = leader(s);
	return l != NULL && arm_gain(s, l) >= WORTH ? l : NULL;
}

static bool
any_measured(const struct search *s)
{
	for (size_t i = 1; i < s->race.n_arms; i++)
		if (s->race.arms[i].n > 0)
			return true;
	return false;
}

static void
nobody_left(struct search *s)
{
	if (s->race.refused_retransmits)
		s->result.guard_retransmits = true;
	if (!any_measured(s)) {
		search_because(s, "the system refused all that could be tried");
		search_end(s, CLASS_CANNOT_BIND);
	} else {
		search_end(s, s->race.refused_retransmits ? CLASS_GUARD : CLASS_NO_GAIN);
	}
}

/* A quick race goes on as long as nothing that is left was measured. */
static size_t
most_blocks(struct search *s)
{
	return quick(s) && leader(s) != NULL ? BLOCKS_QUICK : RACE_BLOCKS;
}

/* Two blocks more where what is open would still leave time for the pairs. */
static bool
quick_goes_on(const struct search *s)
{
	double trial_s = block_cost_s(s) / (double)s->block.n;

	return quick(s) && s->race.blocks < BLOCKS_QUICK + 2 &&
	    s->elapsed_s + block_cost_s(s) + 2 * QUICK_PAIRS * trial_s <= s->budget_s;
}

void
race_open(struct search *s)
{
	bool fresh = false;

	if (!any_live(s)) { /* the last arm's extra was refused */
		nobody_left(s);
		return;
	}
	block_clear(s);
	for (size_t i = 0; i < s->race.n_arms; i++) {
		const struct arm *a = &s->race.arms[i];

		if (a->live) {
			block_add(s, i, a->cc, a->window, a->extras);
			fresh |= a->n == 0;
		}
	}
	if (s->race.decided || (s->race.blocks >= most_blocks(s) && !quick_goes_on(s)) ||
	    !block_fits(s, share(s), fresh)) {
		race_end(s, fresh);
		return;
	}
	block_shuffle(s);
}

/*
 * After the first block of a quick race the arms get a window that the path can use.  What they did
 * with the wide one still counts, unless it was slower than the default: then it misled.
 */
static void
narrow(struct search *s)
{
	double w0 = s->config.window_bytes, bdp = s->fastest_bps * s->rtt0_s / 8;
	double window = fmax(ladder_ceil(s, WIDE_BDPS * bdp), w0);
	bool misled = arm_gain(s, &s->race.arms[1]) < 0;

	for (size_t i = 1; i < s->race.n_arms; i++) {
		struct arm *a = &s->race.arms[i];

		if (!a->live || a->window <= window)
			continue;
		a->window = window;
		a->extras = extras_at(s, a->extras, window);
		a->since = s->race.blocks;
		if (misled)
			arm_forget(a);
		if (a->cc == 0 && window <= w0 && a->extras == 0)
			a->live = false;
	}
}

void
race_close(struct search *s)
{
	struct race *r = &s->race;

	for (size_t i = 0; i < s->block.n; i++) {
		struct arm *a = &r->arms[s->block.slots[i].who];

		a->at[r->blocks] = s->block.got[i];
		a->n++;
	}
	r->blocks++;
	drops_learn(s);
	r->decided = screen(s);
	if (quick(s) && r->blocks == 1 && !r->decided)
		narrow(s);
	if (!any_live(s))
		nobody_left(s);
}
