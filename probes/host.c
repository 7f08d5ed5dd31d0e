#include "transport.h"

#include <string.h>

struct host {
	const struct transport *via;
	void *self;
};

/* What follows the transport's prefix in name, or NULL. */
static const char *
rest_of(const char *name, const struct transport *t)
{
	size_t n = strlen(t->prefix);

	if (strncmp(name, t->prefix, n) != 0 || (t->prefix[n - 1] != ':' && name[n] != '\0'))
		return NULL;
	return name + n;
}

bool
host_open(struct arena *a, const char *name, struct host **out, struct err *e)
{
	static const struct transport *const known[] = { &transport_local, &transport_replay };
	struct host *h = arena_alloc(a, sizeof(*h));
	const char *rest;

	for (size_t i = 0; i < NELEM(known); i++) {
		rest = rest_of(name, known[i]);
		if (rest == NULL)
			continue;
		h->via = known[i];
		if (!h->via->open(a, rest, &h->self, e))
			return false;
		*out = h;
		return true;
	}
	return fail(e, ERR_USAGE, "'%.60s' is not a host: local, replay:DIR or via:COMMAND", name);
}

bool
host_is_here(const struct host *h)
{
	return h->via->here;
}

const struct host_path *
host_path(const struct host *h)
{
	return h->via->path(h->self);
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
