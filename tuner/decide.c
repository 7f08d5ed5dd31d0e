#include "decide.h"
#include "extras.h"
#include "limiter.h"
#include "profile.h"
#include "settings.h"
#include "units.h"

#include <math.h>
#include <string.h>

struct change_line *
decide_window_lines(struct arena *a, const struct profile *p, const struct facts *f,
    const struct plan_direction *d, double window_bytes, size_t *n)
{
	struct wanted w = { d->direction == DIR_SEND ? window_bytes : NAN,
		d->direction == DIR_SEND ? NAN : window_bytes, true, 0 };
	const char *why;

	*n = 0;
	return window_bytes == d->window_bytes ? NULL : settings_for(a, p, f, &w, n, &why);
}

/* A knob that the window needs as well was seen as the window leaves it, so this one is larger. */
static void
merge_line(struct arena *a, struct change_line **lines, size_t *n, struct change_line line)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp((*lines)[i].name, line.name) == 0) {
			(*lines)[i] = line;
			return;
		}
	}
	*(struct change_line *)arena_push(a, lines, n, sizeof(line)) = line;
}

/* The extras of a setting behind the lines that are there. */
static void
extra_lines(struct arena *a, const struct profile *p, const struct facts *f,
    const struct setting *s, struct change_line **lines, size_t *n)
{
	for (size_t i = 0; i < s->n_extras; i++) {
		const struct facts now = settings_applied(a, p, f, *lines, *n);
		const struct extra *x = extras_find(p, s->extras[i]);
		struct change_line *more;
		size_t n_more = 0;

		if (x == NULL)
			continue;
		more = extras_lines(a, p, f, &now, x, s->window_bytes, &n_more);
		for (size_t j = 0; j < n_more; j++)
			merge_line(a, lines, n, more[j]);
	}
}

struct change_line *
decide_setting_lines(struct arena *a, const struct profile *p, const struct facts *f,
    const struct plan_direction *d, const struct setting *s, size_t *n)
{
	size_t n_window;
	struct change_line *window = decide_window_lines(a, p, f, d, s->window_bytes, &n_window);
	struct change_line *lines = NULL;

	*n = 0;
	for (size_t i = 0; i < n_window; i++)
		merge_line(a, &lines, n, window[i]);
	extra_lines(a, p, f, s, &lines, n);
	return lines;
}

/* The peer's part in what held the sender back: its window when we send, its buffer otherwise. */
static bool
peer_limits(const struct direction_decision *d)
{
	enum limiter theirs = d->direction == DIR_SEND ? LIMIT_RWND : LIMIT_SNDBUF;

	return d->limit_before.limiter == theirs && d->limit_after.limiter == theirs;
}

/* "a, b and c": what is in force of the extras; "" without any. */
static const char *
say_extras(struct arena *a, const struct setting *s)
{
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (size_t i = 0; i < s->n_extras; i++)
		text_add(&t, "%s%s", i == 0 ? "" : i + 1 == s->n_extras ? " and " : ", ",
		    s->extras[i]);
	return t.s;
}

const char *
decide_say_setting(struct arena *a, const struct plan_direction *p, const struct setting *from,
    const struct setting *to)
{
	const char *buffer = p->direction == DIR_SEND ? "send buffer" : "receive buffer";
	bool cc = to->cc != NULL && from->cc != NULL && strcmp(from->cc, to->cc) != 0;
	struct text t = { .arena = a };

	if (to->window_bytes != from->window_bytes || (!cc && to->n_extras == 0))
		text_add(&t, "%s maximum %s", buffer,
		    units_say_bytes(a, to->window_bytes / p->window_factor));
	if (cc)
		text_add(&t, "%scongestion control %s", t.len == 0 ? "" : ", ", to->cc);
	if (to->n_extras != 0)
		text_add(&t, "%s%s", t.len == 0 ? "" : ", with ", say_extras(a, to));
	return t.s;
}

/* Beyond a few hundred per cent a factor says more. */
#define FACTOR_FROM 300

static const char *
say_effect(struct arena *a, const struct effect *x)
{
	const char *size = x->low >= FACTOR_FROM ?
	    units_say_factor(a, x->estimate, x->low, x->high) :
	    units_say_change(a, x->estimate, x->low, x->high);

	return arena_printf(a, "%s (%.3g %% confidence, %.0f interleaved pairs in %s)", size,
	    x->confidence * 100, x->pairs, units_say_time(a, x->seconds));
}

