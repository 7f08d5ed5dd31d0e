/* What came of a table, as a document. */
#include "import.h"

#include <math.h>
#include <string.h>

static const struct field about_fields[] = {
	F_ENUM(import_about, order, import_order_names, 0),
	F_ENUM(import_about, interleaved, import_answer_names, 0),
	F_NUM(import_about, runs_per_cell, 0, 0, 0),
	F_NUM(import_about, run_s, 0, 0, 0),
	F_NUM(import_about, sleep_s, 0, 0, 0),
	F_STR(import_about, unit, 0),
	F_STR(import_about, source, 0),
	F_END,
};
static const struct record about_record = { "table", sizeof(struct import_about), about_fields };

static const struct field system_fields[] = {
	F_STR(import_system, os, 0),
	F_STR(import_system, release, 0),
	F_BOOL(import_system, assumed),
	F_END,
};
static const struct record system_record = { "system", sizeof(struct import_system),
	system_fields };

static const struct field change_fields[] = {
	F_STR(import_change, name, 0),
	F_STR(import_change, old, 0),
	F_STR(import_change, new, 0),
	F_END,
};
static const struct record change_record = { "change", sizeof(struct import_change),
	change_fields };

static const struct field estimate_fields[] = {
	F_NUM(import_estimate, hl_pct, 0, 0, 0),
	F_NUM(import_estimate, lo_pct, 0, 0, 0),
	F_NUM(import_estimate, hi_pct, 0, 0, 0),
	F_NUM(import_estimate, conf, 0, 0, 0),
	F_NUM(import_estimate, e_better, 0, 0, 0),
	F_NUM(import_estimate, e_worse, 0, 0, 0),
	F_NUM(import_estimate, pairs, 0, 0, 0),
	F_ENUM(import_estimate, finding, import_finding_names, 0),
	F_END,
};
static const struct record estimate_record = { "estimate", sizeof(struct import_estimate),
	estimate_fields };

struct document {
	const char *schema;
	struct import_result result;
	struct import_about table;
	struct import_system system;
	double cells;
};

#define OF(m) offsetof(struct document, result.m)
#define COUNT(m) offsetof(struct document, result.n_##m)

static const struct field document_fields[] = {
	F_STR(document, schema, 0),
	{ "verdict", FIELD_ENUM, OF(verdict), 0, NULL, import_verdict_names, 0, 0, 0 },
	{ "class", FIELD_ENUM, OF(class), 0, NULL, import_class_names, 0, 0, 0 },
	{ "credited", FIELD_STRING, OF(credited), 0, NULL, NULL, 0, 0, 0 },
	{ "change", FIELD_LIST, OF(change), COUNT(change), &change_record, NULL, 0, 0, 0 },
	{ "reasons", FIELD_STRINGS, OF(reasons), COUNT(reasons), NULL, NULL, 0, 0, 0 },
	{ "wanted", FIELD_STRINGS, OF(wanted), COUNT(wanted), NULL, NULL, 0, 0, 0 },
	{ "notes", FIELD_STRINGS, OF(notes), COUNT(notes), NULL, NULL, 0, 0, 0 },
	F_REC(document, table, &about_record),
	F_REC(document, system, &system_record),
	F_NUM(document, cells, 0, 0, 0),
};

/*
 * The estimates are an object whose keys are the tests ("T2/T1"), so their record is made for each
 * table; they lie behind the document.
 */
static const struct record *
document_record(struct arena *a, const struct import_result *r)
{
	struct record *both = arena_array(a, 2, sizeof(*both));
	struct field *keys = arena_array(a, r->n_estimates + 1, sizeof(*keys));
	struct field *fields = arena_array(a, NELEM(document_fields) + 2, sizeof(*fields));

	for (size_t i = 0; i < r->n_estimates; i++)
		keys[i] = (struct field){ .name = r->estimates[i].name, .type = FIELD_RECORD,
			.offset = i * sizeof(*r->estimates), .record = &estimate_record };
	memcpy(fields, document_fields, sizeof(document_fields));
	fields[NELEM(document_fields)] = (struct field){ .name = "estimates",
		.type = FIELD_RECORD, .offset = sizeof(struct document), .record = &both[1] };
	both[0] = (struct record){ "document", sizeof(struct document), fields };
	both[1] = (struct record){ "estimates", r->n_estimates * sizeof(*r->estimates), keys };
	return both;
}

/* More digits than these mean nothing. */
static struct import_estimate
rounded(struct import_estimate x)
{
	x.hl_pct = rint(10 * x.hl_pct) / 10;
	x.lo_pct = rint(10 * x.lo_pct) / 10;
	x.hi_pct = rint(10 * x.hi_pct) / 10;
	x.e_better = rint(100 * x.e_better) / 100;
	x.e_worse = rint(100 * x.e_worse) / 100;
	return x;
}

char *
import_json(struct arena *a, const struct import_table *t, const struct import_system *s,
    const struct import_result *r)
{
	size_t bytes = r->n_estimates * sizeof(*r->estimates);
	struct document *d = arena_alloc(a, sizeof(*d) + bytes);
	struct import_estimate *estimates = (struct import_estimate *)(void *)(d + 1);

	*d = (struct document){ IMPORT_SCHEMA, *r, t->about, *s, (double)t->n_rows };
	for (size_t i = 0; i < r->n_estimates; i++)
		estimates[i] = rounded(r->estimates[i]);
	return record_to_json(a, document_record(a, r), d, true);
}
