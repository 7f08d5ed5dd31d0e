/*
 * ssh_name: what follows "ssh://": [user@]name[:port].  Read strictly, because names end up in
 * known_hosts, in commands of proxies and in words for people: a user, a name or an address is made
 * of letters, digits and [_.-] ("+" in a user, "%" and ":" in a bracketed IPv6 address), and begins
 * with none of those that an option could begin with.
 */
#ifndef PATHTUNE_SSH_NAME_H
#define PATHTUNE_SSH_NAME_H

#include "../tuner/base.h"

struct ssh_name {
	const char *user; /* NULL: not said */
	const char *host; /* without brackets */
	unsigned port;    /* 0: not said */
};

bool ssh_name_parse(struct arena *a, const char *text, struct ssh_name *out, struct err *e);

/* A host as above, without brackets; a file of settings may name another one. */
bool ssh_name_plain(const char *host);

/* "ssh://user@[fe80::1]:2222", with as much as is said. */
const char *ssh_name_say(struct arena *a, const struct ssh_name *n);

/* As known_hosts names it: lower case, "[name]:port" unless the port is 22. */
const char *ssh_name_known(struct arena *a, const char *host, unsigned port);

#endif
