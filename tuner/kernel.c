#include "kernel.h"

#include <math.h>

#define KNOB_STEP_BYTES 4096.0
#define COUNTS_MOST 1e18      /* far beyond what asks for the largest scale */
#define UNSCALED_BYTES 65535. /* what the header's 16 bits say at most */

/* The knobs of one direction. */
static const struct roles {
	enum knob_role max, initial, increment, automatic;
} roles[] = {
	[DIR_SEND] = { ROLE_SEND_MAX, ROLE_SEND_INITIAL, ROLE_SEND_INCREMENT, ROLE_SEND_AUTO },
	[DIR_RECEIVE] = { ROLE_RECEIVE_MAX, ROLE_RECEIVE_INITIAL, ROLE_RECEIVE_INCREMENT,
	    ROLE_RECEIVE_AUTO },
};

/* How a buffer grows: from start by steps to top, as long as no step exceeds share. */
struct growth {
	const struct window_model *model;
	double start; /* NAN: it is as large as it may be at once */
	double add;
	double top;
	double share;
	double most;       /* in flight: by the window scale, and by what is unmet */
	double scale;      /* NAN when sending, or without a model */
	const struct requirement *ends;   /* growth at top, by being unmet; NULL: none does */
	const struct requirement *bounds; /* what is in flight to most, the same way */
	double step_s;
};

static double
default_of(const struct knob_default *d, size_t n, const struct facts *f)
{
	size_t i = 0;

	while (i < n && !profile_in_range(&d[i].range, f->release, f->arch))
		i++;
	if (i == n)
		return NAN;
	if (isnan(d[i].ram_divisor) || isnan(f->ram_bytes))
		return d[i].value;
	return fmin(fmax(floor(f->ram_bytes / d[i].ram_divisor), d[i].least), d[i].value);
}

double
kernel_default(const struct knob *k, const struct facts *f)
{
	return default_of(k->defaults, k->n_defaults, f);
}

double
kernel_default_memory(const struct profile *p, const struct facts *f)
{
	return default_of(p->memory_defaults, p->n_memory_defaults, f);
}

/* Such a limit is -1 as the kernel counts, without a sign: it bounds nothing. */
static bool
outside(const struct knob *k, double value)
{
	return value < k->min || value > k->max;
}

/* What a buffer starts with counts as far as the limit admits it. */
static void
cut_initial(const struct profile *p, const struct facts *f, struct kernel_knobs *k)
{
	for (int d = DIR_SEND; d <= DIR_RECEIVE; d++) {
		const struct window_model *m =
		    profile_window(p, (enum direction)d, f->release, f->arch);
		double *initial = &k->value[roles[d].initial];

		if (m != NULL && m->n_initial_share == 2 && !isnan(*initial))
			*initial = fmin(*initial, floor(k->value[ROLE_LIMIT] *
			    m->initial_share[0] / m->initial_share[1]));
	}
}

struct kernel_knobs
kernel_knobs(const struct profile *p, const struct facts *f)
{
	struct kernel_knobs out;

	for (size_t i = 0; i < ROLE_COUNT; i++)
		out.value[i] = NAN;
	for (size_t i = 0; i < p->n_knobs; i++) {
		const struct knob *k = &p->knobs[i];
		const struct knob_fact *fact = facts_knob(f, k->name);

		if (k->role == ROLE_WATCH || !isnan(out.value[k->role]) ||
		    !profile_in_range(&k->range, f->release, f->arch))
			continue;
		out.value[k->role] = fact == NULL || isnan(fact->now) ? kernel_default(k, f) :
		    k->role == ROLE_LIMIT && outside(k, fact->now) ? INFINITY :
		    fact->now;
	}
	cut_initial(p, f, &out);
	return out;
}

double
kernel_scale(const struct scale_model *s, double value)
{
	double counts = fmin(fmax(value, s->value), COUNTS_MOST), scale = 0;

	if (s->rule == SCALE_COVER) {
		while (scale < KERNEL_SCALE_MOST && ldexp(UNSCALED_BYTES, (int)scale) < counts)
			scale++;
	} else if (counts >= 1) {
		int bits; /* floor(log2(counts)) + 1 */

		frexp(counts, &bits);
		scale = fmin(fmax(bits - 16, 0), KERNEL_SCALE_MOST);
	}
	return isnan(s->least) ? scale : fmax(scale, s->least);
}

const struct scale_model *
kernel_scale_model(const struct profile *p, const struct facts *f)
{
	for (size_t i = 0; i < p->n_scales; i++) {
		if (profile_in_range(&p->scales[i].range, f->release, f->arch))
			return &p->scales[i];
	}
	return NULL;
}

double
kernel_scale_bytes(double scale)
{
	return ldexp(UNSCALED_BYTES, (int)scale);
}

double
kernel_scalable_bytes(double window_bytes)
{
	return isnan(window_bytes) ? NAN :
	    fmin(window_bytes, kernel_scale_bytes(KERNEL_SCALE_MOST));
}