static const char *
say_ms(struct arena *a, double ms)
{
	return arena_printf(a, ms < 9.95 ? "%.1f" : "%.0f", ms);
}

/* The side effects, as far as they are known of both settings; begins with a blank. */
static const char *
say_cost(struct arena *a, const struct search_result *r)
{
	struct text t = { .arena = a };

	if (!isnan(r->before.rtt_ms) && !isnan(r->after.rtt_ms))
		text_add(&t, " RTT under load %s ms (was %s)", say_ms(a, r->after.rtt_ms),
		    say_ms(a, r->before.rtt_ms));
	if (!isnan(r->before.retransmits) && !isnan(r->after.retransmits))
		text_add(&t, "%s %.2f %% (was %.2f %%)",
		    t.len == 0 ? " Retransmits" : ", retransmits", r->after.retransmits * 100,
		    r->before.retransmits * 100);
	return t.len == 0 ? " RTT under load and retransmits are not known." :
	    arena_printf(a, "%s.", t.s);
}

const char *
decide_say_effect(struct arena *a, const struct effect *x)
{
	return say_effect(a, x);
}

const char *
decide_say_cost(struct arena *a, const struct side *before, const struct side *after)
{
	const struct search_result r = { .before = *before, .after = *after };

	return say_cost(a, &r);
}

/* Another control is judged by its worst connections too; some get stuck on small windows. */
static const char *
say_worst(struct arena *a, const struct search_result *r)
{
	const char *from = r->start.cc, *to = r->chosen.cc;

	if (from == NULL || to == NULL || strcmp(from, to) == 0 || !(r->low_decile_bps > 0))
		return "";
	return arena_printf(a, " Slowest tenth of %.0f connections: %s.", r->connections,
	    units_say_rate(a, r->low_decile_bps));
}

static const char *
say_change(struct arena *a, const struct plan_direction *p, const struct search_result *r)
{
	const char *words = arena_printf(a, "Change: %s. %s.%s%s",
	    decide_say_setting(a, p, &r->start, &r->chosen), say_effect(a, &r->effect),
	    say_cost(a, r), say_worst(a, r));

	if (r->retransmit_exception)
		words = arena_printf(a,
		    "%s More retransmits are accepted for a gain of over 50 %% (the "
		    "retransmit exception).",
		    words);
	return words;
}

/* The test behind this class is one-sided and sharper than the interval that is shown with it. */
static const char *
say_no_gain(struct arena *a, const struct effect *x)
{
	bool differs = x->low > 0 || x->high < 0;

	if (isnan(x->estimate))
		return "No gain: nothing that was tried was clearly faster; keep the present "
		       "settings.";
	return arena_printf(a, "%s: %s; a gain of 5 %% is %s; keep the present settings.",
	    differs ? "No gain worth a change" : "No significant difference", say_effect(a, x),
	    x->high < 5 ? "ruled out" : "unlikely");
}

static const char *
say_inconclusive(struct arena *a, const struct search_result *r)
{
	const char *more = "";

	if (!isnan(r->more_s))
		more = arena_printf(a, " About %s more would decide (--resume with a larger "
		    "--budget).", units_say_time(a, ceil(r->more_s / 60) * 60));
	else if (r->out_of_data)
		more = isnan(r->effect.estimate) ?
		    " A new run with a larger --data-cap may decide." :
		    " The data cap was reached; a new run with a larger --data-cap may decide.";
	if (isnan(r->effect.estimate))
		return arena_printf(a, "Inconclusive: %s; keep the present settings.%s",
		    r->why != NULL ? r->why : "the budget ended before a comparison", more);
	return arena_printf(
	    a, "Inconclusive: %s; keep the present settings.%s", say_effect(a, &r->effect), more);
}

