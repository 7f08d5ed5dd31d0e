/*
 * Programs that do not read their standard input end with it all the same.
 */
#include "probes/leash.h"
#include "probes/stop.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static struct arena *a;
static struct err e;
static struct host *h;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ ERR_NONE, "" };
	cr_assert(stop_install());
}

static void
teardown(void)
{
	host_close(h);
	arena_free(a);
}

TestSuite(leash, .init = setup, .fini = teardown, .timeout = 60);

static struct host_child
started(const char *host, unsigned copies, double seconds, bool silent, const char *script)
{
	const char *const argv[] = { "sh", "-c", script, "x", "it's \"$1\"", NULL };
	struct host_child c;

	cr_assert(host_open(a, host, &h, &e), "%s", e.text);
	cr_assert(host_start(h, a, leash(a, copies, seconds, silent, argv), &c, &e), "%s", e.text);
	return c;
}

/* Until nobody holds the other end any more. */
static const char *
all_said(struct host_child *c)
{
	struct text said = { .arena = a };
	struct pollfd p = { c->out, POLLIN, 0 };

	text_bytes(&said, "", 0);
	while (poll(&p, 1, 20000) == 1 && leash_hear(c, &said, 4096))
		continue;
	cr_expect_eq(p.revents & POLLHUP, POLLHUP, "something holds the output");
	return said.s;
}

static const char *const hosts[] = { "local", "via:/bin/sh -s" };

/* The copies' lines come in any order. */
static size_t
lines(const char *text, const char *line)
{
	size_t n = 0;

	while ((text = strstr(text, line)) != NULL) {
		text += strlen(line);
		n++;
	}
	return n;
}

Test(leash, copies_run_side_by_side_with_nothing_to_read)
{
	for (size_t i = 0; i < NELEM(hosts); i++) {
		const char *said;
		struct host_child c = started(hosts[i], 3, 30, false, "cat; echo \"$1\"; echo no >&2");

		said = all_said(&c);
		cr_expect_eq(lines(said, "it's \"$1\"\n"), 3, "%s", said);
		cr_expect_eq(lines(said, "no\n"), 3, "%s", said);
		cr_expect_eq(strlen(said), 3 * strlen("it's \"$1\"\nno\n"), "%s", said);
		host_end(&c);
		c = started(hosts[i], 1, 30, true, "echo yes; echo no >&2");
		cr_expect_str_eq(all_said(&c), "no\n");
		host_end(&c);
	}
}

/* All parts of a pipeline hold the output, and none of them looks at anything. */
#define STUBBORN "sleep 1000 | sleep 1000"

Test(leash, all_of_it_ends_with_its_input)
{
	for (size_t i = 0; i < NELEM(hosts); i++) {
		struct host_child c = started(hosts[i], 2, 900, false, "echo up; " STUBBORN);
		char up[6];

		cr_assert_eq(read(c.out, up, 3), 3);
		close(c.in);
		c.in = open("/dev/null", 0);
		(void)all_said(&c);
		host_end(&c);
	}
}

Test(leash, all_of_it_ends_when_its_time_is_up)
{
	struct host_child c = started("local", 2, 1, false, STUBBORN);

	(void)all_said(&c);
	host_end(&c);
}

Test(leash, what_it_says_is_bounded_and_harmless)
{
	struct host_child c = started("local", 1, 30, false,
	    "printf '\\n\\033[2Jone\\007\\ntwo\\n'; head -c 100000 /dev/zero | tr '\\0' x");
	struct text said = { .arena = a };
	struct pollfd p = { c.out, POLLIN, 0 };

	while (poll(&p, 1, 20000) == 1 && leash_hear(&c, &said, 1000))
		continue;
	cr_expect_eq(said.len, 1000);
	cr_expect_str_eq(leash_line(a, &said), "?[2Jone?");
	cr_expect_null(leash_line(a, &(struct text){ .arena = a }));
	host_end(&c);
}
