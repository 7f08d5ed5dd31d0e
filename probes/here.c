#include "here.h"
#include "ssh_name.h"

#include <string.h>
#include <unistd.h>

/* Of IPv4 or IPv6, this with a zone. */
static bool
is_address(const char *s, size_t n)
{
	static const char zone[] = "0123456789_.-abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t digits = strspn(s, "0123456789abcdefABCDEF:.");

	if (n == 0 || n >= 64 || strcspn(s, ".:") >= n)
		return false;
	return digits >= n || (s[digits] == '%' && digits + 1 + strspn(s + digits + 1, zone) >= n);
}

bool
here_login(struct arena *a, const char *text, const char **client, const char **server)
{
	const char *word[4], *s = text;
	size_t len[4];

	for (size_t i = 0; i < NELEM(word); i++) {
		s += strspn(s, " ");
		word[i] = s;
		len[i] = strcspn(s, " \r\n");
		s += len[i];
	}
	if (!is_address(word[0], len[0]) || !is_address(word[2], len[2]) || len[3] == 0)
		return false;
	*client = arena_strndup(a, word[0], len[0]);
	*server = arena_strndup(a, word[2], len[2]);
	return true;
}

static void
add_host(struct arena *a, struct here *h, const char *name)
{
	struct err ignored = { ERR_NONE, "" };
	struct net_address *found;
	size_t n;

	if (name == NULL || !net_resolve(a, name, 0, &found, &n, &ignored))
		return;
	for (size_t i = 0; i < n && h->n_host < HERE_HOSTS; i++)
		h->host[h->n_host++] = found[i];
}

/* The address that the kernel would speak from; nothing is sent. */
static const char *
speaking_to(struct arena *a, const struct net_address *to)
{
	int fd = socket(to->addr.ss_family, SOCK_DGRAM, 0);
	const char *s = NULL;

	if (fd == -1)
		return NULL;
	if (connect(fd, (const struct sockaddr *)&to->addr, to->len) == 0)
		s = net_own(a, fd);
	close(fd);
	return s;
}

static const char *
ssh_host(struct arena *a, const char *name)
{
	static const char prefix[] = "ssh://";
	struct err ignored = { ERR_NONE, "" };
	struct ssh_name n;

	if (name == NULL || strncmp(name, prefix, sizeof(prefix) - 1) != 0 ||
	    !ssh_name_parse(a, name + sizeof(prefix) - 1, &n, &ignored))
		return NULL;
	return n.host;
}

/* What its login says; "" where it says nothing. */
static bool
ask_login(struct arena *a, struct host *h, const char **text, struct err *e)
{
	static const char *const login[] = { "sh", "-c", "echo \"$SSH_CONNECTION\"", NULL };
	const struct command c = { .argv = login };
	struct output o;

	if (!host_run(h, a, &c, 1, &o, e))
		return false;
	*text = o.text;
	return true;
}

bool
here_peer(struct arena *a, struct host *h, const char *name, const char **address, size_t n,
    struct err *e)
{
	const char *client, *server = NULL, *named = ssh_host(a, name), *text;
	size_t used = 0;

	if (!ask_login(a, h, &text, e))
		return false;
	(void)here_login(a, text, &client, &server);
	for (size_t i = 0; i < n; i++)
		address[i] = NULL;
	if (named != NULL && used < n)
		address[used++] = named;
	if (server != NULL && used < n && (named == NULL || strcmp(named, server) != 0))
		address[used++] = server;
	return used > 0 || fail(e, ERR_FAILED, "%s: its address is not known", name);
}

bool
here_find(struct arena *a, const struct endpoint_spec *s, struct here *out, struct err *e)
{
	const char *client, *server, *text;
	struct net_address *given;
	struct here h = { .address = NULL };
	size_t n;

	if (!ask_login(a, s->host, &text, e))
		return false;
	if (here_login(a, text, &client, &server)) {
		h.address = client;
		add_host(a, &h, server);
	}
	add_host(a, &h, ssh_host(a, s->host_name));
	/* By sudo or doas the login is forgotten. */
	for (size_t i = 0; i < h.n_host && h.address == NULL; i++)
		h.address = speaking_to(a, &h.host[i]);
	if (s->access != NULL && s->access->here != NULL) {
		if (!net_resolve(a, s->access->here, 0, &given, &n, e))
			return false;
		h.address = net_say(a, &given[0]);
	}
	if (h.address == NULL)
		return fail(e, ERR_USAGE, "--peer here: by which address the host reaches this "
		    "machine is not known; say it with --here ADDRESS");
	*out = h;
	return true;
}
