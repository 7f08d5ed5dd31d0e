/*
 * profile_check_lists: what must hold of each element of a profile's lists.
 */
#include "profile_check.h"

#include "profile.h"

#include <math.h>
#include <string.h>

/* A knob's name goes into argv and files: nothing there may mean anything else. */
static bool
answerable(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-/";

	return name[0] != '\0' && name[0] != '-' && name[strspn(name, plain)] == '\0';
}

const struct field *
check_fact_field(const char *name)
{
	const struct field *f = facts_record.fields;

	while (f->name != NULL && strcmp(f->name, name) != 0)
		f++;
	return f->name != NULL &&
	    (f->type == FIELD_STRING || f->type == FIELD_NUMBER || f->type == FIELD_BOOL) ? f :
	    NULL;
}

/* What a rule can find: not what comes from elsewhere. */
static bool
is_found(const struct fact_rule *r)
{
	static const char elsewhere[] = "cc cc_fixed stack peer rtt_ms send_bps receive_bps";

	if (r->ping && strcmp(r->fact, "rtt_ms") == 0)
		return true;
	return check_fact_field(r->fact) != NULL &&
	    !check_among(elsewhere, r->fact, strlen(r->fact));
}

/* Facts that may stand in rules. */
const char check_facts[] = "interface peer driver bus parent release";

static bool
check_pattern(const struct check *c, const struct fact_rule *r)
{
	struct err why = { 0 };

	if (r->pattern == NULL)
		return r->value == NULL && r->unknown == NULL ? true :
		    check_wrong(c, "pattern", "is missing, value and unknown need one");
	return profile_pattern_check(r->pattern, check_facts, &why) ? true :
	    check_wrong(c, "pattern", why.text);
}

static bool
check_fact(const struct check *c, const struct fact_rule *r)
{
	if (!is_found(r))
		return check_wrong(c, "fact", "no such fact");
	if ((r->n_argv == 0) == (r->file == NULL))
		return check_wrong(c, "argv", "either argv or file must be given");
	if (r->ping && r->without_peer)
		return check_wrong(c, "ping", "cannot be given together with without_peer");
	if (r->value != NULL && r->unknown != NULL)
		return check_wrong(c, "unknown", "cannot be given together with value");
	return check_argv(c, "argv", r->argv, r->n_argv, check_facts) &&
	    check_file(c, "file", r->file, check_facts) && check_pattern(c, r);
}

static bool
is_release(const char *s)
{
	return s == NULL || (s[strspn(s, "0123456789.")] == '\0' && s[0] != '.' && s[0] != '\0');
}

bool
check_range(const struct check *c, const struct range *r)
{
	if (!is_release(r->since))
		return check_wrong(c, "since", "must be a release such as 6.6");
	if (!is_release(r->before))
		return check_wrong(c, "before", "must be a release such as 6.6");
	if (r->since != NULL && r->before != NULL && profile_release_cmp(r->since, r->before) >= 0)
		return check_wrong(c, "since", "is not older than before");
	return true;
}

static bool
check_defaults(const struct check *c, const struct knob *k, bool name)
{
	struct check at = *c;
	const struct node *list = check_child(c->map, "defaults");

	at.map = list == NULL ? NULL : list->child;
	for (size_t i = 0; i < k->n_defaults && at.map != NULL; i++, at.map = at.map->next) {
		const struct knob_default *d = &k->defaults[i];

		if (!check_range(&at, &d->range))
			return false;
		if (name ? d->text == NULL : !isfinite(d->value))
			return check_wrong(&at, name ? "text" : "value", "is missing");
		if (d->text != NULL && !check_substitutions(&at, "text", d->text, "value"))
			return false;
		if (isfinite(k->field) && d->text == NULL)
			return check_wrong(&at, "text", "is missing, the knob has several fields");
	}
	return true;
}

/* Some release may lie within both; what machines they name is not looked at. */
static bool
ranges_overlap(const struct range *a, const struct range *b)
{
	return (a->before == NULL || b->since == NULL ||
		   profile_release_cmp(b->since, a->before) < 0) &&
	    (b->before == NULL || a->since == NULL ||
		profile_release_cmp(a->since, b->before) < 0);
}

static bool
check_knob_name(const struct check *c, const struct profile *p, size_t i)
{
	const struct knob *k = &p->knobs[i];

	for (size_t j = 0; j < i; j++) {
		if (!ranges_overlap(&p->knobs[j].range, &k->range))
			continue;
		if (p->knobs[j].role == k->role && k->role != ROLE_WATCH)
			return check_wrong(c, "role", "another knob has it already");
		if (strcmp(p->knobs[j].name, k->name) == 0)
			return check_wrong(c, "name", "another knob has it already");
	}
	if (!answerable(k->name))
		return check_wrong(c, "name", "may only hold letters, digits and . _ - /");
	return true;
}

