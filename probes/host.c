#include "transport.h"

#include <string.h>

struct host {
	const struct transport *via;
};

bool
host_open(struct arena *a, const char *name, struct host **out, struct err *e)
{
	struct host *h;

	if (strcmp(name, transport_local.name) != 0)
		return fail(e, ERR_USAGE, "%s: not a host that can be reached; only \"%s\" can",
		    name, transport_local.name);
	h = arena_alloc(a, sizeof(*h));
	h->via = &transport_local;
	*out = h;
	return true;
}

bool
host_run(struct host *h, struct arena *a, const struct command *c, size_t n, struct output *out,
    struct err *e)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!h->via->run(a, &c[i], &out[i], e))
			return false;
	return true;
}

bool
host_write(struct host *h, const char *file, const char *value, struct err *e)
{
	return h->via->write(file, value, e);
}

/* The local host holds nothing open. */
void
host_close(struct host *h)
{
	if (h != NULL)
		h->via = NULL;
}
