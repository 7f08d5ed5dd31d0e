#include "hazards.h"
#include "kernel.h"
#include "settings_apply.h"
#include "units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * A default that the kernel computes from its memory is known only roughly to us, and a tenth less
 * harms nobody: below this share of the default is said.
 */
#define BELOW_SHARE .75

struct finder {
	struct arena *arena;
	const struct profile *p;
	const struct facts *f;
	struct hazard *found;
	size_t n;
};

/* A knob, what was read of it (NULL: nothing), and whether the release has it. */
struct seen {
	const struct knob *knob;
	const struct knob_fact *fact;
	bool stale;
	bool wrapped;
};

static void
add(struct finder *h, const char *id, const char *subject, const char *where, const char *words)
{
	struct hazard *one = arena_push(h->arena, &h->found, &h->n, sizeof(*one));

	*one = (struct hazard){ id, subject, where, words };
}

static const char *
place(struct finder *h, const struct source_line *l)
{
	return isnan(l->line) ? l->file : arena_printf(h->arena, "%s:%.0f", l->file, l->line);
}

/* The knob's value as read, or NAN. */
static double
value_of(const struct finder *h, const struct knob *k)
{
	const struct knob_fact *fact = k == NULL ? NULL : facts_knob(h->f, k->name);

	return fact == NULL || fact->text == NULL ? NAN : fact->now;
}

/* The limit as it counts; NAN: not read. */
static double
limit_of(const struct finder *h, const struct knob *limit)
{
	return isnan(value_of(h, limit)) ? NAN : kernel_knobs(h->p, h->f).value[ROLE_LIMIT];
}

static enum direction
direction_of(enum knob_role role)
{
	return role == ROLE_SEND_MAX || role == ROLE_SEND_INITIAL || role == ROLE_SEND_AUTO ?
	    DIR_SEND : DIR_RECEIVE;
}

static const struct window_model *
model_of(const struct finder *h, enum knob_role role)
{
	return profile_window(h->p, direction_of(role), h->f->release, h->f->arch);
}

/* ---- what the models find ------------------------------------------------------------------- */

static void
find_wrapped(struct finder *h, const struct seen *s)
{
	static const char *const became[] = {
		[BEYOND_UNKNOWN] = "set it to a legal value",
		[BEYOND_REFUSED] = "set it to a legal value",
		[BEYOND_CLAMPED] = "set it to a legal value",
		[BEYOND_WRAPPED] = "the kernel cut a larger number to its type without an error; "
		    "set a legal value",
		[BEYOND_ACCEPTED] = "the kernel takes any number without a check; set a legal "
		    "value",
	};

	if (s->wrapped)
		add(h, "wrapped", s->knob->name, NULL,
		    arena_printf(h->arena, "is %s, outside of %.0f to %.0f: %s", s->fact->text,
		    s->knob->min, s->knob->max, became[s->knob->beyond]));
}

/* What to do about a limit that admits too little; where none would do, about the knob. */
static const char *
say_mend(const struct finder *h, const struct window_model *m, const struct knob *k,
    const struct knob *limit, double needed, double step)
{
	double least = kernel_limit_bytes(m, needed, step);

	if (least <= limit->max)
		return arena_printf(h->arena, "set %s to at least %.0f", limit->name, least);
	return arena_printf(h->arena, "set %s to at most %.0f, and %s to %.0f", k->name,
	    kernel_limit_share(m, limit->max), limit->name, limit->max);
}

static void
find_lethal(struct finder *h, const struct seen *s)
{
	const struct knob *limit = profile_knob(h->p, ROLE_LIMIT);
	const struct window_model *m = model_of(h, s->knob->role);
	double now = value_of(h, s->knob), share;

	if ((s->knob->role != ROLE_SEND_INITIAL && s->knob->role != ROLE_RECEIVE_INITIAL) ||
	    m == NULL || !m->lethal || isnan(now) || isnan(limit_of(h, limit)))
		return;
	share = kernel_limit_share(m, limit_of(h, limit));
	if (now < 0)
		add(h, "lethal", s->knob->name, NULL,
		    arena_printf(h->arena, "is %.0f, which counts as more than any limit admits: "
		    "every new TCP socket fails (ENOBUFS), those of sshd too; set it to a legal "
		    "value while a connection is still there", now));
	else if (now > share)
		add(h, "lethal", s->knob->name, NULL,
		    arena_printf(h->arena, "is %.0f, more than the %.0f that %s admits: every new "
		    "TCP socket fails (ENOBUFS), those of sshd too; %s while a connection is still "
		    "there", now, share, limit->name, say_mend(h, m, s->knob, limit, now, 1)));
}

static bool
was_raised(const struct finder *h, const struct knob *k)
{
	return value_of(h, k) > kernel_default(k, h->f);
}

