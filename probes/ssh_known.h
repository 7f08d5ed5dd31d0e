/*
 * ssh_known: is the key that a host shows the one that known_hosts has for it?  The files are read
 * here and not by libssh, which knows no @revoked and takes a file that it cannot read to its end
 * for one that does not have the host: with --accept-new a changed key would be recorded.
 */
#ifndef PATHTUNE_SSH_KNOWN_H
#define PATHTUNE_SSH_KNOWN_H

#include "../tuner/base.h"

#include <libssh/libssh.h>

enum ssh_known_verdict {
	KNOWN_OK,
	KNOWN_UNKNOWN, /* no line is about this host */
	KNOWN_CHANGED, /* there are lines about it, none with this key */
	KNOWN_REVOKED, /* a line marked @revoked has this key; goes before all others */
};

struct ssh_known {
	enum ssh_known_verdict verdict;
	unsigned line; /* that decided it, of file; 0: none did */
	const char *file;
};

/*
 * One file's text, n bytes, for a host as ssh_name_known() writes it.  Adds to what *k has from the
 * files before it.  A line about the host whose key cannot be read counts as another key; lines
 * with a marker other than @revoked, and such whose patterns exclude ("!"), are passed over.
 */
void ssh_known_text(struct arena *a, const char *file, const char *text, size_t n,
    const char *host, ssh_key key, struct ssh_known *k);

/* The user's file, then the system's; one that is not there is empty. */
bool ssh_known_ask(struct arena *a, const char *file, const char *host, ssh_key key,
    struct ssh_known *k, struct err *e);

/* Append a line to the user's file, which is made if need be, with its directory. */
bool ssh_known_record(struct arena *a, const char *file, const char *host, ssh_key key,
    struct err *e);

/* "ssh-ed25519 SHA256:..." */
const char *ssh_known_fingerprint(struct arena *a, ssh_key key);

#endif
