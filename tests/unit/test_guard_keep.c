/*
 * Files that are replaced under the guard: undone as a whole, or kept as a whole.
 *
 * The linker puts these functions in the place of the C library's:
 * wraps: rename
 */
#include <criterion/criterion.h>

#include "probes/guard_own.h"
#include "victim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned failing; /* so many times rename() fails */

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

int
__wrap_rename(const char *from, const char *to)
{
	if (failing == 0)
		return __real_rename(from, to);
	failing--;
	errno = EIO;
	return -1;
}

static char dir[] = "/tmp/pathtune-keep-XXXXXX";
static char wmem[64], state[64], journal[128], conf[64], by[64], backup[64];
static struct arena *a;
static struct host *h;
static struct err e;
static struct knob_value old, ours;
static bool had_file;

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *
get(const char *path)
{
	const struct knob_value v = { .name = path, .file = path };
	const char *text = "";
	struct err none = { 0 };

	return knobs_read(h, a, &v, 1, &text, &none) ? text : "(none)";
}

static void
setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(wmem, sizeof(wmem), "%s/wmem", dir);
	snprintf(state, sizeof(state), "%s/state", dir);
	snprintf(journal, sizeof(journal), "%s/journal-scope", state);
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	snprintf(by, sizeof(by), "%s/conf.new", dir);
	snprintf(backup, sizeof(backup), "%s/conf.old", dir);
	old = (struct knob_value){ .name = "wmem", .file = wmem, .text = "1 2 3" };
	ours = (struct knob_value){ .name = "wmem", .file = wmem, .text = "1 2 9" };
	put(wmem, old.text);
	a = arena_new();
	cr_assert(host_open(a, "local", &h, &e));
}

static void
teardown(void)
{
	victim_clear(h, a, dir);
}

TestSuite(guard_keep, .init = setup, .fini = teardown);

static bool
arm(struct guard **g)
{
	return guard_arm(a, state, "boot", "scope", &old, 1, g, &e);
}

static void
to_announced(struct guard *g)
{
	step(guard_announce(g, &ours, 1, &e) && knobs_set(h, a, &ours, 1, &e) && guard_held(g, &e));
	step(guard_replaces(g, conf, by, had_file ? backup : NULL, &e));
	put(by, "new");
	step(!had_file || link(conf, backup) == 0);
}

static void
to_replaced(struct guard *g)
{
	to_announced(g);
	step(guard_replaces(g, conf, by, had_file ? backup : NULL, &e) && rename(by, conf) == 0);
}

/* The file is to go: nothing is ever in its place. */
static void
to_removed(struct guard *g)
{
	to_announced(g);
	step(guard_replaces(g, conf, by, had_file ? backup : NULL, &e) &&
	    (!had_file || unlink(conf) == 0));
}

static void
to_kept(struct guard *g)
{
	to_replaced(g);
	step(guard_keep(g, &e));
	put(journal, ""); /* for whoever waits for it; guard_keep() has removed it */
}

static void
begin(bool file)
{
	had_file = file;
	unlink(conf);
	if (file)
		put(conf, "old");
}

static void
expect_as_before(void)
{
	cr_expect_str_eq(get(wmem), "1 2 3");
	cr_expect_str_eq(get(conf), had_file ? "old" : "(none)");
	cr_expect_str_eq(get(by), "(none)");
	cr_expect_str_eq(get(backup), "(none)");
	cr_expect_neq(access(journal, F_OK), 0);
}

static void (*const points[])(struct guard *) = { to_announced, to_replaced,
	to_removed };

Test(guard_keep, a_run_killed_before_it_keeps_is_undone_with_its_files)
{
	for (size_t i = 0; i < 2 * NELEM(points); i++) {
		struct victim r;

		begin(i % 2 == 0);
		r = victim_start(journal, arm, points[i / 2]);
		victim_kill(&r, -r.pid, SIGKILL);
		expect_as_before();
	}
}

/* After a power cut the boot may have taken the values from the new file. */
Test(guard_keep, the_next_command_undoes_files_and_values_even_after_a_reboot)
{
	static const char *const boots[] = { "boot", "another" };

	for (size_t i = 0; i < NELEM(boots); i++) {
		struct orphans found;
		struct victim r;

		begin(true);
		r = victim_start(journal, arm, to_replaced);
		victim_kill_both(&r);
		cr_assert(guard_orphans(a, h, state, boots[i], "scope", &found, &e), "%s", e.text);
		cr_expect_eq(found.files, 1);
		cr_expect_eq(found.restored, 1);
		expect_as_before();
	}
}

/* The file was announced twice; that must not be two ways to bring it back. */
Test(guard_keep, a_file_that_cannot_be_put_back_at_once_is_not_lost)
{
	struct orphans found;
	struct victim r;

	begin(true);
	r = victim_start(journal, arm, to_replaced);
	victim_kill_both(&r);
	failing = 1;
	cr_expect_not(guard_orphans(a, h, state, "boot", "scope", &found, &e));
	cr_expect_not_null(strstr(e.text, "could not be put back as it was"), "%s", e.text);
	cr_expect_str_eq(get(backup), "old");
	e = (struct err){ 0 };
	cr_assert(guard_orphans(a, h, state, "boot", "scope", &found, &e), "%s", e.text);
	cr_expect_eq(found.files, 1);
	expect_as_before();
}

