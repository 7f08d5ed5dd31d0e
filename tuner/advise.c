#include "advise.h"

#include "advise_memory.h"
#include "advise_words.h"
#include "hazards.h"
#include "settings.h"
#include "units.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define WINDOW_STEP_BYTES 4096.0
#define NEEDED_MOST 1e15 /* of a window, in bytes */

static const enum direction each_direction[] = { DIR_SEND, DIR_RECEIVE };

/* What is being advised. */
struct work {
	struct arena *arena;
	const struct profile *profile;
	const struct run *run;
	struct facts facts;      /* as found, completed by defaults */
	struct facts mended;     /* those without what is wrong on any path */
	struct advice advice;
	int mask;                /* directions */
	size_t n_lines;          /* of the advice */
	double needed_bytes;
	double cut_bytes;        /* what memory admits of it */
	const char *why;
};

/* ---- facts ---------------------------------------------------------------------------------- */

/* The value that the kernel starts with, as it would be read; NULL: not known. */
static const char *
default_text(struct arena *a, const struct knob *k, const struct facts *f)
{
	double value = kernel_default(k, f);
	const struct substitution s[] = {
		{ "value", isnan(value) ? NULL : arena_printf(a, "%.0f", value) }, { NULL, NULL }
	};

	for (size_t i = 0; i < k->n_defaults; i++) {
		const struct knob_default *d = &k->defaults[i];

		if (profile_in_range(&d->range, f->release, f->arch))
			return d->text == NULL ? s[0].value : profile_expand(a, d->text, s);
	}
	return NULL;
}

static struct knob_fact
default_fact(struct arena *a, const struct knob *k, const struct facts *f)
{
	return (struct knob_fact){ k->name, default_text(a, k, f), kernel_default(k, f), k->min,
		k->max, true, NULL };
}

bool
advise_facts(struct arena *a, const struct profile *p, const char *release, const char *arch,
    double ram_bytes, struct facts *out, struct err *e)
{
	struct facts f;

	if (release == NULL)
		return fail(e, ERR_USAGE, "--release is needed: defaults differ between releases");
	if (!isdigit((unsigned char)*release))
		return fail(e, ERR_USAGE,
		    "--release: '%.40s' is not a release; it begins with a number", release);
	record_init(&facts_record, &f);
	f.os = p->sysname;
	f.release = release;
	f.arch = arch;
	f.ram_bytes = ram_bytes;
	f.privileged = true;
	f.mbuf_bytes = isnan(ram_bytes) ? NAN : kernel_default_memory(p, &f);
	for (size_t i = 0; i < p->n_knobs; i++) {
		const struct knob *k = &p->knobs[i];

		if (!profile_in_range(&k->range, release, arch) || default_text(a, k, &f) == NULL)
			continue;
		if (k->role == ROLE_CONGESTION)
			f.cc = default_text(a, k, &f);
		*(struct knob_fact *)arena_push(a, &f.knobs, &f.n_knobs, sizeof(*f.knobs)) =
		    default_fact(a, k, &f);
	}
	*out = f;
	return true;
}

static void PRINTF_LIKE(2, 3)
note(struct work *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*(const char **)arena_push(w->arena, &w->advice.notes, &w->advice.n_notes,
	    sizeof(char *)) = arena_vprintf(w->arena, fmt, ap);
	va_end(ap);
}

static bool
was_read(const struct knob *k, const struct knob_fact *fact)
{
	return fact != NULL && fact->text != NULL &&
	    (!isnan(fact->now) || strcmp(k->unit, "name") == 0);
}

/* Nothing but privilege was missing: what a container or the boot fixed stays. */
static bool
for_root(const struct facts *f, const struct knob *k, const struct knob_fact *fact)
{
	const char *scopes = f->writable_scopes;

	if (k->scope == SCOPE_LOADER ||
	    (fact->why != NULL && strcmp(fact->why, "needs root") != 0))
		return false;
	return scopes == NULL || strcmp(scopes, "all") == 0 ||
	    (k->scope == SCOPE_NAMESPACE && strcmp(scopes, "namespace") == 0);
}

static bool
tunes(const struct knob *k)
{
	return k->role != ROLE_WATCH && k->role != ROLE_FLUSH && k->role != ROLE_CONGESTION &&
	    k->role != ROLE_STACK;
}

/*
 * What was not read is taken from the defaults.  Without privilege nothing can be said of what
 * root could set: it is taken for settable.
 */
