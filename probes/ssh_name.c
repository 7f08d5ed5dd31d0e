#include "ssh_name.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define HOST_BYTES 253
#define USER_BYTES 64

static bool
plain(const char *s, const char *allowed, size_t most)
{
	size_t n = strlen(s);

	return n != 0 && n <= most && (isalnum((unsigned char)*s) || *s == '_') &&
	    strspn(s, allowed) == n;
}

/* "fe80::1" or "fe80::1%eth0" */
static bool
is_v6(const char *host)
{
	size_t n = strcspn(host, "%");
	struct in6_addr any;
	char address[INET6_ADDRSTRLEN];

	if (n >= sizeof(address) || (host[n] == '%' && !plain(host + n + 1, LETTERS "_.-", 16)))
		return false;
	memcpy(address, host, n);
	address[n] = '\0';
	return inet_pton(AF_INET6, address, &any) == 1;
}

bool
ssh_name_plain(const char *host)
{
	return is_v6(host) || plain(host, LETTERS "_.-", HOST_BYTES);
}

static bool
parse_port(const char *digits, unsigned *port)
{
	size_t n = strspn(digits, "0123456789");
	unsigned long v = n >= 1 && n <= 5 && digits[n] == '\0' ? strtoul(digits, NULL, 10) : 0;

	*port = (unsigned)v;
	return v >= 1 && v <= 65535;
}

/* Where the host ends; *host is it, NULL when it cannot be one. */
static const char *
take_host(struct arena *a, const char *s, const char **host)
{
	bool bracket = *s == '[';
	size_t n = strcspn(s + bracket, bracket ? "]" : ":");
	char *name = arena_strndup(a, s + bracket, n);
	const char *end = s + bracket + n;

	*host = NULL;
	if (bracket ? *end == ']' && is_v6(name) : !is_v6(name) && ssh_name_plain(name))
		*host = name;
	return bracket && *end == ']' ? end + 1 : end;
}

bool
ssh_name_parse(struct arena *a, const char *text, struct ssh_name *out, struct err *e)
{
	const char *at = strchr(text, '@'), *end;
	struct ssh_name n = { NULL, NULL, 0 };

	if (at != NULL) {
		n.user = arena_strndup(a, text, (size_t)(at - text));
		if (!plain(n.user, LETTERS "_.+-", USER_BYTES))
			return fail(e, ERR_USAGE, "'ssh://%.60s': '%.40s' is not the name of a "
			    "user", text, n.user);
	}
	end = take_host(a, at != NULL ? at + 1 : text, &n.host);
	if (n.host == NULL)
		return fail(e, ERR_USAGE, "'ssh://%.60s' is not ssh://[user@]name[:port]; an IPv6 "
		    "address stands in brackets", text);
	if (*end != '\0' && (*end != ':' || !parse_port(end + 1, &n.port)))
		return fail(e, ERR_USAGE, "'ssh://%.60s': only a port, 1 to 65535, may follow the "
		    "name", text);
	*out = n;
	return true;
}

const char *
ssh_name_say(struct arena *a, const struct ssh_name *n)
{
	bool v6 = strchr(n->host, ':') != NULL;
	struct text t = { .arena = a };

	text_add(&t, "ssh://");
	if (n->user != NULL)
		text_add(&t, "%s@", n->user);
	text_add(&t, v6 ? "[%s]" : "%s", n->host);
	if (n->port != 0)
		text_add(&t, ":%u", n->port);
	return t.s;
}

const char *
ssh_name_known(struct arena *a, const char *host, unsigned port)
{
	char *name = port == 22 ? arena_strdup(a, host) : arena_printf(a, "[%s]:%u", host, port);

	for (char *s = name; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
	return name;
}
