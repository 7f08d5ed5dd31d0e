#include "fragment.h"
#include "fragment_keep.h"
#include "offloads.h"
#include "profile.h"
#include "setting_line.h"
#include "settings_apply.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define COMMENT_WIDTH 96
#define COMMENT_INDENT "# "

static bool
is_mark(const char *line, size_t len)
{
	static const char *const marks[] = { FRAGMENT_BEGIN, FRAGMENT_END };

	for (size_t i = 0; i < NELEM(marks); i++) {
		if (len == strlen(marks[i]) && memcmp(line, marks[i], len) == 0)
			return true;
	}
	return false;
}

/* Lines of comment; one more blank keeps one from being a mark, which would end the block. */
static void
put_comment(struct text *t, const char *lines)
{
	size_t n;

	for (; *lines != '\0'; lines += n) {
		n = strcspn(lines, "\n");
		if (is_mark(lines, n))
			text_add(t, "%s %.*s", COMMENT_INDENT, (int)(n - strlen(COMMENT_INDENT)),
			    lines + strlen(COMMENT_INDENT));
		else
			text_bytes(t, lines, n);
		n += lines[n] == '\n';
		text_bytes(t, "\n", 1);
	}
}

/*
 * Words come from reasons, from the host and from flags: nothing in them ends the line or, as a
 * backslash does for some readers, makes the next one part of it.
 */
static void
comment(struct text *t, const char *words)
{
	char *copy = arena_strdup(t->arena, words);
	struct text fit = { .arena = t->arena }, wrapped = { .arena = t->arena };
	size_t width = COMMENT_WIDTH - strlen(COMMENT_INDENT), n;

	for (char *c = copy; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
		else if (*c == '\\')
			*c = '/';
	}
	text_bytes(&fit, "", 0);
	for (const char *w = copy; *w != '\0'; w += n) {
		n = *w == ' ' ? strspn(w, " ") : strcspn(w, " ");
		if (n > width)
			n = width;
		text_bytes(&fit, w, n);
		if (*w != ' ' && n == width)
			text_bytes(&fit, " ", 1);
	}
	text_wrap(&wrapped, COMMENT_INDENT, COMMENT_WIDTH, fit.s);
	put_comment(t, wrapped.s);
}

static const char *
say_paths(struct arena *a, const struct run *run)
{
	const struct advice_path *p = run->advice.paths;
	struct text t = { .arena = a };

	text_add(&t, "Computed, not measured, for ");
	for (size_t i = 0; i < run->advice.n_paths; i++)
		text_add(&t, "%s%s with RTT %s", i == 0 ? "" : ", ",
		    units_say_rate(a, p[i].rate_bps), units_say_time(a, p[i].rtt_ms / 1e3));
	return t.s;
}

static const char *
say_peer(struct arena *a, const struct run *run)
{
	return arena_printf(a, "For the path to %s (RTT %s)", run->facts.peer,
	    units_say_time(a, run->facts.rtt_ms / 1e3));
}

static void
header(struct arena *a, struct text *t, const struct run *run)
{
	comment(t, arena_printf(a, "Written by pathtune %s%s%s.",
	    run->version == NULL ? "" : run->version, run->started == NULL ? "" : ", ",
	    run->started == NULL ? "" : run->started));
	if (run->advice.n_paths != 0)
		comment(t, arena_printf(a, "%s.", say_paths(a, run)));
	else if (run->facts.peer != NULL)
		comment(t, arena_printf(a, "%s.", say_peer(a, run)));
	for (size_t i = 0; i < run->decision.n_directions; i++) {
		const struct direction_decision *d = &run->decision.directions[i];

		if (d->verdict == VERDICT_CHANGE && d->words != NULL)
			comment(t, arena_printf(a, "When this host %s: %s",
			    d->direction == DIR_SEND ? "sends" : "receives", d->words));
	}
}

static bool
knob_is_optional(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->n_knobs; i++) {
		if (strcmp(p->knobs[i].name, name) == 0)
			return p->knobs[i].optional;
	}
	return false;
}