/* Without a confirmation: the race dropped what lost too much, before anything was compared. */
static const char *
say_guard(struct arena *a, const struct search_result *r)
{
	const char *what, *but = r->effect.low > 0 ? "but" : "and";

	if (isnan(r->effect.estimate))
		return arena_printf(a,
		    "Keep the present settings: with what else was tried too many of the segments "
		    "are sent again (%s, was %s).",
		    units_say_percent(a, r->after.retransmits, 2),
		    units_say_percent(a, r->before.retransmits, 2));
	/* A gross breach ends the pairs before a gain is sure. */
	what = arena_printf(a, "%s %s", r->effect.low > 0 ? "Faster by" : "No sure gain:",
	    say_effect(a, &r->effect));
	if (r->guard_rtt)
		return arena_printf(a,
		    "%s, %s the RTT under load goes from %s to %s ms (limit %s): "
		    "not recommended. --policy throughput accepts it.",
		    what, but, say_ms(a, r->before.rtt_ms), say_ms(a, r->after.rtt_ms),
		    say_ms(a, r->guard_limit_ms));
	return arena_printf(a,
	    "%s, %s %.2f %% of the segments are sent again (was %.2f %%): not "
	    "recommended.",
	    what, but, r->after.retransmits * 100, r->before.retransmits * 100);
}

static const char *
say_verdict(struct arena *a, const struct plan_direction *p, const struct search_result *r,
    enum decision_class class, const struct direction_decision *d)
{
	switch (class) {
	case CLASS_WINDOW:
	case CLASS_CONGESTION:
	case CLASS_BOTH:
	case CLASS_EXTRAS:
		return say_change(a, p, r);
	case CLASS_PEER_LIMITS:
		return arena_printf(a,
		    "The peer limits: %s%s; tune the peer. Keep the present settings.",
		    d->limit_after.evidence,
		    setting_same(&r->start, &r->chosen) ? "" : " whatever is set here");
	case CLASS_NO_GAIN:
		return say_no_gain(a, &r->effect);
	case CLASS_CANNOT_BIND:
		return arena_printf(a, "Keep the present settings: %s.",
		    r->why != NULL ? r->why : "no knob of this host can be the limit");
	case CLASS_GUARD:
		return say_guard(a, r);
	case CLASS_UNSTEADY:
		return arena_printf(a,
		    "Keep the present settings: connections with %s fall into two groups, "
		    "some of them stuck at less than half of the rate%s%s.",
		    decide_say_setting(a, p, &r->start, &r->chosen), r->why == NULL ? "" : ": ",
		    r->why == NULL ? "" : r->why);
	case CLASS_FAILED:
		return arena_printf(a, "Keep the present settings: measuring failed: %s.",
		    r->why != NULL ? r->why : "no trial succeeded");
	default:
		return say_inconclusive(a, r);
	}
}

void
decide_limits(struct arena *a, const struct path_fact *path, const struct trial *trials, size_t n,
    struct direction_decision *d)
{
	d->limit_before = limiter_name(a, path, trials, n, d->direction, &d->before.setting);
	d->limit_after = limiter_name(a, path, trials, n, d->direction, &d->after.setting);
}

struct direction_decision
decide_direction(struct arena *a, const struct plan_direction *p, const struct search_result *r,
    const struct trial *trials, size_t n_trials, bool peer_set)
{
	struct direction_decision d = { .direction = p->direction,
		.verdict = r->verdict,
		.class = r->class,
		.effect = r->effect,
		.before = r->before,
		.after = r->after,
		.more_s = r->more_s };

	d.before.setting = r->start;
	d.after.setting = r->chosen;
	decide_limits(a, NULL, trials, n_trials, &d);
	if (d.verdict != VERDICT_CHANGE && d.class != CLASS_FAILED && d.class != CLASS_GUARD &&
	    !peer_set && peer_limits(&d)) {
		d.class = CLASS_PEER_LIMITS;
		d.more_s = NAN;
	}
	d.words = say_verdict(a, p, r, d.class, &d);
	return d;
}

static void
add_line(struct arena *a, struct decision *out, struct change_line line)
{
	*(struct change_line *)arena_push(a, &out->settings, &out->n_settings, sizeof(line)) = line;
}

/* A qdisc is kept by the setting that makes new ones so; offloads have a file of their own. */
static struct change_line
lasting_line(struct arena *a, const struct facts *f, const struct extra *x,
    struct change_line line)
{
	const struct extra_set *s = extras_set(a, f, x, line.name);

	if (s != NULL && s->fact != NULL && s->boot != NULL) {
		line.reason = arena_printf(a, "%s; for what is set up from the next boot on "
		    "(%s was tried)", line.reason, line.name);
		line.name = s->boot;
		line.old = NULL;
	}
	return line;
}

