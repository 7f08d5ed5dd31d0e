/*
 * guard_remote: brings back a host that we reach through its shell alone, when we cannot.
 *
 * A detached POSIX sh script on the host (nohup, signals ignored, a session of its own where the
 * host has setsid) holds the old values.  It restores them when its lease has not been renewed for
 * so long (with "early" it has done so by then: it begins at three fifths), or at once when it is
 * told; only values that are still made of ours.  What it needs is on the host's disk before it
 * starts, in "remote" below its state directory: its text, the values, the lease, and a beat that
 * shows it is alive.  Should it die (a reboot), the next start finds what it left and carries that
 * out first.
 *
 * A lease covers at least four trials: renewals share the path that is saturated.  Until a value is
 * announced it lasts 20 s longer, for a login on such a path.  Every call is one host_run(); an
 * error of the host is passed on, and nothing is lost by calling again.
 */
#ifndef PATHTUNE_GUARD_REMOTE_H
#define PATHTUNE_GUARD_REMOTE_H

#include "knobs.h"

#define GUARD_REMOTE_DIR "remote"

struct guard_remote_spec {
	const struct knob_value *old; /* in the order in which they are set; at most 24 */
	size_t n;
	double lease_s;               /* whole seconds, 2 to 86400 */
	bool early;                   /* restored by then, not from then on */
	const char *state_dir;        /* NULL: as of a pathtune on the host itself        */
	const char *scope_id;         /* the fact; NULL: journals of every scope are in the way */
	const char *shell;            /* that runs it, with flags; NULL: "sh" */
};

struct guard_remote;

/*
 * Returns when it is alive.  An error when another one is at work there, or a pathtune of the
 * host's own has a journal of this scope, or one with files, which are the same in all.  *healed:
 * knobs that a dead one had left and that were set back now: what was read of the host before this
 * call is out of date then.
 */
bool guard_remote_start(struct host *h, struct arena *a, const struct guard_remote_spec *spec,
    struct guard_remote **out, size_t *healed, struct err *e);

/* Its directory on the host. */
const char *guard_remote_dir(const struct guard_remote *g);

/* False also when it is not there any more: the values are the old ones then, or about to be. */
bool guard_remote_renew(struct guard_remote *g, struct arena *a, struct err *e);

/* As guard_announce() and guard_held(); both renew as well. */
bool guard_remote_announce(struct guard_remote *g, struct arena *a, const struct knob_value *v,
    size_t n, struct err *e);
bool guard_remote_held(struct guard_remote *g, struct arena *a, struct err *e);

/*
 * The same knob, set only while the guard has not begun to restore: a script that arrives late, of
 * a round that was given up, must not set anything after it.
 */
struct knob_value guard_remote_fenced(const struct guard_remote *g, struct arena *a,
    const struct knob_value *v);

/*
 * Have it restore, and wait until it has.  False names the first value that could not be restored
 * (what it needs stays, the next start tries again) or that somebody else has changed.
 */
bool guard_remote_release(struct guard_remote *g, struct arena *a, struct err *e);

/* Let it go without restoring.  False when it restores already. */
bool guard_remote_keep(struct guard_remote *g, struct arena *a, struct err *e);

/* ---- files with the values ------------------------------------------------------------------- */

/* A file to be replaced. */
struct guard_remote_file {
	const char *path;
	const char *was;  /* its text, as found; NULL: it was not there */
	size_t was_len;
	const char *want; /* NULL: it is to go */
	size_t len;
	bool secret;      /* a new one is 0600, not 0644; one that was there keeps mode and owner */
};

/* A value that must hold when the files are replaced, as it reads back. */
struct guard_remote_hold {
	size_t knob;      /* of the spec */
	const char *text;
};

struct guard_remote_change {
	const struct guard_remote_file *files;
	size_t n_files;
	const struct guard_remote_hold *holds;
	size_t n_holds;
	const char *result; /* for whoever commits it: guard_remote_result(); NULL: none */
};

/* Bring it there, for the guard to keep; nothing happens yet but that the lease is renewed. */
bool guard_remote_stage(struct guard_remote *g, struct arena *a,
    const struct guard_remote_change *x, struct err *e);

/*
 * The guard carries it out, whether we are there or not; values and files stay then.  False: all is
 * as it was before it was started, and the error says why; or the host was lost, and it will end
 * the one way or the other (the next look tells).
 */
bool guard_remote_commit(struct guard_remote *g, struct arena *a, struct err *e);

/* ---- what another command left --------------------------------------------------------------- */

enum guard_remote_there {
	GUARD_REMOTE_NONE,
	GUARD_REMOTE_BUSY,  /* at work */
	GUARD_REMOTE_WAITS, /* for a commit or a release, with a result */
	GUARD_REMOTE_DEAD,  /* the next start, or a look that heals, carries out what it left */
};

struct guard_remote_state {
	const char *dir;  /* the state's */
	double uid;       /* who we are there */
	enum guard_remote_there there;
	size_t healed;    /* values set back, of a dead one */
	const char *said; /* how a change ended whose command was lost before that; or NULL */
};

/*
 * Where the state is: dir, or with NULL where a pathtune of the host's own keeps it (usual: as
 * root); and what there is.  heal: a dead one's work is carried out.
 */
bool guard_remote_look(struct host *h, struct arena *a, const char *dir, const char *usual,
    bool heal, struct guard_remote_state *out, struct err *e);

/* Does this host's own state directory hold anything of one? */
bool guard_remote_left(struct arena *a, const char *state_dir);

/* That which is there, as if we had started it; for commit, release and result only. */
struct guard_remote *guard_remote_join(struct host *h, struct arena *a, const char *state_dir);

/* The result that was staged. */
bool guard_remote_result(struct guard_remote *g, struct arena *a, const char **text,
    struct err *e);

#endif
