/*
 * script: many commands as one POSIX sh script, and its answer taken apart.  Pure text; whoever has
 * a shell at the other end (via:, later ssh) sends the one and reads the other.
 *
 * The script is for "/bin/sh -s" on standard input.  Its body is one function called on the last
 * line, so that a script cut short runs nothing.  Arguments are single-quoted.  Every command has
 * </dev/null, LC_ALL=C, a PATH with the sbin directories, its own time limit and a limit of output,
 * and leaves a frame: a line "MARK index status out_bytes err_bytes", then so many bytes of stdout
 * and of stderr (its first part).  The mark is random, so that no output can imitate it, nor can a
 * banner before the first frame.  The last line is "MARK end".  It needs a directory for temporary
 * files, which it makes and removes (traps), mode 0700; without one it says "MARK no-directory".
 * A command that is over its time is killed, and so is the one that runs when a signal ends the
 * script, without those that it started; they cannot hold up the answer, but may live on.  Time
 * limits are whole seconds, rounded up.  Status and reason are as after host_run() on the local
 * host, except that a status of 129 to 192 is taken for a signal's, and 126 or 127 for the shell's
 * own, of a command that it could not start.
 */
#ifndef PATHTUNE_SCRIPT_H
#define PATHTUNE_SCRIPT_H

#include "host.h"

#define SCRIPT_MARK 32 /* hexadecimal digits */

/* The text.  Commands without argv read their file.  mark has SCRIPT_MARK digits. */
char *script_make(struct arena *a, const struct command *c, size_t n, const char *mark);

/* Bytes that an answer to n commands may have; a reader stops there. */
size_t script_answer_max(size_t n);

/*
 * The answer, len bytes of anything.  What is missing or cut is an error that says how many of the
 * n answers were whole; a frame that lies (length beyond the end, index out of order) likewise.
 */
bool script_parse(struct arena *a, const char *text, size_t len, const char *mark, size_t n,
    struct output *out, struct err *e);

#endif
