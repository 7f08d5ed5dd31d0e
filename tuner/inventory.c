#include "inventory_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- sorted lists ---------------------------------------------------------------------------- */

static int
host_order(const void *a, const void *b)
{
	const struct inventory_host *x = *(const struct inventory_host *const *)a;
	const struct inventory_host *y = *(const struct inventory_host *const *)b;
	int by_name = strcasecmp(x->name, y->name);

	return by_name != 0 ? by_name : (x->line > y->line) - (x->line < y->line);
}

static int
host_named(const void *name, const void *host)
{
	return strcasecmp(name, (*(const struct inventory_host *const *)host)->name);
}

static int
group_order(const void *a, const void *b)
{
	const struct inventory_group *x = *(const struct inventory_group *const *)a;
	const struct inventory_group *y = *(const struct inventory_group *const *)b;

	return strcasecmp(x->said.name, y->said.name);
}

static int
group_named(const void *name, const void *group)
{
	return strcasecmp(name, (*(const struct inventory_group *const *)group)->said.name);
}

const struct inventory_host *
inventory_find(const struct inventory *v, const char *name)
{
	const struct inventory_host **found = v->n_hosts == 0 ? NULL :
	    bsearch(name, v->by_name, v->n_hosts, sizeof(void *), host_named);

	return found == NULL ? NULL : *found;
}

