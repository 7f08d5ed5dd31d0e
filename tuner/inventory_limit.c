/*
 * Which hosts of an inventory a command is for.
 */
#include "inventory_state.h"

#include <ctype.h>
#include <string.h>

/* * and ?, without difference between upper and lower case.  One star is tried again at a time. */
static bool
matches(const char *pattern, const char *s)
{
	const char *star = NULL, *again = NULL;

	while (*s != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			again = s;
		} else if (*pattern == '?' ||
		    (*pattern != '\0' &&
			tolower((unsigned char)*pattern) == tolower((unsigned char)*s))) {
			pattern++;
			s++;
		} else if (star != NULL) {
			pattern = star + 1;
			s = ++again;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static size_t
group_at(const struct inventory *v, const char *name)
{
	size_t i = 0;

	while (strcmp(v->groups[i].said.name, name) != 0)
		i++;
	return i;
}

/* in[i]: the group has this name, or one that it belongs to has. */
static bool
match_groups(const struct inventory *v, const char *pattern, bool *in)
{
	bool any = false;

	for (size_t place = 0; place < v->n_groups; place++) {
		size_t g = 0;

		while (v->groups[g].place != place)
			g++;
		in[g] = matches(pattern, v->groups[g].said.name);
		for (size_t i = 0; i < v->groups[g].said.n_groups; i++)
			in[g] = in[g] || in[group_at(v, v->groups[g].said.groups[i])];
		any = any || in[g];
	}
	return any;
}

static bool
is_in(const struct inventory *v, const struct inventory_host *h, const bool *in)
{
	for (size_t i = 0; i < h->n_groups; i++) {
		if (in[group_at(v, h->groups[i])])
			return true;
	}
	return false;
}

static bool
mark(struct arena *a, const struct inventory *v, const char *pattern, bool value, bool *chosen,
    struct err *e)
{
	const struct inventory_host *one = inventory_find(v, pattern);
	bool *in, in_groups, any;

	if (one != NULL) {
		chosen[one - v->hosts] = value;
		return true;
	}
	in = arena_array(a, v->n_groups + 1, sizeof(*in));
	any = in_groups = match_groups(v, pattern, in);
	for (size_t i = 0; i < v->n_hosts; i++) {
		if (!matches(pattern, v->hosts[i].name) &&
		    !(in_groups && is_in(v, &v->hosts[i], in)))
			continue;
		chosen[i] = value;
		any = true;
	}
	return any || fail(e, ERR_USAGE, "--limit: '%.60s' names neither a host nor a group",
	    pattern);
}

bool
inventory_limit(struct arena *a, const struct inventory *v, const char *pattern, bool *chosen,
    struct err *e)
{
	const char *s = pattern, *word;
	bool adds = false;
	size_t n;

	for (; *s != '\0'; s += n + (s[n] == ',')) {
		n = strcspn(s, ",");
		adds = adds || (n != 0 && *s != '!');
	}
	for (size_t i = 0; i < v->n_hosts; i++)
		chosen[i] = !adds;
	for (s = pattern; *s != '\0'; s += n + (s[n] == ',')) {
		n = strcspn(s, ",");
		word = arena_strndup(a, s, n);
		if (n != 0 && !mark(a, v, word + (*word == '!'), *word != '!', chosen, e))
			return false;
	}
	return true;
}
