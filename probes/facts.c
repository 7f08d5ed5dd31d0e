#include "facts.h"

#include "facts_answer.h"
#include "facts_ask.h"

#include <math.h>

/* What is not one fact a rule: offloads, knobs, congestion control.  Indices of questions. */
struct extras {
	size_t offloads;
	bool offloads_asked;
	size_t *knobs;
	size_t *writable;
	size_t cc_now, cc_available, cc_allowed, cc_loaded;
};

/* Of something that this system does not have. */
#define NOT_ASKED SIZE_MAX

static size_t
ask_query(struct probe *p, const struct query *q)
{
	static const struct substitution none[] = { { NULL, NULL } };

	if (q->n_argv != 0)
		return facts_ask(p, profile_argv(p->arena, q->argv, q->n_argv, none), NULL);
	return q->file == NULL ? NOT_ASKED : facts_ask(p, NULL, q->file);
}

static size_t
ask_knob(struct probe *p, const struct knob *k)
{
	const struct substitution of[] = { { "name", k->name }, { NULL, NULL } };

	if (k->file != NULL)
		return facts_ask(p, NULL, k->file);
	return facts_ask(p, profile_argv(p->arena, p->profile->knob_read, p->profile->n_knob_read,
	    of), NULL);
}

static void
ask_extras(struct probe *p, struct extras *x)
{
	const struct profile *profile = p->profile;
	const struct substitution on[] = { { "interface", facts_usable(p->facts->interface) },
		{ NULL, NULL } };
	const char **argv = profile_argv(p->arena, profile->offloads.argv,
	    profile->offloads.n_argv, on);
	size_t i;

	x->offloads_asked = profile->offloads.n_argv != 0 && argv != NULL;
	if (x->offloads_asked)
		x->offloads = facts_ask(p, argv, NULL);
	x->knobs = arena_array(p->arena, profile->n_knobs, sizeof(*x->knobs));
	x->writable = arena_array(p->arena, profile->n_knobs, sizeof(*x->writable));
	for (i = 0; i < profile->n_knobs; i++) {
		const struct substitution of[] = { { "file", profile->knobs[i].file },
			{ NULL, NULL } };

		x->knobs[i] = ask_knob(p, &profile->knobs[i]);
		if (profile->n_writable != 0 && profile->knobs[i].file != NULL)
			x->writable[i] = facts_ask(p, profile_argv(p->arena, profile->writable,
			    profile->n_writable, of), NULL);
	}
	x->cc_now = ask_query(p, &profile->congestion.now);
	x->cc_available = ask_query(p, &profile->congestion.available);
	x->cc_allowed = ask_query(p, &profile->congestion.allowed);
	x->cc_loaded = ask_query(p, &profile->congestion.loaded);
}

static void
take_writable(const struct probe *p, const struct extras *x, size_t i, struct knob_fact *f)
{
	const struct output *o = &p->questions[x->writable[i]].answer;
	bool asked = p->profile->n_writable != 0 && p->profile->knobs[i].file != NULL;

	f->writable = asked ? o->status == 0 : p->facts->privileged;
	if (f->writable)
		return;
	if (!p->facts->privileged)
		f->why = "needs root";
	else if (asked && o->status < 0)
		f->why = o->why;
	else
		f->why = "read-only here (container or namespace)";
}

static void
take_knobs(struct probe *p, const struct extras *x)
{
	const struct profile *profile = p->profile;
	struct knob_fact *f;
	const char *why;
	size_t i;

	for (i = 0; i < profile->n_knobs; i++) {
		const struct knob *k = &profile->knobs[i];

		f = arena_push(p->arena, &p->facts->knobs, &p->facts->n_knobs, sizeof(*f));
		f->name = k->name;
		f->now = NAN;
		f->min = k->min;
		f->max = k->max;
		if (answer_knob(p->arena, k, &p->questions[x->knobs[i]].answer, f, &why)) {
			take_writable(p, x, i, f);
		} else {
			f->why = why;
			facts_unknown(p->arena, p->facts, k->name, why);
		}
	}
}

