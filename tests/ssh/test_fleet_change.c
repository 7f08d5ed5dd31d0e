/*
 * fleet apply, check and tune on hosts that are reached by ssh: hosts of files (box.h), each at an
 * address of its own.
 *
 * needs: root
 */
#include "sshd.h"

#include "box.h"

#include "probes/knobs.h"

#define HOSTS 3
#define PEERS 8 /* hosts of the tune: two share a peer, each other one has its own */

static struct arena *a;
static struct sshd *s;
static struct box h[HOSTS];

/* The third host's login fails. */
static void
setup(void)
{
	struct text known = { .arena = a = arena_new() };
	const char *key;

	for (int i = 0; i < HOSTS; i++)
		h[i] = box_new();
	s = sshd_start_at(a, INADDR_ANY);
	key = sshd_read(s, "host_key.pub");
	for (int i = 1; i <= PEERS; i++)
		text_add(&known, "[127.0.7.%d]:%u %s", i, s->port, key);
	sshd_write(s, ".ssh/known_hosts", 0600, known.s);
	sshd_personality(s, "set -- $SSH_CONNECTION\ncase $3 in\n*.3) echo no disk >&2; exit 3 ;;\n"
	    "esac\nexec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"", NULL);
	setenv("PATHTUNE_STATE", sshd_path(s, "here"), 1); /* theirs are where their profiles say */
}

static void
teardown(void)
{
	sshd_end(s);
	for (int i = 0; i < HOSTS; i++)
		box_end(&h[i]);
	arena_free(a);
}

TestSuite(ssh_fleet_change, .init = setup, .fini = teardown, .timeout = 100);

static struct said
fleet(const char *words)
{
	struct text t = { .arena = a };

	text_add(&t, "defaults: {port: %u}\nhosts:\n", s->port);
	for (int i = 0; i < HOSTS; i++) {
		const char *flags = arena_printf(a, "[--profile, %s]", box_path(&h[i], "x.yaml"));

		text_add(&t, "- {name: h%d, address: 127.0.7.%d, vars: {run: %s}, flags: {apply: %s, "
		    "check: %s}}\n", i + 1, i + 1, h[i].run, flags, flags);
	}
	sshd_write(s, "hosts.yaml", 0600, t.s);
	return program_run(a, arena_printf(a, "fleet %s %s", sshd_path(s, "hosts.yaml"), words));
}

static void
expect(int host, bool applied, const char *when)
{
	cr_expect(knobs_same(box_get(&h[host], h[host].send), applied ? SEND_NEW : SEND_OLD), "%s: "
	    "host %d", when, host + 1);
	cr_expect_eq(box_there(h[host].conf), applied, "%s: host %d", when, host + 1);
}

Test(ssh_fleet_change, what_can_be_applied_is_and_the_failed_host_is_listed)
{
	struct said said = fleet(arena_printf(a, "--failed %s apply --yes {run}",
	    sshd_path(s, "failed")));

	cr_expect_eq(said.status, 4, "%s", said.err);
	for (int i = 0; i < HOSTS; i++)
		expect(i, i < 2, "applied");
	cr_expect_not_null(strstr(said.out, "h1    ok  "), "%s", said.out);
	cr_expect_not_null(strstr(said.out, "h3    failed"), "%s", said.out);
	cr_expect_not_null(strstr(said.err, "h3: ssh://127.0.7.3"), "%s", said.err);
	cr_expect_not_null(strstr(said.err, "no disk\n"), "%s", said.err);
	cr_expect_not_null(strstr(said.err, "1 of 3 hosts failed\n"), "%s", said.err);
	cr_expect_str_eq(sshd_read(s, "failed"), "h3\n");
	said = fleet("--limit h1,h2 check");
	cr_expect_eq(said.status, 0, "%s", said.out);
	said = fleet("check");
	cr_expect_eq(said.status, 4, "%s", said.err);
	cr_expect_not_null(strstr(said.err, "1 of 3 hosts failed\n"), "%s", said.err);
	box_put(h[1].send, SEND_OLD);
	said = fleet("--limit h1,h2 check");
	cr_expect_eq(said.status, 3, "%s", said.err);
	cr_expect_not_null(strstr(said.out, " drift"), "%s", said.out);
	/* The one that failed is repaired, and is what the list gives back. */
	sshd_personality(s, NULL, NULL);
	said = fleet(arena_printf(a, "--limit @%s apply --yes {run}", sshd_path(s, "failed")));
	cr_expect_eq(said.status, 0, "%s", said.err);
	expect(2, true, "again");
}

/* The lines of a file, each as one character. */
static const char *
events(void)
{
	char *text = arena_strdup(a, sshd_read(s, "events")), *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (*from != '\n')
			*to++ = *from;
	}
	*to = '\0';
	return text;
}

/*
 * The login of host 1 goes on when hosts 3 to 8 have come to theirs, and says "o" at its end.  Host
 * 2, which is next in the file, has the peer of host 1: were it not to wait, it would be there.
 */
Test(ssh_fleet_change, hosts_of_one_peer_are_tuned_one_after_the_other)
{
	struct text t = { .arena = a };
	const char *all;
	struct said said;

	cr_assert_eq(mkfifo(sshd_path(s, "others"), 0600), 0);
	sshd_personality(s, arena_printf(a, "set -- $SSH_CONNECTION\nn=${3##*.}\ncd %s\n"
	    "echo $n >>events\ncase $n in\n"
	    "1) exec 4<>others; i=3\n"
	    "while [ $i -le %d ]; do read -r x <&4; i=$((i + 1)); done; echo o >>events ;;\n"
	    "2) ;;\n*) echo >others ;;\nesac\nexit 3", s->dir, PEERS), NULL);
	text_add(&t, "defaults: {port: %u}\nhosts:\n", s->port);
	for (int i = 1; i <= PEERS; i++)
		text_add(&t, "- {name: h%d, address: 127.0.7.%d, peer: m%d}\n", i, i, i <= 2 ? 1 : i);
	sshd_write(s, "peers.yaml", 0600, t.s);
	setenv("PATHTUNE_TOKEN", "0123456789abcdef0123", 1);
	said = program_run(a, arena_printf(a, "fleet %s --jobs %d --time-limit 60s tune --quick --no-save",
	    sshd_path(s, "peers.yaml"), PEERS));
	cr_expect_eq(said.status, 1, "all fail in the end: %s", said.err);
	cr_expect_null(strstr(said.err, "no end within"), "%s", said.err);
	all = events();
	cr_expect_eq(strlen(all), PEERS + 1, "%s", all);
	cr_expect_eq(strspn(all, "1345678"), PEERS - 1, "all others at once: %s", all);
	cr_expect_str_eq(all + PEERS - 1, "o2", "%s", all);
}
