/*
 * Plain files stand for knobs, so that no privilege is needed.  A run is a process of its own that
 * stops at a given point, says so through a pipe and is killed there.  The guard is done when the
 * journal can be locked.
 */
#include <criterion/criterion.h>

#include "probes/guard.h"
#include "probes/stop.h"
#include "victim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OLD_W "4096 16384 4194304"
#define OLD_R "4096 131072 6291456"
#define NEW_W "4096 16384 16777216"
#define NEW_R "4096 131072 33554432"
#define BOOT "5cd8a7f0-boot"
#define SCOPE "net:[4026531840]"

static char dir[] = "/tmp/pathtune-guard-XXXXXX";
static char wmem[64], rmem[64], cc[64], state[64], journal[128];
static struct arena *a;
static struct host *h;
static struct err e;
static struct knob_value old[3], ours[3];

static void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_neq(fd, -1, "%s", path);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static const char *
get(const char *path)
{
	const struct knob_value v = { .name = "a file", .file = path };
	const char *text = "";

	cr_assert(knobs_read(h, a, &v, 1, &text, &e), "%s", e.text);
	return text;
}

static bool
there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void
setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(wmem, sizeof(wmem), "%s/wmem", dir);
	snprintf(rmem, sizeof(rmem), "%s/rmem", dir);
	snprintf(cc, sizeof(cc), "%s/cc", dir);
	snprintf(state, sizeof(state), "%s/up/state", dir);
	snprintf(journal, sizeof(journal), "%s/journal-net__4026531840_", state);
	put(wmem, OLD_W "\n");
	put(rmem, OLD_R "\n");
	put(cc, "cubic\n");
	old[0] = (struct knob_value){ .name = "net.ipv4.tcp_wmem", .file = wmem, .text = "4096\t16384\t4194304\n" };
	old[1] = (struct knob_value){ .name = "net.ipv4.tcp_rmem", .file = rmem, .text = OLD_R };
	old[2] = (struct knob_value){ .name = "net.ipv4.tcp_congestion_control", .file = cc, .text = "cubic" };
	ours[0] = (struct knob_value){ .name = old[0].name, .file = wmem, .text = NEW_W };
	ours[1] = (struct knob_value){ .name = old[1].name, .file = rmem, .text = NEW_R };
	ours[2] = (struct knob_value){ .name = old[2].name, .file = cc, .text = "bbr" };
	a = arena_new();
	cr_assert(host_open(a, "local", &h, &e));
}

static void
teardown(void)
{
	victim_clear(h, a, dir);
}

TestSuite(guard, .init = setup, .fini = teardown);

static struct guard *
arm(void)
{
	struct guard *g = NULL;

	cr_assert(guard_arm(a, state, BOOT, SCOPE, old, 3, &g, &e), "%s", e.text);
	return g;
}

static void
expect_old(const char *when)
{
	cr_expect_str_eq(get(wmem), OLD_W, "%s", when);
	cr_expect_str_eq(get(rmem), OLD_R, "%s", when);
	cr_expect_str_eq(get(cc), "cubic", "%s", when);
}

static size_t
orphans(const char *boot, const char *scope)
{
	struct orphans found;

	cr_assert(guard_orphans(a, h, state, boot, scope, &found, &e), "%s", e.text);
	cr_expect_eq(found.unfinished, 0);
	return found.restored;
}

static bool
arm_it(struct guard **g)
{
	return guard_arm(a, state, BOOT, SCOPE, old, 3, g, &e);
}

static struct victim
start(void (*to)(struct guard *))
{
	return victim_start(journal, arm_it, to);
}

/* ---- a run that is killed --------------------------------------------------------------------- */

static void
to_armed(struct guard *g)
{
	(void)g;
}

static void
to_announced(struct guard *g)
{
	step(guard_announce(g, ours, 3, &e));
}

static void
to_held(struct guard *g)
{
	to_announced(g);
	step(knobs_set(h, a, ours, 3, &e));
	step(guard_held(g, &e));
}

