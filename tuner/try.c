#include "try_state.h"

#include <math.h>
#include <stdio.h>

#define VOIDS 3           /* of one candidate in a row: it fails */
#define FLOOR (1. / 100)  /* of the block's fastest: what a failed trial is worth */
#define SHORT_RTT_S 0.040 /* as in search.c */
#define RATE_MARGIN 1.1

static bool
positive(double x)
{
	return isfinite(x) && x > 0;
}

struct try *
try_new(struct arena *a, const struct try_config *c)
{
	struct try *t = arena_alloc(a, sizeof(*t));

	t->config = *c;
	t->rtt0_s = positive(c->idle_rtt_s) ? c->idle_rtt_s : NAN;
	t->overhead_s = GAP_S;
	t->asked_s = NAN;
	t->at = c->strata; /* a round is to be begun */
	if (!positive(c->data_cap_bytes))
		t->config.data_cap_bytes = INFINITY;
	if (c->directions == 0)
		t->config.directions = 1;
	for (size_t i = 1; i < c->n; i++) {
		t->candidate[i] = arena_alloc(a, sizeof(struct candidate));
		t->candidate[i]->live = true;
		stats_bets_start(&t->candidate[i]->for_it);
		stats_bets_start(&t->candidate[i]->against_it);
	}
	return t;
}

static void
end(struct try *t, const char *why)
{
	t->over = true;
	t->why = why;
}

/* ---- which block next ----------------------------------------------------------------------- */

/* The search's times, without what it adds for windows that grow slowly. */
static void
block_times(struct try *t)
{
	double rtt = isnan(t->rtt0_s) ? 0 : t->rtt0_s;
	bool fast = t->fastest_bps >= FAST_BPS;

	t->warmup_s = fmax(fast || rtt <= SHORT_RTT_S ? 1 : 2, 12 * rtt + .5);
	t->duration_s =
	    isnan(t->config.duration_s) ? fmax(fast ? 2 : 3, 15 * rtt) : t->config.duration_s;
}

static size_t
below(struct try *t, size_t n)
{
	return t->config.random(t->config.random_arg) % n;
}

static void
round_begin(struct try *t)
{
	for (size_t i = 0; i < t->config.strata; i++)
		t->order[i] = i;
	for (size_t i = t->config.strata; i > 1; i--) {
		size_t j = below(t, i), swap = t->order[i - 1];

		t->order[i - 1] = t->order[j];
		t->order[j] = swap;
	}
	t->at = 0;
	t->rounds++;
}

static void
block_fill(struct try *t)
{
	t->n = t->asked = t->told = 0;
	t->cut = false;
	for (size_t i = 0; i < t->config.n; i++)
		if (i == 0 || t->candidate[i]->live)
			t->places[t->n++] = (struct place){ .setting = i };
	for (size_t i = t->n; i > 1; i--) {
		size_t j = below(t, i);
		struct place swap = t->places[i - 1];

		t->places[i - 1] = t->places[j];
		t->places[j] = swap;
	}
	block_times(t);
}

double
try_block_cost_s(const struct try *t, size_t n)
{
	return (double)n * (t->warmup_s + t->overhead_s + t->duration_s);
}

static bool
undecided(const struct try *t)
{
	for (size_t i = 1; i < t->config.n; i++)
		if (t->candidate[i]->live && t->candidate[i]->class != TRY_BETTER)
			return true;
	return false;
}

static void
block_open(struct try *t)
{
	double bytes;

	if (!undecided(t)) {
		end(t, NULL);
		return;
	}
	if (t->at == t->config.strata && t->rounds >= t->config.rounds) {
		end(t, "the rounds that were asked for are over");
		return;
	}
	block_fill(t);
	bytes = (double)t->n * t->fastest_bps * RATE_MARGIN / 8 * (t->warmup_s + t->duration_s);
	if (t->elapsed_s + try_block_cost_s(t, t->n) > t->config.budget_s)
		end(t, "out of time");
	else if (t->bytes + bytes > t->config.data_cap_bytes)
		end(t, "out of data");
	else if (t->began >= STATS_MAX)
		end(t, "as many blocks as can be judged are done");
	else if (t->at == t->config.strata)
		round_begin(t);
	if (t->over)
		t->n = t->asked = 0;
}

bool
try_next(struct try *t, double elapsed_s, double bytes, struct try_ask *ask)
{
	double beside;

	t->elapsed_s = isfinite(elapsed_s) ? fmax(t->elapsed_s, elapsed_s) : t->elapsed_s;
	t->bytes = isfinite(bytes) ? fmax(t->bytes, bytes) : t->bytes;
	beside = t->elapsed_s - t->asked_s - t->warmup_s - t->duration_s;
	if (!isnan(t->asked_s) && beside > t->overhead_s && beside < 4)
		t->overhead_s = beside;
	t->asked_s = NAN;
	if (!t->over && t->asked == t->n)
		block_open(t);
	if (t->over)
		return false;
	*ask = (struct try_ask){ t->places[t->asked].setting, t->order[t->at], t->began,
		(double)t->asked, t->warmup_s, t->duration_s };
	t->asked++;
	t->asked_s = t->elapsed_s;
	return true;
}

