#include "transport.h"

#include "files.h"
#include "transcript.h"

static bool
replay_open(struct arena *a, const char *rest, const struct host_access *access, void **self,
    struct err *e)
{
	struct transcript *t = arena_alloc(a, sizeof(*t));
	const char *name = arena_printf(a, "%s/%s", rest, TRANSCRIPT_FILE), *text;
	size_t len;

	(void)access;
	if (*rest == '\0')
		return fail(e, ERR_USAGE, "replay: needs the directory of a recording");
	if (!files_read(a, name, TRANSCRIPT_BYTES, &text, &len, e) ||
	    !transcript_parse(a, name, text, len, t, e))
		return false;
	*self = t;
	return true;
}

static bool
replay_run(void *self, struct arena *a, const struct command *c, size_t n, struct output *out,
    struct err *e)
{
	static const struct output not_asked = { -1, "", 0, "not asked when this was recorded" };

	(void)a, (void)e;
	for (size_t i = 0; i < n; i++) {
		const struct transcript_entry *x = transcript_find(self, &c[i]);

		out[i] = x == NULL ? not_asked : x->answer;
	}
	return true;
}

static bool
replay_write(void *self, const char *file, const char *value, struct err *e)
{
	(void)self, (void)value;
	return fail(e, ERR_FAILED, "%s: a recording cannot be changed", file);
}

static const struct host_path *
replay_path(const void *self)
{
	return &((const struct transcript *)self)->path;
}

static void
replay_close(void *self)
{
	(void)self;
}

const struct transport transport_replay = { "replay:", false, replay_open, replay_run,
	replay_write, replay_path, replay_close, NULL, NULL };
