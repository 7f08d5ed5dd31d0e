/*
 * The script as real shells run it.
 * needs: dash busybox bash mksh ksh93
 */
#include <criterion/criterion.h>

#include "probes/host.h"
#include "probes/process.h"
#include "probes/script.h"
#include "probes/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const shells[] = { "dash -s", "busybox sh -s", "bash --posix -s", "bash -s",
	"mksh -s", "ksh93 -s" };

static char dir[] = "/tmp/pathtune-shells-XXXXXX";
static struct arena *a;
static struct err e;

static void
setup(void)
{
	a = arena_new();
	cr_assert_not_null(mkdtemp(dir));
	setenv("TMPDIR", dir, 1); /* of the script's files: empty again, or rmdir() fails */
	cr_assert(stop_install());
}

static void
teardown(void)
{
	arena_free(a);
	cr_expect_eq(rmdir(dir), 0, "something is left behind");
}

TestSuite(script_shells, .init = setup, .fini = teardown);

static struct command
run(const char *const *argv, double timeout_s)
{
	return (struct command){ .argv = argv, .timeout_s = timeout_s };
}

#define SH(script) run((const char *const[]){ "sh", "-c", script, NULL }, 0)
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL }, 0)

static void
via(const char *shell, const struct command *c, size_t n, struct output *out)
{
	struct host *h;

	e = (struct err){ 0 };
	cr_assert(host_open(a, arena_printf(a, "via:%s", shell), &h, &e), "%s", e.text);
	cr_assert(host_run(h, a, c, n, out, &e), "%s: %s", shell, e.text);
	host_close(h);
}

Test(script_shells, every_shell_gives_status_output_and_reason)
{
	static const char odd[] = "$HOME `id` it's \"*\" \\ \n ;&|<>";
	const struct {
		struct command command;
		int status;
		const char *text;
		const char *why;
	} cases[] = {
		{ RUN("echo", "hi"), 0, "hi\n", NULL },
		{ RUN("printf", "no newline"), 0, "no newline", NULL },
		{ RUN("printf", "%s", odd), 0, odd, NULL },
		{ RUN("echo", "{a,b}", "=x", "~"), 0, "{a,b} =x ~\n", NULL },
		{ RUN("printf", "a\\000b\\n\\n"), 0, "a?b\n\n", NULL },
		{ RUN("true"), 0, "", NULL },
		{ SH("echo one; echo no >&2; echo never >&2; exit 3"), 3, "one\n", "no" },
		{ SH("exit 4"), 4, "", "exit status 4" },
		{ SH("echo fine; echo but >&2"), 0, "fine\n", NULL },
		{ RUN("no-such-program"), -1, "", "no-such-program: not found" },
		{ RUN("/tmp"), -1, "", "/tmp: Permission denied" },
		{ SH("kill -9 $$"), -1, "", "ended by signal 9" },
		{ SH("cat; echo end"), 0, "end\n", NULL },
		{ SH("echo $LC_ALL $PATH"), 0, "C " PROCESS_PATH "\n", NULL },
		{ { .file = "/nonexistent/file" }, 1, "", "/nonexistent/file: No such file or directory" },
		{ { .file = "/tmp" }, 1, "", "/tmp: Is a directory" },
		{ { .file = "/proc/sys/kernel/ostype" }, 0, "Linux\n", NULL },
		{ SH("set -- $TMPDIR/*; m=${1##*pathtune-}; echo \"$m 99 0 5 0\"; echo \"$m end\" |"
		     " tr 0-9a-f x"), 0, NULL, NULL },
		{ RUN("echo", "last"), 0, "last\n", NULL },
	};
	struct command c[NELEM(cases)];
	struct output out[NELEM(cases)];
	size_t i, k;

	for (i = 0; i < NELEM(cases); i++)
		c[i] = cases[i].command;
	for (k = 0; k < NELEM(shells); k++) {
		via(shells[k], c, NELEM(c), out);
		for (i = 0; i < NELEM(cases); i++) {
			cr_expect_eq(out[i].status, cases[i].status, "%s %zu", shells[k], i);
			if (cases[i].text != NULL)
				cr_expect_str_eq(out[i].text, cases[i].text, "%s %zu", shells[k], i);
			cr_expect_eq(out[i].len, strlen(out[i].text));
			cr_expect((out[i].why == NULL) == (cases[i].why == NULL), "%s %zu: %s",
			    shells[k], i, out[i].why);
			if (out[i].why != NULL && cases[i].why != NULL)
				cr_expect_str_eq(out[i].why, cases[i].why, "%s %zu", shells[k], i);
		}
		cr_expect_not_null(strstr(out[NELEM(cases) - 2].text, " 99 0 5 0\n"));
	}
}

