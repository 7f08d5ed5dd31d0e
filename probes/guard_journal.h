/*
 * guard_journal: what the guard knows, in memory and on disk, and how it is carried out.
 *
 * One file for each scope (network namespace) in the state directory, mode 0600.  Whoever may still
 * restore from it (the run and its guard) holds a flock() on it together, because a fork shares the
 * open file: it can be locked anew only when both are gone, which no number of a process could
 * tell.  Lines are appended, each on disk before what it announces happens; a last line without its
 * newline announces nothing, nor do NUL bytes at the end, which a file system may leave there when
 * the power fails before the data are written.
 *
 *	pathtune-journal <tab> 2 <tab> knobs <tab> process <tab> boot <tab> scope
 *	old <tab> name <tab> file <tab> text      as many of these three as the first line says
 *	run <tab> name <tab> text <tab> number of words that read <tab> these <tab> those that write
 *	word <tab> after <tab> name, and so on as in run: the value is the word behind "after"
 *	ours <tab> number of the knob <tab> text  any number
 *	held                                      what is ours so far was read back
 *	file <tab> path <tab> by <tab> old <tab> device <tab> inode <tab> size <tab> seconds of "by"
 *
 * Of the lines for one file the last one counts.
 *
 * Version 1 has neither run, word, held nor file; it is read as well, and all of it counts as held.
 *
 * Nothing here but the functions that take an arena needs new memory: the guard runs this.
 */
#ifndef PATHTUNE_GUARD_JOURNAL_H
#define PATHTUNE_GUARD_JOURNAL_H

#include "knobs.h"

#include <stdint.h>
#include <sys/types.h>

#define JOURNAL_KNOBS 24
#define JOURNAL_OURS 1024
#define JOURNAL_TEXT 160  /* of a value, with the terminator */
#define JOURNAL_LINE 1536
#define JOURNAL_WORDS 12  /* of an argv */
#define JOURNAL_ARGV 320  /* bytes of its words, with their terminators */
#define JOURNAL_FILES 8
#define JOURNAL_BASE 160  /* of a name within a directory, with the terminator */
#define JOURNAL_HELD "held"
#define JOURNAL_PREFIX "journal-"

struct journal_argv {
	char text[JOURNAL_ARGV];
	const char *word[JOURNAL_WORDS + 1]; /* ends with NULL */
};

struct journal_knob {
	char name[96];
	char file[512]; /* "": by commands */
	char old[JOURNAL_TEXT];
	char after[96]; /* "": all that is read */
	struct journal_argv read, write;
};

/* A file that was replaced, or was about to be. */
struct journal_replaced {
	char path[512];
	char by[JOURNAL_BASE], old[JOURNAL_BASE]; /* beside it; old "": there was none */
	uintmax_t device, inode;                  /* of what "by" was; 0: it was not there yet */
	uintmax_t size, time_s;                   /* its length, and when it was written */
};

struct journal_value {
	size_t knob;
	char text[JOURNAL_TEXT];
};

struct journal {
	char boot[96], scope[96]; /* "-": not known */
	long process;             /* of the run; for messages only */
	bool begun;               /* the first line was read */
	bool unfinished;          /* ends before its old values are complete, as in a power cut */
	size_t promised;          /* knobs that it promises */
	bool holds;               /* of a version without "held" */
	size_t n, n_ours, n_files;
	size_t n_held;            /* of ours */
	struct journal_knob knob[JOURNAL_KNOBS];
	struct journal_value ours[JOURNAL_OURS];
	struct journal_replaced file[JOURNAL_FILES];
};

/*
 * Too long, too many or unprintable is an error.  A file given twice counts once, and so does the
 * name of a knob without one.  A journal is never copied: its words point into it.
 */
bool journal_fill(struct journal *j, const char *boot_id, const char *scope_id,
    const struct knob_value *old, size_t n, struct err *e);

/* The lines that stand for j without what is ours. */
char *journal_head(struct arena *a, const struct journal *j);

