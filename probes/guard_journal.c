#include "guard_journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "pathtune-journal"
#define VERSION "2"
#define NONE "-"

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

/* n words, ended by n or a NULL; they are to be there, and to have room. */
static bool
copy_argv(struct journal_argv *v, const char *const *argv, size_t n)
{
	size_t used = 0, i;

	for (i = 0; argv != NULL && i < n && argv[i] != NULL; i++) {
		if (i == JOURNAL_WORDS || !copy(v->text + used, sizeof(v->text) - used, argv[i]))
			return false;
		v->word[i] = v->text + used;
		used += strlen(argv[i]) + 1;
	}
	v->word[i] = NULL;
	return i != 0 && v->text[0] != '\0';
}

static const char *
known(const char *id)
{
	return id == NULL || *id == '\0' ? NONE : id;
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

/* n_read and n_write: so many words at most, where no NULL ends them. */
static bool
add_knob(struct journal *j, const struct knob_value *v, size_t n_read, size_t n_write,
    struct err *e)
{
	struct journal_knob *k = &j->knob[j->n];

	if (j->n == JOURNAL_KNOBS)
		return fail(e, ERR_FAILED, "more than %d knobs to guard", JOURNAL_KNOBS);
	if (!copy(k->name, sizeof(k->name), v->name) || !copy_value(k->old, v->text) ||
	    !copy(k->file, sizeof(k->file), v->file == NULL ? "" : v->file))
		return fail(e, ERR_FAILED, "%.80s: name, file or value is too long or unprintable",
		    v->name);
	if (!copy(k->after, sizeof(k->after), v->after == NULL ? "" : v->after))
		return fail(e, ERR_FAILED, "%.80s: what its value is behind is too long or "
		    "unprintable", v->name);
	if (v->file == NULL && (!copy_argv(&k->read, v->read, n_read) ||
	    !copy_argv(&k->write, v->write, n_write)))
		return fail(e, ERR_FAILED, "%.80s: a command is missing, too long or unprintable",
		    v->name);
	if (v->file != NULL && k->file[0] != '/')
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
find_knob(const struct journal *j, const struct knob_value *v, size_t *knob)
{
	for (*knob = 0; *knob < j->n; ++*knob) {
		const struct journal_knob *k = &j->knob[*knob];

		if (v->file != NULL ? strcmp(k->file, v->file) == 0 :
		    k->file[0] == '\0' && strcmp(k->name, v->name) == 0)
			return true;
	}
	return false;
}

struct knob_value
journal_knob_value(const struct journal *j, size_t knob, const char *text)
{
	const struct journal_knob *k = &j->knob[knob];

	if (k->file[0] != '\0')
		return (struct knob_value){ .name = k->name, .file = k->file, .text = text };
	return (struct knob_value){ .name = k->name, .text = text, .read = k->read.word,
		.write = k->write.word, .after = k->after[0] == '\0' ? NULL : k->after };
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
		if (!find_knob(j, &old[i], &there) &&
		    !add_knob(j, &old[i], JOURNAL_WORDS + 1, JOURNAL_WORDS + 1, e))
			return false;
	j->promised = j->n;
	return true;
}

static void
add_words(struct text *t, const struct journal_argv *v)
{
	for (size_t i = 0; v->word[i] != NULL; i++)
		text_add(t, "\t%s", v->word[i]);
}

static void
add_run(struct text *t, const struct journal_knob *k)
{
	size_t n = 0;

	while (k->read.word[n] != NULL)
		n++;
	if (k->after[0] == '\0')
		text_add(t, "run\t%s\t%s\t%zu", k->name, k->old, n);
	else
		text_add(t, "word\t%s\t%s\t%s\t%zu", k->after, k->name, k->old, n);
	add_words(t, &k->read);
	add_words(t, &k->write);
	text_bytes(t, "\n", 1);
}

char *
journal_head(struct arena *a, const struct journal *j)
{
	struct text t = { .arena = a };
	size_t i;

	text_add(
	    &t, MAGIC "\t" VERSION "\t%zu\t%ld\t%s\t%s\n", j->n, j->process, j->boot, j->scope);
	for (i = 0; i < j->n; i++) {
		if (j->knob[i].file[0] == '\0')
			add_run(&t, &j->knob[i]);
		else
			text_add(&t, "old\t%s\t%s\t%s\n", j->knob[i].name, j->knob[i].file,
			    j->knob[i].old);
	}
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
	if (n < 2 || (strcmp(field[1], VERSION) != 0 && strcmp(field[1], "1") != 0))
		return fail(e, ERR_FAILED, "a journal of another version of pathtune's");
	j->holds = strcmp(field[1], "1") == 0;
	if (n != 6 || !number(field[2], JOURNAL_KNOBS, &knobs) ||
	    !number(field[3], 0x7fffffff, &process) || !copy(j->boot, sizeof(j->boot), field[4]) ||
	    !copy(j->scope, sizeof(j->scope), field[5]))
		return fail(e, ERR_FAILED, "damaged first line");
	j->promised = knobs;
	j->begun = true;
	j->process = (long)process;
	return true;
}

/* field: "run", name, text, number, words; after: NULL, or what "word" has besides */
static bool
run_line(struct journal *j, const char *after, char *field[], size_t n, struct err *e)
{
	const char *word[2 * JOURNAL_WORDS + 1] = { NULL };
	struct knob_value v = { .name = field[1], .text = field[2], .read = word, .after = after };
	unsigned long n_read;
	size_t i;

	if (!number(field[3], JOURNAL_WORDS, &n_read) || n_read + 4 >= n)
		return fail(e, ERR_FAILED, "damaged line");
	for (i = 4; i < n; i++)
		word[i - 4] = field[i];
	v.write = word + n_read;
	return add_knob(j, &v, n_read, n - 4 - n_read, e);
}

static bool
is_base(const char *name)
{
	return *name != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0;
}

/* Announced again, it is still one: restored twice, the second time would remove the older file. */
static size_t
find_file(const struct journal *j, const char *path)
{
	size_t i = 0;

	while (i < j->n_files && strcmp(j->file[i].path, path) != 0)
		i++;
	return i;
}

static bool
add_file(struct journal *j, const struct journal_replaced *f, struct err *e)
{
	size_t at = find_file(j, f->path);
	struct journal_replaced *to = &j->file[at];

	if (at == JOURNAL_FILES)
		return fail(e, ERR_FAILED, "more than %d files to guard", JOURNAL_FILES);
	if (f->path[0] != '/' || !is_base(f->by) || (f->old[0] != '\0' && !is_base(f->old)) ||
	    !copy(to->path, sizeof(to->path), f->path) || !copy(to->by, sizeof(to->by), f->by) ||
	    !copy(to->old, sizeof(to->old), f->old))
		return fail(e, ERR_FAILED, "%.200s: no absolute path, or its name or those beside "
		    "it are unprintable", f->path);
	to->device = f->device;
	to->inode = f->inode;
	to->size = f->size;
	to->time_s = f->time_s;
	j->n_files += at == j->n_files;
	return true;
}

static bool
large_number(const char *s, uintmax_t *out)
{
	char *end;

	*out = strtoumax(s, &end, 10);
	return *s >= '0' && *s <= '9' && *end == '\0';
}

/* field: "file", path, by, old, device, inode, size, seconds */
static bool
file_line(struct journal *j, char *field[], struct err *e)
{
	struct journal_replaced f = { .path = "" };

	if (!large_number(field[4], &f.device) || !large_number(field[5], &f.inode) ||
	    !large_number(field[6], &f.size) || !large_number(field[7], &f.time_s) ||
	    !copy(f.path, sizeof(f.path), field[1]) || !copy(f.by, sizeof(f.by), field[2]) ||
	    !copy(f.old, sizeof(f.old), strcmp(field[3], NONE) == 0 ? "" : field[3]))
		return fail(e, ERR_FAILED, "damaged line");
	return add_file(j, &f, e);
}

/* Of those that only a journal has that is begun and knows its knobs. */
static bool
later_line(struct journal *j, char *field[], size_t n, struct err *e)
{
	unsigned long knob;

	if (n == 3 && strcmp(field[0], "ours") == 0 && number(field[1], JOURNAL_KNOBS, &knob) &&
	    knob < j->n)
		return add_ours(j, knob, field[2], e);
	if (n == 8 && strcmp(field[0], "file") == 0 && !j->holds)
		return file_line(j, field, e);
	if (n != 1 || strcmp(field[0], JOURNAL_HELD) != 0 || j->holds)
		return fail(e, ERR_FAILED, "damaged line");
	j->n_held = j->n_ours;
	return true;
}

bool
journal_line(struct journal *j, char *line, struct err *e)
{
	char *field[5 + 2 * JOURNAL_WORDS] = { NULL };
	size_t n = split(line, field, NELEM(field));
	struct knob_value v = { .name = field[1], .file = field[2], .text = field[3] };

	if (!j->begun)
		return first_line(j, field, n, e);
	if (j->n == j->promised)
		return later_line(j, field, n, e);
	if (n == 4 && strcmp(field[0], "old") == 0)
		return add_knob(j, &v, 0, 0, e);
	if (n > 5 && n < NELEM(field) && strcmp(field[0], "run") == 0 && !j->holds)
		return run_line(j, NULL, field, n, e);
	if (n > 6 && n <= NELEM(field) && strcmp(field[0], "word") == 0 && !j->holds)
		return run_line(j, field[1], field + 1, n - 1, e);
	return fail(e, ERR_FAILED, "damaged line");
}

bool
journal_begins(const struct journal *j, const char *text, size_t len)
{
	static const char *const begins[] = { "old\t", "run\t", "word\t",
		MAGIC "\t" VERSION "\t", MAGIC "\t1\t" };
	size_t i, n;

	for (i = j->begun ? 0 : 3; i < (j->begun ? 3 : NELEM(begins)); i++) {
		n = strlen(begins[i]);
		if (strncmp(text, begins[i], len < n ? len : n) == 0)
			return true;
	}
	return false;
}

bool
journal_is_announced(const struct journal *j, size_t knob, const char *text)
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
		if (!find_knob(j, &v[i], &knob))
			return fail(e, ERR_FAILED, "%s: is not guarded", v[i].name);
		if (journal_is_announced(j, knob, v[i].text))
			continue;
		if (!add_ours(j, knob, v[i].text, e))
			return false;
		text_add(&t, "ours\t%zu\t%s\n", knob, j->ours[j->n_ours - 1].text);
	}
	*lines = t.s == NULL ? "" : t.s;
	return true;
}

bool
journal_replaces(struct arena *a, struct journal *j, const struct journal_replaced *r,
    const char **line, struct err *e)
{
	if (!add_file(j, r, e))
		return false;
	*line = arena_printf(a, "file\t%s\t%s\t%s\t%ju\t%ju\t%ju\t%ju\n", r->path, r->by,
	    r->old[0] == '\0' ? NONE : r->old, r->device, r->inode, r->size, r->time_s);
	return true;
}
