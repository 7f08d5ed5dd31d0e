#include "transport.h"

#include "process.h"
#include "script.h"
#include "script_round.h"
#include "script_write.h"
#include "start.h"
#include "stop.h"

#include <string.h>

#define START_S 30.0 /* for the command to reach its shell, a login over a slow line included */

struct via {
	const char **argv;
	const char *name; /* as errors call it */
};

static bool
via_open(struct arena *a, const char *rest, const struct host_access *access, void **self,
    struct err *e)
{
	struct via *v = arena_alloc(a, sizeof(*v));
	size_t n = 0, len;

	(void)access;
	for (const char *s = rest + strspn(rest, " \t"); *s != '\0'; s += strspn(s, " \t")) {
		len = strcspn(s, " \t");
		*(const char **)arena_push(a, &v->argv, &n, sizeof(*v->argv)) =
		    arena_strndup(a, s, len);
		s += len;
	}
	if (n == 0)
		return fail(e, ERR_USAGE, "via: needs a command, as in \"via:/bin/sh -s\"");
	*(const char **)arena_push(a, &v->argv, &n, sizeof(*v->argv)) = NULL;
	v->name = arena_printf(a, "via:%s", rest);
	*self = v;
	return true;
}

static bool
via_run(void *self, struct arena *a, const struct command *c, size_t n, struct output *out,
    struct err *e)
{
	const struct via *v = self;
	struct process_spec spec = { .argv = v->argv, .as_user = true };
	struct err why = { ERR_NONE, "" };
	struct script_round r;
	struct output o;

	if (!script_round_make(a, c, n, START_S, &r, e))
		return false;
	spec.even_stopped = r.even_stopped;
	if (stop_requested() != 0 && !spec.even_stopped)
		return fail(e, ERR_STOPPED, "%s: stopped by signal %d", v->name, stop_requested());
	spec.input = r.text;
	spec.input_len = r.len;
	spec.timeout_s = r.limit_s;
	spec.output_bytes = r.most_bytes;
	process_run(a, &spec, &o);
	if (stop_requested() != 0 && !spec.even_stopped)
		return fail(e, ERR_STOPPED, "%s: stopped by signal %d", v->name, stop_requested());
	if (script_parse(a, o.text, o.len, r.mark, n, out, &why))
		return true; /* whatever a logout says after that */
	return fail(e, ERR_FAILED, "%s: %s", v->name, o.status != 0 ? o.why : why.text);
}

static bool
via_write(void *self, const char *file, const char *value, struct err *e)
{
	return script_write(via_run, self, file, value, e);
}

static const struct host_path *
via_path(const void *self)
{
	(void)self;
	return NULL;
}

static bool
via_start(void *self, struct arena *a, const char *const *argv, struct host_child *out,
    struct err *e)
{
	const struct via *v = self;
	int said;

	return start_program(a, v->argv, true, out, &said, e) &&
	    start_through(a, v->name, argv, START_S, out, said, e);
}

static void
via_close(void *self)
{
	(void)self;
}

const struct transport transport_via = { "via:", false, via_open, via_run, via_write, via_path,
	via_close, via_start, NULL };