static void
find_limit(struct finder *h, const struct seen *s)
{
	const struct knob *limit = profile_knob(h->p, ROLE_LIMIT);
	const struct window_model *m = model_of(h, s->knob->role);
	const struct kernel_knobs knobs = kernel_knobs(h->p, h->f);
	double max = value_of(h, s->knob), bound = limit_of(h, limit);
	struct facts switched = *h->f; /* as if on: a switch that is off has words of its own */
	struct kernel_window w;
	bool useless;

	switched.n_knobs = 0;
	if ((s->knob->role != ROLE_SEND_MAX && s->knob->role != ROLE_RECEIVE_MAX) || s->wrapped ||
	    m == NULL || m->n_limit_share != 2 || isnan(bound) ||
	    !(max > kernel_limit_share(m, bound)) ||
	    !kernel_window(h->p, &switched, &knobs, direction_of(s->knob->role), h->f->rtt_ms,
		&w) || w.lethal)
		return;
	useless = was_raised(h, s->knob) && !was_raised(h, limit);
	add(h, useless ? "limit-useless" : "limit-freezes", s->knob->name, NULL,
	    arena_printf(h->arena, "%s %.0f, but %s is %.0f and admits %.0f: the step beyond "
	    "fails, and growth ends at %.0f for the rest of the connection; %s",
	    useless ? "was raised to" : "is", max, limit->name, bound,
	    kernel_limit_share(m, bound), w.stop_bytes,
	    say_mend(h, m, s->knob, limit, max, isnan(h->p->limit_step_bytes) ? 1 :
	    h->p->limit_step_bytes)));
}

static void
find_below(struct finder *h, const struct seen *s)
{
	double now = value_of(h, s->knob), was = kernel_default(s->knob, h->f);

	if (s->wrapped || s->knob->role < ROLE_LIMIT || s->knob->role > ROLE_RECEIVE_INCREMENT ||
	    s->knob->role == ROLE_LIMIT_SEND || s->knob->role == ROLE_LIMIT_RECEIVE ||
	    !(now < was * BELOW_SHARE))
		return;
	add(h, "below-default", s->knob->name, NULL,
	    arena_printf(h->arena, "is %s, this release starts with %s: an older recommendation "
	    "holds connections back; leave the default, or more", units_say_bytes(h->arena, now),
	    units_say_bytes(h->arena, was)));
}

static void
find_fixed(struct finder *h, const struct seen *s)
{
	if ((s->knob->role == ROLE_SEND_AUTO || s->knob->role == ROLE_RECEIVE_AUTO) &&
	    value_of(h, s->knob) == 0)
		add(h, "autotuning-off", s->knob->name, NULL,
		    arena_printf(h->arena, "is 0: %s buffers keep the size that they start with, "
		    "whatever the path needs; set it to 1",
		    s->knob->role == ROLE_SEND_AUTO ? "send" : "receive"));
}

/* ---- what the files say --------------------------------------------------------------------- */

static size_t
word(const char **s)
{
	*s += strspn(*s, " \t");
	return strcspn(*s, " \t");
}

static bool
same_word(const char *a, size_t n, const char *b, size_t m)
{
	char *end_a, *end_b;
	double x, y;

	if (n == m && memcmp(a, b, n) == 0)
		return true;
	if (n == 0 || m == 0)
		return false;
	x = strtod(a, &end_a);
	y = strtod(b, &end_b);
	return end_a == a + n && end_b == b + m && x == y;
}

bool
hazards_same_value(const char *a, const char *b)
{
	size_t n, m;

	do {
		n = word(&a);
		m = word(&b);
		if (!same_word(a, n, b, m))
			return false;
		a += n;
		b += m;
	} while (n != 0);
	return true;
}

static void
find_stale(struct finder *h, const struct seen *s)
{
	for (size_t i = 0; s->stale && i < h->f->n_sources; i++) {
		const struct source_line *l = &h->f->sources[i];

		if (strcmp(l->name, s->knob->name) == 0)
			add(h, "stale-key", s->knob->name, place(h, l),
			    arena_printf(h->arena, "%s %s does not have this knob, or does not "
			    "use it: the line does nothing; remove it",
			    h->f->os == NULL ? h->p->sysname : h->f->os, h->f->release));
	}
}

static void
find_overridden(struct finder *h, const struct seen *s)
{
	const struct source_line *last = hazards_effective(h->p, h->f, s->knob->name), *ours = NULL;
	const char *path = h->p->persist.settings.path;

	for (size_t i = 0; path != NULL && last != NULL && i < h->f->n_sources; i++) {
		const struct source_line *l = &h->f->sources[i];

		if (l != last && strcmp(l->file, path) == 0 && l->value != NULL &&
		    last->value != NULL && strcmp(l->name, s->knob->name) == 0 &&
		    !hazards_same_value(l->value, last->value))
			ours = l;
	}
	if (ours != NULL && !s->stale)
		add(h, "overridden", s->knob->name, place(h, last),
		    arena_printf(h->arena, "sets it to %s and is read after %s, which says %s; "
		    "remove one of them", last->value, place(h, ours), ours->value));
}

