#include "guard_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "pathtune-journal"
#define VERSION "1"

/* Copy a text that has room and nothing in it that would end a field or a line. */
static bool
copy(char *dst, size_t size, const char *src)
{
	const unsigned char *s;

	if (strlen(src) >= size)
		return false;
	for (s = (const unsigned char *)src; *s != '\0'; s++)
		if (*s < ' ' || *s == 0x7f)
			return false;
	memcpy(dst, src, strlen(src) + 1);
	return true;
}

/* A value with one blank between its fields. */
static bool
copy_value(char dst[JOURNAL_TEXT], const char *src)
{
	char value[JOURNAL_TEXT];
	const char *field;
	size_t len, n = 0;

	while ((field = knobs_field(&src, &len)) != NULL) {
		if (n + len + 2 > sizeof(value))
			return false;
		if (n != 0)
			value[n++] = ' ';
		memcpy(value + n, field, len);
		n += len;
	}
	value[n] = '\0';
	return copy(dst, JOURNAL_TEXT, value);
}

static const char *
known(const char *id)
{
	return id == NULL || *id == '\0' ? "-" : id;
}

bool
journal_is_boot(const struct journal *j, const char *boot_id)
{
	return strcmp(j->boot, known(boot_id)) == 0;
}

bool
journal_is_scope(const struct journal *j, const char *scope_id)
{
	return strcmp(j->scope, known(scope_id)) == 0;
}

static bool
add_knob(struct journal *j, const char *name, const char *file, const char *old, struct err *e)
{
	struct journal_knob *k = &j->knob[j->n];

	if (j->n == JOURNAL_KNOBS)
		return fail(e, ERR_FAILED, "more than %d knobs to guard", JOURNAL_KNOBS);
	if (!copy(k->name, sizeof(k->name), name) || !copy(k->file, sizeof(k->file), file) ||
	    !copy_value(k->old, old))
		return fail(e, ERR_FAILED, "%.80s: name, file or value is too long or unprintable",
		    name);
	if (k->file[0] != '/')
		return fail(e, ERR_FAILED, "%s: the file \"%s\" is not an absolute path", k->name,
		    k->file);
	j->n++;
	return true;
}

static bool
add_ours(struct journal *j, size_t knob, const char *text, struct err *e)
{
	struct journal_value *v = &j->ours[j->n_ours];

	if (j->n_ours == JOURNAL_OURS)
		return fail(e, ERR_FAILED, "more than %d values to guard", JOURNAL_OURS);
	if (!copy_value(v->text, text))
		return fail(e, ERR_FAILED, "%s: a value is too long or unprintable",
		    j->knob[knob].name);
	v->knob = knob;
	j->n_ours++;
	return true;
}

static bool
find_knob(const struct journal *j, const char *file, size_t *knob)
{
	for (*knob = 0; *knob < j->n; ++*knob)
		if (strcmp(j->knob[*knob].file, file) == 0)
			return true;
	return false;
}

bool
journal_fill(struct journal *j, const char *boot_id, const char *scope_id,
    const struct knob_value *old, size_t n, struct err *e)
{
	size_t i, there;

	memset(j, 0, sizeof(*j));
	if (!copy(j->boot, sizeof(j->boot), known(boot_id)) ||
	    !copy(j->scope, sizeof(j->scope), known(scope_id)))
		return fail(
		    e, ERR_FAILED, "the name of the boot or scope is too long or unprintable");
	j->process = (long)getpid();
	j->begun = true;
	for (i = 0; i < n; i++)
		if (!find_knob(j, old[i].file, &there) &&
		    !add_knob(j, old[i].name, old[i].file, old[i].text, e))
			return false;
	j->promised = j->n;
	return true;
}

char *
journal_head(struct arena *a, const struct journal *j)
{
	struct text t = { .arena = a };
	size_t i;

	text_add(
	    &t, MAGIC "\t" VERSION "\t%zu\t%ld\t%s\t%s\n", j->n, j->process, j->boot, j->scope);
	for (i = 0; i < j->n; i++)
		text_add(&t, "old\t%s\t%s\t%s\n", j->knob[i].name, j->knob[i].file, j->knob[i].old);
	return t.s;
}

/* Cut at tabs; the number of fields. */
static size_t
split(char *line, char *field[], size_t max)
{
	size_t n = 0;

	for (; line != NULL && n < max; n++) {
		field[n] = line;
		line = strchr(line, '\t');
		if (line != NULL)
			*line++ = '\0';
	}
	return line == NULL ? n : max + 1;
}

static bool
number(const char *s, unsigned long max, unsigned long *out)
{
	char *end;

	*out = strtoul(s, &end, 10);
	return *s >= '0' && *s <= '9' && *end == '\0' && *out <= max;
}

