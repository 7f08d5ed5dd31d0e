#include "search_state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LINE_BPS 1e9        /* an unknown or slower interface is taken for this */
#define FLOOR (1. / 100)    /* of the default's goodput: what a failed trial is worth */
#define LOST_BLOCKS 4       /* refused in a row: give up */
#define PROBES 3
#define SHORT_RTT_S 0.040   /* up to here a second of warm-up does */
/*
 * Where segments are lost, slow start is interrupted and bbr's STARTUP was seen to end between 2.0
 * and 2.6 s at an RTT of 100 ms, with up to 5 % retransmits in what follows.
 */
#define LOSSY_WARMUP_S 1.0
#define GROWTH_MAX_S 30
#define RATE_MARGIN 1.1     /* the next trial may be this much faster than any before */

static const struct {
	void (*open)(struct search *);
	void (*close)(struct search *);
} phases[] = {
	[PHASE_PROBE] = {probe_open, probe_close},
	[PHASE_RACE] = {race_open, race_close},
	[PHASE_KNEE] = {knee_open, knee_close},
	[PHASE_CONFIRM] = {confirm_open, confirm_close},
};

static bool
positive(double x)
{
	return isfinite(x) && x > 0;
}

static double
budget_of(const struct search_config *c)
{
	return positive(c->budget_s) ? c->budget_s : budget_mode_s[c->mode];
}

static void
copy_controls(struct search *s, struct arena *a, const struct search_config *c)
{
	s->n_cc = c->n_cc > SEARCH_CC_MAX ? SEARCH_CC_MAX : c->n_cc;
	for (size_t i = 0; i < s->n_cc; i++)
		s->cc[i] = arena_strdup(a, c->cc[i]);
	s->config.cc = s->cc;
	if (s->n_cc == 0)
		s->n_cc = 1; /* the peer's, unnamed: s->cc[0] is NULL */
}

struct search *
search_new(struct arena *a, const struct search_config *c)
{
	struct search *s = arena_alloc(a, sizeof(*s));

	s->arena = a;
	s->config = *c;
	if (c->n_extras > SEARCH_EXTRAS_MAX)
		s->config.n_extras = SEARCH_EXTRAS_MAX;
	copy_controls(s, a, c);
	if (!positive(s->config.window_bytes))
		s->config.window_bytes = 1;
	s->rtt0_s = positive(c->idle_rtt_s) ? c->idle_rtt_s : NAN;
	s->line_bps = positive(c->link_bps) ? fmax(c->link_bps, LINE_BPS) : LINE_BPS;
	s->budget_s = budget_of(c);
	s->more_s = positive(c->more_s) ? c->more_s : 0;
	if (!positive(c->data_cap_bytes))
		s->config.data_cap_bytes = INFINITY;
	if (c->confirmations == 0)
		s->config.confirmations = 1;
	s->overhead_s = GAP_S;
	s->asked_s = NAN;
	s->result.guard_limit_ms = NAN;
	s->phase = PHASE_PROBE;
	ladder_build(s);
	return s;
}

/* ---- blocks --------------------------------------------------------------------------------- */

void
search_end(struct search *s, enum decision_class class)
{
	s->over = true;
	s->result.class = class;
	s->result.verdict =
	    class >= CLASS_WINDOW && class <= CLASS_EXTRAS ? VERDICT_CHANGE : VERDICT_KEEP;
}

void
search_because(struct search *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	s->result.why = s->why;
}

/* Short RTTs and fast paths settle sooner, long RTTs and slowly growing windows later. */
static void
block_times(struct search *s, struct block *b)
{
	double rtt = isnan(s->rtt0_s) ? 0 : s->rtt0_s, growth = s->config.growth_s;
	bool fast = s->fastest_bps >= FAST_BPS;

	b->warmup_s = fmax(fast || rtt <= SHORT_RTT_S ? 1 : 2, 12 * rtt + .5);
	if ((s->lossy || s->sends_again) && rtt > SHORT_RTT_S)
		b->warmup_s += LOSSY_WARMUP_S;
	if (growth > b->warmup_s)
		b->warmup_s = fmax(b->warmup_s, fmin(growth, GROWTH_MAX_S));
	b->duration_s = s->config.mode == BUDGET_QUICK ? fmax(2, 10 * rtt) :
	    fmax(fast ? 2 : 3, 15 * rtt);
}

