/*
 * kills: what its two parts share.
 */
#ifndef PATHTUNE_KILLS_H
#define PATHTUNE_KILLS_H

#include "tuner/base.h"

#include <sys/types.h>

#define KILLS_KNOBS 3
#define KILLS_STATE 1024
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

/* Set, persist and restore, killed after each system call in turn.  False: a violation. */
bool kills_steps(void);

#endif
