#include "world.h"

#include <math.h>
#include <string.h>

#define GAP_S .3
#define BIN_S .5
#define EARLY_S 2.       /* not before */
#define EARLY_TIGHT .015 /* of the mean */
#define BINS_MAX 64
#define OUTAGE_S 1.5
#define OUTAGE_LEFT .4
#define WHITE_SHARE .3   /* of the white noise felt by window-limited flows */
#define LUCK_SD .15      /* of loss-limited connections */
#define NEVER 1e18

const struct noise noise_quiet = {"quiet", .010, 3600, .008, 30, .015, false, 0, 0, 0};
const struct noise noise_moderate = {"moderate", .08, 3600, .06, 40, .06, false, 4000, 0, 0};
const struct noise noise_seed1 = {"seed1", .24, 7200, .20, 40, .10, false, 2000, 0, 0};
const struct noise noise_heavy = {"heavy", .20, 3600, .20, 30, .15, true, 300, 180, .25};
const struct noise noise_outages = {"outages", .05, 3600, .05, 30, .05, false, 30, 0, 0};

/* ---- xoroshiro128+, seeded by splitmix64 ---------------------------------------------------- */

void
random_seed(struct random *r, uint64_t seed)
{
	r->has_spare = false;
	for (int i = 0; i < 2; i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15u);

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		r->s[i] = z ^ z >> 31;
	}
}

