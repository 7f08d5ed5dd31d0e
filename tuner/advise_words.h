/*
 * advise_words: what advise found about one direction, in sentences.
 */
#ifndef PATHTUNE_ADVISE_WORDS_H
#define PATHTUNE_ADVISE_WORDS_H

#include "kernel.h"

struct advised {
	enum direction direction;
	const struct profile *profile;
	const struct facts *facts;    /* as found, completed */
	double needed_bytes;
	double connections;
	struct kernel_window now, after;
	bool fixed;                   /* this system has no knob for the window */
	bool changes;                 /* there are lines for this direction */
	bool bounded;                 /* memory made it smaller than needed */
	const char *why;              /* a knob that cannot be set, or NULL */
};

/* What limits now, and what the advice makes of it. */
const char *advise_words(struct arena *a, const struct advised *x);

#endif
