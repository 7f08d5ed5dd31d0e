/*
 * A host that has nothing but its base system, on loopback: the programs of the profile, and
 * programs that do not do as they should.
 *
 * needs: nc curl busybox bash
 */
#include "probes/endpoint.h"
#include "probes/stop.h"
#include "tuner/profile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct arena *a;
static struct err e;
static struct host *h;
static struct profile *profile;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ ERR_NONE, "" };
	cr_assert(stop_install());
	cr_assert(host_open(a, "via:/bin/sh -s", &h, &e), "%s", e.text);
	cr_assert(profile_named(a, "linux", &profile, &e), "%s", e.text);
}

static void
teardown(void)
{
	host_close(h);
	arena_free(a);
}

TestSuite(endpoint_base, .init = setup, .fini = teardown, .timeout = 60);

static bool
open_at(const char *here, struct endpoint **p)
{
	const struct host_access none = { .agent = "/nonexistent/pathtune", .here = here };
	const struct endpoint_spec spec = { .peer = "here", .host = h,
		.profile = profile, .host_name = "via:/bin/sh -s", .access = &none };

	e = (struct err){ ERR_NONE, "" };
	return endpoint_open(a, &spec, p, &e);
}

static struct endpoint *
opened(void)
{
	struct endpoint *p = NULL;

	cr_assert(open_at("127.0.0.1", &p), "%s", e.text);
	return p;
}

static struct trial
measured(struct endpoint *p, struct flow_spec f)
{
	struct trial t;

	f.streams = f.streams == 0 ? 1 : f.streams;
	f.duration_s = f.duration_s > 0 ? f.duration_s : .6;
	record_init(&trial_record, &t);
	cr_assert(endpoint_measure(p, a, &f, NULL, &t, &e), "%s", e.text);
	return t;
}

static void
expect_figures(const struct trial *t, const char *what)
{
	cr_expect_eq(t->status, TRIAL_OK, "%s: %s", what, t->why);
	cr_expect(t->goodput_bps > 1e6 && t->goodput_bps < 1e13, "%s: %g", what, t->goodput_bps);
	cr_expect_float_eq(t->duration_s, .6, 1e-6, "%s", what);
	cr_expect_eq(t->n_intervals_bps, 7, "%s", what);
	cr_expect_gt(t->bytes, t->goodput_bps / 8 * .5, "%s", what);
}

/* Only the program at i, as if there were no other. */
static void
only(struct profile *p, const struct endpoint_program *program)
{
	p->endpoints.programs = arena_alloc(a, sizeof(*program));
	p->endpoints.programs[0] = *program;
	p->endpoints.n_programs = 1;
}

Test(endpoint_base, every_program_of_the_profile_moves_bytes)
{
	const struct endpoints all = profile->endpoints;

	for (size_t i = 0; i < all.n_programs; i++) {
		const struct endpoint_program *program = &all.programs[i];
		const char *what = arena_printf(a, "%s, %s", program->tool,
		    direction_names[program->direction]);
		struct endpoint *p;
		struct trial t;

		if (strcmp(program->tool, "wget") == 0)
			continue; /* below, as busybox has it */
		only(profile, program);
		p = opened();
		cr_expect_str_eq(endpoint_tool(p), program->tool);
		t = measured(p, (struct flow_spec){ .direction = program->direction,
		    .warmup_s = .1 });
		expect_figures(&t, what);
		cr_expect(isnan(t.rwnd_limited) || program->direction == DIR_RECEIVE, "%s", what);
		endpoint_close(p);
	}
}

static struct endpoint_program
shell(const char *tool, enum direction d, const char *text)
{
	const char **argv = arena_array(a, 7, sizeof(*argv));
	const char *const words[] = { "sh", "-c", text, tool, "{address}", "{port}", "{secret}" };

	memcpy(argv, words, sizeof(words));
	return (struct endpoint_program){ tool, d, argv, NELEM(words), GREETING_LINE, "" };
}

Test(endpoint_base, busybox_will_do_as_well)
{
	static const char *const wget[] = { "env", "http_proxy=", "busybox", "wget", "-q", "-O",
		"/dev/null", "{url}" };
	struct endpoint_program programs[] = {
		shell("sh", DIR_SEND, "(echo \"$3\"; exec dd if=/dev/zero bs=128k) | "
		    "busybox nc \"$1\" \"$2\""),
		shell("sh", DIR_RECEIVE, "echo \"$3\" | busybox nc \"$1\" \"$2\""),
		{ "busybox", DIR_RECEIVE, (const char **)arena_array(a, NELEM(wget), sizeof(*wget)),
		    NELEM(wget), GREETING_HTTP, "" },
	};

	memcpy(programs[2].argv, wget, sizeof(wget));
	for (size_t i = 0; i < NELEM(programs); i++) {
		struct endpoint *p;
		struct trial t;

		only(profile, &programs[i]);
		p = opened();
		t = measured(p, (struct flow_spec){ .direction = programs[i].direction,
		    .warmup_s = .1 });
		expect_figures(&t, programs[i].tool);
		endpoint_close(p);
	}
}

