#include "transport.h"

#include "host_record.h"
#include "transcript.h"

#include <string.h>

struct host {
	const struct transport *via;
	void *self;
	struct recording *recording; /* or NULL */
};

/* What follows the transport's prefix in name, or NULL. */
static const char *
rest_of(const char *name, const struct transport *t)
{
	size_t n = strlen(t->prefix);

	if (strncmp(name, t->prefix, n) != 0 || (strchr(t->prefix, ':') == NULL && name[n] != '\0'))
		return NULL;
	return name + n;
}

bool
host_open(struct arena *a, const char *name, struct host **out, struct err *e)
{
	return host_open_by(a, name, NULL, out, e);
}

bool
host_open_by(struct arena *a, const char *name, const struct host_access *access, struct host **out,
    struct err *e)
{
	static const struct transport *const known[] = { &transport_local, &transport_replay,
		&transport_via, &transport_ssh };
	static const struct host_access none;
	struct host *h = arena_alloc(a, sizeof(*h));
	const char *rest;

	for (size_t i = 0; i < NELEM(known); i++) {
		rest = rest_of(name, known[i]);
		if (rest == NULL)
			continue;
		h->via = known[i];
		if (!h->via->open(a, rest, access != NULL ? access : &none, &h->self, e))
			return false;
		*out = h;
		return true;
	}
	return fail(e, ERR_USAGE, "'%.60s' is not a host: local, ssh://[user@]name[:port], "
	    "replay:DIR or via:COMMAND", name);
}

struct host *
host_replay(struct arena *a, const struct transcript *t)
{
	struct host *h = arena_alloc(a, sizeof(*h));
	struct transcript *own = arena_alloc(a, sizeof(*own));

	*own = *t;
	h->via = &transport_replay;
	h->self = own;
	return h;
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
	if (!h->via->run(h->self, a, c, n, out, e))
		return false;
	if (h->recording != NULL)
		recording_keep(h->recording, c, n, out);
	return true;
}

bool
host_record(struct host *h, struct arena *a, const char *dir, struct err *e)
{
	return recording_begin(a, dir, &h->recording, e);
}

bool
host_record_save(struct host *h, const char *origin, const struct host_path *path, struct err *e)
{
	static const char *const name[] = { "uname", "-n", NULL };
	struct command c = { .argv = name };
	struct arena *a = recording_arena(h->recording);
	struct host_names names = { { NULL }, NULL };
	struct output o;
	size_t n = 0;

	if (!h->via->run(h->self, a, &c, 1, &o, e))
		return false;
	if (h->via->names != NULL)
		names = h->via->names(h->self);
	while (n < HOST_NAMES - 1 && names.hosts[n] != NULL)
		n++;
	names.hosts[n] = o.status == 0 ? arena_strndup(a, o.text, strcspn(o.text, "\r\n")) : NULL;
	return recording_save(h->recording, origin, path, &names, e);
}

bool
host_write(struct host *h, const char *file, const char *value, struct err *e)
{
	return h->via->write(h->self, file, value, e);
}

bool
host_start(struct host *h, struct arena *a, const char *const *argv, struct host_child *out,
    struct err *e)
{
	if (h->via->start == NULL)
		return fail(e, ERR_FAILED, "%s: a recording cannot start it", argv[0]);
	return h->via->start(h->self, a, argv, out, e);
}

void
host_close(struct host *h)
{
	if (h != NULL)
		h->via->close(h->self);
}
