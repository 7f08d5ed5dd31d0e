/*
 * acked: what of a transfer that we send has arrived, where the other end cannot tell: counted by
 * what it acknowledged.
 *
 * In place of the receiver's counts (flow.h), with the same rules for its end.  The flow that sends
 * is the caller's to poll and step.
 */
#ifndef PATHTUNE_ACKED_H
#define PATHTUNE_ACKED_H

#include "flow.h"

struct acked;

/* fl has started; fd are its f->streams streams, and stay its own. */
struct acked *acked_new(struct arena *a, const struct flow_spec *f, const struct flow *fl,
    const int *fd);

/* To be called after each flow_step(); false: enough was seen, or nothing comes through. */
bool acked_step(struct acked *k);
double acked_now_bps(const struct acked *k);

/* The receiver's members of a trial, and its status. */
void acked_fill(const struct acked *k, struct arena *a, struct trial *t);

#endif
