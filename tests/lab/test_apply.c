/*
 * apply, confirm, revert and check on a real kernel: the values of a lab's namespace, and files
 * below a temporary directory in place of /etc.
 *
 * needs: ethtool
 */
#include "probes/files.h"
#include "probes/knobs.h"
#include "probes/lab.h"
#include "tuner/record.h"
#include "../unit/program.h"

#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>

#define SEND "4096 16384 8388608"
#define RECEIVE "4096 131072 16777216"

static struct arena *a;
static const char *lab, *dir, *conf, *before_send, *before_receive;

static const char *
path(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

static void
put(const char *to, const char *text)
{
	struct err e = { ERR_NONE, "" };

	cr_assert(files_write(to, text, strlen(text), 0644, &e), "%s", e.text);
}

static const char *
get(const char *from)
{
	struct err e = { ERR_NONE, "" };
	const char *text;
	size_t len;

	return files_read(a, from, NODE_BYTES, &text, &len, &e) ? text : "";
}

/* The program in the lab's namespace. */
static struct said
in_a(const char *command)
{
	return program_run(a, arena_printf(a, "lab exec %s a -- %s", lab, command));
}

static struct said
pathtune(const char *command, const char *flags)
{
	/* A lab has a state of its own, which ends with it. */
	return in_a(arena_printf(a, "env PATHTUNE_STATE=%s @ %s --profile %s %s", path("state"),
	    command, path("linux.yaml"), flags));
}

static const char *
knob(const char *name)
{
	struct said s = in_a(arena_printf(a, "cat /proc/sys/net/ipv4/%s", name));

	return arena_strndup(a, s.out, strcspn(s.out, "\n"));
}

static void
expect(const char *send, const char *receive, bool persisted, const char *when)
{
	cr_expect(knobs_same(knob("tcp_wmem"), send), "%s: %s", when, knob("tcp_wmem"));
	cr_expect(knobs_same(knob("tcp_rmem"), receive), "%s: %s", when, knob("tcp_rmem"));
	cr_expect_eq(access(conf, F_OK) == 0, persisted, "%s", when);
}

/* The profile of this system, with another directory in the place of /etc. */
static const char *
profile_text(void)
{
	const char *from = get(arena_printf(a, "%s/../profiles/linux.yaml", TESTS_DIR)), *at;
	struct text t = { .arena = a };

	for (; (at = strstr(from, "/etc/")) != NULL; from = at + strlen("/etc/")) {
		text_bytes(&t, from, (size_t)(at - from));
		text_add(&t, "%s/etc/", dir);
	}
	text_add(&t, "%s", from);
	return t.s;
}

/* Whether this machine has udev is not what is tested. */
static const char *
without_reader(const char *text)
{
	const char *at = strstr(text, "    reader: [test, -d, /run/udev]\n"), *end;

	cr_assert_not_null(at);
	end = strstr(at, "    source: ");
	cr_assert_not_null(end);
	return arena_printf(a, "%.*s%s", (int)(at - text), text, end);
}

static void
setup(void)
{
	char name[] = "/tmp/pathtune-test-XXXXXX";
	struct lab_spec s = lab_default();
	struct err e = { ERR_NONE, "" };
	const char *cc;

	a = arena_new();
	cr_assert_not_null(mkdtemp(name));
	dir = arena_strdup(a, name);
	lab = arena_printf(a, "apply-%ld", (long)getpid());
	conf = path("etc/sysctl.d/90-pathtune.conf");
	cr_assert(mkdir(path("etc"), 0755) == 0 && mkdir(path("etc/sysctl.d"), 0755) == 0);
	put(path("linux.yaml"), profile_text());
	s.name = lab;
	s.start = "bsd-256k";
	s.link[0].rate_bps = s.link[1].rate_bps = 40e6;
	s.rtt_ms = 100; /* twice what a window of 256 kB gives */
	s.open_b = true;
	s.tied = true;
	cr_assert(lab_up(a, &s, &cc, &e), "%s", e.text);
	before_send = knob("tcp_wmem");
	before_receive = knob("tcp_rmem");
	put(path("run.json"), arena_printf(a, "{\"schema\":\"pathtune-run/1\",\"facts\":{\"os\":"
	    "\"Linux\"},\"advice\":{\"paths\":[{\"rtt_ms\":10,\"rate_bps\":1e9}],\"connections\":1},"
	    "\"decision\":{\"verdict\":\"change\",\"class\":\"advice\",\"settings\":["
	    "{\"name\":\"net.ipv4.tcp_wmem\",\"new\":\"%s\"},"
	    "{\"name\":\"net.ipv4.tcp_rmem\",\"new\":\"%s\"}]}}", SEND, RECEIVE));
}

static void
teardown(void)
{
	if (access(path("state/unconfirmed"), F_OK) == 0)
		pathtune("revert", "--yes");
	lab_down(a, lab, NULL);
	cr_assert_eq(system(arena_printf(a, "rm -rf %s", dir)), 0);
	arena_free(a);
}

TestSuite(apply_lab, .init = setup, .fini = teardown, .timeout = 120);

static struct said
apply(const char *flags)
{
	return pathtune(arena_printf(a, "apply %s --yes", path("run.json")), flags);
}

Test(apply_lab, sets_checks_and_takes_back)
{
	struct said s = apply("");

	cr_assert_eq(s.status, 0, "%s", s.err);
	expect(SEND, RECEIVE, true, "applied");
	cr_expect_not_null(strstr(get(conf), "\nnet.ipv4.tcp_wmem = " SEND "\n"), "%s", get(conf));
	s = apply("");
	cr_expect_eq(s.status, 0, "%s", s.err);
	cr_expect_str_eq(s.out, "nothing to do: it is in force already\n");
	s = pathtune("check", "");
	cr_expect_null(strstr(s.out, "drift"), "%s", s.out);
	cr_expect_null(strstr(s.out, "conflict"), "%s", s.out);
	put(path("value"), before_send);
	in_a(arena_printf(a, "cp %s /proc/sys/net/ipv4/tcp_wmem", path("value")));
	s = pathtune("check", "-q");
	cr_expect_eq(s.status, 3);
	cr_expect_not_null(strstr(s.out, "value-drift: net.ipv4.tcp_wmem"), "%s", s.out);
	cr_expect_eq(apply("").status, 0, "brings it back");
	cr_expect_eq(pathtune("revert", "--yes --all").status, 0);
	expect(before_send, before_receive, false, "reverted");
	cr_expect_eq(access(path("state/undo"), F_OK), -1);
}

/* What ethtool says of an offload. */
static bool
is_state(const char *name, const char *state)
{
	struct said s = in_a("ethtool -k path0");

	return strstr(s.out, arena_printf(a, "%s: %s\n", name, state)) != NULL;
}

/* By ethtool, and by the file that udev would read. */
Test(apply_lab, an_offload_is_set_kept_and_taken_back)
{
	const char *rules = path("etc/udev/rules.d/90-pathtune-path0.rules");
	struct said s;

	cr_assert(mkdir(path("etc/udev"), 0755) == 0 && mkdir(path("etc/udev/rules.d"), 0755) == 0);
	cr_assert_eq(in_a("ip route add default dev path0").status, 0);
	cr_assert(is_state("tx-checksumming", "on"));
	put(path("run.json"), "{\"schema\":\"pathtune-run/1\",\"facts\":{\"os\":\"Linux\"},"
	    "\"decision\":{\"verdict\":\"change\",\"class\":\"other-settings\",\"settings\":["
	    "{\"name\":\"offload tx-tcp-segmentation path0\",\"new\":\"off\",\"verified\":true},"
	    "{\"name\":\"offload tx-checksumming path0\",\"new\":\"off\",\"verified\":true}]}}");
	put(path("linux.yaml"), arena_printf(a, "%s", without_reader(get(path("linux.yaml")))));
	s = apply("");
	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_expect(is_state("tx-checksumming", "off"));
	cr_expect(is_state("\ttx-tcp-segmentation", "off"));
	cr_expect_not_null(strstr(get(rules), "; ethtool -K path0 tx-checksumming off'\"\n"), "%s",
	    get(rules));
	cr_expect_neq(access(conf, F_OK), 0, "no settings, no file of them");
	in_a("ethtool -K path0 tx-checksumming on");
	s = pathtune("check", "-q");
	cr_expect_eq(s.status, 3);
	cr_expect_not_null(strstr(s.out, "value-drift: offload tx-checksumming path0"), "%s", s.out);
	cr_expect_eq(apply("").status, 0, "brings it back");
	cr_expect_eq(pathtune("revert", "--yes --all").status, 0);
	cr_expect(is_state("tx-checksumming", "on"));
	cr_expect(is_state("\ttx-tcp-segmentation", "on"));
	cr_expect_neq(access(rules, F_OK), 0);
}

/* Until the guard has done its work; the test's time limit ends it. */
static void
await_old(void)
{
	while (!knobs_same(knob("tcp_wmem"), before_send) ||
	    !knobs_same(knob("tcp_rmem"), before_receive))
		continue;
}

static void
kill_keeper(void)
{
	glob_t found;
	long pid;

	cr_assert_eq(glob(path("state/journal-*"), 0, NULL, &found), 0);
	cr_assert_eq(sscanf(get(found.gl_pathv[0]), "pathtune-journal\t%*d\t%*d\t%ld", &pid), 1);
	globfree(&found);
	kill((pid_t)pid, SIGKILL);
}

Test(apply_lab, what_is_not_confirmed_goes_back_when_its_keeper_is_killed)
{
	struct said s = apply("--confirm 100s");

	cr_assert_eq(s.status, 0, "%s", s.err);
	expect(SEND, RECEIVE, false, "unconfirmed");
	kill_keeper();
	await_old();
	expect(before_send, before_receive, false, "killed");
	cr_expect_eq(pathtune("confirm", "").status, 1);
}

Test(apply_lab, what_is_confirmed_stays)
{
	cr_assert_eq(apply("--confirm 100s").status, 0);
	cr_assert_eq(pathtune("confirm", "").status, 0);
	expect(SEND, RECEIVE, true, "confirmed");
	cr_expect_eq(pathtune("revert", "--yes").status, 0);
	expect(before_send, before_receive, false, "reverted");
}

Test(apply_lab, tune_applies_what_it_measured)
{
	static const char serve[] = "lab exec %s b -- env PATHTUNE_TOKEN=0123456789abcdef0123 @ serve "
	    "--token-env -q";
	struct started server = program_start(a, arena_printf(a, serve, lab));
	struct said s;
	char line[256];

	cr_assert(read(server.out, line, sizeof(line)) > 0, "the server starts");
	put(path("try.yaml"), "direction: send\nduration: 1s\nsettings:\n  - name: large\n"
	    "    knobs: {net.ipv4.tcp_wmem: " SEND "}\n");
	s = in_a(arena_printf(a, "env PATHTUNE_STATE=%s PATHTUNE_TOKEN=0123456789abcdef0123 @ tune "
	    "--profile %s --peer " LAB_ADDRESS_B " --start-cc cubic --budget 80s --try %s --save %s "
	    "--apply --yes", path("state"), path("linux.yaml"), path("try.yaml"), path("tuned.json")));
	cr_assert_eq(s.status, 0, "%s", s.err);
	expect(SEND, before_receive, true, "measured and applied");
	cr_expect_not_null(strstr(s.out, "+net.ipv4.tcp_wmem = " SEND "\n"), "%s", s.out);
	cr_expect_eq(pathtune("revert", "--yes").status, 0);
	expect(before_send, before_receive, false, "reverted");
	program_end(a, server);
}
