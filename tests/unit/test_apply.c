/* apply, confirm, revert and check as a user runs them, on a host of files. */
#include "box_test.h"

TestSuite(apply, .init = setup, .fini = teardown, .timeout = 60);

Test(apply, sets_persists_does_nothing_twice_and_is_taken_back)
{
	struct said s = box_do(&h, arena_printf(h.a, "apply %s", h.run), "--dry-run");
	const char *written;

	cr_assert_eq(s.status, 3, "%s", s.err);
	cr_expect_not_null(strstr(s.out, "+x.send = " SEND_NEW "\n"), "%s", s.out);
	cr_expect_not_null(strstr(s.out, "to set x.receive: " RECEIVE_OLD " -> " RECEIVE_NEW));
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "dry run");
	cr_expect_not(box_there(box_path(&h, "state/undo")));
	s = box_apply(&h, "");
	cr_assert_eq(s.status, 0, "%s", s.err);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "applied");
	written = box_get(&h, h.conf);
	cr_expect_not_null(strstr(written, "\nx.receive = " RECEIVE_NEW "\n"), "%s", written);
	s = box_do(&h, arena_printf(h.a, "apply %s", h.run), "");
	cr_expect_eq(s.status, 0, "no question where there is nothing to do: %s", s.err);
	cr_expect_str_eq(s.out, "nothing to do: it is in force already\n");
	cr_expect_str_eq(box_get(&h, h.conf), written);
	s = box_do(&h, "check", "");
	cr_expect_eq(s.status, 0, "%s", s.out);
	cr_expect_str_eq(box_do(&h, "check", "-q").out, "");
	s = box_do(&h, "revert", "--dry-run");
	cr_expect_eq(s.status, 3, "%s", s.err);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "dry revert");
	s = box_do(&h, "revert", "--yes");
	cr_assert_eq(s.status, 0, "%s", s.err);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "reverted");
	s = box_do(&h, "revert", "--yes");
	cr_expect_eq(s.status, 0, "%s", s.err);
	cr_expect_str_eq(s.out, "nothing to revert: nothing is applied\n");
	cr_expect_eq(box_do(&h, "check", "").status, 0);
}

Test(apply, asks_and_without_anybody_to_ask_needs_yes)
{
	struct said s = box_do(&h, arena_printf(h.a, "apply %s", h.run), "");

	cr_expect_eq(s.status, 2);
	cr_expect_not_null(strstr(s.err, "--yes"), "%s", s.err);
	cr_expect_not_null(strstr(s.out, "+x.send"), "the diff comes first");
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "not asked");
}

Test(apply, keeps_mode_of_a_file_and_gives_back_its_bytes)
{
	static const char mine[] = "# mine\r\nx.other=\xe4\n\nlast line without its end";
	struct stat st;
	struct said s;
	size_t len;

	box_profile(&h, "block", NULL);
	box_put(h.conf, mine);
	cr_assert_eq(chmod(h.conf, 0640), 0);
	s = box_apply(&h, "");
	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_assert(strncmp(box_get(&h, h.conf), mine, strlen(mine)) == 0, "%s",
	    box_get(&h, h.conf));
	cr_expect(stat(h.conf, &st) == 0 && (st.st_mode & 07777) == 0640);
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
	cr_expect(stat(h.conf, &st) == 0 && (st.st_mode & 07777) == 0640);
	cr_expect_str_eq(box_get_bytes(&h, h.conf, &len), mine);
}

Test(apply, two_levels_come_back_one_by_one_or_at_once)
{
	for (int all = 0; all < 2; all++) {
		cr_assert_eq(box_apply(&h, "").status, 0);
		box_run_file(&h, "4096 16384 33554432", RECEIVE_NEW, "bbr");
		cr_assert_eq(box_apply(&h, "").status, 0);
		box_expect(&h, "4096 16384 33554432", RECEIVE_NEW, true, "second");
		cr_expect_str_eq(box_get(&h, h.cc), "bbr");
		cr_expect_not_null(strstr(box_get(&h, h.modules), "tcp_bbr\n"));
		cr_assert_eq(box_do(&h, "revert", all ? "--yes --all" : "--yes").status, 0);
		if (!all) {
			box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "one level");
			cr_expect_str_eq(box_get(&h, h.cc), "cubic");
			cr_expect_not(box_there(h.modules));
			cr_assert_eq(box_do(&h, "revert", "--yes").status, 0);
		}
		box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "before the first");
		cr_expect_str_eq(box_get(&h, h.cc), "cubic");
		box_run_file(&h, SEND_NEW, RECEIVE_NEW, NULL);
	}
}