/* Take one line, without its newline; it is cut up.  Errors do not name the file. */
bool journal_line(struct journal *j, char *line, struct err *e);

/*
 * Could this be the beginning of a line that j waits for, the first one or an old value?  Nothing
 * is the beginning of every line.
 */
bool journal_begins(const struct journal *j, const char *text, size_t len);

/* The lines for those values that j does not know yet; they are added to j.  "" if none. */
bool journal_announce(struct arena *a, struct journal *j, const struct knob_value *v, size_t n,
    const char **lines, struct err *e);

/* Was this value, as a whole, announced? */
bool journal_is_announced(const struct journal *j, size_t knob, const char *text);

/* The line for this file, which is added to j or takes the place of the one that is there. */
bool journal_replaces(struct arena *a, struct journal *j, const struct journal_replaced *r,
    const char **line, struct err *e);

/* A knob of it with this text. */
struct knob_value journal_knob_value(const struct journal *j, size_t knob, const char *text);

/* Does it name this boot and this scope? */
bool journal_is_boot(const struct journal *j, const char *boot_id);
bool journal_is_scope(const struct journal *j, const char *scope_id);

/*
 * Is this value ours?  Any is while one that was announced has not held yet: a kernel may have
 * made something else of it.  Else every field is the old one or one that we announced for that
 * place: so a triple that the kernel took in part is ours as well.
 */
bool journal_owns(const struct journal *j, size_t knob, const char *text);

/* How to get at the knobs; both say false on failure and keep the reason for themselves. */
struct journal_reach {
	void *arg;
	bool (*read)(void *arg, size_t knob, char text[JOURNAL_TEXT]);
	bool (*write)(void *arg, size_t knob, const char *text);
};

struct journal_result {
	size_t files;    /* put back, or removed where there was none */
	size_t restored; /* had another value of ours, now the old one, read back */
	size_t foreign;  /* changed by somebody else, left as they are */
	size_t failed;
	size_t first_foreign, first_failed;
	size_t failed_files, first_failed_file;
	char foreign_text[JOURNAL_TEXT]; /* what the first foreign one is now */
};

/* Bring back the files, and then the old values, last knob first. */
struct journal_result journal_restore(const struct journal *j, const struct journal_reach *r);

/*
 * After a reboot: the files, and where that put one back also the values that are exactly what we
 * announced, because the boot took them from it.  What cannot be set then is no failure.  r NULL:
 * files only.
 */
struct journal_result journal_restore_booted(const struct journal *j,
    const struct journal_reach *r);

/* The files only, on the same boot. */
struct journal_result journal_restore_files(const struct journal *j);

/* ---- on disk --------------------------------------------------------------------------------- */

struct journal_file {
	int dir_fd, fd;
	const char *name;  /* within the directory */
	const char *path;  /* for messages */
};

/* The directory, made if it is missing; *fd is -1 when it is missing and make is false. */
bool journal_dir(struct arena *a, const char *state_dir, bool make, int *fd, struct err *e);

/* What the journal of a scope is called. */
const char *journal_name(struct arena *a, const char *scope_id);

/*
 * Open f->name in f->dir_fd and check that nobody else could have written it; fd is -1 when it is
 * not there and make is false.
 */
bool journal_open(struct journal_file *f, bool make, struct err *e);

/* Lock it, unless somebody holds it.  It may have been removed just before: look if it is there. */
bool journal_lock(const struct journal_file *f);

/* Is what we have open still what the directory has under that name? */
bool journal_is_there(const struct journal_file *f);

/*
 * Read all of it.  An empty file has not begun; one that ends within the lines that are written
 * first is unfinished: nothing was set then, because those are on disk before anything is.
 */
bool journal_load(struct arena *a, const struct journal_file *f, struct journal *j,
    struct err *e);

/* All of it on disk, or nothing appended. */
bool journal_append(const struct journal_file *f, const char *text, struct err *e);

/* Unlink it if it is still there.  False: errno tells. */
bool journal_remove(const struct journal_file *f);

/* Close what is open. */
void journal_close(struct journal_file *f);

#endif
