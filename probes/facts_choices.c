/*
 * facts_choices: congestion controls and TCP stacks: the default, what is there, what could be.
 */
#include "facts_ask.h"

#include "facts_answer.h"

#define CC_BYTES 15    /* TCP_CA_NAME_MAX less its NUL, the same on FreeBSD */
#define STACK_BYTES 31 /* TCP_FUNCTION_NAME_LEN_MAX less its NUL */
#define MODULE_BYTES 63

/* A list of names among the facts. */
struct names {
	const char *fact;
	const char ***list;
	size_t *n;
};

/* One choice: how it is asked, and where the answers go. */
struct choice {
	const struct congestion *how;
	size_t name_bytes;
	const char *fact;
	const char **now;
	struct names available, loadable, allowed, loaded; /* the last two may be nowhere */
};

static struct choice
choice_of_congestion(const struct probe *p)
{
	struct facts *f = p->facts;

	return (struct choice){ &p->profile->congestion, CC_BYTES, "cc", &f->cc,
		{ "cc_available", &f->cc_available, &f->n_cc_available },
		{ "cc_loadable", &f->cc_loadable, &f->n_cc_loadable },
		{ "cc_allowed", &f->cc_allowed, &f->n_cc_allowed },
		{ "cc_modules", &f->cc_modules, &f->n_cc_modules } };
}

static struct choice
choice_of_stacks(const struct probe *p)
{
	struct facts *f = p->facts;

	return (struct choice){ .how = &p->profile->stacks, .name_bytes = STACK_BYTES,
		.fact = "stack", .now = &f->stack,
		.available = { "stacks_available", &f->stacks_available, &f->n_stacks_available },
		.loadable = { "stacks_loadable", &f->stacks_loadable, &f->n_stacks_loadable } };
}

static const char **
query_argv(const struct probe *p, const struct query *q)
{
	static const struct substitution none[] = { { NULL, NULL } };

	return q->n_argv == 0 ? NULL : profile_argv(p->arena, q->argv, q->n_argv, none);
}

static void
ask_query(struct probe *p, const struct query *q)
{
	facts_ask(p, query_argv(p, q), q->file);
}

static const struct output *
said_to(const struct probe *p, const struct query *q)
{
	return facts_said(p, query_argv(p, q), q->file);
}

/* argv that tries whether a candidate could be loaded; NULL: it cannot be asked (yet). */
static const char **
candidate_argv(const struct probe *p, const struct choice *c, const char *name)
{
	const struct substitution of[] = { { "name", name },
		{ "release", facts_usable(p->facts->release) }, { NULL, NULL } };

	return c->how->n_probe == 0 ? NULL :
	    profile_argv(p->arena, c->how->probe, c->how->n_probe, of);
}

static void
ask_candidates(struct probe *p, const struct choice *c)
{
	size_t i;

	for (i = 0; i < c->how->n_candidates; i++) {
		if (!strings_have(*c->available.list, *c->available.n, c->how->candidates[i]))
			facts_ask(p, candidate_argv(p, c, c->how->candidates[i]), NULL);
	}
}

static void
ask_choice(struct probe *p, const struct choice *c)
{
	ask_query(p, &c->how->now);
	ask_query(p, &c->how->available);
	ask_query(p, &c->how->allowed);
	ask_query(p, &c->how->loaded);
	if (p->ahead)
		ask_candidates(p, c);
}

void
facts_ask_choices(struct probe *p)
{
	const struct choice congestion = choice_of_congestion(p), stacks = choice_of_stacks(p);

	ask_choice(p, &congestion);
	ask_choice(p, &stacks);
}

static void
take_names(struct probe *p, const struct choice *c, const struct query *q, const char *pattern,
    const struct names *to)
{
	const struct output *o = said_to(p, q);

	if (o == NULL)
		return;
	if (o->status == 0)
		answer_names(p->arena, o, pattern, c->name_bytes, to->list, to->n);
	if (*to->n == 0)
		facts_unknown(p->arena, p->facts, to->fact,
		    o->why != NULL ? o->why : "the answer names none");
}

static const char *
module_of(const struct probe *p, const struct choice *c, const char *name)
{
	const struct substitution of[] = { { "name", name }, { NULL, NULL } };

	return c->how->module == NULL ? name : profile_expand(p->arena, c->how->module, of);
}

static bool
is_loaded(struct probe *p, const struct choice *c, const struct output *said, const char *module)
{
	const char **modules = NULL;
	size_t n = 0;

	if (c->how->modules == NULL)
		return answer_lists(said, module);
	answer_names(p->arena, said, c->how->modules, MODULE_BYTES, &modules, &n);
	return strings_have(modules, n, module);
}

static void
take_choice(struct probe *p, const struct choice *c)
{
	const struct output *loaded = said_to(p, &c->how->loaded);
	const char **now = NULL;
	size_t i, n = 0;
	const struct names first = { c->fact, &now, &n };

	take_names(p, c, &c->how->now, NULL, &first);
	if (n != 0)
		*c->now = now[0];
	take_names(p, c, &c->how->available, c->how->names, &c->available);
	if (c->allowed.list != NULL)
		take_names(p, c, &c->how->allowed, NULL, &c->allowed);
	for (i = 0; loaded != NULL && c->loaded.list != NULL && i < *c->available.n; i++) {
		if (is_loaded(p, c, loaded, module_of(p, c, (*c->available.list)[i])))
			*(const char **)arena_push(p->arena, c->loaded.list, c->loaded.n,
			    sizeof(const char *)) = (*c->available.list)[i];
	}
}

/* Could the candidates that are not there be loaded? */
static void
take_candidates(struct probe *p, const struct choice *c)
{
	struct text missing = { .arena = p->arena };
	const char *failed = NULL; /* why it cannot be tried at all: mostly one tool for all */
	const struct output *o;
	size_t i;

	for (i = 0; i < c->how->n_candidates; i++) {
		const char *name = c->how->candidates[i];

		if (strings_have(*c->available.list, *c->available.n, name))
			continue;
		o = facts_said(p, candidate_argv(p, c, name), NULL);
		if (o != NULL && o->status == 0)
			*(const char **)arena_push(p->arena, c->loadable.list, c->loadable.n,
			    sizeof(name)) = name;
		else if (o != NULL && o->status < 0)
			failed = failed == NULL ? o->why : failed;
		else if (o != NULL)
			text_add(&missing, "%s%s", missing.len == 0 ? "" : ", ", name);
	}
	if (failed != NULL)
		facts_unknown(p->arena, p->facts, c->loadable.fact, failed);
	if (missing.len != 0 && c->how->missing != NULL)
		facts_unknown(p->arena, p->facts, c->loadable.fact,
		    arena_printf(p->arena, "%s: %s", missing.s, c->how->missing));
}

bool
facts_take_choices(struct probe *p)
{
	const struct choice congestion = choice_of_congestion(p), stacks = choice_of_stacks(p);
	bool any;

	p->facts->cc_fixed = p->profile->congestion.fixed;
	take_choice(p, &congestion);
	take_choice(p, &stacks);
	ask_candidates(p, &congestion);
	ask_candidates(p, &stacks);
	if (!facts_ask_run(p, &any))
		return false;
	take_candidates(p, &congestion);
	take_candidates(p, &stacks);
	return true;
}
