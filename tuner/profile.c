#include "profile.h"

#include "profile_check.h"
#include "profile_read.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Generated from profiles/ by profiles/embed.cmake. */
struct embedded_profile {
	const char *name;
	const unsigned char *text;
	size_t len;
};
extern const struct embedded_profile embedded_profiles[];

bool
profile_parse(struct arena *a, const char *file, const char *text, size_t len,
    struct profile **out, struct err *e)
{
	struct profile *p = arena_alloc(a, sizeof(*p));
	struct node *root;

	if (!node_from_yaml(a, file, text, len, &root, e) ||
	    !record_from_node(a, file, &profile_record, root, p, e) ||
	    !profile_check(file, root, p, e))
		return false;
	*out = p;
	return true;
}

static bool
parse_embedded(struct arena *a, const struct embedded_profile *b, struct profile **out,
    struct err *e)
{
	return profile_parse(a, arena_printf(a, "%s.yaml (embedded)", b->name),
	    (const char *)b->text, b->len, out, e);
}

/* The file that is called as the system, which saves parsing all others. */
static const struct embedded_profile *
embedded_named(const char *sysname)
{
	const struct embedded_profile *b;

	for (b = embedded_profiles; b->name != NULL; b++) {
		if (strcasecmp(b->name, sysname) == 0)
			return b;
	}
	return NULL;
}

bool
profile_for(struct arena *a, const char *sysname, struct profile **out, struct err *e)
{
	const struct embedded_profile *b = embedded_named(sysname);
	struct text known = { .arena = a };
	struct profile *p;

	if (b != NULL) {
		if (!parse_embedded(a, b, &p, e))
			return false;
		if (strcmp(p->sysname, sysname) == 0) {
			*out = p;
			return true;
		}
	}
	for (b = embedded_profiles; b->name != NULL; b++) {
		if (!parse_embedded(a, b, &p, e))
			return false;
		if (strcmp(p->sysname, sysname) == 0) {
			*out = p;
			return true;
		}
		text_add(&known, "%s%s", known.len == 0 ? "" : ", ", p->sysname);
	}
	return fail(e, ERR_FAILED, "no profile for the system \"%s\" (there is one for: %s)",
	    sysname, known.len == 0 ? "none" : known.s);
}

const char *
profile_embedded(size_t i, const char **text, size_t *len)
{
	/* The last one has no name. */
	*text = (const char *)embedded_profiles[i].text;
	*len = embedded_profiles[i].len;
	return embedded_profiles[i].name;
}

bool
profile_named(struct arena *a, const char *name, struct profile **out, struct err *e)
{
	struct text known = { .arena = a };

	for (const struct embedded_profile *b = embedded_profiles; b->name != NULL; b++) {
		if (strcasecmp(b->name, name) == 0)
			return parse_embedded(a, b, out, e);
		text_add(&known, "%s%s", known.len == 0 ? "" : ", ", b->name);
	}
	return fail(e, ERR_USAGE, "'%.40s' is not one of %s", name, known.s);
}

bool
profile_is_of(const struct profile *p, const char *file, const char *os, struct err *e)
{
	if (os == NULL || strcmp(p->sysname, os) == 0)
		return true;
	return fail(e, ERR_USAGE, "--profile: %s is a profile of %s, this is %.40s", file,
	    p->sysname, os);
}

enum knob_role
profile_role(const char *name)
{
	enum knob_role role = ROLE_UNKNOWN + 1;

	while (role < ROLE_COUNT && strcmp(knob_role_names[role], name) != 0)
		role++;
	return role == ROLE_COUNT ? ROLE_UNKNOWN : role;
}

const struct knob *
profile_knob(const struct profile *p, enum knob_role role)
{
	size_t i;

	for (i = 0; i < p->n_knobs; i++) {
		if (p->knobs[i].role == role)
			return &p->knobs[i];
	}
	return NULL;
}

char *
profile_expand(struct arena *a, const char *text, const struct substitution *s)
{
	struct text t = { .arena = a };
	const struct substitution *found;
	const char *end;
	size_t n;

	text_bytes(&t, "", 0);
	while (*text != '\0') {
		n = strcspn(text, "{");
		text_bytes(&t, text, n);
		text += n;
		if (*text == '\0')
			break;
		end = strchr(text, '}');
		found = end == NULL ? NULL :
		    profile_substitution(s, text + 1, (size_t)(end - text - 1));
		if (found == NULL || found->value == NULL)
			return NULL;
		text_bytes(&t, found->value, strlen(found->value));
		text = end + 1;
	}
	return t.s;
}

const char **
profile_argv(struct arena *a, const char **argv, size_t n, const struct substitution *s)
{
	const char **made = arena_array(a, n + 1, sizeof(*made));
	size_t i;

	for (i = 0; i < n; i++) {
		made[i] = profile_expand(a, argv[i], s);
		if (made[i] == NULL)
			return NULL;
	}
	return made;
}

/* The number at *s, which moves behind it and one dot; digits beyond any release saturate. */
static unsigned long
release_part(const char **s)
{
	unsigned long n = 0;

	for (; isdigit((unsigned char)**s); (*s)++)
		n = n > 100000000 ? n : n * 10 + (unsigned long)(**s - '0');
	if (**s == '.')
		(*s)++;
	else
		*s += strlen(*s);
	return n;
}

int
profile_release_cmp(const char *a, const char *b)
{
	unsigned long x, y;

	while (*a != '\0' || *b != '\0') {
		x = release_part(&a);
		y = release_part(&b);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/* As many of its numbers as the model has. */
static const char *
shortened(struct arena *a, const char *release, const char *model)
{
	size_t parts = 1, n = 0;

	for (; *model != '\0'; model++)
		parts += *model == '.';
	for (; release[n] != '\0' && (release[n] != '.' || parts > 1); n++)
		parts -= release[n] == '.';
	return arena_strndup(a, release, n);
}

const char *
profile_release_note(struct arena *a, const struct profile *p, const char *release)
{
	const char *first = p->first_release, *last = p->last_release, *known;
	bool older, newer;

	if (release == NULL || !isdigit((unsigned char)*release))
		return NULL;
	older = first != NULL && profile_release_cmp(release, first) < 0;
	newer = last != NULL && profile_release_cmp(shortened(a, release, last), last) > 0;
	if (!older && !newer)
		return NULL;
	known = first == NULL ? arena_printf(a, "up to %s", last) :
	    last == NULL ? arena_printf(a, "since %s", first) :
	    strcmp(first, last) == 0 ? first : arena_printf(a, "%s to %s", first, last);
	return arena_printf(a, "pathtune knows %s %s; %.40s is %s: these numbers may not hold",
	    p->sysname, known, release, older ? "older" : "newer");
}

bool
profile_in_range(const struct range *r, const char *release, const char *arch)
{
	if (r->since != NULL && (release == NULL || profile_release_cmp(release, r->since) < 0))
		return false;
	if (r->before != NULL && (release == NULL || profile_release_cmp(release, r->before) >= 0))
		return false;
	return r->n_arches == 0 || (arch != NULL && strings_have(r->arches, r->n_arches, arch));
}

const struct window_model *
profile_window(const struct profile *p, enum direction direction, const char *release,
    const char *arch)
{
	const struct window_model *w;
	size_t i;

	for (i = 0; i < p->n_windows; i++) {
		w = &p->windows[i];
		if ((w->direction == DIR_BOTH || w->direction == direction) &&
		    profile_in_range(&w->range, release, arch))
			return w;
	}
	return NULL;
}
