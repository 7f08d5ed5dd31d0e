#include "lab_health.h"

#include "../tuner/units.h"
#include "lab_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * On a quiet machine deliveries are late by 80 us or less, and an RTT by less than .5 ms, which is
 * the bar of tests/bench/bench_lab.c.  Later than that, lateness is the largest error there is.
 */
#define LATE_US 500.0

/* Neighbour discovery after an hour's sleep is no run. */
#define SEGMENTS_MIN 1000.0

/*
 * A machine that had lost 3 % since its boot kept every bar of the benchmarks.  From a tenth on the
 * processors may well move a goodput by the 5 % that a search looks for.
 */
#define STOLEN_SHARE .1
#define STOLEN_MIN_S 2.0 /* of processor time: a share of less is of a few ticks */

struct cpu_time
health_cpu(const char *stat, double ticks_per_s)
{
	double total = 0, ticks = 0;
	char *end;

	/* With a blank behind it: of all processors. */
	if (strncmp(stat, "cpu ", 4) != 0)
		return (struct cpu_time){ NAN, NAN };
	stat += 4;
	/* user, nice, system, idle, iowait, irq, softirq, steal (proc(5)). */
	for (unsigned i = 0; i < 8; i++, stat = end) {
		ticks = strtod(stat, &end);
		if (end == stat)
			return (struct cpu_time){ NAN, NAN };
		total += ticks;
	}
	return (struct cpu_time){ total / ticks_per_s, ticks / ticks_per_s };
}

struct cpu_time
health_cpu_now(void)
{
	char stat[512];

	/* The line that is read is the first. */
	state_proc("/proc/stat", stat, sizeof(stat));
	return health_cpu(stat, (double)sysconf(_SC_CLK_TCK));
}

/* Of both directions, by what they carried; 0 when that is too little to tell. */
static double
mean_lateness_us(const struct lab_stats stats[2])
{
	double segments = stats[0].segments_out + stats[1].segments_out;

	if (segments < SEGMENTS_MIN)
		return 0;
	return (stats[0].lateness_us * stats[0].segments_out +
	    stats[1].lateness_us * stats[1].segments_out) / segments;
}

/* 0 when it is not known, or of too little to tell. */
static double
stolen_share(struct cpu_time since)
{
	return since.total_s >= STOLEN_MIN_S ? since.stolen_s / since.total_s : 0;
}

const char *
health_words(struct arena *a, const char *of, const struct lab_stats stats[2],
    struct cpu_time since)
{
	double late_us = mean_lateness_us(stats), stolen = stolen_share(since);
	struct text t = { .arena = a };

	if (late_us > LATE_US)
		text_add(&t, "was late by %.1f ms on average", late_us / 1e3);
	if (stolen > STOLEN_SHARE)
		text_add(&t, "%slost %s of its processor time to its host",
		    t.s == NULL ? "" : " and ", units_say_percent(a, stolen, 0));
	if (t.s == NULL)
		return NULL;
	return arena_printf(a, "the machine %s: figures of %s are the machine's, not the path's; "
	    "repeat on a quiet host", t.s, of);
}

bool
lab_health(struct arena *a, const char *name, const char *of, const char **words, struct err *e)
{
	struct cpu_time now = health_cpu_now();
	struct lab_stats stats[2];
	struct lab_state *s;

	if (!state_find(a, name, &s, NULL, NULL, e) || !lab_stats(a, name, stats, e))
		return false;
	now.total_s -= s->cpu_total_s;
	now.stolen_s -= s->cpu_stolen_s;
	*words = health_words(a, of, stats, now);
	return true;
}
