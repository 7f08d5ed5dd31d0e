/*
 * Whose key a host shows, and whose we show: known_hosts, keys, agent, ssh_config, proxies.
 */
#include "sshd.h"

#include "probes/host.h"
#include "probes/stop.h"

static struct arena *a;
static struct sshd *s;
static struct err e;
static struct host *h;

static void
setup(void)
{
	a = arena_new();
	cr_assert(stop_install());
	s = sshd_start(a);
}

static void
teardown(void)
{
	sshd_end(s);
	arena_free(a);
}

TestSuite(ssh_keys, .init = setup, .fini = teardown);

/* NULL: logged in, and it answers; else the error. */
static const char *
enter(const char *name, const struct host_access *access)
{
	struct command c = { .argv = (const char *const[]){ "echo", "hello", NULL } };
	struct output o;
	bool ok;

	e = (struct err){ 0 };
	if (!host_open_by(a, name, access, &h, &e))
		return e.text;
	ok = host_run(h, a, &c, 1, &o, &e) && strcmp(o.text, "hello\n") == 0;
	host_close(h);
	return ok ? NULL : "it does not answer";
}

#define EXPECT_IN(name, access) \
	do { \
		const char *why_ = enter(name, access); \
		cr_expect_null(why_, "%s", why_); \
	} while (0)
#define EXPECT_OUT(name, access, word) \
	do { \
		const char *why_ = enter(name, access); \
		cr_assert_not_null(why_, "logged in"); \
		cr_expect_not_null(strstr(why_, word), "%s", why_); \
	} while (0)

static const struct host_access new_ones = { .accept_new = true };

static bool
nobody_logged_in(void)
{
	return strstr(sshd_read(s, "log"), "Accepted publickey") == NULL;
}

/* "SHA256:.." as ssh-keygen says it. */
static const char *
fingerprint(const char *key)
{
	const char *line;

	SSHD_DO("sh", "-c", arena_printf(a, "ssh-keygen -lf %s.pub >%s", sshd_path(s, key),
	    sshd_path(s, "print")));
	line = strstr(sshd_read(s, "print"), "SHA256:");
	cr_assert_not_null(line);
	return arena_strndup(a, line, strcspn(line, " "));
}

Test(ssh_keys, an_unknown_host_is_refused_with_its_fingerprint_and_what_to_do)
{
	sshd_write(s, ".ssh/known_hosts", 0600, "");
	EXPECT_OUT(s->name, NULL, fingerprint("host_key"));
	cr_expect_not_null(strstr(e.text, "--accept-new"));
	cr_expect_not_null(strstr(e.text, "/.ssh/known_hosts"));
	cr_expect_eq(e.code, ERR_FAILED);
	cr_expect_str_eq(sshd_read(s, ".ssh/known_hosts"), "", "nothing is recorded");
	cr_expect(nobody_logged_in());
	unlink(sshd_path(s, ".ssh/known_hosts"));
	EXPECT_OUT(s->name, NULL, "--accept-new");
}

Test(ssh_keys, accept_new_records_an_unknown_host_as_ssh_would)
{
	const char *others = "other.example ssh-ed25519 AAAA\n# no newline at the end";
	const char *line = arena_printf(a, "\n[127.0.0.1]:%u ssh-ed25519 ", s->port), *text;

	sshd_write(s, ".ssh/known_hosts", 0600, others);
	EXPECT_IN(s->name, &new_ones);
	text = sshd_read(s, ".ssh/known_hosts");
	cr_expect_eq(strncmp(text, others, strlen(others)), 0);
	cr_expect_eq(strncmp(text + strlen(others), line, strlen(line)), 0, "%s", text);
	EXPECT_IN(s->name, NULL);
	EXPECT_IN(s->name, &new_ones);
	cr_expect_str_eq(sshd_read(s, ".ssh/known_hosts"), text, "once");
	SSHD_DO("rm", "-r", sshd_path(s, ".ssh/known_hosts"));
	EXPECT_IN(s->name, &new_ones);
	cr_expect_str_eq(strchr(line, '['), arena_strndup(a, sshd_read(s, ".ssh/known_hosts"),
	    strlen(line) - 1));
}

