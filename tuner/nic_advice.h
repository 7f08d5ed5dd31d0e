/*
 * nic_advice: is the model of the virtual NIC what holds this host back, and would another one do
 * better?  Pure: from what was found, measured and decided.  Never from the driver's name: that
 * alone is at most a reason to offer an experiment.
 */
#ifndef PATHTUNE_NIC_ADVICE_H
#define PATHTUNE_NIC_ADVICE_H

#include "nic_plan.h"

/* A driver is blamed only where TCP gets less than this part of .. */
#define NIC_UDP_SHARE 0.25    /* .. what UDP got over the same path and NIC; */
#define NIC_WINDOW_SHARE 0.3  /* .. what the largest window that was tried admits; */
#define NIC_LOSS_SHARE 0.5    /* .. what its losses admit. */
#define NIC_INFLIGHT_SHARE 0.5 /* And no more than this part of that window was in flight, */
#define NIC_CPU_SHARE 0.8     /* and no core was busier than this. */

/*
 * run: with or without trials and a decision.  options.nic names the model that a plan is wanted
 * for whatever speaks for it; one that is not known, is there already, or cannot be had on this
 * host is ERR_USAGE.
 */
bool nic_advise(struct arena *a, const struct profile *p, const struct hypervisors *h,
    const struct run *run, struct nic_advice *out, struct err *e);

/* The same by the embedded list, into the run. */
bool nic_advise_run(struct arena *a, const struct profile *p, struct run *run, struct err *e);

/*
 * Whether one direction shows that driver or NIC are the limit.  NIC_SWITCH: it does; NIC_KEEP:
 * something else is; NIC_TRY: what would tell was not measured.  *words: the number that says so,
 * *reason: its id.  emulated: the present model imitates hardware.
 */
enum nic_verdict nic_evidence(struct arena *a, const struct run *run,
    const struct direction_decision *d, bool emulated, const char **reason, const char **words);

#endif
