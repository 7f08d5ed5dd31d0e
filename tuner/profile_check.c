#include "profile_check.h"

#include "profile.h"
#include "setting_line.h"

#include <ctype.h>
#include <string.h>

const struct node *
check_child(const struct node *map, const char *key)
{
	const struct node *n;

	for (n = map->child; n != NULL; n = n->next) {
		if (strcmp(n->key, key) == 0)
			return n;
	}
	return NULL;
}

unsigned
check_line(const struct check *c, const char *key)
{
	const struct node *n = check_child(c->map, key);

	return (n == NULL ? c->map : n)->line;
}

bool
check_wrong(const struct check *c, const char *key, const char *what)
{
	return fail(c->e, ERR_USAGE, "%s:%u: %s: %s", c->file, check_line(c, key), key, what);
}

bool
check_among(const char *keys, const char *word, size_t len)
{
	size_t n;

	for (; *keys != '\0'; keys += n + (keys[n] == ' ')) {
		n = strcspn(keys, " ");
		if (n == len && memcmp(keys, word, n) == 0)
			return true;
	}
	return false;
}

bool
check_substitutions(const struct check *c, const char *key, const char *text, const char *known)
{
	const char *at = text, *end;
	size_t len;

	while ((at = strpbrk(at, "{}")) != NULL) {
		end = *at == '{' ? strchr(at, '}') : NULL;
		if (end == NULL)
			return check_wrong(c, key, "unbalanced { or }");
		len = (size_t)(end - at - 1);
		if (!check_among(known, at + 1, len))
			return fail(c->e, ERR_USAGE, "%s:%u: %s: {%.*s} is not known here", c->file,
			    check_line(c, key), key, len > 32 ? 32 : (int)len, at + 1);
		at = end + 1;
	}
	return true;
}

bool
check_argv(const struct check *c, const char *key, const char **argv, size_t n, const char *known)
{
	size_t i;

	if (n == 0)
		return true;
	if (argv[0][0] == '\0' || strpbrk(argv[0], "{} ") != NULL)
		return check_wrong(c, key, "the first element must be a program");
	for (i = 0; i < n; i++) {
		if (!check_substitutions(c, key, argv[i], known))
			return false;
	}
	return true;
}

bool
check_file(const struct check *c, const char *key, const char *file, const char *known)
{
	if (file == NULL)
		return true;
	if (file[0] != '/')
		return check_wrong(c, key, "must be an absolute path");
	return check_substitutions(c, key, file, known);
}

static bool
check_one_group(const struct check *c, const char *key, const char *pattern, const char *known)
{
	struct err why = { 0 };

	return pattern == NULL || profile_pattern_check(pattern, known, &why) ||
	    check_wrong(c, key, why.text);
}

static bool
check_query(const struct check *c, const char *key, const struct query *q)
{
	if (q->n_argv != 0 && q->file != NULL)
		return check_wrong(c, key, "cannot have both argv and file");
	return check_argv(c, key, q->argv, q->n_argv, "") && check_file(c, key, q->file, "");
}

static bool
check_congestion(struct check *c, const struct node *root, const char *key,
    const struct congestion *g)
{
	c->map = check_child(root, key);
	if (c->map == NULL)
		return true;
	if (g->module != NULL && !check_substitutions(c, "module", g->module, "name"))
		return false;
	if (g->n_candidates != 0 && g->n_probe == 0)
		return check_wrong(c, "candidates", "probe is needed to look for them");
	return check_query(c, "now", &g->now) && check_query(c, "available", &g->available) &&
	    check_query(c, "allowed", &g->allowed) && check_query(c, "loaded", &g->loaded) &&
	    check_one_group(c, "names", g->names, "") &&
	    check_one_group(c, "modules", g->modules, "") &&
	    check_argv(c, "probe", g->probe, g->n_probe, "name release") &&
	    check_argv(c, "load", g->load, g->n_load, "name release");
}

static bool
check_persist_file(struct check *c, const struct node *persist, const char *key,
    const struct persist_file *f, const char *needs)
{
	c->map = check_child(persist, key);
	if (c->map == NULL)
		return true;
	if (f->style == STYLE_NONE)
		return check_wrong(c, "style", "must be own or block");
	if (strstr(f->line, "{name}") == NULL || strstr(f->line, needs) == NULL)
		return fail(c->e, ERR_USAGE, "%s:%u: line: %s is missing", c->file,
		    check_line(c, "line"), strstr(f->line, "{name}") == NULL ? "{name}" : needs);
	if (f->n_reader != 0 || f->unread != NULL)
		return check_wrong(c, f->n_reader != 0 ? "reader" : "unread",
		    "is for offloads only");
	for (size_t i = 0; i < f->n_accepts; i++) {
		if (!setting_line_accepts(f->accepts[i]))
			return check_wrong(c, "accepts", "holds a word that is not known");
	}
	return check_file(c, "path", f->path, "") &&
	    check_substitutions(c, "line", f->line, "name value") &&
	    (f->optional_line == NULL ||
		check_substitutions(c, "optional_line", f->optional_line, "name value"));
}

