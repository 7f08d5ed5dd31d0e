/* pathtune serve as a program: flags, ready line, exit status. */
#include <criterion/criterion.h>

#include "peer_child.h"
#include "tuner/record.h"

#include <stdlib.h>
#include <sys/stat.h>

TestSuite(serve, .init = child_suite, .fini = child_suite_end);

/* Run the program by a shell; exit status, stdout and stderr together in text. */
static int
run(const char *before, const char *args, char *text, size_t size)
{
	char line[1024];
	size_t len;
	FILE *f;
	int status;

	snprintf(line, sizeof(line), "%s '%s' serve %s 2>&1", before, PATHTUNE, args);
	f = popen(line, "r");
	cr_assert_not_null(f);
	len = fread(text, 1, size - 1, f);
	text[len] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(serve, bad_flags_are_usage_errors_that_name_the_flag)
{
	static const struct { const char *before, *args, *error; } cases[] = {
		{ "", "surprise", "surprise" },
		{ "", "--port 70000", "port" },
		{ "", "--port 1.5", "port" },
		{ "", "--listen 127.0.0.1:80 --port 81", "--port" },
		{ "", "--listen '[::1]:80' --port 81", "--port" },
		{ "", "--listen 127.0.0.1:x", "listen" },
		{ "", "--listen '[::1'", "listen" },
		{ "", "--max-time 0", "max-time" },
		{ "", "--max-bytes -1", "max-bytes" },
		{ "", "--token 0123456789abcdef", "token" },
		{ "PATHTUNE_TOKEN=0123456789abcdef", "--token-env --token-stdin", "--token-stdin" },
		{ "env -u PATHTUNE_TOKEN", "--token-env", "PATHTUNE_TOKEN" },
		{ "PATHTUNE_TOKEN=short", "--token-env", "5 characters" },
		{ "echo short |", "--token-stdin", "5 characters" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		char text[2048];
		int status = run(cases[i].before, cases[i].args, text, sizeof(text));

		cr_assert_eq(status, 2, "%s: status %d, %s", cases[i].args, status, text);
		cr_assert(strstr(text, cases[i].error) != NULL, "%s: %s", cases[i].args, text);
	}
}

/* The input of the pipe ends before the server's time does, or it would not be done in time. */
Test(serve, a_server_that_is_held_by_its_input_ends_with_it, .timeout = 60)
{
	static const struct { const char *flags; bool ends; } cases[] = {
		{ "--token-stdin --while-stdin --max-time 30s", true },
		{ "--token-stdin --max-time 1s", false },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		char text[2048], args[256];

		snprintf(args, sizeof(args), "--port 0 --listen 127.0.0.1 %s", cases[i].flags);
		cr_expect_eq(run("echo 0123456789abcdef |", args, text, sizeof(text)), 0, "%s", text);
		cr_expect_eq(strstr(text, "has closed its input") != NULL, cases[i].ends, "%s", text);
	}
}

Test(serve, what_the_system_refuses_is_a_failure)
{
	static const struct { const char *args, *error; } cases[] = {
		{ "--token-file /nonexistent/token", "/nonexistent/token" },
		{ "--listen 192.0.2.1:0", "192.0.2.1" }, /* not ours, RFC 5737 */
		{ "--listen no-such-name.invalid", "no-such-name.invalid" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		char text[2048];
		int status = run("", cases[i].args, text, sizeof(text));

		cr_assert_eq(status, 1, "%s: status %d, %s", cases[i].args, status, text);
		cr_assert(strstr(text, cases[i].error) != NULL, "%s: %s", cases[i].args, text);
	}
}

Test(serve, its_time_over_it_ends_well_and_says_so)
{
	char text[2048];
	int status = run("", "--port 0 --max-time 1s", text, sizeof(text));
	char token[PEER_TOKEN_MAX + 1] = "";
	unsigned port = 0;

	cr_assert_eq(status, 0, "%s", text);
	cr_assert_eq(sscanf(text, "ready port %u token %256s", &port, token), 2, "%s", text);
	cr_assert(port > 0 && strlen(token) >= PEER_TOKEN_MIN);
	cr_assert(strstr(text, "time is up") != NULL, "%s", text);
}

Test(serve, the_ready_line_is_json_on_demand_and_holds_no_given_token)
{
	struct err e = { .code = ERR_NONE };
	struct node *n;
	char text[2048];
	int status = run("echo " CHILD_TOKEN " |",
	    "--listen 127.0.0.1:0 --token-stdin --max-time 1s --json -q", text, sizeof(text));

	cr_assert_eq(status, 0, "%s", text);
	cr_assert(node_from_json(a, "ready", text, strlen(text), &n, &e), "%s: %s", e.text, text);
	cr_assert_str_eq(n->child->text, "pathtune-serve/1");
	cr_assert_str_eq(n->child->next->key, "port");
	cr_assert_gt(n->child->next->number, 0);
	cr_assert_null(strstr(text, CHILD_TOKEN));
}

/* The program as a peer, its token in a file. */
Test(serve, a_client_measures_with_the_token_of_the_file)
{
	char path[] = "/tmp/test_serve.XXXXXX", line[512];
	struct flow_spec f = child_spec(DIR_RECEIVE, 2);
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .block = 0 };
	int fd = mkstemp(path), status;
	unsigned port;
	char peer[32];
	FILE *server;

	cr_assert_eq(write(fd, CHILD_TOKEN "\n", sizeof(CHILD_TOKEN)), sizeof(CHILD_TOKEN));
	close(fd);
	snprintf(line, sizeof(line), "'%s' serve -q --port 0 --max-time 60s --token-file %s",
	    PATHTUNE, path);
	server = popen(line, "r");
	cr_assert_not_null(server);
	cr_assert_not_null(fgets(line, sizeof(line), server));
	cr_assert_eq(sscanf(line, "ready port %u", &port), 1, "%s", line);
	unlink(path);
	snprintf(peer, sizeof(peer), "127.0.0.1:%u", port);
	cr_assert(peer_open(a, peer, CHILD_TOKEN, &s, &e), "%s", e.text);
	cr_assert(peer_measure(s, a, &f, NULL, &t, &e), "%s", e.text);
	cr_assert_eq(t.status, TRIAL_OK, "%s", t.why);
	peer_close(s);
	status = pclose(server);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
