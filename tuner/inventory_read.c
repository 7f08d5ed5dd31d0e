#include "inventory_state.h"
#include "model_profile.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

const char *const inventory_commands[] = { "probe", "advise", "check", "apply", "tune", NULL };
const char *const inventory_become_names[] = { "unknown", "none", "sudo", "doas", NULL };
static const char *const answers[] = { "unknown", "no", "yes", NULL };

/* As the table of fields wants it; what is not there is unknown. */
struct entry {
	const char *name, *address, *user, *target, *peer, *token_file;
	const char *identity, *ssh_config, *ssh_timeout;
	double port;
	int role, become, accept_new;
	const char **groups;
	size_t n_groups;
	struct entry_flags {
		const char **probe, **advise, **check, **apply, **tune;
		size_t n_probe, n_advise, n_check, n_apply, n_tune;
	} flags;
};

static const struct record flags_record = { "flags", sizeof(struct entry_flags),
	(const struct field[]){
		F_STRS(entry_flags, probe),
		F_STRS(entry_flags, advise),
		F_STRS(entry_flags, check),
		F_STRS(entry_flags, apply),
		F_STRS(entry_flags, tune),
		F_END,
	} };

static const struct record entry_record = { "entry", sizeof(struct entry),
	(const struct field[]){
		F_STR(entry, name, 0),
		F_STR(entry, address, 0),
		F_STR(entry, user, 0),
		F_NUM(entry, port, 1, 65535, 0),
		F_STR(entry, target, 0),
		F_STR(entry, peer, 0),
		F_ENUM(entry, role, direction_names, 0),
		F_STR(entry, token_file, 0),
		F_STR(entry, identity, 0),
		F_STR(entry, ssh_config, 0),
		F_STR(entry, ssh_timeout, 0),
		F_ENUM(entry, become, inventory_become_names, 0),
		F_ENUM(entry, accept_new, answers, 0),
		F_STRS(entry, groups),
		F_REC(entry, flags, &flags_record),
		F_END,
	} };

static bool
is_name(const char *s)
{
	size_t n = strlen(s);

	return n != 0 && n <= INVENTORY_NAME && (isalnum((unsigned char)*s) || *s == '_') &&
	    strspn(s, LETTERS "_.-") == n;
}

static bool
check_name(struct inventory_reader *r, const char *what, unsigned line, const char *name)
{
	if (name == NULL)
		return fail(r->e, ERR_USAGE, "%s:%u: a %s needs a name", r->name, line, what);
	return is_name(name) || fail(r->e, ERR_USAGE, "%s:%u: '%.60s' is not the name of a %s: "
	    "letters, digits and _.-, the first one neither . nor -", r->name, line, name, what);
}

/* ---- variables ------------------------------------------------------------------------------- */

static bool
is_variable(const char *s)
{
	return strspn(s, LETTERS "_") == strlen(s) && strcmp(s, "host") != 0;
}

static bool
read_vars(struct inventory_reader *r, const struct node *map, const struct inventory_var **out)
{
	struct inventory_var *v;

	if (map->kind == NODE_NULL)
		return true;
	if (map->kind != NODE_MAP)
		return fail(r->e, ERR_USAGE, "%s:%u: vars must be a map", r->name, map->line);
	for (const struct node *n = map->child; n != NULL; n = n->next) {
		if (!is_variable(n->key))
			return fail(r->e, ERR_USAGE, "%s:%u: '%.60s' is not the name of a "
			    "variable: letters, digits and _, and not host", r->name, n->line,
			    n->key);
		if (n->kind != NODE_TEXT && n->kind != NODE_NUMBER)
			return fail(r->e, ERR_USAGE, "%s:%u: %s: must be text or a number", r->name,
			    n->line, n->key);
		v = arena_alloc(r->arena, sizeof(*v));
		*v = (struct inventory_var){ n->key, n->text, *out };
		*out = v;
	}
	return true;
}

/* What the table of fields cannot hold is taken out of the map: vars, and true for yes. */
static bool
take_vars(struct inventory_reader *r, struct node *map, const struct inventory_var **vars)
{
	struct node **at = &map->child;

	while (*at != NULL) {
		struct node *n = *at;

		if (strcmp(n->key, "vars") == 0) {
			if (!read_vars(r, n, vars))
				return false;
			*at = n->next;
			continue;
		}
		if (strcmp(n->key, "accept_new") == 0 && n->kind == NODE_BOOL) {
			n->kind = NODE_TEXT;
			n->text = n->truth ? "yes" : "no";
		}
		at = &n->next;
	}
	return true;
}

/* ---- entries --------------------------------------------------------------------------------- */

