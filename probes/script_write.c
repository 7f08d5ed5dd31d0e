#include "script_write.h"

enum { NOT_THERE = 90, READ_ONLY, NEEDS_ROOT };

/* One printf is one write: the kernel takes each as a whole value. */
static const char text[] =
    "[ -e \"$2\" ] || exit 90\n"
    "[ -w \"$2\" ] || { [ \"$(id -u)\" = 0 ] && exit 91; exit 92; }\n"
    "printf %s \"$1\" >\"$2\"\n";

bool
script_write(bool (*run)(void *self, struct arena *a, const struct command *c, size_t n,
    struct output *out, struct err *e), void *self, const char *file, const char *value,
    struct err *e)
{
	const char *const argv[] = { "sh", "-c", text, "sh", value, file, NULL };
	/* Restoring writes too. */
	struct command c = { .argv = argv, .even_stopped = true };
	struct arena *a = arena_new();
	struct output o;
	bool ok = run(self, a, &c, 1, &o, e);

	if (!ok || o.status == 0)
		; /* said already, or nothing to say */
	else if (o.status == NOT_THERE)
		ok = fail(e, ERR_FAILED, "%s: No such file or directory", file);
	else if (o.status == READ_ONLY)
		ok = fail(e, ERR_FAILED, "%s: read-only here (container or namespace)", file);
	else if (o.status == NEEDS_ROOT)
		ok = fail(e, ERR_FAILED, "%s: needs root", file);
	else
		ok = fail(e, ERR_FAILED, "%s: the kernel refuses \"%s\": %s", file, value,
		    o.why != NULL ? o.why : "no reason was given");
	arena_free(a);
	return ok;
}
