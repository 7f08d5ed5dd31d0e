/*
 * files: read and write files of the user's: run files, fragments, tokens.  A file that is written
 * is either what it was before or wholly the new text, whatever happens in between.
 */
#ifndef PATHTUNE_FILES_H
#define PATHTUNE_FILES_H

#include "../tuner/model.h"

/*
 * All of it, terminated by a NUL that is not counted.  More than cap bytes is an error.  A pipe may
 * be read as well; a stop ends that (ERR_STOPPED).
 */
bool files_read(struct arena *a, const char *path, size_t cap, const char **text, size_t *len,
    struct err *e);

/* The same; one that is not there is empty. */
bool files_read_any(struct arena *a, const char *path, size_t cap, const char **text, size_t *len,
    struct err *e);

/* A copy of the line at *at, which moves behind it, without its newline; NULL at end. */
char *files_line(struct arena *a, const char **at, const char *end);

/*
 * Written beside, on disk, renamed.  mode is for a new file, less the umask; one that is there
 * keeps its mode and owner, a symbolic link is followed.  What is not a regular file (/dev/stdout)
 * is written to.  On failure the old file is untouched and nothing is left beside it.
 */
bool files_write(const char *path, const char *text, size_t len, unsigned mode, struct err *e);

/* All of it to where fd stands.  False: errno tells, and a part may have been written. */
bool files_put(int fd, const char *text, size_t len);

/*
 * Would files_write() fail at once?  For those who have work to do before they write.  A true is no
 * promise.
 */
bool files_may_write(const char *path, struct err *e);

/*
 * Write files below dir, each at its path as on the host ("/etc/sysctl.d/x" becomes
 * dir/etc/sysctl.d/x); directories are made as needed (0755), dir itself too, files get mode 0644
 * less the umask.  Paths that are not absolute or have ".", ".." or empty parts are refused, all of
 * them before anything is written; no symbolic link below dir is followed.
 */
bool files_tree_write(const char *dir, const struct file_text *files, size_t n, struct err *e);

#endif
