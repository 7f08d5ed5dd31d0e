/* A file of settings against a host: try_file.h. */
#include "decide.h"
#include "kernel.h"
#include "profile.h"
#include "refuse.h"
#include "settings_apply.h"
#include "try_file.h"
#include "units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 18 /* exact in a double, or nearly, and no overflow */

struct checking {
	struct arena *arena;
	const struct try_file *file;
	const struct profile *profile;
	const struct facts *facts;
	const struct plan_direction *plan;
	struct err *e;
};

static bool
bad(const struct checking *c, unsigned line, const char *subject, const char *what)
{
	return fail(c->e, ERR_USAGE, "%.200s:%u: %s: %s", c->file->name, line, subject, what);
}

/* ---- knobs ---------------------------------------------------------------------------------- */

static const char *
next_field(const char **s, size_t *len)
{
	const char *f = *s + strspn(*s, " \t");

	*len = strcspn(f, " \t");
	*s = f + *len;
	return *len == 0 ? NULL : f;
}

static size_t
fields_of(const char *s)
{
	size_t n = 0, len;

	while (next_field(&s, &len) != NULL)
		n++;
	return n;
}

static bool
is_whole(const char *s, size_t len)
{
	size_t sign = *s == '-' ? 1 : 0;

	return len > sign && len - sign <= DIGITS_MAX &&
	    strspn(s + sign, "0123456789") >= len - sign;
}

/* Every field a number, the knob's own within its range; the others are held to it as well. */
static bool
check_numbers(const struct checking *c, const struct knob *k, const struct try_knob *t)
{
	const char *s = t->text, *f;
	unsigned at = 1;
	size_t len;

	for (; (f = next_field(&s, &len)) != NULL; at++) {
		bool own = isnan(k->field) || at == (unsigned)k->field;
		double v;

		if (!is_whole(f, len))
			return bad(c, t->line, t->name,
			    arena_printf(c->arena, "'%.*s' is not a whole number", (int)len, f));
		v = strtod(f, NULL);
		if ((own && v < k->min) || v > k->max || (!own && v < 0))
			return bad(c, t->line, t->name,
			    arena_printf(c->arena, "%.0f is not within %.0f to %.0f", v,
				own ? k->min : 0, k->max));
	}
	return true;
}

static bool
check_name(const struct checking *c, unsigned line, const char *subject, const char *cc)
{
	const struct facts *f = c->facts;

	if (!strings_have(f->cc_available, f->n_cc_available, cc))
		return bad(c, line, subject,
		    arena_printf(c->arena, "congestion control '%s' is not there%s", cc,
			strings_have(f->cc_loadable, f->n_cc_loadable, cc)
			    ? "; its module would have to be loaded first"
			    : ""));
	if (!f->privileged && !strings_have(f->cc_allowed, f->n_cc_allowed, cc))
		return bad(c, line, subject, "only root may use this congestion control");
	return true;
}

/* The value fits; whether tune could set it is another question. */
static bool
check_value(const struct checking *c, const struct knob *k, const struct try_knob *t)
{
	const struct knob_fact *fact = facts_knob(c->facts, k->name);

	if (fact == NULL || fact->text == NULL)
		return bad(c, t->line, t->name,
		    fact != NULL && fact->why != NULL ? fact->why
						      : "could not be read on this host");
	if (fields_of(t->text) != fields_of(fact->text))
		return bad(c, t->line, t->name,
		    arena_printf(c->arena, "the value must have %zu field%s, as '%s' has",
			fields_of(fact->text), fields_of(fact->text) == 1 ? "" : "s", fact->text));
	if (k->role == ROLE_CONGESTION)
		return check_name(c, t->line, t->name, t->text);
	return k->unit != NULL && strcmp(k->unit, "name") == 0 ? true : check_numbers(c, k, t);
}

static bool
check_knob(const struct checking *c, const struct try_setting *s, const struct try_knob *t,
    struct try_choice *out)
{
	const struct knob *k = settings_knob(c->profile, c->facts, t->name);
	const struct knob_fact *fact = facts_knob(c->facts, t->name);
	struct change_line *line;

	if (k == NULL)
		return bad(c, t->line, t->name,
		    arena_printf(c->arena, "the profile %s has no such knob", c->profile->name));
	if (!check_value(c, k, t))
		return false;
	if (!fact->writable)
		return bad(c, t->line, t->name,
		    arena_printf(c->arena, "cannot be set: %s",
			fact->why == NULL ? "no reason given" : fact->why));
	if (k->file == NULL && c->profile->n_knob_write == 0)
		return bad(c, t->line, t->name, "this system has no way to set it");
	line = arena_push(c->arena, &out->lines, &out->n_lines, sizeof(*line));
	*line = (struct change_line){ k->name, fact->text, t->text,
		arena_printf(c->arena, "tried: %s of %s", s->name, c->file->name), true };
	if (k->role == ROLE_CONGESTION && s->cc != NULL)
		return bad(c, t->line, t->name, "contradicts cc, which says the same");
	if (k->role == ROLE_CONGESTION && c->plan->direction == DIR_SEND)
		out->as.cc = t->text; /* trials ask for it per socket too */
	return true;
}

/* Who cannot make a socket any more is measured by nobody, and reached by nobody new. */
static bool
check_sockets(const struct checking *c, const struct try_setting *s, const struct try_choice *out)
{
	struct err why = { ERR_NONE, "" };

	return refuse_lethal(c->arena, c->profile, c->facts, out->lines, out->n_lines, &why) ||
	    bad(c, s->line, s->name, why.text);
}

