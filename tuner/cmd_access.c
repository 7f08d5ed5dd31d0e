/*
 * cmd_access: the flags of every command that takes a HOST: how an ssh:// one is reached, and who
 * asks there.
 */
#include "cmd.h"
#include "../probes/host.h"

#include <string.h>

#define TIMEOUT_LEAST_S 0.1
#define TIMEOUT_MOST_S 600

enum { N_FLAGS = 5, N_MEASURING = 2 };

/* Both tables in one; n entries of the second. */
static struct opt *
joined(struct arena *a, const struct opt *own, const struct opt *more, size_t n_more)
{
	struct opt *all;
	size_t n = 0;

	while (own[n].name != NULL)
		n++;
	all = arena_array(a, n + n_more + 1, sizeof(*all));
	if (n != 0)
		memcpy(all, own, n * sizeof(*all));
	memcpy(all + n, more, (n_more + 1) * sizeof(*all));
	return all;
}

struct opt *
cmd_access_flags(struct arena *a, const struct opt *own, struct host_access *x)
{
	const struct opt flags[N_FLAGS + 1] = {
		{ "identity", 0, OPT_STRING, &x->identity, 0, 0, NULL, "FILE",
			"ssh: a private key, tried before those of the agent", false },
		{ "ssh-config", 0, OPT_OPTIONAL, &x->config, 0, 0, NULL, "FILE",
			"ssh: obey it, or without FILE ~/.ssh/config", false },
		{ "accept-new", 0, OPT_FLAG, &x->accept_new, 0, 0, NULL, NULL,
			"ssh: record the key of a host that is not known yet", false },
		{ "become", 0, OPT_ENUM, &x->become, 0, 0, host_become_names, "none|sudo|doas",
			"ssh: ask there as root by this program (none)", false },
		{ "ssh-timeout", 0, OPT_TIME, &x->timeout_s, TIMEOUT_LEAST_S, TIMEOUT_MOST_S, NULL,
			"TIME", "ssh: for the login, and of silence later (15s)", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};

	return joined(a, own, flags, N_FLAGS);
}

struct opt *
cmd_peer_flags(struct arena *a, const struct opt *own, struct host_access *x)
{
	const struct opt flags[N_MEASURING + 1] = {
		{ "agent", 0, OPT_STRING, &x->agent, 0, 0, NULL, "PATH",
			"ssh: pathtune there, if it is not where programs are", false },
		{ "here", 0, OPT_STRING, &x->here, 0, 0, NULL, "ADDRESS",
			"--peer here: this machine's address, as the host reaches it", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};

	return cmd_access_flags(a, joined(a, own, flags, N_MEASURING), x);
}

bool
cmd_is_ssh(const char *name)
{
	return name != NULL && strncmp(name, "ssh://", 6) == 0;
}

bool
cmd_access_check(const struct opt *opts, const char *host, const char *peer, struct err *e)
{
	static const char *const names[N_FLAGS + 1] = { "identity", "ssh-config", "accept-new",
		"become", "ssh-timeout", "agent" };

	if (cmd_given(opts, "here") && (peer == NULL || strcmp(peer, "here") != 0))
		return fail(e, ERR_USAGE, "--here is of use only with --peer here");
	for (size_t i = 0; i < NELEM(names); i++) {
		bool via = strcmp(names[i], "agent") == 0 && host != NULL &&
		    strncmp(host, "via:", 4) == 0;

		if (cmd_given(opts, names[i]) && !via && !cmd_is_ssh(host) && !cmd_is_ssh(peer))
			return fail(e, ERR_USAGE, "--%s is of use only with an ssh:// host",
			    names[i]);
	}
	return true;
}
