#include "scenarios.h"

#include "tuner/search_state.h"

#include <math.h>
#include <string.h>

#define LEVEL_STEP .25 /* standard deviations */

static const char *
control(const struct truth *t, size_t i)
{
	return t->direction == DIR_SEND ? t->scenario->cc[i] : "cubic";
}

void
truth_start(struct truth *t, const struct scenario *sc, enum direction direction)
{
	static struct search s;
	const struct noise *n = sc->path.noise;
	struct random r;

	*t = (struct truth){.scenario = sc, .direction = direction};
	t->n_cc = direction == DIR_SEND ? sc->n_cc : 1;
	s = (struct search){.config = {.window_max_bytes = 64 * 1048576.}};
	s.config.window_bytes = direction == DIR_SEND ? sc->send_bytes : sc->receive_bytes;
	t->n_sets = (size_t)1 << sc->n_extras;
	ladder_build(&s);
	t->n_ladder = s.n_ladder;
	memcpy(t->ladder, s.ladder, s.n_ladder * sizeof(*s.ladder));
	random_seed(&r, 1);
	for (size_t i = 0; i < TRUTH_DRAWS; i++) {
		double sd = hypot(n->medium_sd, n->jump_sd);

		/* Both signs of every draw: the mean of the noise is exactly 0. */
		t->noise[i] = i % 2 == 1 ? -t->noise[i - 1] : sd * random_normal(&r);
		t->white[i] = i % 2 == 1 ? -t->white[i - 1] : n->white_sd * random_white(&r, n);
	}
}

/* The set-th choice of extras. */
static struct setting
setting_of(const struct truth *t, size_t set, size_t c, size_t step, const char **names)
{
	struct setting s = {.cc = control(t, c), .window_bytes = t->ladder[step], .extras = names};

	for (size_t i = 0; i < t->scenario->n_extras; i++)
		if (set & 1u << i)
			names[s.n_extras++] = t->scenario->extras[i].id;
	return s;
}

static double
expected_y(const struct truth *t, const struct setting *s, double slow)
{
	const struct path *p = &t->scenario->path;
	double sum = 0;

	for (size_t i = 0; i < TRUTH_DRAWS; i++) {
		struct answer a = path_setting_answer(p, s,
		    path_capacity(p, slow + t->noise[i] + t->white[i]), path_capacity(p, slow));

		sum += log(a.goodput_bps) + (a.window_limited ? .3 * t->white[i] : 0);
	}
	if (strcmp(s->cc, "bbr") == 0)
		sum += TRUTH_DRAWS * p->stuck * log(.1);
	return sum / TRUTH_DRAWS;
}

static bool
allowed(const struct truth *t, struct answer a, struct answer start, double gain)
{
	double rtt = t->scenario->path.rtt_s;

	return a.rtt_s <= fmax(rtt, start.rtt_s) + fmax(.05, rtt / 2) &&
	    a.retransmits - start.retransmits <= (gain > HALF_AGAIN ? .03 : .01);
}

static void
fill_setting(struct truth *t, size_t level, double slow, size_t index)
{
	size_t set = index / (t->n_cc * t->n_ladder), c = index / t->n_ladder % t->n_cc;
	size_t step = index % t->n_ladder;
	const struct path *p = &t->scenario->path;
	double capacity = path_capacity(p, slow), *y = &t->y[level][set][c][step];
	const char *names[TRUTH_SETS], *none[1];
	struct setting s = setting_of(t, set, c, step, names), first = setting_of(t, 0, 0, 0, none);
	struct answer a = path_setting_answer(p, &s, capacity, capacity);

	*y = expected_y(t, &s, slow);
	if (*y > t->best[level] &&
	    allowed(t, a, path_setting_answer(p, &first, capacity, capacity), *y - t->y[level][0][0][0]))
		t->best[level] = *y;
}

static void
fill_level(struct truth *t, size_t level, double slow)
{
	t->best[level] = -INFINITY;
	for (size_t i = 0; i < t->n_sets * t->n_cc * t->n_ladder; i++)
		fill_setting(t, level, slow, i);
	t->have[level] = true;
}

static size_t
level_of(struct truth *t, double slow)
{
	double sd = t->scenario->path.noise->slow_sd;
	double place = fmin(fmax(slow / sd / LEVEL_STEP, -16), 16);
	size_t level = (size_t)(lround(place) + 16);

	if (!t->have[level])
		fill_level(t, level, (double)lround(place) * LEVEL_STEP * sd);
	return level;
}

static size_t
step_of(const struct truth *t, double window)
{
	for (size_t i = 0; i < t->n_ladder; i++)
		if (fabs(t->ladder[i] - window) < .5)
			return i;
	return 0;
}

static size_t
control_of(const struct truth *t, const char *cc)
{
	for (size_t i = 0; cc != NULL && i < t->n_cc; i++)
		if (strcmp(control(t, i), cc) == 0)
			return i;
	return 0;
}

static size_t
set_of(const struct truth *t, const struct setting *s)
{
	size_t set = 0;

	for (size_t i = 0; i < t->scenario->n_extras; i++)
		if (strings_have(s->extras, s->n_extras, t->scenario->extras[i].id))
			set |= 1u << i;
	return set;
}

static bool
default_would_do(const struct truth *t, size_t level)
{
	for (size_t i = 0; i < t->n_ladder; i++)
		if (t->y[level][0][0][i] >= t->best[level] - WORTH)
			return true;
	return false;
}

struct score
truth_score(struct truth *t, const struct search_result *r, double slow)
{
	size_t level = level_of(t, slow), set = 0, cc = 0, step = 0, enough = 0;
	struct score score = {.window_ratio = NAN};

	score.changed = r->verdict == VERDICT_CHANGE;
	if (score.changed) {
		cc = control_of(t, r->chosen.cc);
		step = step_of(t, r->chosen.window_bytes);
		set = set_of(t, &r->chosen);
	}
	score.gain = t->y[level][set][cc][step] - t->y[level][0][0][0];
	score.regret = t->best[level] - t->y[level][set][cc][step];
	score.best_gain = t->best[level] - t->y[level][0][0][0];
	score.cc_changed = cc != 0;
	score.cc_needless = cc != 0 && default_would_do(t, level);
	while (enough < step && t->y[level][set][cc][enough] < t->best[level] - WORTH)
		enough++;
	if (step > 0)
		score.window_ratio = t->ladder[step] / t->ladder[enough];
	return score;
}
