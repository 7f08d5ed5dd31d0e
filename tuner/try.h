/*
 * try: settings that the user named, each against the present one.  Ask/tell, one direction, pure.
 *
 * Use: try_new(); while (try_next(t, elapsed_s, bytes_used, &ask)) { run it; try_tell(); } then
 * try_verdict() of each candidate and try_best().
 *
 * A block is one stratum (one window that the sockets are pinned to, where that is asked for) with
 * every live setting once, in fresh random order; a round is every stratum once, in random order
 * too.  Candidates are judged by D = y - y of the present setting in the same block, so that what
 * strata differ by, and drift slower than a block, cancel.
 *
 * The test is that of the search's confirmation (stats.h, "bets").  If a candidate does nothing,
 * the two slots of the block that it and the present setting got would have given the same two
 * numbers with the two exchanged; the order of the whole block is uniformly random, so given all
 * other places and numbers, which of the two got which slot is a fair coin, and so is the sign of
 * D.  Hence P(bets ever reach c) <= 1/c for each candidate, at any look and any stop; with c = 20
 * times the number of candidates (and of directions of the run) a false "better" for any of them
 * has at most 5 %.  Selection among those that are declared costs nothing more.
 */
#ifndef PATHTUNE_TRY_H
#define PATHTUNE_TRY_H

#include "model.h"

#define TRY_SETTINGS_MAX 12 /* the present one included */
#define TRY_STRATA_MAX 8

struct try_config {
	size_t n;      /* settings, 2 to TRY_SETTINGS_MAX; 0 is the present one */
	size_t strata; /* 1 to TRY_STRATA_MAX */
	double changes[TRY_SETTINGS_MAX];     /* what each changes: fewer win among equals */
	bool never[TRY_SETTINGS_MAX];         /* compared, but never the choice */
	double idle_rtt_s;                    /* NAN: not known */
	double duration_s;                    /* counted in a trial; NAN: as in the search */
	double budget_s, data_cap_bytes;      /* a cap of NAN or 0: none */
	double rounds;                        /* at most; NAN: as many as fit */
	enum policy policy;                   /* of the guards, as in search.h */
	unsigned directions;                  /* that the run judges; 0 is 1 */
	unsigned long long (*random)(void *); /* 64 fair bits */
	void *random_arg;
};

struct try_ask {
	size_t setting, stratum;
	double block, slot;
	double warmup_s, duration_s;
};

struct try;

struct try *try_new(struct arena *a, const struct try_config *c);

/*
 * A block is begun only when all of it fits into time and data; before the first, nobody knows what
 * a trial moves, and the transfers' own cap must do.
 */
bool try_next(struct try *t, double elapsed_s, double bytes, struct try_ask *ask);

/*
 * Exactly one for each ask.  Read: status, goodput_bps, retransmits, rtt.loaded_ms, why.  A
 * time-out, or a goodput that is no positive number, counts as a hundredth of the fastest trial of
 * its block; a block with nothing else says nothing.
 * TRIAL_VOID takes the setting out of the block: the block where it is the present one.
 * TRIAL_CUT ends the block and counts as the largest loss of every candidate in it.
 */
void try_tell(struct try *t, const struct trial *trial);

/* Stop early: an open block counts against its candidates. */
void try_stop(struct try *t);

struct try_verdict {
	enum try_class class;
	struct effect effect;      /* all NAN without a pair */
	struct side before, after; /* medians over the same blocks; settings are the caller's */
	double guard_limit_ms;     /* loaded RTT allowed; NAN: any */
	bool guard_rtt;            /* which guard spoke, with TRY_GUARD; false: retransmits */
	double more_s;             /* TRY_INCONCLUSIVE: a run with it alone that would decide */
	const char *why;           /* TRY_FAILED: of the last trial; may be NULL */
};

/* setting: 1.., once try_next() was false. */
struct try_verdict try_verdict(const struct try *t, size_t setting);

/* The median goodput of a setting (0: the present one) in a stratum; NAN: none. */
double try_stratum_bps(const struct try *t, size_t setting, size_t stratum);

/* The candidate to be taken: 0, the present setting, where none is better beyond doubt. */
size_t try_best(const struct try *t);

double try_blocks(const struct try *t);   /* that were finished */
const char *try_why(const struct try *t); /* why it ended before all was decided; NULL: it was */

#endif
