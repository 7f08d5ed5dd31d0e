/*
 * world: a simulated path for one flow at a time.  A noise-free response (window, congestion control,
 * capacity -> goodput, loaded RTT, retransmits) under noise in continuous time.
 */
#ifndef PATHTUNE_SIM_WORLD_H
#define PATHTUNE_SIM_WORLD_H

#include "tuner/search.h"

#include <stdint.h>

struct noise {
	const char *name;
	double slow_sd, slow_tau_s;     /* Ornstein-Uhlenbeck, of log capacity */
	double medium_sd, medium_tau_s;
	double white_sd;                /* per second */
	bool heavy_tails;               /* the white part is t with 3 degrees of freedom */
	double outage_every_s;          /* 0: none */
	double jump_every_s, jump_sd;   /* 0: none */
};

extern const struct noise noise_quiet, noise_moderate, noise_seed1, noise_heavy, noise_outages;

/* A measured goodput, where the formula differs from what the lab showed. */
struct point {
	double window_bytes, cubic_bps, bbr_bps;
};

struct path {
	double capacity_bps, rtt_s, queue_bytes, loss;
	double cap_bps;           /* the host's own limit; 0: none */
	double bbr_gain;          /* bbr's goodput over the capacity */
	bool worse_when_large;    /* windows above 2.2 MB run at .76, above 5 MB at .66 */
	double halves_after_bytes; /* token bucket; 0: never */
	double stuck;             /* share of bbr connections at a tenth of the rate */
	/* bbr that cannot keep STARTUP_BDP in flight stays in STARTUP where anything is dropped. */
	bool bbr_starts;
	/* Extras by their ids (NULL: none): without the one, windows grow no further than so much;
	 * with the other, the host carries so many times as much. */
	const char *grows_with, *faster_with;
	double grows_bytes, faster;
	double luck_sd;           /* of a connection, log, beside that of loss-limited ones */
	const struct point *points; /* in place of the formula; ascending windows */
	size_t n_points;
	const struct noise *noise;
};

struct answer {
	double goodput_bps, rtt_s, retransmits;
	bool loss_limited, window_limited;
};

/* Noise-free, at this capacity. */
struct answer path_answer(const struct path *p, const char *cc, double window_bytes,
    double capacity_bps);
/* The same of a whole setting, with what bbr and the extras make of it; usual: what the capacity
 * is apart from fast noise, which decides whether a connection leaves STARTUP. */
struct answer path_setting_answer(const struct path *p, const struct setting *s,
    double capacity_bps, double usual_bps);
/* The path's capacity under that offset (log), or the host's cap if that is less. */
double path_capacity(const struct path *p, double offset);

struct random {
	uint64_t s[2];
	double spare;
	bool has_spare;
};

void random_seed(struct random *r, uint64_t seed);
uint64_t random_bits(struct random *r);
double random_uniform(struct random *r); /* (0, 1) */
double random_normal(struct random *r);
double random_exponential(struct random *r, double mean);
double random_white(struct random *r, const struct noise *n); /* sd 1 */

struct world {
	const struct path *path;
	struct random random;
	double now_s, bytes;
	double slow, medium, jump;          /* log offsets now */
	double next_jump_s;
	double outage_from_s, outage_to_s, outage_left; /* the next or present one */
};

void world_start(struct world *w, const struct path *p, uint64_t seed);

/* One trial, the gap before it included; moves the clock and the byte count. */
void world_trial(struct world *w, const struct ask *ask, struct trial *t);

#endif
