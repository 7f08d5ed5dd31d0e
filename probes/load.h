/*
 * load: what this process got of the CPU since a mark, and what it had to wait for it.
 *
 * CPU time is POSIX.  The rest comes from where the profile of this system says; what it says
 * nothing of, or is not there, is NAN.
 */
#ifndef PATHTUNE_LOAD_H
#define PATHTUNE_LOAD_H

#include "../tuner/model_profile.h"

#define LOAD_CORES_MAX 256

/* Counters in seconds, those of cores in ticks. */
struct load_mark {
	double at_s, cpu_s;
	double wait_s;      /* on a runqueue */
	double throttled_s; /* until the control group's next share */
	struct {
		double busy, all;
	} core[LOAD_CORES_MAX];
	size_t n_cores;
};

struct load {
	double cpu;    /* of one core */
	double wait;   /* fraction of the time in which we were ready and did not run */
	double system; /* of the busiest core: interrupts, network processing, steal */
};

/* Learn, once, how this system tells; before bytes are moved, for it takes some milliseconds. */
void load_here(void);

void load_mark(struct load_mark *m);
struct load load_between(const struct load_mark *from, const struct load_mark *to);

/* Parts of it, for tests. */
double load_time(const struct load_time *t, struct arena *a, const char *text); /* or NAN */
/* Directory of the group that has CPU shares, by what the file member says; or NULL. */
const char *load_group(const struct load_groups *g, struct arena *a, const char *text);
void load_cores(struct load_mark *m, const struct load_cores *c, struct arena *a,
    const char *text);

#endif