static void
to_first_set(struct guard *g)
{
	to_announced(g);
	step(knobs_set(h, a, ours, 1, &e));
}

static void
to_all_set(struct guard *g)
{
	to_announced(g);
	step(knobs_set(h, a, ours, 3, &e));
}

static void
to_second_value(struct guard *g)
{
	struct knob_value next[] = { { .name = old[0].name, .file = wmem, .text = "4096 16384 65536" } };

	to_all_set(g);
	step(guard_announce(g, next, 1, &e));
	step(knobs_set(h, a, next, 1, &e));
}

/* As a kernel leaves a triple whose last field it refuses: os-facts A.5.1. */
static void
to_part_of_a_triple(struct guard *g)
{
	struct knob_value next[] = { { .name = old[0].name, .file = wmem, .text = "8192 32768 99999999999" } };

	to_all_set(g);
	step(guard_announce(g, next, 1, &e));
	step(host_write(h, wmem, "8192 32768 16777216", &e));
}

static void
to_half_written(struct guard *g)
{
	to_announced(g);
	step(host_write(h, wmem, NEW_W, &e));
	step(host_write(h, rmem, "4096 131072 33554432\n", &e));
}

static const struct {
	const char *name;
	void (*to)(struct guard *);
	size_t changed; /* knobs that differ from the old value then */
} points[] = {
	{ "armed", to_armed, 0 },
	{ "announced", to_announced, 0 },
	{ "first set", to_first_set, 1 },
	{ "all set", to_all_set, 3 },
	{ "second value", to_second_value, 3 },
	{ "part of a triple", to_part_of_a_triple, 3 },
	{ "half written", to_half_written, 2 },
};

Test(guard, a_killed_run_leaves_the_old_values)
{
	static const int signals[] = { SIGKILL, SIGINT, SIGTERM, SIGHUP };
	struct victim r;
	size_t i, s;

	for (s = 0; s < NELEM(signals); s++)
		for (i = 0; i < NELEM(points); i++) {
			r = start(points[i].to);
			cr_expect_neq(points[i].changed == 0, strcmp(get(wmem), OLD_W) != 0);
			victim_kill(&r, -r.pid, signals[s]); /* the whole process group */
			expect_old(points[i].name);
			cr_expect_not(there(journal), "%s", points[i].name);
		}
}

Test(guard, the_next_command_restores_what_a_dead_run_and_guard_left)
{
	struct victim r;
	size_t i;

	for (i = 0; i < NELEM(points); i++) {
		r = start(points[i].to);
		victim_kill_both(&r);
		cr_assert(there(journal), "%s", points[i].name);
		cr_expect_eq(orphans(BOOT, SCOPE), points[i].changed, "%s", points[i].name);
		expect_old(points[i].name);
		cr_expect_not(there(journal), "%s", points[i].name);
	}
	cr_expect_eq(orphans(BOOT, SCOPE), 0);
}

Test(guard, the_guard_hears_no_signal_but_the_end_of_its_run)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT };
	struct victim r = start(to_all_set);
	pid_t guard = victim_guard(r.pid);
	size_t i;

	for (i = 0; i < NELEM(signals); i++)
		cr_expect_eq(kill(guard, signals[i]), 0);
	cr_expect_neq(getsid(guard), getsid(0), "a session of its own");
	cr_expect_str_eq(get(cc), "bbr", "nothing was restored while the run lives");
	victim_kill(&r, r.pid, SIGKILL);
	expect_old("after all these signals");
}

/* Somebody else holds the run's end of the socket open: its death is noticed even so. */
static void
to_a_child_that_stays(struct guard *g)
{
	pid_t child;

	to_all_set(g);
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	step(child > 0);
	put(arena_printf(a, "%s/child", dir), arena_printf(a, "%ld", (long)child));
}