void
block_clear(struct search *s)
{
	s->block = (struct block){.coin = NAN};
	block_times(s, &s->block);
}

void
block_add(struct search *s, size_t who, size_t cc, double window, extras_set extras)
{
	s->block.slots[s->block.n++] = (struct slot){who, cc, window, extras};
}

void
block_shuffle(struct search *s)
{
	for (size_t i = s->block.n; i > 1; i--) {
		size_t j = s->config.random(s->config.random_arg) % i;
		struct slot swap = s->block.slots[i - 1];

		s->block.slots[i - 1] = s->block.slots[j];
		s->block.slots[j] = swap;
	}
}

double
block_cost_s(const struct search *s)
{
	return (double)s->block.n * (s->block.warmup_s + s->overhead_s + s->block.duration_s);
}

static double
block_bytes(const struct search *s, bool fresh)
{
	double known = s->fastest_bps * RATE_MARGIN, bps = 0;

	for (size_t i = 0; i < s->block.n; i++) {
		double most = s->line_bps;

		if (!isnan(s->rtt0_s))
			most = fmin(most, 8 * s->block.slots[i].window / s->rtt0_s);
		bps += fresh ? fmax(known, most) : fmin(known, most * RATE_MARGIN);
	}
	return bps / 8 * (s->block.warmup_s + s->block.duration_s);
}

static bool
data_fits(const struct search *s, double n, double share, bool fresh)
{
	return s->bytes + n * block_bytes(s, fresh) <= share * s->config.data_cap_bytes;
}

/* What more_s adds is no part of any share: what was asked before stays as it was. */
bool
block_fits(struct search *s, double share, bool fresh)
{
	double more = s->phase == PHASE_CONFIRM ? s->more_s : 0;

	return s->elapsed_s + block_cost_s(s) <= share * s->budget_s + more &&
	    data_fits(s, 1, share, fresh);
}

const char *
block_lacks(struct search *s, double share, bool fresh)
{
	s->result.out_of_data = !data_fits(s, 1, share, fresh);
	return s->result.out_of_data ? "data cap" : "budget";
}

bool
blocks_fit(struct search *s, size_t n, double share)
{
	return s->elapsed_s + (double)n * block_cost_s(s) <= share * s->budget_s &&
	    data_fits(s, (double)n, share, false);
}

/* ---- ask ------------------------------------------------------------------------------------ */

/* What a trial really takes beside its planned time; time-outs are not what usually happens. */
static void
learn_overhead(struct search *s, double elapsed_s)
{
	double beside = elapsed_s - s->asked_s - s->planned_s;

	if (!isnan(s->asked_s) && beside > s->overhead_s && beside < 4)
		s->overhead_s = beside;
	s->asked_s = NAN;
}

static double
block_number(const struct search *s)
{
	switch (s->phase) {
	case PHASE_RACE:
		return (double)s->race.blocks;
	case PHASE_KNEE:
		return (double)(s->knee.past + s->knee.blocks);
	case PHASE_CONFIRM:
		return (double)s->confirm.n;
	case PHASE_PROBE:
	case PHASE_MEASURE:
		break;
	}
	return 0;
}

static void
ask_next(struct search *s, struct ask *ask)
{
	struct block *b = &s->block;
	const struct slot *slot = &b->slots[b->asked];

	ask->setting.cc = s->cc[slot->cc];
	ask->setting.window_bytes = slot->window;
	ask->setting.extras = extras_names(s, slot->extras, &ask->setting.n_extras);
	ask->phase = s->phase;
	ask->block = block_number(s);
	ask->slot = (double)b->asked++;
	ask->coin = b->coin;
	ask->warmup_s = b->warmup_s;
	ask->duration_s = b->duration_s;
	s->asked_s = s->elapsed_s;
	s->planned_s = b->warmup_s + b->duration_s;
	snprintf(s->doing, sizeof(s->doing), "%s, block %.0f, trial %zu of %zu",
	    trial_phase_names[s->phase], ask->block + 1, b->asked, b->n);
}

bool
search_next(struct search *s, double elapsed_s, double bytes, struct ask *ask)
{
	s->elapsed_s = isfinite(elapsed_s) ? fmax(s->elapsed_s, elapsed_s) : s->elapsed_s;
	s->bytes = isfinite(bytes) ? fmax(s->bytes, bytes) : s->bytes;
	learn_overhead(s, s->elapsed_s);
	while (!s->over && s->block.asked == s->block.n)
		phases[s->phase].open(s);
	if (s->over)
		return false;
	ask_next(s, ask);
	return true;
}