static bool
check_knob(const struct check *c, const struct profile *p, size_t i)
{
	static const char units[] = "bytes count switch name";
	const struct knob *k = &p->knobs[i];
	bool name = strcmp(k->unit, "name") == 0;

	if (k->role == ROLE_UNKNOWN)
		return check_wrong(c, "role", "must be given");
	if (!check_knob_name(c, p, i))
		return false;
	if (!check_among(units, k->unit, strlen(k->unit)))
		return check_wrong(c, "unit", "must be bytes, count, switch or name");
	if (k->scope == SCOPE_UNKNOWN)
		return check_wrong(c, "scope", "must be global, namespace or loader");
	if (isfinite(k->field) && k->field != floor(k->field))
		return check_wrong(c, "field", "must be a whole number");
	if (!name && (!isfinite(k->min) || !isfinite(k->max)))
		return check_wrong(c, "min", "min and max are needed");
	if (k->min > k->max)
		return check_wrong(c, "min", "is above max");
	if (k->file == NULL && p->n_knob_read == 0)
		return check_wrong(c, "file", "is missing, and there is no knob_read");
	return check_range(c, &k->range) && check_defaults(c, k, name) &&
	    check_file(c, "file", k->file, "");
}

static bool
check_share(const struct check *c, const char *key, const double *share, size_t n)
{
	if (n != 0 && n != 2)
		return check_wrong(c, key, "must be two numbers");
	return n == 0 || (share[0] > 0 && share[1] >= share[0]) ||
	    check_wrong(c, key, "must be a part and its whole");
}

static bool
check_window(const struct check *c, const struct window_model *w)
{
	if (w->direction == DIR_NONE)
		return check_wrong(c, "direction", "must be send, receive or both");
	return check_share(c, "limit_share", w->limit_share, w->n_limit_share) &&
	    check_share(c, "initial_share", w->initial_share, w->n_initial_share) &&
	    check_range(c, &w->range);
}

static bool
check_scale(const struct check *c, const struct scale_model *s)
{
	if (s->rule == SCALE_NONE)
		return check_wrong(c, "rule", "must be cover or log2");
	if (s->n_of == 0 && !isfinite(s->value))
		return check_wrong(c, "of", "either of or value must be given");
	for (size_t i = 0; i < s->n_of; i++) {
		if (profile_role(s->of[i]) == ROLE_UNKNOWN)
			return check_wrong(c, "of", "names a role that there is not");
	}
	return check_range(c, &s->range);
}

bool
check_has_knob(const struct profile *p, const char *name)
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
		return check_wrong(c, "direction", "must be send or receive");
	if (!check_has_knob(p, r->knob))
		return check_wrong(c, "knob", "no such knob");
	if (isfinite(r->value) == isfinite(r->window_share))
		return check_wrong(c, "value", "either value or window_share must be given");
	if ((r->n_also != 0 || r->growth) && !isfinite(r->value))
		return check_wrong(c, r->n_also != 0 ? "also" : "growth", "needs a value");
	return check_range(c, &r->range);
}

static bool
check_condition(const struct check *c, const struct profile *p, const struct condition *w)
{
	int subjects = (w->fact != NULL) + (w->knob != NULL) + (w->offload != NULL) +
	    (w->key != NULL);
	int tests = (w->is != NULL) + (w->is_not != NULL) + isfinite(w->below) + isfinite(w->above);

	if (subjects != 1)
		return check_wrong(c, "fact", "one of fact, knob, offload and key must be given");
	if (w->key == NULL ? tests != 1 : tests > 1)
		return check_wrong(c, "is", "one of is, is_not, below and above must be given");
	if (w->fact != NULL && check_fact_field(w->fact) == NULL)
		return check_wrong(c, "fact", "no such fact");
	if ((isfinite(w->below) || isfinite(w->above)) &&
	    (w->offload != NULL ||
		(w->fact != NULL && check_fact_field(w->fact)->type != FIELD_NUMBER)))
		return check_wrong(c, isfinite(w->below) ? "below" : "above", "needs a number");
	if (w->knob != NULL && !check_has_knob(p, w->knob))
		return check_wrong(c, "knob", "no such knob");
	if (w->key != NULL && !check_has_knob(p, w->key))
		return check_wrong(c, "key", "no such knob");
	return true;
}

static bool
check_hazard(const struct check *c, const struct profile *p, const struct hazard_rule *h)
{
	const struct node *list = check_child(c->map, "when");
	struct check at = *c;

	if (h->n_when == 0)
		return check_wrong(c, "when", "is missing");
	at.map = list->child;
	for (size_t i = 0; i < h->n_when; i++, at.map = at.map->next) {
		if (!check_condition(&at, p, &h->when[i]))
			return false;
	}
	return check_range(c, &h->range);
}

/* The first element of a list of the tree, which has as many as the struct, in the same order. */
static const struct node *
first_of(const struct node *root, const char *key)
{
	const struct node *list = check_child(root, key);

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

bool
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
		{ "extras", p->n_extras, check_extra },
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
