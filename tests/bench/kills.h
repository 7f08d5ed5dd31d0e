/*
 * kills: what its parts share.
 */
#ifndef PATHTUNE_KILLS_H
#define PATHTUNE_KILLS_H

#include "tuner/base.h"

#include <sys/types.h>

#define KILLS_KNOBS 3
#define KILLS_LABS 16
#define KILLS_STATE 8192
#define KILLS_WMEM "/proc/sys/net/ipv4/tcp_wmem"
#define KILLS_RMEM "/proc/sys/net/ipv4/tcp_rmem"
#define KILLS_CC "/proc/sys/net/ipv4/tcp_congestion_control"

/* Open the knobs in the network namespace of a process; -1: of this one. */
bool kills_open(pid_t pid, int knob[KILLS_KNOBS]);

/* The values of the knobs and the contents of files as one text, which it returns. */
const char *kills_state(const int knob[KILLS_KNOBS], const char *const *files, size_t n,
    char state[KILLS_STATE]);

/* The path of a journal in this directory; false: there is none. */
bool kills_journal(const char *dir, char *path, size_t size);

/* Wait until nobody holds a journal there any more. */
bool kills_await_guard(const char *dir, int most_ms);

/* The first of a process's children; 0: it has none. */
pid_t kills_child_of(pid_t pid);

/*
 * N kills of tune in so many labs at once, at most KILLS_LABS; false: violations, runs that did not
 * start, or too few that hit.
 */
bool kills_tune(unsigned kills, unsigned labs);

/* Set, persist and restore, killed after each system call in turn.  False: a violation. */
bool kills_steps(void);

/* ---- a program that goes from system call to system call ------------------------------------- */

struct kills_traced {
	pid_t pid;    /* who is traced */
	pid_t child;  /* to be reaped, the same or who started it; -1: nobody */
	bool follow;  /* trace the first process that it forks in its place */
	long call;    /* the number of that system call, and its second argument */
	unsigned long second;
	bool inside;  /* it stands at the beginning of a system call, else at the end of one */
};

/* Run a program to its end: its exit status, or -1. */
int kills_run(const char *const *argv);

/* Start a program, or take one that runs already; it stands. */
bool kills_trace_start(struct kills_traced *t, const char *const *argv, bool follow);
bool kills_trace_attach(struct kills_traced *t, pid_t pid);

/* To the next beginning or end of a system call; false: it has ended. */
bool kills_trace_next(struct kills_traced *t);

/*
 * Kill it where it stands, or if us is not 0, let it run and kill it after so many microseconds.
 * True when it was still there.  Who was started has been reaped.
 */
bool kills_trace_kill(struct kills_traced *t, int sig, bool group, unsigned us);

/* Let it run to its end. */
void kills_trace_end(struct kills_traced *t);

/* ---- ways to kill, and when ------------------------------------------------------------------ */

enum kills_how { KILLS_KILL, KILLS_TERM, KILLS_INT, KILLS_HUP, KILLS_GROUP, KILLS_BOTH, KILLS_HOWS };
extern const char *const kills_how_names[];
extern const int kills_how_signal[];

/*
 * N kills of apply, apply --confirm, confirm and revert, or of those whose names begin like scene;
 * false: violations, or too few that hit.
 */
bool kills_apply(unsigned kills, const char *scene);

/* The same commands killed after each of their system calls. */
bool kills_apply_steps(const char *scene);

#endif
