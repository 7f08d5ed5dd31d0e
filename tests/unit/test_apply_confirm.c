/* apply --confirm, on a host of files: what waits is confirmed, or taken back, whoever dies. */
#include "box_test.h"

#include "probes/keeper.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>

TestSuite(apply_confirm, .init = setup, .fini = teardown, .timeout = 60);

/* Waits for what another process does; the test's own time limit ends it. */
static void
await(bool (*is)(void))
{
	struct timespec nap = { 0, 5 * 1000 * 1000 };

	while (!is())
		nanosleep(&nap, NULL);
}

static bool
values_are_old(void)
{
	return strcmp(box_get(&h, h.send), SEND_OLD) == 0 &&
	    strcmp(box_get(&h, h.receive), RECEIVE_OLD) == 0;
}

static bool
nobody_waits(void)
{
	return !box_there(box_path(&h, "state/unconfirmed"));
}

/* Whoever was at work on this host is done. */
static void
await_free(void)
{
	int fd = open(h.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	cr_assert(fd != -1 && flock(fd, LOCK_EX) == 0 && close(fd) == 0);
}

/* The process that keeps the values holds the journal, which names it. */
static pid_t
keeper(void)
{
	const char *text = box_get(&h, box_path(&h, "state/journal-S"));
	long pid;

	cr_assert_eq(sscanf(text, "pathtune-journal\t%*d\t%*d\t%ld", &pid), 1, "%s", text);
	return (pid_t)pid;
}

Test(apply_confirm, confirmed_values_are_written_down)
{
	struct said s = box_apply(&h, "--confirm 60s");

	cr_assert_eq(s.status, 0, "%s", s.err);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, false, "only values");
	s = box_do(&h, "check", "-q");
	cr_expect_not_null(strstr(s.out, "unconfirmed: "), "%s", s.out);
	s = box_apply(&h, "");
	cr_expect_eq(s.status, 1);
	cr_expect_not_null(strstr(s.err, "waits to be confirmed"), "%s", s.err);
	s = box_do(&h, "confirm", "");
	cr_assert_eq(s.status, 0, "%s", s.err);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "confirmed");
	cr_expect(nobody_waits());
	cr_expect_eq(box_do(&h, "check", "").status, 0);
	cr_expect_eq(box_do(&h, "confirm", "").status, 1, "once");
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "reverted");
}

Test(apply_confirm, unconfirmed_values_go_back_when_their_time_is_out)
{
	struct said s = box_apply(&h, "--confirm 5s");

	cr_assert_eq(s.status, 0, "%s", s.err);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, false, "only values");
	await(nobody_waits);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "the time is out");
	s = box_do(&h, "confirm", "");
	cr_expect_eq(s.status, 1);
	cr_expect_not_null(strstr(s.err, "there is nothing to confirm"), "%s", s.err);
}

Test(apply_confirm, revert_takes_back_at_once_what_waits)
{
	cr_assert_eq(box_apply(&h, "--confirm 60s").status, 0);
	cr_expect_eq(box_do(&h, "revert", "--dry-run").status, 3);
	box_expect(&h, SEND_NEW, RECEIVE_NEW, false, "dry run");
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "reverted");
	cr_expect(nobody_waits());
	cr_assert_eq(box_apply(&h, "").status, 0, "and the host is free again");
}

Test(apply_confirm, a_keeper_that_is_killed_leaves_nothing_behind)
{
	static const int signals[] = { SIGKILL, SIGTERM };

	for (size_t i = 0; i < NELEM(signals); i++) {
		cr_assert_eq(box_apply(&h, "--confirm 60s").status, 0);
		kill(keeper(), signals[i]);
		await(values_are_old);
		cr_expect_eq(box_do(&h, "confirm", "").status, 1);
		await_free();
		cr_expect_not(box_there(h.conf));
	}
	cr_expect_eq(box_apply(&h, "").status, 0, "a dead one's socket is in nobody's way");
}

Test(apply_confirm, confirm_refuses_values_that_somebody_else_changed)
{
	struct said s;

	cr_assert_eq(box_apply(&h, "--confirm 60s").status, 0);
	box_put(h.send, "4096 16384 5000000");
	s = box_do(&h, "confirm", "");
	cr_expect_eq(s.status, 1);
	cr_expect_not_null(strstr(s.err, "x.send: "), "%s", s.err);
	box_expect(&h, "4096 16384 5000000", RECEIVE_OLD, false, "theirs stays, ours goes back");
	s = box_do(&h, "revert", "--yes");
	cr_expect_str_eq(s.out, "nothing to revert: nothing is applied\n");
}

/* A question that is none; what read() makes of the answer. */
static ssize_t
ask_nothing(void)
{
	int fd = keeper_connect(h.a, box_path(&h, "state/unconfirmed"));
	ssize_t n;
	char byte;

	cr_assert(fd != -1 && shutdown(fd, SHUT_WR) == 0);
	n = read(fd, &byte, 1);
	close(fd);
	return n;
}

/* As one who is killed when he has said "confirm" leaves it. */
Test(apply_confirm, it_is_confirmed_for_one_who_died_before_it_answers_the_next)
{
	const char *path = box_path(&h, "state/unconfirmed");
	struct said s;
	int fd;

	cr_assert_eq(box_apply(&h, "--confirm 60s").status, 0);
	cr_expect_eq(ask_nothing(), 0, "it waits on");
	fd = keeper_connect(h.a, path);
	cr_assert(fd != -1 && keeper_say(fd, "confirm"));
	close(fd);
	s = box_do(&h, "confirm", "");
	cr_expect_eq(s.status, 1, "%s", s.out);
	await_free();
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "confirmed, files and all");
	s = box_do(&h, "revert", "--yes");
	cr_expect_eq(s.status, 0, "%s", s.err);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "reverted");
}

/* The one who is asked ends with the question in its queue. */
Test(apply_confirm, without_an_answer_it_says_that_it_may_be_either)
{
	static const char *const commands[] = { "confirm", "revert --yes" };

	for (size_t i = 0; i < NELEM(commands); i++) {
		struct err e = { ERR_NONE, "" };
		struct pollfd wait = { .events = POLLIN };
		struct started p;
		struct said s;

		cr_assert(i != 0 || mkdir(h.state, 0700) == 0);
		wait.fd = keeper_listen(h.a, box_path(&h, "state/unconfirmed"), &e);
		cr_assert(wait.fd != -1, "%s", e.text);
		p = program_start(h.a, arena_printf(h.a, "%s %s", commands[i], h.flags));
		cr_assert_eq(poll(&wait, 1, -1), 1);
		if (i == 1) { /* it looks first whether there is somebody */
			int fd = accept(wait.fd, NULL, NULL);

			cr_assert(fd != -1 && close(fd) == 0 && poll(&wait, 1, -1) == 1);
		}
		close(wait.fd);
		s = program_end(h.a, p);
		cr_expect_eq(s.status, 1);
		cr_expect_not_null(strstr(s.err, "may be confirmed or taken back by now"), "%s",
		    s.err);
		unlink(box_path(&h, "state/unconfirmed"));
	}
}