static void
complete_facts(struct work *w)
{
	const struct facts *found = &w->run->facts;
	const struct profile *p = w->profile;
	struct text unread = { .arena = w->arena };

	w->facts = *found;
	w->facts.knobs = NULL;
	w->facts.n_knobs = 0;
	for (size_t i = 0; i < p->n_knobs; i++) {
		const struct knob *k = &p->knobs[i];
		const struct knob_fact *fact = facts_knob(found, k->name);
		struct knob_fact *made;

		if (!profile_in_range(&k->range, found->release, found->arch))
			continue;
		made = arena_push(w->arena, &w->facts.knobs, &w->facts.n_knobs, sizeof(*made));
		*made = was_read(k, fact) ? *fact : default_fact(w->arena, k, found);
		made->writable = made->writable || (!found->privileged && for_root(found, k, made));
		if (!was_read(k, fact) && tunes(k))
			text_add(&unread, "%s%s", unread.len == 0 ? "" : ", ", k->name);
	}
	if (unread.len != 0)
		note(w, "Not read, so that the kernel's defaults are assumed: %s.", unread.s);
	if (!found->privileged)
		note(w, "Not probed by root: whether the kernel takes these values here is not "
		    "known.");
}

/* ---- the path ------------------------------------------------------------------------------- */

/* In parentheses, where it was looked for. */
static const char *
why_no_rtt(const struct work *w)
{
	const char *why = facts_why_unknown(&w->run->facts, "rtt_ms");

	return why == NULL ? "" : arena_printf(w->arena, " (%s)", why);
}

static bool
settle_paths(struct work *w, struct err *e)
{
	const struct options *o = &w->run->options;
	const struct facts *f = &w->run->facts;
	struct advice_path known = { f->rtt_ms, fmax(f->send_bps, f->receive_bps) };
	size_t n = o->n_paths == 0 ? 1 : o->n_paths;

	w->advice.paths = arena_array(w->arena, n, sizeof(known));
	w->advice.n_paths = n;
	for (size_t i = 0; i < n; i++) {
		struct advice_path *path = &w->advice.paths[i];

		*path = o->n_paths == 0 ? known : o->paths[i];
		path->rtt_ms = isnan(path->rtt_ms) ? known.rtt_ms : path->rtt_ms;
		path->rate_bps = isnan(path->rate_bps) ? known.rate_bps : path->rate_bps;
		if (!(path->rtt_ms > 0) || !(path->rate_bps > 0))
			return fail(e, ERR_USAGE,
			    "%s%s: the path is not known (or --path RTT,RATE)",
			    path->rtt_ms > 0     ? "--rate is needed" :
			    path->rate_bps > 0 ? "--rtt is needed" :
						 "--rtt and --rate are needed",
			    path->rtt_ms > 0 ? "" : why_no_rtt(w));
		w->needed_bytes =
		    fmax(w->needed_bytes, ceil(path->rate_bps * path->rtt_ms / 8e3));
	}
	if (w->needed_bytes > NEEDED_MOST)
		return fail(e, ERR_USAGE, "the path: RTT times rate is more than any path holds");
	return true;
}

/* ---- memory --------------------------------------------------------------------------------- */

static bool
window_now(const struct work *w, const struct facts *f, enum direction d,
    struct kernel_window *out)
{
	const struct kernel_knobs k = kernel_knobs(w->profile, f);

	return kernel_window(w->profile, f, &k, d, w->advice.paths[0].rtt_ms, out);
}

/* The lines for the directions in mask, of the needed window what is not cut. */
static struct change_line *
lines_for(struct work *w, int mask, double cut_bytes, size_t *n)
{
	struct wanted wanted = { NAN, NAN, false,
		fmax(w->advice.bound_bytes / w->advice.connections, 0) };

	for (size_t i = 0; i < NELEM(each_direction); i++) {
		enum direction d = each_direction[i];
		double *bytes = d == DIR_SEND ? &wanted.send_bytes : &wanted.receive_bytes;
		struct kernel_window now;

		if ((mask & d) != 0 && window_now(w, &w->mended, d, &now))
			*bytes = fmin(w->needed_bytes, fmax(cut_bytes, now.sure_bytes));
	}
	return settings_for(w->arena, w->profile, &w->facts, &wanted, n, &w->why);
}

static double
memory_of(const struct work *w, const struct facts *f)
{
	return w->advice.connections * advise_buffer_bytes(w->profile, f, w->mask);
}

