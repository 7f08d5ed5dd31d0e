/*
 * search_state: what the parts of the search share, and with try.c, which judges by the same rules:
 * samples, guards and the numbers below; nobody else includes this.
 *
 * search.c runs blocks (asks their trials, collects the answers); each phase says what its next
 * block is (open) and what a finished block means (close), or goes on to another phase, or ends the
 * search.  search_ladder.c knows windows, search_guard.c the side effects that forbid a change,
 * search_result.c what all of it comes to.
 *
 * y is always log(goodput in bit/s), so that differences of y are log ratios.
 */
#ifndef PATHTUNE_SEARCH_STATE_H
#define PATHTUNE_SEARCH_STATE_H

#include "search.h"
#include "stats.h"

/* Default, its control with wide window, other controls, extras that are arms of their own. */
#define SEARCH_ARMS (SEARCH_CC_MAX + 1 + SEARCH_EXTRAS_MAX)
#define RACE_BLOCKS 24
#define KNEE_BLOCKS 3
#define KNEE_MOST (2 * KNEE_BLOCKS) /* of a round whose blocks contradict each other */
#define KNEE_ROUNDS 5
/* Connections of three windows a block in each round, one of which doubles, and of each extra. */
#define KNEE_SEEN ((KNEE_ROUNDS + 1) * 3 * KNEE_BLOCKS + SEARCH_EXTRAS_MAX * KNEE_BLOCKS)
#define LADDER_MAX 48
#define SEARCH_EXTRA 32 /* connections to see whether some get stuck */

#define WORTH 0.04879016416943205   /* ln 1.05: a gain worth a change */
#define LEAST_GAIN 0.0295588022415444 /* ln 1.03: less is never recommended */
#define BETTER 0.03                 /* one arm ahead of another, log ratio */
#define PRIOR_SD 0.12               /* of a paired log ratio, and how many blocks it is worth */
#define PRIOR_WEIGHT 4
#define HALF_AGAIN 0.4054651081081644 /* ln 1.5: gains beyond this may cost more retransmits */
#define FAST_BPS 500e6              /* from here shorter trials do, and data runs out before time */
/*
 * While it starts, bbr keeps 2/ln 2 BDPs in flight and up to one more for acks that come in
 * bunches.  A sender whose buffer ends before that counts as limited by its application and was
 * seen (6.18) to stay in STARTUP for seconds: on a path with .5 % loss 73 Mbit/s with 8 % of the
 * segments sent again, against 96 with .5 %; with 3.4 BDP it still happened, with 5 no more.
 */
#define KAPPA_BBR_STARTS 4.0 /* of the BDP */
#define GAP_S 0.3                   /* between two trials: setting knobs, connecting */

/* One connection's answer.  y NAN: none; the others NAN: not known. */
struct sample {
	double y;
	double rtt_s;       /* under load */
	double retransmits; /* fraction */
	double inflight_bytes;
};

/* Several of the plan's extras: bit i is the i-th. */
typedef unsigned extras_set;

struct arm {
	size_t cc;      /* index into search.cc */
	double window;
	extras_set extras;
	bool simple;    /* the default's control with the wide window: the fewest changes */
	unsigned refused; /* trials that failed, where an extra may be to blame */
	bool low;       /* physics gives little hope: screened earlier */
	bool live;
	bool replaced;  /* its window was cut once because of retransmits */
	size_t n;       /* blocks it took part in */
	size_t since;   /* first block with its present window */
	struct sample at[RACE_BLOCKS]; /* by block of the race */
};

struct slot {
	size_t who; /* race: arm; knee: role; confirm: 0 default, 1 candidate */
	size_t cc;
	double window;
	extras_set extras;
};

struct block {
	struct slot slots[SEARCH_ARMS];
	struct sample got[SEARCH_ARMS]; /* by slot */
	size_t n, asked, told;
	double warmup_s, duration_s;    /* the same for all trials of a block */
	double coin;
	bool lost;                      /* refused: says nothing */
	bool excused;                   /* lost for an extra's sake: no sign of a lost peer */
	bool cut;                       /* stopped by us */
};

