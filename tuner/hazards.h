/*
 * hazards: known harm found on a host.  Pure: facts in, list out.
 *
 * Found by the models, on every system: lethal (new sockets fail), limit-freezes (a maximum above
 * the limit's share: growth ends early), limit-useless (the maximum was raised, the limit was not),
 * wrapped (outside of the legal range: a value that the kernel cut to its type), below-default
 * (clearly less than this kernel starts with), autotuning-off, stale-key (a file sets a knob that
 * this release does not have), overridden (a line of the file that we write is undone by another),
 * drift (a file says otherwise than the kernel).  Found by the profile's rules: the rest.
 */
#ifndef PATHTUNE_HAZARDS_H
#define PATHTUNE_HAZARDS_H

#include "model.h"

/* In a fixed order: the profile's knobs, then its rules.  *out is NULL when there is none. */
void hazards_find(struct arena *a, const struct profile *p, const struct facts *f,
    struct hazard **out, size_t *n);

/*
 * The line that sets this knob at boot in the end, by the profile's precedence; NULL: none.  Lines
 * of our own file or block are among them.
 */
const struct source_line *hazards_effective(const struct profile *p, const struct facts *f,
    const char *knob);

/* The same value of a knob: blanks and tabs are as good, and 0x10 is 16. */
bool hazards_same_value(const char *a, const char *b);

/* All conditions of the rule hold for these facts. */
bool hazards_rule_holds(const struct profile *p, const struct facts *f,
    const struct hazard_rule *r);

/* What probe --json prints and advise --facts reads: the facts, and what was found in them. */
struct facts_document {
	struct facts facts;
	struct hazard *hazards;
	size_t n_hazards;
	struct path_limit *limits; /* of the short transfers; none without a peer */
	size_t n_limits;
};

const struct record *hazards_document(struct arena *a);

#endif
