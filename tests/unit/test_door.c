/*
 * Who gets in at the door of a transfer, and who does not.
 */
#include "probes/door.h"
#include "probes/here.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arena *a;
static struct err e;
static struct door *d;

static void
setup(void)
{
	signal(SIGPIPE, SIG_IGN);
	a = arena_new();
	e = (struct err){ ERR_NONE, "" };
}

static void
teardown(void)
{
	door_close(d);
	arena_free(a);
}

TestSuite(door, .init = setup, .fini = teardown, .timeout = 60);

static void
opened(enum greeting greeting, bool answer, const struct net_address *from, size_t n_from)
{
	const struct door_spec spec = { .address = "127.0.0.1", .greeting = greeting,
		.answer = answer, .from = from, .n_from = n_from };

	cr_assert(door_open(a, &spec, &d, &e), "%s", e.text);
}

static int
knock(const char *words)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)door_port(d)),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(fd != -1 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	cr_assert_eq(send(fd, words, strlen(words), MSG_NOSIGNAL), (ssize_t)strlen(words));
	return fd;
}

/* Steps until somebody is in, or somebody was refused.  The connection, or -1. */
static int
judged(void)
{
	struct pollfd p[DOOR_POLL_MAX];
	int fd;

	for (int i = 0; i < 1000; i++) {
		size_t n = door_poll(d, p);

		poll(p, n, 20);
		door_step(d, p);
		fd = door_take(d);
		if (fd != -1 || door_refused(d) != NULL)
			return fd;
	}
	cr_assert_fail("nothing happened");
	return -1;
}

#define SECRET door_secret(d)

static const char *
line(const char *fmt)
{
	return arena_printf(a, "%s%s", SECRET, fmt);
}

Test(door, a_line_with_the_secret_gets_in_and_what_follows_is_payload)
{
	char payload[8];
	int ours, theirs;

	opened(GREETING_LINE, false, NULL, 0);
	cr_assert_eq(strlen(SECRET), DOOR_SECRET);
	theirs = knock(line("\nabc"));
	ours = judged();
	cr_assert_neq(ours, -1);
	cr_expect_eq(recv(ours, payload, sizeof(payload), 0), 3);
	cr_expect_eq(memcmp(payload, "abc", 3), 0);
	close(ours);
	close(theirs);
}

Test(door, everybody_else_stays_outside)
{
	static const char *const wrong[] = { "0123456789abcdef0123456789abcdef\n", "\n",
		"GET / HTTP/1.0\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxx" };

	for (size_t i = 0; i < NELEM(wrong); i++) {
		int fd;

		opened(GREETING_LINE, false, NULL, 0);
		fd = knock(wrong[i]);
		if (strlen(wrong[i]) < DOOR_SECRET)
			shutdown(fd, SHUT_WR);
		cr_expect_eq(judged(), -1, "case %zu", i);
		cr_expect_str_eq(door_refused(d), "127.0.0.1");
		close(fd);
		door_close(d);
	}
	opened(GREETING_LINE, false, NULL, 0);
	close(knock(line("x"))); /* the right secret, but no line */
	cr_expect_eq(judged(), -1);
}

Test(door, a_stranger_before_it_does_not_keep_the_host_out)
{
	int silent, theirs, ours;

	opened(GREETING_LINE, false, NULL, 0);
	silent = knock("");
	theirs = knock(line("\n"));
	ours = judged();
	cr_expect_neq(ours, -1);
	close(silent);
	close(theirs);
	close(ours);
}

Test(door, an_http_request_for_the_secret_path_is_answered)
{
	char answer[256];
	int ours, theirs;
	ssize_t n;

	opened(GREETING_HTTP, true, NULL, 0);
	theirs = knock(arena_printf(a, "GET /%s HTTP/1.1\r\nHost: x\r\n\r\n", SECRET));
	ours = judged();
	cr_assert_neq(ours, -1);
	n = recv(theirs, answer, sizeof(answer) - 1, 0);
	cr_assert_gt(n, 0);
	answer[n] = '\0';
	cr_expect_eq(strncmp(answer, "HTTP/1.0 200 OK\r\n", 17), 0, "%s", answer);
	cr_expect_str_eq(answer + n - 4, "\r\n\r\n");
	close(ours);
	close(theirs);
}