static uint64_t
rotate(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t
random_bits(struct random *r)
{
	uint64_t a = r->s[0], b = r->s[1], sum = rotate(a + b, 17) + a;

	b ^= a;
	r->s[0] = rotate(a, 49) ^ b ^ b << 21;
	r->s[1] = rotate(b, 28);
	return sum;
}

double
random_uniform(struct random *r)
{
	return ((double)(random_bits(r) >> 11) + .5) / 9007199254740992.;
}

double
random_exponential(struct random *r, double mean)
{
	return -mean * log(random_uniform(r));
}

/* The polar method gives two at a time. */
double
random_normal(struct random *r)
{
	double x, y, q;

	if (r->has_spare) {
		r->has_spare = false;
		return r->spare;
	}
	do {
		x = 2 * random_uniform(r) - 1;
		y = 2 * random_uniform(r) - 1;
		q = x * x + y * y;
	} while (q >= 1 || q == 0);
	q = sqrt(-2 * log(q) / q);
	r->spare = y * q;
	r->has_spare = true;
	return x * q;
}

double
random_white(struct random *r, const struct noise *n)
{
	double z = random_normal(r), a, b, c;

	if (!n->heavy_tails)
		return z;
	a = random_normal(r);
	b = random_normal(r);
	c = random_normal(r);
	return z / sqrt(a * a + b * b + c * c); /* t3 / sqrt(3): sd 1 */
}

/* ---- noise in time -------------------------------------------------------------------------- */

static double
every(struct world *w, double mean_s)
{
	return mean_s > 0 ? w->now_s + random_exponential(&w->random, mean_s) : NEVER;
}

static void
next_outage(struct world *w)
{
	w->outage_from_s = every(w, w->path->noise->outage_every_s);
	w->outage_to_s = w->outage_from_s + random_exponential(&w->random, OUTAGE_S);
	w->outage_left = OUTAGE_LEFT * random_uniform(&w->random);
}

void
world_start(struct world *w, const struct path *p, uint64_t seed)
{
	const struct noise *n = p->noise;

	*w = (struct world){.path = p};
	random_seed(&w->random, seed);
	w->slow = n->slow_sd * random_normal(&w->random);
	w->medium = n->medium_sd * random_normal(&w->random);
	w->jump = n->jump_sd * random_normal(&w->random);
	w->next_jump_s = every(w, n->jump_every_s);
	next_outage(w);
}

static double
relax(struct world *w, double x, double sd, double keep)
{
	return keep * x + sd * sqrt(1 - keep * keep) * random_normal(&w->random);
}

static void
pass(struct world *w, double seconds)
{
	const struct noise *n = w->path->noise;

	w->now_s += seconds;
	w->medium = relax(w, w->medium, n->medium_sd, exp(-seconds / n->medium_tau_s));
	while (w->now_s >= w->next_jump_s) {
		w->jump = n->jump_sd * random_normal(&w->random);
		w->next_jump_s += random_exponential(&w->random, n->jump_every_s);
	}
	while (w->now_s >= w->outage_to_s)
		next_outage(w);
}

/* Share of the rate that an outage leaves of the bin which begins now. */
static double
outage_share(const struct world *w)
{
	double from = fmax(w->outage_from_s, w->now_s);
	double to = fmin(w->outage_to_s, w->now_s + BIN_S);

	return to <= from ? 1 : 1 - (to - from) / BIN_S * (1 - w->outage_left);
}

/* ---- trials --------------------------------------------------------------------------------- */

static double
connection_luck(struct world *w, const struct ask *ask)
{
	const struct path *p = w->path;
	double luck = p->luck_sd > 0 ? exp(p->luck_sd * random_normal(&w->random)) : 1;

	if (p->stuck > 0 && strcmp(ask->setting.cc, "bbr") == 0 &&
	    random_uniform(&w->random) < p->stuck)
		luck *= .1;
	return luck;
}

static double
bin_goodput(struct world *w, const struct ask *ask, double white, double luck_normal,
    struct answer *a)
{
	const struct path *p = w->path;
	double level = w->slow + w->medium + w->jump, share = outage_share(w);
	double goodput;

	if (p->halves_after_bytes > 0 && w->bytes > p->halves_after_bytes)
		level -= log(2);
	*a = path_setting_answer(p, &ask->setting, path_capacity(p, level + white),
	    path_capacity(p, w->slow + w->jump));
	goodput = a->goodput_bps;
	if (a->window_limited)
		goodput *= exp(WHITE_SHARE * white);
	if (a->loss_limited)
		goodput *= exp(LUCK_SD * luck_normal);
	return goodput * share;
}

static bool
tight(const double *v, size_t n)
{
	double sum = 0, squares = 0, mean;

	if ((double)n * BIN_S < EARLY_S)
		return false;
	for (size_t i = 0; i < n; i++)
		sum += v[i];
	mean = sum / (double)n;
	for (size_t i = 0; i < n; i++)
		squares += (v[i] - mean) * (v[i] - mean);
	return 2.8 * sqrt(squares / (double)(n - 1) / (double)n) < EARLY_TIGHT * mean;
}

static void
fill_trial(struct world *w, const struct ask *ask, const struct answer *a, double goodput,
    struct trial *t)
{
	double rtt = a->rtt_s * exp(.01 * random_normal(&w->random));

	*t = (struct trial){.setting = ask->setting, .phase = ask->phase, .block = ask->block,
	    .slot = ask->slot, .coin = ask->coin, .status = TRIAL_OK};
	t->goodput_bps = goodput;
	t->retransmits = a->retransmits;
	t->rtt.idle_ms = t->rtt.min_ms = w->path->rtt_s * 1000;
	t->rtt.loaded_ms = rtt * 1000;
	t->inflight_bytes = fmin(ask->setting.window_bytes, goodput * rtt / 8);
	t->warmup_s = ask->warmup_s;
	/* What TCP_INFO would tell, for the extras. */
	t->rwnd_limited = t->sndbuf_limited = a->window_limited ? .8 : .02;
	t->delivery_rate_bps = goodput * (a->loss_limited ? 1.3 : 1.02);
}

void
world_trial(struct world *w, const struct ask *ask, struct trial *t)
{
	const struct noise *noise = w->path->noise;
	double bins[BINS_MAX], luck, luck_normal, white = 0, sum = 0, rtt_sum = 0, span;
	struct answer a = {0};
	size_t n = 0;

	span = GAP_S + ask->warmup_s + ask->duration_s / 2;
	w->slow = relax(w, w->slow, noise->slow_sd, exp(-span / noise->slow_tau_s));
	pass(w, GAP_S + ask->warmup_s);
	luck = connection_luck(w, ask);
	luck_normal = random_normal(&w->random);
	for (double left = ask->duration_s; left > 0 && n < BINS_MAX && !tight(bins, n); left -= BIN_S) {
		if (n % 2 == 0)
			white = noise->white_sd * random_white(&w->random, noise);
		bins[n] = luck * bin_goodput(w, ask, white, luck_normal, &a);
		sum += bins[n++];
		rtt_sum += a.rtt_s;
		pass(w, fmin(BIN_S, left));
	}
	a.rtt_s = rtt_sum / (double)n;
	fill_trial(w, ask, &a, sum / (double)n, t);
	t->duration_s = fmin((double)n * BIN_S, ask->duration_s);
	t->bytes = t->goodput_bps / 8 * (t->warmup_s + t->duration_s);
	w->bytes += t->bytes;
}
