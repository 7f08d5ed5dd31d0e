#include "offloads.h"

#include "fragment.h"
#include "profile.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define PREFIX "offload "

static const char *const values[] = { "on", "off" };

/* ---- names ----------------------------------------------------------------------------------- */

const char *
offload_line_name(struct arena *a, const struct facts *f, const char *offload)
{
	return arena_printf(a, PREFIX "%s %s", offload, f->interface == NULL ? "?" : f->interface);
}

bool
offload_is_line(const char *line)
{
	return strncmp(line, PREFIX, strlen(PREFIX)) == 0;
}

bool
offload_interface_ok(const char *name)
{
	if (name == NULL || !isalnum((unsigned char)name[0]))
		return false;
	while (isalnum((unsigned char)*name) || (*name != '\0' && strchr("._-:@", *name) != NULL))
		name++;
	return *name == '\0';
}

bool
offload_value_ok(const char *value)
{
	for (size_t i = 0; i < NELEM(values); i++) {
		if (strcmp(values[i], value) == 0)
			return true;
	}
	return false;
}

const char *
offload_flag(const struct offload_source *o, const char *offload)
{
	for (size_t i = 0; i < o->n_switches; i++) {
		if (strcmp(o->switches[i].name, offload) == 0)
			return o->switches[i].flag;
	}
	return o->n_switches == 0 ? offload : NULL;
}

/* "offload NAME INTERFACE" is of this offload and this interface. */
static bool
names(const char *line, const char *offload, const char *interface)
{
	size_t n = strlen(offload);

	if (!offload_is_line(line) || interface == NULL)
		return false;
	line += strlen(PREFIX);
	return strncmp(line, offload, n) == 0 && line[n] == ' ' &&
	    strcmp(line + n + 1, interface) == 0;
}

const struct offload *
offload_found(const struct facts *f, const char *line)
{
	for (size_t i = 0; i < f->n_offloads; i++) {
		if (names(line, f->offloads[i].name, f->interface))
			return &f->offloads[i];
	}
	return NULL;
}

const char *
offload_or_knob(const struct facts *f, const char *line)
{
	const struct offload *o = offload_found(f, line);
	const struct knob_fact *k = facts_knob(f, line);

	if (offload_is_line(line))
		return o == NULL ? NULL : o->state;
	return k == NULL ? NULL : k->text;
}

bool
offload_way(struct arena *a, const struct profile *p, const struct facts *f,
    const char *offload, struct extra_way *out)
{
	const struct offload_source *o = &p->offloads;
	const struct substitution s[] = { { "interface", f->interface }, { "name", offload },
		{ "flag", offload_flag(o, offload) }, { "value", "{value}" }, { NULL, NULL } };

	if (!offload_interface_ok(f->interface) || o->n_write == 0)
		return false;
	*out = (struct extra_way){ .write = profile_argv(a, o->write, o->n_write, s) };
	if (o->n_read != 0) {
		out->read = profile_argv(a, o->read, o->n_read, s);
	} else {
		out->read = profile_argv(a, o->argv, o->n_argv, s);
		out->after = arena_printf(a, "%s: ", offload);
	}
	return out->read != NULL && out->write != NULL;
}

/* ---- at boot --------------------------------------------------------------------------------- */

bool
offload_file(struct arena *a, const struct profile *p, const struct facts *f,
    struct persist_file *out)
{
	const struct substitution s[] = { { "interface", f->interface }, { NULL, NULL } };

	if (p->persist.offloads.path == NULL || !offload_interface_ok(f->interface))
		return false;
	*out = p->persist.offloads;
	out->path = profile_expand(a, out->path, s);
	return true;
}

static const char *
boot_line(struct arena *a, const struct profile *p, const struct facts *f, const char *offload,
    const char *value)
{
	const char *flag = offload_flag(&p->offloads, offload);
	const struct substitution s[] = { { "interface", f->interface }, { "name", offload },
		{ "value", value }, { "switch", flag == NULL ? NULL : arena_printf(a, "%s%s",
		    strcmp(value, "off") == 0 ? "-" : "", flag) }, { NULL, NULL } };

	return profile_expand(a, p->persist.offloads.line, s);
}

const char *
offload_boot_line(struct arena *a, const struct profile *p, const struct facts *f,
    const char *line, const char *value)
{
	const struct offload_source *o = &p->offloads;

	if (p->persist.offloads.path == NULL || !offload_interface_ok(f->interface) ||
	    !offload_value_ok(value))
		return NULL;
	for (size_t i = 0; i < o->n_list; i++) {
		if (names(line, o->list[i], f->interface))
			return boot_line(a, p, f, o->list[i], value);
	}
	return NULL;
}

/* Blanks around it make no difference to any of the readers. */
static bool
has_line(const char *text, size_t len, const char *line)
{
	size_t n = strlen(line), bytes;

	for (size_t at = 0; at < len; at += bytes + 1) {
		const char *s = text + at, *end = memchr(s, '\n', len - at);
		size_t left;

		left = bytes = end == NULL ? len - at : (size_t)(end - s);
		while (left != 0 && (*s == ' ' || *s == '\t')) {
			s++;
			left--;
		}
		while (left != 0 && (s[left - 1] == ' ' || s[left - 1] == '\t'))
			left--;
		if (left == n && memcmp(s, line, n) == 0)
			return true;
	}
	return false;
}

bool
offload_boots(struct arena *a, const struct profile *p, const struct facts *f, const char *line,
    const char *value, const char *text, size_t len)
{
	const char *wanted = offload_boot_line(a, p, f, line, value);

	return wanted != NULL && text != NULL && has_line(text, len, wanted);
}

static bool
is_among(const struct change_line *lines, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(lines[i].name, name) == 0)
			return true;
	}
	return false;
}

struct change_line *
offload_kept(struct arena *a, const struct profile *p, const struct facts *f,
    const struct change_line *lines, size_t n_lines, const char *text, size_t len, size_t *n)
{
	struct change_line *kept = NULL;
	struct err damaged = { ERR_NONE, "" };
	size_t begin = 0, end = len;

	*n = 0;
	if (text == NULL || (p->persist.offloads.style == STYLE_BLOCK &&
		!fragment_block("", text, len, &begin, &end, &damaged)))
		return NULL;
	for (size_t i = 0; i < p->offloads.n_list; i++) {
		const char *name = offload_line_name(a, f, p->offloads.list[i]);

		for (size_t v = 0; v < NELEM(values) && !is_among(lines, n_lines, name); v++) {
			if (offload_boots(a, p, f, name, values[v], text + begin, end - begin))
				*(struct change_line *)arena_push(a, &kept, n, sizeof(*kept)) =
				    (struct change_line){ name, NULL, values[v],
					"kept: this file set it already", true };
		}
	}
	return kept;
}
