/*
 * The guard on knobs of a real kernel, within a network namespace of the test's own.
 *
 * needs: root
 */
#include <criterion/criterion.h>

#include "probes/guard.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#define WMEM "/proc/sys/net/ipv4/tcp_wmem"
#define RMEM "/proc/sys/net/ipv4/tcp_rmem"
#define CC "/proc/sys/net/ipv4/tcp_congestion_control"
#define CORE "/proc/sys/net/core/wmem_max"
#define OLD_W "4096 16384 4194304"
#define OLD_R "4096 131072 6291456"

static char dir[] = "/tmp/pathtune-netns-XXXXXX";
static char outside_w[128], outside_r[128];
static int outside;
static struct arena *a;
static struct host *h;
static struct err e;

static struct knob_value old[] = {
	{ .name = "net.ipv4.tcp_wmem", .file = WMEM, .text = OLD_W },
	{ .name = "net.ipv4.tcp_rmem", .file = RMEM, .text = OLD_R },
	{ .name = "net.ipv4.tcp_congestion_control", .file = CC, .text = NULL }, /* what the namespace was given */
};
static const struct knob_value ours[] = {
	{ .name = "net.ipv4.tcp_wmem", .file = WMEM, .text = "4096 16384 16777216" },
	{ .name = "net.ipv4.tcp_rmem", .file = RMEM, .text = "4096 131072 33554432" },
	{ .name = "net.ipv4.tcp_congestion_control", .file = CC, .text = "reno" },
};

static const char *
get(const char *file)
{
	const struct knob_value v = { .name = "a file", .file = file };
	const char *text = "";

	cr_assert(knobs_read(h, a, &v, 1, &text, &e), "%s", e.text);
	return text;
}

static void
setup(void)
{
	a = arena_new();
	cr_assert_not_null(mkdtemp(dir));
	cr_assert(host_open(a, "local", &h, &e));
	snprintf(outside_w, sizeof(outside_w), "%s", get(WMEM));
	snprintf(outside_r, sizeof(outside_r), "%s", get(RMEM));
	outside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	cr_assert_neq(outside, -1);
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	old[2].text = get(CC);
	cr_assert(knobs_set(h, a, old, 2, &e), "%s", e.text);
}

static void
teardown(void)
{
	const char *const argv[] = { "rm", "-rf", dir, NULL };
	struct command c = { .argv = argv };
	struct output out;

	cr_expect(host_run(h, a, &c, 1, &out, &e));
	close(outside);
	host_close(h);
	arena_free(a);
}

TestSuite(guard_netns, .init = setup, .fini = teardown);

static void
run_until_killed(int say, bool partly)
{
	static const struct knob_value refused = { .name = "net.ipv4.tcp_wmem", .file = WMEM,
		.text = "8192 32768 99999999999" };
	struct guard *g;

	if (!guard_arm(a, dir, "boot", "scope", old, NELEM(old), &g, &e) ||
	    !guard_announce(g, ours, NELEM(ours), &e) ||
	    !knobs_set(h, a, ours, NELEM(ours), &e))
		_exit(99);
	if (partly && (!guard_announce(g, &refused, 1, &e) || host_write(h, WMEM, refused.text, &e)))
		_exit(98);
	if (write(say, "x", 1) != 1)
		_exit(97);
	for (;;)
		pause();
}

static void
kill_run(bool partly)
{
	int ends[2], journal;
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		run_until_killed(ends[1], partly);
	close(ends[1]);
	cr_assert_eq(read(ends[0], &byte, 1), 1);
	cr_expect_str_eq(get(CC), "reno");
	cr_expect_str_eq(get(WMEM), partly ? "8192 32768 16777216" : ours[0].text);
	journal = open(arena_printf(a, "%s/journal-scope", dir), O_RDWR);
	cr_assert_neq(journal, -1);
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_assert_eq(flock(journal, LOCK_EX), 0, "the guard is done");
	close(journal);
	close(ends[0]);
}

Test(guard_netns, a_killed_run_leaves_the_kernel_as_it_was)
{
	int partly;

	for (partly = 0; partly < 2; partly++) {
		kill_run(partly != 0);
		cr_expect(knobs_hold(h, a, old, NELEM(old), &e), "%s", e.text);
		cr_expect_neq(access(arena_printf(a, "%s/journal-scope", dir), F_OK), 0);
	}
}

Test(guard_netns, nothing_is_touched_outside_the_namespace)
{
	kill_run(false);
	cr_assert_eq(setns(outside, CLONE_NEWNET), 0);
	cr_expect_str_eq(get(WMEM), outside_w);
	cr_expect_str_eq(get(RMEM), outside_r);
}

Test(guard_netns, a_triple_that_is_refused_is_put_back_whole)
{
	struct knob_value v = { .name = "net.ipv4.tcp_wmem", .file = WMEM, .text = "8192 32768 99999999999" };

	cr_expect_not(knobs_set(h, a, &v, 1, &e));
	cr_expect_str_eq(e.text, "net.ipv4.tcp_wmem: " WMEM
	    ": the kernel refuses \"8192 32768 99999999999\": Invalid argument; "
	    "set back to \"" OLD_W "\"");
	cr_expect_str_eq(get(WMEM), OLD_W);
}

Test(guard_netns, a_short_value_that_changes_one_field_is_put_back)
{
	struct knob_value v = { .name = "net.ipv4.tcp_wmem", .file = WMEM, .text = "5000" };

	cr_expect_not(knobs_set(h, a, &v, 1, &e));
	cr_expect_not_null(strstr(e.text, "reads back \"5000 16384 4194304\""), "%s", e.text);
	cr_expect_str_eq(get(WMEM), OLD_W);
}

Test(guard_netns, a_knob_of_the_first_namespace_is_called_read_only)
{
	struct knob_value v = { .name = "net.core.wmem_max", .file = CORE, .text = get(CORE) };
	struct guard *g;

	cr_expect_not(host_write(h, CORE, "8388608", &e));
	cr_expect_str_eq(e.text, CORE ": read-only here (container or namespace)");
	e = (struct err){ 0 };
	cr_expect_not(knobs_set(h, a, &v, 1, &e));
	cr_expect_not_null(strstr(e.text, "read-only here"), "%s", e.text);
	e = (struct err){ 0 };
	cr_expect_not(guard_arm(a, dir, "boot", "scope", &v, 1, &g, &e));
	cr_expect_not_null(strstr(e.text, "net.core.wmem_max: " CORE), "%s", e.text);
}