Test(guard, an_inherited_socket_does_not_keep_the_guard_waiting)
{
	struct victim r = start(to_a_child_that_stays);
	pid_t child = (pid_t)atol(get(arena_printf(a, "%s/child", dir)));
	unsigned tries;

	cr_assert_gt(child, 1);
	cr_assert_eq(kill(r.pid, SIGKILL), 0);
	cr_assert_eq(waitpid(r.pid, NULL, 0), r.pid);
	for (tries = 0; there(journal) && tries < 10000; tries++) /* the child shares the lock */
		usleep(1000);
	expect_old("run dead, its child alive");
	kill(child, SIGKILL);
	close(r.journal);
	close(r.said);
}

/* ---- what is not ours ------------------------------------------------------------------------- */

Test(guard, a_value_of_somebody_elses_stays)
{
	static const char *const theirs[] = { "4096 16384 8388608", "4096 16384",
		"4096 16384 4194304 1", "1 16384 16777216", "" };
	struct victim r;
	size_t i;

	for (i = 0; i < NELEM(theirs); i++) {
		r = start(to_held);
		put(wmem, theirs[i]);
		victim_kill(&r, r.pid, SIGKILL);
		cr_expect_str_eq(get(wmem), theirs[i]);
		cr_expect_str_eq(get(rmem), OLD_R, "the others come back");
		cr_expect_not(there(journal));
		put(wmem, OLD_W);

		r = start(to_held);
		put(wmem, theirs[i]);
		victim_kill_both(&r);
		cr_expect_eq(orphans(BOOT, SCOPE), 2);
		cr_expect_str_eq(get(wmem), theirs[i]);
		cr_expect_not(there(journal));
		put(wmem, OLD_W);
	}
}

Test(guard, a_journal_of_another_boot_is_dropped_and_of_another_scope_left_alone)
{
	struct victim r = start(to_all_set);

	victim_kill_both(&r);
	cr_expect_eq(orphans(BOOT, "net:[1]"), 0);
	cr_expect_str_eq(get(cc), "bbr");
	cr_expect(there(journal));
	cr_expect_eq(orphans("another-boot", SCOPE), 0);
	cr_expect_str_eq(get(cc), "bbr");
	cr_expect_not(there(journal));
}

Test(guard, two_runs_at_once_are_refused_in_one_scope_only)
{
	struct guard *first = arm(), *second = NULL;
	struct orphans found;

	cr_expect_not(guard_arm(a, state, BOOT, SCOPE, old, 3, &second, &e));
	cr_expect_not_null(strstr(e.text, "another pathtune (process "), "%s", e.text);
	e = (struct err){ 0 };
	cr_expect_not(guard_orphans(a, h, state, BOOT, SCOPE, &found, &e));
	cr_expect_not_null(strstr(e.text, arena_printf(a, "(process %ld)", (long)getpid())));
	e = (struct err){ 0 };
	cr_expect_eq(orphans(BOOT, "net:[1]"), 0);
	cr_assert(guard_arm(a, state, BOOT, "net:[1]", old, 3, &second, &e), "%s", e.text);
	cr_expect(guard_release(second, h, a, &e), "%s", e.text);
	cr_expect(guard_release(first, h, a, &e), "%s", e.text);
	cr_expect(guard_release(arm(), h, a, &e), "%s", e.text);
}

Test(guard, arming_over_an_orphan_is_refused)
{
	struct victim r = start(to_all_set);
	struct guard *g;

	victim_kill_both(&r);
	cr_expect_not(guard_arm(a, state, BOOT, SCOPE, old, 3, &g, &e));
	cr_expect_not_null(strstr(e.text, "not restored yet"), "%s", e.text);
	e = (struct err){ 0 };
	cr_expect_eq(orphans(BOOT, SCOPE), 3);
	expect_old("afterwards");
}

/* ---- release ---------------------------------------------------------------------------------- */

