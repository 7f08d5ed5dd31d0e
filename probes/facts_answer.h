/*
 * facts_answer: what a host said, turned into facts.  Pure: no host in here, so that hostile and
 * broken answers can be tried without one.  Part of facts_probe().
 *
 * An answer is believed only if it is exactly of the kind expected: a number of plain digits within
 * the range of its field (rtt_ms may have a point), a name of one line of printable ASCII.  A knob
 * may be out of its range: that is a finding.
 */
#ifndef PATHTUNE_FACTS_ANSWER_H
#define PATHTUNE_FACTS_ANSWER_H

#include "../tuner/model.h"
#include "host.h"

enum answer {
	ANSWER_KNOWN,   /* stored */
	ANSWER_UNKNOWN, /* the rule says why it cannot be had: *why */
	ANSWER_OTHER,   /* something else was said: *why; the next rule may know */
	ANSWER_FAILED,  /* the command failed: *why */
};

/* Store the fact of a rule into *f.  field is that of facts_record. */
enum answer answer_fact(struct arena *a, const struct fact_rule *r, const struct field *field,
    const struct output *o, struct facts *f, const char **why);

/* Those of the source's list that the answer speaks of, in that order; patterns are expanded. */
void answer_offloads(struct arena *a, const struct offload_source *s, const struct output *o,
    struct facts *f);

/* The value of a knob; false with *why when it is not one. */
bool answer_knob(struct arena *a, const struct knob *k, const struct output *o,
    struct knob_fact *f, const char **why);

/* Names wherever the pattern matches; without one, separated by blanks.  Longer ones are none. */
void answer_names(struct arena *a, const struct output *o, const char *pattern, size_t most_bytes,
    const char ***names, size_t *n);

/* A line of the list (of modules) begins with this word; '-' and '_' are the same there. */
bool answer_lists(const struct output *o, const char *word);

/* Can stand in a path or an argument without meaning anything else. */
bool answer_is_plain(const char *s);

void facts_unknown(struct arena *a, struct facts *f, const char *fact, const char *why);

#endif
