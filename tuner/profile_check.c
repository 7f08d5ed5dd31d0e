#include "profile_check.h"

#include "profile.h"
#include "setting_line.h"

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

/* A knob's name goes into argv and files: nothing there may mean anything else. */
static bool
answerable(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-/";

	return name[0] != '\0' && name[0] != '-' && name[strspn(name, plain)] == '\0';
}

/* A member of struct facts that a rule can find: not those that come from elsewhere. */
static bool
is_fact(const char *name)
{
	static const char elsewhere[] = "cc cc_fixed stack peer rtt_ms send_bps receive_bps";
	const struct field *f;

	for (f = facts_record.fields; f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0)
			return (f->type == FIELD_STRING || f->type == FIELD_NUMBER ||
			    f->type == FIELD_BOOL) && !among(elsewhere, name, strlen(name));
	}
	return false;
}

/* Facts that may stand in rules. */
static const char known_facts[] = "interface peer driver bus parent release";

static bool
check_pattern(const struct check *c, const struct fact_rule *r)
{
	struct err why = { 0 };

	if (r->pattern == NULL)
		return r->value == NULL && r->unknown == NULL ? true :
		    wrong(c, "pattern", "is missing, value and unknown need one");
	return profile_pattern_check(r->pattern, known_facts, &why) ? true :
	    wrong(c, "pattern", why.text);
}

static bool
check_fact(const struct check *c, const struct fact_rule *r)
{
	if (!is_fact(r->fact))
		return wrong(c, "fact", "no such fact");
	if ((r->n_argv == 0) == (r->file == NULL))
		return wrong(c, "argv", "either argv or file must be given");
	if (r->value != NULL && r->unknown != NULL)
		return wrong(c, "unknown", "cannot be given together with value");
	return check_argv(c, "argv", r->argv, r->n_argv, known_facts) &&
	    check_file(c, "file", r->file, known_facts) && check_pattern(c, r);
}

static bool
is_release(const char *s)
{
	return s == NULL || (s[strspn(s, "0123456789.")] == '\0' && s[0] != '.' && s[0] != '\0');
}

static bool
check_range(const struct check *c, const struct range *r)
{
	if (!is_release(r->since))
		return wrong(c, "since", "must be a release such as 6.6");
	if (!is_release(r->before))
		return wrong(c, "before", "must be a release such as 6.6");
	if (r->since != NULL && r->before != NULL && profile_release_cmp(r->since, r->before) >= 0)
		return wrong(c, "since", "is not older than before");
	return true;
}

static bool
check_defaults(const struct check *c, const struct knob *k, bool name)
{
	struct check at = *c;
	const struct node *list = child_named(c->map, "defaults");

	at.map = list == NULL ? NULL : list->child;
	for (size_t i = 0; i < k->n_defaults; i++, at.map = at.map->next) {
		const struct knob_default *d = &k->defaults[i];

		if (!check_range(&at, &d->range))
			return false;
		if (name ? d->text == NULL : !isfinite(d->value))
			return wrong(&at, name ? "text" : "value", "is missing");
		if (d->text != NULL && !check_substitutions(&at, "text", d->text, "value"))
			return false;
		if (isfinite(k->field) && d->text == NULL)
			return wrong(&at, "text", "is missing, the knob has several fields");
	}
	return true;
}

static bool
check_knob_name(const struct check *c, const struct profile *p, size_t i)
{
	const struct knob *k = &p->knobs[i];

	for (size_t j = 0; j < i; j++) {
		if (p->knobs[j].role == k->role && k->role != ROLE_WATCH)
			return wrong(c, "role", "another knob has it already");
		if (strcmp(p->knobs[j].name, k->name) == 0)
			return wrong(c, "name", "another knob has it already");
	}
	if (!answerable(k->name))
		return wrong(c, "name", "may only hold letters, digits and . _ - /");
	return true;
}

static bool
check_knob(const struct check *c, const struct profile *p, size_t i)
{
	static const char units[] = "bytes count switch name";
	const struct knob *k = &p->knobs[i];
	bool name = strcmp(k->unit, "name") == 0;

	if (k->role == ROLE_UNKNOWN)
		return wrong(c, "role", "must be given");
	if (!check_knob_name(c, p, i))
		return false;
	if (!among(units, k->unit, strlen(k->unit)))
		return wrong(c, "unit", "must be bytes, count, switch or name");
	if (k->scope == SCOPE_UNKNOWN)
		return wrong(c, "scope", "must be global, namespace or loader");
	if (isfinite(k->field) && k->field != floor(k->field))
		return wrong(c, "field", "must be a whole number");
	if (!name && (!isfinite(k->min) || !isfinite(k->max)))
		return wrong(c, "min", "min and max are needed");
	if (k->min > k->max)
		return wrong(c, "min", "is above max");
	if (k->file == NULL && p->n_knob_read == 0)
		return wrong(c, "file", "is missing, and there is no knob_read");
	return check_range(c, &k->range) && check_defaults(c, k, name) &&
	    check_file(c, "file", k->file, "");
}

