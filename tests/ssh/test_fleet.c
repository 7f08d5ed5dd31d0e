/*
 * A fleet of eight sshds, one of which is dead, one hangs, one floods and one says odd things.
 */
#include "sshd.h"

#include "program.h"

#include <string.h>

#define HOSTS 8

static struct arena *a;
static struct sshd *s;
static int deaf; /* whoever comes is never answered */
static unsigned deaf_port;

/* A port that takes a connection and never says a word. */
static void
open_deaf_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);

	deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(bind(deaf, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    listen(deaf, 4) == 0 && getsockname(deaf, (struct sockaddr *)&at, &len) == 0);
	deaf_port = ntohs(at.sin_port);
}

/*
 * Hosts are addresses of 127/8 at the one port; what a login finds depends on the address that it
 * came to, the third word of SSH_CONNECTION.
 */
static void
setup(void)
{
	struct text known = { .arena = a = arena_new() };
	const char *key;

	s = sshd_start_at(a, INADDR_ANY);
	key = sshd_read(s, "host_key.pub");
	for (int i = 1; i <= HOSTS; i++)
		text_add(&known, "[127.0.7.%d]:%u %s", i, s->port, key);
	sshd_write(s, ".ssh/known_hosts", 0600, known.s);
	sshd_personality(s, "set -- $SSH_CONNECTION\ncase $3 in\n"
	    "*.5) exec sleep 600 ;;\n"
	    "*.6) exec yes \"$(printf '\\033]0;owned\\007')\" ;;\n"
	    "*.7) printf '\\033[2J\\233\\377gone' >&2; exit 3 ;;\n"
	    "esac\nexec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"", NULL);
	open_deaf_port();
}

static void
teardown(void)
{
	close(deaf);
	sshd_end(s);
	arena_free(a);
}

TestSuite(ssh_fleet, .init = setup, .fini = teardown);

static struct said
fleet(const char *words)
{
	struct text t = { .arena = a };

	text_add(&t, "defaults: {ssh_timeout: 3s, port: %u}\nhosts:\n", s->port);
	for (int i = 1; i <= HOSTS; i++)
		text_add(&t, "- {name: h%d, address: 127.0.7.%d%s}\n", i, i, i != 8 ? "" :
		    arena_printf(a, ", port: %u", deaf_port));
	sshd_write(s, "hosts.yaml", 0600, t.s);
	return program_run(a, arena_printf(a, "fleet %s %s", sshd_path(s, "hosts.yaml"), words));
}

Test(ssh_fleet, what_some_hosts_do_holds_the_others_up_in_nothing)
{
	struct said said = fleet("--time-limit 60s probe");

	cr_expect_eq(said.status, 4, "%s", said.err);
	for (int i = 1; i <= HOSTS; i++)
		cr_expect_not_null(strstr(said.out, arena_printf(a, "h%d    %s ", i,
		    i < 5 ? "ok    " : "failed")), "%d: %s", i, said.out);
	cr_expect_not_null(strstr(said.err, "h5: ssh://127.0.7.5"), "%s", said.err);
	cr_expect_not_null(strstr(said.err, "bytes of output\n"), "%s", said.err);
	cr_expect_not_null(strstr(said.err, "it said: ?[2J"), "%s", said.err);
	cr_expect_not_null(strstr(said.err, "h8: ssh://127.0.7.8"), "%s", said.err);
	cr_expect_not_null(strstr(said.err, "4 of 8 hosts failed\n"));
	cr_expect_null(strpbrk(said.out, "\033\007\233\377"), "%s", said.out);
	cr_expect_null(strpbrk(said.err, "\033\007\233\377"), "%s", said.err);
}

Test(ssh_fleet, documents_are_whole_and_valid_whatever_came)
{
	struct said said = fleet("--json --time-limit 60s --limit h1,h2,h3,h4,h7 probe");
	int lines = 0, ok = 0;

	cr_expect_eq(said.status, 4, "%s", said.err);
	for (const char *at = said.out; *at != '\0'; at += strcspn(at, "\n") + 1) {
		const char *line = arena_strndup(a, at, strcspn(at, "\n"));

		lines++;
		ok += strstr(line, "\"status\":0,") != NULL &&
		    strstr(line, "\"document\":{\"os\":\"Linux\"") != NULL;
		for (const char *c = line; *c != '\0'; c++)
			cr_assert((unsigned char)*c >= ' ' && (unsigned char)*c < 0x80, "%s", line);
	}
	cr_expect_eq(lines, 5);
	cr_expect_eq(ok, 4);
}

Test(ssh_fleet, an_unknown_key_is_recorded_by_all_at_once_where_that_is_asked)
{
	struct said said;

	sshd_write(s, ".ssh/known_hosts", 0600, "");
	cr_expect_eq(fleet("--limit h1,h2,h3,h4 probe").status, 1);
	said = fleet("--limit h1,h2,h3,h4 probe --accept-new");
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_eq(fleet("--limit h1,h2,h3,h4 probe").status, 0);
}
