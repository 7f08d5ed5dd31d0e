/*
 * Every kind of bad input: one clear error that names what is wrong, the documented exit status,
 * and nothing changed on the host.
 */
#include "program.h"

#include "probes/host.h"
#include "probes/knobs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define TOKEN "0123456789abcdef0123"

static const char *const knobs[] = { "/proc/sys/net/ipv4/tcp_rmem", "/proc/sys/net/ipv4/tcp_wmem",
	"/proc/sys/net/ipv4/tcp_congestion_control", "/proc/sys/net/core/rmem_max" };

/* The values of the knobs as one text; empty parts where the system has none of them. */
static const char *
host_state(struct arena *a)
{
	struct text t = { .arena = a };
	struct err e = { ERR_NONE, "" };
	struct host *h;

	text_bytes(&t, "", 0);
	cr_assert(host_open(a, "local", &h, &e));
	for (size_t i = 0; i < NELEM(knobs); i++) {
		const struct knob_value v = { .name = knobs[i], .file = knobs[i] };
		const char *text = "";
		struct err missing = { ERR_NONE, "" };

		knobs_read(h, a, &v, 1, &text, &missing);
		text_add(&t, "%s;", text);
	}
	host_close(h);
	return t.s;
}

/* One line on stderr, with the expected words; nothing on stdout. */
static void
expect(struct arena *a, const char *line, int status, const char *words)
{
	const char *before = host_state(a);
	struct said s = program_run(a, line);

	cr_expect_eq(s.status, status, "'%s' exits %d: %s", line, s.status, s.err);
	cr_expect(strstr(s.err, words) != NULL, "'%s' says: %s", line, s.err);
	cr_expect_str_eq(s.out, "", "'%s' prints: %s", line, s.out);
	cr_expect_str_eq(host_state(a), before, "'%s' changed the host", line);
}

Test(bad_input, flags_are_refused_by_name_with_status_2)
{
	static const struct {
		const char *line, *words;
	} t[] = {
		{ "tune", "--peer is needed" },
		{ "tune --peer", "--peer needs a value" },
		{ "tune --colour", "--colour is not a flag of pathtune tune" },
		{ "tune --peer h --quick --thorough", "--quick and --thorough contradict" },
		{ "tune --peer h --budget 5", "--budget: '5' is not a time" },
		{ "tune --peer h --budget 1s", "--budget: '1s' is out of range" },
		{ "tune --peer h --direction up", "--direction: 'up' is not one of" },
		{ "tune --peer h --direction none", "--direction" },
		{ "tune --peer h --streams 0", "--streams: '0' is out of range" },
		{ "tune --peer h --streams 1.5", "--streams: a whole number" },
		{ "tune --peer h --data-cap -1", "--data-cap: '-1' is not a size" },
		{ "tune --peer h --quick --quick", "--quick is given twice" },
		{ "tune replay:elsewhere --peer h", "'replay:elsewhere': a recording cannot be tuned" },
		{ "tune --peer h", "token is needed" },
		{ "tune --peer h --token-stdin --token-file x", "contradict" },
		{ "demo --rate 10X", "--rate: '10X' is not a rate" },
		{ "demo --rtt 0ms", "--rtt: '0ms' is out of range" },
		{ "demo --rtt 80", "--rtt: '80' is not a time" },
		{ "demo --queue -5K", "'-5K'" },
		{ "demo --loss 200%", "--loss: '200%' is more than 100 %" },
		{ "demo --start windows", "windows" },
		{ "demo --quick --budget 1m", "contradict" },
		{ "demo word", "'word': demo takes flags only" },
		{ "lab up x --rate 0", "--rate" },
		{ "lab up x --rtt 0ms", "--rtt" },
		{ "lab up ../x", "../x" },
		{ "lab sideways", "sideways" },
		{ "serve --port 70000", "--port" },
		{ "serve --max-time 0s", "--max-time" },
		{ "show", "one run file is needed" },
		{ "show a b", "one run file is needed" },
		{ "probe --peer", "--peer needs a value" },
	};
	struct arena *a = arena_new();

	unsetenv("PATHTUNE_TOKEN");
	for (size_t i = 0; i < NELEM(t); i++)
		expect(a, t[i].line, 2, t[i].words);
	expect(a, "tune --peer h --token-file /nonexistent/token", 1, "/nonexistent/token");
	expect(a, "tune --peer h --save /nonexistent/run.json", 1,
	    "/nonexistent/run.json: No such file");
	expect(a, "tune --peer h --save /tmp", 1, "/tmp: Is a directory");
	arena_free(a);
}

