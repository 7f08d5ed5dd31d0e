#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 128
#define PORT_TRIES 8 /* a port that the kernel chose for one family may be taken in the other */

static bool
parse_port(const char *what, const char *text, const char *digits, unsigned *port, struct err *e)
{
	size_t n = strspn(digits, "0123456789");
	unsigned long v = n >= 1 && n <= 5 ? strtoul(digits, NULL, 10) : 65536;

	if (digits[n] != '\0' || v > 65535)
		return fail(
		    e, ERR_USAGE, "%s '%.200s': the port must be a number up to 65535", what, text);
	*port = (unsigned)v;
	return true;
}

bool
net_parse(struct arena *a, const char *what, const char *text, unsigned default_port,
    const char **host, unsigned *port, struct err *e)
{
	const char *begin = text, *colon = strrchr(text, ':'), *end = text + strlen(text);
	unsigned p = default_port;

	if (strstr(text, "://") != NULL)
		return fail(
		    e, ERR_USAGE, "%s '%.200s': expected name[:port], not a URL", what, text);
	if (text[0] == '[') {
		begin = text + 1;
		end = strchr(begin, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return fail(
			    e, ERR_USAGE, "%s '%.200s': expected [address]:port", what, text);
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon != NULL && strchr(text, ':') == colon) {
		end = colon;
	} else {
		colon = NULL; /* none, or a bare IPv6 address */
	}
	if (colon != NULL && !parse_port(what, text, colon + 1, &p, e))
		return false;
	if (end == begin || end - begin > 253)
		return fail(e, ERR_USAGE, "%s '%.200s': expected a name or address", what, text);
	*host = arena_strndup(a, begin, (size_t)(end - begin));
	*port = p;
	return true;
}

static bool
look_up(const char *host, unsigned port, int flags, struct addrinfo **list, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags };
	char service[8];
	int why;

	snprintf(service, sizeof(service), "%u", port);
	why = getaddrinfo(host, service, &hints, list);
	if (why != 0)
		return fail(e, ERR_FAILED, "cannot resolve '%.200s': %s", host,
		    why == EAI_SYSTEM ? strerror(errno) : gai_strerror(why));
	return true;
}

static struct net_address
address_of(const struct addrinfo *i)
{
	struct net_address n = { .len = i->ai_addrlen };

	memcpy(&n.addr, i->ai_addr, i->ai_addrlen);
	return n;
}

bool
net_resolve(struct arena *a, const char *host, unsigned port, struct net_address **out, size_t *n,
    struct err *e)
{
	struct addrinfo *list;

	if (!look_up(host, port, 0, &list, e))
		return false;
	*out = NULL;
	*n = 0;
	for (struct addrinfo *i = list; i != NULL; i = i->ai_next)
		*(struct net_address *)arena_push(a, out, n, sizeof(**out)) = address_of(i);
	freeaddrinfo(list);
	return true;
}