Test(guard, release_restores_and_leaves_nothing)
{
	struct guard *g = arm();
	struct stat st;

	cr_assert_eq(stat(journal, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(stat(state, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0700);
	cr_assert(guard_announce(g, ours, 3, &e), "%s", e.text);
	cr_assert(guard_announce(g, ours, 3, &e), "%s", e.text);
	cr_assert(knobs_set(h, a, ours, 3, &e), "%s", e.text);
	cr_assert(guard_release(g, h, a, &e), "%s", e.text);
	expect_old("released");
	cr_expect_not(there(journal));
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "no child is left");
	cr_expect_eq(errno, ECHILD);
}

Test(guard, a_knob_given_twice_is_restored_once)
{
	struct knob_value twice[] = { old[0], old[1], old[0] };
	struct guard *g;

	cr_assert(guard_arm(a, state, BOOT, SCOPE, twice, 3, &g, &e), "%s", e.text);
	cr_assert(guard_announce(g, ours, 2, &e), "%s", e.text);
	cr_assert(knobs_set(h, a, ours, 2, &e), "%s", e.text);
	cr_expect(guard_release(g, h, a, &e), "%s", e.text);
	expect_old("twice");
}

Test(guard, release_works_after_a_stop)
{
	struct guard *g;

	cr_assert(stop_install());
	g = arm();
	cr_assert(guard_announce(g, ours, 3, &e), "%s", e.text);
	cr_assert(knobs_set(h, a, ours, 3, &e), "%s", e.text);
	raise(SIGINT);
	cr_assert_eq(stop_requested(), SIGINT);
	cr_expect(guard_release(g, h, a, &e), "%s", e.text);
	stop_reset();
	expect_old("stopped");
}

Test(guard, release_says_what_somebody_else_changed)
{
	struct guard *g = arm();

	cr_assert(guard_announce(g, ours, 3, &e));
	cr_assert(knobs_set(h, a, ours, 3, &e));
	cr_assert(guard_held(g, &e));
	put(wmem, "1 2 3\n");
	cr_expect_not(guard_release(g, h, a, &e));
	cr_expect_str_eq(e.text,
	    "net.ipv4.tcp_wmem: is \"1 2 3\" now, which is not ours; left as it is");
	cr_expect_str_eq(get(rmem), OLD_R);
	cr_expect_not(there(journal));
}

/* The guard still has the file open that we cannot write any more. */
Test(guard, what_we_cannot_restore_the_guard_tries_or_the_journal_stays)
{
	struct guard *g = arm();

	cr_assert(guard_announce(g, ours, 3, &e));
	cr_assert(knobs_set(h, a, ours, 3, &e));
	unlink(wmem);
	cr_assert_eq(mkdir(wmem, 0700), 0);
	cr_expect(guard_release(g, h, a, &e), "%s", e.text);
	cr_expect_not(there(journal));
	cr_expect_str_eq(get(rmem), OLD_R);
}

Test(guard, without_its_guard_a_run_goes_no_further_but_restores)
{
	struct knob_value next[] = { { .name = old[0].name, .file = wmem, .text = "4096 16384 65536" } };
	struct guard *g = arm();
	pid_t guard = victim_guard(getpid());

	cr_assert(guard_announce(g, ours, 3, &e));
	cr_assert(knobs_set(h, a, ours, 3, &e));
	kill(guard, SIGKILL);
	cr_assert_eq(waitid(P_PID, (id_t)guard, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	cr_expect_not(guard_announce(g, next, 1, &e));
	cr_expect_not_null(strstr(e.text, "the guard (process "), "%s", e.text);
	e = (struct err){ 0 };
	cr_expect(guard_release(g, h, a, &e), "%s", e.text);
	expect_old("guard dead");
	cr_expect_not(there(journal));
}

/* ---- bad input -------------------------------------------------------------------------------- */

static void
expect_no_arm(const struct knob_value *v, size_t n, const char *why)
{
	struct guard *g = NULL;

	e = (struct err){ 0 };
	cr_expect_not(guard_arm(a, state, BOOT, SCOPE, v, n, &g, &e));
	cr_expect_null(g);
	cr_expect_not_null(strstr(e.text, why), "\"%s\" does not say \"%s\"", e.text, why);
	cr_expect_not(there(journal));
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	e = (struct err){ 0 };
}

Test(guard, what_cannot_be_guarded_is_refused_before_anything_is_set)
{
	char longer[700];
	struct knob_value v = old[0], many[25];
	size_t i;

	memset(longer, '1', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	v.file = "/nonexistent/knob";
	expect_no_arm(&v, 1, "/nonexistent/knob: No such file");
	v.file = "relative";
	expect_no_arm(&v, 1, "not an absolute path");
	v.file = longer;
	expect_no_arm(&v, 1, "too long");
	v = old[0];
	v.text = longer;
	expect_no_arm(&v, 1, "too long");
	v.text = "a\001b";
	expect_no_arm(&v, 1, "unprintable");
	for (i = 0; i < NELEM(many); i++)
		many[i] = (struct knob_value){ .name = "many", .file = arena_printf(a, "%s/%zu", dir, i), .text = "1" };
	expect_no_arm(many, NELEM(many), "more than 24 knobs");
	snprintf(state, sizeof(state), "%s/wmem/state", dir);
	expect_no_arm(old, 3, "Not a directory");
	snprintf(state, sizeof(state), "/dev/null/state");
	expect_no_arm(old, 3, "/dev/null");
}

Test(guard, a_state_directory_that_others_can_write_is_refused)
{
	struct orphans found;

	cr_assert_eq(mkdir(arena_printf(a, "%s/up", dir), 0700), 0);
	cr_assert_eq(mkdir(state, 0700), 0);
	cr_assert_eq(chmod(state, 0770), 0);
	expect_no_arm(old, 3, "can be written by others");
	cr_expect_not(guard_orphans(a, h, state, BOOT, SCOPE, &found, &e));
}

Test(guard, only_what_is_guarded_can_be_announced)
{
	struct knob_value stranger = { .name = "net.core.wmem_max", .file = "/proc/stranger", .text = "1" };
	struct knob_value many[1025];
	struct guard *g = arm();
	size_t i;

	cr_expect_not(guard_announce(g, &stranger, 1, &e));
	cr_expect_str_eq(e.text, "net.core.wmem_max: is not guarded");
	e = (struct err){ 0 };
	for (i = 0; i < NELEM(many); i++) {
		many[i] = ours[0];
		many[i].text = arena_printf(a, "4096 16384 %zu", 5000000 + i);
	}
	cr_expect_not(guard_announce(g, many, 1025, &e));
	cr_expect_str_eq(e.text, "more than 1024 values to guard");
	e = (struct err){ 0 };
	cr_expect(guard_announce(g, many, 1024, &e), "%s", e.text);
	cr_expect(guard_announce(g, many, 1024, &e), "known ones need no room: %s", e.text);
	cr_expect_not(guard_announce(g, ours, 1, &e));
	e = (struct err){ 0 };
	cr_assert(knobs_set(h, a, many + 1023, 1, &e), "%s", e.text);
	cr_expect(guard_release(g, h, a, &e), "%s", e.text);
	expect_old("after 1024 values");
}

Test(guard, a_damaged_journal_is_named_and_nothing_is_changed)
{
	static const char good[] = "old\twmem\t/x\t" OLD_W "\nours\t0\t" NEW_W "\n";
	static const struct {
		const char *head, *rest, *why;
	} cases[] = {
		{ "", "x", "ends in line 1" },
		{ "pathtune-journal\t3\t1\t7\tB", "", "ends in line 1" },
		{ "pathtune-journal\t1\t1\t7\tB\tS\n", "ours\t0", "ends in line 2" },
		{ "pathtune-journal\t1\t2\t7\tB\tS\n", good, "line 3: damaged line" },
		{ "pathtune-journal\t3\t1\t7\tB\tS\n", good, "line 1: a journal of another version" },
		{ "pathtune-journal\t1\t1\t7\tB\tS\n", "run\tw\t1\t1\tr\tw\n", "line 2: damaged" },
		{ "pathtune-journal\t1\t1\t7\tB\tS\n", "old\tw\t/x\t1\nheld\n", "line 3: damaged" },
		{ "pathtune-journal\t2\t1\t7\tB\tS\n", "held\n", "line 2: damaged" },
		{ "pathtune-journal\t2\t1\t7\tB\tS\n", "run\tw\t1\t1\tr\n", "line 2: damaged" },
		{ "pathtune-journal\t2\t1\t7\tB\tS\n", "run\tw\t1\t2\tr\tw\n", "line 2: damaged" },
		{ "pathtune-journal\t2\t1\t7\tB\tS\n", "run\tw\t1\t0\tr\tw\n", "a command is missing" },
		{ "pathtune-journal\t2\t1\t7\tB\tS\n", "run\tw\t1\t-1\tr\tw\n", "line 2: damaged" },
		{ "pathtune-journal\t2\t1\t7\tB\tS\n", "run\tw\t1\t1\t\tw\n", "a command is missing" },
		{ "pathtune-journal\t2\t1\t7\tB\tS\n", "run\tw\t1\t1\tr\tw\tw\tw\tw\tw\tw\tw\tw\tw\tw"
		    "\tw\tw\tw\tw\n", "line 2" },
		{ "pathtune-journal\t2\t1\t7\tB\tS\n", "run\tw\t1\t1\tr\tw\x1b\n", "a command is missing" },
		{ "pathtune-journal\t2\t0\t7\tB\tS\n", "file\tx\tb\to\t1\t1\t1\t1\n", "line 2: x: no absolute" },
		{ "pathtune-journal\t2\t0\t7\tB\tS\n", "file\t/x\t../b\to\t1\t1\t1\t1\n", "line 2: /x: no" },
		{ "pathtune-journal\t2\t0\t7\tB\tS\n", "file\t/x\tb\t..\t1\t1\t1\t1\n", "line 2: /x: no" },
		{ "pathtune-journal\t2\t0\t7\tB\tS\n", "file\t/x\tb\to\t1\tx\t1\t1\n", "line 2: damaged" },
		{ "pathtune-journal\t2\t0\t7\tB\tS\n", "file\t/x\tb\to\t1\t1\t1\tx\n", "line 2: damaged" },
		{ "pathtune-journal\t1\t99\t7\tB\tS\n", good, "line 1: damaged first line" },
		{ "pathtune-journal\t1\t1\t-7\tB\tS\n", good, "line 1: damaged first line" },
		{ "pathtune-journal\t1\t1\t7\tB\n", good, "line 1: damaged first line" },
		{ "something else\n", good, "line 1: not a journal" },
		{ "pathtune-journal\t1\t1\t7\tB\tS\n", "old\tw\trelative\t1\n", "absolute path" },
		{ "pathtune-journal\t1\t1\t7\tB\tS\n", "ours\t0\t1\n", "line 2: damaged line" },
		{ "pathtune-journal\t1\t1\t7\tB\tS\n", "old\tw\t/x\t1\nours\t1\t1\n", "line 3" },
		{ "pathtune-journal\t1\t1\t7\tB\tS\n", "old\tw\t/x\t1\nours\t0\t1\t2\n", "line 3" },
		{ "\n", "", "line 1: not a journal" },
	};
	struct orphans found;
	size_t i;

	cr_assert(guard_release(arm(), h, a, &e), "makes the directory");
	put(wmem, NEW_W);
	for (i = 0; i < NELEM(cases); i++) {
		put(journal, arena_printf(a, "%s%s", cases[i].head, cases[i].rest));
		cr_expect_not(guard_orphans(a, h, state, "B", "S", &found, &e), "%zu", i);
		cr_expect_eq(strncmp(e.text, journal, strlen(journal)), 0, "%s", e.text);
		cr_expect_not_null(strstr(e.text, cases[i].why), "%zu: %s", i, e.text);
		cr_expect(there(journal));
		cr_expect_str_eq(get(wmem), NEW_W);
		e = (struct err){ 0 };
	}
}

/* All that a power cut may leave of what guard_arm() writes. */
Test(guard, a_journal_cut_within_the_old_values_is_removed_and_said)
{
	const char *head = arena_printf(a, "pathtune-journal\t2\t3\t7\tB\tS\nold\tw\t%s\t" OLD_W
	    "\nold\tr\t%s\t" OLD_R "\nrun\tx\t1\t2\tsysctl\tx\tsysctl\tx={value}\n", wmem, rmem);
	struct orphans found;
	struct guard *g;

	cr_assert(guard_release(arm(), h, a, &e), "makes the directory");
	put(wmem, NEW_W);
	for (size_t n = 1; n < strlen(head); n++) {
		put(journal, arena_strndup(a, head, n));
		cr_expect_not(guard_arm(a, state, BOOT, SCOPE, old, 3, &g, &e), "%zu", n);
		e = (struct err){ 0 };
		cr_assert(guard_orphans(a, h, state, "B", "S", &found, &e), "%zu: %s", n, e.text);
		cr_expect(found.unfinished == 1 && found.restored == 0, "%zu", n);
		cr_expect_not(there(journal), "%zu", n);
	}
	cr_expect_str_eq(get(wmem), NEW_W, "nobody's business");
	put(journal, "");
	cr_assert_eq(truncate(journal, (off_t)strlen(head)), 0); /* as long as it was to be, all NUL */
	cr_assert(guard_orphans(a, h, state, "B", "S", &found, &e), "%s", e.text);
	cr_expect(found.unfinished == 1 && !there(journal));
}

Test(guard, what_never_reached_the_disk_of_an_announcement_is_not_restored)
{
	cr_assert(guard_release(arm(), h, a, &e), "makes the directory");
	put(wmem, NEW_W);
	put(journal, arena_printf(a, "pathtune-journal\t1\t1\t7\tB\tS\nold\tw\t%s\t" OLD_W
	    "\nours\t0\t" NEW_W "\nours\t0\t40", wmem));
	cr_assert_eq(truncate(journal, 4096), 0);
	cr_expect_eq(orphans("B", "S"), 1);
	cr_expect_str_eq(get(wmem), OLD_W);
}

Test(guard, a_torn_last_line_announces_nothing_and_an_empty_journal_is_removed)
{
	cr_assert(guard_release(arm(), h, a, &e), "makes the directory");
	put(wmem, NEW_W);
	put(journal, arena_printf(a, "pathtune-journal\t1\t1\t7\tB\tS\nold\tw\t%s\t" OLD_W
	    "\nours\t0\t4096 16384 167", wmem));
	cr_expect_eq(orphans("B", "S"), 0);
	cr_expect_str_eq(get(wmem), NEW_W);
	put(wmem, OLD_W);
	put(journal, "");
	cr_expect_eq(orphans("B", "S"), 0);
	cr_expect_not(there(journal));
	cr_expect(guard_release(arm(), h, a, &e), "%s", e.text);
}

Test(guard, a_journal_that_others_can_write_is_refused)
{
	struct orphans found;

	cr_assert(guard_release(arm(), h, a, &e), "makes the directory");
	put(journal, "");
	cr_assert_eq(chmod(journal, 0666), 0);
	cr_expect_not(guard_orphans(a, h, state, BOOT, SCOPE, &found, &e));
	cr_expect_not_null(strstr(e.text, "others may write"), "%s", e.text);
	unlink(journal);
	e = (struct err){ 0 };
	cr_assert_eq(symlink(wmem, journal), 0);
	cr_expect_not(guard_orphans(a, h, state, BOOT, SCOPE, &found, &e));
	cr_expect_not_null(strstr(e.text, journal), "%s", e.text);
	expect_old("untouched");
}

Test(guard, the_state_directory_is_where_we_are_told)
{
	setenv("PATHTUNE_STATE", "/somewhere", 1);
	cr_expect_str_eq(guard_state_dir(a, NULL), "/somewhere");
	setenv("PATHTUNE_STATE", "", 1);
	setenv("HOME", "/home/x", 1);
	cr_expect_str_eq(guard_state_dir(a, NULL),
	    geteuid() == 0 ? "/var/lib/pathtune" : "/home/x/.local/state/pathtune");
	cr_expect_eq(orphans(BOOT, SCOPE), 0, "no directory, no orphans");
	cr_expect_not(there(state));
}
