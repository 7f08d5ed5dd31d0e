/*
 * profile: find, load and check a profile.  Profiles are embedded in the binary at build time; a
 * file named by --profile replaces the embedded one and goes through the same loader.
 */
#ifndef PATHTUNE_PROFILE_H
#define PATHTUNE_PROFILE_H

#include "model.h"

/* Text of a profile; file is what errors call it: "file:line: key: what". */
bool profile_parse(struct arena *a, const char *file, const char *text, size_t len,
    struct profile **out, struct err *e);

/* The embedded profile whose sysname is the given one ("Linux"). */
bool profile_for(struct arena *a, const char *sysname, struct profile **out, struct err *e);

/* Name and text (not terminated) of the i-th embedded profile; NULL: there are no more. */
const char *profile_embedded(size_t i, const char **text, size_t *len);

/*
 * The embedded profile of this name ("linux") in any case, so that uname -s finds it too; without
 * one, ERR_USAGE names all there are.
 */
bool profile_named(struct arena *a, const char *name, struct profile **out, struct err *e);

/*
 * The profile in a file is of this system; os NULL: nobody knows, which is no error.  Else
 * ERR_USAGE: numbers of one system are nothing for another.
 */
bool profile_is_of(const struct profile *p, const char *file, const char *os, struct err *e);

/*
 * A profile in struct form is sound (profile_parse checks): patterns compile and have one group,
 * fact names are those of struct facts, substitutions are known where they stand, no release has
 * two knobs of one name or role, min is not above max, files are absolute paths.
 */

/* The value of a substitution {key}; value NULL: not known. */
struct substitution {
	const char *key;
	const char *value;
};

/* The one whose key has this length, or NULL.  s ends with a NULL key. */
const struct substitution *profile_substitution(const struct substitution *s, const char *key,
    size_t len);

/* text with every {key} replaced; NULL when one is not known.  s ends with a NULL key. */
char *profile_expand(struct arena *a, const char *text, const struct substitution *s);

/* An argv of a profile expanded, NULL-terminated; NULL when a substitution is not known. */
const char **profile_argv(struct arena *a, const char **argv, size_t n,
    const struct substitution *s);

/*
 * A pattern with every {key} replaced by its value as literal text; NULL when one is not known.
 * Other braces are the pattern's own.
 */
char *profile_pattern(struct arena *a, const char *pattern, const struct substitution *s);

/* A pattern compiles and has one group; its keys are among known, separated by blanks. */
bool profile_pattern_check(const char *pattern, const char *known, struct err *e);

/* Which of the keys, in their order, is not known and stands in the pattern; NULL: none. */
const char *profile_pattern_lacks(const char *pattern, const struct substitution *s);

/* What is known of a release and machine (NULL: not known) lies within the range. */
bool profile_in_range(const struct range *r, const char *release, const char *arch);

/* The window model that holds for a direction, a release and a machine, or NULL. */
const struct window_model *profile_window(const struct profile *p, enum direction direction,
    const char *release, const char *arch);

/* The first knob with this role, or NULL. */
const struct knob *profile_knob(const struct profile *p, enum knob_role role);

/* The role of this name; ROLE_UNKNOWN: there is none. */
enum knob_role profile_role(const char *name);

/*
 * That a release lies outside of those that the profile is known for, in a sentence; NULL: it does
 * not, or nobody knows.  A release with more numbers than last_release is compared by as many.
 */
const char *profile_release_note(struct arena *a, const struct profile *p, const char *release);

/* "6.18.44-fc" against "6.6": <0, 0, >0 by numbers between dots, to the first other character. */
int profile_release_cmp(const char *a, const char *b);

#endif
