/*
 * script_round: one round trip by script (script.h): what is sent, and how long and how large the
 * answer may be.
 */
#ifndef PATHTUNE_SCRIPT_ROUND_H
#define PATHTUNE_SCRIPT_ROUND_H

#include "host.h"

struct script_round {
	const char *mark; /* a fresh one */
	const char *text;
	size_t len;
	double limit_s; /* all commands may take their time, but within what people wait for */
	size_t most_bytes;
	bool even_stopped; /* one script: it goes on after a stop when all commands do */
};

/* start_s is for the shell to be reached.  False when there are no random numbers to be had. */
bool script_round_make(struct arena *a, const struct command *c, size_t n, double start_s,
    struct script_round *out, struct err *e);

#endif