Test(bad_input, an_unknown_command_prints_the_commands_with_status_2)
{
	struct arena *a = arena_new();
	struct said s = program_run(a, "frobnicate");

	cr_assert_eq(s.status, 2);
	cr_assert(
	    strstr(s.err, "frobnicate is not a command") != NULL && strstr(s.err, "tune") != NULL);
	arena_free(a);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

Test(bad_input, run_files_that_cannot_be_read_are_named_with_what_is_wrong)
{
	static const struct {
		const char *text, *words;
	} t[] = {
		{ "", "run.json" },
		{ "{", "run.json" },
		{ "[]", "run.json" },
		{ "{\"schema\": \"pathtune-run/99\"}", "pathtune-run/99" },
		{ "{\"schema\": \"pathtune-run/1\", \"trials\": 7}", "trials" },
		{ "{\"schema\": \"pathtune-run/1\", \"surprise\": 7}", "surprise" },
		{ "{\"schema\": \"pathtune-run/1\", \"schema\": \"x\"}", "schema" },
		{ "{\"schema\": \"pathtune-run/1\", \"trials\": [{\"goodput_bps\": -1}]}",
		    "trials[0]" },
		{ "\377\376 binary", "run.json" },
	};
	struct arena *a = arena_new();
	char dir[] = "/tmp/pathtune-test-XXXXXX";
	const char *path;

	cr_assert_not_null(mkdtemp(dir));
	path = arena_printf(a, "%s/run.json", dir);
	for (size_t i = 0; i < NELEM(t); i++) {
		struct said s;

		write_file(path, t[i].text);
		s = program_run(a, arena_printf(a, "show %s", path));
		cr_expect(s.status == 1 || s.status == 2, "row %zu exits %d", i, s.status);
		cr_expect(strstr(s.err, t[i].words) != NULL, "row %zu says: %s", i, s.err);
	}
	unlink(path);
	cr_expect(strstr(program_run(a, arena_printf(a, "show %s", path)).err, "run.json") != NULL);
	cr_expect_eq(program_run(a, arena_printf(a, "show %s", path)).status, 1);
	cr_expect_eq(program_run(a, arena_printf(a, "show %s", dir)).status, 1);
	rmdir(dir);
	arena_free(a);
}

Test(bad_input, a_hostile_run_file_neither_breaks_the_report_nor_reaches_the_terminal)
{
	static const char *const t[] = {
		"{\"schema\": \"\\u001b[2J\\r\"}",
		"{\"schema\": \"pathtune-run/1\", \"options\": {\"direction\": \"\\u001b]0;x\\u0007\"}}",
		"{\"schema\": \"pathtune-run/1\", \"facts\": {\"os\": \"\\u001b[2J\", \"ram_bytes\": 1e18,"
		" \"peer\": \"\\u009b31m\"}, \"plan\": {\"notes\": [\"\\u001b]0;x\\u0007\"]},"
		" \"decision\": {\"verdict\": \"keep\", \"effect\": {\"estimate\": -1e308},"
		" \"directions\": [{\"direction\": \"send\", \"verdict\": \"keep\", \"class\":"
		" \"no-gain\", \"words\": \"a\\r\\u001b[31mb\", \"before\": {\"goodput_bps\": 1e15,"
		" \"setting\": {\"cc\": \"\\u007f\", \"window_bytes\": 1e15}}}]},"
		" \"trials\": [{\"direction\": \"send\", \"phase\": \"probe\", \"status\": \"ok\","
		" \"bytes\": 1e18, \"intervals_bps\": [1e308, null]}],"
		" \"files\": [{\"path\": \"/\\u001b\", \"text\": \"\\u001b\\n\\u0008\"}]}",
	};
	struct arena *a = arena_new();
	char dir[] = "/tmp/pathtune-test-XXXXXX";
	const char *path;

	cr_assert_not_null(mkdtemp(dir));
	path = arena_printf(a, "%s/run.json", dir);
	for (size_t i = 0; i < NELEM(t); i++) {
		struct said s;
		const char *all;

		write_file(path, t[i]);
		s = program_run(a, arena_printf(a, "show %s", path));
		all = arena_printf(a, "%s%s", s.out, s.err);
		cr_expect_eq(s.status, i == NELEM(t) - 1 ? 0 : 2, "row %zu exits %d: %s", i, s.status,
		    s.err);
		cr_expect_str_eq(all + strcspn(all, "\r\033\a\b\177"), "", "row %zu", i);
		cr_expect(strstr(all, "\302\233") == NULL && strstr(all, "nan") == NULL, "%s", all);
	}
	unlink(path);
	rmdir(dir);
	arena_free(a);
}

Test(bad_input, a_token_that_never_comes_can_be_waited_for_or_not, .timeout = 30)
{
	int in[2], status, left = 1;
	pid_t pid;

	cr_assert(pipe(in) == 0 && write(in[1], "x", 1) == 1);
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		close(in[1]);
		execl(PATHTUNE, PATHTUNE, "tune", "--peer", "h", "--token-stdin", (char *)NULL);
		_exit(127);
	}
	/* Once the first byte is taken it reads, and hears signals. */
	while (left != 0)
		cr_assert(ioctl(in[0], FIONREAD, &left) == 0);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		kill(pid, SIGINT);
		poll(NULL, 0, 10);
	}
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 5, "%x", (unsigned)status);
	close(in[0]);
	close(in[1]);
}

