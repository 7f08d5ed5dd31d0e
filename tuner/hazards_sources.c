/*
 * Which of the lines that set a knob at boot has the last word.
 */
#include "hazards.h"

#include <string.h>

static const char *
base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash == NULL ? file : slash + 1;
}

/* The length of the directory's name when the file lies in a directory NAME.d, else 0. */
static size_t
drop_in_dir(const char *file)
{
	size_t n = (size_t)(base_name(file) - file);

	return n >= 4 && memcmp(file + n - 3, ".d/", 3) == 0 ? n - 1 : 0;
}

static bool
same_drop_in_dir(const char *a, const char *b)
{
	size_t n = drop_in_dir(a);

	return n != 0 && n == drop_in_dir(b) && memcmp(a, b, n) == 0;
}

/* Which element of persist.sources the file's directory is; the first takes precedence. */
static size_t
dir_rank(const struct profile *p, const char *file)
{
	size_t len = drop_in_dir(file), i;

	for (i = 0; i < p->persist.n_sources; i++) {
		const char *s = p->persist.sources[i];

		if (len != 0 && strlen(s) == len && memcmp(s, file, len) == 0)
			break;
	}
	return i;
}

/*
 * Whether a file of the same name in an earlier directory hides this one.  Seen are files that set
 * knobs of the profile; one that sets none of them may hide it, too.
 */
static bool
hidden(const struct profile *p, const struct facts *f, const struct source_line *l)
{
	if (p->persist.precedence != PRECEDENCE_BASENAME || drop_in_dir(l->file) == 0)
		return false;
	for (size_t i = 0; i < f->n_sources; i++) {
		const char *other = f->sources[i].file;

		if (drop_in_dir(other) != 0 &&
		    strcmp(base_name(other), base_name(l->file)) == 0 &&
		    dir_rank(p, other) < dir_rank(p, l->file))
			return true;
	}
	return false;
}

/* b is read after a; what stands later in the list is, where nothing else decides. */
static bool
later(const struct profile *p, const struct source_line *a, const struct source_line *b)
{
	bool drop_a = drop_in_dir(a->file) != 0, drop_b = drop_in_dir(b->file) != 0;
	int order;

	if (strcmp(a->file, b->file) == 0)
		return !(b->line < a->line);
	/* The files of one directory are read by name, and listed as they happen to lie there. */
	if (p->persist.precedence != PRECEDENCE_BASENAME)
		return !same_drop_in_dir(a->file, b->file) ||
		    strcmp(base_name(a->file), base_name(b->file)) <= 0;
	if (drop_a != drop_b)
		return drop_a;
	order = strcmp(base_name(a->file), base_name(b->file));
	return order <= 0;
}

const struct source_line *
hazards_effective(const struct profile *p, const struct facts *f, const char *knob)
{
	const struct source_line *last = NULL;

	for (size_t i = 0; i < f->n_sources; i++) {
		const struct source_line *l = &f->sources[i];

		if (strcmp(l->name, knob) != 0 || hidden(p, f, l))
			continue;
		if (last == NULL || later(p, last, l))
			last = l;
	}
	return last;
}
