#include "facts.h"

#include "../tuner/profile.h"
#include "facts_answer.h"

#include <math.h>
#include <string.h>

/*
 * The rules are asked in rounds: each round carries one rule of every fact that is still open, all
 * in one host_run(), because over ssh a round costs a round trip.  The same question is asked once.
 */
struct question {
	const char **argv; /* expanded; NULL: file */
	const char *file;
	struct output answer;
	bool answered;
};

/* One fact that the profile has rules for. */
struct want {
	const struct field *field;
	size_t rule;            /* the one in turn; n_facts: there is none left */
	size_t question;        /* of this round */
	bool asked;             /* in this round */
	const char *why;        /* why it is not known so far */
	enum answer how;        /* how that came */
};

struct probe {
	struct host *host;
	struct arena *arena;
	const struct profile *profile;
	const char *peer;
	struct facts *facts;
	struct question *questions;
	size_t n_questions;
	struct want *wants;
	size_t n_wants;
	struct err *e;
};

static bool
same_question(const struct question *q, const char **argv, const char *file)
{
	size_t i;

	if (argv == NULL || q->argv == NULL)
		return argv == NULL && q->argv == NULL && strcmp(q->file, file) == 0;
	for (i = 0; argv[i] != NULL && q->argv[i] != NULL; i++) {
		if (strcmp(argv[i], q->argv[i]) != 0)
			return false;
	}
	return argv[i] == q->argv[i];
}

/* Its index among the questions, where it may stand already. */
static size_t
ask(struct probe *p, const char **argv, const char *file)
{
	struct question *q;
	size_t i;

	for (i = 0; i < p->n_questions; i++) {
		if (same_question(&p->questions[i], argv, file))
			return i;
	}
	q = arena_push(p->arena, &p->questions, &p->n_questions, sizeof(*q));
	q->argv = argv;
	q->file = file;
	return i;
}

/* Have all questions answered that are not yet. */
static bool
run_questions(struct probe *p)
{
	struct command *commands = arena_array(p->arena, p->n_questions, sizeof(*commands));
	struct output *out = arena_array(p->arena, p->n_questions, sizeof(*out));
	size_t i, n = 0;

	for (i = 0; i < p->n_questions; i++) {
		if (p->questions[i].answered)
			continue;
		commands[n].argv = p->questions[i].argv;
		commands[n++].file = p->questions[i].file;
	}
	if (n == 0)
		return true;
	if (!host_run(p->host, p->arena, commands, n, out, p->e))
		return false;
	for (i = n = 0; i < p->n_questions; i++) {
		if (p->questions[i].answered)
			continue;
		p->questions[i].answer = out[n++];
		p->questions[i].answered = true;
	}
	return true;
}

static struct want *
want_of(struct probe *p, const char *fact)
{
	size_t i;

	for (i = 0; i < p->n_wants; i++) {
		if (strcmp(p->wants[i].field->name, fact) == 0)
			return &p->wants[i];
	}
	return NULL;
}

static const struct field *
fact_field(const char *name)
{
	const struct field *f;

	for (f = facts_record.fields; strcmp(f->name, name) != 0; f++)
		; /* profile_parse() has seen to it that there is one */
	return f;
}

static void
list_wants(struct probe *p)
{
	const struct profile *profile = p->profile;
	struct want *w;
	size_t i;

	for (i = 0; i < profile->n_facts; i++) {
		if (want_of(p, profile->facts[i].fact) != NULL)
			continue;
		w = arena_push(p->arena, &p->wants, &p->n_wants, sizeof(*w));
		w->field = fact_field(profile->facts[i].fact);
		w->rule = i;
		w->how = ANSWER_OTHER;
	}
}

static void
next_rule(const struct probe *p, struct want *w)
{
	const struct profile *profile = p->profile;

	do
		w->rule++;
	while (w->rule < profile->n_facts &&
	    strcmp(profile->facts[w->rule].fact, w->field->name) != 0);
}

/* The facts that rules may name, as far as they are known and harmless. */
static const char *
usable(const char *value)
{
	return value != NULL && answer_is_plain(value) ? value : NULL;
}

