/*
 * tune --apply on a host that is reached by ssh: what follows the verdict, on a host of files; the
 * search itself was done before (tests/lab/test_remote.c does all of it).
 *
 * needs: root
 */
#include "sshd.h"

#include "box.h"
#include "tuned.h"

#include "probes/knobs.h"

static struct arena *a;
static struct sshd *s;
static struct box h;

static void
setup(void)
{
	a = arena_new();
	h = box_new();
	s = sshd_start(a);
}

static void
teardown(void)
{
	sshd_end(s);
	box_end(&h);
	arena_free(a);
}

TestSuite(ssh_tune_apply, .init = setup, .fini = teardown, .timeout = 100);

static struct said
tune(const char *words)
{
	return box_do(&h, arena_printf(a, "tune --resume %s %s", h.run, s->name), words);
}

static struct said
far_do(const char *command)
{
	return box_do(&h, arena_printf(a, "%s %s", command, s->name), "");
}

Test(ssh_tune_apply, a_change_is_put_in_force_there_and_can_be_taken_back)
{
	struct said said;

	tuned(&h, s->name, VERDICT_CHANGE);
	said = tune("");
	cr_assert_eq(said.status, 0, "%s", said.err);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "not asked for");
	said = tune("--apply --yes");
	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_expect_not_null(strstr(said.out, "+x.send = " SEND_NEW "\n"), "the diff: %s", said.out);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "applied");
	cr_expect_not_null(strstr(sshd_read(s, "log"), "Accepted publickey"), "by ssh");
	cr_expect_eq(far_do("check").status, 0);
	cr_expect_eq(far_do("revert --yes").status, 0);
	cr_expect(knobs_same(box_get(&h, h.send), SEND_OLD));
	cr_expect_not(box_there(h.conf));
}

Test(ssh_tune_apply, with_confirm_no_file_is_written_there_before_it_is_confirmed)
{
	struct said said;

	tuned(&h, s->name, VERDICT_CHANGE);
	said = tune("--apply --yes --confirm 200s");
	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_expect_not_null(strstr(said.out, arena_printf(a, "these values go back in 200 s, unless: "
	    "pathtune confirm %s\n", s->name)), "%s", said.out);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, false, "unconfirmed");
	cr_expect_eq(tune("--apply --yes").status, 1, "another waits");
	cr_expect_eq(far_do("confirm").status, 0);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "confirmed");
}

/* The way there is the one that the command names, not only that of the search. */
Test(ssh_tune_apply, how_the_host_is_reached_holds_for_the_apply_too)
{
	const char *key = sshd_path(s, "elsewhere");
	struct said said;

	tuned(&h, s->name, VERDICT_CHANGE);
	SSHD_DO("mv", sshd_path(s, ".ssh/id_ed25519"), key);
	unlink(sshd_path(s, ".ssh/id_ed25519.pub"));
	said = tune("--apply --yes");
	cr_expect_eq(said.status, 1, "%s", said.err);
	cr_expect_not_null(strstr(said.err, "is refused"), "%s", said.err);
	said = tune(arena_printf(a, "--apply --yes --identity %s", key));
	cr_expect_eq(said.status, 0, "%s", said.err);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "applied");
}

Test(ssh_tune_apply, of_keep_nothing_is_applied)
{
	struct said said;

	tuned(&h, s->name, VERDICT_KEEP);
	said = tune("--apply --yes");
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_not_null(strstr(said.err, "nothing is applied: the present settings stay\n"), "%s",
	    said.err);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "keep");
	cr_expect_eq(strlen(sshd_read(s, "log")), 0, "the host is not asked at all");
}
