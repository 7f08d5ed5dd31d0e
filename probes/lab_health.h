/*
 * lab_health: was it the path that the figures of a lab tell of, or the machine?  An emulated link
 * can only be as punctual as the processor it runs on.
 */
#ifndef PATHTUNE_LAB_HEALTH_H
#define PATHTUNE_LAB_HEALTH_H

#include "lab.h"

/* Of all processors since boot; NAN where the kernel does not tell. */
struct cpu_time {
	double total_s;
	double stolen_s; /* the machine's host had given a processor to somebody else meanwhile */
};

/* From the text of /proc/stat (proc(5)), which counts ticks. */
struct cpu_time health_cpu(const char *stat, double ticks_per_s);

struct cpu_time health_cpu_now(void);

/*
 * One sentence that says what was wrong with the machine and what to do, NULL when nothing was.  of
 * names what the figures are those of, "this demo"; since is what passed of both times.
 */
const char *health_words(struct arena *a, const char *of, const struct lab_stats stats[2],
    struct cpu_time since);

#endif