static const char *
why_drift(const struct knob *k, const char *says)
{
	double v = settings_field(says, k->field);

	if ((v < k->min || v > k->max) && k->beyond == BEYOND_WRAPPED)
		return "that is what the kernel makes of a number too large for its type; write "
		    "a legal one";
	if ((v < k->min || v > k->max) && k->beyond == BEYOND_CLAMPED)
		return "that is the nearest legal value; write that";
	return "it was set since boot, or the line failed; the next boot changes it";
}

static void
find_drift(struct finder *h, const struct seen *s)
{
	const struct source_line *last = hazards_effective(h->p, h->f, s->knob->name);

	if (last == NULL || last->value == NULL || s->stale || s->knob->role == ROLE_FLUSH ||
	    s->fact == NULL || s->fact->text == NULL ||
	    hazards_same_value(last->value, s->fact->text))
		return;
	add(h, "drift", s->knob->name, place(h, last),
	    arena_printf(h->arena, "says %s, but the kernel runs with %s: %s", last->value,
	    s->fact->text, why_drift(s->knob, last->value)));
}

/* ---- all of it ------------------------------------------------------------------------------ */

static struct seen
look(const struct finder *h, const struct knob *k)
{
	const struct facts *f = h->f;
	struct seen s = { .knob = k, .fact = facts_knob(f, k->name) };
	bool here = profile_in_range(&k->range, f->release, f->arch);
	double now = value_of(h, k);

	/* Of what is not known nothing is said. */
	s.stale = f->release != NULL && (k->range.n_arches == 0 || f->arch != NULL) &&
	    (!here || (k->optional && s.fact != NULL && s.fact->text == NULL));
	s.wrapped = here && !isnan(now) && (now < k->min || now > k->max);
	return s;
}

/* Of the knobs of one name the one of this release counts; where that is not known, the first. */
static bool
is_shadowed(const struct finder *h, size_t i)
{
	const struct knob *k = h->p->knobs;
	bool here = profile_in_range(&k[i].range, h->f->release, h->f->arch);

	for (size_t j = 0; j < h->p->n_knobs && !here; j++) {
		if (j != i && strcmp(k[j].name, k[i].name) == 0 &&
		    (j < i || profile_in_range(&k[j].range, h->f->release, h->f->arch)))
			return true;
	}
	return false;
}

static void
find_by_rule(struct finder *h, const struct hazard_rule *r)
{
	const struct condition *c = &r->when[0];
	const struct source_line *l;

	if (!hazards_rule_holds(h->p, h->f, r))
		return;
	l = c->key == NULL ? NULL : hazards_effective(h->p, h->f, c->key);
	add(h, r->id,
	    c->fact != NULL ? c->fact :
	    c->knob != NULL ? c->knob :
	    c->offload != NULL ? c->offload : c->key,
	    l == NULL ? NULL : place(h, l), r->words);
}

void
hazards_find(struct arena *a, const struct profile *p, const struct facts *f, struct hazard **out,
    size_t *n)
{
	static void (*const finders[])(struct finder *, const struct seen *) = { find_wrapped,
		find_lethal, find_limit, find_below, find_fixed, find_stale, find_overridden,
		find_drift };
	struct finder h = { .arena = a, .p = p, .f = f };

	for (size_t i = 0; i < p->n_knobs; i++) {
		struct seen s = look(&h, &p->knobs[i]);

		if (is_shadowed(&h, i))
			continue;
		for (size_t j = 0; j < NELEM(finders); j++)
			finders[j](&h, &s);
	}
	for (size_t i = 0; i < p->n_hazards; i++)
		find_by_rule(&h, &p->hazards[i]);
	*out = h.found;
	*n = h.n;
}

const struct record *
hazards_document(struct arena *a)
{
	struct record *r = arena_alloc(a, sizeof(*r));
	struct field *fields;
	size_t n = 0;

	while (facts_record.fields[n].name != NULL)
		n++;
	fields = arena_array(a, n + 3, sizeof(*fields));
	memcpy(fields, facts_record.fields, n * sizeof(*fields));
	fields[n] = (struct field)F_LIST(facts_document, hazards, &hazard_record);
	fields[n + 1] = (struct field)F_LIST(facts_document, limits, &path_limit_record);
	fields[n + 2] = (struct field)F_END;
	*r = (struct record){ "facts", sizeof(struct facts_document), fields };
	return r;
}