static bool
first_line(struct journal *j, char *field[], size_t n, struct err *e)
{
	unsigned long knobs, process;

	if (strcmp(field[0], MAGIC) != 0)
		return fail(e, ERR_FAILED, "not a journal of pathtune's");
	if (n < 2 || strcmp(field[1], VERSION) != 0)
		return fail(e, ERR_FAILED, "a journal of another version of pathtune's");
	if (n != 6 || !number(field[2], JOURNAL_KNOBS, &knobs) ||
	    !number(field[3], 0x7fffffff, &process) || !copy(j->boot, sizeof(j->boot), field[4]) ||
	    !copy(j->scope, sizeof(j->scope), field[5]))
		return fail(e, ERR_FAILED, "damaged first line");
	j->promised = knobs;
	j->begun = true;
	j->process = (long)process;
	return true;
}

bool
journal_line(struct journal *j, char *line, struct err *e)
{
	char *field[6] = { NULL };
	size_t n = split(line, field, NELEM(field));
	unsigned long knob;

	if (!j->begun)
		return first_line(j, field, n, e);
	if (n == 4 && strcmp(field[0], "old") == 0 && j->n < j->promised)
		return add_knob(j, field[1], field[2], field[3], e);
	if (n == 3 && strcmp(field[0], "ours") == 0 && j->n == j->promised &&
	    number(field[1], JOURNAL_KNOBS, &knob) && knob < j->n)
		return add_ours(j, knob, field[2], e);
	return fail(e, ERR_FAILED, "damaged line");
}

bool
journal_begins(const struct journal *j, const char *text, size_t len)
{
	const char *begin = j->begun ? "old\t" : MAGIC "\t" VERSION "\t";
	size_t n = strlen(begin);

	return strncmp(text, begin, len < n ? len : n) == 0;
}

static bool
is_announced(const struct journal *j, size_t knob, const char *text)
{
	size_t i;

	for (i = 0; i < j->n_ours; i++)
		if (j->ours[i].knob == knob && knobs_same(j->ours[i].text, text))
			return true;
	return false;
}

bool
journal_announce(struct arena *a, struct journal *j, const struct knob_value *v, size_t n,
    const char **lines, struct err *e)
{
	struct text t = { .arena = a };
	size_t i, knob;

	for (i = 0; i < n; i++) {
		if (!find_knob(j, v[i].file, &knob))
			return fail(e, ERR_FAILED, "%s: is not guarded", v[i].name);
		if (is_announced(j, knob, v[i].text))
			continue;
		if (!add_ours(j, knob, v[i].text, e))
			return false;
		text_add(&t, "ours\t%zu\t%s\n", knob, j->ours[j->n_ours - 1].text);
	}
	*lines = t.s == NULL ? "" : t.s;
	return true;
}

/* Field number place of text is the given one. */
static bool
has_field(const char *text, size_t place, const char *field, size_t len)
{
	const char *f;
	size_t n;

	do
		f = knobs_field(&text, &n);
	while (f != NULL && place-- != 0);
	return f != NULL && knobs_same_field(f, n, field, len);
}

static bool
owns_field(const struct journal *j, size_t knob, size_t place, const char *field, size_t len)
{
	size_t i;

	if (has_field(j->knob[knob].old, place, field, len))
		return true;
	for (i = 0; i < j->n_ours; i++)
		if (j->ours[i].knob == knob && has_field(j->ours[i].text, place, field, len))
			return true;
	return false;
}

bool
journal_owns(const struct journal *j, size_t knob, const char *text)
{
	const char *old = j->knob[knob].old, *field, *old_field;
	size_t len, place;

	for (place = 0;; place++) {
		field = knobs_field(&text, &len);
		if (field != NULL && !owns_field(j, knob, place, field, len))
			return false;
		old_field = knobs_field(&old, &len);
		if (field == NULL || old_field == NULL)
			return field == old_field;
	}
}

/* True unless it failed; counts. */
static bool
restore_one(const struct journal *j, size_t k, const struct journal_reach *r,
    struct journal_result *result)
{
	char now[JOURNAL_TEXT];

	if (!r->read(r->arg, k, now))
		return false;
	if (knobs_same(now, j->knob[k].old))
		return true;
	if (!journal_owns(j, k, now)) {
		if (result->foreign++ == 0) {
			result->first_foreign = k;
			memcpy(result->foreign_text, now, sizeof(now));
		}
		return true;
	}
	if (!r->write(r->arg, k, j->knob[k].old) || !r->read(r->arg, k, now) ||
	    !knobs_same(now, j->knob[k].old))
		return false;
	result->restored++;
	return true;
}

struct journal_result
journal_restore(const struct journal *j, const struct journal_reach *r)
{
	struct journal_result result = { 0 };
	size_t k;

	for (k = j->n; k-- > 0;)
		if (!restore_one(j, k, r, &result) && result.failed++ == 0)
			result.first_failed = k;
	return result;
}