/* The line of a setting or module; NULL when the file's reader would see something else in it. */
static const char *
line_for(struct arena *a, const struct persist_file *f, const char *name, const char *value,
    bool optional)
{
	const struct substitution s[] = { { "name", name }, { "value", value }, { NULL, NULL } };
	const char *line = profile_expand(a,
	    optional && f->optional_line != NULL ? f->optional_line : f->line, s);
	struct setting_text seen;
	bool same;

	if (line == NULL || (isfinite(f->line_bytes) && (double)strlen(line) > f->line_bytes) ||
	    strpbrk(line, "\r\n\\") != NULL || !setting_line(line, strlen(line), f, &seen))
		return NULL;
	same = seen.name_len == strlen(name) && memcmp(seen.name, name, seen.name_len) == 0 &&
	    (strstr(f->line, "{value}") == NULL || (seen.value_len == strlen(value) &&
	    memcmp(seen.value, value, seen.value_len) == 0));
	return same ? line : NULL;
}

/* What is known of a line, above it. */
static void
put_reasons(struct arena *a, struct text *t, const struct change_line *l, bool refused)
{
	text_bytes(t, "\n", 1);
	if (l->reason != NULL)
		comment(t, l->reason);
	if (refused)
		comment(t, "unverified: the kernel refused this value here, it was measured with "
		    "sockets that ask for it themselves");
	if (l->old != NULL)
		comment(t, arena_printf(a, "before: %s", l->old));
}

static void
put_line(struct arena *a, struct text *t, const struct change_line *l, const char *line)
{
	if (line != NULL)
		text_add(t, "%s\n", line);
	else
		comment(t, arena_printf(a, "left out: this file cannot hold %s with the value %s",
		    l->name, l->new));
}

static void
put_module(struct arena *a, struct text *t, const struct persist_file *f,
    const struct change_line *l)
{
	put_reasons(a, t, l, false);
	put_line(a, t, l, line_for(a, f, l->new, l->new, false));
}

static void
put_setting(struct arena *a, struct text *t, const struct profile *p, const struct change_line *l,
    bool refused)
{
	put_reasons(a, t, l, refused);
	if (settings_is_of_interface(l))
		comment(t, arena_printf(a, "to be set elsewhere: %s to %s", l->name, l->new));
	else
		put_line(a, t, l, line_for(a, &p->persist.settings, l->name, l->new,
		    knob_is_optional(p, l->name)));
}

/* A line of the file of an interface's offloads. */
static void
put_offload(struct arena *a, struct text *t, const struct profile *p, const struct run *run,
    const struct change_line *l)
{
	const char *line = offload_boot_line(a, p, &run->facts, l->name, l->new);

	put_reasons(a, t, l, false);
	put_line(a, t, l, line == NULL || strpbrk(line, "\r\n\\") != NULL ? NULL : line);
}

static void
add_file(struct arena *a, struct run *run, const struct persist_file *p, const struct text *lines)
{
	struct text t = { .arena = a };
	struct file_text *f;

	if (lines->len == 0 || p->path == NULL)
		return;
	if (p->style == STYLE_BLOCK) {
		text_add(&t, "%s\n", FRAGMENT_BEGIN);
		comment(&t,
		    arena_printf(a,
			"A block at the end of %s; what stands around it is not pathtune's.",
			p->path));
	}
	header(a, &t, run);
	text_bytes(&t, lines->s, lines->len);
	if (p->style == STYLE_BLOCK)
		text_add(&t, "%s\n", FRAGMENT_END);
	f = arena_push(a, &run->files, &run->n_files, sizeof(*f));
	f->path = p->path;
	f->text = t.s;
}

void
fragment_make(struct arena *a, const struct profile *p, struct run *run)
{
	struct text settings = { .arena = a }, modules = { .arena = a }, offloads = { .arena = a };
	struct persist_file file;
	bool has_file = offload_file(a, p, &run->facts, &file);
	struct change_line *lines;
	size_t n;

	lines = fragment_lines(a, p, run, &n);
	for (size_t i = 0; i < n; i++) {
		const struct change_line *l = &lines[i];
		bool computed = run->advice.n_paths != 0; /* nothing was tried */

		if (has_file && offload_is_line(l->name))
			put_offload(a, &offloads, p, run, l);
		else if (!settings_is_module(l))
			put_setting(a, &settings, p, l, !l->verified && !computed);
		else if (p->persist.modules.line != NULL)
			put_module(a, &modules, &p->persist.modules, l);
	}
	add_file(a, run, &p->persist.settings, &settings);
	add_file(a, run, &p->persist.modules, &modules);
	if (has_file)
		add_file(a, run, &file, &offloads);
}

bool
fragment_is_block(const char *text)
{
	return strncmp(text, FRAGMENT_BEGIN "\n", strlen(FRAGMENT_BEGIN) + 1) == 0;
}