/* Loaded RTT and retransmits of a setting, medians; NAN: not known. */
struct load {
	double rtt_s, retransmits;
};

struct race {
	struct arm arms[SEARCH_ARMS]; /* 0 is the default */
	size_t n_arms;
	size_t blocks;
	double sd;                    /* of a paired log ratio, pooled .. */
	double sd_weight;             /* .. over so many degrees of freedom, the prior's included */
	bool refused_retransmits;     /* a faster arm was dropped for them */
	bool decided;
};

enum knee_role { KNEE_AT, KNEE_PICK, KNEE_BELOW, KNEE_WITHOUT, KNEE_ROLES };

struct knee {
	struct arm *pick;      /* of the race: the control, and the wide-open window */
	double bdp_bytes;      /* goodput of the pick times idle RTT */
	double high_bytes;     /* the same where the path has a good moment */
	double window;         /* the knee that is being checked */
	double below;          /* one step down; NAN: not worth a trial */
	size_t blocks, rounds;
	size_t past;           /* blocks of the rounds before */
	bool doubled;          /* a round was given more blocks: once is enough */
	bool went_down;        /* for the guard's sake: never up again */
	struct sample at[KNEE_ROLES][KNEE_MOST];
	/* With the window taken, extras are left out one at a time. */
	extras_set extras;     /* of the candidate */
	extras_set untried;    /* of these, not yet left out */
	extras_set without;    /* the one left out now; 0: it is still about the window */
	struct sample seen[KNEE_SEEN]; /* all its connections, for search_stuck() */
	size_t n_seen;
};

struct confirm {
	const struct arm *arm; /* the candidate comes from here */
	size_t cc;
	double window;
	extras_set extras;
	bool low;
	bool may_step;         /* a guard may send us one step down: the threshold allows for it */
	double threshold;
	double start_s;
	struct bets bets;
	size_t n;
	double d[STATS_MAX];   /* y of the candidate - y of the default */
	struct sample side[2][STATS_MAX];
	/* The test has spoken; only connections of the candidate are wanted, to see if some get
	 * stuck.  They have no part in the test. */
	bool checking;
	struct sample extra[SEARCH_EXTRA];
	size_t n_extra;
};

struct search {
	struct arena *arena;
	struct search_config config;
	extras_set bound;     /* extras that bind what holds the default back .. */
	extras_set companions; /* .. of these, part of every wide-open window */
	const char *cc[SEARCH_CC_MAX];
	size_t n_cc;
	double ladder[LADDER_MAX];
	size_t n_ladder;
	double rtt0_s, line_bps, budget_s;
	double more_s;        /* for CONFIRM alone */
	double elapsed_s, bytes;
	double asked_s;       /* elapsed when the last ask was handed out; NAN: none */
	double planned_s;     /* what that trial was to take */
	double overhead_s;    /* of a trial beside warm-up and measuring */
	double fastest_bps;   /* goodput of the fastest trial so far */
	double floor_y;       /* value of a trial that failed */
	enum trial_phase phase;
	bool over;
	unsigned lost_in_row; /* blocks */
	struct block block;
	struct sample probe;
	unsigned probes;
	bool slack, lossy;    /* the default leaves its window unused; it loses segments */
	bool sends_again;     /* an arm sent more than the guard's allowance again */
	struct race race;
	struct knee knee;
	struct confirm confirm;
	struct search_result result;
	char why[192];
	char doing[64];
};

