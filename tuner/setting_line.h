/*
 * setting_line: one line of a file of settings, taken apart as the system's own reader would.
 */
#ifndef PATHTUNE_SETTING_LINE_H
#define PATHTUNE_SETTING_LINE_H

#include "model.h"

/* Both point into the line and are not terminated. */
struct setting_text {
	const char *name;
	size_t name_len;
	const char *value;   /* without its quotes; of a file of names only: empty */
	size_t value_len;
	bool optional;       /* "?=", or a leading "-" */
};

/*
 * The line s, len bytes of anything without its newline, in the syntax of f->line and f->accepts.
 * False: it sets nothing (a comment, an empty line, something else), *out is untouched.  Of a line
 * with several settings it is the first word.
 */
bool setting_line(const char *s, size_t len, const struct persist_file *f,
    struct setting_text *out);

/*
 * The next setting of a line; *s and *len become what is left of it.  False: there is no more.
 * A line has one, and as many as it has words where f accepts those.
 */
bool setting_line_next(const char **s, size_t *len, const struct persist_file *f,
    struct setting_text *out);

/* The name with dots between its parts; where f accepts slashes, its first separator decides. */
char *setting_line_name(struct arena *a, const struct setting_text *t,
    const struct persist_file *f);

/* The line sets the knob of this name, compared as above. */
bool setting_line_sets(const struct setting_text *t, const struct persist_file *f,
    const char *knob);

/* A word that may stand in accepts. */
bool setting_line_accepts(const char *word);

#endif
