/*
 * canned: a host with canned answers stands in for host.c.  For programs that test probes.
 */
#ifndef PATHTUNE_TESTS_CANNED_H
#define PATHTUNE_TESTS_CANNED_H

#include <criterion/criterion.h>
#include <string.h>

#include "probes/facts.h"

struct canned {
	const char *question; /* argv joined by blanks, or the file */
	int status;
	const char *text;
};

struct host {
	const struct canned *answers;
	const struct canned *changed; /* these go first; may be NULL */
	size_t asked, rounds;
	bool there; /* not here: a round is dear */
	const char *seen[256];
};

static inline const struct canned *
find(const struct canned *c, const char *question)
{
	for (; c != NULL && c->question != NULL; c++) {
		if (strcmp(c->question, question) == 0)
			return c;
	}
	return NULL;
}

static inline const char *
joined(struct arena *a, const struct command *c)
{
	struct text t = { .arena = a };
	size_t i;

	if (c->argv == NULL)
		return c->file;
	for (i = 0; c->argv[i] != NULL; i++)
		text_add(&t, "%s%s", i == 0 ? "" : " ", c->argv[i]);
	return t.s;
}

bool
host_run(struct host *h, struct arena *a, const struct command *c, size_t n, struct output *out,
    struct err *e)
{
	const struct canned *found;
	size_t i;

	(void)e;
	h->rounds++;
	for (i = 0; i < n; i++) {
		const char *question = joined(a, &c[i]);

		cr_assert_lt(h->asked, NELEM(h->seen));
		h->seen[h->asked++] = arena_strdup(a, question);
		found = find(h->changed, question);
		if (found == NULL)
			found = find(h->answers, question);
		out[i].text = arena_strdup(a, found == NULL || found->text == NULL ? "" : found->text);
		out[i].len = strlen(out[i].text);
		out[i].status = found != NULL ? found->status : c[i].argv != NULL ? -1 : 1;
		out[i].why = out[i].status == 0 ? NULL : c[i].argv != NULL && found == NULL ?
		    arena_printf(a, "%s: not found", c[i].argv[0]) :
		    arena_printf(a, "%s: no", question);
	}
	return true;
}

bool
host_is_here(const struct host *h)
{
	return !h->there;
}

bool
host_write(struct host *h, const char *file, const char *value, struct err *e)
{
	(void)h;
	cr_assert_fail("a probe writes nothing, %s neither: %s", file, value);
	return fail(e, ERR_FAILED, "%s", file);
}

static inline const char *
why_unknown(const struct facts *f, const char *fact)
{
	size_t i;

	for (i = 0; i < f->n_unknown; i++) {
		if (strcmp(f->unknown[i].fact, fact) == 0)
			return f->unknown[i].why;
	}
	return "(known)";
}

static inline const struct knob_fact *
knob(const struct facts *f, const char *name)
{
	const struct knob_fact *k = facts_knob(f, name);

	cr_assert_not_null(k, "%s", name);
	return k;
}

#endif
