/*
 * facts_ask: the questions of one probe, and the rules that ask them.  Part of facts_probe().
 *
 * The rules are asked in rounds: each round carries one rule of every fact that is still open, all
 * in one host_run(), because over ssh a round costs a round trip.  The same question is asked once.
 */
#ifndef PATHTUNE_FACTS_ASK_H
#define PATHTUNE_FACTS_ASK_H

#include "../tuner/profile.h"
#include "host.h"

struct question {
	const char **argv; /* expanded; NULL: file */
	const char *file;
	struct output answer;
	bool answered;
};

struct want; /* of facts_rules.c */

struct probe {
	struct host *host;
	struct arena *arena;
	const struct profile *profile;
	const char *peer;
	struct facts *facts;
	struct question *questions;
	size_t n_questions;
	struct want *wants;
	size_t n_wants;
	struct err *e;
};

/* Its index among the questions, where it may stand already. */
size_t facts_ask(struct probe *p, const char **argv, const char *file);

/* Have all questions answered that are not yet. */
bool facts_ask_run(struct probe *p);

/* A fact that may be substituted: the value if it is known and harmless, else NULL. */
const char *facts_usable(const char *value);

/* All rules of the profile: what they find is stored, what they do not is listed as unknown. */
bool facts_ask_rules(struct probe *p);

#endif
