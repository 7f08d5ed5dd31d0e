#include "host_record.h"

#include "files.h"
#include "transcript.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct recording {
	struct arena *arena;
	const char *file;
	struct transcript transcript;
};

bool
recording_begin(struct arena *a, const char *dir, struct recording **out, struct err *e)
{
	const char *file = arena_printf(a, "%s/%s", dir, TRANSCRIPT_FILE);
	struct recording *r;

	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		return fail(e, ERR_FAILED, "%s: %s", dir, strerror(errno));
	if (access(file, F_OK) == 0)
		return fail(e, ERR_USAGE, "%s: there is a recording already", file);
	if (!files_may_write(file, e))
		return false;
	r = arena_alloc(a, sizeof(*r));
	r->arena = a;
	r->file = file;
	*out = r;
	return true;
}

struct arena *
recording_arena(const struct recording *r)
{
	return r->arena;
}

static const char **
copy_argv(struct arena *a, const char *const *argv)
{
	const char **copy = NULL;
	size_t n = 0;

	for (; argv != NULL && *argv != NULL; argv++)
		*(const char **)arena_push(a, &copy, &n, sizeof(*copy)) = arena_strdup(a, *argv);
	if (n != 0)
		*(const char **)arena_push(a, &copy, &n, sizeof(*copy)) = NULL;
	return copy;
}

static struct transcript_entry *
find(struct transcript *t, const struct command *c)
{
	const struct transcript_entry *x = transcript_find(t, c);

	return x == NULL ? NULL : &t->entries[x - t->entries];
}

void
recording_keep(struct recording *r, const struct command *c, size_t n, const struct output *out)
{
	struct transcript *t = &r->transcript;
	struct transcript_entry *x;

	for (size_t i = 0; i < n; i++) {
		x = find(t, &c[i]);
		if (x == NULL) {
			x = arena_push(r->arena, &t->entries, &t->n_entries, sizeof(*x));
			x->argv = copy_argv(r->arena, c[i].argv);
			x->file = arena_strdup(r->arena, c[i].argv == NULL ? c[i].file : NULL);
		}
		x->answer = out[i];
		x->answer.text = arena_strndup(r->arena, out[i].text, out[i].len);
		x->answer.why = arena_strdup(r->arena, out[i].why);
	}
}

bool
recording_save(struct recording *r, const char *origin, const struct host_path *path,
    const struct host_names *names, struct err *e)
{
	static const struct host_path none = { NULL, NAN, NAN, NAN };
	struct transcript *t = &r->transcript;
	const char *text;
	size_t len;

	t->origin = origin;
	t->path = path == NULL ? none : *path;
	transcript_redact(r->arena, t, names);
	text = transcript_text(r->arena, t);
	len = strlen(text);
	if (len > TRANSCRIPT_BYTES)
		return fail(e, ERR_FAILED, "%s: larger than %zu bytes", r->file, TRANSCRIPT_BYTES);
	/* What root could read is not for everybody until somebody has looked through it. */
	return files_write(r->file, text, len, 0600, e);
}
