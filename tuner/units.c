#include "units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

static const struct unit rates[] = {
	{ "", 1 }, { "k", 1e3 }, { "K", 1e3 }, { "M", 1e6 }, { "G", 1e9 },
	{ NULL, 0 },
};
static const char *const rate_ends[] = { "", "bit", "bit/s", "bps", NULL };
static const struct unit sizes[] = {
	{ "", 1 }, { "k", 1024 }, { "K", 1024 }, { "M", 1048576 }, { "G", 1073741824 },
	{ NULL, 0 },
};
static const char *const size_ends[] = { "", "B", "iB", NULL };
static const struct unit times[] = {
	{ "us", 1e-6 }, { "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 },
	{ NULL, 0 },
};
static const struct unit shares[] = { { "", 1 }, { "%", .01 }, { NULL, 0 } };
static const char *const no_ends[] = { "", NULL };

static const struct unit *
find_unit(const struct unit *units, const char *const *ends, const char *s)
{
	char full[16];

	for (; units->name != NULL; units++) {
		for (size_t i = 0; ends[i] != NULL; i++) {
			snprintf(full, sizeof(full), "%s%s", units->name, ends[i]);
			if (strcmp(full, s) == 0)
				return units;
		}
	}
	return NULL;
}

/* Digits, at most one point, and if allowed an exponent; strtod alone takes far more. */
static size_t
number_length(const char *s, bool exponent)
{
	size_t n = strspn(s, "0123456789");
	size_t digits = n, more;

	if (s[n] == '.') {
		more = strspn(s + n + 1, "0123456789");
		digits += more;
		n += 1 + more;
	}
	if (digits == 0)
		return 0;
	if (exponent && s[n] == 'e') {
		size_t sign = s[n + 1] == '-' || s[n + 1] == '+' ? 1 : 0;

		more = strspn(s + n + 1 + sign, "0123456789");
		if (more != 0)
			n += 1 + sign + more;
	}
	return n;
}

static bool
quantity(const char *s, const struct unit *units, const char *const *ends, bool exponent,
    const char *expected, double *out, struct err *e)
{
	size_t n = number_length(s, exponent);
	const struct unit *u = n == 0 || n > 30 ? NULL : find_unit(units, ends, s + n);
	double value;

	if (u == NULL)
		return fail(e, ERR_USAGE, "'%.40s' is not %s", s, expected);
	value = strtod(s, NULL) * u->factor;
	if (!isfinite(value) || value > 1e18)
		return fail(e, ERR_USAGE, "'%.40s' is too large", s);
	*out = value;
	return true;
}

bool
units_rate(const char *s, double *bps, struct err *e)
{
	return quantity(s, rates, rate_ends, false, "a rate such as 300M or 1.5G (bit/s)", bps, e);
}

bool
units_bytes(const char *s, double *bytes, struct err *e)
{
	return quantity(s, sizes, size_ends, false, "a size such as 64K or 16M (bytes)", bytes, e);
}

bool
units_time(const char *s, double *seconds, struct err *e)
{
	return quantity(s, times, no_ends, false, "a time with its unit, such as 80ms, 30s or 10m",
	    seconds, e);
}

bool
units_fraction(const char *s, double *share, struct err *e)
{
	double value;

	if (!quantity(s, shares, no_ends, true, "a share such as 0.5% or 0.005", &value, e))
		return false;
	if (value > 1)
		return fail(e, ERR_USAGE, "'%.40s' is more than 100 %%", s);
	*share = value;
	return true;
}

bool
units_number(const char *s, double *number, struct err *e)
{
	static const struct unit none[] = { { "", 1 }, { NULL, 0 } };

	return quantity(s, none, no_ends, false, "a number", number, e);
}

/* Three significant digits, as people write them. */
static const char *
say_scaled(struct arena *a, double v, const char *unit)
{
	return arena_printf(a, "%.*f %s",
	    v >= 99.95 || v == floor(v) ? 0
		: v >= 9.995            ? 1
					: 2,
	    v, unit);
}

const char *
units_say_rate(struct arena *a, double bps)
{
	if (isnan(bps))
		return "unknown";
	if (bps >= 999.5e6)
		return say_scaled(a, bps / 1e9, "Gbit/s");
	if (bps >= 999.5e3)
		return say_scaled(a, bps / 1e6, "Mbit/s");
	return say_scaled(a, bps / 1e3, "kbit/s");
}

const char *
units_say_bytes(struct arena *a, double bytes)
{
	if (isnan(bytes))
		return "unknown";
	if (bytes >= 1073741824.0)
		return say_scaled(a, bytes / 1073741824, "GiB");
	if (bytes >= 1048576.0)
		return say_scaled(a, bytes / 1048576, "MiB");
	if (bytes >= 1024.0)
		return say_scaled(a, bytes / 1024, "KiB");
	return say_scaled(a, bytes, "B");
}

const char *
units_say_time(struct arena *a, double seconds)
{
	long whole;

	if (isnan(seconds))
		return "unknown";
	if (seconds != 0 && seconds < .9995)
		return say_scaled(a, seconds * 1e3, "ms");
	if (seconds < 60)
		return say_scaled(a, seconds, "s");
	whole = lround(seconds);
	if (whole % 60 == 0)
		return arena_printf(a, "%ld min", whole / 60);
	return arena_printf(a, "%ld min %ld s", whole / 60, whole % 60);
}

const char *
units_say_percent(struct arena *a, double share, int digits)
{
	if (isnan(share))
		return "unknown";
	return arena_printf(a, "%.*f %%", digits, share * 100);
}

static double
rounded(double x)
{
	double r = round(x);

	return r == 0 ? 0 : r; /* printf gives a negative zero its sign */
}

const char *
units_say_change(struct arena *a, double estimate, double low, double high)
{
	double by = rounded(estimate);

	return arena_printf(a, by == 0 ? "%.0f %% [%.0f, %.0f]" : "%+.0f %% [%.0f, %.0f]", by,
	    rounded(low), rounded(high));
}

const char *
units_say_factor(struct arena *a, double estimate, double low, double high)
{
	return arena_printf(a, "%.3g times the goodput [%.3g, %.3g]", 1 + estimate / 100,
	    1 + low / 100, 1 + high / 100);
}
