#include "ssh_link.h"

#include "flow.h"
#include "net.h"
#include "ssh_known.h"
#include "ssh_revoked.h"
#include "stop.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT 22

/* Whatever libssh would ask a person, a passphrase above all, nobody answers. */
static int
answer_nothing(const char *prompt, char *buf, size_t len, int echo, int verify, void *userdata)
{
	(void)prompt, (void)buf, (void)len, (void)echo, (void)verify, (void)userdata;
	return -1;
}

static void
log_nothing(int priority, const char *function, const char *line, void *userdata)
{
	(void)priority, (void)function, (void)line, (void)userdata;
}

static bool
set(struct ssh_link *l, enum ssh_options_e what, const void *value, struct err *e)
{
	return ssh_options_set(l->session, what, value) == 0 ||
	    fail(e, ERR_FAILED, "%s: %s", l->name, ssh_get_error(l->session));
}

/* ---- what is asked, and what the user's settings make of it ---------------------------------- */

static bool
set_asked(struct ssh_link *l, struct err *e)
{
	return (l->to.user == NULL || set(l, SSH_OPTIONS_USER, l->to.user, e)) &&
	    (l->to.port == 0 || set(l, SSH_OPTIONS_PORT, &l->to.port, e));
}

/* What the command line says goes before the file: it is set once more behind it. */
static bool
read_config(struct ssh_link *l, struct err *e)
{
	const char *file = l->access->config;

	if (file == NULL)
		return true;
	if (*file != '\0' && access(file, R_OK) != 0)
		return fail(e, ERR_FAILED, "%s: %s", file, strerror(errno));
	/* libssh 0.11 keeps a ProxyJump to itself otherwise, and we would go around it. */
	if (setenv("OPENSSH_PROXYJUMP", "1", 1) != 0)
		return fail(e, ERR_FAILED, "the environment: %s", strerror(errno));
	if (ssh_options_parse_config(l->session, *file == '\0' ? NULL : file) != 0)
		return fail(e, ERR_USAGE, "%s: %s", *file == '\0' ? "~/.ssh/config" : file,
		    ssh_get_error(l->session));
	return set_asked(l, e);
}

static char *
option(struct ssh_link *l, enum ssh_options_e what)
{
	char *value = NULL, *copy = NULL;

	if (ssh_options_get(l->session, what, &value) == 0)
		copy = arena_strdup(l->arena, value);
	ssh_string_free_char(value);
	return copy;
}

static bool
settle(struct ssh_link *l, struct err *e)
{
	static const int no = 0;
	static const long seconds = 5; /* of what libssh itself would wait for; we wait ourselves */
	const char *home = getenv("HOME");

	/* It goes to stderr unfiltered, and the file of settings may turn it on. */
	ssh_set_log_callback(log_nothing);
	if (!set(l, SSH_OPTIONS_PROCESS_CONFIG, &no, e) ||
	    !set(l, SSH_OPTIONS_HOST, l->to.host, e) ||
	    (home != NULL && *home != '\0' && !set(l, SSH_OPTIONS_SSH_DIR,
		arena_printf(l->arena, "%s/.ssh", home), e)) ||
	    !set_asked(l, e) || !read_config(l, e) || !set(l, SSH_OPTIONS_TIMEOUT, &seconds, e))
		return false;
	l->to.host = option(l, SSH_OPTIONS_HOST);
	if (l->to.host == NULL || !ssh_name_plain(l->to.host))
		return fail(e, ERR_USAGE, "%s: HostName '%.60s' is not the name of a host", l->name,
		    l->to.host == NULL ? "" : l->to.host);
	if (ssh_options_get_port(l->session, &l->to.port) != 0 || l->to.port == 0)
		l->to.port = PORT;
	l->callbacks.auth_function = answer_nothing;
	ssh_callbacks_init(&l->callbacks);
	ssh_set_callbacks(l->session, &l->callbacks);
	ssh_set_blocking(l->session, 0);
	return true;
}

/* ---- the way there --------------------------------------------------------------------------- */

/* 0, or why it is not connected; a stop and the deadline are errors of their own. */
static bool
await_connection(struct ssh_link *l, int fd, double deadline_s, int *why, struct err *e)
{
	struct pollfd p[] = { { fd, POLLOUT, 0 }, { stop_fd(), POLLIN, 0 } };
	double left_ms;

	for (;;) {
		if (stop_requested() != 0)
			return fail(e, ERR_STOPPED, "%s: stopped by signal %d", l->name,
			    stop_requested());
		left_ms = (deadline_s - flow_clock_s()) * 1e3;
		if (left_ms <= 0) {
			*why = ETIMEDOUT;
			return true;
		}
		if (poll(p, NELEM(p), (int)left_ms + 1) > 0 && p[0].revents != 0) {
			*why = net_connected(fd);
			return true;
		}
	}
}

