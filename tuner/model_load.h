/*
 * model_load: where a system tells how busy its CPUs are, by its profile.  For model_profile.h.
 */
#ifndef PATHTUNE_MODEL_LOAD_H
#define PATHTUNE_MODEL_LOAD_H

#include "base.h"

/* A time that only grows, in a file: what the pattern's group says, times scale, in seconds. */
struct load_time {
	const char *file;
	const char *pattern;
	double scale;
};

/*
 * How long processes had to wait until their control group had its next share of the CPU: of our
 * group, which member tells, and of each above it up to root, as the first of times that the file
 * in its directory has.
 */
struct load_groups {
	const char *member;      /* file with lines "number:controllers:/path" */
	const char *root;        /* where groups are directories */
	const char *controller;  /* in whose directory they are, where they have several */
	struct load_time *times; /* files within a group */
	size_t n_times;
};

/* Counters of each core: so many numbers for one, whatever stands between them. */
struct load_cores {
	const char **argv;
	size_t n_argv;
	const char *file;
	const char *each;  /* pattern whose group begins with those of one core; NULL: all that is
	                      said are such, one core after the other */
	double numbers;
	double *busy;      /* 1..: those of interrupts, network processing, and what others took */
	size_t n_busy;
	const char *source;
};

/* What a process that moves bytes finds out about the CPU, beside what it used; all may lack. */
struct load_source {
	struct load_time waited; /* by this process, for a core */
	struct load_groups groups;
	struct load_cores cores;
};

#endif
