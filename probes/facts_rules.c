#include "facts_ask.h"

#include "facts_answer.h"

#include <math.h>
#include <string.h>

/* Three packets a second apart, and the ten seconds for which ping(8) waits for the last. */
#define PING_S 15.0

/* One fact that the profile has rules for. */
struct want {
	const struct field *field;
	size_t rule;            /* the one in turn; n_facts: there is none left */
	const char *why;        /* why it is not known so far */
	enum answer how;        /* how that came */
};

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

/* Rules for another kind of probe are as if they were not there. */
static bool
is_asked(const struct probe *p, const struct fact_rule *r)
{
	return !(r->without_peer && p->peer != NULL) && !(r->ping && !p->ping);
}

static void
ask_rule(struct probe *p, const struct fact_rule *r, const char **argv, const char *file)
{
	facts_ask_slow(p, argv, file, r->ping ? PING_S : 0);
}

static void
list_wants(struct probe *p)
{
	const struct profile *profile = p->profile;
	struct want *w;
	size_t i;

	for (i = 0; i < profile->n_facts; i++) {
		if (want_of(p, profile->facts[i].fact) != NULL ||
		    (profile->facts[i].ping && !p->ping))
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

void
facts_known(const struct probe *p, struct substitution known[FACTS_KNOWN])
{
	const struct facts *f = p->facts;
	const struct substitution now[FACTS_KNOWN] = {
		{ "peer", facts_usable(p->peer) }, { "interface", facts_usable(f->interface) },
		{ "driver", facts_usable(f->driver) }, { "bus", facts_usable(f->bus) },
		{ "parent", facts_usable(f->parent) }, { "release", facts_usable(f->release) },
		{ NULL, NULL },
	};

	memcpy(known, now, sizeof(now));
}

/* A rule's command or file; both NULL: something in it is not known. */
static void
expand_rule(const struct probe *p, const struct fact_rule *r, const char ***argv,
    const char **file)
{
	struct substitution known[FACTS_KNOWN];

	facts_known(p, known);
	*argv = NULL;
	*file = NULL;
	if (r->file != NULL)
		*file = profile_expand(p->arena, r->file, known);
	else
		*argv = profile_argv(p->arena, r->argv, r->n_argv, known);
}

static bool
uses(struct arena *a, const struct fact_rule *r, const char *key)
{
	const char *braced = arena_printf(a, "{%s}", key);
	size_t i;

	for (i = 0; i < r->n_argv; i++) {
		if (strstr(r->argv[i], braced) != NULL)
			return true;
	}
	return r->file != NULL && strstr(r->file, braced) != NULL;
}

/* What a rule lacks first, in its command, file or pattern; NULL: nothing. */
static const char *
lacking(const struct probe *p, const struct fact_rule *r)
{
	struct substitution known[FACTS_KNOWN];
	size_t i;

	facts_known(p, known);
	for (i = 0; known[i].key != NULL; i++) {
		if (known[i].value == NULL && uses(p->arena, r, known[i].key))
			return known[i].key;
	}
	return r->pattern == NULL ? NULL : profile_pattern_lacks(r->pattern, known);
}

/* Is this fact still being looked for? */
static bool
is_open(struct probe *p, const char *fact)
{
	const struct want *w = want_of(p, fact);

	return w != NULL && w->rule < p->profile->n_facts;
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

/* What became of a rule. */
enum tried {
	TRIED_FOUND, /* the fact, or why it cannot be had */
	TRIED_PASS,  /* the next rule may know            */
	TRIED_WAIT,  /* for an answer, or another fact    */
};

static enum tried
take_answer(struct probe *p, struct want *w, const struct fact_rule *r, const struct output *o)
{
	struct substitution known[FACTS_KNOWN];
	struct fact_rule expanded = *r;
	const char *why = NULL;
	enum answer how;

	facts_known(p, known);
	if (r->pattern != NULL)
		expanded.pattern = profile_pattern(p->arena, r->pattern, known);
	how = answer_fact(p->arena, &expanded, w->field, o, p->facts, &why);
	if (how == ANSWER_KNOWN || how == ANSWER_UNKNOWN) {
		w->rule = p->profile->n_facts;
		w->why = why;
		return TRIED_FOUND;
	}
	keep_why(w, how, why);
	return TRIED_PASS;
}

static void
keep_lack(struct probe *p, struct want *w, const char *lacks)
{
	if (p->peer != NULL || strcmp(lacks, "peer") != 0)
		keep_why(w, ANSWER_OTHER, arena_printf(p->arena, "%s is not known", lacks));
}

/*
 * A rule whose pattern waits for a fact is asked even so: the answer is there when the fact is,
 * which saves a round.
 */
static enum tried
try_rule(struct probe *p, struct want *w, const struct fact_rule *r)
{
	const char **argv, *file, *lacks;
	const struct output *said;

	if (!is_asked(p, r))
		return TRIED_PASS;
	lacks = lacking(p, r);
	if (lacks != NULL && !is_open(p, lacks)) {
		keep_lack(p, w, lacks);
		return TRIED_PASS;
	}
	expand_rule(p, r, &argv, &file);
	ask_rule(p, r, argv, file);
	said = facts_said(p, argv, file);
	return lacks != NULL || said == NULL ? TRIED_WAIT : take_answer(p, w, r, said);
}

/* Go on with every fact's rules as far as the answers carry; what one finds may help another. */
static void
advance(struct probe *p)
{
	enum tried how = TRIED_WAIT;
	bool found = true;
	size_t i;

	while (found) {
		for (found = false, i = 0; i < p->n_wants; i++) {
			struct want *w = &p->wants[i];

			while (w->rule < p->profile->n_facts &&
			    (how = try_rule(p, w, &p->profile->facts[w->rule])) == TRIED_PASS) {
				next_rule(p, w);
				found = true;
			}
			found = found || how == TRIED_FOUND;
			how = TRIED_WAIT;
		}
	}
}

/* Facts that wait for each other: the first goes on without.  False: none waits. */
static bool
unblock(struct probe *p)
{
	size_t i;

	for (i = 0; i < p->n_wants; i++) {
		struct want *w = &p->wants[i];

		if (w->rule >= p->profile->n_facts)
			continue;
		keep_lack(p, w, lacking(p, &p->profile->facts[w->rule]));
		next_rule(p, w);
		return true;
	}
	return false;
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

/* A command behind a file for the same fact: mostly the file knows, and a command is a process. */
static bool
is_second_choice(const struct profile *profile, size_t rule)
{
	const struct fact_rule *r = &profile->facts[rule];

	for (size_t i = 0; r->file == NULL && i < rule; i++) {
		if (profile->facts[i].file != NULL && strcmp(profile->facts[i].fact, r->fact) == 0)
			return true;
	}
	return false;
}

void
facts_ask_ahead(struct probe *p)
{
	const char **argv, *file;
	size_t i;

	for (i = 0; i < p->profile->n_facts; i++) {
		const struct fact_rule *r = &p->profile->facts[i];

		if (!is_asked(p, r) || is_second_choice(p->profile, i))
			continue;
		expand_rule(p, r, &argv, &file);
		ask_rule(p, r, argv, file);
	}
}

bool
facts_ask_rules(struct probe *p)
{
	bool asked;

	list_wants(p);
	do {
		advance(p);
		if (p->ahead)
			facts_ask_offloads(p);
		if (!facts_ask_run(p, &asked))
			return false;
	} while (asked || unblock(p));
	list_unknown(p);
	return true;
}
