#include <criterion/criterion.h>

#include "error.h"

#include "tuner/inventory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct arena *a;
static struct err e;
static struct inventory v;

static void
setup(void)
{
	a = arena_new();
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(inventory, .init = setup, .fini = teardown);

static bool
parse(const char *text)
{
	e = (struct err){ 0 };
	return inventory_parse(a, "hosts.yaml", "conf", "/home/me", text, strlen(text), &v, &e);
}

static const struct inventory_host *
host(const char *name)
{
	const struct inventory_host *h = inventory_find(&v, name);

	cr_assert_not_null(h, "%s", name);
	return h;
}

Test(inventory, a_name_alone_is_a_host)
{
	cr_assert(parse("hosts:\n  - db1.example\n  - 10.0.0.7\n  - name: x_1\n"), "%s", e.text);
	cr_expect_eq(v.n_hosts, 3);
	cr_expect_str_eq(v.hosts[0].target, "ssh://db1.example");
	cr_expect_str_eq(v.hosts[1].target, "ssh://10.0.0.7");
	cr_expect_eq(v.hosts[2].line, 4);
	cr_expect(v.hosts[0].by_ssh);
	cr_expect_null(v.hosts[0].peer);
}

Test(inventory, everything_that_a_host_can_say)
{
	const struct inventory_host *h;

	cr_assert(parse("hosts:\n- name: a\n  address: fe80::1\n  user: adm\n  port: 2222\n"
	    "  identity: keys/a\n  ssh_config: ~/cfg\n  ssh_timeout: 5s\n  become: sudo\n"
	    "  accept_new: true\n  peer: m1:5201\n  role: send\n  token_file: /etc/t\n"
	    "  vars: {rtt: 20ms, n: 4}\n"
	    "  flags: {tune: [--quick, --streams, 2], advise: [\"--rtt={rtt}\"]}\n"), "%s", e.text);
	h = host("A");
	cr_expect_str_eq(h->target, "ssh://adm@[fe80::1]:2222");
	cr_expect_str_eq(h->identity, "conf/keys/a", "beside the inventory");
	cr_expect_str_eq(h->ssh_config, "/home/me/cfg");
	cr_expect_str_eq(h->token_file, "/etc/t");
	cr_expect_str_eq(h->ssh_timeout, "5s");
	cr_expect_str_eq(inventory_become_names[h->become], "sudo");
	cr_expect_eq(h->accept_new, 2);
	cr_expect_eq(h->role, DIR_SEND);
	cr_expect_eq(h->flags[INVENTORY_TUNE].n_words, 3);
	cr_expect_str_eq(h->flags[INVENTORY_TUNE].words[2], "2");
	cr_expect_str_eq(h->flags[INVENTORY_ADVISE].words[0], "--rtt=20ms");
}

Test(inventory, the_nearest_says_it)
{
	cr_assert(parse("defaults: {user: root, port: 22, peer: far, vars: {x: d, y: d, z: d}}\n"
	    "groups:\n"
	    "- {name: top, peer: top-peer, role: receive, vars: {y: t, x: t}}\n"
	    "- {name: web, groups: [top], user: www}\n"
	    "- {name: eu, user: eu, port: 222, address: '{host}.eu.example'}\n"
	    "hosts:\n"
	    "- {name: a, groups: [web, eu], vars: {x: own}, peer: '{x}-{y}-{z}.{host}'}\n"
	    "- {name: b, groups: [eu, web], target: 'replay:rec/{host}'}\n"
	    "- c\n"), "%s", e.text);
	cr_expect_str_eq(host("a")->target, "ssh://www@a.eu.example:222", "a group's own before eu's");
	cr_expect_str_eq(host("a")->peer, "own-t-d.a");
	cr_expect_eq(host("a")->role, DIR_RECEIVE, "from a group of its group");
	cr_expect_str_eq(host("b")->target, "replay:rec/b");
	cr_expect_not(host("b")->by_ssh);
	cr_expect_str_eq(host("b")->user, "eu");
	cr_expect_str_eq(host("b")->peer, "top-peer");
	cr_expect_str_eq(host("c")->target, "ssh://root@c:22");
	cr_expect_str_eq(host("c")->peer, "far");
}

Test(inventory, what_is_wrong_is_named_with_its_line)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "hosts: [a, b, A]\n", "hosts.yaml:1: host A: there is one in line 1" },
		{ "hosts:\n- a\n- b\n- a\n", "hosts.yaml:4: host a: there is one in line 2" },
		{ "hosts:\n- -oProxyCommand=touch /tmp/x\n", "hosts.yaml:2: '-oProxyCommand=touch /tmp/x' "
		  "is not the name of a host: letters, digits and _.-, the first one neither . nor -" },
		{ "hosts:\n- ../x\n", "hosts.yaml:2: '../x' is not the name of a host: letters, digits "
		  "and _.-, the first one neither . nor -" },
		{ "hosts:\n- {name: a, address: -oProxyCommand=x}\n",
		  "hosts.yaml:2: a: address '-oProxyCommand=x' is empty, too long or begins with -" },
		{ "hosts:\n- {name: a, address: 'x y'}\n",
		  "hosts.yaml:2: a: address 'x y' is not the name or address of a host" },
		{ "hosts:\n- {name: a, user: -l}\n",
		  "hosts.yaml:2: a: user '-l' is empty, too long or begins with -" },
		{ "hosts:\n- {name: a, user: 'r@t'}\n",
		  "hosts.yaml:2: a: user 'r@t' is not the name of a user" },
		{ "hosts:\n- {name: a, peer: --yes}\n",
		  "hosts.yaml:2: a: peer '--yes' is empty, too long or begins with -" },
		{ "hosts:\n- {name: a, peer: \"m\\e[2J\"}\n",
		  "hosts.yaml:2: a: peer 'm?[2J' is empty, too long or begins with -" },
		{ "hosts:\n- {name: a, port: 70000}\n", "hosts.yaml:2: port: must be within 1..65535" },
		{ "hosts:\n- {name: a, port: 22.5}\n", "hosts.yaml:2: port: must be a whole number" },
		{ "hosts:\n- {name: a, colour: red}\n", "hosts.yaml:2: colour: unknown key" },
		{ "hosts:\n- {name: a, name: b}\n", "hosts.yaml:2: name: duplicate key, first in line 2" },
		{ "hosts:\n- {name: a, role: none of it}\n",
		  "hosts.yaml:2: role: must be one of none, send, receive, both" },
		{ "hosts:\n- {name: a, flags: {serve: [x]}}\n", "hosts.yaml:2: serve: unknown key" },
		{ "hosts:\n- {name: a, groups: [x]}\n", "hosts.yaml:2: a: there is no group 'x'" },
		{ "hosts:\n- {name: a, target: local, user: x}\n",
		  "hosts.yaml:2: target contradicts address, user and port" },
		{ "hosts:\n- {name: a, target: --json}\n",
		  "hosts.yaml:2: a: target '--json' is empty, too long or begins with -" },
		{ "hosts:\n- {name: a, address: '{nn}.x'}\n",
		  "hosts.yaml:2: a: '{nn}.x' names no variable of this host" },
		{ "hosts:\n- {name: a, vars: {host: b}}\n", "hosts.yaml:2: 'host' is not the name of a "
		  "variable: letters, digits and _, and not host" },
		{ "hosts:\n- {name: a, ssh_timeout: 5}\n", "hosts.yaml:2: a: ssh_timeout: '5' is not a "
		  "time with its unit, such as 80ms, 30s or 10m" },
		{ "hosts:\n- {name: a, address: H}\n- {name: h, port: 22}\n",
		  "hosts.yaml:3: h: ssh://h:22 is a of line 2 already" },
		{ "groups:\n- g\nhosts:\n- G\n", "hosts.yaml:4: host G: there is a group of this name" },
		{ "groups:\n- g\n- {name: G}\nhosts: []\n",
		  "hosts.yaml:3: group G: there is one in line 2" },
		{ "groups:\n- {name: a, groups: [b]}\n- {name: b, groups: [c]}\n- {name: c, groups: [a]}\n"
		  "hosts: []\n", "hosts.yaml:2: group a belongs to itself" },
		{ "defaults: {name: x}\nhosts: []\n", "hosts.yaml:1: name: defaults have none" },
		{ "defaults: {groups: [x]}\nhosts: []\n", "hosts.yaml:1: groups: defaults belong to none" },
		{ "hosts:\n  a: {}\n", "hosts.yaml:1: hosts must be a list" },
		{ "hosts:\n- [a]\n", "hosts.yaml:2: a host must be a name or a map" },
		{ "host:\n- a\n",
		  "hosts.yaml:1: host: unknown key; there are defaults, groups and hosts" },
		{ "groups: []\n", "hosts.yaml: there are no hosts" },
		{ "- a\n", "hosts.yaml:1: must be a map with hosts" },
		{ "hosts: &x [*x]\n", "hosts.yaml:1: anchors are not used here" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		cr_expect_not(parse(cases[i].text), "%s", cases[i].text);
		cr_expect_eq(e.code, ERR_USAGE);
		cr_expect_str_eq(e.text, cases[i].error, "%s\n%s", cases[i].text, e.text);
	}
}

