/*
 * guard_child: the process that outlives us.  It is forked before the first value is set, lives in
 * a session of its own, ignores SIGINT, SIGTERM and SIGHUP, holds nothing open but what is listed
 * here, and needs no new memory or descriptor; a process only for a knob that is set by commands
 * (guard_run.h).
 *
 * It is told what is ours in the lines of the journal, over one end of a socket pair.  "sync" is
 * answered with one byte once all before it is known; "done" dismisses it; after "keep" a journal
 * that is gone means that all is to stay as it is.  When the socket
 * closes before that, or its parent is gone, it restores and removes the journal; if a knob could
 * not be restored the journal stays.
 */
#ifndef PATHTUNE_GUARD_CHILD_H
#define PATHTUNE_GUARD_CHILD_H

#include "guard_journal.h"

#define GUARD_SYNC "sync"
#define GUARD_DONE "done"
#define GUARD_KEEP "keep"

struct guard_child {
	struct journal *journal;
	struct journal_file file;
	pid_t parent;
	int socket;
	int null;                   /* /dev/null, becomes stdin, stdout and stderr */
	int knob_fd[JOURNAL_KNOBS]; /* opened for reading and writing; -1: by commands */
	int pipe[2];                /* of what such a command prints; -1: there is none */
	bool keeping;               /* "keep" was heard */
};

/* Exit status 0: dismissed or restored; 1: something could not be restored. */
_Noreturn void guard_child_run(struct guard_child *c);

#endif