Test(ssh_keys, a_changed_key_is_refused_and_never_recorded)
{
	const char *before;

	sshd_keygen(s, "ed25519", "old_key", "");
	sshd_known(s, "old_key");
	before = sshd_read(s, ".ssh/known_hosts");
	EXPECT_OUT(s->name, NULL, "is not the one in");
	cr_expect_not_null(strstr(e.text, arena_printf(a, "ssh-keygen -f %s -R '[127.0.0.1]:%u'",
	    sshd_path(s, ".ssh/known_hosts"), s->port)), "%s", e.text);
	cr_expect_not_null(strstr(e.text, fingerprint("host_key")));
	EXPECT_OUT(s->name, &new_ones, "is not the one in");
	cr_expect_str_eq(sshd_read(s, ".ssh/known_hosts"), before);
	cr_expect(nobody_logged_in());
}

Test(ssh_keys, a_key_of_another_kind_is_a_changed_one)
{
	sshd_keygen(s, "ecdsa", "old_key", "");
	sshd_known(s, "old_key");
	EXPECT_OUT(s->name, &new_ones, "is not the one in");
	cr_expect(nobody_logged_in());
}

Test(ssh_keys, a_known_line_behind_one_that_cannot_be_read_still_counts)
{
	const char *own;

	sshd_keygen(s, "ed25519", "old_key", "");
	sshd_known(s, "old_key");
	own = sshd_read(s, ".ssh/known_hosts");
	sshd_write(s, ".ssh/known_hosts", 0600, arena_printf(a, "* no-such-kind AAAA\n%s", own));
	EXPECT_OUT(s->name, &new_ones, "is not the one in");
	sshd_known(s, "host_key");
	own = sshd_read(s, ".ssh/known_hosts");
	sshd_write(s, ".ssh/known_hosts", 0600, arena_printf(a, "127.0.0.1\nx y z\n\n\t\n%s", own));
	EXPECT_IN(s->name, NULL);
}

Test(ssh_keys, a_revoked_key_is_refused_although_it_is_known)
{
	const char *key = sshd_read(s, "host_key.pub"), *known = sshd_read(s, ".ssh/known_hosts");
	const char *before;

	sshd_write(s, ".ssh/known_hosts", 0600, arena_printf(a, "%s@revoked * %s", known, key));
	before = sshd_read(s, ".ssh/known_hosts");
	EXPECT_OUT(s->name, NULL, "is revoked by");
	cr_expect_not_null(strstr(e.text, "known_hosts line 2: "), "%s", e.text);
	EXPECT_OUT(s->name, &new_ones, "is revoked by");
	cr_expect_str_eq(sshd_read(s, ".ssh/known_hosts"), before);
	cr_expect(nobody_logged_in());
	sshd_write(s, ".ssh/known_hosts", 0600, arena_printf(a, "@revoked * %s", key));
	EXPECT_OUT(s->name, &new_ones, "is revoked by");
	sshd_keygen(s, "ed25519", "old_key", "");
	sshd_write(s, ".ssh/known_hosts", 0600, arena_printf(a, "%s@revoked * %s", known,
	    sshd_read(s, "old_key.pub")));
	EXPECT_IN(s->name, NULL);
}

Test(ssh_keys, hashed_names_are_known_too)
{
	SSHD_DO("ssh-keygen", "-q", "-H", "-f", sshd_path(s, ".ssh/known_hosts"));
	cr_assert_eq(strncmp(sshd_read(s, ".ssh/known_hosts"), "|1|", 3), 0);
	EXPECT_IN(s->name, NULL);
	sshd_keygen(s, "ed25519", "old_key", "");
	sshd_known(s, "old_key");
	SSHD_DO("ssh-keygen", "-q", "-H", "-f", sshd_path(s, ".ssh/known_hosts"));
	EXPECT_OUT(s->name, &new_ones, "is not the one in");
}

/* The key of this type as a line of known_hosts for these patterns. */
static const char *
line_for(const char *patterns, const char *key)
{
	return arena_printf(a, "%s %s", patterns, sshd_read(s, arena_printf(a, "%s.pub", key)));
}

Test(ssh_keys, a_line_is_read_as_ssh_reads_it)
{
	const char *key = line_for(arena_printf(a, "[127.0.0.1]:%u", s->port), "host_key");
	const char *other;

	sshd_keygen(s, "ed25519", "old_key", "");
	other = line_for(arena_printf(a, "[127.0.0.1]:%u", s->port), "old_key");
	sshd_write(s, ".ssh/known_hosts", 0600, arena_printf(a, "\t %.*s\r\n",
	    (int)strcspn(key, "\n"), key));
	EXPECT_IN(s->name, NULL);
	sshd_write(s, ".ssh/known_hosts", 0600, arena_printf(a, "%s%s", other, key));
	EXPECT_IN(s->name, NULL);
	sshd_write(s, ".ssh/known_hosts", 0600, line_for(arena_printf(a, "a.example,[127.0.0.1]:%u,b",
	    s->port), "host_key"));
	EXPECT_IN(s->name, NULL);
	sshd_write(s, ".ssh/known_hosts", 0600, line_for("127.0.0.1", "host_key"));
	EXPECT_OUT(s->name, NULL, "the host's key is not in");
	sshd_write(s, ".ssh/known_hosts", 0600, line_for("@cert-authority *", "host_key"));
	EXPECT_OUT(s->name, NULL, "the host's key is not in");
	sshd_write(s, ".ssh/known_hosts", 0600, arena_printf(a, "#%s", key));
	EXPECT_OUT(s->name, NULL, "the host's key is not in");
}

