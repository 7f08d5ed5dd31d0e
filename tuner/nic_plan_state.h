/*
 * nic_plan_state: a plan as it is made, for nic_plan.c and nic_places.c only.
 */
#ifndef PATHTUNE_NIC_PLAN_STATE_H
#define PATHTUNE_NIC_PLAN_STATE_H

#include "nic_plan.h"

struct making {
	struct arena *arena;
	const struct profile *profile;
	const struct hypervisors *hypervisors;
	const struct run *run;
	const struct nic_driver *from, *to;
	struct nic_plan *plan;
	bool rename;  /* the new interface gets the old name */
};

/* One more action of a list: words alone, or a command. */
struct nic_action *plan_push(struct making *m, struct nic_action **list, size_t *n,
    const char *words);
void plan_command(struct making *m, struct nic_action **list, size_t *n, const char **argv,
    const char *words);
size_t plan_argv_length(const char **argv);
void plan_note(struct making *m, const char *words);

/* The name is this prefix and a number. */
bool plan_has_number(const char *name, const char *prefix);

/* An argv of the profile for this file; NULL where there is none. */
const char **plan_expanded(struct making *m, const char **argv, size_t n, const char *file);

/* Files that name the interface: places, and what to do with them. */
void plan_places(struct making *m);

#endif
