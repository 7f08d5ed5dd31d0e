/* Why a table shows what it shows, and what would have to be different. */
#include "import_state.h"
#include "units.h"

#include <math.h>

static void
add(struct arena *a, const char ***list, size_t *n, const char *words)
{
	*(const char **)arena_push(a, list, n, sizeof(words)) = words;
}

static void
reason(struct judge *j, const char *words, const char *instead)
{
	add(j->arena, &j->r->reasons, &j->r->n_reasons, words);
	add(j->arena, &j->r->wanted, &j->r->n_wanted, instead);
}

/* ---- reasons -------------------------------------------------------------------------------- */

/* How long the table took, if it says how its cells were measured. */
static const char *
say_length(const struct judge *j)
{
	const struct import_about *x = &j->t->about;
	double pause = isnan(x->sleep_s) ? 0 : x->sleep_s;
	double seconds = (double)j->t->n_rows * x->runs_per_cell * (x->run_s + pause);

	return isnan(seconds) ? "" :
	    arena_printf(j->arena, ", in %s for %zu cells", units_say_time(j->arena, seconds),
		j->t->n_rows);
}

static void
reason_order(struct judge *j)
{
	const struct import_about *x = &j->t->about;
	const char *instead = "measure the tests in turn, in an order that a coin decides each "
			      "time, and say so: interleaved=yes order=random";

	if (import_coins(x))
		return;
	if (x->interleaved == ANSWER_YES)
		reason(j, "fixed-order: the tests took turns in an order that was not left to "
		    "chance: what being first or last does cannot be told from what a setting does",
		    instead);
	else if (x->interleaved == ANSWER_NO || x->order == ORDER_SEQUENTIAL)
		reason(j, arena_printf(j->arena, "not-interleaved: one cell was measured after the "
		    "other%s: whether the setting changed or the path meanwhile cannot be told",
		    say_length(j)), instead);
	else
		reason(j, "not-interleaved: the table does not say that its tests took turns: "
		    "whether the setting changed or the path meanwhile cannot be told", instead);
}

/* The columns of auto-sizing in which tests differ, as "x and y". */
static const char *
size_columns(const struct judge *j)
{
	struct text t = { .arena = j->arena };

	for (size_t c = 0; c < j->t->n_columns; c++) {
		if (import_part(j, c) == PART_SIZES && import_varies(j, c))
			text_add(&t, "%s%s", t.len == 0 ? "" : " and ", j->t->columns[c]);
	}
	return t.s;
}

static void
reason_sizes(struct judge *j)
{
	const char *columns = size_columns(j);

	if (!j->asked || columns == NULL)
		return;
	reason(j, arena_printf(j->arena, "fixed-buffers: with a window (iperf -w) the program asks "
	    "for its buffers itself (SO_SNDBUF, SO_RCVBUF), and the kernel no longer sizes them: "
	    "%s had no part in any of the %zu cells", columns, j->t->n_rows),
	    "leave the window away, so that the kernel sizes the buffers");
}

static void
reason_limit(struct judge *j, size_t column)
{
	const struct import_value *v = &j->t->tests[import_smallest(j, column)].values[column];
	const struct window_model *m;
	double most;
	const char *sum = "";

	if (import_part(j, column) != PART_LIMIT || !import_varies(j, column) ||
	    import_limit_reached(j, column))
		return;
	most = import_admits(j, column, v->number, &m);
	if (j->s->knobs[column]->role == ROLE_LIMIT && m->n_limit_share == 2)
		sum = arena_printf(j->arena, " (%.0f * %.0f / %.0f)", v->number,
		    m->limit_share[0], m->limit_share[1]);
	reason(j, arena_printf(j->arena, "limit-not-reached: the largest window, %.0f bytes, is "
	    "within the %.0f%s that the smallest %s, %s, admits: it never was the limit",
	    j->asked_bytes, most, sum, j->t->columns[column], v->text),
	    arena_printf(j->arena, "windows above %.0f bytes, or none, where values of %s can "
	    "differ at all", most, j->t->columns[column]));
}

