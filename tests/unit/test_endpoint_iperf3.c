/*
 * The iperf3 way with programs that stand in for iperf3: what it does when they misbehave.
 *
 * wraps: host_start host_run
 */
#include "probes/endpoint.h"
#include "probes/stop.h"
#include "tuner/profile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *a;
static struct err e;
static struct host *h;
static struct profile *profile;
static char dir[64];

bool __real_host_start(struct host *, struct arena *, const char *const *, struct host_child *,
    struct err *);
bool __real_host_run(struct host *, struct arena *, const struct command *, size_t,
    struct output *, struct err *);

bool __wrap_host_start(struct host *, struct arena *, const char *const *, struct host_child *,
    struct err *);
bool __wrap_host_run(struct host *, struct arena *, const struct command *, size_t,
    struct output *, struct err *);

/* Ours in its place. */
static const char *const *
replaced(const char *const *argv)
{
	const char **own;
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	own = arena_array(a, n + 1, sizeof(*own));
	for (size_t i = 0; i < n; i++)
		own[i] = strcmp(argv[i], "iperf3") == 0 ? arena_printf(a, "%s/iperf3", dir) : argv[i];
	return own;
}

bool
__wrap_host_start(struct host *host, struct arena *arena, const char *const *argv,
    struct host_child *out, struct err *error)
{
	return __real_host_start(host, arena, replaced(argv), out, error);
}

bool
__wrap_host_run(struct host *host, struct arena *arena, const struct command *c, size_t n,
    struct output *out, struct err *error)
{
	struct command own[64];

	cr_assert_lt(n, NELEM(own));
	for (size_t i = 0; i < n; i++) {
		own[i] = c[i];
		if (c[i].argv != NULL)
			own[i].argv = replaced(c[i].argv);
	}
	return __real_host_run(host, arena, own, n, out, error);
}

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ ERR_NONE, "" };
	cr_assert(stop_install());
	strcpy(dir, "/tmp/pathtune-iperf3-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert(host_open(a, "local", &h, &e), "%s", e.text);
	cr_assert(profile_named(a, "linux", &profile, &e), "%s", e.text);
}

static void
teardown(void)
{
	unlink(arena_printf(a, "%s/iperf3", dir));
	unlink(arena_printf(a, "%s/count", dir));
	rmdir(dir);
	host_close(h);
	arena_free(a);
}

TestSuite(endpoint_iperf3, .init = setup, .fini = teardown, .timeout = 60);

#define RECORDED "cat '" TESTS_DIR "'/unit/data/iperf3/"

/*
 * A program that is version 3.12, answers the first contact as recorded, and for a trial does what
 * trial says.
 */
static void
stand_in(const char *version, const char *contact, const char *trial)
{
	const char *path = arena_printf(a, "%s/iperf3", dir);
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fprintf(f, "#!/bin/sh\ncd %s\ncase \"$*\" in\n--version) %s ;;\n*' -l 1K '*) %s ;;\n"
	    "*) %s ;;\nesac\n", dir, version, contact, trial);
	cr_assert(fclose(f) == 0 && chmod(path, 0755) == 0);
}

#define V "echo 'iperf 3.12 (cJSON 1.7.15)'"

static bool
open_it(const char *peer, struct endpoint **p)
{
	const struct endpoint_spec spec = { .peer = peer, .host = h, .profile = profile,
		.host_name = "local" };

	e = (struct err){ ERR_NONE, "" };
	return endpoint_open(a, &spec, p, &e);
}

static struct endpoint *
opened(const char *trial)
{
	struct endpoint *p = NULL;

	stand_in(V, RECORDED "send.json", trial);
	cr_assert(open_it("iperf3://peer.example", &p), "%s", e.text);
	return p;
}

static unsigned ticks;

static void
tick(void *arg, double seconds, double bps)
{
	(void)arg;
	ticks++;
	cr_expect(seconds >= 0 && isnan(bps), "a figure comes only at the end");
}

static struct trial
measured(struct endpoint *p, double max_bytes)
{
	const struct flow_spec f = { .direction = DIR_SEND, .streams = 1, .warmup_s = 1,
		.duration_s = 2, .max_bytes = max_bytes };
	const struct progress progress = { tick, NULL };
	struct trial t;

	record_init(&trial_record, &t);
	cr_expect(endpoint_measure(p, a, &f, &progress, &t, &e), "%s", e.text);
	return t;
}

Test(endpoint_iperf3, a_report_becomes_a_trial)
{
	struct endpoint *p = opened("sleep .35; echo 'warning: noise' >&2; " RECORDED "send.json");
	struct trial t = measured(p, 0);

	cr_expect_eq(t.status, TRIAL_OK, "%s", t.why);
	cr_expect_float_eq(t.goodput_bps / 1e6, 48.2, .1);
	cr_expect_eq(t.direction, DIR_SEND);
	cr_expect_geq(ticks, 1u);
	cr_expect_str_eq(endpoint_tool(p), "iperf3");
	cr_expect_str_eq(endpoint_address(p), "10.83.0.2");
	cr_expect(endpoint_sets_cc(p));
	endpoint_close(p);
	profile->endpoints.iperf3_cc = false;
	p = opened(RECORDED "send.json");
	cr_expect_not(endpoint_sets_cc(p));
	endpoint_close(p);
}

