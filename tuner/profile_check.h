/*
 * profile_check: what a field table cannot say about a profile.  Part of profile_parse().
 */
#ifndef PATHTUNE_PROFILE_CHECK_H
#define PATHTUNE_PROFILE_CHECK_H

#include "model.h"

/* root is the tree that p was read from: errors take their lines from there. */
bool profile_check(const char *file, const struct node *root, const struct profile *p,
    struct err *e);

/* ---- for profile_check*.c and profile_pattern.c only ----------------------------------------- */

/* What is looked at: the node of one map of the profile. */
struct check {
	const char *file;
	const struct node *map;
	struct err *e;
};

/* Facts that may stand in rules. */
extern const char check_facts[];

const struct node *check_child(const struct node *map, const char *key);
unsigned check_line(const struct check *c, const char *key);

/* Always false, with "file:line: key: what". */
bool check_wrong(const struct check *c, const char *key, const char *what);

/* keys are words separated by blanks; the word of this length is one of them. */
bool check_among(const char *keys, const char *word, size_t len);

/* known: the keys of substitutions that may stand here. */
bool check_substitutions(const struct check *c, const char *key, const char *text,
    const char *known);
bool check_argv(const struct check *c, const char *key, const char **argv, size_t n,
    const char *known);
bool check_file(const struct check *c, const char *key, const char *file, const char *known);

bool check_range(const struct check *c, const struct range *r);

/* Some release has a knob of this name. */
bool check_has_knob(const struct profile *p, const char *name);

/* The member of struct facts with this name that is a string, a number or a switch; NULL: none. */
const struct field *check_fact_field(const char *name);

bool check_endpoints(struct check *c, const struct node *root, const struct endpoints *x);

bool check_extra(const struct check *c, const struct profile *p, size_t i);

bool check_nic(struct check *c, const struct node *root, const struct nic_system *s);

/* facts, knobs, windows, scales, requires, extras, hazards */
bool check_lists(struct check *c, const struct node *root, const struct profile *p);

#endif
