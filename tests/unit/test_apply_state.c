/*
 * What apply keeps and finds on a host: its record, and what dead runs left, also in another network
 * namespace.
 */
#include "box_test.h"
#include "victim.h"

TestSuite(apply_state, .init = setup, .fini = teardown, .timeout = 60);

/* ---- the record ------------------------------------------------------------------------------ */

/* The record with one text in place of another. */
static void
forge(const char *from, const char *to)
{
	const char *path = box_path(&h, "state/undo"), *text = box_get(&h, path),
	    *at = strstr(text, from);

	cr_assert_not_null(at, "%s", text);
	box_put(path, arena_printf(h.a, "%.*s%s%s", (int)(at - text), text, to,
	    at + strlen(from)));
}

Test(apply_state, reads_no_record_of_others_or_of_a_later_version)
{
	static const char *const t[][3] = {
		{ "pathtune-undo/1", "pathtune-undo/2", "schema is 'pathtune-undo/2'" },
		{ "\"os\": \"X\"", "\"os\": \"Y\"", "was written on Y" },
		{ "\"host\": \"", "\"host\": \"not-", "was written on the host" },
		{ "\"new\": \"#", "\"new\": \"%zz#", "is damaged" },
		{ "\"levels\"", "\"bevels\"", "bevels" },
		{ "{", "", "undo" },
	};
	const char *path = box_path(&h, "state/undo"), *good;
	struct said s;

	cr_assert_eq(box_apply(&h, "").status, 0);
	good = box_get(&h, path);
	for (size_t i = 0; i < NELEM(t); i++) {
		forge(t[i][0], t[i][1]);
		s = box_do(&h, "revert", "--yes");
		cr_expect_eq(s.status, 1, "%s", t[i][1]);
		cr_expect_not_null(strstr(s.err, t[i][2]), "%s: %s", t[i][1], s.err);
		box_put(path, good);
	}
	cr_assert_eq(chmod(path, 0666), 0);
	s = box_do(&h, "revert", "--yes");
	cr_expect_not_null(strstr(s.err, "not a file of ours alone"), "%s", s.err);
	cr_assert_eq(chmod(path, 0600), 0);
	cr_assert_eq(chmod(h.state, 0777), 0);
	s = box_do(&h, "revert", "--yes");
	cr_expect_not_null(strstr(s.err, "can be written by others"), "%s", s.err);
	cr_assert_eq(chmod(h.state, 0700), 0);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "untouched");
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
}

/* What stands in its place is neither read nor replaced. */
Test(apply_state, what_is_no_record_is_named_and_nothing_is_changed)
{
	const char *path = box_path(&h, "state/undo"), *away = box_path(&h, "away");
	struct said s;
	int fd;

	cr_assert_eq(box_apply(&h, "").status, 0);
	for (int kind = 0; kind < 4; kind++) {
		cr_assert_eq(rename(path, away), 0);
		if (kind == 0)
			cr_assert_eq(symlink(away, path), 0);
		else if (kind == 1)
			cr_assert_eq(mkdir(path, 0700), 0);
		else if (kind == 2)
			cr_assert_eq(mkfifo(path, 0600), 0);
		fd = kind == 3 ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
		cr_assert(fd == -1 || (ftruncate(fd, 100 << 20) == 0 && close(fd) == 0));
		for (unsigned i = 0; i < 3; i++) {
			s = i == 0 ? box_apply(&h, "") : i == 1 ? box_do(&h, "revert", "--yes") :
			    box_do(&h, "check", "");
			cr_expect_eq(s.status, 1, "%d %u: %s%s", kind, i, s.out, s.err);
			cr_expect_not_null(strstr(s.err, path), "%d %u: %s", kind, i, s.err);
		}
		cr_assert_eq(kind == 1 ? rmdir(path) : unlink(path), 0);
		cr_assert_eq(rename(away, path), 0);
	}
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "untouched");
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "reverted");
}

Test(apply_state, a_state_directory_that_is_none_is_named_and_nothing_is_changed)
{
	struct said s;

	box_put(h.state, "");
	s = box_apply(&h, "");
	cr_expect_eq(s.status, 1);
	cr_expect_not_null(strstr(s.err, h.state), "%s", s.err);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "untouched");
}

/* ---- two network namespaces, one /etc -------------------------------------------------------- */

static struct host *local;
static struct knob_value other_old, other_new;

static bool
arm_other(struct guard **g)
{
	struct err e = { ERR_NONE, "" };

	return guard_arm(h.a, h.state, "B", "T", &other_old, 1, g, &e);
}

static void
replace_there(struct guard *g)
{
	const char *by = box_path(&h, "etc/.x.conf.pathtune-new-T"),
	    *old = box_path(&h, "etc/.x.conf.pathtune-old-T");
	struct err e = { ERR_NONE, "" };

	step(guard_announce(g, &other_new, 1, &e) && knobs_set(local, h.a, &other_new, 1, &e) &&
	    guard_held(g, &e) && guard_replaces(g, h.conf, by, old, &e));
	box_put(by, "of a dead run");
	step(link(h.conf, old) == 0 && guard_replaces(g, h.conf, by, old, &e) &&
	    rename(by, h.conf) == 0);
}

static void
open_other(void)
{
	const char *file = box_path(&h, "other-send");
	struct err e = { ERR_NONE, "" };

	box_put(file, "1");
	box_put(h.conf, "# theirs\n");
	other_old = (struct knob_value){ .name = "x.send", .file = file, .text = "1" };
	other_new = (struct knob_value){ .name = "x.send", .file = file, .text = "2" };
	cr_assert(host_open(h.a, "local", &local, &e), "%s", e.text);
}

Test(apply_state, what_a_dead_run_elsewhere_left_of_a_file_is_not_what_revert_brings_back)
{
	const char *journal = box_path(&h, "state/journal-T");
	struct victim r;
	struct said s;

	open_other();
	r = victim_start(journal, arm_other, replace_there);
	s = box_apply(&h, "");
	cr_expect_eq(s.status, 1, "it is at work");
	cr_expect_not_null(strstr(s.err, "another pathtune"), "%s", s.err);
	victim_kill_both(&r);
	s = box_apply(&h, "");
	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_expect_not_null(strstr(s.err, "1 file put back as before"), "%s", s.err);
	cr_expect_str_eq(box_get(&h, other_old.file), "2", "that is seen there only");
	cr_expect(box_there(journal));
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
	cr_expect_str_eq(box_get(&h, h.conf), "# theirs\n");
	host_close(local);
}

Test(apply_state, names_beside_a_file_are_of_one_namespace)
{
	static const char *const names[] = { "etc/.x.conf.pathtune-new-", "etc/.x.conf.pathtune-old-",
		"etc/.modules.conf.pathtune-new-" };
	const char *mine, *other;

	for (size_t i = 0; i < NELEM(names); i++) {
		box_put(box_path(&h, arena_printf(h.a, "%sS", names[i])), "of a dead run");
		box_put(box_path(&h, arena_printf(h.a, "%sT", names[i])), "of somebody at work");
	}
	cr_assert_eq(box_apply(&h, "").status, 0);
	for (size_t i = 0; i < NELEM(names); i++) {
		mine = box_path(&h, arena_printf(h.a, "%sS", names[i]));
		other = box_path(&h, arena_printf(h.a, "%sT", names[i]));
		cr_expect_not(box_there(mine), "%s", mine);
		cr_expect_str_eq(box_get(&h, other), "of somebody at work");
	}
}