static const char *
module_of(struct probe *p, const char *cc)
{
	const struct substitution of[] = { { "name", cc }, { NULL, NULL } };

	return p->profile->congestion.module == NULL ? cc :
	    profile_expand(p->arena, p->profile->congestion.module, of);
}

static void
take_names(struct probe *p, size_t question, const char *fact, const char ***names, size_t *n)
{
	const struct output *o;

	if (question == NOT_ASKED)
		return;
	o = &p->questions[question].answer;
	answer_names(p->arena, o, names, n);
	if (*n == 0)
		facts_unknown(p->arena, p->facts, fact, o->why != NULL ? o->why : "empty answer");
}

static void
take_congestion(struct probe *p, const struct extras *x)
{
	struct facts *f = p->facts;
	const char **now = NULL;
	size_t i, n = 0;

	take_names(p, x->cc_now, "cc", &now, &n);
	if (n != 0)
		f->cc = now[0];
	take_names(p, x->cc_available, "cc_available", &f->cc_available, &f->n_cc_available);
	take_names(p, x->cc_allowed, "cc_allowed", &f->cc_allowed, &f->n_cc_allowed);
	for (i = 0; x->cc_loaded != NOT_ASKED && i < f->n_cc_available; i++) {
		if (answer_lists(&p->questions[x->cc_loaded].answer,
		    module_of(p, f->cc_available[i])))
			*(const char **)arena_push(p->arena, &f->cc_modules, &f->n_cc_modules,
			    sizeof(const char *)) = f->cc_available[i];
	}
}

/* Could the candidates that are not there be loaded? */
static bool
probe_loadable(struct probe *p)
{
	const struct congestion *g = &p->profile->congestion;
	struct facts *f = p->facts;
	const struct output *o;
	size_t i, *asked = arena_array(p->arena, g->n_candidates, sizeof(*asked));

	for (i = 0; i < g->n_candidates; i++) {
		const struct substitution of[] = { { "name", g->candidates[i] },
			{ "release", facts_usable(f->release) }, { NULL, NULL } };
		const char **argv =
		    strings_have(f->cc_available, f->n_cc_available, g->candidates[i]) ? NULL :
		    profile_argv(p->arena, g->probe, g->n_probe, of);

		asked[i] = argv == NULL ? SIZE_MAX : facts_ask(p, argv, NULL);
	}
	if (!facts_ask_run(p))
		return false;
	for (i = 0; i < g->n_candidates; i++) {
		o = asked[i] == SIZE_MAX ? NULL : &p->questions[asked[i]].answer;
		if (o != NULL && o->status == 0)
			*(const char **)arena_push(p->arena, &f->cc_loadable, &f->n_cc_loadable,
			    sizeof(const char *)) = g->candidates[i];
		else if (o != NULL && o->status < 0)
			facts_unknown(p->arena, f, "cc_loadable", o->why);
	}
	return true;
}

bool
facts_probe(struct host *h, struct arena *a, const struct profile *profile,
    const char *peer_address, struct facts *out, struct err *e)
{
	struct facts found;
	struct probe p = { .host = h, .arena = a, .profile = profile, .peer = peer_address,
		.facts = &found, .e = e };
	struct extras x = { 0 };

	record_init(&facts_record, &found);
	found.peer = arena_strdup(a, peer_address);
	if (!facts_ask_rules(&p))
		return false;
	ask_extras(&p, &x);
	if (!facts_ask_run(&p))
		return false;
	if (x.offloads_asked)
		answer_offloads(a, profile->offloads.list, profile->offloads.n_list,
		    &p.questions[x.offloads].answer, &found);
	else if (profile->offloads.n_list != 0)
		facts_unknown(a, &found, "offloads", "interface is not known");
	take_knobs(&p, &x);
	take_congestion(&p, &x);
	if (!probe_loadable(&p))
		return false;
	*out = found;
	return true;
}
