/*
 * What belongs to somebody else: state of his is not believed, a file of his stays his.  And what
 * cannot be written.
 *
 * needs: root netns
 */
#include "box.h"

#include <sched.h>
#include <sys/mount.h>

#define THEIRS 65534

static struct box h;

static void
setup(void)
{
	h = box_new();
	cr_assert_eq(box_apply(&h, "").status, 0);
}

static void
teardown(void)
{
	box_end(&h);
}

TestSuite(apply_foreign, .init = setup, .fini = teardown, .timeout = 60);

/* No command goes on, and none changes anything. */
static void
expect_refused(const char *what, const char *why)
{
	static const char *const commands[] = { "apply", "revert", "check" };

	for (size_t i = 0; i < NELEM(commands); i++) {
		struct said s = i == 0 ? box_apply(&h, "") : box_do(&h, commands[i],
		    i == 1 ? "--yes" : "");

		cr_expect_eq(s.status, 1, "%s: %s: %s%s", what, commands[i], s.out, s.err);
		cr_expect_not_null(strstr(s.err, why), "%s: %s: %s", what, commands[i], s.err);
		box_expect(&h, SEND_NEW, RECEIVE_NEW, true, what);
	}
}

Test(apply_foreign, a_state_directory_is_not_believed)
{
	cr_assert_eq(chown(h.state, THEIRS, 0), 0);
	expect_refused("the directory", "belongs to another user");
	cr_assert_eq(chown(h.state, 0, 0), 0);
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
}

Test(apply_foreign, a_record_is_not_believed)
{
	cr_assert_eq(chown(box_path(&h, "state/undo"), THEIRS, 0), 0);
	expect_refused("the record", "not a file of ours alone");
}

/* It names a knob's file and what is to be written there. */
Test(apply_foreign, a_journal_is_not_carried_out)
{
	const char *journal = box_path(&h, "state/journal-S");
	struct said s;

	box_put(journal, arena_printf(h.a, "pathtune-journal\t2\t1\t1\tB\tS\n"
	    "old\tx.send\t%s\t1 2 3\nours\t0\t" SEND_NEW "\n", h.send));
	cr_assert_eq(chown(journal, THEIRS, 0), 0);
	for (unsigned i = 0; i < 2; i++) {
		s = i == 0 ? box_apply(&h, "") : box_do(&h, "revert", "--yes");
		cr_expect_eq(s.status, 1, "%u: %s%s", i, s.out, s.err);
		cr_expect_not_null(strstr(s.err, "not a file of ours alone"), "%s", s.err);
	}
	s = box_do(&h, "check", "");
	cr_expect_eq(s.status, 0, "it changes nothing anyway: %s", s.err);
	cr_expect_not_null(strstr(s.err, "not a file of ours alone"), "%s", s.err);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "untouched");
}

Test(apply_foreign, a_file_keeps_its_owner_and_gets_it_back)
{
	struct stat st;

	cr_assert_eq(box_do(&h, "revert", "--yes").status, 0);
	box_put(h.conf, "a=1\n");
	cr_assert(chown(h.conf, THEIRS, THEIRS) == 0 && chmod(h.conf, 0640) == 0);
	cr_assert_eq(box_apply(&h, "").status, 0);
	cr_assert_eq(stat(h.conf, &st), 0);
	cr_expect(st.st_uid == THEIRS && st.st_gid == THEIRS && (st.st_mode & 07777) == 0640);
	cr_assert_eq(box_do(&h, "revert", "--yes").status, 0);
	cr_assert_eq(stat(h.conf, &st), 0);
	cr_expect(st.st_uid == THEIRS && st.st_gid == THEIRS && (st.st_mode & 07777) == 0640);
	cr_expect_str_eq(box_get(&h, h.conf), "a=1\n");
}

/* Neither a file nor what is beside it can be made; nor can what is not there be removed. */
Test(apply_foreign, where_nothing_can_be_written_all_is_as_before_at_once)
{
	const char *etc = box_path(&h, "etc");
	struct said s;

	cr_assert_eq(box_do(&h, "revert", "--yes").status, 0);
	cr_assert(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	cr_assert(mount(etc, etc, NULL, MS_BIND, NULL) == 0 &&
	    mount(NULL, etc, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
	s = box_apply(&h, "");
	cr_expect_eq(s.status, 1);
	cr_expect_not_null(strstr(s.err, "Read-only file system"), "%s", s.err);
	cr_expect_null(strstr(s.err, "could not be put back"), "%s", s.err);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "as before");
	cr_expect_not(box_there(box_path(&h, "state/journal-S")));
	cr_expect_not(box_there(box_path(&h, "state/undo")));
	cr_assert_eq(umount2(etc, MNT_DETACH), 0);
	cr_expect_eq(box_apply(&h, "").status, 0);
}