/* ---- what came of it --------------------------------------------------------------------- */

static void
pair_add(struct try *t, struct candidate *c, double d, const struct sample *present,
    const struct sample *own)
{
	if (c->n == STATS_MAX)
		return;
	c->d[c->n] = d;
	c->side[0][c->n] = *present;
	c->side[1][c->n] = *own;
	c->stratum[c->n++] = t->order[t->at];
	stats_bet(&c->for_it, d);
	stats_bet(&c->against_it, -d);
}

/* Otherwise stopping unpromising blocks after a look would make false changes likely. */
static void
count_losses(struct try *t)
{
	const struct sample unknown = { NAN, NAN, NAN, NAN };

	for (size_t i = 0; i < t->n; i++) {
		struct candidate *c = t->candidate[t->places[i].setting];
		double most = log(2);

		if (c == NULL)
			continue;
		if (c->for_it.n > 0)
			most = c->for_it.sizes[c->for_it.n - 1];
		pair_add(t, c, -most, &unknown, &unknown);
		try_judge(t, c);
	}
}

static bool
is_lost(const struct try *t, double best_y)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->places[i].setting == 0 && t->places[i].lost)
			return true;
	return isinf(best_y);
}

static double
best_of_block(const struct try *t)
{
	double y = -INFINITY;

	for (size_t i = 0; i < t->n; i++)
		y = fmax(y, t->places[i].got.y);
	return y;
}

static struct sample
or_floor(struct sample v, double floor_y)
{
	v.y = isnan(v.y) ? floor_y : v.y;
	return v;
}

static void
block_count(struct try *t, double floor_y)
{
	struct sample present = { NAN, NAN, NAN, NAN };

	for (size_t i = 0; i < t->n; i++)
		if (t->places[i].setting == 0)
			present = or_floor(t->places[i].got, floor_y);
	for (size_t i = 0; i < t->n; i++) {
		struct sample own = or_floor(t->places[i].got, floor_y);
		struct candidate *c = t->candidate[t->places[i].setting];

		if (c == NULL)
			continue;
		if (t->places[i].lost) {
			if (++c->voids >= VOIDS)
				try_drop(c, TRY_FAILED);
			continue;
		}
		c->voids = 0;
		pair_add(t, c, own.y - present.y, &present, &own);
		try_judge(t, c);
	}
	t->lost_in_row = 0;
	t->blocks++;
}

static void
block_close(struct try *t)
{
	double best_y = best_of_block(t);

	if (t->cut)
		count_losses(t);
	else if (!is_lost(t, best_y))
		block_count(t, best_y + log(FLOOR));
	else if (++t->lost_in_row >= TRY_LOST_BLOCKS)
		end(t, "blocks of trials in a row were refused or gave nothing");
	t->began++;
	t->at++;
	t->n = t->asked = t->told = 0;
}

static struct sample
sample_of(const struct trial *trial)
{
	struct sample v = { NAN, NAN, NAN, NAN };

	if (trial->status != TRIAL_OK || !positive(trial->goodput_bps))
		return v;
	v.y = log(trial->goodput_bps);
	v.rtt_s = positive(trial->rtt.loaded_ms) ? trial->rtt.loaded_ms / 1000 : NAN;
	v.retransmits = trial->retransmits >= 0 ? trial->retransmits : NAN;
	v.inflight_bytes = trial->inflight_bytes;
	return v;
}

void
try_tell(struct try *t, const struct trial *trial)
{
	struct place *p = &t->places[t->told];
	struct candidate *c;

	if (t->over || t->told >= t->asked)
		return;
	c = t->candidate[p->setting];
	p->got = sample_of(trial);
	p->lost = trial->status == TRIAL_VOID;
	t->told++;
	if (c != NULL && trial->why != NULL)
		snprintf(c->why, sizeof(c->why), "%s", trial->why);
	if (isnan(t->rtt0_s) && positive(trial->rtt.idle_ms))
		t->rtt0_s = trial->rtt.idle_ms / 1000;
	if (!isnan(p->got.y))
		t->fastest_bps = fmax(t->fastest_bps, trial->goodput_bps);
	t->cut = t->cut || trial->status == TRIAL_CUT;
	if (t->told == t->n || t->cut || (p->lost && c == NULL))
		block_close(t);
}

void
try_stop(struct try *t)
{
	if (t->over)
		return;
	if (t->asked > 0)
		count_losses(t);
	end(t, "stopped before the end");
}
