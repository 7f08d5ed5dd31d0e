/*
 * guard: brings the host back when we cannot.
 *
 * guard_arm() reads nothing: it is given the old values, writes them to a journal on disk (fsync),
 * and starts a child in a session of its own, with the knobs' files opened beforehand, that needs
 * no new memory, socket or process.  When its socket closes without a farewell (crash, SIGKILL,
 * Ctrl-C of the terminal), it restores every knob whose value is still made of numbers that we
 * announced (a kernel may have taken a triple in part), reads back, and removes the journal.  A
 * value that is somebody else's stays.
 *
 * Journals that a dead pair of process and guard left behind (a killed cgroup, a power cut) are
 * found and carried out by guard_orphans() at the start of the next command.
 */
#ifndef PATHTUNE_GUARD_H
#define PATHTUNE_GUARD_H

#include "knobs.h"

struct guard;

/*
 * state_dir: where journals live, made if missing (0700).  old: the values to come back to, at most
 * 24, in the order in which they are set; files by absolute path, one given twice counts once; for
 * knobs that are read and set by commands the guard runs these commands.
 * boot_id and scope_id: facts that name the running kernel and namespace; NULL where the system has
 * none.  An error when another run of this scope is at work, or left a journal that guard_orphans()
 * has not carried out.  On failure nothing stays behind.
 */
bool guard_arm(struct arena *a, const char *state_dir, const char *boot_id, const char *scope_id,
    const struct knob_value *old, size_t n, struct guard **out, struct err *e);

/*
 * To be called before every knobs_set(): from now on these values are ours too.  It is on disk and
 * known to the guard when this returns.
 */
bool guard_announce(struct guard *g, const struct knob_value *v, size_t n, struct err *e);

/*
 * What was announced was set and read back: from now on only these values are ours, no longer
 * whatever the kernel may have made of one between the write and the read (a clamp, a wrap).
 */
bool guard_held(struct guard *g, struct err *e);

/*
 * This file is about to be replaced by rename(): "by" is the new one, beside it and complete; old
 * is a copy or link of the one before, in the same directory and with its owner and mode, NULL
 * where there was none.  To be called twice: before either is made, so that they do not stay
 * behind, and before the rename.  When the guard (or guard_release(), or guard_orphans()) restores,
 * and path is still the file that "by" was, unedited, old is renamed back to path, or path is
 * removed; a file that is to go may be unlinked instead: where path is gone and "by" still there,
 * old is renamed back too.  In any case "by" and old are removed then.  At most 8 files.  It is on
 * disk and known to the guard when this returns.
 */
bool guard_replaces(struct guard *g, const char *path, const char *by, const char *old,
    struct err *e);

/*
 * All is as it is to stay: removing the journal, one step, is what decides.  A run that dies before
 * it is undone as a whole, one that dies after it not at all.  Copies given to guard_replaces() as
 * old stay, they are the caller's.  False: nothing was kept, g is as before.
 */
bool guard_keep(struct guard *g, struct err *e);

/*
 * Restore the old values ourselves, read back, dismiss the guard, remove the journal.  False
 * names what could not be restored (the guard tries as well then, and the journal stays), or what
 * somebody else changed meanwhile (left as it is).  g is not to be used again in either case.
 */
bool guard_release(struct guard *g, struct host *h, struct arena *a, struct err *e);

/*
 * Carry out journals of dead runs on this boot and in this scope; of those of another boot only
 * what outlived it: the files, and in this scope the values that the boot took from them.  Files
 * are the same in all scopes: those of another one are put back as well, and its journal stays, for
 * its values.  Drop those whose run died (a power cut) while it wrote down the old values: it had
 * set nothing yet.  A journal whose run or guard is alive is left alone, and it is an error
 * (another pathtune is at work) if it is of this scope, or has files.  One that is damaged, or that
 * others can write, is an error that names it, and nothing is changed.
 */
struct orphans {
	size_t restored;   /* knobs set back */
	size_t files;      /* put back, or removed where there was none */
	size_t unfinished; /* journals removed because nothing had been set yet */
};

bool guard_orphans(struct arena *a, struct host *h, const char *state_dir, const char *boot_id,
    const char *scope_id, struct orphans *found, struct err *e);

/* The name of a scope as a part of names of files; NULL: the host. */
const char *guard_scope_name(struct arena *a, const char *scope_id);

/*
 * PATHTUNE_STATE, or as root where the system keeps such things (NULL: /var/lib/pathtune), or
 * ~/.local/state/pathtune.
 */
const char *guard_state_dir(struct arena *a, const char *usual);

#endif
