#include "transport.h"

#include "process.h"
#include "script.h"
#include "stop.h"

#include <sodium.h>
#include <string.h>

#define START_S 30.0 /* for the command to reach its shell, a login over a slow line included */
#define MOST_S 180.0

struct via {
	const char **argv;
	const char *name; /* as errors call it */
};

static bool
via_open(struct arena *a, const char *rest, void **self, struct err *e)
{
	struct via *v = arena_alloc(a, sizeof(*v));
	size_t n = 0, len;

	if (sodium_init() < 0)
		return fail(e, ERR_FAILED, "libsodium could not be initialized");
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

static const char *
random_mark(struct arena *a)
{
	unsigned char bytes[SCRIPT_MARK / 2];
	char *mark = arena_alloc(a, SCRIPT_MARK + 1);

	randombytes_buf(bytes, sizeof(bytes));
	return sodium_bin2hex(mark, SCRIPT_MARK + 1, bytes, sizeof(bytes));
}

/* All commands may take their time, but a dead line is to be noticed before somebody gives up. */
static double
time_limit_s(const struct command *c, size_t n)
{
	double sum_s = START_S;

	for (size_t i = 0; i < n; i++)
		sum_s += 1 + (c[i].timeout_s > 0 ? c[i].timeout_s : HOST_TIMEOUT_S);
	return sum_s < MOST_S ? sum_s : MOST_S;
}

/* They are one script: it goes on after a stop when all of them do. */
static bool
all_even_stopped(const struct command *c, size_t n)
{
	size_t i = 0;

	while (i < n && c[i].even_stopped)
		i++;
	return i == n && n != 0;
}

static bool
via_run(void *self, struct arena *a, const struct command *c, size_t n, struct output *out,
    struct err *e)
{
	const struct via *v = self;
	const char *mark = random_mark(a);
	struct process_spec spec = { .argv = v->argv, .as_user = true,
		.input = script_make(a, c, n, mark), .timeout_s = time_limit_s(c, n),
		.output_bytes = script_answer_max(n) };
	struct err why = { ERR_NONE, "" };
	struct output o;

	spec.even_stopped = all_even_stopped(c, n);
	if (stop_requested() != 0 && !spec.even_stopped)
		return fail(e, ERR_STOPPED, "%s: stopped by signal %d", v->name, stop_requested());
	spec.input_len = strlen(spec.input);
	process_run(a, &spec, &o);
	if (stop_requested() != 0 && !spec.even_stopped)
		return fail(e, ERR_STOPPED, "%s: stopped by signal %d", v->name, stop_requested());
	if (script_parse(a, o.text, o.len, mark, n, out, &why))
		return true; /* whatever a logout says after that */
	return fail(e, ERR_FAILED, "%s: %s", v->name, o.status != 0 ? o.why : why.text);
}

static bool
via_write(void *self, const char *file, const char *value, struct err *e)
{
	(void)value;
	return fail(e, ERR_FAILED, "%s: nothing is set through %s", file,
	    ((const struct via *)self)->name);
}

static const struct host_path *
via_path(const void *self)
{
	(void)self;
	return NULL;
}

static void
via_close(void *self)
{
	(void)self;
}

const struct transport transport_via = { "via:", false, via_open, via_run, via_write, via_path,
	via_close };
