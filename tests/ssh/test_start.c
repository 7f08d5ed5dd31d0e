/*
 * host_start() over ssh: a program there, by a login of its own.
 */
#include "sshd.h"

#include "probes/host.h"
#include "probes/stop.h"

#include <poll.h>

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct arena *a;
static struct sshd *s;
static struct err e;
static struct host *h;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ 0 };
	cr_assert(stop_install());
	s = sshd_start(a);
}

static void
teardown(void)
{
	host_close(h);
	sshd_end(s);
	arena_free(a);
}

TestSuite(ssh_start, .init = setup, .fini = teardown);

static void
enter(const struct host_access *access)
{
	cr_assert(host_open_by(a, s->name, access, &h, &e), "%s", e.text);
}

static const char *
hear(const struct host_child *c, size_t n)
{
	char *said = arena_alloc(a, n + 1);
	size_t got = 0;
	ssize_t k;

	while (got < n && (k = read(c->out, said + got, n - got)) > 0)
		got += (size_t)k;
	said[got] = '\0';
	return said;
}

static void
say(const struct host_child *c, const char *text)
{
	cr_assert_eq(write(c->in, text, strlen(text)), (ssize_t)strlen(text));
}

/* A fifo that the program holds open; we hear when it lets go. */
static const char *
fifo(const char *name)
{
	const char *path = sshd_path(s, name);

	cr_assert_eq(mkfifo(path, 0600), 0);
	return path;
}

static void
expect_end(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char byte;

	cr_assert_eq(poll(&p, 1, 20000), 1, "it has not ended");
	cr_expect_eq(read(fd, &byte, 1), 0);
	close(fd);
}

Test(ssh_start, speaks_beside_the_session_whatever_the_login_says_first)
{
	static const char odd[] = "it's \"$HOME\" \\ !x\n*";
	struct command c = { .argv = ARGV("echo", "beside") };
	struct host_child child;
	struct output o;

	sshd_personality(s, "printf 'Welcome\\033[31m and no newline'; sh -c \"$SSH_ORIGINAL_COMMAND\"; "
	    "echo logout", NULL);
	enter(NULL);
	cr_assert(host_start(h, a, ARGV("sh", "-c", "printf %s \"$1\"; exec cat", "sh", odd), &child,
	    &e), "%s", e.text);
	cr_expect_str_eq(hear(&child, strlen(odd)), odd);
	for (size_t i = 0; i < 3; i++) {
		cr_assert(host_run(h, a, &c, 1, &o, &e), "%s", e.text);
		cr_expect_str_eq(o.text, "beside\n");
		say(&child, "line\n");
		cr_expect_str_eq(hear(&child, 5), "line\n");
	}
	host_end(&child);
	cr_assert(host_run(h, a, &c, 1, &o, &e), "the session is as before: %s", e.text);
}

Test(ssh_start, much_goes_through_unharmed_both_ways)
{
	enum { MUCH = 1 << 20 };
	char *text = arena_alloc(a, MUCH + 1);
	const char *said;
	struct host_child c;
	pid_t pid;

	for (size_t i = 0; i < MUCH; i++)
		text[i] = (char)('a' + i * 7 % 26);
	enter(NULL);
	cr_assert(host_start(h, a, ARGV("cat"), &c, &e), "%s", e.text);
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < MUCH; i += 65536)
			if (write(c.in, text + i, 65536) != 65536)
				_exit(1);
		_exit(0);
	}
	said = hear(&c, MUCH);
	cr_expect(memcmp(said, text, MUCH) == 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	host_end(&c);
}

Test(ssh_start, ends_there_when_it_is_ended_here_and_when_we_are_killed)
{
	const char *gone = fifo("gone");
	struct host_child c;
	pid_t pid;
	int fd, ready[2];
	char byte;

	enter(NULL);
	cr_assert(host_start(h, a, ARGV("sh", "-c", "exec 3>\"$1\"; exec cat", "sh", gone), &c, &e), "%s",
	    e.text);
	fd = open(gone, O_RDONLY);
	host_end(&c);
	expect_end(fd);

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct host *own;

		if (!host_open(a, s->name, &own, &e) || !host_start(own, a, ARGV("sh", "-c",
		    "exec 3>\"$1\"; exec cat", "sh", gone), &c, &e) || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	fd = open(gone, O_RDONLY);
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	expect_end(fd);
}

Test(ssh_start, a_host_that_falls_silent_ends_it_here)
{
	const struct host_access soon = { .timeout_s = 2 };
	struct host_child c;

	enter(&soon);
	/* Its sshd is stopped, not ended: the connection stays, and nobody is there. */
	cr_assert(host_start(h, a, ARGV("sh", "-c", "echo go; read -r x; kill -STOP $PPID; exec sleep 60"),
	    &c, &e), "%s", e.text);
	cr_expect_str_eq(hear(&c, 3), "go\n");
	say(&c, "x\n");
	expect_end(c.out);
	c.out = dup(c.in);
	host_end(&c);
}

Test(ssh_start, what_cannot_be_started_is_said)
{
	struct host_child c;
	static const char *const t[][2] = {
		{ NULL, "no-such-program: not found" },
		{ "echo 'This account is not available.' >&2; exit 1",
		    "nothing can be started there: This account is not available." },
		{ "exec yes", "nothing can be started there" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		sshd_personality(s, t[i][0], NULL);
		e = (struct err){ 0 };
		enter(NULL);
		cr_expect_not(host_start(h, a, ARGV("no-such-program"), &c, &e));
		cr_expect_str_eq(e.text, arena_printf(a, "%s: %s", s->name, t[i][1]));
		host_close(h);
		h = NULL;
	}
	e = (struct err){ 0 };
	sshd_personality(s, NULL, NULL);
	enter(NULL);
	sshd_keygen(s, "ed25519", "other", "");
	sshd_known(s, "other");
	cr_expect_not(host_start(h, a, ARGV("cat"), &c, &e));
	cr_expect_not_null(strstr(e.text, "the host's key is not the one in"), "verified again: %s",
	    e.text);
}
