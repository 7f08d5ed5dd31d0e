#include "lab_sheet.h"

#include "probes/files.h"
#include "probes/stop.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CELLS_MAX 32
#define FLOOR_BPS 1e4 /* of a transfer that timed out: far below all others, and it has a logarithm */
#define ENOUGH .97
#define WORTH_A_CHANGE 1.05

static const struct field trial_fields[] = {
	F_NUM(sheet_trial, round, 0, 0, 0),
	F_NUM(sheet_trial, slot, 0, 0, 0),
	F_ENUM(sheet_trial, status, trial_status_names, 0),
	F_STR(sheet_trial, why, 0),
	F_NUM(sheet_trial, goodput_bps, 0, 0, 0),
	F_NUM(sheet_trial, rtt_ms, 0, 0, 0),
	F_NUM(sheet_trial, retransmits, 0, 0, 0),
	F_NUM(sheet_trial, inflight_bytes, 0, 0, 0),
	F_NUM(sheet_trial, rwnd_limited, 0, 0, 0),
	F_NUM(sheet_trial, sndbuf_limited, 0, 0, 0),
	F_END,
};
static const struct record sheet_trial_record = { "trial", sizeof(struct sheet_trial),
	trial_fields };

static const struct field cell_fields[] = {
	F_STR(cell, name, FIELD_REQUIRED),
	F_STR(cell, cc, FIELD_REQUIRED),
	F_STR(cell, wmem, 0),
	F_STR(cell, rmem, 0),
	F_STR(cell, notsent, 0),
	F_NUM(cell, max_bytes, 0, 0, 0),
	F_LIST(cell, trials, &sheet_trial_record),
	F_END,
};
static const struct record cell_record = { "cell", sizeof(struct cell), cell_fields };

static const struct field sheet_fields[] = {
	F_STR(sheet, schema, FIELD_REQUIRED),
	F_STR(sheet, kind, FIELD_REQUIRED),
	F_STR(sheet, path, FIELD_REQUIRED),
	F_STR(sheet, about, 0),
	F_NUM(sheet, idle_rtt_ms, 0, 0, 0),
	F_NUM(sheet, tune_s, 0, 0, 0),
	F_NUM(sheet, rounds, 0, 0, 0),
	F_NUM(sheet, late_us, 0, 0, 0),
	F_STRS(sheet, warnings),
	F_LIST(sheet, cells, &cell_record),
	F_END,
};
static const struct record sheet_record = { "sheet", sizeof(struct sheet), sheet_fields };

struct sheet
sheet_new(const char *kind, const struct lab_path *p)
{
	return (struct sheet){ .schema = SHEET_SCHEMA, .kind = kind, .path = p->name,
		.idle_rtt_ms = NAN, .tune_s = NAN, .late_us = NAN };
}

struct cell *
sheet_cell(struct arena *a, struct sheet *s, const char *name, const char *cc, double max_bytes)
{
	struct cell *c = arena_push(a, &s->cells, &s->n_cells, sizeof(*c));

	c->name = name;
	c->cc = cc;
	c->max_bytes = max_bytes;
	if (max_bytes != PATH_START_MAX_BYTES)
		c->wmem = arena_printf(a, "4096 16384 %.0f", max_bytes);
	return c;
}

const struct cell *
sheet_find(const struct sheet *s, const char *name)
{
	for (size_t i = 0; i < s->n_cells; i++)
		if (strcmp(s->cells[i].name, name) == 0)
			return &s->cells[i];
	return NULL;
}

/* ---- on disk --------------------------------------------------------------------------------- */

bool
sheet_load(struct arena *a, const char *file, struct sheet *s, struct err *e)
{
	struct node *node;
	const char *text;
	size_t len;

	if (!files_read(a, file, NODE_BYTES, &text, &len, e) ||
	    !node_from_json(a, file, text, len, &node, e))
		return false;
	record_init(&sheet_record, s);
	return record_from_node(a, file, &sheet_record, node, s, e);
}

