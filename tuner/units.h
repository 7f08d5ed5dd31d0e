/*
 * units: the quantities a person types and reads: rates, sizes, times, shares.
 *
 * Reading is strict: a number, then a unit of the table, nothing else; no sign, no exponent, no
 * blank.  Each returns false with an error that quotes the text and says what is expected.
 *   rate      300M 1.5G 10000k 64000       bit/s, powers of 1000; "bit", "bit/s", "bps" may follow
 *   bytes     64K 16M 1G 1500              powers of 1024; "B", "iB" may follow
 *   time      80ms 2s 10m 1h               a unit is required; result in seconds
 *   fraction  0.5% 1e-5 0.005              a share 0..1; here an exponent is allowed
 */
#ifndef PATHTUNE_UNITS_H
#define PATHTUNE_UNITS_H

#include "base.h"

bool units_rate(const char *s, double *bps, struct err *e);
bool units_bytes(const char *s, double *bytes, struct err *e);
bool units_time(const char *s, double *seconds, struct err *e);
bool units_fraction(const char *s, double *share, struct err *e);
bool units_number(const char *s, double *number, struct err *e);

/* For people: "481 Mbit/s", "16 MiB", "209 ms", "1 min 30 s"; NAN is "unknown". */
const char *units_say_rate(struct arena *a, double bps);
const char *units_say_bytes(struct arena *a, double bytes);
const char *units_say_time(struct arena *a, double seconds);
const char *units_say_percent(struct arena *a, double share, int digits);

/* A change in per cent with its interval: "+6 % [6, 7]"; what rounds to nothing has no sign. */
const char *units_say_change(struct arena *a, double estimate, double low, double high);

/* The same per cent where a factor is easier to read: "5.43 times the goodput [5.13, 5.44]". */
const char *units_say_factor(struct arena *a, double estimate, double low, double high);

#endif
