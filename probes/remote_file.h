/*
 * remote_file: files of a host that is reached through its shell: read as persist.h does, and
 * brought there.  A file is the same when its length and POSIX cksum(1) are.
 */
#ifndef PATHTUNE_REMOTE_FILE_H
#define PATHTUNE_REMOTE_FILE_H

#include "host.h"
#include "persist.h"

/* What "cksum <file" says of these bytes: "CRC LENGTH". */
const char *remote_file_sum(struct arena *a, const char *text, size_t len);

/*
 * Read n files of at most cap bytes each, which is at most REMOTE_FILE_BYTES.  As persist_read():
 * what is not there is no error, what is no regular file is; so is one with NUL bytes, which no
 * shell can hand over.  Of out[].st only mode, owner, group and size are known.
 */
#define REMOTE_FILE_BYTES ((size_t)4 * 1024 * 1024)

bool remote_file_read(struct host *h, struct arena *a, const char *const *path, size_t n,
    size_t cap, struct persist_found *out, struct err *e);

/*
 * Append the commands that make a file of these bytes, in parts that every system takes as an
 * argument.  Whether they all went well its sum tells.
 */
void remote_file_bring(struct arena *a, const char *path, const char *text, size_t len,
    struct command **c, size_t *n);

#endif
