/*
 * model_advice: the nouns of what facts alone tell: advice, and known harm.
 */
#ifndef PATHTUNE_MODEL_ADVICE_H
#define PATHTUNE_MODEL_ADVICE_H

#include "model_profile.h"

/* A path that the settings must serve. */
struct advice_path {
	double rtt_ms;
	double rate_bps;
};

/* One direction, with the settings as they are and with the advised ones. */
struct advice_direction {
	enum direction direction;
	double needed_bytes;     /* window: the largest BDP of the paths            */
	double now_bytes;        /* surely usable window by the kernel model        */
	double after_bytes;
	double now_scale;        /* window scale that we ask for; NAN when sending  */
	double after_scale;
	double now_growth_s;     /* until the window is there; NAN: with every ACK,
	                            or it does not grow, or that is not modelled */
	double after_growth_s;
	double now_bps;          /* what one connection gets of the first path      */
	double after_bps;
	const char *words;       /* what limits, in a sentence */
};

struct advice {
	struct advice_path *paths;
	size_t n_paths;
	double connections;
	double memory_bytes;     /* that all of them may take at worst, with the advice */
	double bound_bytes;      /* what they may take */
	bool bounded;            /* memory made the windows smaller than needed */
	struct advice_direction *directions;
	size_t n_directions;
	const char **notes;      /* what cannot be known or done without measuring, .. */
	size_t n_notes;
};

/* Known harm that was found on the host. */
struct hazard {
	const char *id;      /* explained in docs/decisions.md */
	const char *subject; /* the knob, file or device */
	const char *where;   /* "file:line", or NULL */
	const char *words;
};

#endif
