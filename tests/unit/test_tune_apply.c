/* tune --apply: what follows the verdict, on a host of files; the search itself was done before. */
#include "tuned.h"

#include "box_test.h"

TestSuite(tune_apply, .init = setup, .fini = teardown, .timeout = 60);

static struct said
tune(const char *words)
{
	return box_do(&h, arena_printf(h.a, "tune --resume %s", h.run), words);
}

Test(tune_apply, a_change_is_put_in_force_and_can_be_taken_back)
{
	struct said s;

	tuned(&h, "local", VERDICT_CHANGE);
	cr_assert_eq(tune("").status, 0);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "not asked for");
	s = tune("--apply --yes");
	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_expect_not_null(strstr(s.out, "+x.send = " SEND_NEW "\n"), "the diff: %s", s.out);
	cr_expect_not_null(strstr(s.out, "set x.send: " SEND_OLD " -> " SEND_NEW "\n"), "%s", s.out);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "applied");
	cr_expect_not_null(strstr(box_get(&h, box_path(&h, "state/undo")), h.run));
	s = tune("--apply --yes");
	cr_expect_eq(s.status, 0, "%s", s.err);
	cr_expect_not_null(strstr(s.out, "nothing to do: it is in force already\n"), "%s", s.out);
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "reverted");
}

Test(tune_apply, with_confirm_no_file_is_written_before_it_is_confirmed)
{
	struct said s;

	tuned(&h, "local", VERDICT_CHANGE);
	s = tune("--apply --yes --confirm 100s");
	cr_assert_eq(s.status, 0, "%s", s.err);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, false, "unconfirmed");
	cr_expect_eq(tune("--apply --yes").status, 1, "another waits");
	cr_expect_eq(box_do(&h, "confirm", "").status, 0);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "confirmed");
}

Test(tune_apply, of_keep_nothing_is_applied)
{
	struct said s;

	tuned(&h, "local", VERDICT_KEEP);
	s = tune("--apply --yes");
	cr_expect_eq(s.status, 0, "%s", s.err);
	cr_expect_not_null(strstr(s.err, "nothing is applied: the present settings stay\n"), "%s",
	    s.err);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "keep");
	cr_expect_not(box_there(h.state), "nothing of ours is left");
}

Test(tune_apply, what_cannot_go_well_is_refused_before_anything_is_measured)
{
	static const struct {
		const char *flags, *says;
	} t[] = {
		{ "--apply", "--apply: there is nobody to ask; --yes goes ahead without" },
		{ "--apply --confirm 2m", "--apply: there is nobody to ask; --yes goes ahead without" },
		{ "--yes", "--yes and --confirm belong to --apply" },
		{ "--confirm 2m", "--yes and --confirm belong to --apply" },
		{ "--apply --yes --json", "--apply and --json contradict each other: that would be two "
		    "documents; save the run, and apply that" },
		{ "--apply --yes --confirm 1s",
		    "--confirm: '1s' is out of range, 5 to 86400 seconds" },
	};

	tuned(&h, "local", VERDICT_CHANGE);
	for (size_t i = 0; i < NELEM(t); i++) {
		struct said s = tune(t[i].flags);

		cr_expect_eq(s.status, 2, "%s: %d", t[i].flags, s.status);
		cr_expect_str_eq(s.err, arena_printf(h.a, "pathtune tune: %s\n", t[i].says));
		cr_expect_str_eq(s.out, "", "%s", t[i].flags);
		box_expect(&h, SEND_OLD, RECEIVE_OLD, false, t[i].flags);
	}
}
