/*
 * facts_sources: the lines of files that set the profile's knobs at boot, those of other releases
 * included: a stale key is worth knowing.
 */
#include "facts_ask.h"

#include "../tuner/setting_line.h"
#include "facts_answer.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES 1000     /* lines; nobody has so many of ours */
#define LINE_DIGITS 9
#define VALUE_BYTES 256

static const char **
sources_argv(const struct probe *p)
{
	static const struct substitution none[] = { { NULL, NULL } };
	const struct persist *persist = &p->profile->persist;

	return persist->n_sources == 0 ? NULL :
	    profile_argv(p->arena, persist->sources, persist->n_sources, none);
}

void
facts_ask_sources(struct probe *p)
{
	facts_ask(p, sources_argv(p), NULL);
}

/* The ":LINE:" between file and text: where it begins; *digits: how many LINE has. */
static const char *
find_line_number(const char *s, const char *end, size_t *digits)
{
	for (; (s = memchr(s, ':', (size_t)(end - s))) != NULL; s++) {
		*digits = 0;
		while (s + 1 + *digits < end && isdigit((unsigned char)s[1 + *digits]))
			(*digits)++;
		if (*digits != 0 && *digits <= LINE_DIGITS && s + 1 + *digits < end &&
		    s[1 + *digits] == ':')
			return s;
	}
	return NULL;
}

char *
facts_shown(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_strndup(a, s, len > VALUE_BYTES ? VALUE_BYTES : len);

	for (char *c = copy; *c != '\0'; c++) {
		if (*c == '\t')
			*c = ' ';
		else if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return copy;
}

static const struct knob *
knob_set_by(const struct profile *profile, const struct setting_text *t)
{
	size_t i;

	for (i = 0; i < profile->n_knobs; i++) {
		if (setting_line_sets(t, &profile->persist.settings, profile->knobs[i].name))
			return &profile->knobs[i];
	}
	return NULL;
}

/*
 * grep(1) looks at all that lies below a directory.  At boot only files that lie directly in it and
 * are called *.conf are read: not the editor's copies, nor what was put out of the way.
 */
static bool
is_read_at_boot(const struct persist *persist, const char *file)
{
	const char *rest, *dot;
	size_t i, n;

	for (i = 0; i < persist->n_sources; i++) {
		n = strlen(persist->sources[i]);
		if (*persist->sources[i] != '/' || strncmp(file, persist->sources[i], n) != 0 ||
		    file[n] != '/')
			continue;
		rest = file + n + 1;
		dot = strrchr(rest, '.');
		return strchr(rest, '/') == NULL && dot != NULL && strcmp(dot, ".conf") == 0;
	}
	return true;
}

static void
take_setting(struct probe *p, const char *file, double line, const struct setting_text *t)
{
	const struct knob *k = knob_set_by(p->profile, t);
	struct source_line *l;

	if (k == NULL)
		return;
	l = arena_push(p->arena, &p->facts->sources, &p->facts->n_sources, sizeof(*l));
	*l = (struct source_line){ file, line, k->name,
		facts_shown(p->arena, t->value, t->value_len) };
}

bool
facts_line_of(struct arena *a, const char *s, const char *end, struct facts_line *out)
{
	size_t digits;
	const char *number = find_line_number(s, end, &digits);

	if (number == NULL || number == s)
		return false;
	out->line = strtod(arena_strndup(a, number + 1, digits), NULL);
	out->file = facts_shown(a, s, (size_t)(number - s));
	out->text = number + digits + 2;
	out->len = (size_t)(end - out->text);
	return out->line >= 1;
}

/* "FILE:LINE:TEXT" from s to end. */
static void
take_line(struct probe *p, const char *s, const char *end)
{
	struct facts_line l;
	struct setting_text t;

	if (!facts_line_of(p->arena, s, end, &l) ||
	    !is_read_at_boot(&p->profile->persist, l.file))
		return;
	while (setting_line_next(&l.text, &l.len, &p->profile->persist.settings, &t))
		take_setting(p, l.file, l.line, &t);
}

void
facts_take_sources(struct probe *p)
{
	const struct output *o = facts_said(p, sources_argv(p), NULL);
	const char *s, *end;

	if (o == NULL)
		return;
	/* Where a file is missing or no line fits, grep(1) says so with its status: 1 or 2. */
	if (o->status < 0 || o->status > 2) {
		facts_unknown(p->arena, p->facts, "sources", o->why);
		return;
	}
	for (s = o->text; *s != '\0' && p->facts->n_sources < SOURCES; s = end + (*end == '\n')) {
		end = s + strcspn(s, "\n");
		take_line(p, s, end);
	}
}