static void
take_entry(const struct entry *x, struct inventory_host *out)
{
	const struct entry_flags *f = &x->flags;
	const struct inventory_flags flags[INVENTORY_COMMANDS] = {
		[INVENTORY_PROBE] = { f->probe, f->n_probe },
		[INVENTORY_ADVISE] = { f->advise, f->n_advise },
		[INVENTORY_CHECK] = { f->check, f->n_check },
		[INVENTORY_APPLY] = { f->apply, f->n_apply },
		[INVENTORY_TUNE] = { f->tune, f->n_tune },
	};

	*out = (struct inventory_host){ .name = x->name, .address = x->address, .user = x->user,
		.port = x->port, .target = x->target, .peer = x->peer, .role = x->role,
		.token_file = x->token_file, .identity = x->identity,
		.ssh_config = x->ssh_config, .ssh_timeout = x->ssh_timeout, .become = x->become,
		.accept_new = x->accept_new, .groups = x->groups, .n_groups = x->n_groups };
	memcpy(out->flags, flags, sizeof(flags));
}

bool
inventory_read(struct inventory_reader *r, const char *what, const struct node *n, bool named,
    struct inventory_host *out)
{
	const struct inventory_var *vars = NULL;
	struct entry x;

	record_init(&entry_record, &x);
	if (n->kind == NODE_TEXT || (n->kind == NODE_NUMBER && n->text != NULL)) {
		x.name = n->text;
	} else if (n->kind != NODE_MAP) {
		return fail(r->e, ERR_USAGE, "%s:%u: a %s must be a name or a map", r->name,
		    n->line, what);
	} else {
		struct node map = *n;

		if (!take_vars(r, &map, &vars) ||
		    !record_from_node(r->arena, r->name, &entry_record, &map, &x, r->e))
			return false;
	}
	if (!named && x.name != NULL)
		return fail(r->e, ERR_USAGE, "%s:%u: name: %s have none", r->name, n->line, what);
	if (named && !check_name(r, what, n->line, x.name))
		return false;
	if (x.target != NULL && (x.address != NULL || x.user != NULL || !isnan(x.port)))
		return fail(r->e, ERR_USAGE, "%s:%u: target contradicts address, user and port",
		    r->name, n->line);
	if (!isnan(x.port) && x.port != floor(x.port))
		return fail(r->e, ERR_USAGE, "%s:%u: port: must be a whole number", r->name,
		    n->line);
	take_entry(&x, out);
	out->vars = vars;
	out->line = n->line;
	return true;
}

static bool
has_var(const struct inventory_var *v, const char *name)
{
	while (v != NULL && strcmp(v->name, name) != 0)
		v = v->next;
	return v != NULL;
}

/* The lists of most hosts are those of a group as they are. */
static void
inherit_vars(struct arena *a, struct inventory_host *dst, const struct inventory_host *src)
{
	const struct inventory_var *own = dst->vars;
	struct inventory_var *added;

	if (own == NULL) {
		dst->vars = src->vars;
		return;
	}
	for (const struct inventory_var *v = src->vars; v != NULL; v = v->next) {
		if (has_var(dst->vars, v->name))
			continue;
		added = arena_alloc(a, sizeof(*added));
		*added = (struct inventory_var){ v->name, v->value, dst->vars };
		dst->vars = added;
	}
}

static void
inherit_text(const char **dst, const char *src)
{
	if (*dst == NULL)
		*dst = src;
}

static void
inherit_choice(int *dst, int src)
{
	if (*dst == 0)
		*dst = src;
}

void
inventory_inherit(struct arena *a, struct inventory_host *dst, const struct inventory_host *src)
{
	/* Where a host is, is said in one of two ways: whoever is nearer says which. */
	if (dst->target == NULL && dst->address == NULL)
		dst->target = src->target;
	if (dst->target == NULL)
		inherit_text(&dst->address, src->address);
	inherit_text(&dst->user, src->user);
	if (isnan(dst->port))
		dst->port = src->port;
	inherit_text(&dst->peer, src->peer);
	inherit_text(&dst->token_file, src->token_file);
	inherit_text(&dst->identity, src->identity);
	inherit_text(&dst->ssh_config, src->ssh_config);
	inherit_text(&dst->ssh_timeout, src->ssh_timeout);
	inherit_choice(&dst->role, src->role);
	inherit_choice(&dst->become, src->become);
	inherit_choice(&dst->accept_new, src->accept_new);
	for (size_t i = 0; i < INVENTORY_COMMANDS; i++) {
		if (dst->flags[i].n_words == 0)
			dst->flags[i] = src->flags[i];
	}
	inherit_vars(a, dst, src);
}
