/*
 * search: which trial next, and what do all of them say?  Ask/tell, one direction, pure: no clock,
 * no sockets; the same code drives the simulator, the lab and real hosts.
 *
 * Use: search_new(); while (search_next(s, elapsed_s, bytes_used, &ask)) { run it; search_tell(); }
 * then search_result().  A block is asked trial by trial; a block is begun only when all of it fits
 * into the budget of time and data, so that a search never overruns by more than trials that time
 * out.
 *
 * Phases: PROBE tries the default once and tells what can bind at all.  RACE runs the default and
 * the candidates in blocks of random order and drops what cannot win.  KNEE finds the smallest
 * window that is as good.  CONFIRM judges that one candidate by fresh pairs in coin-flipped order
 * with the betting test of stats.h, whose guarantee (a change that does nothing is recommended in
 * at most 1 of 20 runs) holds at every look, hence at any budget and any stop.
 *
 * The same random bits, answers, times and byte counts give the same asks: a search is resumed by
 * telling the recorded trials again with the recorded bits.
 */
#ifndef PATHTUNE_SEARCH_H
#define PATHTUNE_SEARCH_H

#include "model.h"

#define SEARCH_CC_MAX 11     /* controls beyond these are not tried */
#define SEARCH_EXTRAS_MAX 6  /* extras beyond these are not tried */
#define SEARCH_VERSION "4"   /* changes whenever the same answers lead to other asks */

struct search_config {
	enum direction direction;
	double window_bytes;      /* W0 */
	double window_next_bytes; /* the least above W0 that can be put in force; NAN or 0: any */
	double window_max_bytes;  /* Wmax; equal to W0 when the knob cannot be set */
	const char *const *cc;    /* first is the default; n_cc 0 or 1: no choice */
	size_t n_cc;
	double idle_rtt_s;        /* smallest connect; NAN: taken from the first trial */
	double link_bps;          /* of the NIC; NAN: not known, at least 1 Gbit/s is assumed */
	double budget_s;          /* NAN or 0: budget_mode_s of the mode */
	double data_cap_bytes;    /* NAN or 0: none */
	enum budget_mode mode;
	/*
	 * Loaded RTT may exceed the larger of the idle RTT and the default's loaded RTT by
	 * max(50 ms, half of the idle RTT) when balanced, by a quarter of that for latency, without
	 * limit for throughput.  Retransmits may exceed the default's by 1 % of the segments (3 %
	 * when the gain exceeds one half) under every policy.
	 */
	enum policy policy;
	/*
	 * Directions that the run confirms, at least 1.  The threshold of the test is 20 times
	 * this, and twice that where the search itself may confirm a second candidate after a
	 * guard.
	 */
	unsigned confirmations;
	/*
	 * Beyond window and control.  One is tried only when the default's first trial was held
	 * back by a limiter that it binds.  Those with_window are part of every wide-open window;
	 * each of the others is an arm of its own, with the default's control and the wide-open
	 * window (if there is one).  Before the confirmation each extra of the candidate is left
	 * out once, as a window is made smaller, and stays out unless the candidate is worse
	 * without it.
	 */
	const struct plan_extra *extras;
	size_t n_extras;
	/*
	 * Time beyond budget_s for the confirmation alone, so that a search that ended
	 * inconclusive goes on where it stopped when it is told the same trials again.  The data
	 * cap stays as it is.
	 */
	double more_s;
	double growth_s;          /* time the windows take to grow, by the kernel models; 0: fast */
	unsigned long long (*random)(void *); /* 64 fair bits */
	void *random_arg;
};

struct ask {
	struct setting setting;
	enum trial_phase phase;
	double block, slot, coin; /* coin: to be put on disk before the pair starts; NAN outside */
	double warmup_s;
	double duration_s;        /* at most; may end early when the interval is tight */
};

struct search;

struct search *search_new(struct arena *a, const struct search_config *c);

/*
 * elapsed_s and bytes: spent on this search so far.  False: it is over.  To resume, hand in what
 * was handed in when each recorded trial was asked for, and tell the trial; an ask that never got
 * its answer is told as TRIAL_CUT.  What follows goes on from there: time between the two runs is
 * no part of elapsed_s.
 */
bool search_next(struct search *s, double elapsed_s, double bytes, struct ask *ask);

/*
 * Exactly one for each ask; the trial's setting, phase, block, slot and coin come from the ask.
 * Read here: status, goodput_bps, retransmits, rtt.loaded_ms (rtt.idle_ms and min_ms while the idle
 * RTT is unknown), inflight_bytes (NAN: goodput times RTT).  A time-out, or a goodput that is not a
 * positive number, counts as a hundredth of the default's; TRIAL_VOID discards the block; TRIAL_CUT
 * in a pair is the candidate's largest loss.
 */
void search_tell(struct search *s, const struct trial *t);

/*
 * Stop early (signal, lost peer): an open pair counts against the candidate.  search_next() is
 * false from now on.
 */
void search_stop(struct search *s);

struct search_result {
	enum verdict verdict;
	enum decision_class class;
	struct setting start, chosen;  /* chosen: the last candidate, also when not taken */
	struct effect effect;          /* all NAN without a confirmation */
	struct side before, after;
	double more_s;                 /* inconclusive: time beyond this that would decide; NAN:
	                                * it is not, or time alone would not */
	bool out_of_data;              /* inconclusive for the data cap's sake */
	bool retransmit_exception;     /* accepted with 1..3 % more retransmits */
	bool guard_rtt, guard_retransmits; /* which guard spoke, with CLASS_GUARD */
	double guard_limit_ms;         /* loaded RTT allowed */
	double low_decile_bps;         /* of the candidate's goodput over its connections */
	double connections;            /* of the candidate's control that were looked at */
	const char *why;               /* CANNOT_BIND, INCONCLUSIVE, UNSTEADY, FAILED: words, else
	                                * NULL */
};

/* Valid once search_next() was false; strings live in the search's arena. */
struct search_result search_result(const struct search *s);

/* For the progress line: about how much of the budget is used and what is going on. */
const char *search_doing(const struct search *s);

#endif