double
kernel_scale_value(const struct scale_model *s, double window_bytes)
{
	double scale = 0;

	while (scale <= KERNEL_SCALE_MOST && kernel_scale_bytes(scale) < window_bytes)
		scale++;
	if (scale > KERNEL_SCALE_MOST)
		return NAN;
	if (s->rule == SCALE_LOG2)
		return ldexp(1, (int)scale + 15);
	return scale == 0 ? 1 : kernel_scale_bytes(scale - 1) + 1;
}

/* The scale asked for with these knobs; NAN without a model. */
static double
scale_now(const struct profile *p, const struct facts *f, const struct kernel_knobs *k)
{
	const struct scale_model *s = kernel_scale_model(p, f);
	double most = NAN;

	if (s == NULL)
		return NAN;
	for (size_t i = 0; i < s->n_of; i++)
		most = fmax(most, k->value[profile_role(s->of[i])]);
	return kernel_scale(s, most);
}

double
kernel_limit_share(const struct window_model *m, double limit)
{
	return m->n_limit_share != 2 ? limit :
	    floor(limit * m->limit_share[0] / m->limit_share[1]);
}

double
kernel_window_bytes(const struct window_model *m, double max_bytes)
{
	return floor(m->factor * max_bytes);
}

double
kernel_max_bytes(const struct window_model *m, double window_bytes)
{
	return ceil(window_bytes / m->factor / KNOB_STEP_BYTES) * KNOB_STEP_BYTES;
}

double
kernel_limit_bytes(const struct window_model *m, double max_bytes, double step_bytes)
{
	double limit = m->n_limit_share != 2 ? max_bytes :
	    max_bytes * m->limit_share[1] / m->limit_share[0];

	return ceil(limit / step_bytes) * step_bytes;
}

/* A buffer's size when the connection starts: whole segments, where the limit admits them. */
static double
start_bytes(const struct window_model *m, double initial, double share)
{
	double start = isnan(initial) ? m->initial_bytes : initial, whole;

	if (isnan(m->round_bytes) || !(start > 0))
		return start < 0 ? 0 : start;
	whole = ceil(start / m->round_bytes) * m->round_bytes;
	return whole > share ? start : whole;
}

bool
kernel_unmet(const struct requirement *r, const struct facts *f)
{
	const struct knob_fact *fact = facts_knob(f, r->knob);

	if (isnan(r->value) || fact == NULL ||
	    !(fact->now >= fact->min && fact->now <= fact->max) ||
	    !profile_in_range(&r->range, f->release, f->arch))
		return false;
	for (size_t i = 0; i < r->n_also; i++) {
		if (fact->now == r->also[i])
			return false;
	}
	return fact->now != r->value;
}

double
kernel_above_bytes(const struct profile *p, const struct facts *f, const struct kernel_knobs *k,
    const struct requirement *r)
{
	const struct window_model *m = profile_window(p, r->direction, f->release, f->arch);
	double initial = k->value[roles[r->direction].initial];

	return !r->growth || m == NULL ? r->above_bytes :
	    fmin(r->above_bytes, start_bytes(m, initial, INFINITY));
}

/* Switches that are not as a large window needs them. */
static void
apply_unmet(const struct profile *p, const struct facts *f, enum direction direction,
    struct growth *g)
{
	for (size_t i = 0; i < p->n_requires; i++) {
		const struct requirement *r = &p->requires[i];

		if (r->direction != direction || !kernel_unmet(r, f))
			continue;
		if (r->growth && g->start < g->top) {
			g->top = g->start;
			g->ends = r;
		}
		if (r->above_bytes > 0 && r->above_bytes < g->most) {
			g->most = r->above_bytes;
			g->bounds = r;
		}
	}
	if (g->most <= UNSCALED_BYTES && !isnan(g->scale))
		g->scale = 0;
}

static bool
growth_make(const struct profile *p, const struct facts *f, const struct kernel_knobs *k,
    enum direction direction, double rtt_ms, struct growth *g)
{
	const struct window_model *m = profile_window(p, direction, f->release, f->arch);
	const struct roles *r = &roles[direction];
	double limit = k->value[ROLE_LIMIT];

	if (m == NULL || (m->n_limit_share == 2 && isnan(limit)))
		return false;
	g->model = m;
	g->share = m->n_limit_share == 2 ? kernel_limit_share(m, limit) : INFINITY;
	g->start = start_bytes(m, k->value[r->initial], g->share);
	g->add = isnan(k->value[r->increment]) ? m->add_bytes : k->value[r->increment];
	g->top = fmin(k->value[r->max], m->ceiling_bytes);
	if (k->value[r->automatic] == 0)
		g->top = g->start;
	g->scale = direction == DIR_SEND ? NAN : scale_now(p, f, k);
	g->most = kernel_scale_bytes(isnan(g->scale) ? KERNEL_SCALE_MOST : g->scale);
	g->ends = g->bounds = NULL;
	g->step_s = isnan(m->step_s) && isnan(m->step_rtt) ? NAN :
	    (isnan(m->step_s) ? 0 : m->step_s) +
		(isnan(m->step_rtt) ? 0 : m->step_rtt * rtt_ms / 1e3);
	apply_unmet(p, f, direction, g);
	return !isnan(g->top);
}

