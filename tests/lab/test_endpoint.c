/*
 * iperf3, and nc with this process at the other end, on an emulated path: figures as they must be.
 * needs: iperf3 nc
 */
#include "probes/lab.h"
#include "tuner/cmd.h"
#include "../unit/program.h"

#include <math.h>
#include <stdio.h>

#define RATE_BPS 50e6
#define RTT_MS 20.

static struct arena *a;
static const char *lab;

static void
setup(void)
{
	struct lab_spec s = lab_default();
	struct err e = { ERR_NONE, "" };
	const char *cc;

	a = arena_new();
	lab = arena_printf(a, "endpoint-%ld", (long)getpid());
	s.name = lab;
	s.link[0].rate_bps = s.link[1].rate_bps = RATE_BPS;
	s.rtt_ms = RTT_MS;
	s.tied = true;
	cr_assert(lab_up(a, &s, &cc, &e), "%s", e.text);
}

static void
teardown(void)
{
	lab_down(a, lab, NULL);
	arena_free(a);
}

TestSuite(endpoint, .init = setup, .fini = teardown, .timeout = 120);

/* The facts that a command prints which runs on one side of the lab. */
static struct facts
probed(char side, const char *command)
{
	struct said s = program_run(a, arena_printf(a, "lab exec %s %c -- %s", lab, side, command));
	const char *path = arena_printf(a, "/tmp/pathtune-%s.json", lab);
	struct err e = { ERR_NONE, "" };
	struct facts f;
	FILE *out;

	cr_assert_eq(s.status, 0, "%s: %s", command, s.err);
	out = fopen(path, "w");
	cr_assert(out != NULL && fputs(s.out, out) >= 0 && fclose(out) == 0);
	cr_assert(cmd_facts_load(a, path, &f, &e), "%s", e.text);
	unlink(path);
	return f;
}

/* Headers take 3.4 %; a busy machine may take something too. */
static void
expect_the_path(const struct facts *f, const char *tool)
{
	cr_expect_str_eq(f->tool, tool);
	cr_expect(f->rtt_ms > .9 * RTT_MS && f->rtt_ms < 2 * RTT_MS, "%g ms", f->rtt_ms);
	cr_expect(f->send_bps > .5 * RATE_BPS && f->send_bps < .975 * RATE_BPS, "%g", f->send_bps);
	cr_expect(f->receive_bps > .5 * RATE_BPS && f->receive_bps < .975 * RATE_BPS, "%g",
	    f->receive_bps);
}

Test(endpoint, iperf3_finds_the_path_as_it_is)
{
	struct started server = program_start(a, arena_printf(a,
	    "lab exec %s b -- iperf3 -s --forceflush", lab));
	struct facts f;
	char byte;

	cr_assert_eq(read(server.out, &byte, 1), 1, "it says that it listens");
	f = probed('a', "@ probe --json --peer iperf3://" LAB_ADDRESS_B);
	expect_the_path(&f, "iperf3");
	kill(server.pid, SIGTERM);
	program_end(a, server);
}

/* The host is side a, which b reaches by a command; the control machine is b itself. */
Test(endpoint, nc_finds_the_path_as_it_is)
{
	const char *script = arena_printf(a, "/tmp/pathtune-%s.sh", lab);
	const char *program = arena_printf(a, "/tmp/pathtune-%s", lab); /* no blank: via: splits */
	FILE *out = fopen(script, "w");
	struct facts f;

	cr_assert_eq(symlink(PATHTUNE, program), 0);
	cr_assert(out != NULL && fprintf(out, "exec %s probe --json \"via:%s lab exec %s a /bin/sh "
	    "-s\" --peer here --here %s\n", program, program, lab, LAB_ADDRESS_B) > 0 &&
	    fclose(out) == 0);
	f = probed('b', arena_printf(a, "sh %s", script));
	unlink(script);
	unlink(program);
	expect_the_path(&f, "nc");
}
