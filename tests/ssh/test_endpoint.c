/*
 * Peers and hosts that are reached by ssh, as a user names them.
 * needs: nc
 */
#include "sshd.h"

#include "../unit/program.h"
#include "probes/here.h"
#include "probes/serving.h"
#include "probes/stop.h"
#include "tuner/cmd.h"
#include "tuner/record.h"

static struct arena *a;
static struct sshd *s;
static struct err e;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ 0 };
	cr_assert(stop_install());
	s = sshd_start(a);
	unsetenv("PATHTUNE_TOKEN");
}

static void
teardown(void)
{
	sshd_end(s);
	arena_free(a);
}

TestSuite(ssh_endpoint, .init = setup, .fini = teardown, .timeout = 120);

/* The facts that a probe prints. */
static struct facts
probed(const char *flags)
{
	struct said said = program_run(a, arena_printf(a, "probe --json %s", flags));
	struct facts f;

	cr_assert_eq(said.status, 0, "%s: %s", flags, said.err);
	sshd_write(s, "facts.json", 0600, said.out);
	cr_assert(cmd_facts_load(a, sshd_path(s, "facts.json"), &f, &e), "%s", e.text);
	cr_expect(f.send_bps > 1e6 && f.receive_bps > 1e6 && f.rtt_ms > 0 && f.rtt_ms < 1000, "%s",
	    said.out);
	return f;
}

Test(ssh_endpoint, a_host_with_nothing_but_sshd_and_nc_is_measured_from_here)
{
	struct facts f = probed(arena_printf(a, "%s --peer here --agent /nonexistent", s->name));

	cr_expect_str_eq(f.tool, "nc");
	cr_expect_not_null(facts_why_unknown(&f, "transfer"));
}

Test(ssh_endpoint, a_host_that_has_pathtune_uses_that_towards_here)
{
	struct facts f = probed(arena_printf(a, "%s --peer here --agent %s", s->name, PATHTUNE));

	cr_expect_str_eq(f.tool, "pathtune");
	cr_expect_null(facts_why_unknown(&f, "transfer"));
}

Test(ssh_endpoint, a_peer_is_started_by_ssh_and_ended)
{
	struct facts f = probed(arena_printf(a, "--peer %s --agent %s", s->name, PATHTUNE));

	cr_expect_str_eq(f.tool, "pathtune");
	cr_expect_str_eq(f.peer, s->name);
}

Test(ssh_endpoint, both_ends_may_be_others)
{
	struct facts f = probed(arena_printf(a, "%s --peer %s --agent %s", s->name, s->name, PATHTUNE));

	cr_expect_str_eq(f.tool, "pathtune");
}

Test(ssh_endpoint, what_cannot_be_is_said)
{
	static const struct { const char *flags, *why; int status; } cases[] = {
		{ "--peer %s --agent /nonexistent/pathtune", "not found; install it there", 1 },
		{ "--peer %s --agent /bin/true", "pathtune serve did not start there", 1 },
		{ "--peer %s --agent /bin/cat", "pathtune serve did not start there", 1 },
		{ "--peer %s --token-file /x", "has no token", 2 },
		{ "--peer %s --here 192.0.2.1", "--here is of use only with --peer here", 2 },
		{ "--peer ssh://-oProxyCommand=x", "is not ssh://", 2 },
		{ "%s --peer here --here 192.0.2.1 --agent /nonexistent", "192.0.2.1, TCP port", 1 },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		const char *at = strstr(cases[i].flags, "%s");
		struct said said = program_run(a, at == NULL ?
		    arena_printf(a, "probe %s", cases[i].flags) :
		    arena_printf(a, "probe %.*s%s%s", (int)(at - cases[i].flags), cases[i].flags,
			s->name, at + 2));

		cr_expect_eq(said.status, cases[i].status, "%s: %s", cases[i].flags, said.err);
		cr_expect_not_null(strstr(said.err, cases[i].why), "%s: %s", cases[i].flags, said.err);
	}
}

/* What stands in for pathtune there says what it likes, and as much as it likes. */
Test(ssh_endpoint, a_peer_that_lies_or_does_not_end_is_no_peer)
{
	static const char *const says[] = { "exec yes", "exec tr '\\0' x </dev/zero",
		"echo ready port 99999999999; exec cat", "echo ready port 1; exec yes",
		"printf 'ready port 22\\033[2J\\n'; exec cat" };

	for (size_t i = 0; i < NELEM(says); i++) {
		const char *fake = sshd_write(s, "fake", 0755, arena_printf(a, "#!/bin/sh\n%s\n", says[i]));
		struct said said = program_run(a, arena_printf(a, "probe --peer %s --agent %s", s->name, fake));

		cr_expect_eq(said.status, 1, "%s: %s", says[i], said.err);
		cr_expect_not_null(strstr(said.err, i == 3 ? "connection refused" :
		    "pathtune serve did not start there"), "%s: %s", says[i], said.err);
		cr_expect_null(strchr(said.err, '\033'), "%s", said.err);
	}
}

/* Its port answers no more, soon after who started it has gone. */
Test(ssh_endpoint, a_server_ends_with_the_input_by_which_it_was_started)
{
	struct serving serving;
	struct host *h;
	char line[64];

	cr_assert(host_open(a, s->name, &h, &e), "%s", e.text);
	cr_assert(serving_start(a, h, s->name, PATHTUNE, &serving, &e), "%s", e.text);
	cr_expect(serving.port > 0 && strlen(serving.token) >= 16);
	close(serving.child.in);
	serving.child.in = open("/dev/null", O_RDONLY);
	cr_expect_eq(read(serving.child.out, line, sizeof(line)), 0, "it says nothing more, and ends");
	serving_end(&serving);
	host_close(h);
}

Test(ssh_endpoint, a_ready_line_is_read_strictly)
{
	cr_expect_eq(serving_port("ready port 5209"), 5209u);
	cr_expect_eq(serving_port("ready port 0"), 0u);
	cr_expect_eq(serving_port("ready port 70000"), 0u);
	cr_expect_eq(serving_port("ready port -1"), 0u);
	cr_expect_eq(serving_port("ready port 5209 "), 0u);
	cr_expect_eq(serving_port("Ready port 5209"), 0u);
	cr_expect_eq(serving_port("ready port 99999999999999999999"), 0u);
	cr_expect_eq(serving_port("ready port "), 0u);
	cr_expect_eq(serving_port(""), 0u);
}