Test(inventory, groups_are_not_nested_without_end)
{
	struct text t = { .arena = a };

	text_add(&t, "hosts: []\ngroups:\n");
	for (int i = 0; i < 100; i++)
		text_add(&t, "- {name: g%d, groups: [g%d]}\n", i, i + 1);
	text_add(&t, "- g100\n");
	cr_expect_not(parse(t.s));
	cr_expect_not_null(strstr(e.text, "groups are nested more than 32 deep"), "%s", e.text);
}

Test(inventory, fifty_thousand_hosts_and_more_bytes_than_a_profile_may_have)
{
	struct text t = { .arena = a };
	bool *chosen = arena_array(a, 50000, 1);

	text_add(&t, "defaults: {user: root, vars: {rtt: 20ms}}\ngroups:\n- {name: web, peer: m1}\n"
	    "hosts:\n");
	for (int i = 0; i < 50000; i++)
		text_add(&t, "- name: h%05d.fleet.example\n  address: 10.%d.%d.%d\n  groups: [web]\n", i,
		    i >> 16, (i >> 8) & 255, i & 255);
	cr_assert_gt(t.len, 1024 * 1024);
	cr_assert(parse(t.s), "%s", e.text);
	cr_expect_eq(v.n_hosts, 50000);
	cr_expect_str_eq(host("h49999.fleet.example")->peer, "m1");
	cr_assert(inventory_limit(a, &v, "h0000?.*,!*5.fleet*", chosen, &e), "%s", e.text);
	for (size_t i = 0; i < 50000; i++)
		cr_assert_eq(chosen[i], i < 10 && i != 5, "%zu", i);
	text_add(&t, "- name: H00777.fleet.example\n");
	cr_expect_not(parse(t.s));
	cr_expect_str_eq(e.text, "hosts.yaml:150005: host H00777.fleet.example: there is one in line "
	    "2336", "%s", e.text);
}