static bool
fits(struct work *w, double cut_bytes)
{
	size_t n;
	struct change_line *lines = lines_for(w, w->mask, cut_bytes, &n);
	struct facts after = settings_applied(w->arena, w->profile, &w->facts, lines, n);
	double memory = memory_of(w, &after);

	return memory <= w->advice.bound_bytes || memory <= memory_of(w, &w->mended);
}

/* The largest window that memory admits; what runs is never taken away. */
static void
cut_to_memory(struct work *w)
{
	double low = 0, high = w->needed_bytes;

	w->cut_bytes = high = fmin(high, kernel_scale_bytes(KERNEL_SCALE_MOST));
	if (isnan(w->advice.bound_bytes) || fits(w, high))
		return;
	while (high - low > WINDOW_STEP_BYTES) {
		double middle = floor((low + high) / 2);

		if (fits(w, middle))
			low = middle;
		else
			high = middle;
	}
	w->cut_bytes = low;
	w->advice.bounded = true;
}

/* ---- what comes of it ----------------------------------------------------------------------- */

static struct side
side_of(double window_bytes)
{
	return (struct side){ { .window_bytes = window_bytes }, NAN, NAN, NAN };
}

static enum decision_class
class_of(const struct advised *x)
{
	if (x->changes)
		return CLASS_ADVICE;
	if (x->now.sure_bytes >= x->needed_bytes)
		return CLASS_ENOUGH;
	if (x->fixed && x->now.unmet == NULL)
		return CLASS_CEILING;
	return x->bounded ? CLASS_MEMORY : CLASS_CANNOT_BIND;
}

static struct advice_direction
advice_of(const struct work *w, const struct advised *x, const char *words)
{
	const struct advice_path *path = &w->advice.paths[0];
	double per_s = 8 / (path->rtt_ms / 1e3);

	return (struct advice_direction){ .direction = x->direction,
		.needed_bytes = x->needed_bytes,
		.now_bytes = x->now.sure_bytes,
		.after_bytes = x->after.sure_bytes,
		.now_scale = x->now.scale,
		.after_scale = x->after.scale,
		.now_growth_s = x->now.growth_s,
		.after_growth_s = x->after.growth_s,
		.now_bps = fmin(x->now.sure_bytes * per_s, path->rate_bps),
		.after_bps = fmin(x->after.sure_bytes * per_s, path->rate_bps),
		.words = words };
}

static void
add_direction(struct work *w, const struct advised *x, struct decision *out)
{
	const char *words = advise_words(w->arena, x);
	struct direction_decision *d =
	    arena_push(w->arena, &out->directions, &out->n_directions, sizeof(*d));

	*d = (struct direction_decision){ .direction = x->direction,
		.verdict = x->changes ? VERDICT_CHANGE : VERDICT_KEEP,
		.class = class_of(x),
		.effect = { NAN, NAN, NAN, NAN, NAN, NAN },
		.before = side_of(x->now.sure_bytes),
		.after = side_of(x->after.sure_bytes),
		.words = words,
		.more_s = NAN };
	*(struct advice_direction *)arena_push(w->arena, &w->advice.directions,
	    &w->advice.n_directions, sizeof(struct advice_direction)) = advice_of(w, x, words);
}

/* Why the window of a direction is not known: false, with the error. */
static bool
no_window(const struct work *w, enum direction d, const struct knob *max, struct err *e)
{
	const struct facts *f = &w->facts;
	const struct knob *limit = profile_knob(w->profile, ROLE_LIMIT);
	const struct kernel_knobs k = kernel_knobs(w->profile, f);

	if (profile_window(w->profile, d, f->release, f->arch) == NULL)
		return fail(e, ERR_FAILED, "profile %s has no %s window model for release %s%s%s",
		    w->profile->name, direction_names[d], f->release,
		    f->arch == NULL ? "" : " on ", f->arch == NULL ? "" : f->arch);
	if (limit != NULL && isnan(k.value[ROLE_LIMIT]))
		max = limit;
	return fail(e, ERR_FAILED, "%s: neither its value nor its default is known",
	    max == NULL ? "the size of a buffer" : max->name);
}