static void
numbers(const struct net_address *n, char host[NI_MAXHOST], char port[8])
{
	if (getnameinfo((const struct sockaddr *)&n->addr, n->len, host, NI_MAXHOST, port, 8,
		NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		strcpy(host, "?");
		strcpy(port, "?");
	}
}

const char *
net_say(struct arena *a, const struct net_address *n)
{
	char host[NI_MAXHOST], port[8];

	numbers(n, host, port);
	return arena_strdup(a, host);
}

const char *
net_say_port(struct arena *a, const struct net_address *n)
{
	char host[NI_MAXHOST], port[8];

	numbers(n, host, port);
	return arena_printf(a, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
}

const char *
net_own(struct arena *a, int fd)
{
	struct net_address own = { .len = sizeof(own.addr) };

	return getsockname(fd, (struct sockaddr *)&own.addr, &own.len) == 0 ? net_say(a, &own) :
	    NULL;
}

bool
net_same_host(const struct net_address *x, const struct net_address *y)
{
	const struct sockaddr_in6 *x6 = (const struct sockaddr_in6 *)&x->addr;
	const struct sockaddr_in6 *y6 = (const struct sockaddr_in6 *)&y->addr;

	if (x->addr.ss_family != y->addr.ss_family)
		return false;
	if (x->addr.ss_family == AF_INET6)
		return memcmp(&x6->sin6_addr, &y6->sin6_addr, 8) == 0;
	return ((const struct sockaddr_in *)&x->addr)->sin_addr.s_addr ==
	    ((const struct sockaddr_in *)&y->addr)->sin_addr.s_addr;
}

bool
net_ready(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags != -1 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

void
net_nodelay(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* slower without */
}

bool
net_later(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS;
}

int
net_socket(const struct net_address *to, struct err *e)
{
	int fd = socket(to->addr.ss_family, SOCK_STREAM, 0);

	if (fd != -1 && net_ready(fd))
		return fd;
	fail(e, ERR_FAILED, "socket: %s", strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

int
net_connect(int fd, const struct net_address *to)
{
	if (connect(fd, (const struct sockaddr *)&to->addr, to->len) == 0)
		return 1;
	return errno == EINPROGRESS || errno == EINTR ? 0 : -1;
}

int
net_connected(int fd)
{
	int why = 0;
	socklen_t len = sizeof(why);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) == 0 ? why : errno;
}

static unsigned
port_of(int fd)
{
	struct sockaddr_storage s;
	socklen_t len = sizeof(s);

	if (getsockname(fd, (struct sockaddr *)&s, &len) != 0)
		return 0;
	return ntohs(s.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&s)->sin6_port
					     : ((struct sockaddr_in *)&s)->sin_port);
}

/* One listening socket, or -1 with errno. */
static int
listen_one(const struct addrinfo *i)
{
	int fd = socket(i->ai_family, SOCK_STREAM, 0), on = 1, saved;

	if (fd == -1)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if ((i->ai_family != AF_INET6 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    net_ready(fd) && bind(fd, i->ai_addr, i->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static void
close_all(int *fd, size_t *n)
{
	while (*n > 0)
		close(fd[--*n]);
}

/*
 * One attempt.  A family that this host does not have is no failure as long as another one works;
 * a port that is taken is.
 */
static bool
listen_try(const char *host, unsigned port, int *fd, size_t *n, unsigned *real, struct err *e)
{
	struct addrinfo *list;
	int why = 0;

	*n = 0;
	*real = port;
	if (!look_up(strcmp(host, "*") == 0 ? NULL : host, port, AI_PASSIVE, &list, e))
		return false;
	for (struct addrinfo *i = list; i != NULL && *n < NET_LISTEN_MAX; i = i->ai_next) {
		in_port_t *p = i->ai_family == AF_INET6
		    ? &((struct sockaddr_in6 *)i->ai_addr)->sin6_port
		    : &((struct sockaddr_in *)i->ai_addr)->sin_port;

		*p = htons((uint16_t)*real);
		fd[*n] = listen_one(i);
		if (fd[*n] == -1)
			why = errno;
		if (fd[*n] == -1 && why == EADDRINUSE)
			break;
		if (fd[*n] != -1 && *real == 0)
			*real = port_of(fd[*n]);
		*n += fd[*n] != -1;
	}
	freeaddrinfo(list);
	if (*n > 0 && why != EADDRINUSE)
		return true;
	close_all(fd, n);
	errno = why;
	return fail(
	    e, ERR_FAILED, "cannot listen on %.200s port %u: %s", host, port, strerror(why));
}

bool
net_listen(const char *host, unsigned port, int fd[NET_LISTEN_MAX], size_t *n, unsigned *real_port,
    struct err *e)
{
	struct err first = { .code = ERR_NONE };

	for (int i = 0; i < (port == 0 ? PORT_TRIES : 1); i++) {
		first.code = ERR_NONE;
		if (listen_try(host, port, fd, n, real_port, &first))
			return true;
	}
	return fail(e, first.code, "%s", first.text);
}