/* *fd is -1 and *why set where this address does not answer; false: no use to try another one. */
static bool
connect_one(struct ssh_link *l, const struct net_address *to, double deadline_s, int *fd, int *why,
    struct err *e)
{
	struct err no_socket = { ERR_NONE, "" };
	int on = 1, s = net_socket(to, &no_socket);
	bool ok = true;

	*fd = -1;
	*why = s == -1 ? EAFNOSUPPORT : 0;
	if (s == -1)
		return true;
	if (net_connect(s, to) == -1)
		*why = errno;
	else
		ok = await_connection(l, s, deadline_s, why, e);
	if (!ok || *why != 0) {
		close(s);
		return ok;
	}
	net_nodelay(s);
	(void)setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	*fd = s;
	return true;
}

/* Every address gets an equal part of the time that is left. */
static bool
connect_any(struct ssh_link *l, double deadline_s, int *fd, struct err *e)
{
	struct err unresolved = { ERR_NONE, "" };
	struct net_address *all = NULL;
	double now_s, until_s;
	int why = 0;
	size_t n;

	if (!net_resolve(l->arena, l->to.host, l->to.port, &all, &n, &unresolved))
		return fail(e, ERR_FAILED, "%s: %s", l->name, unresolved.text);
	for (size_t i = 0; i < n; i++) {
		now_s = flow_clock_s();
		until_s = now_s + (deadline_s - now_s) / (double)(n - i);
		if (!connect_one(l, &all[i], until_s, fd, &why, e))
			return false;
		if (*fd != -1)
			return true;
	}
	return fail(e, ERR_FAILED, "%s: cannot connect to %s: %s", l->name,
	    net_say_port(l->arena, &all[n - 1]), strerror(why));
}

static bool
reach(struct ssh_link *l, double deadline_s, int *fd, struct err *e)
{
	const char *line = option(l, SSH_OPTIONS_PROXYCOMMAND);
	struct ssh_proxy_for to = { l->asked, l->to.host, option(l, SSH_OPTIONS_USER), l->to.port,
		l->access->config };
	struct err why = { ERR_NONE, "" };
	const char **argv;

	if (line == NULL || *line == '\0' || strcmp(line, "none") == 0)
		return connect_any(l, deadline_s, fd, e);
	if (to.user == NULL)
		to.user = "";
	/* libssh would replace %h and the like itself, and refuse what it does not know. */
	if (!set(l, SSH_OPTIONS_PROXYCOMMAND, "none", e))
		return false;
	if (ssh_proxy_words(l->arena, line, &to, &argv, &why) &&
	    ssh_proxy_start(l->arena, argv, &l->proxy, fd, &why))
		return true;
	return fail(e, why.code, "%s: %s", l->name, why.text);
}

/* ---- is it the host? ------------------------------------------------------------------------- */

static bool
refuse_unknown(struct ssh_link *l, const struct ssh_known *k, const char *print, struct err *e)
{
	return fail(e, ERR_FAILED, "%s: the host's key is not in %s: %s; if the host itself shows "
	    "the same (ssh-keygen -lf on its /etc/ssh/ssh_host_*_key.pub), repeat with "
	    "--accept-new", l->name, k->file, print);
}

static bool
refuse_changed(struct ssh_link *l, const struct ssh_known *k, const char *known, const char *print,
    struct err *e)
{
	return fail(e, ERR_FAILED, "%s: the host's key is not the one in %s line %u: %s; somebody "
	    "may be in between, nothing is asked; if the key was really changed, remove the old "
	    "one by ssh-keygen -f %s -R '%s'", l->name, k->file, k->line, print, k->file, known);
}

static bool
verify_key(struct ssh_link *l, ssh_key key, struct err *e)
{
	struct arena *a = l->arena;
	const char *known = ssh_name_known(a, l->to.host, l->to.port);
	const char *print = ssh_known_fingerprint(a, key);
	const char *file = option(l, SSH_OPTIONS_KNOWNHOSTS);
	struct ssh_known k = { KNOWN_UNKNOWN, 0, NULL };

	if (file == NULL)
		return fail(e, ERR_FAILED, "%s: there is no file of known hosts", l->name);
	if (!ssh_known_ask(a, file, known, key, &k, e) || (l->access->config != NULL &&
	    !ssh_revoked_ask(a, l->access->config, key, &k, e)))
		return false;
	switch (k.verdict) {
	case KNOWN_OK:
		return true;
	case KNOWN_UNKNOWN:
		return l->access->accept_new ? ssh_known_record(a, file, known, key, e) :
		    refuse_unknown(l, &k, print, e);
	case KNOWN_CHANGED:
		return refuse_changed(l, &k, known, print, e);
	default:
		return fail(e, ERR_FAILED, "%s: the host's key is revoked by %s line %u: %s; "
		    "nothing is asked; the host needs a new key", l->name, k.file, k.line, print);
	}
}