bool
sheet_save(struct arena *a, const char *file, const struct sheet *s, struct err *e)
{
	const char *text = arena_printf(a, "%s\n", record_to_json(a, &sheet_record, s, true));

	return files_write(file, text, strlen(text), 0644, e);
}

static bool
same_text(const char *x, const char *y)
{
	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

static bool
same_cells(const struct sheet *x, const struct sheet *y)
{
	if (x->n_cells != y->n_cells || !same_text(x->kind, y->kind) ||
	    !same_text(x->path, y->path))
		return false;
	for (size_t i = 0; i < x->n_cells; i++) {
		const struct cell *c = &x->cells[i], *d = &y->cells[i];

		if (!same_text(c->name, d->name) || !same_text(c->cc, d->cc) ||
		    !same_text(c->wmem, d->wmem) || !same_text(c->rmem, d->rmem) ||
		    !same_text(c->notsent, d->notsent))
			return false;
	}
	return true;
}

bool
sheet_resume(struct arena *a, const char *file, struct sheet *s)
{
	struct err e = { ERR_NONE, "" };
	struct sheet old;

	if (!sheet_load(a, file, &old, &e) || !same_cells(&old, s))
		return false;
	*s = old;
	return true;
}

/* ---- measuring ------------------------------------------------------------------------------- */

static void
shuffle(size_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t j = randombytes_uniform((uint32_t)i), x = order[i - 1];

		order[i - 1] = order[j];
		order[j] = x;
	}
}

static void
say(const struct path_lab *l, const struct sheet *s, double rounds, size_t slot, bool alone)
{
	bool live = alone && isatty(STDERR_FILENO);
	double left = (rounds - s->rounds) * (double)s->n_cells - (double)slot;

	if (live)
		fprintf(stderr, "\r\033[K%s: %s, round %.0f of %.0f, trial %zu of %zu, about %.0f min left%s",
		    s->path, s->kind, s->rounds + 1, rounds, slot + 1, s->n_cells,
		    ceil(left * path_trial_s(l->path) / 60), left <= 1 ? "\n" : "");
	else if (slot == 0)
		fprintf(stderr, "%s: %s, round %.0f of %.0f\n", s->path, s->kind, s->rounds + 1, rounds);
}

static bool
try_cell(struct path_lab *l, struct cell *c, double round, size_t slot, struct err *e)
{
	const struct path_setting setting = { c->wmem, c->rmem, c->notsent, c->cc };
	struct path_trial t;

	if (!path_prober_measure(l, &setting, &t, e))
		return false;
	*(struct sheet_trial *)arena_push(l->arena, &c->trials, &c->n_trials, sizeof(*c->trials)) =
	    (struct sheet_trial){ .round = round, .slot = (double)slot, .status = t.status,
		.why = t.why,
		.goodput_bps = t.status == TRIAL_TIMEOUT ? FLOOR_BPS : t.goodput_bps,
		.rtt_ms = t.rtt_ms, .retransmits = t.retransmits,
		.inflight_bytes = t.inflight_bytes, .rwnd_limited = t.rwnd_limited,
		.sndbuf_limited = t.sndbuf_limited };
	return true;
}

static void
warn_late(struct path_lab *l, struct sheet *s)
{
	const char *words = path_lab_health(l, &s->late_us);

	if (words == NULL || (s->n_warnings != 0 && same_text(s->warnings[s->n_warnings - 1], words)))
		return;
	*(const char **)arena_push(l->arena, &s->warnings, &s->n_warnings, sizeof(char *)) =
	    arena_printf(l->arena, "%s", words);
}

/* A round that is cut short was none: what it had measured goes. */
bool
sheet_measure(struct path_lab *l, struct sheet *s, double rounds, const char *file, bool alone,
    struct err *e)
{
	size_t order[CELLS_MAX];