static bool
check_window(const struct check *c, const struct window_model *w)
{
	if (w->direction == DIR_NONE)
		return wrong(c, "direction", "must be send, receive or both");
	if (w->n_limit_share != 0 && w->n_limit_share != 2)
		return wrong(c, "limit_share", "must be two numbers");
	if (w->n_limit_share == 2 &&
	    !(w->limit_share[0] > 0 && w->limit_share[1] >= w->limit_share[0]))
		return wrong(c, "limit_share", "must be a part and its whole");
	return check_range(c, &w->range);
}

static bool
check_scale(const struct check *c, const struct scale_model *s)
{
	if (s->rule == SCALE_NONE)
		return wrong(c, "rule", "must be cover or log2");
	if (s->n_of == 0 && !isfinite(s->value))
		return wrong(c, "of", "either of or value must be given");
	for (size_t i = 0; i < s->n_of; i++) {
		size_t role = ROLE_UNKNOWN + 1;

		while (role < ROLE_COUNT && strcmp(knob_role_names[role], s->of[i]) != 0)
			role++;
		if (role == ROLE_COUNT)
			return wrong(c, "of", "names a role that there is not");
	}
	return check_range(c, &s->range);
}

static bool
has_knob(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->n_knobs; i++) {
		if (strcmp(p->knobs[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool
check_requirement(const struct check *c, const struct profile *p, const struct requirement *r)
{
	if (r->direction != DIR_SEND && r->direction != DIR_RECEIVE)
		return wrong(c, "direction", "must be send or receive");
	if (!has_knob(p, r->knob))
		return wrong(c, "knob", "no such knob");
	if (isfinite(r->value) == isfinite(r->window_share))
		return wrong(c, "value", "either value or window_share must be given");
	return check_range(c, &r->range);
}

static bool
check_condition(const struct check *c, const struct profile *p, const struct condition *w)
{
	int subjects = (w->fact != NULL) + (w->knob != NULL) + (w->offload != NULL) +
	    (w->key != NULL);
	int tests = (w->is != NULL) + (w->is_not != NULL) + isfinite(w->below) + isfinite(w->above);

	if (subjects != 1)
		return wrong(c, "fact", "one of fact, knob, offload and key must be given");
	if (w->key == NULL ? tests != 1 : tests > 1)
		return wrong(c, "is", "one of is, is_not, below and above must be given");
	if (w->fact != NULL && !is_fact(w->fact))
		return wrong(c, "fact", "no such fact");
	if (w->knob != NULL && !has_knob(p, w->knob))
		return wrong(c, "knob", "no such knob");
	if (w->key != NULL && !has_knob(p, w->key))
		return wrong(c, "key", "no such knob");
	return true;
}

static bool
check_hazard(const struct check *c, const struct profile *p, const struct hazard_rule *h)
{
	const struct node *list = child_named(c->map, "when");
	struct check at = *c;

	if (h->n_when == 0)
		return wrong(c, "when", "is missing");
	at.map = list->child;
	for (size_t i = 0; i < h->n_when; i++, at.map = at.map->next) {
		if (!check_condition(&at, p, &h->when[i]))
			return false;
	}
	return check_range(c, &h->range);
}

static bool
check_one_group(const struct check *c, const char *key, const char *pattern, const char *known)
{
	struct err why = { 0 };

	return pattern == NULL || profile_pattern_check(pattern, known, &why) ||
	    wrong(c, key, why.text);
}

static bool
check_query(const struct check *c, const char *key, const struct query *q)
{
	if (q->n_argv != 0 && q->file != NULL)
		return wrong(c, key, "cannot have both argv and file");
	return check_argv(c, key, q->argv, q->n_argv, "") && check_file(c, key, q->file, "");
}

static bool
check_congestion(struct check *c, const struct node *root, const char *key,
    const struct congestion *g)
{
	c->map = child_named(root, key);
	if (c->map == NULL)
		return true;
	if (g->module != NULL && !check_substitutions(c, "module", g->module, "name"))
		return false;
	if (g->n_candidates != 0 && g->n_probe == 0)
		return wrong(c, "candidates", "probe is needed to look for them");
	return check_query(c, "now", &g->now) && check_query(c, "available", &g->available) &&
	    check_query(c, "allowed", &g->allowed) && check_query(c, "loaded", &g->loaded) &&
	    check_one_group(c, "names", g->names, "") &&
	    check_argv(c, "probe", g->probe, g->n_probe, "name release") &&
	    check_argv(c, "load", g->load, g->n_load, "name release");
}

static bool
check_persist_file(struct check *c, const struct node *persist, const char *key,
    const struct persist_file *f, const char *needs)
{
	c->map = child_named(persist, key);
	if (c->map == NULL)
		return true;
	if (f->style == STYLE_NONE)
		return wrong(c, "style", "must be own or block");
	if (strstr(f->line, "{name}") == NULL || strstr(f->line, needs) == NULL)
		return fail(c->e, ERR_USAGE, "%s:%u: line: %s is missing", c->file,
		    line_of(c, "line"), strstr(f->line, "{name}") == NULL ? "{name}" : needs);
	for (size_t i = 0; i < f->n_accepts; i++) {
		if (!setting_line_accepts(f->accepts[i]))
			return wrong(c, "accepts", "holds a word that is not known");
	}
	return check_file(c, "path", f->path, "") &&
	    check_substitutions(c, "line", f->line, "name value") &&
	    (f->optional_line == NULL ||
		check_substitutions(c, "optional_line", f->optional_line, "name value"));
}

static bool
check_persist(struct check *c, const struct node *root, const struct persist *p)
{
	const struct node *map = child_named(root, "persist");

	c->map = map;
	if (map == NULL)
		return true;
	return check_argv(c, "sources", p->sources, p->n_sources, "") &&
	    check_persist_file(c, map, "settings", &p->settings, "{value}") &&
	    check_persist_file(c, map, "modules", &p->modules, "{name}");
}

static bool
check_offloads(struct check *c, const struct node *root, const struct offload_source *o)
{
	c->map = child_named(root, "offloads");
	if (c->map == NULL)
		return true;
	return check_argv(c, "argv", o->argv, o->n_argv, "interface") &&
	    check_one_group(c, "names", o->names, known_facts) &&
	    check_one_group(c, "able", o->able, known_facts);
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

typedef bool check_element(const struct check *c, const struct profile *p, size_t i);

static bool
fact_at(const struct check *c, const struct profile *p, size_t i)
{
	return check_fact(c, &p->facts[i]);
}

static bool
window_at(const struct check *c, const struct profile *p, size_t i)
{
	return check_window(c, &p->windows[i]);
}

static bool
scale_at(const struct check *c, const struct profile *p, size_t i)
{
	return check_scale(c, &p->scales[i]);
}

static bool
requirement_at(const struct check *c, const struct profile *p, size_t i)
{
	return check_requirement(c, p, &p->requires[i]);
}

static bool
hazard_at(const struct check *c, const struct profile *p, size_t i)
{
	return check_hazard(c, p, &p->hazards[i]);
}

static bool
check_lists(struct check *c, const struct node *root, const struct profile *p)
{
	const struct {
		const char *key;
		size_t n;
		check_element *check;
	} lists[] = {
		{ "facts", p->n_facts, fact_at },
		{ "knobs", p->n_knobs, check_knob },
		{ "windows", p->n_windows, window_at },
		{ "scales", p->n_scales, scale_at },
		{ "requires", p->n_requires, requirement_at },
		{ "hazards", p->n_hazards, hazard_at },
	};

	for (size_t l = 0; l < NELEM(lists); l++) {
		c->map = first_of(root, lists[l].key);
		for (size_t i = 0; i < lists[l].n; i++, c->map = c->map->next) {
			if (!lists[l].check(c, p, i))
				return false;
		}
	}
	return true;
}

bool
profile_check(const char *file, const struct node *root, const struct profile *p, struct err *e)
{
	struct check c = { file, root, e };

	return check_argv(&c, "knob_read", p->knob_read, p->n_knob_read, "name") &&
	    check_argv(&c, "knob_write", p->knob_write, p->n_knob_write, "name value") &&
	    check_argv(&c, "writable", p->writable, p->n_writable, "file") &&
	    check_argv(&c, "flush", p->flush, p->n_flush, "") && check_lists(&c, root, p) &&
	    check_offloads(&c, root, &p->offloads) &&
	    check_congestion(&c, root, "congestion", &p->congestion) &&
	    check_congestion(&c, root, "stacks", &p->stacks) &&
	    check_persist(&c, root, &p->persist);
}
