#include "scenarios.h"

#include <math.h>
#include <string.h>

#define KB 1024.
#define MB 1048576.
#define BBR .975 /* of the capacity, where nothing else is said */
#define NOISE(n) .noise = &noise_##n
#define CUBIC_NEWRENO_BBR .cc = {"cubic", "newreno", "bbr"}, .n_cc = 3
#define CUBIC_BBR_RENO .cc = {"cubic", "bbr", "reno"}, .n_cc = 3
#define NEWRENO_CUBIC .cc = {"newreno", "cubic"}, .n_cc = 2
#define CUBIC_BBR .cc = {"cubic", "bbr"}, .n_cc = 2

/* lab.md, medians; the windows are .62 of the knob, between them what the formula gives. */
static const struct point lab_long[] = {
	{.62 * 256 * KB, 6.4e6, 6.3e6}, {.62 * 4 * MB, 110e6, 99e6},
	{.62 * 16 * MB, 317e6, 407e6}, {16 * MB, 450e6, 520e6}, {.62 * 64 * MB, 490e6, 528e6},
};
static const struct point lab_lossy[] = {
	{.62 * 256 * KB, 2.5e6, 9e6}, {.62 * 4 * MB, 2.5e6, 95e6}, {.62 * 64 * MB, 2.5e6, 95.5e6},
};
static const struct point lab_shallow[] = {
	{.62 * 256 * KB, 17e6, 16e6}, {.62 * 4 * MB, 107e6, 265e6}, {.62 * 64 * MB, 107e6, 273e6},
};
static const struct point lab_short[] = {
	{.62 * 256 * KB, 480e6, 482e6}, {.62 * 64 * MB, 480e6, 482e6},
};
static const struct point lab_full[] = {
	{.62 * 256 * KB, 17e6, 16e6}, {.62 * 4 * MB, 271e6, 272e6}, {3e6, 290e6, 288e6},
	{.62 * 16 * MB, 290e6, 288e6}, {.62 * 64 * MB, 290e6, 289e6},
};
#define POINTS(p) .points = p, .n_points = sizeof(p) / sizeof(*p)

#define EXTRAS(x) .extras = x, .n_extras = sizeof(x) / sizeof(*x)

static const char *by_window[] = {"rwnd", "sndbuf"};
static const struct plan_extra growth_and_stack[] = {
	{.id = "growth", .binds = by_window, .n_binds = 2, .with_window = true},
	{.id = "stack", .binds = by_window, .n_binds = 2},
};

static const char *by_path[] = {"path"};
static const struct plan_extra on_full_paths[] = {
	{.id = "growth", .binds = by_path, .n_binds = 1, .with_window = true},
	{.id = "stack", .binds = by_path, .n_binds = 1},
};

