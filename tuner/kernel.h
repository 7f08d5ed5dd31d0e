/*
 * kernel: what a kernel really makes of a knob.  The numbers are the profile's (window_model),
 * each with its source; here is only the arithmetic.
 */
#ifndef PATHTUNE_KERNEL_H
#define PATHTUNE_KERNEL_H

#include "model.h"

/* Usable window, in bytes, that a maximum of max_bytes gives. */
double kernel_window_bytes(const struct window_model *m, double max_bytes);

/* Smallest maximum, a multiple of 4 KiB, that gives at least this window. */
double kernel_max_bytes(const struct window_model *m, double window_bytes);

#endif