Test(apply, tells_drift_of_values_files_and_boot)
{
	struct said s;

	cr_assert_eq(box_apply(&h, "").status, 0);
	box_put(h.send, "4096 16384 5000000");
	s = box_do(&h, "check", "-q");
	cr_expect_eq(s.status, 3);
	cr_expect_not_null(strstr(s.out, "value-drift: x.send: is 4096 16384 5000000"), "%s", s.out);
	box_put(h.send, SEND_NEW);
	box_put(box_path(&h, "other"), "# theirs\nx.receive = 1 2 3\n");
	s = box_do(&h, "check", "");
	cr_expect_eq(s.status, 3);
	cr_expect_not_null(strstr(s.out, "other:2"), "%s", s.out);
	cr_expect_not_null(strstr(s.out, "boot-conflict: x.receive"), "%s", s.out);
	unlink(box_path(&h, "other"));
	box_put(h.conf, "x.send = " SEND_NEW "\nx.receive = " RECEIVE_NEW "\n");
	s = box_do(&h, "check", "--json");
	cr_expect_eq(s.status, 3);
	cr_expect_not_null(strstr(s.out, "\"id\": \"file-drift\""), "%s", s.out);
	cr_expect_not_null(strstr(s.out, "x.conf:1\""), "%s", s.out);
	unlink(h.conf);
	s = box_do(&h, "check", "");
	cr_expect_not_null(strstr(s.out, "file-drift: "), "%s", s.out);
	cr_expect_not_null(strstr(s.out, "not-persisted: x.send"), "%s", s.out);
	s = box_do(&h, "check", h.run);
	cr_expect_eq(s.status, 3, "a run can be asked about");
	cr_expect_not_null(strstr(s.out, "not-persisted: x.receive"), "%s", s.out);
}

Test(apply, names_other_files_that_set_the_same_and_who_wins)
{
	struct said s;

	box_put(box_path(&h, "other"), "\nx.send=1 2 3\n");
	s = box_do(&h, arena_printf(h.a, "apply %s", h.run), "--dry-run");
	cr_expect_not_null(strstr(s.out, "other:2 sets x.send to 1 2 3 as well"), "%s", s.out);
	s = box_do(&h, arena_printf(h.a, "apply %s", h.run), "--dry-run --json");
	cr_expect_not_null(strstr(s.out, "\"wins\": "), "%s", s.out);
}

/* A hundred thousand lines of somebody else's: more than is read. */
Test(apply, that_other_files_could_not_be_looked_at_is_said)
{
	struct text t = { .arena = h.a };
	struct said s;

	while (t.len < 400000)
		text_add(&t, "a=1\n");
	text_add(&t, "x.send = 1 2 3\n");
	box_put(box_path(&h, "other"), t.s);
	s = box_apply(&h, "");
	cr_expect_eq(s.status, 0, "%s", s.err);
	cr_expect_not_null(strstr(s.out, "what other files set at boot is not known ("), "%s",
	    s.out);
	s = box_do(&h, "check", "");
	cr_expect_eq(s.status, 3);
	cr_expect_not_null(strstr(s.out, "boot-unknown: files: "), "%s", s.out);
	cr_expect_null(strstr(s.out, "not-persisted"), "%s", s.out);
}

Test(apply, does_not_trample_on_later_edits)
{
	struct said s;

	cr_assert_eq(box_apply(&h, "").status, 0);
	box_put(h.conf, arena_printf(h.a, "%s# theirs\n", box_get(&h, h.conf)));
	s = box_do(&h, "revert", "--yes");
	cr_expect_eq(s.status, 1);
	cr_expect_not_null(strstr(s.out, "+# theirs"), "%s", s.out);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "refused");
	unlink(h.conf);
	box_put(h.send, "4096 16384 5000000");
	s = box_do(&h, "revert", "--yes");
	cr_expect_eq(s.status, 1, "a value is left");
	cr_expect_not_null(strstr(s.out, "left x.send: is 4096 16384 5000000 now"), "%s", s.out);
	box_expect(&h, "4096 16384 5000000", RECEIVE_OLD, false, "the rest is back");
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0, "nothing any more");
}