const struct scenario scenarios[] = {
	{"n1-seed1", KIND_NULL, {210e6, .0004, 128 * KB, 0, .bbr_gain = BBR, NOISE(seed1)},
	    2 * MB, 0, CUBIC_NEWRENO_BBR},
	{"n2-seed1-worse", KIND_NULL, {210e6, .0004, 128 * KB, 0, .bbr_gain = BBR,
	    .worse_when_large = true, NOISE(seed1)}, 2 * MB, 0, CUBIC_NEWRENO_BBR},
	{"n3-virtio", KIND_NULL, {600e6, .209, 4 * MB, 0, .cap_bps = 900 * KB * 8, .bbr_gain = BBR,
	    NOISE(seed1)}, 256 * KB, 0, NEWRENO_CUBIC},
	{"n4-lan10g", KIND_NULL, {9.4e9, .00015, 1 * MB, 0, .cap_bps = 6e9, .bbr_gain = .75 * BBR,
	    NOISE(quiet)}, 2 * MB, 0, CUBIC_NEWRENO_BBR},
	{"n5-metro-heavy", KIND_NULL, {1e9, .010, 2 * MB, 0, .bbr_gain = 1, NOISE(heavy)},
	    6 * MB, 0, CUBIC_BBR_RENO},
	{"n6-tokenbucket", KIND_NULL, {1e9, .002, 1 * MB, 0, .bbr_gain = 1,
	    .halves_after_bytes = 15e9, NOISE(moderate)}, 4 * MB, 0, CUBIC_BBR_RENO},
	{"n7-bbr-worse", KIND_NULL, {500e6, .015, 1 * MB, 0, .bbr_gain = .85 * BBR, NOISE(seed1)},
	    6 * MB, 0, CUBIC_BBR_RENO},
	{"n8-wan-null", KIND_NULL, {100e6, .080, 1 * MB, 0, .bbr_gain = 1, NOISE(heavy)},
	    6 * MB, 0, CUBIC_BBR_RENO},
	{"n9-wan-ambig", KIND_NULL, {100e6, .080, 4 * MB, 0, .bbr_gain = 1, NOISE(heavy)},
	    2 * MB, 0, CUBIC_BBR_RENO},
	/* Nothing helps: the extras' arms are noise. */
	{"n10-extras", KIND_NULL, {100e6, .020, 256 * KB, 0, .bbr_gain = 1, NOISE(seed1)},
	    1 * MB, 0, CUBIC_BBR_RENO, EXTRAS(on_full_paths)},
	{"e1-seed2-fbsd", KIND_CLEAR, {600e6, .209, 5 * MB, 1e-8, .bbr_gain = BBR, NOISE(moderate)},
	    2 * MB, 0, CUBIC_NEWRENO_BBR},
	{"e2-seed2-lossy", KIND_CLEAR, {600e6, .209, 12 * MB, 2e-5, .bbr_gain = BBR, NOISE(seed1)},
	    2 * MB, 0, CUBIC_NEWRENO_BBR},
	{"e3-netbsd-e1000", KIND_CLEAR, {600e6, .209, 5 * MB, 1e-6, .bbr_gain = BBR, NOISE(seed1)},
	    256 * KB, 0, NEWRENO_CUBIC},
	{"e4-loss1pct", KIND_CLEAR, {200e6, .050, 1 * MB, 1e-2, .bbr_gain = BBR, .bbr_starts = true, NOISE(seed1)},
	    4 * MB, 0, CUBIC_NEWRENO_BBR},
	{"e5-shallow", KIND_CLEAR, {500e6, .040, 125 * KB, 0, .bbr_gain = BBR, NOISE(moderate)},
	    1 * MB, 0, CUBIC_NEWRENO_BBR},
	{"e6-bloat", KIND_CLEAR, {50e6, .030, 1.5 * MB, 0, .bbr_gain = BBR, NOISE(moderate)},
	    64 * KB, 0, CUBIC_NEWRENO_BBR},
	{"e7-lan-small", KIND_CLEAR, {940e6, .001, 256 * KB, 0, .bbr_gain = BBR, NOISE(quiet)},
	    64 * KB, 0, NEWRENO_CUBIC},
	{"e8-plus13", KIND_HARD, {300e6, .020, 512 * KB, 0, .bbr_gain = BBR, NOISE(seed1)},
	    720 * KB, 0, CUBIC_NEWRENO_BBR},
	{"e9-plus35", KIND_HARD, {300e6, .020, 512 * KB, 0, .bbr_gain = BBR, NOISE(heavy)},
	    560 * KB, 0, CUBIC_NEWRENO_BBR},
	{"e13-bbr+12", KIND_HARD, {500e6, .030, 1 * MB, 0, .bbr_gain = 1.12, NOISE(seed1)},
	    6 * MB, 0, CUBIC_BBR_RENO},
	{"e14-win+cc12", KIND_HARD, {300e6, .020, 512 * KB, 1e-7, .bbr_gain = 1.12, NOISE(seed1)},
	    560 * KB, 0, CUBIC_NEWRENO_BBR},
	{"e10-satellite", KIND_CLEAR, {50e6, .600, 4 * MB, 1e-4, .bbr_gain = BBR, .bbr_starts = true, NOISE(moderate)},
	    2 * MB, 0, CUBIC_BBR_RENO},
	{"e11-recv", KIND_CLEAR, {100e6, .080, 1 * MB, 0, .bbr_gain = BBR, NOISE(moderate)},
	    4 * MB, 256 * KB, CUBIC_BBR},
	{"e12-both", KIND_CLEAR, {400e6, .060, 2 * MB, 0, .bbr_gain = BBR, NOISE(seed1)},
	    1 * MB, 512 * KB, CUBIC_BBR},
	/* The receiver's window does not grow beyond 300 KB unless its growth is mended. */
	{"e15-growth", KIND_CLEAR, {300e6, .050, 1 * MB, 0, .bbr_gain = BBR, .grows_with = "growth",
	    .grows_bytes = 300 * KB, NOISE(moderate)}, 0, 256 * KB, .cc = {"cubic"}, .n_cc = 1,
	    EXTRAS(growth_and_stack)},
	{"e16-stack", KIND_CLEAR, {200e6, .020, 256 * KB, 0, .cap_bps = 100e6, .bbr_gain = 1,
	    .faster_with = "stack", .faster = 1.6, NOISE(moderate)}, 240 * KB, 0, CUBIC_BBR,
	    EXTRAS(growth_and_stack)},
	{"stuck-bbr", KIND_STUCK, {600e6, .209, 12 * MB, 2e-5, .bbr_gain = BBR, .stuck = .2,
	    NOISE(moderate)}, 2 * MB, 0, CUBIC_BBR},
	{"lab-long", KIND_LAB, {573e6, .209, .25 * 600e6 * .209 / 8, 0, .bbr_gain = BBR, 	.luck_sd = .15,
	    POINTS(lab_long), NOISE(quiet)}, .62 * 4 * MB, 0, CUBIC_BBR},
	{"lab-short", KIND_LAB, {482e6, .001, 500e6 * .001 / 8, 0, .bbr_gain = BBR,
	    POINTS(lab_short), NOISE(quiet)}, .62 * 4 * MB, 0, CUBIC_BBR},
	{"lab-lossy", KIND_LAB, {96.5e6, .100, 100e6 * .1 / 8, .005, .bbr_gain = BBR, .bbr_starts = true, .luck_sd = .15,
	    POINTS(lab_lossy), NOISE(quiet)}, .62 * 4 * MB, 0, CUBIC_BBR},
	{"lab-shallow", KIND_LAB, {290e6, .080, .1 * 300e6 * .08 / 8, 0, .bbr_gain = BBR, .bbr_starts = true, .luck_sd = .08,
	    POINTS(lab_shallow), NOISE(quiet)}, .62 * 4 * MB, 0, CUBIC_BBR},
	{"lab-full", KIND_LAB, {290e6, .080, 300e6 * .08 / 8, 0, .bbr_gain = BBR,
	    POINTS(lab_full), NOISE(quiet)}, .62 * 4 * MB, 0, CUBIC_BBR},
	{"lab-demo", KIND_LAB, {290e6, .080, 300e6 * .08 / 8, 0, .bbr_gain = BBR,
	    POINTS(lab_full), NOISE(quiet)}, .62 * 256 * KB, 0, CUBIC_BBR},
};
const size_t n_scenarios = sizeof(scenarios) / sizeof(*scenarios);

