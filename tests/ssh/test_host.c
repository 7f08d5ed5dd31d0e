/*
 * One script a round trip over ssh, whatever the login does.
 */
#include "sshd.h"

#include "probes/host.h"
#include "probes/process.h"
#include "probes/script.h"
#include "probes/stop.h"

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

TestSuite(ssh_host, .init = setup, .fini = teardown);

#define SH(script) { .argv = (const char *const[]){ "sh", "-c", script, NULL } }
#define RUN(...) { .argv = (const char *const[]){ __VA_ARGS__, NULL } }

static void
enter(const struct host_access *access)
{
	cr_assert(host_open_by(a, s->name, access, &h, &e), "%s", e.text);
}

/* Of the account in whichever shape: everything that the answers consist of. */
static void
expect_right_answers(const char *what)
{
	static const char odd[] = "$HOME `id` it's \"*\" \\ \n ;&|<> !x";
	const struct command c[] = { RUN("printf", "%s", odd), RUN("printf", "a\\000\\377\\033b"),
		SH("echo one; echo no >&2; exit 3"), RUN("no-such-program"),
		{ .file = "/nonexistent/file" }, SH("cat; echo end $LC_ALL $PATH"),
		SH("head -c 200000 /dev/zero | tr '\\0' x"), RUN("echo", "last") };
	struct output o[NELEM(c)];

	for (size_t round = 0; round < 2; round++) {
		cr_assert(host_run(h, a, c, NELEM(c), o, &e), "%s: %s", what, e.text);
		cr_expect_str_eq(o[0].text, odd, "%s", what);
		cr_expect_str_eq(o[1].text, "a?\377\033b", "%s", what);
		cr_expect_eq(o[2].status, 3);
		cr_expect_str_eq(o[2].text, "one\n");
		cr_expect_str_eq(o[2].why, "no");
		cr_expect_eq(o[3].status, -1);
		cr_expect_str_eq(o[3].why, "no-such-program: not found");
		cr_expect_eq(o[4].status, 1);
		cr_expect_str_eq(o[4].why, "/nonexistent/file: No such file or directory");
		cr_expect_str_eq(o[5].text, "end C " PROCESS_PATH "\n");
		cr_expect_eq(o[6].len, 200000);
		cr_expect_str_eq(o[7].text, "last\n", "%s", what);
	}
}

Test(ssh_host, a_plain_account_answers_round_after_round_in_one_session)
{
	enter(NULL);
	cr_expect_not(host_is_here(h));
	expect_right_answers("plain");
	cr_expect_eq(strstr(strstr(sshd_read(s, "log"), "Accepted publickey") + 1,
	    "Accepted publickey"), NULL, "one login for all rounds");
}

Test(ssh_host, banner_motd_and_noise_of_any_bytes_are_passed_over)
{
	sshd_write(s, "banner", 0644, "authorized use only \033]0;owned\007\n");
	sshd_personality(s,
	    "printf 'Welcome\\033[31m to \\377\\376 and no newline'\n"
	    "printf 'You have \\033[5mmail\\n' >&2\n"
	    "sh -c \"$SSH_ORIGINAL_COMMAND\"\n"
	    "echo logout; echo 0123456789abcdef0123456789abcdef end",
	    arena_printf(a, "Banner %s\n", sshd_path(s, "banner")));
	enter(NULL);
	expect_right_answers("noise");
}

Test(ssh_host, a_value_is_written_as_it_is)
{
	const char *file = sshd_path(s, "knob");
	struct command c = { .file = file };
	struct output o;

	sshd_write(s, "knob", 0644, "1");
	enter(NULL);
	cr_expect(host_write(h, file, "4096 $(id) '", &e), "%s", e.text);
	cr_assert(host_run(h, a, &c, 1, &o, &e), "%s", e.text);
	cr_expect_str_eq(o.text, "4096 $(id) '");
}

/* The failure of one question to a login of this personality; the error without its beginning. */
static const char *
failure_of(const char *personality, const struct host_access *access)
{
	struct command c = RUN("echo", "hello");
	struct output o = { .text = NULL };
	const char *begin = arena_printf(a, "%s: ", s->name);

	sshd_personality(s, personality, NULL);
	e = (struct err){ 0 };
	enter(access);
	cr_expect_not(host_run(h, a, &c, 1, &o, &e), "%s", personality);
	cr_expect_eq(e.code, ERR_FAILED);
	cr_expect_null(o.text, "outputs are untouched on failure");
	cr_assert_eq(strncmp(e.text, begin, strlen(begin)), 0, "%s", e.text);
	host_close(h);
	h = NULL;
	return e.text + strlen(begin);
}

