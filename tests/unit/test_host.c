#include <criterion/criterion.h>

#include "probes/host.h"
#include "probes/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/pathtune-host-XXXXXX";
static char file[64];
static struct arena *a;
static struct host *h;
static struct err e;

static void
put(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_eq(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static void
setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/file", dir);
	a = arena_new();
	cr_assert(host_open(a, "local", &h, &e));
}

static void
teardown(void)
{
	host_close(h);
	arena_free(a);
	unlink(file);
	rmdir(dir);
}

TestSuite(host, .init = setup, .fini = teardown);

static struct output
run(const char *const *argv, double timeout_s)
{
	struct command c = { .argv = argv, .timeout_s = timeout_s };
	struct output out;

	cr_assert(host_run(h, a, &c, 1, &out, &e), "%s", e.text);
	return out;
}

static struct output
sh(const char *script, double timeout_s)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	return run(argv, timeout_s);
}

Test(host, what_is_no_host_is_refused)
{
	struct host *none;

	cr_expect_not(host_open(a, "rsh://x", &none, &e));
	cr_expect_eq(e.code, ERR_USAGE);
	cr_expect_not_null(strstr(e.text, "rsh://x"));
}

Test(host, a_command_gives_status_output_and_reason)
{
	static const struct {
		const char *script;
		int status;
		const char *text;
		const char *why;
	} cases[] = {
		{ "echo yes", 0, "yes\n", NULL },
		{ "echo one; echo no >&2; echo never >&2; exit 3", 3, "one\n", "no" },
		{ "exit 4", 4, "", "exit status 4" },
		{ "kill -9 $$", -1, "", "ended by signal 9" },
		{ "printf 'a\\000b'", 0, "a?b", NULL },
		{ "cat", 0, "", NULL },
		{ "env | sort | grep -v -e ^PWD= -e ^_= -e ^SHLVL=", 0, "LC_ALL=C\nPATH=/usr/local/sbin:"
		    "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n", NULL },
		{ "exec 1>&- 2>&-; exit 5", 5, "", "exit status 5" },
		{ "ls -l /proc/self/fd 2>/dev/null | grep -c /file; :", 0, "0\n", NULL },
	};
	int held;
	size_t i;

	setenv("SECRET", "not for commands", 1);
	put(file, "", 0);
	held = open(file, O_RDONLY | O_CLOEXEC);
	for (i = 0; i < NELEM(cases); i++) {
		struct output out = sh(cases[i].script, 0);

		cr_expect_eq(out.status, cases[i].status, "%s: %d", cases[i].script, out.status);
		cr_expect_str_eq(out.text, cases[i].text, "%s", cases[i].script);
		cr_expect_eq(out.len, strlen(out.text));
		cr_expect((out.why == NULL) == (cases[i].why == NULL), "%s", cases[i].script);
		if (out.why != NULL && cases[i].why != NULL)
			cr_expect_str_eq(out.why, cases[i].why);
	}
	close(held);
}

Test(host, a_word_is_never_seen_by_a_shell)
{
	const char *const argv[] = { "printf", "%s", "$HOME; echo `id` > x & '\"", NULL };

	cr_expect_str_eq(run(argv, 0).text, argv[2]);
}

Test(host, what_cannot_be_started_says_so)
{
	const char *const missing[] = { "no-such-program", NULL };
	const char *const directory[] = { "/tmp", NULL };
	struct output out = run(missing, 0);

	cr_expect_eq(out.status, -1);
	cr_expect_str_eq(out.why, "no-such-program: not found");
	cr_expect_str_eq(out.text, "");
	out = run(directory, 0);
	cr_expect_eq(out.status, -1);
	cr_expect_str_eq(out.why, "/tmp: Permission denied");
}

/* Until the process is gone, or dead and waiting for whoever adopted it. */
static void
await_end(pid_t pid)
{
	const char *const argv[] = { "ps", "-o", "stat=", "-p", arena_printf(a, "%ld", (long)pid),
	    NULL };
	int tries;

	for (tries = 0; kill(pid, 0) == 0 && strchr(run(argv, 0).text, 'Z') == NULL; tries++)
		cr_assert_lt(tries, 1000, "process %ld still runs", (long)pid);
}

Test(host, a_command_over_its_time_is_ended_with_its_group)
{
	static const char *const scripts[] = {
		"sleep 600 & echo $!; wait",
		"trap '' TERM INT HUP; sleep 600 & echo $!; wait",
		"sleep 600 >/dev/null 2>&1 & echo $!; exec >&- 2>&-; wait",
	};
	struct output out;
	size_t i;
	pid_t child;

	for (i = 0; i < NELEM(scripts); i++) {
		out = sh(scripts[i], 0.2);
		cr_expect_eq(out.status, -1);
		cr_expect_str_eq(out.why, "no end within 0.2 s");
		child = (pid_t)atol(out.text);
		cr_assert_gt(child, 1, "what was said before is kept");
		await_end(child);
	}
}