Test(apply, takes_its_block_out_of_a_file_that_others_went_on_with)
{
	box_profile(&h, "block", NULL);
	box_put(h.conf, "a=1\n");
	cr_assert_eq(box_apply(&h, "").status, 0);
	box_put(h.conf, arena_printf(h.a, "first=1\n%slast=1", box_get(&h, h.conf)));
	cr_assert_eq(box_do(&h, "revert", "--yes").status, 0);
	cr_expect_str_eq(box_get(&h, h.conf), "first=1\na=1\nlast=1");
}

Test(apply, refuses_what_is_no_file_of_ours)
{
	const char *big = box_path(&h, "etc/big");
	struct said s;
	int fd;

	cr_assert_eq(symlink("/nonexistent", h.conf), 0);
	s = box_apply(&h, "");
	cr_expect_eq(s.status, 1);
	cr_expect_not_null(strstr(s.err, "is a symbolic link"), "%s", s.err);
	unlink(h.conf);
	cr_assert_eq(mkdir(h.conf, 0755), 0);
	s = box_apply(&h, "");
	cr_expect_not_null(strstr(s.err, "is a directory"), "%s", s.err);
	rmdir(h.conf);
	fd = open(big, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert(fd != -1 && ftruncate(fd, 100 << 20) == 0 && close(fd) == 0);
	cr_assert_eq(rename(big, h.conf), 0);
	s = box_apply(&h, "");
	cr_expect_eq(s.status, 1);
	cr_expect_not_null(strstr(s.err, "larger than"), "%s", s.err);
	box_profile(&h, "block", NULL);
	box_put(h.conf, "a=1\n# BEGIN pathtune\nb=2\n");
	s = box_apply(&h, "");
	cr_expect_not_null(strstr(s.err, "x.conf:2: \"# BEGIN pathtune\" has no"), "%s", s.err);
	box_put_bytes(h.conf, "a\0b\n", 4);
	s = box_apply(&h, "");
	cr_expect_not_null(strstr(s.err, "NUL"), "%s", s.err);
	cr_expect_str_eq(box_get(&h, h.send), SEND_OLD);
	cr_expect_str_eq(box_get(&h, h.receive), RECEIVE_OLD);
}

Test(apply, runs_that_do_not_fit_are_refused)
{
	static const char *const t[][4] = {
		{ "\"os\":\"X\"", "\"os\":\"Y\"", "is a run of Y", "2" },
		{ "\"x.send\"", "\"kernel.core_pattern\"", "which is no knob of X", "1" },
		{ "8388608", "99999999999", "x.send: ", "1" },
		{ "8388608", "83\\n88608", "x.send: ", "1" },
		{ "]}}", ",{\"name\":\"module\",\"new\":\"evil\"}]}}", "module", "1" },
		{ "]}}", ",{\"name\":\"x.cc\",\"new\":\"a/../../evil\"}]}}", "congestion", "1" },
		{ "]}}", ",{\"name\":\"x.cc\",\"new\":\"-rf\"}]}}", "not the name of", "1" },
		{ "pathtune-run/1", "pathtune-run/9", "schema", "2" },
		{ "\"verdict\":\"change\",", "", "its run was not finished", "1" },
		{ "]}}", ",{\"name\":\"x.send\",\"new\":\"1 2 3\"}]}}", "sets x.send twice", "1" },
	};
	const char *good = box_get(&h, h.run);

	for (size_t i = 0; i < NELEM(t); i++) {
		const char *at = strstr(good, t[i][0]);
		struct said s;

		cr_assert_not_null(at, "%s", t[i][0]);
		box_put(h.run, arena_printf(h.a, "%.*s%s%s", (int)(at - good), good, t[i][1],
		    at + strlen(t[i][0])));
		s = box_apply(&h, "");
		cr_expect_eq(s.status, atoi(t[i][3]), "%s: %d %s", t[i][1], s.status, s.err);
		cr_expect_not_null(strstr(s.err, t[i][2]), "%s: %s", t[i][1], s.err);
		box_expect(&h, SEND_OLD, RECEIVE_OLD, false, t[i][1]);
	}
}

Test(apply, that_nothing_is_set_is_said_with_the_reason)
{
	struct said s;

	box_put(h.run, "{\"schema\":\"pathtune-run/1\",\"facts\":{\"os\":\"X\"},\"decision\":"
	    "{\"verdict\":\"keep\",\"class\":\"no-gain\"}}");
	s = box_apply(&h, "");
	cr_expect_eq(s.status, 0);
	cr_expect_not_null(strstr(s.out, "this run keeps what is there"), "%s", s.out);
	box_put(h.run, "{\"schema\":\"pathtune-run/1\",\"facts\":{\"os\":\"X\"},\"decision\":"
	    "{\"verdict\":\"change\",\"class\":\"window\",\"settings\":[{\"name\":\"x.send\","
	    "\"new\":\"" SEND_NEW "\",\"verified\":false}]}}");
	s = box_apply(&h, "");
	cr_expect_eq(s.status, 0);
	cr_expect_not_null(strstr(s.out, "is left out: the kernel refused it"), "%s", s.out);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "nothing");
}

