/*
 * undo: what an apply changed, so that it can be taken back: the undo record.
 *
 * One file a host, in the state directory, mode 0600: JSON with the schema UNDO_SCHEMA.  Every
 * apply that changed something is a level, the last one at the end.  A level is written before any
 * file is changed ("applying") and marked when all is done ("applied"); what a run that died in
 * between left is judged by what the files hold (undo_settle()).  It is written after the values
 * are set, because only then it is known which of them hold: until all is decided the old values
 * are in the guard's journal, which is on disk before the first of them is set, and who dies then
 * leaves nothing that a record would have to undo.
 */
#ifndef PATHTUNE_UNDO_H
#define PATHTUNE_UNDO_H

#include "model.h"

#define UNDO_SCHEMA "pathtune-undo/1"
#define UNDO_LEVELS 8                          /* more are joined at the oldest end */
#define UNDO_FILE_BYTES ((size_t)1024 * 1024)  /* of a file that holds settings */

enum undo_state { UNDO_APPLIED, UNDO_APPLYING, UNDO_REVERTING };

struct undo_value {
	const char *name;
	const char *old, *new;
};

struct undo_file {
	const char *path;
	bool block;       /* new holds our block; the rest of the file is of others */
	double mode;      /* of the old file, and its owner; NAN: there was none */
	double uid, gid;
	const char *old;  /* undo_encode()d; NULL: there was no such file */
	const char *new;
};

struct undo_level {
	int state;        /* enum undo_state */
	const char *applied; /* UTC, ISO 8601 */
	const char *run;  /* the run file's name as given */
	const char *boot_id, *scope_id;
	struct undo_value *values;
	size_t n_values;
	struct undo_file *files;
	size_t n_files;
};

struct undo {
	const char *schema;
	const char *version; /* of the program */
	const char *host;    /* what uname -n says */
	const char *os;
	struct undo_level *levels;
	size_t n_levels;
};

extern const struct record undo_record;

/* Any bytes as printable ASCII with newlines and tabs; '%' and all others become %XX. */
char *undo_encode(struct arena *a, const char *text, size_t len);

/* The bytes; NULL where the text was not made by undo_encode(). */
char *undo_decode(struct arena *a, const char *text, size_t *len);

/* From the text of the record; name is what errors call it. */
bool undo_read(struct arena *a, const char *name, const char *text, size_t len,
    struct undo *out, struct err *e);

/* One more level; the two oldest become one when there are too many. */
void undo_push(struct arena *a, struct undo *u, const struct undo_level *level);

/* The levels from first on as one: what was before the first, and what the last one left. */
struct undo_level undo_joined(struct arena *a, const struct undo *u, size_t first);

/* A file as it is now. */
struct undo_now {
	const char *path;
	const char *text; /* NULL: not there */
	size_t len;
};

/*
 * Settle what a run that died left: the last level goes where it never happened, or was reverted
 * already, by the texts of its files now (in its order) and, where it has none, by its values.
 * True when the record changed.
 */
bool undo_settle(struct arena *a, struct undo *u, const struct undo_now *now,
    const struct facts *f);

enum undo_step {
	UNDO_NOTHING,  /* it is already as it was */
	UNDO_RESTORE,
	UNDO_LEAVE,    /* it was changed, or removed, by somebody else */
};

/* What is to be done about a file: its text (NULL: it goes), or why it is left. */
struct undo_want {
	enum undo_step step;
	const char *text;
	size_t len;
	const char *why;
};

/*
 * The file as it was before the level, where what is there now is what we left.  Our block in a
 * file of others is taken out, or replaced by the older one, whatever stands around it now.  False:
 * now is damaged (marks).
 */
bool undo_file_want(struct arena *a, const struct undo_file *f, const struct undo_now *now,
    struct undo_want *out, struct err *e);

/* The same of a value; text is what the kernel has. */
enum undo_step undo_value_step(const struct undo_value *v, const char *text);

#endif
