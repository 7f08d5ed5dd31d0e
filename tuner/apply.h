/*
 * apply: a run, and what is on the host now -> what to set, what to write, and who objects.  Pure;
 * pipeline_apply.h carries it out.
 */
#ifndef PATHTUNE_APPLY_H
#define PATHTUNE_APPLY_H

#include "diff.h"
#include "undo.h"

/* A file of the profile's, as it is and as it would be. */
struct apply_file {
	const struct persist_file *kind;
	struct diff_text now;
	struct diff_text wanted;
	bool block;              /* of ours, in a file of others */
	bool changes;
};

/* Another line that sets at boot what we set, to something else. */
struct apply_conflict {
	const char *name;
	const char *where;       /* "file:line" */
	const char *value;
	bool wins;               /* it is read after ours: at boot it has the last word */
};

#define APPLY_FILES 3 /* settings, modules, an interface's offloads */

struct apply_plan {
	struct change_line *lines;       /* of the run, that may be applied */
	size_t n_lines;
	struct undo_value *values;       /* those that differ now, in the order to set them */
	size_t n_values;
	struct apply_file files[APPLY_FILES]; /* settings first; not every system has all */
	size_t n_files;
	struct apply_conflict *conflicts;
	size_t n_conflicts;
	const char **notes;              /* what is left out, and why */
	size_t n_notes;
};

/*
 * The run is of this host's system and of a release that the profile knows no difference to, and
 * the knobs that it sets are there and can be set, each to one value; it has come to a decision.
 * ERR_USAGE where the run is of another system, ERR_FAILED else; file is what errors call the run.
 */
bool apply_fits(struct arena *a, const struct profile *p, const struct facts *f,
    const struct run *run, const char *file, struct err *e);

/* The kinds of files that an apply writes on this host, settings first; their number. */
size_t apply_kinds(struct arena *a, const struct profile *p, const struct facts *f,
    const struct persist_file *kinds[APPLY_FILES]);

/* The run without what it says of offloads, for a host whose boot would not keep them. */
struct run apply_without_offloads(struct arena *a, const struct run *run);

/*
 * The plan, from what the files hold now (in the order of apply_kinds()).  Where held is not NULL
 * only those lines of the run count whose flag is set: those that could be set and read back.
 * False: a file cannot hold our block (fragment_merge()).
 */
bool apply_make(struct arena *a, const struct profile *p, const struct facts *f,
    const struct run *run, const struct diff_text *now, const bool *held,
    struct apply_plan *out, struct err *e);

/* Something is to be set or written. */
bool apply_pending(const struct apply_plan *plan);

/* The unified diff of all files, "" where none changes. */
char *apply_diff(struct arena *a, const struct apply_plan *plan);

/* Values, conflicts and notes in words, one a line. */
char *apply_words(struct arena *a, const struct apply_plan *plan);

/* The lines of other files against those that a text of ours would have. */
struct apply_conflict *apply_conflicts(struct arena *a, const struct profile *p,
    const struct facts *f, const struct diff_text *settings, size_t *n);

/* What apply, confirm and revert print with --json. */
struct apply_value_result {
	const char *name;
	const char *old, *new;
	const char *outcome;  /* "pending", "set", "refused", "restored", "left" */
	const char *why;
};

struct apply_file_result {
	const char *path;
	const char *outcome;  /* "pending", "written", "restored", "removed", "left" */
	const char *why;
};

struct apply_result {
	const char *schema;
	const char *command;
	const char *status;   /* "nothing", "pending", "applied", "unconfirmed", "confirmed",
	                         "reverted", "refused" (somebody else's edits), "partly" */
	double confirm_s;     /* unconfirmed: for so long */
	struct apply_value_result *values;
	size_t n_values;
	struct apply_file_result *files;
	size_t n_files;
	struct apply_conflict *conflicts;
	size_t n_conflicts;
	const char **notes;
	size_t n_notes;
	const char *diff;
};

#define APPLY_SCHEMA "pathtune-apply/1"
extern const struct record apply_result_record;

#endif
