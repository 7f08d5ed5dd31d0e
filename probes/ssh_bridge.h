/*
 * ssh_bridge: a program on an ssh host that goes on beside us, by a process of its own here, which
 * logs in once more and passes on what is said, both ways.  libssh has no two users of a session.
 *
 * The process ends when the program does, when its standard input is closed and nobody listens any
 * more, or when the host has been silent for as long as the link allows.
 */
#ifndef PATHTUNE_SSH_BRIDGE_H
#define PATHTUNE_SSH_BRIDGE_H

#include "ssh_link.h"

/* The contract of host_start(), for the host that like is a session with. */
bool ssh_bridge_start(struct arena *a, const struct ssh_link *like, const char *const *argv,
    struct host_child *out, struct err *e);

#endif
