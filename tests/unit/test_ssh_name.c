#include "error.h"
#include "program.h"

#include "probes/ssh_name.h"
#include "probes/ssh_proxy.h"

static struct arena *a;
static struct err e;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ 0 };
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(ssh_name, .init = setup, .fini = teardown);

Test(ssh_name, user_name_and_port_are_taken_apart_and_said_again)
{
	static const struct {
		const char *text, *user, *host;
		unsigned port;
		const char *known;
	} cases[] = {
		{ "box", NULL, "box", 0, "box" },
		{ "Box.Example.org:2222", NULL, "Box.Example.org", 2222, "[box.example.org]:2222" },
		{ "root@192.0.2.1", "root", "192.0.2.1", 0, "192.0.2.1" },
		{ "o_p.e-r+x@box:1", "o_p.e-r+x", "box", 1, "[box]:1" },
		{ "[2001:db8::1]", NULL, "2001:db8::1", 0, "2001:db8::1" },
		{ "u@[fe80::1%eth0.5]:65535", "u", "fe80::1%eth0.5", 65535, "[fe80::1%eth0.5]:65535" },
		{ "_x", NULL, "_x", 0, "_x" },
		{ "box:22", NULL, "box", 22, "box" },
	};
	struct ssh_name n;

	for (size_t i = 0; i < NELEM(cases); i++) {
		cr_assert(ssh_name_parse(a, cases[i].text, &n, &e), "%s", e.text);
		cr_expect_eq(n.user == NULL, cases[i].user == NULL);
		if (n.user != NULL && cases[i].user != NULL)
			cr_expect_str_eq(n.user, cases[i].user);
		cr_expect_str_eq(n.host, cases[i].host);
		cr_expect_eq(n.port, cases[i].port);
		cr_expect_str_eq(ssh_name_say(a, &n), arena_printf(a, "ssh://%s", cases[i].text));
		cr_expect_str_eq(ssh_name_known(a, n.host, n.port == 0 ? 22 : n.port),
		    cases[i].known);
	}
}

Test(ssh_name, what_is_not_plainly_a_name_is_refused)
{
	static const char *const cases[] = { "", "-oProxyCommand=x", "u@-oProxyCommand=x", "-u@box",
		"@box", "u@", ":22", "u@:22", "a b", " box", "box ", "box\n", "box\tx", "u v@box", "u@v@box",
		"box:", "box:0", "box:65536", "box:22x", "box:+22", "box: 22", "box:000022", "box:22:22",
		"box/", "box/x", "box:22/", "::1", "2001:db8::1", "[::1", "::1]", "[box]", "[]", "[]:22",
		"[::1]x", "[::1]:", "[::1]22", "[::1%]", "[::1%-x]", "[::1%a b]", "[fe80::1%eth0;x]",
		"$(id)", "`id`", "a;b", "a|b", "a&b", "b\303\266x", "box\033[2J", "u%40v@box", "a%b",
		"!box", "*", "b?x", "a,b", "a\\b", "'a'", "~", "u:pw@box" };
	struct ssh_name n = { "x", "y", 1 };
	char *long_one = arena_alloc(a, 300);

	for (size_t i = 0; i < NELEM(cases); i++) {
		e = (struct err){ 0 };
		cr_expect_not(ssh_name_parse(a, cases[i], &n, &e), "'%s'", cases[i]);
		cr_expect_eq(e.code, ERR_USAGE);
		error_begins(&e, "'ssh://", i);
	}
	memset(long_one, 'a', 254);
	cr_expect_not(ssh_name_parse(a, long_one, &n, &e));
	long_one[253] = '\0';
	cr_expect_str_eq(n.host, "y", "untouched on failure");
	cr_expect(ssh_name_parse(a, long_one, &n, &e));
}

Test(ssh_name, the_words_of_a_proxy_are_its_own)
{
	static const struct ssh_proxy_for to = { "box", "192.0.2.1", "carol", 2222, "/c/config" };
	static const struct {
		const char *line, *words;
	} cases[] = {
		{ "nc %h %p", "nc|192.0.2.1|2222|" },
		{ "exec /usr/bin/nc -X 5 'a b' %%%n", "/usr/bin/nc|-X|5|a b|%box|" },
		{ "exec", "exec|" },
		{ "ssh -l eve -W '[%h]:%p' gate",
		    "ssh|-o|BatchMode=yes|-F|/c/config|-l|eve|-W|[192.0.2.1]:2222|gate|" },
		{ "/usr/bin/ssh -W %h:%p %r@gate",
		    "/usr/bin/ssh|-o|BatchMode=yes|-W|192.0.2.1:2222|carol@gate|" },
		{ "nossh ssh", "nossh|ssh|" },
	};
	static const char *const refused[] = { "nc %h %p | tee log", "nc `id`", "nc $HOME", "nc 'x",
		"nc %h; id", "nc %x", "nc %", "nc >x", "nc &", "", "  " };
	const char **argv;

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct text t = { .arena = a };

		cr_assert(ssh_proxy_words(a, cases[i].line, &to, &argv, &e), "%s", e.text);
		for (; *argv != NULL; argv++)
			text_add(&t, "%s|", *argv);
		cr_expect_str_eq(t.s, cases[i].words);
	}
	for (size_t i = 0; i < NELEM(refused); i++) {
		e = (struct err){ 0 };
		cr_expect_not(ssh_proxy_words(a, refused[i], &to, &argv, &e), "'%s'", refused[i]);
		cr_expect_eq(e.code, ERR_USAGE);
	}
}

Test(ssh_name, a_command_refuses_such_names_and_flags_before_anything_is_asked)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{ "probe ssh://-oProxyCommand=x", "probe: 'ssh://-oProxyCommand=x' is not ssh://[user@]name"
		    "[:port]; an IPv6 address stands in brackets\n" },
		{ "advise ssh:// --rtt 1ms --rate 1G", "advise: 'ssh://' is not ssh://[user@]name[:port]; an "
		    "IPv6 address stands in brackets\n" },
		{ "probe ssh://box:99999", "probe: 'ssh://box:99999': only a port, 1 to 65535, may follow "
		    "the name\n" },
		{ "probe --identity x", "probe: --identity is of use only with an ssh:// host\n" },
		{ "probe replay:x --become sudo", "probe: --become is of use only with an ssh:// host\n" },
		{ "advise --accept-new --rtt 1ms --rate 1G",
		    "advise: --accept-new is of use only with an ssh:// host\n" },
		{ "probe ssh://box --become su", "probe: --become: 'su' is not one of none|sudo|doas\n" },
		{ "probe ssh://box --ssh-timeout 0s",
		    "probe: --ssh-timeout: '0s' is out of range, 0.1 to 600 seconds\n" },
		{ "probe ssh://box --ssh-config=", "probe: --ssh-config: the value is empty\n" },
		{ "tune --agent x --peer y", "tune: --agent is of use only with an ssh:// host\n" },
		{ "tune --lease 3s --peer y", "tune: --lease is of no use with the local host\n" },
		{ "tune replay:x --peer y --apply --yes",
		    "tune: 'replay:x': a recording cannot be tuned\n" },
	};
	struct said said;

	for (size_t i = 0; i < NELEM(cases); i++) {
		said = program_run(a, cases[i].line);
		cr_expect_eq(said.status, 2, "%s", cases[i].line);
		cr_expect_str_eq(said.err, arena_printf(a, "pathtune %s", cases[i].error));
		cr_expect_str_eq(said.out, "");
	}
}