/* search.c */
void search_end(struct search *s, enum decision_class class);
void search_because(struct search *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void block_clear(struct search *s);
void block_add(struct search *s, size_t who, size_t cc, double window, extras_set extras);
void block_shuffle(struct search *s);
/* Could the block be paid for, with no more than this share of time and data used then?  fresh:
 * some of its settings were never tried, so that they may be as fast as window and line allow. */
bool block_fits(struct search *s, double share, bool fresh);
/* What one that did not fit lacks, for people; r.out_of_data is settled by it. */
const char *block_lacks(struct search *s, double share, bool fresh);
double block_cost_s(const struct search *s);
bool blocks_fit(struct search *s, size_t n, double share); /* so many like it, none fresh */

/* search_ladder.c: the default's window, then 2^k and 1.5 * 2^k up to the largest. */
void ladder_build(struct search *s);
double ladder_ceil(const struct search *s, double window);  /* the last step when beyond all */
double ladder_floor(const struct search *s, double window); /* the default's when below all */
double ladder_below(const struct search *s, double window); /* NAN: none */
double ladder_above(const struct search *s, double window); /* NAN: none */

/* search_drops.c */
void drops_learn(struct search *s); /* from the race's last block */
void drops_screen(struct search *s, struct arm *a); /* its window is cut once, then it is out */

/* search_extras.c */
void extras_bind(struct search *s, const struct trial *probe); /* what could lift its limit */
/* Companions belong to windows larger than the default's only. */
extras_set extras_at(const struct search *s, extras_set extras, double window);
const char **extras_names(const struct search *s, extras_set extras, size_t *n);
/* A trial of the race that gave nothing: an extra that the system refuses goes with its arm. */
void extras_blame(struct search *s, const struct slot *slot);
void extras_trim(struct search *s, double window); /* KNEE goes on with these blocks */
void extras_trim_open(struct search *s);
void extras_trim_close(struct search *s);

/* search_confirm.c, of log ratios by pair: a gain large enough and beyond doubt; their standard
 * deviation, winsorised and with two pairs' worth of a prior. */
bool pairs_gain_is_sure(const double *d, size_t n);
double pairs_spread(const double *d, size_t n);

/* search_guard.c */
double samples_median_rtt(const struct sample *v, size_t n);
double samples_median_retransmits(const struct sample *v, size_t n);
double samples_median_y(const struct sample *v, size_t n);
struct load samples_load(const struct sample *v, size_t n);
bool loss_based(const char *cc);
double guard_policy_s(enum policy policy, double rtt0_s); /* of queueing; INFINITY: any */
double guard_allowance_s(const struct search *s);
double guard_rtt_limit_s(const struct search *s, double default_rtt_s);
double guard_retransmit_allowance(double gain);
/* Does the candidate break factor times the limits?  gain is a log ratio. */
bool guard_broken(struct search *s, struct load candidate, struct load start, double gain,
    double factor);
struct load race_default_load(const struct search *s);
size_t search_connections(const struct search *s); /* of the candidate's control, all phases */
size_t search_stuck(const struct search *s);       /* of these, far below the others */

/* The phases. */
void probe_open(struct search *s);
void probe_close(struct search *s);
void race_enter(struct search *s);
void race_open(struct search *s);
void race_close(struct search *s);
void arm_forget(struct arm *a);
double arm_gain(const struct search *s, const struct arm *a); /* over the default, log */
/* A quick race whose pick would change nothing: the best other arm worth a change, or NULL. */
struct arm *race_other(struct search *s);
void knee_enter(struct search *s, struct arm *pick);
void knee_open(struct search *s);
void knee_close(struct search *s);
/* Log ratio of one role over another; its standard error from the race's spread and this one's. */
double knee_lead(const struct search *s, enum knee_role a, enum knee_role b, double *se);
bool knee_guard_broken(struct search *s, enum knee_role role);
void knee_forget(struct knee *k); /* a round begins */
void confirm_enter(struct search *s, const struct arm *arm, double window, extras_set extras);
void confirm_open(struct search *s);
void confirm_close(struct search *s);
void confirm_count_loss(struct search *s); /* a pair that was cut short */

#endif