/* A stack that the system does not come with is a module. */
static void
add_stack_module(struct arena *a, const struct profile *p, const char *stack,
    struct decision *out)
{
	const struct substitution s[] = { { "name", stack }, { NULL, NULL } };

	if (p->stacks.module == NULL || !strings_have(p->stacks.candidates, p->stacks.n_candidates,
		stack))
		return;
	add_line(a, out,
	    (struct change_line){ "module", NULL, profile_expand(a, p->stacks.module, s),
		arena_printf(a, "module: the TCP stack %s must be loaded at boot", stack), true });
}

/* What the extras of a direction add to the lines of both windows; a knob that they set counts. */
static void
add_extra_lines(struct arena *a, const struct profile *p, const struct facts *f,
    const struct setting *s, struct decision *out)
{
	const struct knob *stack = profile_knob(p, ROLE_STACK);

	for (size_t i = 0; i < s->n_extras; i++) {
		const struct facts now = settings_applied(a, p, f, out->settings, out->n_settings);
		const struct extra *x = extras_find(p, s->extras[i]);
		struct change_line *lines;
		size_t n = 0;

		if (x == NULL)
			continue;
		lines = extras_lines(a, p, f, &now, x, s->window_bytes, &n);
		for (size_t j = 0; j < n; j++) {
			struct change_line line = lasting_line(a, f, x, lines[j]);

			merge_line(a, &out->settings, &out->n_settings, line);
			if (stack != NULL && strcmp(line.name, stack->name) == 0)
				add_stack_module(a, p, line.new, out);
		}
	}
}

static void
add_cc_line(struct arena *a, const struct profile *p, const struct facts *f,
    const struct direction_decision *d, struct decision *out)
{
	const struct knob *k = profile_knob(p, ROLE_CONGESTION);
	const char *from = d->before.setting.cc, *to = d->after.setting.cc;
	const struct substitution s[] = { { "name", to }, { NULL, NULL } };

	if (k == NULL || to == NULL || from == NULL || strcmp(from, to) == 0)
		return;
	add_line(a, out,
	    (struct change_line){ k->name, from, to,
		arena_printf(
		    a, "congestion-control: %s instead of %s when this host sends", to, from),
		true });
	if (p->congestion.module != NULL &&
	    (strings_have(f->cc_modules, f->n_cc_modules, to) ||
		strings_have(f->cc_loadable, f->n_cc_loadable, to)))
		add_line(a, out,
		    (struct change_line){ "module", NULL,
			profile_expand(a, p->congestion.module, s),
			arena_printf(a,
			    "module: %s is not built into this kernel and must be loaded at boot",
			    to),
			true });
}

void
decide_all(struct arena *a, const struct profile *p, const struct facts *f, const struct plan *plan,
    const struct direction_decision *d, size_t n, struct decision *out)
{
	struct wanted wanted = { NAN, NAN, true, 0 };
	struct change_line *lines;
	size_t leading = 0, n_lines;
	const char *why;

	memset(out, 0, sizeof(*out));
	out->verdict = VERDICT_KEEP;
	out->directions = arena_array(a, n, sizeof(*d));
	memcpy(out->directions, d, n * sizeof(*d));
	out->n_directions = n;
	for (size_t i = 0; i < n; i++) {
		double window = d[i].after.setting.window_bytes;

		if (d[i].verdict != VERDICT_CHANGE)
			continue;
		if (out->verdict != VERDICT_CHANGE)
			leading = i;
		out->verdict = VERDICT_CHANGE;
		if (window == plan->directions[i].window_bytes)
			continue;
		if (d[i].direction == DIR_SEND)
			wanted.send_bytes = window;
		else
			wanted.receive_bytes = window;
	}
	/* Both at once: a limit that they share is one line. */
	lines = settings_for(a, p, f, &wanted, &n_lines, &why);
	for (size_t i = 0; i < n_lines; i++)
		add_line(a, out, lines[i]);
	for (size_t i = 0; i < n; i++) {
		if (d[i].verdict != VERDICT_CHANGE)
			continue;
		add_cc_line(a, p, f, &d[i], out);
		add_extra_lines(a, p, f, &d[i].after.setting, out);
	}
	out->class = d[leading].class;
	out->effect = d[leading].effect;
}
