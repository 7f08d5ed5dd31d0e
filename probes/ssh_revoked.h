/*
 * ssh_revoked: the lists RevokedHostKeys that an ssh_config(5) names.  libssh passes over that
 * keyword without a word; whoever asks for a file of settings to be obeyed counts on it.
 */
#ifndef PATHTUNE_SSH_REVOKED_H
#define PATHTUNE_SSH_REVOKED_H

#include "ssh_known.h"

/*
 * config as in struct host_access: "" is the user's own file and then the system's.  A list counts
 * in whatever section Host or Match it is named, which is never less strict than ssh(1); Include is
 * not followed.  *k becomes KNOWN_REVOKED, with the list's line, where one holds the key.  As with
 * ssh(1) no key can be believed while a list cannot be read: that is an error, and so is a list in
 * OpenSSH's binary form (ssh-keygen -k), which is not read.
 */
bool ssh_revoked_ask(struct arena *a, const char *config, ssh_key key, struct ssh_known *k,
    struct err *e);

#endif
