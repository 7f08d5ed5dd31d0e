/*
 * Knobs that are set and read by commands, brought back by the guard: the commands are a program
 * that acts on files and misbehaves (fake_sysctl.h).
 */
#include <criterion/criterion.h>

#include "fake_sysctl.h"
#include "victim.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define N 5

static char dir[] = "/tmp/pathtune-guardc-XXXXXX";
static char fake[64], state[64], journal[128];
static struct arena *a;
static struct host *h;
static struct err e;
static struct knob_value old[N], ours[N];

static const char *const names[N] = { "kern.ipc.maxsockbuf", "net.send.clamps", "net.triple.partial",
	"net.recv.wraps", "net.word.hangs" };
static const char *const were[N] = { "2097152", "500", "1 2 3", "65536", "a" };
/* What the kernel is asked for, and what it makes of it. */
static const char *const asked[N] = { "4194304", "5000", "9 9 9", "4294967300", "b" };
static const char *const became[N] = { "4194304", "1000", "9 2 3", "4", "b" };

static void
put(const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

/* By the file itself, not by the program. */
static const char *
get(const char *name)
{
	const struct knob_value v = { .name = name, .file = arena_printf(a, "%s/%s", dir, name) };
	const char *text = "";

	cr_assert(knobs_read(h, a, &v, 1, &text, &e), "%s", e.text);
	return text;
}

static void
setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(state, sizeof(state), "%s/state", dir);
	snprintf(journal, sizeof(journal), "%s/journal-scope", state);
	fake_sysctl(dir, fake, sizeof(fake));
	a = arena_new();
	cr_assert(host_open(a, "local", &h, &e));
	for (size_t i = 0; i < N; i++) {
		put(names[i], were[i]);
		old[i] = ours[i] = fake_sysctl_knob(a, fake, names[i], were[i]);
		ours[i].text = asked[i];
	}
}

static void
teardown(void)
{
	victim_clear(h, a, dir);
}

TestSuite(guard_commands, .init = setup, .fini = teardown);

static bool
arm(struct guard **g)
{
	return guard_arm(a, state, "boot", "scope", old, N, g, &e);
}

static void
expect_old(void)
{
	for (size_t i = 0; i < N; i++)
		cr_expect_str_eq(get(names[i]), were[i], "%s", names[i]);
}

static bool
is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void
to_announced(struct guard *g)
{
	step(guard_announce(g, ours, N, &e));
}

/* Between the write and the read: nobody knows yet what the kernel made of it. */
static void
to_written(struct guard *g)
{
	to_announced(g);
	for (size_t i = 0; i < N; i++)
		step(knobs_write(h, a, &ours[i], &e));
}

static void
to_held(struct guard *g)
{
	to_announced(g);
	step(knobs_set(h, a, ours, 1, &e));
	step(guard_held(g, &e));
}

static void (*const points[])(struct guard *) = { to_announced, to_written, to_held };

Test(guard_commands, a_killed_run_leaves_the_old_values)
{
	for (size_t p = 0; p < NELEM(points); p++) {
		struct victim r = victim_start(journal, arm, points[p]);

		for (size_t i = 0; p == 1 && i < N; i++)
			cr_expect_str_eq(get(names[i]), became[i], "%s", names[i]);
		victim_kill(&r, -r.pid, SIGKILL);
		expect_old();
		cr_expect_not(is_there(journal), "%zu", p);
	}
}

Test(guard_commands, the_next_command_restores_what_a_dead_run_and_guard_left)
{
	static const size_t changed[] = { 0, N, 1 };

	for (size_t p = 0; p < NELEM(points); p++) {
		struct victim r = victim_start(journal, arm, points[p]);
		struct orphans found;

		victim_kill_both(&r);
		cr_assert(is_there(journal));
		cr_assert(guard_orphans(a, h, state, "boot", "scope", &found, &e), "%s", e.text);
		cr_expect_eq(found.restored, changed[p]);
		expect_old();
		cr_expect_not(is_there(journal));
	}
}

Test(guard_commands, a_value_of_somebody_elses_stays_once_ours_has_held)
{
	struct victim r = victim_start(journal, arm, to_held);

	put(names[0], "77");
	victim_kill(&r, r.pid, SIGKILL);
	cr_expect_str_eq(get(names[0]), "77");
	put(names[0], were[0]);
	expect_old();
}

Test(guard_commands, release_runs_them_too)
{
	struct guard *g;

	cr_assert(arm(&g), "%s", e.text);
	cr_assert(guard_announce(g, ours, N, &e), "%s", e.text);
	for (size_t i = 0; i < N; i++)
		cr_assert(knobs_write(h, a, &ours[i], &e), "%s", e.text);
	cr_expect(guard_release(g, h, a, &e), "%s", e.text);
	expect_old();
	cr_expect_not(is_there(journal));
}

/* A program that does not end is ended; what it was to restore waits for the next command. */
Test(guard_commands, one_that_hangs_is_ended_and_the_journal_stays, .timeout = 60)
{
	struct victim r = victim_start(journal, arm, to_written);
	struct orphans found;

	put("hang", "");
	victim_kill(&r, r.pid, SIGKILL);
	cr_expect(is_there(journal));
	cr_expect_str_eq(get(names[4]), "b");
	cr_expect_str_eq(get(names[0]), were[0], "the others are back");
	cr_assert_eq(unlink(arena_printf(a, "%s/hang", dir)), 0);
	cr_assert(guard_orphans(a, h, state, "boot", "scope", &found, &e), "%s", e.text);
	cr_expect_eq(found.restored, 1);
	expect_old();
	cr_expect_not(is_there(journal));
}

/* Only one at a time, and a name only once, as with files. */
Test(guard_commands, a_command_that_cannot_be_kept_is_refused_before_anything_is_set)
{
	struct knob_value v = old[0];
	char word[400];
	struct guard *g;
	const char *const long_one[] = { fake, word, NULL }, *const control[] = { fake, "a\n", NULL };
	const char *const none[] = { NULL };
	const char *const *const bad[] = { long_one, control, none, NULL };

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	for (size_t i = 0; i < NELEM(bad); i++) {
		v.write = bad[i];
		cr_expect_not(guard_arm(a, state, "boot", "scope", &v, 1, &g, &e), "%zu", i);
		cr_expect_not_null(strstr(e.text, "a command is missing"), "%s", e.text);
		e = (struct err){ 0 };
	}
	cr_assert(arm(&g), "%s", e.text);
	cr_expect(guard_release(g, h, a, &e), "%s", e.text);
}