Test(script_shells, hostile_commands_harm_nobody_but_themselves)
{
	struct command c[] = {
		RUN("yes"),
		SH("exec yes >&2"),
		RUN("head", "-c", "262144", "/dev/zero"),
		RUN("head", "-c", "200000", "/dev/urandom"),
		SH("sleep 600 & echo $!"),
		run((const char *const[]){ "sh", "-c", "trap '' TERM HUP INT; exec sleep 600", NULL },
		    0.2),
		RUN("echo", "last"),
		{ .file = arena_printf(a, "%s/large", dir) },
	};
	struct output out[NELEM(c)];
	FILE *large = fopen(c[7].file, "w");

	cr_assert_not_null(large);
	cr_assert_eq(fprintf(large, "%*s", (int)HOST_OUTPUT_BYTES + 1, ""), HOST_OUTPUT_BYTES + 1);
	cr_assert_eq(fclose(large), 0);

	for (size_t k = 0; k < NELEM(shells); k++) {
		via(shells[k], c, NELEM(c), out);
		cr_expect_eq(out[0].status, -1);
		cr_expect_str_eq(out[0].why, "more than 262144 bytes of output", "%s", shells[k]);
		cr_expect_eq(out[0].len, HOST_OUTPUT_BYTES);
		cr_expect_eq(strncmp(out[0].text, "y\ny\n", 4), 0);
		cr_expect_eq(out[1].status, -1);
		cr_expect_str_eq(out[1].why, "more than 262144 bytes of output", "%s", shells[k]);
		cr_expect_eq(out[2].status, 0);
		cr_expect_eq(out[2].len, HOST_OUTPUT_BYTES, "%s: %zu", shells[k], out[2].len);
		cr_expect_eq(out[3].status, 0);
		cr_expect_eq(out[3].len, 200000);
		cr_expect_eq(strlen(out[3].text), 200000);
		cr_expect_eq(out[4].status, 0, "%s: a child left behind holds nothing up", shells[k]);
		cr_assert_gt(atol(out[4].text), 1);
		cr_expect_eq(kill((pid_t)atol(out[4].text), SIGKILL), 0);
		cr_expect_eq(out[5].status, -1);
		cr_expect_str_eq(out[5].why, "no end within 1 s", "%s", shells[k]);
		cr_expect_str_eq(out[6].text, "last\n", "%s", shells[k]);
		cr_expect_eq(out[7].status, 1);
		cr_expect_str_eq(out[7].why, arena_printf(a, "%s: larger than 262144 bytes",
		    c[7].file), "%s", shells[k]);
	}
	cr_expect_eq(unlink(c[7].file), 0);
}

static struct output
feed(const char *shell, const char *script, size_t len)
{
	static char copy[64];
	const char *argv[8] = { NULL };
	struct process_spec spec = { .argv = argv, .as_user = true, .input = script,
		.input_len = len, .timeout_s = 30, .output_bytes = 1 << 20 };
	struct output out;
	size_t n = 0;

	strcpy(copy, shell);
	for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " "))
		argv[n++] = w;
	process_run(a, &spec, &out);
	return out;
}

Test(script_shells, a_script_cut_short_runs_nothing)
{
	const char *made = arena_printf(a, "%s/made", dir);
	struct command c[] = { RUN("touch", made), RUN("touch", made) };
	const char *script = script_make(a, c, 2, "0123456789abcdef0123456789abcdef");
	size_t k, n, len = strlen(script);

	for (k = 0; k < NELEM(shells); k++) {
		for (n = 0; n < len - 1; n += n > len - 64 ? 1 : 50) {
			feed(shells[k], script, n);
			cr_assert_eq(access(made, F_OK), -1, "%s at %zu", shells[k], n);
			cr_assert_eq(rmdir(dir), 0, "%s at %zu", shells[k], n);
			cr_assert_eq(mkdir(dir, 0700), 0);
		}
		cr_expect_eq(feed(shells[k], script, len).status, 0);
		cr_expect_eq(unlink(made), 0, "%s: the whole one runs", shells[k]);
	}
}

