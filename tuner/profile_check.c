#include "profile_check.h"

#include "match.h"
#include "profile.h"

#include <math.h>
#include <string.h>

/* What is looked at: the node of one map of the profile. */
struct check {
	const char *file;
	const struct node *map;
	struct err *e;
};

static const struct node *
child_named(const struct node *map, const char *key)
{
	const struct node *n;

	for (n = map->child; n != NULL; n = n->next) {
		if (strcmp(n->key, key) == 0)
			return n;
	}
	return NULL;
}

static unsigned
line_of(const struct check *c, const char *key)
{
	const struct node *n = child_named(c->map, key);

	return (n == NULL ? c->map : n)->line;
}

static bool
wrong(const struct check *c, const char *key, const char *what)
{
	return fail(c->e, ERR_USAGE, "%s:%u: %s: %s", c->file, line_of(c, key), key, what);
}

/* Keys of substitutions, separated by blanks: the word of this length is among them. */
static bool
among(const char *keys, const char *word, size_t len)
{
	size_t n;

	for (; *keys != '\0'; keys += n + (keys[n] == ' ')) {
		n = strcspn(keys, " ");
		if (n == len && memcmp(keys, word, n) == 0)
			return true;
	}
	return false;
}

static bool
check_substitutions(const struct check *c, const char *key, const char *text, const char *known)
{
	const char *at = text, *end;
	size_t len;

	while ((at = strpbrk(at, "{}")) != NULL) {
		end = *at == '{' ? strchr(at, '}') : NULL;
		if (end == NULL)
			return wrong(c, key, "unbalanced { or }");
		len = (size_t)(end - at - 1);
		if (!among(known, at + 1, len))
			return fail(c->e, ERR_USAGE, "%s:%u: %s: {%.*s} is not known here", c->file,
			    line_of(c, key), key, len > 32 ? 32 : (int)len, at + 1);
		at = end + 1;
	}
	return true;
}

static bool
check_argv(const struct check *c, const char *key, const char **argv, size_t n, const char *known)
{
	size_t i;

	if (n == 0)
		return true;
	if (argv[0][0] == '\0' || strpbrk(argv[0], "{} ") != NULL)
		return wrong(c, key, "the first element must be a program");
	for (i = 0; i < n; i++) {
		if (!check_substitutions(c, key, argv[i], known))
			return false;
	}
	return true;
}

static bool
check_file(const struct check *c, const char *key, const char *file, const char *known)
{
	if (file == NULL)
		return true;
	if (file[0] != '/')
		return wrong(c, key, "must be an absolute path");
	return check_substitutions(c, key, file, known);
}

/* A member of struct facts that a rule can find: not those that come from elsewhere. */
static bool
is_fact(const char *name)
{
	static const char elsewhere[] = "cc peer rtt_ms send_bps receive_bps";
	const struct field *f;

	for (f = facts_record.fields; f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0)
			return (f->type == FIELD_STRING || f->type == FIELD_NUMBER ||
			    f->type == FIELD_BOOL) && !among(elsewhere, name, strlen(name));
	}
	return false;
}

static bool
check_pattern(const struct check *c, const struct fact_rule *r)
{
	struct err why = { 0 };

	if (r->pattern == NULL)
		return r->value == NULL && r->unknown == NULL ? true :
		    wrong(c, "pattern", "is missing, value and unknown need one");
	return match_check(r->pattern, &why) ? true : wrong(c, "pattern", why.text);
}

static bool
check_fact(const struct check *c, const struct fact_rule *r)
{
	static const char known[] = "interface peer driver bus release";

	if (!is_fact(r->fact))
		return wrong(c, "fact", "no such fact");
	if ((r->n_argv == 0) == (r->file == NULL))
		return wrong(c, "argv", "either argv or file must be given");
	if (r->value != NULL && r->unknown != NULL)
		return wrong(c, "unknown", "cannot be given together with value");
	return check_argv(c, "argv", r->argv, r->n_argv, known) &&
	    check_file(c, "file", r->file, known) && check_pattern(c, r);
}