/* ---- a setting ------------------------------------------------------------------------------ */

static bool
check_window(const struct checking *c, const struct try_setting *s, struct try_choice *out)
{
	const struct plan_direction *d = c->plan;

	if (isnan(s->window_bytes))
		return true;
	if (!d->window_writable)
		return bad(c, s->window_line, "window",
		    arena_printf(c->arena, "cannot be set when %s: %s",
			d->direction == DIR_SEND ? "sending" : "receiving",
			d->why == NULL ? "no reason given" : d->why));
	if (s->window_bytes <= d->window_bytes)
		return bad(c, s->window_line, "window",
		    arena_printf(c->arena, "%s is not above the present %s; give knobs to try less",
			units_say_bytes(c->arena, s->window_bytes),
			units_say_bytes(c->arena, d->window_bytes)));
	if (s->window_bytes > d->window_max_bytes)
		return bad(c, s->window_line, "window",
		    arena_printf(c->arena, "more than %s are not tried on this host",
			units_say_bytes(c->arena, d->window_max_bytes)));
	out->as.window_bytes = s->window_bytes;
	out->lines =
	    decide_window_lines(c->arena, c->profile, c->facts, d, s->window_bytes, &out->n_lines);
	return out->n_lines > 0
	    ? true
	    : bad(c, s->window_line, "window", "no knob that can be set here gives it");
}

static bool
check_setting(
    const struct checking *c, const struct try_setting *s, double streams, struct try_choice *out)
{
	const char *present = c->plan->n_cc > 0 ? c->plan->cc[0] : NULL;

	*out = (struct try_choice){ .setting = s, .streams = s->streams };
	if (isnan(s->streams))
		out->streams = streams;
	out->as.window_bytes = s->n_knobs > 0 ? NAN : c->plan->window_bytes;
	out->as.cc = present;
	if (s->cc != NULL && !check_name(c, s->cc_line, "cc", s->cc))
		return false;
	if (s->cc != NULL && c->plan->direction == DIR_SEND)
		out->as.cc = s->cc;
	if (!check_window(c, s, out))
		return false;
	for (size_t i = 0; i < s->n_knobs; i++) {
		if (!check_knob(c, s, &s->knobs[i], out))
			return false;
	}
	if (!check_sockets(c, s, out))
		return false;
	out->changes = (double)out->n_lines;
	if (s->cc != NULL && out->as.cc != NULL && (present == NULL || strcmp(present, s->cc) != 0))
		out->changes++;
	out->differs = out->changes > 0 || out->streams != streams;
	return true;
}

bool
try_file_check(struct arena *a, const struct try_file *f, const struct profile *p,
    const struct facts *facts, const struct plan_direction *d, double streams,
    struct try_choice *choices, struct err *e)
{
	struct checking c = { a, f, p, facts, d, e };
	bool any = false;

	for (size_t i = 0; i < f->n_settings; i++) {
		if (!check_setting(&c, &f->settings[i], streams, &choices[i]))
			return false;
		any = any || choices[i].differs;
	}
	return any ? true
		   : fail(e, ERR_USAGE, "%.200s: no setting differs from the present one when %s",
			 f->name, d->direction == DIR_SEND ? "sending" : "receiving");
}

/* ---- what pinned sockets leave to do -------------------------------------------------------- */

static bool
is_limit(enum knob_role role)
{
	return role == ROLE_LIMIT || role == ROLE_LIMIT_SEND || role == ROLE_LIMIT_RECEIVE;
}

/* Has no part in what a pinned socket gets: sizes of auto-sizing, or limits that admit all pins. */
static bool
line_is_idle(const struct profile *p, const struct facts *f, const struct plan_direction *d,
    const struct change_line *l, double largest)
{
	const struct window_model *m = profile_window(p, d->direction, f->release, f->arch);
	const struct knob *k = settings_knob(p, f, l->name);
	const struct knob_fact *now = facts_knob(f, l->name);
	double limit = now == NULL ? NAN : now->now,
	       asked = k == NULL ? NAN : settings_field(l->new, k->field);

	if (k == NULL || m == NULL)
		return false;
	if (k->role >= ROLE_SEND_MAX && k->role <= ROLE_RECEIVE_AUTO)
		return true;
	if (!is_limit(k->role))
		return false;
	limit = fmin(limit, asked);
	return largest <= (k->role == ROLE_LIMIT ? kernel_limit_share(m, limit) : limit);
}

const char *
try_file_idle(struct arena *a, const struct try_file *f, const struct profile *p,
    const struct facts *facts, const struct plan_direction *d, const struct try_choice *choices)
{
	struct text names = { .arena = a };
	double largest = 0;

	for (size_t i = 0; i < f->n_pin_bytes; i++)
		largest = fmax(largest, f->pin_bytes[i]);
	for (size_t i = 1; largest > 0 && i < f->n_settings; i++) {
		const struct try_choice *c = &choices[i];
		bool idle =
		    c->differs && c->changes == (double)c->n_lines && isnan(c->setting->streams);

		for (size_t k = 0; idle && k < c->n_lines; k++)
			idle = line_is_idle(p, facts, d, &c->lines[k], largest);
		if (idle)
			text_add(&names, "%s%s", names.len == 0 ? "" : ", ", c->setting->name);
	}
	if (names.len == 0)
		return NULL;
	return arena_printf(a,
	    "%s cannot act here: pinned sockets do not tune their buffers "
	    "themselves, so maxima of autotuning are never reached, and every socket window is "
	    "within what the present limit admits. Leave socket_windows out to try the settings",
	    names.s);
}
