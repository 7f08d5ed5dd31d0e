/*
 * ssh_proxy: the command that reaches a host in place of a TCP connection, from ProxyCommand or
 * ProxyJump of ssh_config(5).  It is started by its words, no shell sees it: a line that needs one
 * is refused.  An ssh among them is told never to ask (BatchMode).
 */
#ifndef PATHTUNE_SSH_PROXY_H
#define PATHTUNE_SSH_PROXY_H

#include "../tuner/base.h"

struct ssh_proxy_for {
	const char *asked; /* %n: the name that the user gave */
	const char *host;  /* %h */
	const char *user;  /* %r */
	unsigned port;     /* %p */
	const char *config; /* the file that named it, for the ssh of a ProxyJump, or NULL or "" */
};

struct ssh_proxy;

/* The words of line, NULL-terminated. */
bool ssh_proxy_words(struct arena *a, const char *line, const struct ssh_proxy_for *to,
    const char ***argv, struct err *e);

/* *fd is our end of the connection, the caller's to close. */
bool ssh_proxy_start(struct arena *a, const char *const *argv, struct ssh_proxy **out, int *fd,
    struct err *e);

/* Poll it (-1: at its end); ssh_proxy_listen() takes what is there, or the command would block. */
int ssh_proxy_stderr(const struct ssh_proxy *p);
void ssh_proxy_listen(struct ssh_proxy *p);

/* The last line that it said on stderr; NULL when it said nothing. */
const char *ssh_proxy_said(struct ssh_proxy *p);

void ssh_proxy_end(struct ssh_proxy *p);

#endif
