/*
 * The collection of docs/integrations/ansible by Ansible itself, on a host that it reaches by ssh.
 *
 * needs: sshd ansible-playbook ansible-doc
 */
#include "box.h"
#include "sshd.h"

#define COLLECTION TESTS_DIR "/../docs/integrations/ansible"

static struct box h;
static struct sshd *s;

static void
setup(void)
{
	h = box_new();
	s = sshd_start(h.a);
	SSHD_DO("mkdir", "-p", sshd_path(s, "ansible_collections/pathtune"));
	cr_assert_eq(symlink(COLLECTION, sshd_path(s, "ansible_collections/pathtune/net")), 0);
	setenv("ANSIBLE_COLLECTIONS_PATH", s->dir, 1);
	setenv("ANSIBLE_NOCOLOR", "1", 1);
	setenv("ANSIBLE_SSH_TRANSFER_METHOD", "piped", 1);
	/* A master connection would outlive the play, and hold what it prints open. */
	setenv("ANSIBLE_SSH_ARGS", "-o ControlMaster=no", 1);
}

static void
teardown(void)
{
	sshd_end(s);
	box_end(&h);
}

TestSuite(ansible, .init = setup, .fini = teardown);

/* What a command of Ansible's prints; it must succeed. */
static const char *
ansible(const char *command)
{
	struct text t = { .arena = h.a };
	FILE *f = popen(arena_printf(h.a, "%s 2>&1 </dev/null", command), "r");
	char part[4096];
	size_t n;

	cr_assert_not_null(f);
	text_bytes(&t, "", 0);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		text_bytes(&t, part, n);
	cr_assert_eq(pclose(f), 0, "%s: %s", command, t.s);
	return t.s;
}

static void
write_inventory(void)
{
	sshd_write(s, "inventory", 0644, arena_printf(h.a,
	    "box ansible_host=127.0.0.1 ansible_port=%u ansible_ssh_common_args='-F none "
	    "-o UserKnownHostsFile=%s -o IdentityFile=%s'\n", s->port,
	    sshd_path(s, ".ssh/known_hosts"), sshd_path(s, ".ssh/id_ed25519")));
}

static void
write_playbook(const char *tasks)
{
	const char *slash = strrchr(PATHTUNE, '/');

	sshd_write(s, "play.yml", 0644, arena_printf(h.a,
	    "- hosts: all\n  gather_facts: false\n  environment:\n"
	    "    ASAN_OPTIONS: detect_leaks=0\n" /* which needs the /proc of its namespace */
	    "    PATHTUNE_STATE: %s\n    PATH: \"%.*s:/usr/bin:/bin\"\n  module_defaults:\n"
	    "    pathtune.net.apply: { profile: %s }\n    pathtune.net.check: { profile: %s }\n"
	    "  tasks:\n%s", h.state, (int)(slash - PATHTUNE), PATHTUNE, box_path(&h, "x.yaml"),
	    box_path(&h, "x.yaml"), tasks));
}

Test(ansible, a_play_changes_a_host_once_and_takes_it_back)
{
	const char *said;

	write_inventory();
	write_playbook(arena_printf(h.a,
	    "    - { name: dry, pathtune.net.apply: { run: %1$s }, check_mode: true, diff: true,\n"
	    "        register: dry }\n"
	    "    - { name: untouched, raw: 'cat %2$s', register: before }\n"
	    "    - { name: apply, pathtune.net.apply: { content: \"{{ lookup('file', '%1$s') }}\" },\n"
	    "        register: applied }\n"
	    "    - { name: set, raw: 'cat %2$s', register: after }\n"
	    "    - { name: again, pathtune.net.apply: { run: %1$s }, register: again }\n"
	    "    - { name: look, pathtune.net.check: {}, register: look }\n"
	    "    - { name: revert, pathtune.net.apply: { state: absent }, register: reverted }\n"
	    "    - name: verify\n      assert:\n        that:\n"
	    "          - dry.changed and dry.status == 'pending'\n"
	    "          - before.stdout == '" SEND_OLD "'\n"
	    "          - applied.changed and applied.status == 'applied'\n"
	    "          - after.stdout == '" SEND_NEW "'\n"
	    "          - not again.changed\n"
	    "          - not look.drift and look.status == 'ok'\n"
	    "          - reverted.changed and reverted.status == 'reverted'\n", h.run, h.send));
	said = ansible(arena_printf(h.a, "ansible-playbook -i %s %s", sshd_path(s, "inventory"),
	    sshd_path(s, "play.yml")));
	cr_expect_not_null(strstr(said, "+x.send = " SEND_NEW), "no diff: %s", said);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "at the end");
}

Test(ansible, a_host_without_the_program_says_so)
{
	const char *said;

	write_inventory();
	write_playbook("    - { pathtune.net.probe: {}, register: p, failed_when: false,\n"
	    "        environment: { PATH: '/usr/bin:/bin' } }\n"
	    "    - { debug: { var: p.msg } }\n");
	said = ansible(arena_printf(h.a, "ansible-playbook -i %s %s", sshd_path(s, "inventory"),
	    sshd_path(s, "play.yml")));
	cr_expect_not_null(strstr(said, "pathtune is not installed here"), "%s", said);
}

Test(ansible, every_module_is_documented_with_the_arguments_it_takes)
{
	static const struct { const char *module, *words[3]; } cases[] = {
		{ "probe", { "ping", "host", "ssh_timeout" } },
		{ "advise", { "connections", "paths", "become_by" } },
		{ "apply", { "content", "confirm", "state" } },
		{ "check", { "run", "identity", "profile" } },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		const char *text = ansible(arena_printf(h.a, "ansible-doc pathtune.net.%s",
		    cases[i].module));

		for (size_t k = 0; k < NELEM(cases[i].words); k++)
			cr_expect_not_null(strstr(text, arena_printf(h.a, "\n- %s\n",
			    cases[i].words[k])), "%s: %s", cases[i].module, cases[i].words[k]);
	}
}