const struct scenario *
scenario_find(const char *name)
{
	for (size_t i = 0; i < n_scenarios; i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	return NULL;
}

/* ---- random paths --------------------------------------------------------------------------- */

static double
log_uniform(struct random *r, double low, double high)
{
	return low * pow(high / low, random_uniform(r));
}

static size_t
choice(struct random *r, size_t n)
{
	return random_bits(r) % n;
}

static void
random_controls(struct scenario *sc, struct random *r)
{
	bool cubic = choice(r, 2) == 0;

	sc->cc[sc->n_cc++] = cubic ? "cubic" : "newreno";
	if (choice(r, 2) == 0)
		sc->cc[sc->n_cc++] = cubic ? "newreno" : "cubic";
	sc->cc[sc->n_cc++] = "bbr";
}

void
scenario_random(struct scenario *sc, uint64_t seed)
{
	static const double losses[] = {0, 0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3};
	static const double windows[] = {64 * KB, 256 * KB, 1 * MB, 2 * MB, 4 * MB, 6 * MB};
	static const struct noise *const noises[] = {
		&noise_quiet, &noise_moderate, &noise_seed1, &noise_heavy,
	};
	struct path *p = &sc->path;
	struct random r;

	*sc = (struct scenario){.name = "random", .kind = KIND_CLEAR};
	random_seed(&r, seed);
	p->capacity_bps = log_uniform(&r, 10e6, 2e9);
	p->rtt_s = log_uniform(&r, .0005, .250);
	p->queue_bytes = fmax(64 * KB, log_uniform(&r, .1, 4) * p->capacity_bps * p->rtt_s / 8);
	p->loss = losses[choice(&r, 7)];
	sc->send_bytes = windows[choice(&r, 6)];
	random_controls(sc, &r);
	p->noise = noises[choice(&r, 4)];
	p->cap_bps = choice(&r, 5) == 0 ? p->capacity_bps / 2 : 0;
	p->bbr_gain = choice(&r, 4) == 0 ? .85 : BBR;
	p->worse_when_large = choice(&r, 6) == 0;
}
