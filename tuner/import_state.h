/*
 * import_state: what the parts of import share; nobody else includes this.
 *
 * import.c judges, import_reasons.c says why, import_read.c reads lines, import_about.c what their
 * comments say, import_system.c finds the system, import_json.c writes the document.
 */
#ifndef PATHTUNE_IMPORT_STATE_H
#define PATHTUNE_IMPORT_STATE_H

#include "import.h"

/* What a knob's part in a table can be. */
enum part {
	PART_ANY,   /* nothing is known that would keep it from acting */
	PART_SIZES, /* of auto-sizing: no part where the program asked for a size itself */
	PART_LIMIT, /* bounds that request: no part where all requests are below it */
};

struct judge {
	struct arena *arena;
	const struct import_table *t;
	const struct import_system *s;
	struct import_result *r;
	bool asked;          /* every row has a window that the program asked for */
	double asked_bytes;  /* the largest */
};

/* import_about.c: one key=value of a comment; an error without its place. */
bool import_about_read(const char *key, const char *value, struct import_about *out,
    struct err *e);

/* import.c */
bool import_same_value(const struct import_value *a, const struct import_value *b);
bool import_same_number(double a, double b); /* also when neither is known */
bool import_coins(const struct import_about *x); /* decided whose turn it was */
enum part import_part(const struct judge *j, size_t column);
bool import_differs(const struct judge *j, size_t test, size_t column); /* from the first */
bool import_varies(const struct judge *j, size_t column);
/* Of the tests, the one whose value of this column is smallest. */
size_t import_smallest(const struct judge *j, size_t column);
/* The largest request that the limit lets through, by the kernel model of either direction. */
double import_admits(const struct judge *j, size_t column, double limit,
    const struct window_model **model);
bool import_limit_reached(const struct judge *j, size_t column);

/* import_reasons.c: before, and after the findings. */
void import_reasons(struct judge *j);
void import_reasons_findings(struct judge *j);
void import_notes(struct judge *j);

#endif