static bool
check_knob(const struct check *c, const struct profile *p, size_t i)
{
	const struct knob *k = &p->knobs[i];
	bool name = strcmp(k->unit, "name") == 0;
	size_t j;

	if (k->role == ROLE_UNKNOWN)
		return wrong(c, "role", "must be given");
	for (j = 0; j < i; j++) {
		if (p->knobs[j].role == k->role)
			return wrong(c, "role", "another knob has it already");
		if (strcmp(p->knobs[j].name, k->name) == 0)
			return wrong(c, "name", "another knob has it already");
	}
	if (!name && strcmp(k->unit, "bytes") != 0)
		return wrong(c, "unit", "must be bytes or name");
	if (strcmp(k->scope, "global") != 0 && strcmp(k->scope, "namespace") != 0)
		return wrong(c, "scope", "must be global or namespace");
	if (isfinite(k->field) && k->field != floor(k->field))
		return wrong(c, "field", "must be a whole number");
	if (!name && (!isfinite(k->min) || !isfinite(k->max)))
		return wrong(c, "min", "min and max are needed");
	if (k->min > k->max)
		return wrong(c, "min", "is above max");
	return check_file(c, "file", k->file, "");
}

static bool
is_release(const char *s)
{
	return s == NULL || (s[strspn(s, "0123456789.")] == '\0' && s[0] != '.' && s[0] != '\0');
}

static bool
check_window(const struct check *c, const struct window_model *w)
{
	if (w->direction == DIR_NONE)
		return wrong(c, "direction", "must be send, receive or both");
	if (!is_release(w->since))
		return wrong(c, "since", "must be a release such as 6.6");
	if (!is_release(w->before))
		return wrong(c, "before", "must be a release such as 6.6");
	if (w->since != NULL && w->before != NULL && profile_release_cmp(w->since, w->before) >= 0)
		return wrong(c, "since", "is not older than before");
	return true;
}

static bool
check_congestion(const struct check *c, const struct congestion *g)
{
	if (g->module != NULL && !check_substitutions(c, "module", g->module, "name"))
		return false;
	if (g->n_candidates != 0 && g->n_probe == 0)
		return wrong(c, "candidates", "probe is needed to look for them");
	return check_file(c, "now", g->now, "") && check_file(c, "available", g->available, "") &&
	    check_file(c, "allowed", g->allowed, "") && check_file(c, "loaded", g->loaded, "") &&
	    check_argv(c, "probe", g->probe, g->n_probe, "name release") &&
	    check_argv(c, "load", g->load, g->n_load, "name release");
}

/*
 * The first element of a list of the tree, which has as many as the struct, in the same order.
 */
static const struct node *
first_of(const struct node *root, const char *key)
{
	const struct node *list = child_named(root, key);

	return list == NULL ? NULL : list->child;
}

static bool
check_lists(struct check *c, const struct node *root, const struct profile *p)
{
	size_t i;

	c->map = first_of(root, "facts");
	for (i = 0; i < p->n_facts; i++, c->map = c->map->next) {
		if (!check_fact(c, &p->facts[i]))
			return false;
	}
	c->map = first_of(root, "knobs");
	for (i = 0; i < p->n_knobs; i++, c->map = c->map->next) {
		if (!check_knob(c, p, i))
			return false;
	}
	c->map = first_of(root, "windows");
	for (i = 0; i < p->n_windows; i++, c->map = c->map->next) {
		if (!check_window(c, &p->windows[i]))
			return false;
	}
	return true;
}

bool
profile_check(const char *file, const struct node *root, const struct profile *p, struct err *e)
{
	struct check c = { file, root, e };

	if (!check_argv(&c, "offloads_argv", p->offloads_argv, p->n_offloads_argv, "interface") ||
	    !check_argv(&c, "writable", p->writable, p->n_writable, "file") ||
	    !check_argv(&c, "flush", p->flush, p->n_flush, "") || !check_lists(&c, root, p))
		return false;
	c.map = child_named(root, "congestion");
	if (!check_congestion(&c, &p->congestion))
		return false;
	c.map = child_named(root, "persist");
	return check_file(&c, "file", p->persist.file, "") &&
	    check_file(&c, "modules", p->persist.modules, "");
}