static void
reason_same(struct judge *j)
{
	for (size_t i = 1; i < j->t->n_tests; i++) {
		size_t c = 0;

		while (c < j->t->n_columns && !import_differs(j, i, c))
			c++;
		if (c == j->t->n_columns)
			reason(j, arena_printf(j->arena, "same-settings: %s has the settings of "
			    "%s: what they differ by is noise", j->t->tests[i].name,
			    j->t->tests[0].name), "a column for what was different");
	}
}

static void
reason_pairs(struct judge *j)
{
	double least = INFINITY;

	for (size_t i = 0; i < j->r->n_estimates; i++)
		least = fmin(least, j->r->estimates[i].pairs);
	if (least >= IMPORT_PAIRS)
		return;
	reason(j, arena_printf(j->arena, "few-pairs: n = %.0f pairs a setting: were chance alone "
	    "at work they would all agree in 1 of %.0f cases, the smallest one-sided p there can "
	    "be, and below %d pairs no e-value is taken for a change", least,
	    ldexp(1, (int)least), IMPORT_PAIRS),
	    arena_printf(j->arena, "at least %d pairs a setting (a column round), more where the "
	    "path is noisy", IMPORT_PAIRS));
}

void
import_reasons(struct judge *j)
{
	reason_order(j);
	reason_sizes(j);
	for (size_t c = 0; c < j->t->n_columns; c++)
		reason_limit(j, c);
	reason_same(j);
	reason_pairs(j);
}

/* Comparable, and yet nothing to change. */
void
import_reasons_findings(struct judge *j)
{
	double threshold = IMPORT_THRESHOLD * (double)(j->t->n_tests - 1);

	for (size_t i = 0; i < j->r->n_estimates; i++) {
		const struct import_estimate *x = &j->r->estimates[i];

		if (x->finding == FINDING_WORSE)
			reason(j, arena_printf(j->arena, "worse: %s, %+.1f %% [%+.1f, %+.1f]",
			    x->name, x->hl_pct, x->lo_pct, x->hi_pct), "another setting");
		if (x->finding == FINDING_UNDECIDED && x->pairs >= IMPORT_PAIRS)
			reason(j, arena_printf(j->arena, "undecided: %s, %+.1f %% [%+.1f, %+.1f]; "
			    "the e-value reached %.2f of the %.0f that a change takes", x->name,
			    x->hl_pct, x->lo_pct, x->hi_pct, x->e_better, threshold),
			    "more pairs, where a gain is still possible");
	}
}

/* ---- notes ---------------------------------------------------------------------------------- */

/* Of the first test, the row with the highest average, or with the smallest window. */
static const struct import_row *
extreme(const struct import_table *t, bool by_window)
{
	const struct import_row *found = NULL;

	for (size_t i = 0; i < t->n_rows; i++) {
		const struct import_row *row = &t->rows[i];

		if (row->test != 0 || row->window == NULL)
			continue;
		if (found == NULL || (by_window ? row->window_bytes < found->window_bytes :
						  row->avg > found->avg))
			found = row;
	}
	return found;
}

static void
note_windows(struct judge *j)
{
	const struct import_row *best = extreme(j->t, false), *least = extreme(j->t, true);
	bool overlap;

	if (best == NULL || best->window_bytes == least->window_bytes)
		return;
	overlap = best->min <= least->max && least->min <= best->max;
	add(j->arena, &j->r->notes, &j->r->n_notes,
	    arena_printf(j->arena, "%s of %s has the highest average, %+.1f %% over %s%s; a window "
	    "that a program asks for is no setting of the host, and none is recommended",
	    best->window, j->t->tests[0].name, 100 * (best->avg / least->avg - 1), least->window,
	    overlap ? arena_printf(j->arena, ", inside the noise: runs with it reached from %g to "
	    "%g, with the other from %g to %g", best->min, best->max, least->min, least->max) :
	    ""));
}

static void
note_unknown(struct judge *j)
{
	for (size_t c = 0; c < j->t->n_columns; c++) {
		if (j->s->knobs[c] == NULL)
			add(j->arena, &j->r->notes, &j->r->n_notes,
			    arena_printf(j->arena, "%s is not a knob of a system that is known "
			    "here: whether it could act is not judged", j->t->columns[c]));
	}
}

void
import_notes(struct judge *j)
{
	note_windows(j);
	note_unknown(j);
}