Test(endpoint_base, the_profile_decides_and_what_is_missing_is_said)
{
	struct endpoint_program programs[] = {
		shell("no-such-tool", DIR_SEND, ""), profile->endpoints.programs[0] };
	struct endpoint *p = opened();
	struct trial t;

	cr_expect_str_eq(endpoint_tool(p), "nc");
	cr_expect_str_eq(endpoint_address(p), "127.0.0.1");
	cr_expect_not(endpoint_sets_cc(p));
	endpoint_close(p);
	profile->endpoints.programs = programs;
	profile->endpoints.n_programs = 2;
	p = opened();
	t = measured(p, (struct flow_spec){ .direction = DIR_SEND });
	cr_expect_eq(t.status, TRIAL_VOID);
	cr_expect_str_eq(t.why, "nothing on the host can send: looked for no-such-tool; install one "
	    "of them, iperf3 or pathtune");
	endpoint_close(p);
	profile->endpoints.n_programs = 1;
	cr_expect_not(open_at("127.0.0.1", &p));
	cr_expect_not_null(strstr(e.text, "looked for no-such-tool"), "%s", e.text);
	profile->endpoints.n_programs = 2;
	cr_expect_not(open_at(NULL, &p));
	cr_expect_eq(e.code, ERR_USAGE);
	cr_expect_not_null(strstr(e.text, "--here ADDRESS"), "%s", e.text);
}

Test(endpoint_base, streams_are_so_many_programs)
{
	struct endpoint *p = opened();
	struct trial t = measured(p, (struct flow_spec){ .direction = DIR_SEND, .streams = 5,
	    .warmup_s = .1 });

	expect_figures(&t, "5 to us");
	t = measured(p, (struct flow_spec){ .direction = DIR_RECEIVE, .streams = 3, .warmup_s = .1 });
	expect_figures(&t, "3 from us");
	cr_expect_eq(t.streams, 3);
	endpoint_close(p);
}

Test(endpoint_base, a_byte_cap_ends_both_directions)
{
	struct endpoint *p = opened();

	for (enum direction d = DIR_SEND; d <= DIR_RECEIVE; d++) {
		struct trial t = measured(p, (struct flow_spec){ .direction = d, .duration_s = 60,
		    .warmup_s = 30, .max_bytes = 1e6 });

		cr_expect_eq(t.status, TRIAL_VOID);
		cr_expect_not_null(strstr(t.why, "byte cap was reached"), "%s", t.why);
		cr_expect_lt(t.bytes, 64e6, "a queue of a socket more at most");
	}
	endpoint_close(p);
}

Test(endpoint_base, pinned_buffers_are_refused)
{
	struct endpoint *p = opened();
	struct trial t = measured(p, (struct flow_spec){ .direction = DIR_SEND, .pin_bytes = 65536 });

	cr_expect_eq(t.status, TRIAL_VOID);
	cr_expect_not_null(strstr(t.why, "cannot be pinned"), "%s", t.why);
	endpoint_close(p);
}

Test(endpoint_base, programs_that_fail_say_why)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "printf '\\033[2Jno route\\n' >&2; exit 1", "sh on the host: ?[2Jno route" },
		{ "exit 0", "ended before it came" },
		{ "echo wrong-wrong-wrong-wrong-wrong-wrong-wrong | nc \"$1\" \"$2\"; exit 0",
		    "a connection from 127.0.0.1 was refused" },
	};
	struct endpoint *p;

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct endpoint_program program = shell("sh", DIR_SEND, cases[i].text);

		only(profile, &program);
		cr_expect_not(open_at("127.0.0.1", &p), "case %zu", i);
		cr_expect_not_null(strstr(e.text, cases[i].why), "case %zu: %s", i, e.text);
	}
}

Test(endpoint_base, a_program_that_breaks_off_voids_the_trial)
{
	struct endpoint_program program = shell("sh", DIR_SEND,
	    "(echo \"$3\"; head -c 1000 /dev/zero) | busybox nc \"$1\" \"$2\"; echo ouch >&2");
	struct endpoint *p;
	struct trial t;

	only(profile, &program);
	p = opened();
	t = measured(p, (struct flow_spec){ .direction = DIR_SEND, .duration_s = 5 });
	cr_expect_eq(t.status, TRIAL_VOID);
	cr_expect_not_null(strstr(t.why, "closed by the peer"), "%s", t.why);
	cr_expect(isnan(t.goodput_bps));
	endpoint_close(p);
}

static void
stop_us(void *arg, double seconds, double bps)
{
	(void)arg, (void)seconds, (void)bps;
	raise(SIGTERM);
}

Test(endpoint_base, a_stop_ends_a_transfer)
{
	struct endpoint *p = opened();
	const struct flow_spec f = { .direction = DIR_SEND, .streams = 1, .duration_s = 60 };
	const struct progress progress = { stop_us, NULL };
	struct trial t = { .bytes = 7 };

	cr_expect_not(endpoint_measure(p, a, &f, &progress, &t, &e));
	cr_expect_eq(e.code, ERR_STOPPED);
	cr_expect_eq(t.bytes, 7);
	endpoint_close(p);
}

Test(endpoint_base, here_is_no_peer_of_this_machine)
{
	struct endpoint *p;

	host_close(h);
	cr_assert(host_open(a, "local", &h, &e));
	cr_expect_not(open_at("127.0.0.1", &p));
	cr_expect_eq(e.code, ERR_USAGE);
}