/* The size after one more step, cut to whole bytes and to the top as the kernels do. */
static double
grown(const struct growth *g, double bytes)
{
	double next = isnan(g->model->multiply) ? bytes + g->add :
	    floor(bytes * g->model->multiply);

	return fmin(next, g->top);
}

static bool
has_steps(const struct growth *g)
{
	return !isnan(g->start) && (!isnan(g->model->multiply) || !isnan(g->add));
}

static void
grow_by_steps(const struct growth *g, struct kernel_window *w)
{
	double last = fmin(g->top, g->share);

	w->stop_bytes = g->start;
	w->steps = 0;
	if (isnan(g->model->multiply)) {
		if (!(g->add > 0) || !(last > g->start))
			return;
		w->steps = g->top > g->share ? floor((last - g->start) / g->add) :
		    ceil((last - g->start) / g->add);
		w->stop_bytes = fmin(g->start + w->steps * g->add, last);
		return;
	}
	for (double next = grown(g, w->stop_bytes); next > w->stop_bytes && next <= g->share;
	     next = grown(g, w->stop_bytes)) {
		w->stop_bytes = next;
		w->steps++;
	}
}

/* A negative size becomes a huge one where the kernel counts without a sign. */
static bool
too_large(double initial, double share)
{
	return initial > share || initial < 0;
}

/* One buffer above the limit's part is enough: both are made with the socket. */
static bool
is_lethal(const struct window_model *m, const struct kernel_knobs *k, double share)
{
	return m->lethal && (too_large(k->value[ROLE_SEND_INITIAL], share) ||
	    too_large(k->value[ROLE_RECEIVE_INITIAL], share));
}

static double
in_flight(const struct growth *g, double buffer_bytes)
{
	double part = isnan(g->model->typical) ? g->model->factor : g->model->typical;

	return fmin(floor(part * buffer_bytes), g->most);
}

/* Of a buffer that grows on no further than what is in flight makes it. */
static double
bounded_steps(const struct growth *g)
{
	struct growth to_most = *g;
	struct kernel_window w;

	to_most.top = fmin(g->top, fmax(g->start, g->most));
	grow_by_steps(&to_most, &w);
	return w.steps;
}

bool
kernel_window(const struct profile *p, const struct facts *f, const struct kernel_knobs *k,
    enum direction direction, double rtt_ms, struct kernel_window *out)
{
	struct kernel_window w = { 0 };
	struct growth g;

	if (!growth_make(p, f, k, direction, rtt_ms, &g))
		return false;
	w.start_bytes = has_steps(&g) ? g.start : NAN;
	w.lethal = is_lethal(g.model, k, g.share);
	if (has_steps(&g))
		grow_by_steps(&g, &w);
	else
		w.stop_bytes = fmin(g.top, g.share);
	if (w.lethal)
		w.stop_bytes = w.steps = 0;
	w.frozen = !w.lethal && w.stop_bytes < g.top && g.top > g.share;
	w.window_bytes = in_flight(&g, w.stop_bytes);
	w.sure_bytes = fmin(kernel_window_bytes(g.model, w.stop_bytes), g.most);
	w.scale = g.scale;
	w.unmet = g.bounds != NULL && in_flight(&g, w.stop_bytes) == g.most ? g.bounds : g.ends;
	if (w.unmet != NULL && has_steps(&g))
		w.steps = bounded_steps(&g);
	w.growth_s = has_steps(&g) && g.ends == NULL ? w.steps * g.step_s : NAN;
	*out = w;
	return true;
}

double
kernel_mean_bps(const struct profile *p, const struct facts *f, const struct kernel_knobs *k,
    enum direction direction, double rtt_ms, double seconds)
{
	struct kernel_window w;
	struct growth g;
	double sum = 0, at = 0, bytes;

	if (!(rtt_ms > 0) || !(seconds > 0) || !growth_make(p, f, k, direction, rtt_ms, &g) ||
	    !kernel_window(p, f, k, direction, rtt_ms, &w))
		return NAN;
	bytes = w.steps > 0 && g.step_s > 0 ? g.start : w.stop_bytes;
	for (; bytes < w.stop_bytes && at + g.step_s < seconds; at += g.step_s) {
		sum += in_flight(&g, bytes) * g.step_s;
		bytes = fmin(grown(&g, bytes), w.stop_bytes);
	}
	sum += in_flight(&g, bytes) * (seconds - at);
	return sum / seconds * 8 / (rtt_ms / 1e3);
}
