#include "import_state.h"
#include "kernel.h"
#include "stats.h"

#include <math.h>
#include <string.h>

const char *const import_verdict_names[] = { "keep-defaults", "change", NULL };
const char *const import_class_names[] = { "not-comparable", "comparable", NULL };
const char *const import_finding_names[] = { "not-comparable", "undecided", "better", "worse",
	NULL };

static const enum part parts[ROLE_COUNT] = {
	[ROLE_LIMIT] = PART_LIMIT,
	[ROLE_LIMIT_SEND] = PART_LIMIT,
	[ROLE_LIMIT_RECEIVE] = PART_LIMIT,
	[ROLE_SEND_MAX] = PART_SIZES,
	[ROLE_RECEIVE_MAX] = PART_SIZES,
	[ROLE_SEND_INITIAL] = PART_SIZES,
	[ROLE_RECEIVE_INITIAL] = PART_SIZES,
	[ROLE_SEND_INCREMENT] = PART_SIZES,
	[ROLE_RECEIVE_INCREMENT] = PART_SIZES,
	[ROLE_SEND_AUTO] = PART_SIZES,
	[ROLE_RECEIVE_AUTO] = PART_SIZES,
};

/* ---- which knobs could act ------------------------------------------------------------------ */

enum part
import_part(const struct judge *j, size_t column)
{
	const struct knob *k = j->s->knobs[column];

	return k == NULL ? PART_ANY : parts[k->role];
}

bool
import_same_value(const struct import_value *a, const struct import_value *b)
{
	return a->number == b->number || strcmp(a->text, b->text) == 0;
}

bool
import_differs(const struct judge *j, size_t test, size_t column)
{
	const struct import_test *tests = j->t->tests;

	return !import_same_value(&tests[0].values[column], &tests[test].values[column]);
}

size_t
import_smallest(const struct judge *j, size_t column)
{
	size_t least = 0;

	for (size_t i = 1; i < j->t->n_tests; i++) {
		if (j->t->tests[i].values[column].number <
		    j->t->tests[least].values[column].number)
			least = i;
	}
	return least;
}

double
import_admits(const struct judge *j, size_t column, double limit, const struct window_model **model)
{
	static const enum direction directions[] = { DIR_SEND, DIR_RECEIVE };
	double least = NAN;

	*model = NULL;
	for (size_t i = 0; i < NELEM(directions); i++) {
		const struct window_model *m = profile_window(j->s->profile, directions[i],
		    j->s->facts.release, j->s->facts.arch);
		double bytes;

		if (m == NULL)
			continue;
		bytes = j->s->knobs[column]->role == ROLE_LIMIT ? kernel_limit_share(m, limit) :
								  limit;
		if (!(bytes >= least)) {
			least = bytes;
			*model = m;
		}
	}
	return least;
}

bool
import_limit_reached(const struct judge *j, size_t column)
{
	const struct window_model *m;
	double limit = j->t->tests[import_smallest(j, column)].values[column].number;

	return !(j->asked && j->asked_bytes <= import_admits(j, column, limit, &m));
}

static bool
could_act(const struct judge *j, size_t column)
{
	switch (import_part(j, column)) {
	case PART_SIZES:
		return !j->asked;
	case PART_LIMIT:
		return import_limit_reached(j, column);
	case PART_ANY:
		break;
	}
	return true;
}

static bool
test_acts(const struct judge *j, size_t test)
{
	for (size_t c = 0; c < j->t->n_columns; c++) {
		if (import_differs(j, test, c) && could_act(j, c))
			return true;
	}
	return false;
}

bool
import_varies(const struct judge *j, size_t column)
{
	for (size_t i = 1; i < j->t->n_tests; i++) {
		if (import_differs(j, i, column))
			return true;
	}
	return false;
}

/* ---- pairs ---------------------------------------------------------------------------------- */

bool
import_same_number(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static const struct import_row *
partner(const struct import_table *t, const struct import_row *row, size_t test)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct import_row *other = &t->rows[i];

		if (other->test == test &&
		    import_same_number(other->window_bytes, row->window_bytes) &&
		    import_same_number(other->round, row->round))
			return other;
	}
	return NULL;
}

