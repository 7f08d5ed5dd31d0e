/*
 * import: somebody else's table of results, and what it can and cannot show.
 *
 * import_read() takes the text of a table (docs/import.md), import_system() finds the system whose
 * kernel model tells which of its knobs could have acted, import_judge() concludes.  A change is
 * credited only where tests were interleaved in random order and a knob that could act differs;
 * never the window that a program asked for itself.
 */
#ifndef PATHTUNE_IMPORT_H
#define PATHTUNE_IMPORT_H

#include "model.h"

#define IMPORT_BYTES ((size_t)1024 * 1024)
#define IMPORT_SCHEMA "pathtune-import/1"
#define IMPORT_PAIRS 6      /* fewer change nothing, however clear they look (as the search) */
#define IMPORT_GAIN_PCT 3.0 /* less is never credited (as the search) */
#define IMPORT_THRESHOLD 20 /* of the betting test, times the settings that are compared */

enum import_order { ORDER_UNKNOWN, ORDER_SEQUENTIAL, ORDER_ALTERNATING, ORDER_RANDOM };
extern const char *const import_order_names[];
enum import_answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };
extern const char *const import_answer_names[];

/* How the table says that it was measured; NAN and NULL: it does not say. */
struct import_about {
	enum import_order order;
	enum import_answer interleaved;
	double runs_per_cell;
	double run_s;
	double sleep_s;      /* between two runs */
	const char *unit;    /* of the results: only shown */
	const char *source;
	const char *os;      /* the name of a profile */
	const char *release;
};

struct import_value {
	const char *text;
	double number;       /* with a unit like 2M too; NAN: it is not a number */
};

struct import_test {
	const char *name;
	struct import_value *values; /* by column */
	unsigned line;
};

struct import_row {
	size_t test;
	const char *window;  /* that the program asked for; NULL: auto-sizing */
	double window_bytes; /* NAN: auto-sizing */
	double round;        /* NAN: there is no such column */
	double avg;          /* above 0 */
	double median, min, max; /* NAN: no such column */
	unsigned line;
};

struct import_table {
	struct import_about about;
	const char **columns; /* of knobs, as the header spells them; at least one */
	size_t n_columns;
	struct import_test *tests; /* at least two; all are compared with the first */
	size_t n_tests;
	struct import_row *rows;
	size_t n_rows;
};

/* The system that the columns belong to. */
struct import_system {
	const struct profile *profile; /* NULL: no known system has these columns */
	struct facts facts;            /* release and machine, and the defaults */
	const struct knob **knobs;     /* by column; NULL: not one of the profile's */
	const char *os;
	const char *release;           /* NULL: the newest */
	bool assumed;                  /* by the columns: nobody named the system */
};

enum import_verdict { IMPORT_KEEP, IMPORT_CHANGE };
extern const char *const import_verdict_names[];
enum import_class { IMPORT_NOT_COMPARABLE, IMPORT_COMPARABLE };
extern const char *const import_class_names[];
enum import_finding { FINDING_NONE, FINDING_UNDECIDED, FINDING_BETTER, FINDING_WORSE };
extern const char *const import_finding_names[];

/* One test against the first, over the pairs of rows with the same window and round. */
struct import_estimate {
	const char *name;    /* "T2/T1" */
	double hl_pct;       /* Hodges-Lehmann of the averages' ratios, and its interval; NAN: no */
	double lo_pct, hi_pct; /* pairs */
	double conf;         /* of the exact signed-rank interval */
	double e_better;     /* largest value of the betting test, bets on this test .. */
	double e_worse;      /* .. and against it */
	double pairs;
	enum import_finding finding;
};

struct import_change {
	const char *name;    /* of the knob, the profile's where it is one of its */
	const char *old, *new;
};

struct import_result {
	enum import_verdict verdict;
	enum import_class class;
	const char *credited; /* the test, NULL: none */
	struct import_change *change;
	size_t n_change;
	const char **reasons; /* an id of docs/decisions.md, a colon, words */
	size_t n_reasons;
	const char **wanted;  /* what would have to be different, one for each reason */
	size_t n_wanted;
	struct import_estimate *estimates; /* by test, from the second on */
	size_t n_estimates;
	const char **notes;
	size_t n_notes;
};

/* name is what errors call the table: "name:line: what". */
bool import_read(struct arena *a, const char *name, const char *text, size_t len,
    struct import_table *out, struct err *e);

/*
 * os and release: as asked for by flags, NULL: what the table says, else the known system that has
 * all of the columns, by the last part of the names, and whose defaults the first test is closest
 * to.
 */
bool import_system(struct arena *a, const struct import_table *t, const char *os,
    const char *release, struct import_system *out, struct err *e);

struct import_result import_judge(struct arena *a, const struct import_table *t,
    const struct import_system *s);

/* One JSON document. */
char *import_json(struct arena *a, const struct import_table *t, const struct import_system *s,
    const struct import_result *r);

#endif
