#include "lab.h"

#include "../tuner/units.h"
#include "lab_link.h"

#include <math.h>
#include <string.h>

#define RATE_MIN_BPS 8e3
#define RATE_MAX_BPS 10e9 /* beyond what one core can carry */
#define RTT_MIN_MS .01
#define RTT_MAX_MS 10e3
#define MTU_MIN 576.0
#define MTU_MAX 9000.0

const char *const lab_start_names[] = { "linux-6.18", "linux-6.1", "bsd-256k", "host", NULL };

struct lab_spec
lab_default(void)
{
	struct lab_link link = { .rate_bps = 300e6, .queue = 1, .queue_unit = QUEUE_BDP };

	return (struct lab_spec){
		.name = "lab",
		.rtt_ms = 80,
		.mtu = 1500,
		.seed = 1,
		.link = { link, link },
		.start = lab_start_names[0],
	};
}

bool
lab_check_name(const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (n == 0 || n > 32 || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_-") != n)
		return fail(e, ERR_USAGE, "lab name '%.40s': 1 to 32 letters, digits, - or _",
		    name);
	return true;
}

/* NAN is outside. */
static bool
within(double v, double min, double max)
{
	return v >= min && v <= max;
}

static bool
check_loss(const struct lab_link *l, struct err *e)
{
	if (l->loss_model == LOSS_NONE)
		return true;
	if (l->loss_model == LOSS_BERNOULLI) {
		if (!within(l->loss, 0, 1) || l->loss == 1)
			return fail(e, ERR_USAGE, "--loss: a share from 0 to less than 100%%");
		return true;
	}
	if (!within(l->p_bad, 0, 1) || !within(l->p_good, 0, 1) || !within(l->loss, 0, 1) ||
	    !within(l->loss_good, 0, 1))
		return fail(e, ERR_USAGE, "--loss-ge: every number is a share from 0 to 1");
	if (l->p_bad == 0 || l->p_good == 0)
		return fail(e, ERR_USAGE,
		    "--loss-ge: with a transition of 0 one of the states is for ever; use --loss");
	return true;
}

static bool
check_queue(const struct lab_spec *s, unsigned direction, struct err *e)
{
	const struct lab_link *l = &s->link[direction];

	if (!within(l->queue, 0, 1e12) || l->queue == 0)
		return fail(e, ERR_USAGE, "--queue: more than 0");
	if (l->queue_unit == QUEUE_PACKETS && (l->queue != floor(l->queue) || l->queue > 1e6))
		return fail(e, ERR_USAGE, "--queue: 1 to 1000000 whole packets");
	return true;
}

static bool
check_link(const struct lab_spec *s, unsigned direction, struct err *e)
{
	const struct lab_link *l = &s->link[direction];

	if (!within(l->rate_bps, RATE_MIN_BPS, RATE_MAX_BPS))
		return fail(e, ERR_USAGE, "--rate: 8k to 10G bit/s, not %g", l->rate_bps);
	if (!within(l->jitter_ms, 0, RTT_MAX_MS))
		return fail(e, ERR_USAGE, "--jitter: 0 to 10 s");
	if (l->police_bps != 0 && (!within(l->police_bps, RATE_MIN_BPS, RATE_MAX_BPS) ||
	    !within(l->police_burst_bytes, s->mtu, 1e9)))
		return fail(e, ERR_USAGE,
		    "--police: a rate of 8k to 10G bit/s, a burst of at least one MTU to 1 GB");
	return check_loss(l, e) && check_queue(s, direction, e);
}

static bool
known_start(const char *start)
{
	for (size_t i = 0; lab_start_names[i] != NULL; i++)
		if (strcmp(start, lab_start_names[i]) == 0)
			return true;
	return false;
}

bool
lab_check(const struct lab_spec *s, struct err *e)
{
	double memory;

	if (!lab_check_name(s->name, e))
		return false;
	if (!within(s->rtt_ms, RTT_MIN_MS, RTT_MAX_MS))
		return fail(e, ERR_USAGE, "--rtt: 10 us to 10 s, not %g ms", s->rtt_ms);
	if (!within(s->mtu, MTU_MIN, MTU_MAX) || s->mtu != floor(s->mtu))
		return fail(e, ERR_USAGE, "--mtu: 576 to 9000 bytes, not %g", s->mtu);
	if (!within(s->seed, 0, 0x1p53 - 1) || s->seed != floor(s->seed))
		return fail(e, ERR_USAGE, "--seed: a whole number below 2^53");
	if (s->start == NULL || !known_start(s->start))
		return fail(e, ERR_USAGE,
		    "--start: '%.40s' is not one of linux-6.18, linux-6.1, bsd-256k, host",
		    s->start == NULL ? "" : s->start);
	if (!check_link(s, 0, e) || !check_link(s, 1, e))
		return false;
	memory = link_memory_bytes(s, 0) + link_memory_bytes(s, 1);
	if (memory > LAB_MEMORY_MAX)
		return fail(e, ERR_USAGE, "--rate, --rtt, --queue, --jitter: queue and path "
		    "would hold %.1f GiB, more than 1 GiB", memory / LAB_MEMORY_MAX);
	return true;
}

/* Text ends so, and what is before it is short enough to copy. */
static bool
strip(const char *text, const char *suffix, char *number, size_t size)
{
	size_t n = strlen(text), k = strlen(suffix);

	if (n <= k || n - k >= size || strcmp(text + n - k, suffix) != 0)
		return false;
	memcpy(number, text, n - k);
	number[n - k] = '\0';
	return true;
}

bool
lab_parse_queue(const char *text, struct lab_link *l, struct err *e)
{
	struct err ignored = { 0 };
	enum queue_unit unit = QUEUE_BYTES;
	char number[32];
	double v;
	bool ok;

	if (strip(text, "bdp", number, sizeof(number))) {
		unit = QUEUE_BDP;
		ok = units_number(number, &v, &ignored);
	} else if (strip(text, "p", number, sizeof(number))) {
		unit = QUEUE_PACKETS;
		ok = units_number(number, &v, &ignored);
	} else
		ok = units_bytes(text, &v, &ignored);
	if (!ok || v <= 0)
		return fail(e, ERR_USAGE, "--queue: '%.40s' is none of 1bdp, 64K, 100p", text);
	l->queue = v;
	l->queue_unit = unit;
	return true;
}

/* Cut at commas; the number of parts, or 0 when there are more than max. */
static size_t
split(char *text, char **part, size_t max)
{
	size_t n = 0;

	for (char *s = text; s != NULL; n++) {
		char *comma = strchr(s, ',');

		if (n == max)
			return 0;
		part[n] = s;
		if (comma != NULL)
			*comma++ = '\0';
		s = comma;
	}
	return n;
}

bool
lab_parse_loss_ge(struct arena *a, const char *text, struct lab_link *l, struct err *e)
{
	char *part[4];
	double v[4] = { 0 };
	struct err why = { 0 };
	size_t n = split(arena_strdup(a, text), part, NELEM(part));

	if (n < 3)
		return fail(e, ERR_USAGE,
		    "--loss-ge: '%.60s' is not P_BAD,P_GOOD,LOSS_BAD[,LOSS_GOOD]", text);
	for (size_t i = 0; i < n; i++)
		if (!units_fraction(part[i], &v[i], &why))
			return fail(e, ERR_USAGE, "--loss-ge: %s", why.text);
	l->loss_model = LOSS_GILBERT_ELLIOTT;
	l->p_bad = v[0];
	l->p_good = v[1];
	l->loss = v[2];
	l->loss_good = v[3];
	return true;
}

bool
lab_parse_police(struct arena *a, const char *text, double mtu, struct lab_link *l, struct err *e)
{
	char *part[2];
	double rate, burst;
	struct err why = { 0 };
	size_t n = split(arena_strdup(a, text), part, NELEM(part));

	if (n == 0)
		return fail(e, ERR_USAGE, "--police: '%.60s' is not RATE[,BURST]", text);
	if (!units_rate(part[0], &rate, &why))
		return fail(e, ERR_USAGE, "--police: %s", why.text);
	burst = fmax(rate / 8 * .1, 10 * mtu);
	if (n == 2 && !units_bytes(part[1], &burst, &why))
		return fail(e, ERR_USAGE, "--police: %s", why.text);
	if (rate == 0)
		return fail(e, ERR_USAGE, "--police: more than 0");
	l->police_bps = rate;
	l->police_burst_bytes = burst;
	return true;
}