static bool
advise_direction(struct work *w, enum direction d, const struct facts *after,
    struct decision *out, struct err *e)
{
	const struct knob *max = profile_knob(w->profile, d == DIR_SEND ? ROLE_SEND_MAX :
	    ROLE_RECEIVE_MAX);
	struct advised x = { .direction = d,
		.profile = w->profile,
		.facts = &w->facts,
		.needed_bytes = w->needed_bytes,
		.connections = w->advice.connections,
		.fixed = max == NULL };
	size_t n;

	if (!window_now(w, &w->facts, d, &x.now) || !window_now(w, after, d, &x.after))
		return no_window(w, d, max, e);
	lines_for(w, d, w->cut_bytes, &n);
	x.changes = n != 0;
	x.why = w->why;
	x.bounded = w->advice.bounded && x.after.sure_bytes < x.needed_bytes && !x.fixed;
	add_direction(w, &x, out);
	return true;
}

static void
lead(struct decision *d)
{
	size_t leading = 0;

	d->verdict = d->n_settings != 0 ? VERDICT_CHANGE : VERDICT_KEEP;
	while (leading + 1 < d->n_directions && d->directions[leading].verdict != d->verdict)
		leading++;
	d->class = d->directions[leading].class;
	d->effect = d->directions[leading].effect;
}

static void
closing_notes(struct work *w)
{
	struct arena *a = w->arena;
	double running = memory_of(w, &w->facts);

	if (w->advice.n_paths > 1)
		note(w, "One setting for %zu paths: the one that holds most, %s, decides.",
		    w->advice.n_paths, units_say_bytes(a, w->needed_bytes));
	if (w->needed_bytes > kernel_scale_bytes(KERNEL_SCALE_MOST))
		note(w, "No TCP connection can have more than 1 GiB in flight (window scale 14): "
		    "%.0f connections at a time would fill the path.",
		    ceil(w->needed_bytes / kernel_scale_bytes(KERNEL_SCALE_MOST)));
	if (isnan(w->advice.bound_bytes) && w->n_lines != 0)
		note(w, "How much memory there is is not known: it bounds nothing here (--ram).");
	else if (running > w->advice.bound_bytes)
		note(w, "The present settings may take %s at worst, more than the %s that they "
		    "should: nothing is lowered.", units_say_bytes(a, running),
		    units_say_bytes(a, w->advice.bound_bytes));
	if (w->advice.bounded && w->profile->memory_knob != NULL &&
	    w->advice.bound_bytes == ADVISE_MEMORY_SHARE * advise_kernel_bytes(&w->facts))
		note(w, "%s bounds the memory for buffers, here to %s: raising it makes room for "
		    "larger windows.", w->profile->memory_knob,
		    units_say_bytes(a, advise_kernel_bytes(&w->facts)));
	note(w, "Computed, not measured: which congestion control and which NIC model do best on "
	    "this path only measuring can tell (pathtune tune).");
}

bool
advise_make(struct arena *a, const struct profile *p, struct run *run, struct err *e)
{
	struct work w = { .arena = a, .profile = p, .run = run,
		.mask = (int)run->options.direction };
	struct decision decision = { .effect = { NAN, NAN, NAN, NAN, NAN, NAN } };
	struct facts after;

	if (w.mask == DIR_NONE)
		w.mask = DIR_BOTH;
	if (run->facts.release == NULL)
		return fail(e, ERR_USAGE, "the facts do not say the kernel's release");
	if (!settle_paths(&w, e))
		return false;
	complete_facts(&w);
	w.mended = settings_mended(a, p, &w.facts);
	w.advice.connections = isnan(run->options.connections) ? 1 : run->options.connections;
	w.advice.bound_bytes = advise_bound_bytes(&w.facts);
	cut_to_memory(&w);
	decision.settings = lines_for(&w, w.mask, w.cut_bytes, &decision.n_settings);
	for (size_t i = 0; i < decision.n_settings; i++)
		decision.settings[i].verified = false;
	w.n_lines = decision.n_settings;
	after = settings_applied(a, p, &w.facts, decision.settings, decision.n_settings);
	for (size_t i = 0; i < NELEM(each_direction); i++) {
		if ((w.mask & each_direction[i]) != 0 &&
		    !advise_direction(&w, each_direction[i], &after, &decision, e))
			return false;
	}
	w.advice.memory_bytes = memory_of(&w, &after);
	closing_notes(&w);
	lead(&decision);
	run->advice = w.advice;
	run->decision = decision;
	hazards_find(a, p, &run->facts, &run->hazards, &run->n_hazards);
	return true;
}