Test(ssh_keys, of_several_keys_of_a_host_the_known_one_is_asked_for)
{
	const char *const types[] = { "rsa", "ecdsa" };
	const char *more = arena_printf(a, "HostKey %s/ecdsa_key\nHostKey %s/rsa_key\n", s->dir,
	    s->dir);

	for (size_t i = 0; i < NELEM(types); i++)
		sshd_keygen(s, types[i], arena_printf(a, "%s_key", types[i]), "");
	sshd_personality(s, NULL, more);
	EXPECT_IN(s->name, NULL);
	for (size_t i = 0; i < NELEM(types); i++) {
		sshd_known(s, arena_printf(a, "%s_key", types[i]));
		EXPECT_IN(s->name, NULL);
	}
}

static size_t
open_descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

Test(ssh_keys, no_end_of_a_login_leaves_a_descriptor_or_a_process)
{
	const struct host_access through = { .config = sshd_write(s, "config", 0600, arena_printf(a,
	    "Host box\n ProxyJump gate\nHost no\n ProxyCommand sh -c 'exit 1'\n"
	    "Host *\n HostName 127.0.0.1\n Port %u\n IdentityFile %s/.ssh/id_ed25519\n"
	    " UserKnownHostsFile %s/.ssh/known_hosts\n", s->port, s->dir, s->dir)) };
	size_t before;

	EXPECT_IN(s->name, NULL);
	before = open_descriptors();
	EXPECT_IN(s->name, NULL);
	EXPECT_IN("ssh://box", &through);
	EXPECT_OUT("ssh://no", &through, "ssh://no: ");
	EXPECT_OUT("ssh://127.0.0.1:1", NULL, "refused");
	sshd_write(s, "authorized", 0600, "");
	EXPECT_OUT(s->name, NULL, "is refused");
	EXPECT_OUT("ssh://box", &through, "Permission denied");
	sshd_write(s, ".ssh/known_hosts", 0600, "");
	EXPECT_OUT(s->name, NULL, "the host's key is not in");
	EXPECT_OUT("ssh://box", &through, "verification failed");
	cr_expect_eq(open_descriptors(), before);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), 0, "the sshd is the only child");
}

Test(ssh_keys, a_login_without_a_key_that_is_accepted_is_refused_and_never_asks)
{
	sshd_write(s, "authorized", 0600, "");
	EXPECT_OUT(s->name, NULL, arena_printf(a,
	    "the login of user %s is refused: the host accepts none of the keys offered", s->user));
	cr_expect_not_null(strstr(e.text, "never asks for a password"));
	EXPECT_OUT(arena_printf(a, "ssh://nobody-%d@127.0.0.1:%u", (int)getpid(), s->port), NULL,
	    "the login of user nobody-");
}

Test(ssh_keys, the_file_of_identity_is_offered_and_a_locked_one_never_asks)
{
	struct host_access with = { .identity = sshd_path(s, "elsewhere") };

	EXPECT_OUT(s->name, &with, "elsewhere: No such file or directory");
	SSHD_DO("mv", sshd_path(s, ".ssh/id_ed25519"), sshd_path(s, "elsewhere"));
	unlink(sshd_path(s, ".ssh/id_ed25519.pub"));
	EXPECT_OUT(s->name, NULL, "is refused");
	EXPECT_IN(s->name, &with);
	SSHD_DO("ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", with.identity);
	EXPECT_OUT(s->name, &with, "is no key or has a passphrase");
	SSHD_DO("ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "secret", "-N", "secret", "-f",
	    with.identity);
	EXPECT_OUT(s->name, &with, "is no key or has a passphrase");
	sshd_write(s, "elsewhere", 0600, "no key\n");
	EXPECT_OUT(s->name, &with, "is no key or has a passphrase");
}