/* A run file is somebody else's text: only the profile says where something is written. */
Test(apply, files_that_a_run_names_are_not_written)
{
	const char *theirs = box_path(&h, "etc/shadow"), *run = box_get(&h, h.run);

	box_put(h.run, arena_printf(h.a, "%.*s,\"files\":[{\"path\":\"%s\",\"text\":\"x\\n\"}]}",
	    (int)strlen(run) - 1, run, theirs));
	cr_assert_eq(box_apply(&h, "").status, 0);
	cr_expect_not(box_there(theirs));
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "the rest is applied");
}

Test(apply, what_a_run_says_of_interfaces_is_left_out_and_is_no_drift)
{
	const char *run = box_get(&h, h.run);
	struct said s;

	box_put(h.run, arena_printf(h.a, "%.*s,{\"name\":\"eth0 gro\",\"new\":\"off\"}]}}",
	    (int)strlen(run) - 3, run));
	s = box_apply(&h, "");
	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_expect_not_null(strstr(s.out, "eth0 gro = off is left out"), "%s", s.out);
	s = box_do(&h, arena_printf(h.a, "check %s", h.run), "");
	cr_expect_eq(s.status, 0, "%s", s.out);
}

/* ---- systems that say they did, and did not -------------------------------------------------- */

Test(apply, notices_every_system_that_only_says_it_did)
{
	static const struct {
		const char *who, *manners, *send;
	} t[] = {
		{ "procps, a container", "case $name in x.send) echo 'sysctl: setting key "
		    "\"x.send\": Read-only file system' >&2; exit 255;; esac", SEND_OLD },
		{ "procps exits 0", "case $name in x.send) echo 'sysctl: setting key \"x.send\": "
		    "Invalid argument' >&2; exit 0;; esac", SEND_OLD },
		{ "OpenBSD exits 0 without a word", "case $name in x.send) exit 0;; esac", SEND_OLD },
		{ "FreeBSD wraps", "case $name in x.send) value=\"4096 16384 0\";; esac", SEND_OLD },
	};
	struct said s;

	for (size_t i = 0; i < NELEM(t); i++) {
		box_values(&h, SEND_OLD "\n", RECEIVE_OLD "\n");
		box_profile(&h, "own", box_by_sysctl(&h, arena_printf(h.a,
		    "[ -z \"$value\" ] || %s", t[i].manners)));
		s = box_apply(&h, "--json");
		cr_expect_eq(s.status, 1, "%s: %d", t[i].who, s.status);
		cr_expect_not_null(strstr(s.err, "x.send"), "%s: %s", t[i].who, s.err);
		cr_expect_not_null(strstr(s.out, "\"outcome\": \"refused\""), "%s", t[i].who);
		cr_expect_not_null(strstr(s.out, "\"status\": \"partly\""), "%s", t[i].who);
		if (i != 3) /* what wrapped cannot be put back by one that always wraps */
			box_expect(&h, SEND_OLD "\n", RECEIVE_NEW "\n", true, t[i].who);
		cr_expect_null(strstr(box_get(&h, h.conf), "x.send ="), "%s", t[i].who);
		cr_expect_not_null(strstr(box_get(&h, h.conf), "x.receive = " RECEIVE_NEW));
		s = box_do(&h, "revert", "--yes");
		cr_expect_eq(s.status, 0, "%s: %s", t[i].who, s.err);
		cr_expect_not(box_there(h.conf));
	}
}
