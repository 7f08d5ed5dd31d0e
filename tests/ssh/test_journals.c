/*
 * Journals that runs of a machine's own have left, on this end and on the other: whom they concern.
 *
 * needs: root
 */
#include "sshd.h"

#include "box.h"

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

TestSuite(ssh_journals, .init = setup, .fini = teardown, .timeout = 100);

/* Of a run that is dead: nobody holds it. */
static const char *
journal(const char *dir, const char *scope, const char *file)
{
	const char *path = arena_printf(a, "%s/journal-%s", dir, scope);

	SSHD_DO("mkdir", "-m", "700", "-p", dir);
	box_put(path, arena_printf(a, "pathtune-journal\t2\t1\t1\tB\t%s\nold\tx.send\t%s\t1 2 3\n"
	    "ours\t0\t4 5 6\n%s%s", scope, h.send, file,
	    *file == '\0' ? "" : "\tby\told\t0\t0\t0\t0\n"));
	cr_assert_eq(chmod(path, 0600), 0);
	return path;
}

static struct said
far_apply(void)
{
	return box_do(&h, arena_printf(a, "apply %s %s", h.run, s->name), "--yes");
}

Test(ssh_journals, those_of_this_machine_do_not_concern_another)
{
	const char *dir = sshd_path(s, "here"), *left = journal(dir, "S", "");
	const char *before = box_get(&h, left);
	struct said said;

	SSHD_DO("cp", "-p", left, sshd_path(s, "here/journal-host"));
	setenv("PATHTUNE_STATE", dir, 1);
	said = far_apply();
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect(knobs_same(box_get(&h, h.send), SEND_NEW));
	said = box_do(&h, arena_printf(a, "revert %s", s->name), "--yes");
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect(knobs_same(box_get(&h, h.send), SEND_OLD));
	cr_expect_str_eq(box_get(&h, left), before, "nor is it touched");
	said = box_do(&h, arena_printf(a, "apply %s", h.run), "--yes");
	cr_expect_not_null(strstr(said.err, "an earlier run died: 1 value restored"), "here it is "
	    "carried out: %s", said.err);
}

Test(ssh_journals, those_of_another_scope_there_are_in_the_way_only_with_files)
{
	struct said said;

	journal(h.state, "T", "");
	said = far_apply();
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_eq(box_do(&h, arena_printf(a, "revert %s", s->name), "--yes").status, 0);
	journal(h.state, "T", arena_printf(a, "file\t%s", h.conf));
	said = far_apply();
	cr_expect_eq(said.status, 1, "%s", said.out);
	cr_expect_not_null(strstr(said.err, "/journal-T is there; if its run died, what it left is "
	    "taken back by the next command of that machine itself: pathtune probe"), "%s", said.err);
	unlink(box_path(&h, "state/journal-T"));
	journal(h.state, "S", "");
	said = far_apply();
	cr_expect_eq(said.status, 1, "%s", said.out);
	cr_expect_not_null(strstr(said.err, "/journal-S is there; "), "%s", said.err);
	cr_expect(knobs_same(box_get(&h, h.send), SEND_OLD));
	cr_expect_not(box_there(box_path(&h, "state/remote")));
}