Test(ssh_keys, the_keys_of_the_agent_are_offered)
{
	const char *socket = sshd_path(s, "agent");
	pid_t agent = fork();

	if (agent == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!freopen("/dev/null", "w", stdout);
		execlp("ssh-agent", "ssh-agent", "-D", "-a", socket, (char *)NULL);
		_exit(127);
	}
	while (access(socket, F_OK) != 0)
		sched_yield();
	setenv("SSH_AUTH_SOCK", socket, 1);
	SSHD_DO("sh", "-c", "until ssh-add -q $HOME/.ssh/id_ed25519; do :; done 2>/dev/null");
	SSHD_DO("rm", sshd_path(s, ".ssh/id_ed25519"), sshd_path(s, ".ssh/id_ed25519.pub"));
	EXPECT_IN(s->name, NULL);
	SSHD_DO("ssh-add", "-q", "-D");
	EXPECT_OUT(s->name, NULL, "is refused");
	kill(agent, SIGKILL);
	waitpid(agent, NULL, 0);
}

Test(ssh_keys, settings_are_obeyed_on_request_only)
{
	struct host_access with = { .config = sshd_write(s, "config", 0600, arena_printf(a,
	    "Host box\n HostName 127.0.0.1\n Port %u\n User %s\n IdentityFile %s/elsewhere\n"
	    " StrictHostKeyChecking no\n LogLevel DEBUG3\n", s->port, s->user, s->dir)) };

	SSHD_DO("mv", sshd_path(s, ".ssh/id_ed25519"), sshd_path(s, "elsewhere"));
	unlink(sshd_path(s, ".ssh/id_ed25519.pub"));
	EXPECT_IN("ssh://box", &with);
	EXPECT_OUT("ssh://root@box:1", &with, "cannot connect to 127.0.0.1:1: Connection refused");
	EXPECT_OUT("ssh://box", NULL, "ssh://box: cannot resolve 'box'");
	SSHD_DO("cp", with.config, sshd_path(s, ".ssh/config"));
	EXPECT_OUT("ssh://box", NULL, "ssh://box: cannot resolve 'box'");
	with.config = "";
	EXPECT_IN("ssh://box", &with);
	sshd_write(s, ".ssh/known_hosts", 0600, "");
	EXPECT_OUT("ssh://box", &with, "--accept-new");
	with.config = sshd_path(s, "none");
	EXPECT_OUT("ssh://box", &with, "none: No such file or directory");
}

static struct host_access
box_with(const char *line)
{
	return (struct host_access){ .config = sshd_write(s, "config", 0600, arena_printf(a,
	    "Host box\n HostName 127.0.0.1\n Port %u\n %s\n", s->port, line)) };
}

Test(ssh_keys, a_list_of_revoked_keys_in_the_settings_is_obeyed)
{
	const char *file = sshd_write(s, "gone", 0600, "");
	struct host_access with = box_with(arena_printf(a, "Host other\n revokedhostkeys = \"%s\"",
	    file));

	EXPECT_IN("ssh://box", &with);
	sshd_keygen(s, "ed25519", "old_key", "");
	sshd_write(s, "gone", 0600, arena_printf(a, "# of last year\n\n%s",
	    sshd_read(s, "old_key.pub")));
	EXPECT_IN("ssh://box", &with);
	sshd_write(s, "gone", 0600, arena_printf(a, "%s%s", sshd_read(s, "old_key.pub"),
	    sshd_read(s, "host_key.pub")));
	EXPECT_OUT("ssh://box", &with, "is revoked by");
	cr_expect_not_null(strstr(e.text, "gone line 2: "), "%s", e.text);
	with = box_with("Host other\n RevokedHostKeys ~/gone");
	EXPECT_OUT("ssh://box", &with, "gone line 2: ");
	with = box_with("Host other\n RevokedHostKeys none");
	EXPECT_IN("ssh://box", &with);
}

Test(ssh_keys, no_host_is_believed_while_a_list_of_revoked_keys_cannot_be_read)
{
	struct host_access with = box_with(arena_printf(a, "Host other\n RevokedHostKeys %s/gone",
	    s->dir));

	EXPECT_OUT("ssh://box", &with, "gone: No such file or directory");
	sshd_write(s, "gone", 0600, "ssh-ed25519 AAAAnot\n");
	EXPECT_OUT("ssh://box", &with, "gone line 1: not a public key");
	SSHD_DO("ssh-keygen", "-q", "-k", "-f", sshd_path(s, "gone"), sshd_path(s, "host_key.pub"));
	EXPECT_OUT("ssh://box", &with, "gone: a list of revoked keys in OpenSSH's binary form");
	with = box_with("Host other\n RevokedHostKeys /etc/%h");
	EXPECT_OUT("ssh://box", &with, "line 5: RevokedHostKeys names no file");
	cr_expect(nobody_logged_in());
}