Test(host, endless_output_is_cut)
{
	struct output out = sh("yes", 60);

	cr_expect_eq(out.status, -1);
	cr_expect_eq(out.len, HOST_OUTPUT_BYTES);
	cr_expect_str_eq(out.why, "more than 262144 bytes of output");
	out = sh("head -c 1000000 /dev/zero >&2; echo fine", 60);
	cr_expect_eq(out.status, 0, "endless complaints are dropped: %s", out.why);
	cr_expect_str_eq(out.text, "fine\n");
	out = sh("head -c 262144 /dev/zero", 60);
	cr_expect_eq(out.status, 0, "%s", out.why);
	cr_expect_eq(out.len, HOST_OUTPUT_BYTES);
}

Test(host, a_file_is_read_as_cat_would)
{
	char *big = calloc(1, HOST_OUTPUT_BYTES + 1);
	struct command c = { .file = file };
	struct output out;
	size_t sizes[] = { 0, 1, 4095, 4096, 4097, HOST_OUTPUT_BYTES };
	size_t i;

	memset(big, 'x', HOST_OUTPUT_BYTES + 1);
	for (i = 0; i < NELEM(sizes); i++) {
		put(file, big, sizes[i]);
		cr_assert(host_run(h, a, &c, 1, &out, &e));
		cr_expect_eq(out.status, 0);
		cr_expect_eq(out.len, sizes[i]);
		cr_expect_eq(strspn(out.text, "x"), sizes[i]);
		cr_expect_null(out.why);
	}
	put(file, big, HOST_OUTPUT_BYTES + 1);
	cr_assert(host_run(h, a, &c, 1, &out, &e));
	cr_expect_eq(out.status, 1);
	cr_expect_eq(out.len, HOST_OUTPUT_BYTES);
	cr_expect_not_null(strstr(out.why, "larger than 262144 bytes"));
	free(big);
}

Test(host, a_file_that_cannot_be_read_says_why)
{
	struct command c[] = { { .file = "/nonexistent/file" }, { .file = dir }, { .file = file } };
	struct output out[3];

	cr_assert_eq(mkfifo(file, 0600), 0);
	cr_assert(host_run(h, a, c, 3, out, &e));
	cr_expect_eq(out[0].status, 1);
	cr_expect_str_eq(out[0].why, "/nonexistent/file: No such file or directory");
	cr_expect_str_eq(out[0].text, "");
	cr_expect_eq(out[1].status, 1);
	cr_expect_not_null(strstr(out[1].why, "Is a directory"));
	cr_expect_eq(out[2].len, 0, "a FIFO without a writer does not hang");
}

Test(host, a_write_replaces_the_value_and_errors_name_the_file)
{
	struct command c = { .file = file };
	struct output out;

	put(file, "a longer value\n", 15);
	cr_assert(host_write(h, file, "4096", &e), "%s", e.text);
	cr_assert(host_run(h, a, &c, 1, &out, &e));
	cr_expect_str_eq(out.text, "4096");
	cr_expect_not(host_write(h, "/dev/full", "1", &e));
	cr_expect_str_eq(e.text,
	    "/dev/full: the kernel refuses \"1\": No space left on device");
	e = (struct err){ 0 };
	cr_expect_not(host_write(h, "/nonexistent/knob", "1", &e));
	cr_expect_str_eq(e.text, "/nonexistent/knob: No such file or directory");
	cr_expect_eq(access("/nonexistent", F_OK), -1);
}

Test(host, a_stop_ends_commands_but_not_the_reading_of_files)
{
	const char *const argv[] = { "sh", "-c",
	    arena_printf(a, "kill -TERM %ld; sleep 600", (long)getpid()), NULL };
	struct command c[] = { { .argv = argv, .timeout_s = 600 }, { .file = file } };
	struct output out;

	put(file, "1\n", 2);
	cr_assert(stop_install());
	cr_expect_not(host_run(h, a, c, 1, &out, &e));
	cr_expect_eq(e.code, ERR_STOPPED);
	cr_expect_str_eq(e.text, "sh: stopped by signal 15");
	cr_assert(host_run(h, a, c + 1, 1, &out, &e));
	cr_expect_str_eq(out.text, "1\n");
	cr_expect(host_write(h, file, "2", &e));
}

static struct host *
via(const char *command)
{
	struct host *v = NULL;

	e = (struct err){ 0 };
	cr_assert(stop_install());
	cr_assert(host_open(a, arena_printf(a, "via:%s", command), &v, &e), "%s", e.text);
	cr_expect_not(host_is_here(v));
	cr_expect_null(host_path(v));
	return v;
}

