/*
 * guard_child: the process that outlives us.  It is forked before the first value is set, lives in
 * a session of its own, ignores SIGINT, SIGTERM and SIGHUP, holds nothing open but what is listed
 * here, and needs no new memory, descriptor or process.
 *
 * It is told what is ours in the lines of the journal, over one end of a socket pair.  "sync" is
 * answered with one byte once all before it is known; "done" dismisses it.  When the socket
 * closes before that, or its parent is gone, it restores and removes the journal; if a knob could
 * not be restored the journal stays.
 */
#ifndef PATHTUNE_GUARD_CHILD_H
#define PATHTUNE_GUARD_CHILD_H

#include "guard_journal.h"

#define GUARD_SYNC "sync"
#define GUARD_DONE "done"

struct guard_child {
	struct journal *journal;
	struct journal_file file;
	pid_t parent;
	int socket;
	int null;                   /* /dev/null, becomes stdin, stdout and stderr */
	int knob_fd[JOURNAL_KNOBS]; /* opened for reading and writing */
};

/* Exit status 0: dismissed or restored; 1: something could not be restored. */
_Noreturn void guard_child_run(struct guard_child *c);

#endif
