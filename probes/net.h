/*
 * net: TCP addresses and sockets, nothing of our protocol.  All sockets are close-on-exec and
 * nonblocking.
 */
#ifndef PATHTUNE_NET_H
#define PATHTUNE_NET_H

#include "../tuner/base.h"

#include <netdb.h>
#include <sys/socket.h>

#define NET_LISTEN_MAX 8

struct net_address {
	struct sockaddr_storage addr;
	socklen_t len;
};

/*
 * "name", "name:port", "[v6]:port", "[v6]" or a bare v6 address.  The port is 0..65535; without
 * one it is default_port.  what names the argument in errors.
 */
bool net_parse(struct arena *a, const char *what, const char *text, unsigned default_port,
    const char **host, unsigned *port, struct err *e);

/* All addresses of a name in the resolver's order; *n at least 1. */
bool net_resolve(struct arena *a, const char *host, unsigned port, struct net_address **out,
    size_t *n, struct err *e);

/* "192.0.2.1" or "2001:db8::1", and with the port "192.0.2.1:80", "[2001:db8::1]:80". */
const char *net_say(struct arena *a, const struct net_address *n);
const char *net_say_port(struct arena *a, const struct net_address *n);

/* The address that this socket speaks from; NULL when the kernel does not say. */
const char *net_own(struct arena *a, int fd);

/* As far as addresses tell: the same IPv4 address, or IPv6 network of 64 bits. */
bool net_same_host(const struct net_address *x, const struct net_address *y);

bool net_ready(int fd);   /* close-on-exec, nonblocking */
void net_nodelay(int fd); /* small messages leave at once */
bool net_later(void);     /* errno of a read or write says no more than: ask poll() again */

/* A new socket of the address's family; -1 with an error. */
int net_socket(const struct net_address *to, struct err *e);

/*
 * Begin to connect: 1 done, 0 under way (poll for POLLOUT, then net_connected()), -1 failed with
 * errno set.
 */
int net_connect(int fd, const struct net_address *to);
int net_connected(int fd); /* 0 or the errno of the attempt */

/*
 * Listen on host ("*": all addresses, IPv4 and IPv6 by separate sockets) and port; 0: one that the
 * kernel chooses, the same for all.  At least one socket, or an error.
 */
bool net_listen(const char *host, unsigned port, int fd[NET_LISTEN_MAX], size_t *n,
    unsigned *real_port, struct err *e);

#endif
