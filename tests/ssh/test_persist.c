/*
 * What is applied to stock BSDs by ssh: the file of each, in its form, beside what its user wrote
 * there, and back again.
 *
 * needs: root
 */
#include "play.h"
#include "program.h"

static struct arena *a;
static struct sshd *s;

static void
setup(void)
{
	a = arena_new();
	s = sshd_start(a);
	play_own_files(s);
	setenv("PATHTUNE_STATE", sshd_path(s, "here"), 1);
}

static void
teardown(void)
{
	sshd_end(s);
	arena_free(a);
}

TestSuite(ssh_persist, .init = setup, .fini = teardown, .timeout = 100);

static const struct system {
	const char *transcript, *os, *release;
	const char *settings; /* of the run */
	const char *file, *mine, *lines; /* our lines, in this order */
	const char *modules, *my_modules, *module_line; /* NULL: it has none */
	const char *knob, *value;
} freebsd = { "freebsd-14.2-em", "FreeBSD", "14.2-RELEASE",
	"{\"name\":\"kern.ipc.maxsockbuf\",\"new\":\"8388608\"},"
	"{\"name\":\"net.inet.tcp.sendbuf_max\",\"new\":\"4194304\"},"
	"{\"name\":\"module\",\"new\":\"cc_htcp\"},"
	"{\"name\":\"net.inet.tcp.cc.algorithm\",\"new\":\"htcp\"}",
	"etc/sysctl.conf.local", "# mine \377\nsecurity.bsd.see_other_uids=0\n\n kern.maxfiles = 9 # x",
	"kern.ipc.maxsockbuf=8388608\0net.inet.tcp.sendbuf_max=4194304\0"
	"net.inet.tcp.cc.algorithm=htcp\0",
	"boot/loader.conf.d/pathtune.conf", NULL, "cc_htcp_load=\"YES\"\n",
	"kern.ipc.maxsockbuf", "8388608\n" },
netbsd = { "netbsd-10.1-vioif", "NetBSD", "10.1",
	"{\"name\":\"kern.sbmax\",\"new\":\"4194304\"},"
	"{\"name\":\"net.inet.tcp.sendbuf_max\",\"new\":\"2097152\"}",
	"etc/sysctl.conf", "#mine\nddb.onpanic?=0\n", "kern.sbmax=4194304\0"
	"net.inet.tcp.sendbuf_max=2097152\0", NULL, NULL, NULL, "kern.sbmax", "4194304\n" },
openbsd = { "openbsd-7.6-vio", "OpenBSD", "7.6",
	"{\"name\":\"net.inet.tcp.sack\",\"new\":\"0\"}",
	"etc/sysctl.conf", "net.inet.ip.forwarding=1 # mine\r\n", "net.inet.tcp.sack=0\0",
	NULL, NULL, NULL, "net.inet.tcp.sack", "0\n" },
dragonfly = { "dragonfly-6.4-vtnet", "DragonFly", "6.4-RELEASE",
	"{\"name\":\"net.inet.tcp.sendbuf_max\",\"new\":\"16777216\"}",
	"etc/sysctl.conf", "  kern.x=1", "net.inet.tcp.sendbuf_max=16777216\0",
	NULL, NULL, NULL, "net.inet.tcp.sendbuf_max", "16777216\n" };

static struct said
far_do(const char *words)
{
	return program_run(a, arena_printf(a, "%s %s", words, s->name));
}

/* What the user had is there to the byte, then a block of ours with these lines in this order. */
static void
expect_block(const char *file, const char *mine, const char *lines)
{
	const char *text = sshd_read(s, file), *at, *line;
	size_t n = strlen(mine);

	cr_assert_eq(strncmp(text, mine, n), 0, "%s: %s", file, text);
	at = text + n + (n == 0 || mine[n - 1] != '\n');
	cr_expect_eq(strncmp(at, "# BEGIN pathtune\n", 17), 0, "%s: %s", file, text);
	for (line = lines; *line != '\0'; line += strlen(line) + 1) {
		at = strstr(at, arena_printf(a, "\n%s\n", line));
		cr_assert_not_null(at, "%s, in its place: %s", line, text);
	}
	cr_expect_str_eq(strstr(at, "\n# END"), "\n# END pathtune\n", "%s: %s", file, text);
}

static void
run_file(const struct system *x)
{
	sshd_write(s, "run.json", 0600, arena_printf(a, "{\"schema\":\"pathtune-run/1\",\"version\":"
	    "\"0\",\"facts\":{\"os\":\"%s\",\"release\":\"%s\"},\"advice\":{\"paths\":[{\"rtt_ms\":10,"
	    "\"rate_bps\":1e9}],\"connections\":1},\"decision\":{\"verdict\":\"change\",\"class\":"
	    "\"advice\",\"settings\":[%s]}}", x->os, x->release, x->settings));
}

static void
there_and_back(const struct system *x)
{
	const char *state = arena_printf(a, "state/%s", x->knob);
	struct said said;

	play_machine(s, arena_printf(a, TESTS_DIR "/transcripts/%s/transcript", x->transcript));
	sshd_write(s, x->file, 0640, x->mine);
	run_file(x);
	said = far_do(arena_printf(a, "apply %s --yes", sshd_path(s, "run.json")));
	cr_assert_eq(said.status, 0, "%s: %s%s", x->os, said.out, said.err);
	expect_block(x->file, x->mine, x->lines);
	cr_expect_str_eq(sshd_read(s, state), x->value, "%s", x->os);
	if (x->modules != NULL)
		cr_expect_not_null(strstr(sshd_read(s, x->modules), x->module_line), "%s",
		    sshd_read(s, x->modules));
	said = far_do("check");
	cr_expect(said.status == 0 || said.status == 3, "%s: %s", x->os, said.err);
	cr_expect_null(strstr(said.out, "drift"), "%s: %s", x->os, said.out);
	said = far_do("revert --yes --all");
	cr_expect_eq(said.status, 0, "%s: %s", x->os, said.err);
	cr_expect_str_eq(sshd_read(s, x->file), x->mine, "%s: to the byte", x->os);
	cr_expect_str_neq(sshd_read(s, state), x->value, "%s", x->os);
	if (x->modules != NULL)
		cr_expect_neq(access(sshd_path(s, x->modules), F_OK), 0);
	cr_expect_neq(access(sshd_path(s, "state/lethal"), F_OK), 0);
}

Test(ssh_persist, freebsd_has_a_file_of_its_own_for_modules)
{
	there_and_back(&freebsd);
}

Test(ssh_persist, netbsd)
{
	there_and_back(&netbsd);
}

Test(ssh_persist, openbsd)
{
	there_and_back(&openbsd);
}

Test(ssh_persist, dragonfly)
{
	there_and_back(&dragonfly);
}
