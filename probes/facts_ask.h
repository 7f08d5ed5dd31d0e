/*
 * facts_ask: the questions of one probe, and the rules that ask them.  Part of facts_probe().
 *
 * Questions are collected and then put together in one host_run(), because over ssh a round costs
 * a round trip; the same question is put once.  Where a round is dear (ahead), everything that
 * can be asked is asked in the first one, fallbacks too; locally, where a command is dear, only
 * what is needed.
 */
#ifndef PATHTUNE_FACTS_ASK_H
#define PATHTUNE_FACTS_ASK_H

#include "../tuner/profile.h"
#include "host.h"

struct question {
	const char **argv; /* expanded; NULL: file */
	const char *file;
	struct output answer;
	double timeout_s; /* 0: the usual */
	bool answered;
};

struct want; /* of facts_rules.c */

struct probe {
	struct host *host;
	struct arena *arena;
	const struct profile *profile;
	const char *peer;
	bool ping;
	bool ahead;
	struct facts *facts;
	struct question *questions;
	size_t n_questions;
	struct want *wants;
	size_t n_wants;
	struct err *e;
};

/* Put a question, by argv or file; both NULL: none. */
void facts_ask(struct probe *p, const char **argv, const char *file);

/* The same, with more time than is usual to answer. */
void facts_ask_slow(struct probe *p, const char **argv, const char *file, double timeout_s);

/* What was said to a question; NULL: it was not answered yet, or never put. */
const struct output *facts_said(const struct probe *p, const char **argv, const char *file);

/* Have all questions answered that are not yet; *any: there were such. */
bool facts_ask_run(struct probe *p, bool *any);

/* A fact that may be substituted: the value if it is known and harmless, else NULL. */
const char *facts_usable(const char *value);

#define FACTS_KNOWN 7 /* substitutions, with the end mark */

/* Those of rules, as far as they are known by now. */
void facts_known(const struct probe *p, struct substitution known[FACTS_KNOWN]);

/* Put all questions of rules that can be put already, fallbacks too. */
void facts_ask_ahead(struct probe *p);

/* All rules of the profile: what they find is stored, what they do not is listed as unknown. */
bool facts_ask_rules(struct probe *p);

/* What is not one fact a rule: questions first, then what came of the answers. */
void facts_ask_offloads(struct probe *p);
void facts_take_offloads(struct probe *p);
void facts_ask_knobs(struct probe *p);
void facts_take_knobs(struct probe *p);
void facts_ask_choices(struct probe *p);
bool facts_take_choices(struct probe *p); /* asks once more, what is worth loading */
void facts_ask_sources(struct probe *p);
void facts_take_sources(struct probe *p);
void facts_ask_names(struct probe *p);
void facts_take_names(struct probe *p);

/* What a line "FILE:LINE:TEXT" of s to end says; false: it is none. */
struct facts_line {
	const char *file; /* can be shown */
	double line;
	const char *text; /* within s */
	size_t len;
};
bool facts_line_of(struct arena *a, const char *s, const char *end, struct facts_line *out);

/* A copy that can be shown: one line of ASCII, not overlong. */
char *facts_shown(struct arena *a, const char *s, size_t len);

#endif
