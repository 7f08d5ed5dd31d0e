/*
 * nic_plan: how a machine gets another model of NIC and keeps its network: what to do on the guest,
 * on the hypervisor, and on the console when it went wrong.
 */
#ifndef PATHTUNE_NIC_PLAN_H
#define PATHTUNE_NIC_PLAN_H

#include "hypervisors.h"

/*
 * What the profile says of the host's present NIC, told apart by its name where several models have
 * the same driver; NULL: it is none of the profile's.
 */
const struct nic_driver *nic_present(const struct profile *p, const struct facts *f);

/* The driver that the profile's system uses for a model; NULL: the profile does not know. */
const struct nic_driver *nic_driver_for(const struct profile *p, const char *model);

/* One of those that may run this host can change one model for the other. */
bool nic_can_change(const struct hypervisors *h, const struct facts *f, const char *from,
    const char *to);

/*
 * The plan.  What is not known from here, as what the hypervisor calls the machine, stands in
 * capitals.
 * False, with nothing made, where the interface's name could mean something else to a shell.
 */
bool nic_plan_make(struct arena *a, const struct profile *p, const struct hypervisors *h,
    const struct run *run, const struct nic_driver *from, const struct nic_driver *to,
    struct nic_plan *out);

#endif