struct inventory_group *
inventory_group_named(const struct inventory_reader *r, const char *name)
{
	struct inventory_group **found = r->out->n_groups == 0 ? NULL :
	    bsearch(name, r->by_name, r->out->n_groups, sizeof(void *), group_named);

	return found == NULL ? NULL : *found;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static size_t
length(const struct node *list)
{
	size_t n = 0;

	for (const struct node *c = list->child; c != NULL; c = c->next)
		n++;
	return n;
}

static bool
check_list(struct inventory_reader *r, const struct node *n, const char *what)
{
	return n->kind == NODE_LIST ||
	    fail(r->e, ERR_USAGE, "%s:%u: %s must be a list", r->name, n->line, what);
}

static bool
read_groups(struct inventory_reader *r, const struct node *list)
{
	struct inventory *v = r->out;
	size_t i = 0;

	if (!check_list(r, list, "groups"))
		return false;
	v->n_groups = length(list);
	v->groups = arena_array(r->arena, v->n_groups + 1, sizeof(*v->groups));
	r->by_name = arena_array(r->arena, v->n_groups + 1, sizeof(void *));
	for (const struct node *n = list->child; n != NULL; n = n->next, i++) {
		if (!inventory_read(r, "group", n, true, &v->groups[i].said))
			return false;
		r->by_name[i] = &v->groups[i];
	}
	qsort(r->by_name, v->n_groups, sizeof(void *), group_order);
	for (i = 1; i < v->n_groups; i++) {
		const struct inventory_host *x = &r->by_name[i - 1]->said;
		const struct inventory_host *y = &r->by_name[i]->said;

		if (strcasecmp(x->name, y->name) == 0)
			return fail(r->e, ERR_USAGE, "%s:%u: group %s: there is one in line %u",
			    r->name, x->line > y->line ? x->line : y->line, y->name,
			    x->line > y->line ? y->line : x->line);
	}
	return true;
}

static bool
unknown_group(struct inventory_reader *r, const struct inventory_host *of, const char *name)
{
	return fail(r->e, ERR_USAGE, "%s:%u: %s: there is no group '%.60s'", r->name, of->line,
	    of->name, name);
}

static bool settle_group(struct inventory_reader *r, struct inventory_group *g, unsigned depth,
    size_t *settled);

/* What it belongs to is settled; it has all that they say. */
static bool
inherit_groups(struct inventory_reader *r, struct inventory_host *h, unsigned depth,
    size_t *settled)
{
	for (size_t i = 0; i < h->n_groups; i++) {
		struct inventory_group *g = inventory_group_named(r, h->groups[i]);

		if (g == NULL)
			return unknown_group(r, h, h->groups[i]);
		if (g->state != 2 && !settle_group(r, g, depth + 1, settled))
			return false;
		inventory_inherit(r->arena, h, &g->said);
	}
	return true;
}

static bool
settle_group(struct inventory_reader *r, struct inventory_group *g, unsigned depth, size_t *settled)
{
	if (g->state == 1)
		return fail(r->e, ERR_USAGE, "%s:%u: group %s belongs to itself", r->name,
		    g->said.line, g->said.name);
	if (depth > INVENTORY_DEPTH)
		return fail(r->e, ERR_USAGE, "%s:%u: group %s: groups are nested more than %d deep",
		    r->name, g->said.line, g->said.name, INVENTORY_DEPTH);
	g->state = 1;
	if (!inherit_groups(r, &g->said, depth, settled))
		return false;
	g->state = 2;
	g->place = (*settled)++;
	return true;
}

static bool
settle_groups(struct inventory_reader *r)
{
	size_t settled = 0;

	for (size_t i = 0; i < r->out->n_groups; i++) {
		if (r->out->groups[i].state != 2 &&
		    !settle_group(r, &r->out->groups[i], 0, &settled))
			return false;
	}
	return true;
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static bool
check_names(struct inventory_reader *r)
{
	struct inventory *v = r->out;

	v->by_name = arena_array(r->arena, v->n_hosts + 1, sizeof(void *));
	for (size_t i = 0; i < v->n_hosts; i++)
		v->by_name[i] = &v->hosts[i];
	qsort(v->by_name, v->n_hosts, sizeof(void *), host_order);
	for (size_t i = 1; i < v->n_hosts; i++) {
		if (host_named(v->by_name[i]->name, &v->by_name[i - 1]) == 0)
			return fail(r->e, ERR_USAGE, "%s:%u: host %s: there is one in line %u",
			    r->name, v->by_name[i]->line, v->by_name[i]->name,
			    v->by_name[i - 1]->line);
	}
	for (size_t i = 0; i < v->n_groups; i++) {
		const struct inventory_host *h = inventory_find(v, v->groups[i].said.name);

		if (h != NULL)
			return fail(r->e, ERR_USAGE, "%s:%u: host %s: there is a group of this "
			    "name", r->name, h->line, h->name);
	}
	return true;
}

static int
target_order(const void *a, const void *b)
{
	const struct inventory_host *x = *(const struct inventory_host *const *)a;
	const struct inventory_host *y = *(const struct inventory_host *const *)b;
	double px = isnan(x->port) ? 22 : x->port, py = isnan(y->port) ? 22 : y->port;
	int by_address = strcasecmp(x->address, y->address);

	if (by_address != 0)
		return by_address;
	return px != py ? (px > py) - (px < py) : (x->line > y->line) - (x->line < y->line);
}

/* One machine under two names would be measured twice at the same time. */
static bool
check_targets(struct inventory_reader *r)
{
	struct inventory *v = r->out;
	const struct inventory_host **all = arena_array(r->arena, v->n_hosts + 1, sizeof(void *));
	size_t n = 0;

	for (size_t i = 0; i < v->n_hosts; i++) {
		if (v->hosts[i].address != NULL)
			all[n++] = &v->hosts[i];
	}
	qsort(all, n, sizeof(void *), target_order);
	for (size_t i = 1; i < n; i++) {
		const struct inventory_host *x = all[i - 1], *y = all[i];

		if (strcasecmp(x->address, y->address) == 0 && (x->port == y->port ||
		    (isnan(x->port) && (isnan(y->port) || y->port == 22)) ||
		    (isnan(y->port) && x->port == 22)))
			return fail(r->e, ERR_USAGE, "%s:%u: %s: %s is %s of line %u already",
			    r->name, y->line, y->name, y->target, x->name, x->line);
	}
	return true;
}

static bool
read_hosts(struct inventory_reader *r, const struct node *list)
{
	struct inventory *v = r->out;
	size_t i = 0, settled = 0;

	if (!check_list(r, list, "hosts"))
		return false;
	v->n_hosts = length(list);
	v->hosts = arena_array(r->arena, v->n_hosts + 1, sizeof(*v->hosts));
	for (const struct node *n = list->child; n != NULL; n = n->next, i++) {
		struct inventory_host *h = &v->hosts[i];

		if (!inventory_read(r, "host", n, true, h) || !inherit_groups(r, h, 0, &settled))
			return false;
		inventory_inherit(r->arena, h, &r->defaults);
		if (!inventory_settle(r, h))
			return false;
	}
	return check_names(r) && check_targets(r);
}

/* ---- the file -------------------------------------------------------------------------------- */

static const struct node *
part(const struct node *root, const char *key)
{
	const struct node *n = root->child;

	while (n != NULL && strcmp(n->key, key) != 0)
		n = n->next;
	return n == NULL || n->kind == NODE_NULL ? NULL : n;
}

static bool
read_parts(struct inventory_reader *r, const struct node *root)
{
	static const char *const keys[] = { "defaults", "groups", "hosts" };
	static const struct node nothing = { .kind = NODE_MAP }, none = { .kind = NODE_LIST };
	const struct node *defaults, *groups, *hosts;

	if (root->kind != NODE_MAP)
		return fail(r->e, ERR_USAGE, "%s:%u: must be a map with hosts", r->name,
		    root->line);
	for (const struct node *n = root->child; n != NULL; n = n->next) {
		if (!strings_have(keys, NELEM(keys), n->key))
			return fail(r->e, ERR_USAGE, "%s:%u: %s: unknown key; there are defaults, "
			    "groups and hosts", r->name, n->line, n->key);
	}
	defaults = part(root, "defaults");
	groups = part(root, "groups");
	hosts = part(root, "hosts");
	if (hosts == NULL)
		return fail(r->e, ERR_USAGE, "%s: there are no hosts", r->name);
	if (!inventory_read(r, "defaults", defaults != NULL ? defaults : &nothing, false,
		&r->defaults))
		return false;
	if (r->defaults.n_groups != 0)
		return fail(r->e, ERR_USAGE, "%s:%u: groups: defaults belong to none", r->name,
		    r->defaults.line);
	return read_groups(r, groups != NULL ? groups : &none) && settle_groups(r) &&
	    read_hosts(r, hosts);
}

bool
inventory_parse(struct arena *a, const char *name, const char *dir, const char *home,
    const char *text, size_t len, struct inventory *out, struct err *e)
{
	struct inventory v = { .n_hosts = 0 };
	struct inventory_reader r = { .arena = a, .name = name, .dir = dir, .home = home,
		.out = &v, .e = e };
	struct node *root;

	if (!node_from_yaml_most(a, name, text, len, INVENTORY_BYTES, &root, e) ||
	    !read_parts(&r, root))
		return false;
	*out = v;
	return true;
}
