/*
 * Signals at apply, confirm and revert while they set values: exit status 5, and all is as it was.
 * The signal comes from a command that sets a value, so it comes at the same point each time.
 */
#include "box_test.h"

#include <fcntl.h>
#include <sys/file.h>

TestSuite(apply_stop, .init = setup, .fini = teardown, .timeout = 60);

static void
manners(const char *shell)
{
	box_profile(&h, "own", box_by_sysctl(&h, shell));
}

/* Whoever was at work on this host is done. */
static void
await_free(void)
{
	int fd = open(h.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	cr_assert(fd != -1 && flock(fd, LOCK_EX) == 0 && close(fd) == 0);
}

#define OLD_S SEND_OLD "\n"
#define OLD_R RECEIVE_OLD "\n"
#define NEW_S SEND_NEW "\n"
#define NEW_R RECEIVE_NEW "\n"

static const char *const signals[] = { "INT", "TERM", "HUP" };

/* While the second of two values is set to this: the first is ours by then. */
static const char *
stop_at(const char *value, const char *sig)
{
	return arena_printf(h.a, "[ \"$name=$value\" != \"x.receive=%s\" ] || kill -%s $PPID",
	    value, sig);
}

Test(apply_stop, apply_takes_all_back_and_exits_5)
{
	struct said s;

	for (size_t i = 0; i < NELEM(signals); i++) {
		box_values(&h, OLD_S, OLD_R);
		manners(stop_at(RECEIVE_NEW, signals[i]));
		s = box_apply(&h, "");
		cr_expect_eq(s.status, 5, "%s: %d, %s", signals[i], s.status, s.err);
		cr_expect_not_null(strstr(s.err, "stopped by signal"), "%s", s.err);
		box_expect(&h, OLD_S, OLD_R, false, signals[i]);
		cr_expect_not(box_there(box_path(&h, "state/undo")));
		cr_expect_not(box_there(box_path(&h, "state/journal-S")));
	}
}

Test(apply_stop, revert_leaves_all_applied_and_exits_5)
{
	struct said s;

	box_values(&h, OLD_S, OLD_R);
	manners("");
	cr_assert_eq(box_apply(&h, "").status, 0);
	for (size_t i = 0; i < NELEM(signals); i++) {
		/* Last set, first taken back. */
		manners(arena_printf(h.a, "[ \"$name=$value\" != \"x.send=%s\" ] || "
		    "kill -%s $PPID", SEND_OLD, signals[i]));
		s = box_do(&h, "revert", "--yes");
		cr_expect_eq(s.status, 5, "%s: %d, %s", signals[i], s.status, s.err);
		box_expect(&h, NEW_S, NEW_R, true, signals[i]);
		cr_expect_not(box_there(box_path(&h, "state/journal-S")));
		cr_expect_eq(box_do(&h, "check", "").status, 0, "it is in force, and on record");
	}
	manners("");
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
	box_expect(&h, OLD_S, OLD_R, false, "reverted");
}

/* The one that waits is told to end while it confirms: so is the command that asked. */
Test(apply_stop, a_confirm_whose_keeper_is_stopped_takes_all_back_and_exits_5)
{
	struct said s;

	box_values(&h, OLD_S, OLD_R);
	manners("");
	cr_assert_eq(box_apply(&h, "--confirm 60s").status, 0);
	manners("[ \"$name$value\" != x.receive ] || kill -TERM $PPID");
	s = box_do(&h, "confirm", "");
	cr_expect_eq(s.status, 5, "%d, %s%s", s.status, s.out, s.err);
	await_free();
	box_expect(&h, OLD_S, OLD_R, false, "taken back");
	cr_expect_not(box_there(box_path(&h, "state/journal-S")));
}

/* What it asked for goes on without it, as a whole. */
Test(apply_stop, a_confirm_that_is_stopped_itself_exits_5_and_says_what_may_be)
{
	struct started p;
	struct said s;

	box_values(&h, OLD_S, OLD_R);
	manners("");
	cr_assert_eq(box_apply(&h, "--confirm 60s").status, 0);
	manners("[ \"$name$value\" != x.receive ] || {\n"
	    "until [ -s asks ]; do sleep .01; done; kill -INT $(cat asks)\n"
	    "until [ -e ended ]; do sleep .01; done; }");
	p = program_start(h.a, arena_printf(h.a, "confirm %s", h.flags));
	box_put(box_path(&h, "asks"), arena_printf(h.a, "%ld\n", (long)p.pid));
	s = program_end(h.a, p);
	box_put(box_path(&h, "ended"), "");
	cr_expect_eq(s.status, 5, "%d, %s%s", s.status, s.out, s.err);
	cr_expect_not_null(strstr(s.err, "may be confirmed or taken back by now"), "%s", s.err);
	await_free();
	box_expect(&h, NEW_S, NEW_R, true, "confirmed");
	cr_expect_eq(box_do(&h, "check", "").status, 0);
}