Test(script_shells, without_a_directory_nothing_runs)
{
	static const char mark[] = "0123456789abcdef0123456789abcdef";
	static const char others[] = "/tmp /var/tmp /var/run /dev/shm";
	const char *made = arena_printf(a, "%s/made", dir);
	struct command c = RUN("touch", made);
	char *script = script_make(a, &c, 1, mark), *at = strstr(script, others);
	struct output out, answer;

	cr_assert_not_null(at);
	memset(at, ' ', strlen(others));
	setenv("TMPDIR", "/nonexistent", 1);
	for (size_t k = 0; k < NELEM(shells); k++) {
		e = (struct err){ 0 };
		out = feed(shells[k], script, strlen(script));
		cr_expect_not(script_parse(a, out.text, out.len, mark, 1, &answer, &e));
		cr_expect_str_eq(e.text, "no directory for temporary files can be made there");
		cr_expect_eq(access(made, F_OK), -1);
	}
}

Test(script_shells, a_stop_ends_all_and_nothing_is_left)
{
	struct command c = SH(arena_printf(a, "kill -TERM %ld; exec sleep 600", (long)getpid()));
	struct output out;
	struct host *h;

	cr_assert(host_open(a, "via:dash -s", &h, &e));
	cr_expect_not(host_run(h, a, &c, 1, &out, &e));
	cr_expect_eq(e.code, ERR_STOPPED);
	cr_expect_str_eq(e.text, "via:dash -s: stopped by signal 15");
	cr_expect_not(host_run(h, a, &c, 1, &out, &e), "and nothing is begun after it");
	host_close(h);
}

/* A shell that is given the script; only it, and not its process group, will get a signal. */
static pid_t
start(const char *shell, const char *script)
{
	size_t len = strlen(script);
	int in[2], null = open("/dev/null", O_RDWR);
	pid_t pid;

	cr_assert(null != -1 && pipe(in) == 0);
	cr_assert_eq(write(in[1], script, len), (ssize_t)len, "it fits into the pipe");
	pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(null, 1);
		dup2(null, 2);
		close(in[0]);
		close(in[1]);
		execl("/bin/sh", "sh", "-c", arena_printf(a, "exec %s", shell), (char *)NULL);
		_exit(127);
	}
	cr_assert(pid > 0 && close(in[0]) == 0 && close(in[1]) == 0 && close(null) == 0);
	return pid;
}

#define LONG_MS 60000 /* only what is broken waits for it */

/* The command says its process into the pipe, and holds it open as long as it runs. */
static void
end_while_it_runs(const char *shell, int signo)
{
	const char *pipe_name = arena_printf(a, "%s/alive", dir);
	struct command c = run((const char *const[]){ "sh", "-c", arena_printf(a,
	    "exec >%s; echo $$; exec sleep 600", pipe_name), NULL }, 600);
	struct pollfd p = { .events = POLLIN };
	char said[32] = "";
	pid_t pid;
	int status;

	cr_assert_eq(mkfifo(pipe_name, 0600), 0);
	p.fd = open(pipe_name, O_RDONLY | O_NONBLOCK);
	pid = start(shell, script_make(a, &c, 1, "0123456789abcdef0123456789abcdef"));
	cr_assert_eq(poll(&p, 1, LONG_MS), 1, "%s: it does not start", shell);
	cr_assert_gt(read(p.fd, said, sizeof(said) - 1), 0);
	cr_assert_eq(kill(pid, signo), 0);
	cr_expect_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status), "%s: %x", shell, status);
	cr_expect(poll(&p, 1, LONG_MS) == 1 && (p.revents & POLLHUP) != 0, "%s: signal %d leaves it",
	    shell, signo);
	if ((p.revents & POLLHUP) == 0)
		kill((pid_t)atol(said), SIGKILL);
	cr_assert(close(p.fd) == 0 && unlink(pipe_name) == 0);
}

Test(script_shells, a_signal_to_the_script_ends_the_command_that_runs)
{
	static const int signals[] = { SIGHUP, SIGTERM };

	for (size_t k = 0; k < NELEM(shells); k++) {
		for (size_t i = 0; i < NELEM(signals); i++)
			end_while_it_runs(shells[k], signals[i]);
	}
}
