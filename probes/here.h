/*
 * here: where a host that is reached by ssh finds us, and from where it would come.
 */
#ifndef PATHTUNE_HERE_H
#define PATHTUNE_HERE_H

#include "endpoint.h"
#include "net.h"

#define HERE_HOSTS 8

struct here {
	const char *address; /* ours, as the host is to reach it */
	struct net_address host[HERE_HOSTS]; /* the host's, as far as known */
	size_t n_host;
};

/*
 * What was given (access->here), else what the host's login says of our connection, else the
 * address from which we would speak to the host's name.
 */
bool here_find(struct arena *a, const struct endpoint_spec *s, struct here *out, struct err *e);

/*
 * Addresses of a host that was reached as name ("ssh://.."), most likely first: as it was named,
 * and as its login says; n places, those that are not needed NULL.
 */
bool here_peer(struct arena *a, struct host *h, const char *name, const char **address, size_t n,
    struct err *e);

/* "CLIENT PORT SERVER PORT", as sshd says of a login: CLIENT and SERVER. */
bool here_login(struct arena *a, const char *text, const char **client, const char **server);

#endif