/* Two network namespaces, one /etc and one state. */
Test(guard_keep, the_files_of_a_dead_run_are_put_back_from_another_scope_its_values_are_not)
{
	struct orphans found;
	struct victim r;

	begin(true);
	r = victim_start(journal, arm, to_replaced);
	cr_expect_not(guard_orphans(a, h, state, "boot", "other", &found, &e), "it has files");
	cr_expect_not_null(strstr(e.text, "another pathtune"), "%s", e.text);
	e = (struct err){ 0 };
	victim_kill_both(&r);
	cr_assert(guard_orphans(a, h, state, "boot", "other", &found, &e), "%s", e.text);
	cr_expect(found.files == 1 && found.restored == 0);
	cr_expect_str_eq(get(conf), "old");
	cr_expect_str_eq(get(wmem), "1 2 9");
	put(conf, "of the other");
	cr_assert(guard_orphans(a, h, state, "boot", "scope", &found, &e), "%s", e.text);
	cr_expect(found.files == 0 && found.restored == 1);
	cr_expect_str_eq(get(wmem), "1 2 3");
	cr_expect_str_eq(get(conf), "of the other");
	cr_expect_neq(access(journal, F_OK), 0);
}

/* Whoever edits what a dead run left does not lose that; nor what he sets after a reboot. */
Test(guard_keep, edits_of_what_a_dead_run_left_are_not_lost)
{
	static const char *const boots[] = { "boot", "another" };

	for (size_t i = 0; i < NELEM(boots); i++) {
		struct orphans found;
		struct victim r;
		FILE *f;

		begin(true);
		put(wmem, old.text);
		r = victim_start(journal, arm, to_replaced);
		victim_kill_both(&r);
		f = fopen(conf, "ae"); /* in place: it is the same file */
		cr_assert(f != NULL && fputs(" and theirs", f) >= 0 && fclose(f) == 0);
		cr_assert(guard_orphans(a, h, state, boots[i], "scope", &found, &e), "%s", e.text);
		cr_expect_str_eq(get(conf), "new and theirs");
		cr_expect_eq(found.files, 0);
		cr_expect_eq(found.restored, i == 0 ? 1 : 0, "of another boot only with its file");
	}
}

/* Killed before it was read back: on this boot any value would be taken for ours. */
static void
to_replaced_unheld(struct guard *g)
{
	step(guard_announce(g, &ours, 1, &e) && link(conf, backup) == 0);
	put(by, "new");
	step(guard_replaces(g, conf, by, backup, &e) && rename(by, conf) == 0);
}

Test(guard_keep, a_value_that_no_longer_is_ours_after_a_reboot_stays)
{
	struct orphans found;
	struct victim r;

	begin(true);
	r = victim_start(journal, arm, to_replaced_unheld);
	victim_kill_both(&r);
	put(wmem, "1 2 7");
	cr_assert(guard_orphans(a, h, state, "another", "scope", &found, &e), "%s", e.text);
	cr_expect_eq(found.files, 1);
	cr_expect_str_eq(get(wmem), "1 2 7");
	cr_expect_str_eq(get(conf), "old");
}

Test(guard_keep, what_is_kept_stays_when_the_run_is_killed_after_it)
{
	struct victim r;

	begin(true);
	r = victim_start(journal, arm, to_kept);
	victim_kill(&r, r.pid, SIGKILL);
	cr_expect_str_eq(get(wmem), "1 2 9");
	cr_expect_str_eq(get(conf), "new");
	cr_expect_str_eq(get(backup), "old", "it is the caller's");
}

/* As guard_keep() goes, but no further than to what decides. */
static void
to_decided(struct guard *g)
{
	to_replaced(g);
	step(guard_tell(g, GUARD_KEEP "\n" GUARD_SYNC "\n", &e) && guard_await_answer(g, &e));
	step(link(journal, arena_printf(a, "%s.link", journal)) == 0 && unlink(journal) == 0);
}

Test(guard_keep, once_the_journal_is_removed_the_guard_of_a_killed_run_undoes_nothing)
{
	struct victim r;

	begin(true);
	r = victim_start(arena_printf(a, "%s.link", journal), arm, to_decided);
	victim_kill(&r, -r.pid, SIGKILL);
	cr_expect_str_eq(get(wmem), "1 2 9");
	cr_expect_str_eq(get(conf), "new");
}

Test(guard_keep, release_undoes_the_files_and_a_file_of_somebody_elses_stays)
{
	struct guard *g;

	begin(true);
	cr_assert(arm(&g), "%s", e.text);
	to_replaced(g);
	cr_expect(guard_release(g, h, a, &e), "%s", e.text);
	expect_as_before();
	cr_assert(arm(&g), "%s", e.text);
	to_replaced(g);
	put(by, "theirs");
	cr_assert_eq(rename(by, conf), 0);
	cr_expect(guard_release(g, h, a, &e), "%s", e.text);
	cr_expect_str_eq(get(conf), "theirs");
}

Test(guard_keep, a_copy_elsewhere_is_refused)
{
	struct guard *g;

	cr_assert(arm(&g), "%s", e.text);
	cr_expect_not(guard_replaces(g, conf, "/tmp/elsewhere", NULL, &e));
	cr_expect_not_null(strstr(e.text, "is not in the directory of"), "%s", e.text);
	e = (struct err){ 0 };
	cr_expect_not(guard_replaces(g, "relative", "relative.new", NULL, &e));
	e = (struct err){ 0 };
	cr_expect(guard_release(g, h, a, &e), "%s", e.text);
}