/* ---- tell ----------------------------------------------------------------------------------- */

static bool
good(const struct trial *t)
{
	return t->status == TRIAL_OK && positive(t->goodput_bps);
}

static struct sample
sample_of(struct search *s, const struct trial *t)
{
	struct sample v = {s->floor_y, NAN, NAN, NAN};

	if (!good(t))
		return v;
	v.y = log(t->goodput_bps);
	v.rtt_s = positive(t->rtt.loaded_ms) ? t->rtt.loaded_ms / 1000 : NAN;
	v.retransmits = isfinite(t->retransmits) && t->retransmits >= 0 ? t->retransmits : NAN;
	v.inflight_bytes = t->inflight_bytes;
	if (!positive(v.inflight_bytes))
		v.inflight_bytes = t->goodput_bps / 8 * (isnan(v.rtt_s) ? s->rtt0_s : v.rtt_s);
	s->fastest_bps = fmax(s->fastest_bps, t->goodput_bps);
	return v;
}

static void
learn_idle_rtt(struct search *s, const struct trial *t)
{
	double ms = positive(t->rtt.idle_ms) ? t->rtt.idle_ms : t->rtt.min_ms;

	if (isnan(s->rtt0_s) && t->status == TRIAL_OK && positive(ms))
		s->rtt0_s = ms / 1000;
}

static void
block_close(struct search *s)
{
	struct block *b = &s->block;

	if (b->cut && s->phase == PHASE_CONFIRM && !s->confirm.checking) {
		confirm_count_loss(s);
	} else if (b->lost || b->cut) {
		if (!b->excused && ++s->lost_in_row >= LOST_BLOCKS) {
			search_because(s, "%u blocks of trials in a row were refused or cut short",
			    s->lost_in_row);
			search_end(s, CLASS_FAILED);
		}
	} else {
		s->lost_in_row = 0;
		phases[s->phase].close(s);
	}
	b->n = b->asked = b->told = 0;
}

void
search_tell(struct search *s, const struct trial *t)
{
	struct block *b = &s->block;

	if (s->over || b->told >= b->asked)
		return;
	learn_idle_rtt(s, t);
	b->lost = b->lost || t->status == TRIAL_VOID;
	if (good(t) && s->phase == PHASE_PROBE)
		extras_bind(s, t);
	else if (!good(t) && t->status != TRIAL_CUT && s->phase == PHASE_RACE)
		extras_blame(s, &b->slots[b->told]);
	b->got[b->told++] = sample_of(s, t);
	b->cut = b->cut || t->status == TRIAL_CUT;
	if (b->told == b->n || b->lost || b->cut)
		block_close(s);
}

void
search_stop(struct search *s)
{
	if (s->over)
		return;
	if (s->phase == PHASE_CONFIRM && s->block.asked > 0 && !s->confirm.checking)
		confirm_count_loss(s);
	search_because(s, "stopped before the end");
	search_end(s, CLASS_INCONCLUSIVE);
}

/* ---- PROBE: one trial of the default, for orientation only ---------------------------------- */

void
probe_open(struct search *s)
{
	block_clear(s);
	block_add(s, 0, 0, s->config.window_bytes, 0);
	if (block_fits(s, 1, true))
		return;
	search_because(s, "the %s is too small for a single trial", block_lacks(s, 1, true));
	s->block.n = 0;
	search_end(s, CLASS_INCONCLUSIVE);
}

void
probe_close(struct search *s)
{
	struct sample v = s->block.got[0];

	if (s->fastest_bps <= 0) {
		if (++s->probes < PROBES)
			return;
		search_because(s, "%u trials with the present settings gave nothing", s->probes);
		search_end(s, CLASS_FAILED);
		return;
	}
	if (isnan(s->rtt0_s))
		s->rtt0_s = isnan(v.rtt_s) ? .001 : v.rtt_s;
	s->probe = v;
	s->floor_y = v.y + log(FLOOR);
	s->lossy = v.retransmits > 1e-5;
	s->slack = v.inflight_bytes < s->config.window_bytes / 2;
	race_enter(s);
}

const char *
search_doing(const struct search *s)
{
	return s->over ? "done" : s->doing;
}
