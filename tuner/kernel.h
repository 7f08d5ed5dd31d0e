/*
 * kernel: what a kernel really makes of its knobs.  The numbers are the profile's (window_model,
 * scale_model, knob_default), each with its source; here is only the arithmetic.
 */
#ifndef PATHTUNE_KERNEL_H
#define PATHTUNE_KERNEL_H

#include "profile.h"

#define KERNEL_SCALE_MOST 14 /* RFC 7323 */

/* The knobs by role; NAN: there is none, or it is not known. */
struct kernel_knobs {
	double value[ROLE_COUNT];
};

/* What one connection gets in one direction. */
struct kernel_window {
	double start_bytes;   /* when the connection starts; NAN: as large as it may be    */
	double stop_bytes;    /* the buffer's size when autotuning has ended               */
	double window_bytes;  /* what of it is usually in flight (window_model.typical)    */
	double sure_bytes;    /* what surely is; not above what the scale allows         */
	double scale;         /* window scale asked for; NAN when sending, or without a model */
	const struct requirement *unmet; /* what bounds both windows: a switch; NULL: nothing */
	double steps;         /* of growth, from the initial size to the stop              */
	double growth_s;      /* that they take at this RTT; NAN: they come with every ACK,
	                         or there is no growth, or it is not modelled */
	bool frozen;          /* a step failed at the limit: the stop is below the maximum */
	bool lethal;          /* no new socket can be had with these knobs (ENOBUFS): all 0 */
};

/* What the kernel starts with on this release, machine and RAM; NAN: not known. */
double kernel_default(const struct knob *k, const struct facts *f);

/* What it lets network buffers take, the same way. */
double kernel_default_memory(const struct profile *p, const struct facts *f);

/*
 * From the facts; what was not read there is taken from the defaults.  A limit outside of its legal
 * range wrapped, and bounds nothing: INFINITY.  First sizes are as the limit cuts them.
 */
struct kernel_knobs kernel_knobs(const struct profile *p, const struct facts *f);

/*
 * direction is send or receive; rtt_ms only matters for growth_s, NAN: that is unknown.  False when
 * the profile has no model for this release and machine, or a knob that it needs is not known.
 */
bool kernel_window(const struct profile *p, const struct facts *f, const struct kernel_knobs *k,
    enum direction direction, double rtt_ms, struct kernel_window *out);

/*
 * Goodput of a transfer's first seconds while the window grows by the model, in bits per second,
 * for a path that could carry more; NAN as with kernel_window().
 */
double kernel_mean_bps(const struct profile *p, const struct facts *f,
    const struct kernel_knobs *k, enum direction direction, double rtt_ms, double seconds);

/* The window scale for the largest of the values that count; 0..14. */
double kernel_scale(const struct scale_model *s, double value);

/* The model that holds for this release and machine, or NULL. */
const struct scale_model *kernel_scale_model(const struct profile *p, const struct facts *f);

/* What can be advertised with this scale, and the smallest value that asks for a scale with which
 * window_bytes can be; NAN: there is none. */
double kernel_scale_bytes(double scale);
double kernel_scalable_bytes(double window_bytes); /* what of it any scale admits; NAN: NAN */
double kernel_scale_value(const struct scale_model *s, double window_bytes);

/* The knob is known, and has none of the requirement's values. */
bool kernel_unmet(const struct requirement *r, const struct facts *f);

/* What the requirement is for: windows of this direction above so many bytes. */
double kernel_above_bytes(const struct profile *p, const struct facts *f,
    const struct kernel_knobs *k, const struct requirement *r);

/* The part of a limit that a buffer may take; limit itself where it has no part. */
double kernel_limit_share(const struct window_model *m, double limit);

/* Usable window, in bytes, that a maximum of max_bytes gives when nothing else binds. */
double kernel_window_bytes(const struct window_model *m, double max_bytes);

/* Smallest maximum, a multiple of 4 KiB, that surely gives at least this window. */
double kernel_max_bytes(const struct window_model *m, double window_bytes);

/* Smallest limit, a multiple of step bytes, of which a buffer of max_bytes is a legal part. */
double kernel_limit_bytes(const struct window_model *m, double max_bytes, double step_bytes);

#endif
