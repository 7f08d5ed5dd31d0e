/*
 * facts: run the profile's commands and extract what is there.  What cannot be had is listed in
 * facts->unknown with the reason; it is never guessed.
 */
#ifndef PATHTUNE_FACTS_H
#define PATHTUNE_FACTS_H

#include "../tuner/model.h"
#include "host.h"

/* peer_address: numeric, finds the interface; NULL: that of the default route. */
bool facts_probe(struct host *h, struct arena *a, const struct profile *p,
    const char *peer_address, struct facts *out, struct err *e);

#endif
