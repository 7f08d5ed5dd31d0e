/*
 * persist: replace a file of the host's so that at any moment it is what it was, or wholly new.
 *
 * The new text is written beside the file and the file itself is linked beside, both are on disk,
 * and then the names are swapped by one rename; a file that is to go is unlinked, and nothing else
 * is ever seen in its place.  Until persist_settle() the way back is another rename.  What somebody
 * else writes meanwhile is an error, not lost: it is looked for right before the rename, and in
 * what was replaced before that is let go.  The names beside begin with a dot and do not end in
 * ".conf": nothing reads them at boot.  They end in a mark of the network namespace, so that two of
 * them that share a directory never have one name for their files.
 */
#ifndef PATHTUNE_PERSIST_H
#define PATHTUNE_PERSIST_H

#include "../tuner/base.h"

#include <sys/stat.h>

/* A file as it was read. */
struct persist_found {
	const char *path;
	const char *text;  /* NULL: not there */
	size_t len;
	struct stat st;    /* of one that is there */
};

/*
 * Read a file of at most cap bytes.  One that is not there is no error; a symbolic link, a
 * directory or anything else that is no regular file is, and so is a file that is larger.
 */
bool persist_read(struct arena *a, const char *path, size_t cap, struct persist_found *out,
    struct err *e);

struct persist_swap {
	const char *path;
	const char *dir;
	const char *by;    /* the new file, beside */
	const char *old;   /* the one before, beside; NULL: there was none */
	struct persist_found found;
};

/* The names for a file that was found; nothing is made.  mark: letters, digits, '-' and '_'. */
bool persist_name(struct arena *a, const struct persist_found *f, const char *mark,
    struct persist_swap *out, struct err *e);

/*
 * Make ready.  The new file has the mode and owner of the one that was found, or 0644.  A file
 * that is no longer what was found is an error.  A directory that is missing is made (0755), if
 * the one above it is there.  On failure nothing stays beside.
 */
bool persist_prepare(const struct persist_swap *s, const char *text, size_t len, struct err *e);

/*
 * The new one takes the name, or with remove the name goes and the new one (empty) stays beside:
 * that it does tells a guard whose work this was.  Only if the name is still of what was found; on
 * disk when it returns true.
 */
bool persist_swap(const struct persist_swap *s, bool remove, struct err *e);

/* Did nobody write to the older one since it was found, through a descriptor that he had? */
bool persist_check(const struct persist_swap *s, struct err *e);

/* Nothing is to be taken back any more: what lies beside goes. */
bool persist_settle(const struct persist_swap *s, struct err *e);

/* What a dead run with this mark left beside goes; errors do not count. */
void persist_tidy(struct arena *a, const char *path, const char *mark);

#endif
