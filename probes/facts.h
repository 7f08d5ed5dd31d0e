/*
 * facts: run the profile's commands and extract what is there.  What cannot be had is listed in
 * facts->unknown with the reason; it is never guessed.
 */
#ifndef PATHTUNE_FACTS_H
#define PATHTUNE_FACTS_H

#include "../tuner/model.h"
#include "host.h"

/*
 * peer: numeric, or a name that the host knows; it finds the interface; NULL: that of the default
 * route.  ping: the host sends it three packets, for rtt_ms; without it nothing is sent.
 */
bool facts_probe(struct host *h, struct arena *a, const struct profile *p, const char *peer,
    bool ping, struct facts *out, struct err *e);

/* May be given as a peer: nothing in it means anything to a command. */
bool facts_peer_plain(const char *peer);

#endif