/* Its line is made from what the offload is, or from the flag that makes it so. */
static bool
check_persist_offloads(struct check *c, const struct node *persist, const struct persist_file *f)
{
	c->map = check_child(persist, "offloads");
	if (c->map == NULL)
		return true;
	if (f->style == STYLE_NONE)
		return check_wrong(c, "style", "must be own or block");
	if (strstr(f->path, "{interface}") == NULL)
		return check_wrong(c, "path", "{interface} is missing");
	if (strstr(f->line, "{switch}") == NULL &&
	    (strstr(f->line, "{name}") == NULL || strstr(f->line, "{value}") == NULL))
		return check_wrong(c, "line", "{switch}, or {name} and {value}, is missing");
	if ((f->n_reader == 0) != (f->unread == NULL))
		return check_wrong(c, f->n_reader == 0 ? "reader" : "unread", "is missing");
	return check_file(c, "path", f->path, "interface") &&
	    (f->unread == NULL || check_substitutions(c, "unread", f->unread, "interface")) &&
	    check_argv(c, "reader", f->reader, f->n_reader, "interface") &&
	    check_substitutions(c, "line", f->line, "interface name value switch");
}

static bool
check_persist(struct check *c, const struct node *root, const struct persist *p)
{
	const struct node *map = check_child(root, "persist");

	c->map = map;
	if (map == NULL)
		return true;
	return check_argv(c, "sources", p->sources, p->n_sources, "") &&
	    (p->state == NULL || check_file(c, "state", p->state, "")) &&
	    check_persist_file(c, map, "settings", &p->settings, "{value}") &&
	    check_persist_file(c, map, "modules", &p->modules, "{name}") &&
	    check_persist_offloads(c, map, &p->offloads);
}

static bool
check_offloads(struct check *c, const struct node *root, const struct offload_source *o)
{
	c->map = check_child(root, "offloads");
	if (c->map == NULL)
		return true;
	if (o->n_write != 0 && o->n_read == 0 && o->names != NULL)
		return check_wrong(c, "write", "needs read where names are given");
	return check_argv(c, "argv", o->argv, o->n_argv, "interface") &&
	    check_argv(c, "read", o->read, o->n_read, "interface name flag") &&
	    check_argv(c, "write", o->write, o->n_write, "interface name flag value") &&
	    check_one_group(c, "names", o->names, check_facts) &&
	    check_one_group(c, "able", o->able, check_facts);
}

static bool
check_load_time(struct check *c, const struct load_time *t, bool absolute)
{
	if (!absolute && strpbrk(t->file, "/{}") != NULL)
		return check_wrong(c, "file", "must be a name within the group's directory");
	return (!absolute || check_file(c, "file", t->file, "")) &&
	    check_one_group(c, "pattern", t->pattern, "");
}

static bool
check_load_cores(struct check *c, const struct load_cores *x)
{
	if ((x->n_argv != 0) == (x->file != NULL))
		return check_wrong(c, "file", "one of argv and file must be given");
	if (x->n_busy == 0)
		return check_wrong(c, "busy", "is missing");
	for (size_t i = 0; i < x->n_busy; i++) {
		if (!(x->busy[i] >= 1 && x->busy[i] <= x->numbers))
			return check_wrong(c, "busy", "is not one of the numbers");
	}
	return check_argv(c, "argv", x->argv, x->n_argv, "") &&
	    check_file(c, "file", x->file, "") &&
	    check_one_group(c, "each", x->each, "");
}

static bool
check_load(struct check *c, const struct node *root, const struct load_source *l)
{
	const struct node *map = check_child(root, "load");

	if (map == NULL)
		return true;
	c->map = check_child(map, "waited");
	if (c->map != NULL && !check_load_time(c, &l->waited, true))
		return false;
	c->map = check_child(map, "groups");
	if (c->map != NULL && (!check_file(c, "member", l->groups.member, "") ||
		!check_file(c, "root", l->groups.root, "")))
		return false;
	for (size_t i = 0; c->map != NULL && i < l->groups.n_times; i++) {
		if (!check_load_time(c, &l->groups.times[i], false))
			return false;
	}
	c->map = check_child(map, "cores");
	return c->map == NULL || check_load_cores(c, &l->cores);
}

static bool
check_releases(const struct check *c, const struct profile *p)
{
	const char *first = p->first_release, *last = p->last_release;

	if (first != NULL && !isdigit((unsigned char)*first))
		return check_wrong(c, "first_release", "must begin with a number");
	if (last != NULL && !isdigit((unsigned char)*last))
		return check_wrong(c, "last_release", "must begin with a number");
	if (first != NULL && last != NULL && profile_release_cmp(first, last) > 0)
		return check_wrong(c, "first_release", "is after last_release");
	return true;
}

/* These are printed as they are, also to a terminal. */
static bool
check_printable(const struct check *c, const char *key, const char *text)
{
	const char *s = text;

	while (*s >= ' ' && *s <= '~')
		s++;
	return (*s == '\0' && *text != '\0') ||
	    check_wrong(c, key, "must be printable ASCII, and not empty");
}

bool
profile_check(const char *file, const struct node *root, const struct profile *p, struct err *e)
{
	struct check c = { file, root, e };

	return check_printable(&c, "name", p->name) &&
	    check_printable(&c, "sysname", p->sysname) &&
	    check_printable(&c, "releases", p->releases) && check_releases(&c, p) &&
	    check_argv(&c, "knob_read", p->knob_read, p->n_knob_read, "name") &&
	    check_argv(&c, "knob_write", p->knob_write, p->n_knob_write, "name value") &&
	    check_argv(&c, "writable", p->writable, p->n_writable, "file") &&
	    check_argv(&c, "flush", p->flush, p->n_flush, "") && check_lists(&c, root, p) &&
	    check_offloads(&c, root, &p->offloads) &&
	    check_congestion(&c, root, "congestion", &p->congestion) &&
	    check_congestion(&c, root, "stacks", &p->stacks) &&
	    check_nic(&c, root, &p->nic) && check_endpoints(&c, root, &p->endpoints) &&
	    check_load(&c, root, &p->load) &&
	    check_persist(&c, root, &p->persist);
}