static bool
expand_rule(struct probe *p, const struct fact_rule *r, const char ***argv, const char **file)
{
	const struct facts *f = p->facts;
	const struct substitution known[] = {
		{ "peer", usable(p->peer) }, { "interface", usable(f->interface) },
		{ "driver", usable(f->driver) }, { "bus", usable(f->bus) },
		{ "release", usable(f->release) }, { NULL, NULL },
	};

	*argv = NULL;
	*file = NULL;
	if (r->file != NULL)
		*file = profile_expand(p->arena, r->file, known);
	else
		*argv = profile_argv(p->arena, r->argv, r->n_argv, known);
	return *argv != NULL || *file != NULL;
}

/* A fact of this rule's substitutions is still being looked for; *lacking is the first missing. */
static bool
must_wait(struct probe *p, const struct fact_rule *r, const char **lacking)
{
	static const char *const facts[] = { "interface", "driver", "bus", "release" };
	size_t i, k;

	*lacking = "peer";
	for (i = 0; i < NELEM(facts); i++) {
		char *key = arena_printf(p->arena, "{%s}", facts[i]);
		bool used = r->file != NULL && strstr(r->file, key) != NULL;
		struct want *w = want_of(p, facts[i]);

		for (k = 0; k < r->n_argv; k++)
			used = used || strstr(r->argv[k], key) != NULL;
		if (used)
			*lacking = facts[i];
		if (used && w != NULL && w->rule < p->profile->n_facts)
			return true;
	}
	return false;
}

/* The first failure says most; a rule that does not fit is nothing special. */
static void
keep_why(struct want *w, enum answer how, const char *why)
{
	if (w->why == NULL || (how == ANSWER_FAILED && w->how != ANSWER_FAILED)) {
		w->why = why;
		w->how = how;
	}
}

/* Ask this fact's next rule that can be asked now.  True when something was asked. */
static bool
ask_want(struct probe *p, struct want *w)
{
	const struct fact_rule *r;
	const char **argv, *file, *lacking;

	for (w->asked = false; w->rule < p->profile->n_facts; next_rule(p, w)) {
		r = &p->profile->facts[w->rule];
		if (r->without_peer && p->peer != NULL)
			continue;
		if (expand_rule(p, r, &argv, &file)) {
			w->question = ask(p, argv, file);
			w->asked = true;
			return true;
		}
		if (must_wait(p, r, &lacking))
			return false;
		if (strcmp(lacking, "peer") != 0)
			keep_why(w, ANSWER_OTHER, arena_printf(p->arena, "%s is not known", lacking));
	}
	return false;
}

static void
take_answer(struct probe *p, struct want *w)
{
	const char *why = NULL;
	enum answer how = answer_fact(p->arena, &p->profile->facts[w->rule], w->field,
	    &p->questions[w->question].answer, p->facts, &why);

	if (how == ANSWER_KNOWN || how == ANSWER_UNKNOWN) {
		w->rule = p->profile->n_facts;
		w->why = why;
		return;
	}
	keep_why(w, how, why);
	next_rule(p, w);
}

static bool
ask_rules(struct probe *p)
{
	bool asked = true;
	size_t i;

	list_wants(p);
	while (asked) {
		for (asked = false, i = 0; i < p->n_wants; i++)
			asked = ask_want(p, &p->wants[i]) || asked;
		if (!run_questions(p))
			return false;
		for (i = 0; i < p->n_wants; i++) {
			if (p->wants[i].asked)
				take_answer(p, &p->wants[i]);
		}
	}
	return true;
}

/* What is wanted and not known; a bool that nothing affirms is false, not unknown. */
static void
list_unknown(struct probe *p)
{
	const struct want *w;
	const char *s;
	double x;
	size_t i;

	for (i = 0; i < p->n_wants; i++) {
		w = &p->wants[i];
		memcpy(&s, (char *)p->facts + w->field->offset,
		    w->field->type == FIELD_STRING ? sizeof(s) : 0);
		memcpy(&x, (char *)p->facts + w->field->offset,
		    w->field->type == FIELD_NUMBER ? sizeof(x) : 0);
		if ((w->field->type == FIELD_STRING && s == NULL) ||
		    (w->field->type == FIELD_NUMBER && isnan(x)))
			facts_unknown(p->arena, p->facts, w->field->name,
			    w->why != NULL ? w->why : "no rule applies");
	}
}

/* ---- what is not one fact a rule: offloads, knobs, congestion control ----------------------- */

struct extras {
	size_t offloads;    /* questions */
	bool offloads_asked;
	size_t *knobs;
	size_t *writable;
	size_t cc_now, cc_available, cc_allowed, cc_loaded;
};