Test(ssh_keys, a_proxy_is_a_command_that_no_shell_sees)
{
	struct host_access with = box_with(arena_printf(a, "ProxyCommand sh %s/proxy %%h %%p %%n %%%%",
	    s->dir));

	sshd_write(s, "proxy", 0755, "echo \"$*\" >$HOME/asked\n");
	EXPECT_OUT("ssh://box", &with, "ssh://box: no ssh session: ");
	cr_expect_str_eq(sshd_read(s, "asked"), arena_printf(a, "127.0.0.1 %u box %%\n", s->port));

	with = box_with("ProxyCommand touch $HOME/harm; nc %h %p");
	EXPECT_OUT("ssh://box", &with, "would need a shell");
	with = box_with("ProxyCommand nc %h %p %z");
	EXPECT_OUT("ssh://box", &with, "only %h, %n, %p, %r and %% are known");
	with = box_with("ProxyCommand no-such-program %h");
	EXPECT_OUT("ssh://box", &with, "no-such-program: not found");
	sshd_write(s, "proxy", 0755, "printf 'first\\nno route \\033[2Jthere\\n' >&2; exit 1\n");
	with = box_with(arena_printf(a, "ProxyCommand sh %s/proxy", s->dir));
	EXPECT_OUT("ssh://box", &with, "its ProxyCommand says: no route ?[2Jthere");
	with = box_with("HostName -oProxyCommand=x");
	cr_expect_not_null(enter("ssh://box2", &with));
}

Test(ssh_keys, a_jump_goes_through_ssh_with_the_same_settings)
{
	const struct host_access with = { .config = sshd_write(s, "config", 0600, arena_printf(a,
	    "Host *\n IdentityFile %s/.ssh/id_ed25519\n UserKnownHostsFile %s/.ssh/known_hosts\n"
	    "Host box\n HostName 127.0.0.1\n Port %u\n ProxyJump gate\n"
	    "Host gate\n HostName 127.0.0.1\n Port %u\n", s->dir, s->dir, s->port, s->port)) };
	const char *log;

	EXPECT_IN("ssh://box", &with);
	cr_expect_str_eq(getenv("OPENSSH_PROXYJUMP"), "1", "libssh leaves jumps to us");
	log = strstr(sshd_read(s, "log"), "Accepted publickey");
	cr_assert_not_null(log);
	cr_expect_not_null(strstr(log + 1, "Accepted publickey"), "two logins");
}

Test(ssh_keys, a_host_that_is_not_there_is_named_with_the_reason)
{
	const struct host_access soon = { .timeout_s = 0.3 };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int mute = socket(AF_INET, SOCK_STREAM, 0);
	const char *name;

	EXPECT_OUT("ssh://127.0.0.1:1", NULL,
	    "ssh://127.0.0.1:1: cannot connect to 127.0.0.1:1: Connection refused");
	cr_assert(bind(mute, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(mute, 4) == 0 &&
	    getsockname(mute, (struct sockaddr *)&at, &len) == 0);
	name = arena_printf(a, "ssh://127.0.0.1:%u", ntohs(at.sin_port));
	EXPECT_OUT(name, &soon, "no end of the login within 0.3 s");
	cr_expect_eq(strncmp(e.text, name, strlen(name)), 0);
	close(mute);
}

Test(ssh_keys, what_is_no_ssh_server_is_an_error)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	static const char noise[] = "HTTP/1.1 400 \033[2JBad\r\n\r\n";
	socklen_t len = sizeof(at);
	int http = socket(AF_INET, SOCK_STREAM, 0), fd;
	pid_t pid;

	cr_assert(bind(http, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(http, 4) == 0 &&
	    getsockname(http, (struct sockaddr *)&at, &len) == 0);
	pid = fork();
	if (pid == 0) {
		fd = accept(http, NULL, NULL);
		_exit(write(fd, noise, sizeof(noise) - 1) == sizeof(noise) - 1 ? 0 : 1);
	}
	EXPECT_OUT(arena_printf(a, "ssh://127.0.0.1:%u", ntohs(at.sin_port)), NULL, "no ssh session: ");
	cr_expect_null(strchr(e.text, '\033'));
	waitpid(pid, NULL, 0);
	close(http);
}