static bool
verify(struct ssh_link *l, struct err *e)
{
	ssh_key key = NULL;
	bool ok;

	if (ssh_get_server_publickey(l->session, &key) != SSH_OK)
		return fail(e, ERR_FAILED, "%s: the host shows no key", l->name);
	ok = verify_key(l, key, e);
	ssh_key_free(key);
	return ok;
}

/* ---- who we are ------------------------------------------------------------------------------ */

/* Of ssh_userauth_*(): one of them until it is through. */
static bool
offer(struct ssh_link *l, ssh_key key, double deadline_s, int *result, struct err *e)
{
	for (;;) {
		*result = key != NULL ? ssh_userauth_publickey(l->session, NULL, key) :
		    ssh_userauth_publickey_auto(l->session, NULL, NULL);
		if (*result != SSH_AUTH_AGAIN)
			return true;
		if (!ssh_link_wait(l, deadline_s, "the login", l->silence_s, e))
			return false;
	}
}

/* *result stays where the file's key needs its passphrase: the agent may have it. */
static bool
offer_file(struct ssh_link *l, double deadline_s, int *result, bool *locked, struct err *e)
{
	const char *file = l->access->identity;
	ssh_key key = NULL;
	bool ok;

	if (file == NULL)
		return true;
	if (access(file, R_OK) != 0)
		return fail(e, ERR_FAILED, "--identity %s: %s", file, strerror(errno));
	*locked = ssh_pki_import_privkey_file(file, NULL, answer_nothing, NULL, &key) != SSH_OK;
	if (*locked)
		return true;
	ok = offer(l, key, deadline_s, result, e);
	ssh_key_free(key);
	return ok;
}

static bool
refuse_login(struct ssh_link *l, int result, bool locked, struct err *e)
{
	const char *user = option(l, SSH_OPTIONS_USER);
	int takes = ssh_userauth_list(l->session, NULL);

	if (result == SSH_AUTH_ERROR)
		return fail(e, ERR_FAILED, "%s: the login failed: %s", l->name, ssh_link_why(l));
	if (result == SSH_AUTH_PARTIAL)
		return fail(e, ERR_FAILED, "%s: the host wants more than a key, and pathtune has "
		    "nothing else", l->name);
	return fail(e, ERR_FAILED, "%s: the login of user %.64s is refused: %s%s; add a key "
	    "that it knows to the agent (ssh-add) or name its file (--identity); pathtune never "
	    "asks for a password", l->name, user == NULL ? "?" : user,
	    locked ? "the file of --identity is no key or has a passphrase, and " : "",
	    (takes & SSH_AUTH_METHOD_PUBLICKEY) != 0 ? "the host accepts none of the keys offered" :
	    "the host takes no keys");
}

static bool
log_in(struct ssh_link *l, double deadline_s, struct err *e)
{
	int result = SSH_AUTH_DENIED;
	bool locked = false;

	if (!offer_file(l, deadline_s, &result, &locked, e))
		return false;
	if (result == SSH_AUTH_DENIED && !offer(l, NULL, deadline_s, &result, e))
		return false;
	return result == SSH_AUTH_SUCCESS || refuse_login(l, result, locked, e);
}

bool
ssh_login(struct ssh_link *l, struct err *e)
{
	double deadline_s = flow_clock_s() + l->silence_s;
	int fd, rc;

	ssh_link_fresh(l);
	l->session = ssh_new();
	if (l->session == NULL)
		return fail(e, ERR_FAILED, "%s: libssh could not be initialized", l->name);
	if (!settle(l, e) || !reach(l, deadline_s, &fd, e))
		return false;
	if (!set(l, SSH_OPTIONS_FD, &fd, e)) {
		close(fd);
		return false;
	}
	while ((rc = ssh_connect(l->session)) == SSH_AGAIN) {
		if (!ssh_link_wait(l, deadline_s, "the login", l->silence_s, e))
			return false;
	}
	if (rc != SSH_OK)
		return fail(e, ERR_FAILED, "%s: no ssh session: %s", l->name, ssh_link_why(l));
	if (!verify(l, e) || !log_in(l, deadline_s, e))
		return false;
	l->to.user = option(l, SSH_OPTIONS_USER);
	l->ready = true;
	return true;
}