static void
ask_extras(struct probe *p, struct extras *x)
{
	const struct profile *profile = p->profile;
	const struct substitution on[] = { { "interface", usable(p->facts->interface) },
		{ NULL, NULL } };
	const char **argv = profile_argv(p->arena, profile->offloads_argv,
	    profile->n_offloads_argv, on);
	size_t i;

	x->offloads_asked = profile->n_offloads_argv != 0 && argv != NULL;
	if (x->offloads_asked)
		x->offloads = ask(p, argv, NULL);
	x->knobs = arena_array(p->arena, profile->n_knobs, sizeof(*x->knobs));
	x->writable = arena_array(p->arena, profile->n_knobs, sizeof(*x->writable));
	for (i = 0; i < profile->n_knobs; i++) {
		const struct substitution of[] = { { "file", profile->knobs[i].file },
			{ NULL, NULL } };

		x->knobs[i] = ask(p, NULL, profile->knobs[i].file);
		if (profile->n_writable != 0)
			x->writable[i] = ask(p, profile_argv(p->arena, profile->writable,
			    profile->n_writable, of), NULL);
	}
	x->cc_now = ask(p, NULL, profile->congestion.now);
	x->cc_available = ask(p, NULL, profile->congestion.available);
	if (profile->congestion.allowed != NULL)
		x->cc_allowed = ask(p, NULL, profile->congestion.allowed);
	if (profile->congestion.loaded != NULL)
		x->cc_loaded = ask(p, NULL, profile->congestion.loaded);
}

static void
take_writable(const struct probe *p, const struct extras *x, size_t i, struct knob_fact *f)
{
	const struct output *o = &p->questions[x->writable[i]].answer;

	f->writable = p->profile->n_writable != 0 ? o->status == 0 : p->facts->privileged;
	if (f->writable)
		return;
	if (!p->facts->privileged)
		f->why = "needs root";
	else if (p->profile->n_writable != 0 && o->status < 0)
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
	const struct output *o = &p->questions[question].answer;

	answer_names(p->arena, o, names, n);
	if (*n == 0)
		facts_unknown(p->arena, p->facts, fact, o->why != NULL ? o->why : "empty answer");
}

static void
take_congestion(struct probe *p, const struct extras *x)
{
	const struct congestion *g = &p->profile->congestion;
	struct facts *f = p->facts;
	const char **now = NULL;
	size_t i, n = 0;

	take_names(p, x->cc_now, "cc", &now, &n);
	if (n != 0)
		f->cc = now[0];
	take_names(p, x->cc_available, "cc_available", &f->cc_available, &f->n_cc_available);
	if (g->allowed != NULL)
		take_names(p, x->cc_allowed, "cc_allowed", &f->cc_allowed, &f->n_cc_allowed);
	for (i = 0; g->loaded != NULL && i < f->n_cc_available; i++) {
		if (answer_lists(&p->questions[x->cc_loaded].answer, module_of(p, f->cc_available[i])))
			*(const char **)arena_push(p->arena, &f->cc_modules, &f->n_cc_modules,
			    sizeof(const char *)) = f->cc_available[i];
	}
}

static bool
is_available(const struct facts *f, const char *cc)
{
	size_t i;

	for (i = 0; i < f->n_cc_available && strcmp(f->cc_available[i], cc) != 0; i++)
		;
	return i < f->n_cc_available;
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
			{ "release", usable(f->release) }, { NULL, NULL } };
		const char **argv = is_available(f, g->candidates[i]) ? NULL :
		    profile_argv(p->arena, g->probe, g->n_probe, of);

		asked[i] = argv == NULL ? SIZE_MAX : ask(p, argv, NULL);
	}
	if (!run_questions(p))
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
	if (!ask_rules(&p))
		return false;
	list_unknown(&p);
	ask_extras(&p, &x);
	if (!run_questions(&p))
		return false;
	if (x.offloads_asked)
		answer_offloads(a, profile->offloads, profile->n_offloads,
		    &p.questions[x.offloads].answer, &found);
	else if (profile->n_offloads != 0)
		facts_unknown(a, &found, "offloads", "interface is not known");
	take_knobs(&p, &x);
	take_congestion(&p, &x);
	if (!probe_loadable(&p))
		return false;
	*out = found;
	return true;
}