/* ---- peers that misbehave ------------------------------------------------------------------- */

static int
listener(unsigned *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(
	    fd >= 0 && bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0 && listen(fd, 8) == 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

/* A child that accepts and answers with these bytes, then closes at once or never. */
static pid_t
peer_that_says(int fd, const char *bytes, bool hangs)
{
	pid_t pid = fork();

	cr_assert(pid >= 0);
	if (pid != 0)
		return pid;
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c < 0)
			_exit(0);
		if (write(c, bytes, strlen(bytes)) < 0)
			_exit(0);
		if (!hangs)
			close(c);
	}
}

Test(bad_input, a_peer_that_refuses_hangs_up_or_talks_garbage_is_named_with_status_1, .timeout = 60)
{
	static const struct {
		const char *bytes, *words;
		bool hangs;
	} t[] = {
		{ "", "127.0.0.1", false },
		{ "HTTP/1.1 400 Bad Request\r\nServer: not ours\r\nContent-Length: 0\r\n\r\n",
		    "127.0.0.1", false },
		{ "SSH-2.0-OpenSSH_9.2 and a lot of other words that are no greeting of ours at "
		  "all",
		    "", true },
		{ "", "127.0.0.1", true },
	};
	struct arena *a = arena_new();
	unsigned port;
	int fd = listener(&port);

	setenv("PATHTUNE_TOKEN", TOKEN, 1);
	for (size_t i = 0; i < NELEM(t); i++) {
		pid_t pid = peer_that_says(fd, t[i].bytes, t[i].hangs);

		expect(a, arena_printf(a, "tune --peer 127.0.0.1:%u", port), 1, t[i].words);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(fd);
	expect(a, arena_printf(a, "tune --peer 127.0.0.1:%u", port), 1, "refused");
	expect(a, "tune --peer no-such-name.invalid", 1, "no-such-name.invalid");
	arena_free(a);
}

/* Starts a real server; gives its port. */
static struct started
real_server(struct arena *a, unsigned *port)
{
	struct started s;
	char line[256] = "";
	const char *at;
	ssize_t n;

	setenv("PATHTUNE_TOKEN", TOKEN, 1);
	s = program_start(a, "serve --token-env --listen 127.0.0.1 --port 0 --json --max-time 60s");
	n = read(s.out, line, sizeof(line) - 1);
	cr_assert(n > 0);
	at = strstr(line, "\"port\"");
	cr_assert_not_null(at, "%s", line);
	*port = (unsigned)strtoul(at + strcspn(at, "0123456789"), NULL, 10);
	return s;
}

Test(bad_input, a_wrong_token_is_refused_with_status_1, .timeout = 60)
{
	struct arena *a = arena_new();
	unsigned port;
	struct started server = real_server(a, &port);

	setenv("PATHTUNE_TOKEN", "another-token-of-enough-length", 1);
	expect(a, arena_printf(a, "tune --peer 127.0.0.1:%u", port), 1, "token");
	kill(server.pid, SIGTERM);
	program_end(a, server);
	arena_free(a);
}

Test(bad_input, a_peer_that_disappears_in_a_trial_ends_the_run_with_status_1, .timeout = 60)
{
	struct arena *a = arena_new();
	unsigned port;
	struct started server = real_server(a, &port), tuner;
	const char *before = host_state(a);
	struct said s;
	char dir[] = "/tmp/pathtune-test-XXXXXX";

	cr_assert_not_null(mkdtemp(dir));
	setenv("PATHTUNE_STATE", dir, 1);
	tuner = program_start(a, arena_printf(a, "tune --peer 127.0.0.1:%u --quick", port));
	/* The note about time and traffic is the last thing said before the first trial. */
	cr_assert(read(tuner.err, arena_alloc(a, 1024), 1023) > 0);
	kill(server.pid, SIGKILL);
	program_end(a, server);
	s = program_end(a, tuner);
	cr_assert_eq(s.status, 1, "exits %d: %s", s.status, s.err);
	cr_assert(strstr(s.err, "127.0.0.1") != NULL, "%s", s.err);
	cr_assert_str_eq(host_state(a), before);
	rmdir(dir);
	arena_free(a);
}

/* Runs "pathtune show PATH" with its stdout on /dev/full, or with stdin and stdout closed. */
static int
show_nowhere(const char *path, bool closed)
{
	int status, full = open("/dev/full", O_WRONLY);
	pid_t pid = fork();

	cr_assert(full >= 0 && pid >= 0);
	if (pid == 0) {
		dup2(full, STDOUT_FILENO);
		close(full);
		if (closed) {
			close(STDIN_FILENO);
			close(STDOUT_FILENO);
		}
		execl(PATHTUNE, PATHTUNE, "show", path, (char *)NULL);
		_exit(127);
	}
	close(full);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(bad_input, a_result_that_cannot_be_printed_is_an_error_with_status_1)
{
	struct arena *a = arena_new();
	char dir[] = "/tmp/pathtune-test-XXXXXX";
	const char *path;

	cr_assert_not_null(mkdtemp(dir));
	path = arena_printf(a, "%s/run.json", dir);
	write_file(path, "{\"schema\": \"pathtune-run/1\"}");
	cr_assert_eq(program_run(a, arena_printf(a, "show %s", path)).status, 0);
	cr_assert_eq(show_nowhere(path, false), 1);
	cr_assert_eq(show_nowhere(path, true), 1, "nothing is printed into another file");
	unlink(path);
	rmdir(dir);
	arena_free(a);
}