static const char *
limited(const char *pattern)
{
	struct text t = { .arena = a };
	bool *chosen = arena_array(a, v.n_hosts, 1);

	e = (struct err){ 0 };
	if (!inventory_limit(a, &v, pattern, chosen, &e))
		return e.text;
	text_bytes(&t, "", 0);
	for (size_t i = 0; i < v.n_hosts; i++) {
		if (chosen[i])
			text_add(&t, "%s ", v.hosts[i].name);
	}
	return t.s;
}

Test(inventory, limits_name_hosts_and_groups)
{
	cr_assert(parse("groups:\n- top\n- {name: mid, groups: [top]}\n- low\n"
	    "hosts:\n- {name: a1, groups: [mid]}\n- {name: a2, groups: [low, top]}\n"
	    "- {name: b1, groups: [low]}\n- c\n"), "%s", e.text);
	cr_expect_str_eq(limited(""), "a1 a2 b1 c ");
	cr_expect_str_eq(limited("c"), "c ");
	cr_expect_str_eq(limited("C,A?"), "a1 a2 c ");
	cr_expect_str_eq(limited("top"), "a1 a2 ", "those of a group in it as well");
	cr_expect_str_eq(limited("mid,c"), "a1 c ");
	cr_expect_str_eq(limited("!low"), "a1 c ", "all but these");
	cr_expect_str_eq(limited("top,!a1"), "a2 ");
	cr_expect_str_eq(limited("*1"), "a1 b1 ");
	cr_expect_str_eq(limited("a*b*c*d*e*f*g*"), "--limit: 'a*b*c*d*e*f*g*' names neither a host "
	    "nor a group");
	cr_expect_str_eq(limited("c,x"), "--limit: 'x' names neither a host nor a group");
}
