/*
 * guard_remote_files: files of the host changed together with the values that the guard there
 * holds, by the guard itself: guard_remote_stage(), guard_remote_commit().  Part of guard_remote.
 *
 * What is staged lies in the guard's directory: a new text each ("new0", ..), and "commit", which
 * says what they are for.  Told to go, the guard looks whether every file is still what it was,
 * writes the new ones beside, keeps the old ones beside, and swaps the names; then, with all of it
 * on disk, "kept" decides.  Whatever ends it before that, it or the next pathtune that comes by
 * puts the old ones back, as long as what has the name is what was put there, and then the values.
 */
#ifndef PATHTUNE_GUARD_REMOTE_FILES_H
#define PATHTUNE_GUARD_REMOTE_FILES_H

#include "guard_remote.h"

/* The functions of the guard that do it: commit, settle, put_back. */
extern const char guard_remote_files_text[];

/* The commands that bring it all into dir; the last one says "ok", "gone" or "failed NAME". */
void guard_remote_files_stage(struct arena *a, const char *dir, const struct guard_remote_change *x,
    struct command **c, size_t *n);

#endif
