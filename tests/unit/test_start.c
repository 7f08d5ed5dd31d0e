/*
 * host_start(): programs beside us, here and through a shell.
 */
#include "probes/host.h"
#include "probes/stop.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *const hosts[] = { "local", "via:/bin/sh -s" };
static struct arena *a;
static struct err e;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ 0 };
	cr_assert(stop_install());
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(start, .init = setup, .fini = teardown);

static struct host *
open_host(const char *name)
{
	struct host *h;

	cr_assert(host_open(a, name, &h, &e), "%s", e.text);
	return h;
}

/* So many bytes of what it says. */
static const char *
hear(const struct host_child *c, size_t n)
{
	char *s = arena_alloc(a, n + 1);
	ssize_t got = 0, k;

	while ((size_t)got < n && (k = read(c->out, s + got, n - (size_t)got)) > 0)
		got += k;
	s[got] = '\0';
	return s;
}

static void
say(const struct host_child *c, const char *s)
{
	cr_assert_eq(write(c->in, s, strlen(s)), (ssize_t)strlen(s));
}

Test(start, what_is_said_goes_both_ways_line_after_line)
{
	static const char odd[] = "it's \"$HOME\" \\ !x\n*";

	for (size_t i = 0; i < 2; i++) {
		struct host *h = open_host(hosts[i]);
		struct host_child c;

		cr_assert(host_start(h, a, ARGV("sh", "-c", "echo \"$LC_ALL\"; printf %s \"$1\"; exec cat",
		    "sh", odd), &c, &e), "%s: %s", hosts[i], e.text);
		cr_expect_str_eq(hear(&c, 2 + strlen(odd)), arena_printf(a, "C\n%s", odd), "%s", hosts[i]);
		say(&c, "one\n");
		cr_expect_str_eq(hear(&c, 4), "one\n");
		say(&c, "two\n");
		cr_expect_str_eq(hear(&c, 4), "two\n");
		host_end(&c);
		host_close(h);
	}
}

Test(start, it_hears_the_end_of_its_input_when_it_is_ended)
{
	char dir[] = "/tmp/pathtune-start-XXXXXX", byte;
	const char *fifo;
	int fd;

	cr_assert_not_null(mkdtemp(dir));
	fifo = arena_printf(a, "%s/ended", dir);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < 2; i++) {
		struct host *h = open_host(hosts[i]);
		struct host_child c;

		cr_assert(host_start(h, a, ARGV("sh", "-c", "exec 3>\"$1\"; cat; echo x >&3", "sh", fifo), &c,
		    &e), "%s", e.text);
		fd = open(fifo, O_RDONLY);
		cr_assert(fd >= 0);
		host_end(&c);
		cr_expect_eq(waitpid(c.pid, NULL, WNOHANG), -1, "reaped");
		cr_expect_eq(read(fd, &byte, 1), 1, "%s", hosts[i]);
		close(fd);
		host_close(h);
	}
	unlink(fifo);
	rmdir(dir);
}

Test(start, one_that_does_not_end_is_killed)
{
	for (size_t i = 0; i < 2; i++) {
		struct host *h = open_host(hosts[i]);
		struct host_child c;
		pid_t pid;

		cr_assert(host_start(h, a, ARGV("sh", "-c", "trap '' TERM PIPE; while :; do sleep 1; done"),
		    &c, &e), "%s", e.text);
		pid = c.pid;
		host_end(&c);
		cr_expect(kill(pid, 0) == -1, "%s", hosts[i]);
		host_end(&c);
		host_close(h);
	}
}

Test(start, what_is_not_there_is_said)
{
	struct host_child c = { .pid = -1 };

	for (size_t i = 0; i < 2; i++) {
		struct host *h = open_host(hosts[i]);

		e = (struct err){ 0 };
		cr_expect_not(host_start(h, a, ARGV("no-such-program", "x"), &c, &e));
		cr_expect_eq(e.code, ERR_FAILED);
		cr_expect_not_null(strstr(e.text, "no-such-program: not found"), "%s", e.text);
		host_close(h);
	}
}

Test(start, a_shell_that_is_none_or_talks_without_end_is_said_with_its_last_words)
{
	static const char *const t[][2] = {
		{ "via:false", "via:false: nothing can be started there" },
		{ "via:ls /nonexistent", "/nonexistent" },
		{ "via:yes", "via:yes: nothing can be started there" },
		{ "via:no-such-shell", "no-such-shell: not found" },
	};
	struct host_child c;

	for (size_t i = 0; i < NELEM(t); i++) {
		struct host *h = open_host(t[i][0]);

		e = (struct err){ 0 };
		cr_expect_not(host_start(h, a, ARGV("cat"), &c, &e));
		cr_expect_not_null(strstr(e.text, t[i][1]), "%s", e.text);
		host_close(h);
	}
}

Test(start, a_recording_starts_nothing)
{
	struct host *h = open_host("replay:" TESTS_DIR "/transcripts/freebsd-14.2-em");
	struct host_child c;

	cr_expect_not(host_start(h, a, ARGV("cat"), &c, &e));
	cr_expect_str_eq(e.text, "cat: a recording cannot start it");
	host_close(h);
}

Test(start, nothing_is_begun_after_a_stop)
{
	struct host *h = open_host("local");
	struct host_child c;

	cr_assert_eq(raise(SIGTERM), 0);
	cr_expect_not(host_start(h, a, ARGV("cat"), &c, &e));
	cr_expect_eq(e.code, ERR_STOPPED);
	host_close(h);
}