Test(ssh_host, a_login_that_does_not_answer_is_an_error_that_says_what_it_said)
{
	static const struct {
		const char *personality, *error;
	} cases[] = {
		{ "exit 0", "no answer, not even to the first of 1 commands" },
		{ "echo 'This account is \033[1mnot available.'; exit 1",
		    "no answer, not even to the first of 1 commands; it said: This account is "
		    "?[1mnot available." },
		{ "echo 'one'; echo 'disk quota\033[2J exceeded' >&2; echo >&2",
		    "no answer, not even to the first of 1 commands; it said: disk quota?[2J exceeded" },
		{ "exec cat", "no answer, not even to the first of 1 commands" },
		{ "sh -c \"$SSH_ORIGINAL_COMMAND\" 2>/dev/null | head -c 43",
		    "0 of 1 answers came whole; the rest is missing or damaged" },
		{ "sh -c \"$SSH_ORIGINAL_COMMAND\" 2>/dev/null | head -c 43; kill -9 $PPID",
		    NULL /* whether the 43 bytes had left is its sshd's affair */ },
		{ "exec yes", "more than 328320 bytes of output" },
		{ "exec yes >&2", "more than 328320 bytes of output" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		const char *said = failure_of(cases[i].personality, NULL);

		if (cases[i].error != NULL)
			cr_expect_str_eq(said, cases[i].error, "%zu: %s", i, said);
		else
			cr_expect_eq(strncmp(said, "the connection broke: ", 22), 0, "%zu: %s", i, said);
	}
}

/* It reads the script, and so knows the mark by which answers are told from noise. */
Test(ssh_host, a_host_that_forges_answers_gets_nowhere)
{
	static const char know[] = "m=$(sed -n '/[0-9a-f]\\{32\\}/{s/.*\\([0-9a-f]\\{32\\}\\).*/\\1/p;q;}')\n";
	static const struct {
		const char *forged, *error;
	} cases[] = {
		{ "printf '%s 0 0 99999999999 0\\n' $m; exec cat /dev/zero", "more than 328320 bytes of output" },
		{ "printf '%s 0 0 99999999999 0\\n%s end\\n' $m $m", "missing or damaged" },
		{ "printf '%s 0 0 0 0\\n%s 1 0 0 0\\n%s end\\n' $m $m $m", "missing or damaged" },
		{ "printf '%s 7 0 0 0\\n%s end\\n' $m $m", "missing or damaged" },
		{ "printf '%s 0 0 6 0\\nhello' $m; exit 0", "missing or damaged" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		const char *said = failure_of(arena_printf(a, "%s%s", know, cases[i].forged), NULL);

		cr_expect_not_null(strstr(said, cases[i].error), "%zu: %s", i, said);
	}
}

Test(ssh_host, a_login_that_never_answers_ends_by_its_time)
{
	const struct host_access soon = { .timeout_s = 2 };
	const char *said;

	cr_assert_eq(mkfifo(sshd_path(s, "never"), 0600), 0);
	said = failure_of(arena_printf(a, "read -r x <%s", sshd_path(s, "never")), &soon);
	cr_expect_str_eq(said, "no end of the answers within 8 s");
}

Test(ssh_host, an_answer_that_comes_late_is_waited_for_while_the_host_is_there)
{
	const struct host_access soon = { .timeout_s = 3 };
	struct command c = { .argv = (const char *const[]){ "sh", "-c", "sleep 5; echo late", NULL },
		.timeout_s = 30 };
	struct output o;

	enter(&soon);
	cr_assert(host_run(h, a, &c, 1, &o, &e), "kept alive: %s", e.text);
	cr_expect_str_eq(o.text, "late\n");
}

Test(ssh_host, a_host_that_falls_silent_is_given_up)
{
	const struct host_access soon = { .timeout_s = 2 };

	/* Its sshd is stopped, not ended: the connection stays, and nobody is there. */
	cr_expect_str_eq(failure_of("kill -STOP $PPID; exec sleep 60", &soon),
	    "nothing was heard of it for 2 s, during the answers; the host or the way there is down");
}

Test(ssh_host, a_slow_login_is_answered_when_it_comes_to_it)
{
	struct command c = RUN("echo", "hello");
	struct output o;
	char byte;
	int status, fd;
	pid_t pid;

	cr_assert_eq(mkfifo(sshd_path(s, "begun"), 0600), 0);
	cr_assert_eq(mkfifo(sshd_path(s, "go"), 0600), 0);
	sshd_personality(s, arena_printf(a, "echo >%s; read -r x <%s; exec sh -c "
	    "\"$SSH_ORIGINAL_COMMAND\"", sshd_path(s, "begun"), sshd_path(s, "go")), NULL);
	pid = fork();
	if (pid == 0)
		_exit(host_open(a, s->name, &h, &e) && host_run(h, a, &c, 1, &o, &e) &&
		    strcmp(o.text, "hello\n") == 0 ? 0 : 1);
	fd = open(sshd_path(s, "begun"), O_RDONLY);
	cr_assert(fd >= 0 && read(fd, &byte, 1) == 1 && close(fd) == 0);
	cr_expect_eq(waitpid(pid, &status, WNOHANG), 0, "it waits");
	fd = open(sshd_path(s, "go"), O_WRONLY);
	cr_assert(fd >= 0 && write(fd, "\n", 1) == 1 && close(fd) == 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

Test(ssh_host, a_stop_ends_the_wait_and_nothing_is_begun_after_it)
{
	struct command c = SH(arena_printf(a, "kill -TERM %ld; exec sleep 600", (long)getpid()));
	struct output o;

	/* From outside of the namespace, where the number means something. */
	sshd_personality(s, arena_printf(a, "echo >%s; exec sleep 60", sshd_path(s, "begun")), NULL);
	cr_assert_eq(mkfifo(sshd_path(s, "begun"), 0600), 0);
	enter(NULL);
	if (fork() == 0) {
		char byte;
		int fd = open(sshd_path(s, "begun"), O_RDONLY);

		_exit(read(fd, &byte, 1) == 1 && kill(getppid(), SIGTERM) == 0 ? 0 : 1);
	}
	cr_expect_not(host_run(h, a, &c, 1, &o, &e));
	cr_expect_eq(e.code, ERR_STOPPED, "%s", e.text);
	cr_expect_not(host_run(h, a, &c, 1, &o, &e));
}

Test(ssh_host, what_goes_on_even_when_stopped_goes_on)
{
	struct command c = { .argv = (const char *const[]){ "echo", "restored", NULL },
		.even_stopped = true };
	struct output o;

	enter(NULL);
	cr_assert_eq(raise(SIGTERM), 0);
	cr_assert(host_run(h, a, &c, 1, &o, &e), "%s", e.text);
	cr_expect_str_eq(o.text, "restored\n");
	c.even_stopped = false;
	cr_expect_not(host_run(h, a, &c, 1, &o, &e));
	cr_expect_eq(e.code, ERR_STOPPED);
}

Test(ssh_host, becomes_root_by_sudo_or_doas_and_says_what_is_missing)
{
	static const char pass[] = "#!/bin/sh\n[ \"$1\" = -n ] || exit 9\nshift\n"
	    "BECAME=${0##*/} exec \"$@\"\n";
	const struct host_access by[] = { { .become = 1 }, { .become = 2 } };
	struct command c = SH("echo $BECAME");
	struct output o;

	cr_assert_eq(mkdir(sshd_path(s, "bin"), 0755), 0);
	sshd_write(s, "bin/sudo", 0755, pass);
	sshd_write(s, "bin/doas", 0755, pass);
	for (size_t i = 0; i < 2; i++) {
		sshd_personality(s, NULL, arena_printf(a, "SetEnv PATH=%s/bin:/bin:/usr/bin\n", s->dir));
		enter(&by[i]);
		cr_assert(host_run(h, a, &c, 1, &o, &e), "%s", e.text);
		cr_expect_str_eq(o.text, i == 0 ? "sudo\n" : "doas\n");
		host_close(h);
	}
	h = NULL;
	cr_expect_str_eq(failure_of("echo motd >&2; echo 'sudo: a password is required' >&2; exit 1",
	    &by[0]), arena_printf(a, "--become sudo: sudo: a password is required; let user %s run "
	    "/bin/sh there by sudo without a password, or log in as root", s->user));
	cr_expect_not_null(strstr(failure_of("PATH=/nonexistent; exec doas", &by[1]), arena_printf(a,
	    "doas: not found; let user %s run /bin/sh there by doas without a password", s->user)));
}
