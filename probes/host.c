#include "transport.h"

#include <string.h>

struct host {
	const struct transport *via;
	void *self;
};

bool
host_open(struct arena *a, const char *name, struct host **out, struct err *e)
{
	struct host *h;

	if (strcmp(name, transport_local.prefix) != 0)
		return fail(e, ERR_USAGE, "%s: not a host that can be reached; only \"%s\" can",
		    name, transport_local.prefix);
	h = arena_alloc(a, sizeof(*h));
	h->via = &transport_local;
	if (!h->via->open(a, "", &h->self, e))
		return false;
	*out = h;
	return true;
}

bool
host_is_here(const struct host *h)
{
	return h->via->here;
}

bool
host_run(struct host *h, struct arena *a, const struct command *c, size_t n, struct output *out,
    struct err *e)
{
	return h->via->run(h->self, a, c, n, out, e);
}

bool
host_write(struct host *h, const char *file, const char *value, struct err *e)
{
	return h->via->write(h->self, file, value, e);
}

void
host_close(struct host *h)
{
	if (h != NULL)
		h->via->close(h->self);
}