	if (s->n_cells > CELLS_MAX || sodium_init() < 0)
		return fail(e, ERR_FAILED, "too many settings");
	s->idle_rtt_ms = l->idle_rtt_ms;
	while (s->rounds < rounds) {
		shuffle(order, s->n_cells);
		for (size_t i = 0; i < s->n_cells; i++) {
			say(l, s, rounds, i, alone);
			if (stop_requested())
				return fail(e, ERR_STOPPED, "stopped by a signal");
			if (!try_cell(l, &s->cells[order[i]], s->rounds, i, e))
				return false;
		}
		s->rounds++;
		warn_late(l, s);
		if (!sheet_save(l->arena, file, s, e))
			return false;
	}
	return true;
}

/* ---- what they say --------------------------------------------------------------------------- */

static double
median_of(const struct cell *c, size_t offset)
{
	double v[STATS_MAX], x;
	size_t n = 0;

	for (size_t i = 0; i < c->n_trials && n < STATS_MAX; i++) {
		memcpy(&x, (const char *)&c->trials[i] + offset, sizeof(x));
		if (!isnan(x))
			v[n++] = x;
	}
	return stats_median(v, n);
}

double
cell_goodput_bps(const struct cell *c)
{
	return median_of(c, offsetof(struct sheet_trial, goodput_bps));
}

double
cell_rtt_ms(const struct cell *c)
{
	return median_of(c, offsetof(struct sheet_trial, rtt_ms));
}

double
cell_retransmits(const struct cell *c)
{
	return median_of(c, offsetof(struct sheet_trial, retransmits));
}

double
cell_inflight_bytes(const struct cell *c)
{
	return median_of(c, offsetof(struct sheet_trial, inflight_bytes));
}

size_t
cell_failed(const struct cell *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_trials; i++)
		n += c->trials[i].status != TRIAL_OK;
	return n;
}

struct interval
cells_ratio(const struct cell *x, const struct cell *y)
{
	double d[STATS_MAX];
	struct interval r;
	size_t n = 0;

	for (size_t i = 0; i < x->n_trials && i < y->n_trials && n < STATS_MAX; i++) {
		double gain = log(x->trials[i].goodput_bps / y->trials[i].goodput_bps);

		if (!isnan(gain))
			d[n++] = gain;
	}
	if (n == 0)
		return (struct interval){ NAN, NAN, NAN, NAN };
	r = stats_signed_rank(d, n, .95);
	return (struct interval){ exp(r.estimate), exp(r.low), exp(r.high), r.confidence };
}

bool
cell_within_guard(const struct sheet *s, const struct cell *c, const struct cell *start)
{
	double allow_ms = fmax(50, s->idle_rtt_ms / 2);
	double more = cell_retransmits(c) - cell_retransmits(start);
	double gain = cell_goodput_bps(c) / cell_goodput_bps(start);

	return !(cell_rtt_ms(c) > fmax(s->idle_rtt_ms, cell_rtt_ms(start)) + allow_ms) &&
	    !(more > (gain > 1.5 ? .03 : .01));
}

const struct cell *
sheet_best(const struct sheet *s, const struct cell *start, const char *cc)
{
	const struct cell *best = NULL;

	for (size_t i = 0; i < s->n_cells; i++) {
		const struct cell *c = &s->cells[i];

		if ((cc == NULL || strcmp(c->cc, cc) == 0) && cell_within_guard(s, c, start) &&
		    (best == NULL || cell_goodput_bps(c) > cell_goodput_bps(best)))
			best = c;
	}
	return best;
}

const struct cell *
sheet_smallest(const struct sheet *s, const struct cell *start, const char *cc)
{
	const struct cell *best = sheet_best(s, start, cc), *found = best;

	for (size_t i = 0; i < s->n_cells && best != NULL; i++) {
		const struct cell *c = &s->cells[i];

		if (strcmp(c->cc, cc) == 0 && cell_within_guard(s, c, start) &&
		    cell_goodput_bps(c) >= ENOUGH * cell_goodput_bps(best) &&
		    c->max_bytes < found->max_bytes)
			found = c;
	}
	return found;
}

bool
sheet_nothing_helps(const struct sheet *s, const struct cell *start)
{
	const struct cell *best = sheet_best(s, start, NULL);

	return best == NULL || cell_goodput_bps(best) < WORTH_A_CHANGE * cell_goodput_bps(start);
}