Test(endpoint_iperf3, opening_says_what_is_missing)
{
	struct endpoint *p;
	static const struct { const char *version, *contact, *why; } cases[] = {
		{ "exit 127", "true", "install its package there" },
		{ "echo 'iperf 3.0.11'", "true", "3.1 or later is needed" },
		{ V, "echo '{\"error\":\"unable to connect to server: Connection refused\"}'",
		    "Connection refused; is 'iperf3 -s' running there" },
		{ V, "true", "without a report" },
		{ V, "echo '{\"intervals\":[]}'", "no bytes or no time" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		stand_in(cases[i].version, cases[i].contact, "exit 1");
		cr_expect_not(open_it("iperf3://peer.example:7000", &p));
		cr_expect_not_null(strstr(e.text, cases[i].why), "case %zu: %s", i, e.text);
		cr_expect_eq(e.code, ERR_FAILED);
	}
}

Test(endpoint_iperf3, names_that_are_none_are_refused_before_anything_runs)
{
	static const char *const peers[] = { "iperf3://-R", "iperf3://", "iperf3://a b",
		"iperf3://a;b", "iperf3://$(x)", "iperf3://a:0", "iperf3://a:99999",
		"iperf3://-oProxyCommand=x:5201", "iperf3://ssh://x" };
	struct endpoint *p;

	stand_in("touch ran", "touch ran", "touch ran");
	for (size_t i = 0; i < NELEM(peers); i++) {
		cr_expect_not(open_it(peers[i], &p), "%s", peers[i]);
		cr_expect_eq(e.code, ERR_USAGE, "%s: %s", peers[i], e.text);
	}
	cr_expect_eq(access(arena_printf(a, "%s/ran", dir), F_OK), -1);
}

#define BUSY "echo '{\"error\":\"the server is busy running a test. try again later\"}'"

Test(endpoint_iperf3, a_server_that_is_busy_for_a_moment_is_asked_again)
{
	struct endpoint *p = opened("if [ -e count ]; then " RECORDED "send.json; "
	    "else touch count; " BUSY "; fi");
	struct trial t = measured(p, 0);

	cr_expect_eq(t.status, TRIAL_OK, "%s", t.why);
	endpoint_close(p);
	p = opened(BUSY);
	t = measured(p, 0);
	cr_expect_eq(t.status, TRIAL_VOID);
	cr_expect_not_null(strstr(t.why, "the server is busy"));
	endpoint_close(p);
}

Test(endpoint_iperf3, a_server_that_is_gone_ends_the_session)
{
	struct endpoint *p = opened("echo '{\"error\":\"unable to connect to server: No route\"}'");
	const struct flow_spec f = { .direction = DIR_SEND, .streams = 1, .duration_s = 1 };
	struct trial t = { .bytes = 7 };

	cr_expect_not(endpoint_measure(p, a, &f, NULL, &t, &e));
	cr_expect_not_null(strstr(e.text, "No route"), "%s", e.text);
	cr_expect_eq(t.bytes, 7, "untouched");
	endpoint_close(p);
}

Test(endpoint_iperf3, what_a_program_says_without_end_is_cut_off)
{
	struct endpoint *p = opened("exec yes '{'");
	struct trial t = measured(p, 0);

	cr_expect_eq(t.status, TRIAL_VOID);
	cr_expect_not_null(strstr(t.why, "longer than it can be"), "%s", t.why);
	endpoint_close(p);
}

Test(endpoint_iperf3, a_byte_cap_paces_what_is_not_known_to_stay_below_it)
{
	struct endpoint *p = opened("echo \"$*\" >>count; " RECORDED "send.json");
	double ample = 48.2e6 / 8 * 3 * 3, tight = 48.2e6 / 8 * 3 * .5;
	char line[256];
	FILE *f;

	cr_expect_eq(measured(p, ample).status, TRIAL_OK);
	cr_expect_eq(measured(p, ample).status, TRIAL_OK);
	cr_expect_not_null(strstr(measured(p, tight).why, "the byte cap held"));
	endpoint_close(p);
	f = fopen(arena_printf(a, "%s/count", dir), "r");
	cr_assert_not_null(f);
	cr_expect_not_null(strstr(fgets(line, sizeof(line), f), " -b "), "nothing is known yet");
	cr_expect_null(strstr(fgets(line, sizeof(line), f), " -b "), "it is far below");
	cr_expect_not_null(strstr(fgets(line, sizeof(line), f), " -b "), "it may be above");
	fclose(f);
}

static void
stop_us(void *arg, double seconds, double bps)
{
	(void)arg, (void)seconds, (void)bps;
	raise(SIGTERM);
}

/* Its parent may still have to hear of its end. */
static void
expect_gone(pid_t pid)
{
	for (int i = 0; i < 500 && kill(pid, 0) == 0; i++)
		poll(NULL, 0, 10);
	cr_expect_eq(kill(pid, 0), -1, "%ld still runs", (long)pid);
}

/* It leaves its own process id; after the stop nothing of that id is there. */
Test(endpoint_iperf3, a_stop_ends_the_program)
{
	struct endpoint *p = opened("echo $$ >count; exec sleep 1000");
	const struct flow_spec f = { .direction = DIR_SEND, .streams = 1, .duration_s = 1 };
	const struct progress progress = { stop_us, NULL };
	struct trial t;
	long pid = 0;
	FILE *count;

	record_init(&trial_record, &t);
	cr_expect_not(endpoint_measure(p, a, &f, &progress, &t, &e));
	cr_expect_eq(e.code, ERR_STOPPED);
	count = fopen(arena_printf(a, "%s/count", dir), "r");
	if (count != NULL) { /* else it never came so far */
		if (fscanf(count, "%ld", &pid) == 1)
			expect_gone((pid_t)pid);
		fclose(count);
	}
	endpoint_close(p);
}
