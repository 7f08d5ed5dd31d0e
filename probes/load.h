/*
 * load: what this process got of the CPU since a mark, and what it had to wait for it.
 *
 * CPU time is POSIX.  The rest comes from files that Linux has; where they are not there it is NAN:
 * /proc/self/schedstat (Documentation/scheduler/sched-stats.rst: time waiting on a runqueue in ns),
 * cpu.stat of our control group and those above it (v1 throttled_time in ns, v2 throttled_usec),
 * /proc/stat (proc_stat(5): irq, softirq and steal of each core).
 */
#ifndef PATHTUNE_LOAD_H
#define PATHTUNE_LOAD_H

#include "../tuner/base.h"

#define LOAD_CORES_MAX 256

/* Counters in seconds. */
struct load_mark {
	double at_s, cpu_s;
	double wait_s;      /* on a runqueue */
	double throttled_s; /* until the control group's next share */
	struct {
		double system_s, all_s;
	} core[LOAD_CORES_MAX];
	size_t n_cores;
};

struct load {
	double cpu;    /* of one core */
	double wait;   /* fraction of the time in which we were ready and did not run */
	double system; /* of the busiest core: interrupts, network processing, steal */
};

void load_mark(struct load_mark *m);
struct load load_between(const struct load_mark *from, const struct load_mark *to);

/* Parts of it, for tests. */
double load_schedstat(const char *text); /* seconds waited, or NAN */
double load_throttled(const char *text); /* cpu.stat: seconds, or NAN */
/* /proc/self/cgroup: directory of the group that has CPU shares, or NULL. */
const char *load_group(struct arena *a, const char *text);
void load_cores(struct load_mark *m, const char *text, double tick_s);

#endif