/* Log ratios of a test over the first, in the order of the first one's rows. */
static size_t
pairs_of(const struct import_table *t, size_t test, double *d)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_rows; i++) {
		const struct import_row *other =
		    t->rows[i].test == 0 ? partner(t, &t->rows[i], test) : NULL;

		if (other != NULL && n < STATS_MAX)
			d[n++] = log(other->avg / t->rows[i].avg);
	}
	return n;
}

static double
per_cent(double log_ratio)
{
	return 100 * expm1(log_ratio);
}

static double
largest_e(const double *d, size_t n, double sign)
{
	double signed_d[STATS_MAX], max_e;

	for (size_t i = 0; i < n; i++)
		signed_d[i] = sign * d[i];
	stats_e_process(signed_d, n, &max_e);
	return max_e;
}

static struct import_estimate
estimate(const struct judge *j, size_t test)
{
	const struct import_table *t = j->t;
	double d[STATS_MAX] = { 0 };
	size_t n = pairs_of(t, test, d);
	struct interval i = stats_signed_rank(d, n, .95);

	return (struct import_estimate){
		.name = arena_printf(j->arena, "%s/%s", t->tests[test].name, t->tests[0].name),
		.hl_pct = per_cent(i.estimate),
		.lo_pct = per_cent(i.low),
		.hi_pct = per_cent(i.high),
		.conf = i.confidence,
		.e_better = largest_e(d, n, 1),
		.e_worse = largest_e(d, n, -1),
		.pairs = (double)n,
	};
}

bool
import_coins(const struct import_about *x)
{
	return x->interleaved == ANSWER_YES && x->order == ORDER_RANDOM;
}

static enum import_finding
finding_of(const struct judge *j, const struct import_estimate *x)
{
	double threshold = IMPORT_THRESHOLD * (double)(j->t->n_tests - 1);

	if (!(x->pairs >= IMPORT_PAIRS))
		return FINDING_UNDECIDED;
	if (x->e_better >= threshold && x->hl_pct >= IMPORT_GAIN_PCT && x->lo_pct > 0)
		return FINDING_BETTER;
	if (x->e_worse >= threshold && x->hi_pct < 0)
		return FINDING_WORSE;
	return FINDING_UNDECIDED;
}

/* ---- conclusion ----------------------------------------------------------------------------- */

static void
credit(struct judge *j, size_t test)
{
	const struct import_table *t = j->t;

	j->r->verdict = IMPORT_CHANGE;
	j->r->credited = t->tests[test].name;
	for (size_t c = 0; c < t->n_columns; c++) {
		const struct knob *k = j->s->knobs[c];

		if (import_differs(j, test, c) && could_act(j, c))
			*(struct import_change *)arena_push(j->arena, &j->r->change,
			    &j->r->n_change, sizeof(struct import_change)) = (struct import_change){
				k != NULL ? k->name : t->columns[c],
				t->tests[0].values[c].text, t->tests[test].values[c].text };
	}
}

/* Of those that are better beyond doubt, the one with the most gain. */
static void
conclude(struct judge *j)
{
	size_t best = 0;

	for (size_t i = 1; i < j->t->n_tests; i++) {
		struct import_estimate *x = &j->r->estimates[i - 1];

		if (!import_coins(&j->t->about) || !test_acts(j, i))
			continue;
		j->r->class = IMPORT_COMPARABLE;
		x->finding = finding_of(j, x);
		if (x->finding == FINDING_BETTER &&
		    (best == 0 || x->hl_pct > j->r->estimates[best - 1].hl_pct))
			best = i;
	}
	if (best != 0)
		credit(j, best);
	else
		import_reasons_findings(j);
}

struct import_result
import_judge(struct arena *a, const struct import_table *t, const struct import_system *s)
{
	struct import_result r = { .verdict = IMPORT_KEEP, .class = IMPORT_NOT_COMPARABLE };
	struct judge j = { .arena = a, .t = t, .s = s, .r = &r, .asked = true };

	for (size_t i = 0; i < t->n_rows; i++) {
		j.asked = j.asked && t->rows[i].window != NULL;
		j.asked_bytes = fmax(j.asked_bytes, t->rows[i].window_bytes);
	}
	r.n_estimates = t->n_tests - 1;
	r.estimates = arena_array(a, r.n_estimates, sizeof(*r.estimates));
	for (size_t i = 1; i < t->n_tests; i++)
		r.estimates[i - 1] = estimate(&j, i);
	import_reasons(&j);
	import_notes(&j);
	conclude(&j);
	return r;
}