Test(host, via_a_command_answers_as_the_local_host_does)
{
	const char *const script[] = { "sh", "-c", "echo one; echo no >&2; exit 3", NULL };
	const char *const missing[] = { "no-such-program", NULL };
	struct command c[] = { { .argv = script }, { .argv = missing }, { .file = file },
		{ .file = "/nonexistent/file" } };
	struct output here[NELEM(c)], there[NELEM(c)];
	struct host *v = via("/bin/sh -s");

	put(file, "a\0b", 3);
	cr_assert(host_run(h, a, c, NELEM(c), here, &e));
	cr_assert(host_run(v, a, c, NELEM(c), there, &e), "%s", e.text);
	for (size_t i = 0; i < NELEM(c); i++) {
		cr_expect_eq(there[i].status, here[i].status, "%zu", i);
		cr_expect_str_eq(there[i].text, here[i].text, "%zu", i);
		cr_expect_eq(there[i].len, here[i].len, "%zu", i);
		cr_expect((there[i].why == NULL) == (here[i].why == NULL), "%zu", i);
		if (there[i].why != NULL)
			cr_expect_str_eq(there[i].why, here[i].why, "%zu", i);
	}
	cr_assert(host_run(v, a, c, 0, there, &e), "%s", e.text);
	host_close(v);
}

Test(host, through_a_shell_a_write_is_as_here)
{
	struct command c = { .file = file };
	struct err refused = { ERR_NONE, "" };
	struct host *v = via("/bin/sh -s");
	struct output o;

	put(file, "4096 131072 6291456", 19);
	cr_expect(host_write(v, file, "4096 $(id) `id` '\\n%s", &e), "%s", e.text);
	cr_assert(host_run(h, a, &c, 1, &o, &e), "%s", e.text);
	cr_expect_str_eq(o.text, "4096 $(id) `id` '\\n%s");
	cr_expect_not(host_write(v, "/dev/full", "1", &refused));
	cr_expect_not_null(strstr(refused.text, "/dev/full: the kernel refuses \"1\""), "%s",
	    refused.text);
	refused = (struct err){ ERR_NONE, "" };
	cr_expect_not(host_write(v, "/nonexistent/knob", "1", &refused));
	cr_expect_str_eq(refused.text, "/nonexistent/knob: No such file or directory");
	host_close(v);
}

Test(host, via_a_command_that_fails_says_why)
{
	static const struct { const char *command, *error; } cases[] = {
		{ "no-such-program -s", "via:no-such-program -s: no-such-program: not found" },
		{ "false", "via:false: exit status 1" },
		{ "true", "via:true: no answer, not even to the first of 1 commands" },
		{ "cat", "via:cat: no answer, not even to the first of 1 commands" },
		{ "ls /nonexistent", "via:ls /nonexistent: " },
		{ "yes", "via:yes: more than 328320 bytes of output" },
		{ "head -c 9", "via:head -c 9: no answer" },
	};
	const char *const argv[] = { "true", NULL };
	struct command c = { .argv = argv };
	struct output out;

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct host *v = via(cases[i].command);

		cr_assert_not(host_run(v, a, &c, 1, &out, &e), "%s", cases[i].command);
		cr_expect_eq(e.code, ERR_FAILED);
		cr_expect_eq(strncmp(e.text, cases[i].error, strlen(cases[i].error)), 0, "%s", e.text);
		host_close(v);
	}
	e = (struct err){ 0 };
	cr_expect_not(host_open(a, "via:  ", &h, &e));
	cr_expect_eq(e.code, ERR_USAGE);
}

Test(host, a_recording_keeps_the_last_answer_and_is_never_overwritten)
{
	const char *const argv[] = { "cat", file, NULL };
	const char *recording = arena_printf(a, "%s/transcript", dir);
	struct host_path path = { "10.1.2.3", 80, 1e9, 2e9 };
	struct command c[] = { { .argv = argv }, { .file = file } };
	struct output out[2];
	struct host *r;

	put(file, "first", 5);
	cr_assert(host_record(h, a, dir, &e), "%s", e.text);
	cr_assert(host_run(h, a, c, 2, out, &e));
	put(file, "10.1.2.3 last", 13);
	cr_assert(host_run(h, a, c, 2, out, &e));
	cr_assert(host_record_save(h, "recorded here", &path, &e), "%s", e.text);
	cr_assert(host_open(a, arena_printf(a, "replay:%s", dir), &r, &e), "%s", e.text);
	cr_assert(host_run(r, a, c, 2, out, &e));
	cr_expect_str_eq(out[0].text, "192.0.2.1 last");
	cr_expect_str_eq(out[1].text, "192.0.2.1 last");
	cr_expect_str_eq(host_path(r)->peer, "192.0.2.1");
	cr_expect_eq(host_path(r)->rtt_ms, 80);
	cr_expect_eq(host_path(r)->receive_bps, 2e9);
	cr_expect_not(host_record(h, a, dir, &e));
	cr_expect_eq(e.code, ERR_USAGE);
	cr_expect_str_eq(e.text, arena_printf(a, "%s: there is a recording already", recording));
	e = (struct err){ 0 };
	cr_expect_not(host_record(h, a, "/nonexistent/dir", &e));
	cr_expect_eq(unlink(recording), 0);
}

Test(host, ctrl_z_does_nothing_while_values_are_set)
{
	static const bool held[] = { false, true, true, false, false };
	struct sigaction now;

	for (size_t i = 0; i < NELEM(held); i++) {
		stop_hold(held[i]);
		cr_assert_eq(sigaction(SIGTSTP, NULL, &now), 0);
		cr_assert(now.sa_handler == (held[i] ? SIG_IGN : SIG_DFL), "step %zu", i);
	}
}
