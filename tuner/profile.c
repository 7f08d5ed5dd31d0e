#include "profile.h"

#include "profile_check.h"

#include <ctype.h>
#include <string.h>

/* Generated from profiles/ by profiles/embed.cmake. */
struct embedded_profile {
	const char *name;
	const unsigned char *text;
	size_t len;
};
extern const struct embedded_profile embedded_profiles[];

static const struct field fact_rule_fields[] = {
	F_STR(fact_rule, fact, FIELD_REQUIRED),
	F_STRS(fact_rule, argv),
	F_STR(fact_rule, file, 0),
	F_STR(fact_rule, pattern, 0),
	F_NUM(fact_rule, scale, 1e-12, 1e12, 0),
	F_STR(fact_rule, value, 0),
	F_STR(fact_rule, unknown, 0),
	F_BOOL(fact_rule, without_peer),
	F_BOOL(fact_rule, any_status),
	F_STR(fact_rule, source, FIELD_REQUIRED),
	F_END,
};
static const struct record fact_rule_record = { "fact", sizeof(struct fact_rule),
	fact_rule_fields };

static const struct field knob_fields[] = {
	F_STR(knob, name, FIELD_REQUIRED),
	F_ENUM(knob, role, knob_role_names, FIELD_REQUIRED),
	F_NUM(knob, field, 1, 16, 0),
	F_STR(knob, unit, FIELD_REQUIRED),
	F_NUM(knob, min, 0, 0, 0),
	F_NUM(knob, max, 0, 0, 0),
	F_STR(knob, scope, FIELD_REQUIRED),
	F_STR(knob, file, FIELD_REQUIRED),
	F_STR(knob, source, FIELD_REQUIRED),
	F_END,
};
static const struct record knob_record = { "knob", sizeof(struct knob), knob_fields };

static const struct field window_fields[] = {
	F_ENUM(window_model, direction, direction_names, FIELD_REQUIRED),
	F_STR(window_model, since, 0),
	F_STR(window_model, before, 0),
	{ "factor", FIELD_NUMBER, offsetof(struct window_model, factor), 0, NULL, NULL, 0.01, 1,
	    FIELD_REQUIRED },
	F_STR(window_model, source, FIELD_REQUIRED),
	F_END,
};
static const struct record window_record = { "window", sizeof(struct window_model),
	window_fields };

static const struct field congestion_fields[] = {
	F_STR(congestion, now, FIELD_REQUIRED),
	F_STR(congestion, available, FIELD_REQUIRED),
	F_STR(congestion, allowed, 0),
	F_STR(congestion, loaded, 0),
	F_STR(congestion, module, 0),
	F_STRS(congestion, candidates),
	F_STRS(congestion, probe),
	F_STRS(congestion, load),
	F_STR(congestion, source, FIELD_REQUIRED),
	F_END,
};
static const struct record congestion_record = { "congestion", sizeof(struct congestion),
	congestion_fields };

static const struct field persist_fields[] = {
	F_STR(persist, file, FIELD_REQUIRED),
	F_STR(persist, modules, 0),
	F_END,
};
static const struct record persist_record = { "persist", sizeof(struct persist), persist_fields };

static const struct field profile_fields[] = {
	F_STR(profile, name, FIELD_REQUIRED),
	F_STR(profile, sysname, FIELD_REQUIRED),
	F_LIST(profile, facts, &fact_rule_record),
	F_STRS(profile, offloads_argv),
	F_STRS(profile, offloads),
	F_LIST(profile, knobs, &knob_record),
	F_STRS(profile, writable),
	{ "congestion", FIELD_RECORD, offsetof(struct profile, congestion), 0, &congestion_record,
	    NULL, 0, 0, FIELD_REQUIRED },
	F_STRS(profile, flush),
	F_LIST(profile, windows, &window_record),
	{ "persist", FIELD_RECORD, offsetof(struct profile, persist), 0, &persist_record,
	    NULL, 0, 0, FIELD_REQUIRED },
	F_END,
};
static const struct record profile_record = { "profile", sizeof(struct profile), profile_fields };

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

bool
profile_for(struct arena *a, const char *sysname, struct profile **out, struct err *e)
{
	const struct embedded_profile *b;
	struct text known = { .arena = a };
	struct profile *p;

	for (b = embedded_profiles; b->name != NULL; b++) {
		if (!profile_parse(a, arena_printf(a, "%s.yaml (embedded)", b->name),
		    (const char *)b->text, b->len, &p, e))
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

static const struct substitution *
find_key(const struct substitution *s, const char *key, size_t len)
{
	for (; s->key != NULL; s++) {
		if (strlen(s->key) == len && memcmp(s->key, key, len) == 0)
			return s;
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
		found = end == NULL ? NULL : find_key(s, text + 1, (size_t)(end - text - 1));
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

const struct window_model *
profile_window(const struct profile *p, enum direction direction, const char *release)
{
	const struct window_model *w;
	size_t i;

	for (i = 0; i < p->n_windows; i++) {
		w = &p->windows[i];
		if (w->direction != DIR_BOTH && w->direction != direction)
			continue;
		if ((w->since == NULL || profile_release_cmp(release, w->since) >= 0) &&
		    (w->before == NULL || profile_release_cmp(release, w->before) < 0))
			return w;
	}
	return NULL;
}