Test(door, other_requests_are_not)
{
	static const char *const wrong[] = { "GET / HTTP/1.1\r\n\r\n",
		"GET /0123456789abcdef0123456789abcdef HTTP/1.1\r\n\r\n", "GET\r\n\r\n", "\r\n\r\n",
		"GET %s HTTP/1.1\r\n\r\n" /* without its slash */,
		"GET /%sx HTTP/1.1\r\n\r\n", "GET /%s\r\n\r\n" };

	for (size_t i = 0; i < NELEM(wrong); i++) {
		const char *at, *text;
		int fd;

		opened(GREETING_HTTP, true, NULL, 0);
		at = strstr(wrong[i], "%s");
		text = at == NULL ? wrong[i] : arena_printf(a, "%.*s%s%s", (int)(at - wrong[i]),
		    wrong[i], SECRET, at + 2);
		fd = knock(text);
		cr_expect_eq(judged(), -1, "case %zu", i);
		close(fd);
		door_close(d);
	}
}

Test(door, a_request_without_end_is_given_up)
{
	char head[5001];
	int fd;

	opened(GREETING_HTTP, true, NULL, 0);
	memset(head, 'x', sizeof(head) - 1);
	head[sizeof(head) - 1] = '\0';
	fd = knock(head);
	cr_expect_eq(judged(), -1);
	close(fd);
}

Test(door, who_can_say_nothing_is_known_by_its_address)
{
	struct net_address *host;
	int theirs, ours;
	size_t n;

	cr_assert(net_resolve(a, "127.0.0.1", 0, &host, &n, &e));
	opened(GREETING_ADDRESS, false, host, n);
	theirs = knock("");
	ours = judged();
	cr_expect_neq(ours, -1);
	close(ours);
	close(theirs);
	door_close(d);
	cr_assert(net_resolve(a, "192.0.2.1", 0, &host, &n, &e));
	opened(GREETING_ADDRESS, false, host, n);
	theirs = knock("");
	cr_expect_eq(judged(), -1);
	close(theirs);
}

Test(door, an_address_that_is_not_ours_means_all)
{
	const struct door_spec spec = { .address = "192.0.2.77", .greeting = GREETING_LINE };
	int theirs, ours;

	cr_assert(door_open(a, &spec, &d, &e), "%s", e.text);
	theirs = knock(line("\n"));
	ours = judged();
	cr_expect_neq(ours, -1);
	close(ours);
	close(theirs);
}

Test(door, a_login_says_by_which_addresses_it_came)
{
	static const struct { const char *text, *client, *server; } cases[] = {
		{ "192.0.2.1 50000 192.0.2.2 22\n", "192.0.2.1", "192.0.2.2" },
		{ "2001:db8::1 50000 fe80::2%eth0 22\n", "2001:db8::1", "fe80::2%eth0" },
		{ "\n", NULL, NULL }, { "", NULL, NULL }, { "a b c d", NULL, NULL },
		{ "192.0.2.1 50000 192.0.2.2", NULL, NULL },
		{ "-oProxy 1 $(reboot) 2", NULL, NULL },
		{ "UNKNOWN 65535 UNKNOWN 65535", NULL, NULL },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		const char *client = NULL, *server = NULL;

		cr_expect_eq(here_login(a, cases[i].text, &client, &server),
		    cases[i].client != NULL, "case %zu", i);
		if (cases[i].client != NULL) {
			cr_expect_str_eq(client, cases[i].client);
			cr_expect_str_eq(server, cases[i].server);
		}
	}
}
