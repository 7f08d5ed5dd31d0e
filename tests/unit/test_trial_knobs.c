/*
 * The values under trial, with extras: what a search asks for is in force, in an order that never
 * leaves a limit below what it bounds, and gone afterwards.  The host's commands are a script that
 * acts on files.
 *
 * wraps: endpoint_sets_cc
 */
#include <criterion/criterion.h>

#include "victim.h"

#include "tuner/pipeline_guard.h"
#include "tuner/pipeline_knobs.h"
#include "tuner/plan.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MIB 1048576.0

bool __wrap_endpoint_sets_cc(const struct endpoint *endpoint);

bool
__wrap_endpoint_sets_cc(const struct endpoint *endpoint)
{
	(void)endpoint;
	return false;
}

static char dir[] = "/tmp/pathtune-trial-XXXXXX";
static const char *tool, *state, *journal;
static struct arena *a;
static struct err e;
static struct run run;
static struct cmd_context cmd;
static struct pipeline p;

static const char tool_text[] =
    "#!/bin/sh\n"
    "d=${0%/*}\n"
    "case $1 in\n"
    "get) cat \"$d/$2\" ;;\n"
    "put) echo \"$2\" >>\"$d/log\"; echo \"${2#*=}\" >\"$d/${2%%=*}\" ;;\n"
    "show) printf 'features of %s:\\n\\tgro: %s [x]\\n4: %s: mtu 1500 qdisc %s state UP\\n' \\\n"
    "    \"$2\" \"$(cat \"$d/gro\")\" \"$2\" \"$(cat \"$d/qdisc\")\" ;;\n"
    "set) [ \"$2\" = eth0 ] || exit 1; echo \"$3=$4\" >>\"$d/log\"\n"
    "    [ \"$4\" = bad ] || echo \"$4\" >\"$d/$3\" ;;\n"
    "esac\n";

static const char *
path(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "w");

	cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "%s", name);
}

static const char *
get(const char *name)
{
	char text[512] = "";
	FILE *f = fopen(path(name), "r");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);

	if (f != NULL)
		fclose(f);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	return arena_strndup(a, text, n);
}

#define KNOB(name, role) "  - {name: " name ", role: " role ", unit: bytes, min: 1, max: 2147483647, " \
	"scope: global, source: s}\n"
#define QDISC(id, value) "  - {id: " id ", direction: receive, binds: [cwnd], sets: [{fact: qdisc, " \
	"over: [old], value: " value ", read: [%1$s, show, '{interface}'], after: ' qdisc ', " \
	"write: [%1$s, set, '{interface}', qdisc, '{value}']}], reason: pacing, words: w, source: s}\n"

static struct profile *
profile(void)
{
	const char *text = arena_printf(a, "name: x\nsysname: X\nreleases: all\n"
	    "offloads: {argv: [%1$s, show, '{interface}'], list: [gro], "
	    "write: [%1$s, set, '{interface}', '{name}', '{value}'], source: s}\n"
	    "knob_read: [%1$s, get, '{name}']\nknob_write: [%1$s, put, '{name}={value}']\nknobs:\n"
	    "  - {name: cc, role: congestion, unit: name, scope: global, source: s}\n"
	    KNOB("limit", "limit") KNOB("max", "receive_max") KNOB("first", "receive_initial")
	    "windows:\n  - {direction: receive, factor: 1, limit_share: [1, 2], lethal: true, "
	    "multiply: 2, step_rtt: 1, source: s}\n"
	    "extras:\n"
	    "  - {id: start, direction: receive, binds: [rwnd], with_window: true, sets: "
	    "[{knob: first, window_share: 4}], reason: start-receive, words: w, source: s}\n"
	    QDISC("fq", "new") QDISC("worse", "bad")
	    "  - {id: merge, direction: receive, binds: [unknown], sets: [{offload: gro, "
	    "value: 'off'}], reason: receive-offload, words: w, source: s}\n"
	    "persist:\n  settings: {path: /x, style: own, line: '{name}={value}', source: s}\n"
	    "  precedence: listed\n", tool);
	struct profile *made = NULL;

	cr_assert(profile_parse(a, "x.yaml", text, strlen(text), &made, &e), "%s", e.text);
	return made;
}

static void
add_knob(struct facts *f, const char *name, const char *text, double now)
{
	put(name, text);
	*(struct knob_fact *)arena_push(a, &f->knobs, &f->n_knobs, sizeof(struct knob_fact)) =
	    (struct knob_fact){ name, text, now, 1, 2147483647, true, NULL };
}

static void
know(struct facts *f)
{
	static struct offload gro = { "gro", "on", false };

	f->release = "1";
	f->scope_id = "S";
	f->interface = "eth0";
	f->qdisc = "old";
	f->privileged = true;
	f->ram_bytes = 256 * MIB;
	f->offloads = &gro;
	f->n_offloads = 1;
	add_knob(f, "limit", "131072", 131072);
	add_knob(f, "max", "65536", 65536);
	add_knob(f, "first", "8192", 8192);
	add_knob(f, "cc", "cubic", NAN);
	put("gro", "on");
	put("qdisc", "old");
	put("log", "");
}

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ ERR_NONE, "" };
	cr_assert_not_null(mkdtemp(dir));
	tool = path("tool");
	state = path("state");
	journal = arena_printf(a, "%s/journal-S", state);
	put("tool", tool_text);
	cr_assert_eq(chmod(tool, 0755), 0);
	setenv("PATHTUNE_STATE", state, 1);
	record_init(&run_record, &run);
	know(&run.facts);
	run.options.direction = DIR_RECEIVE;
	cmd = (struct cmd_context){ .arena = a, .quiet = true };
	p = (struct pipeline){ .cmd = &cmd, .run = &run, .profile = profile() };
	cr_assert(host_open(a, "local", &p.host, &e), "%s", e.text);
	cr_assert(plan_make(a, p.profile, &run.facts, &run.options, &run.plan, &e), "%s", e.text);
	trial_knobs_collect(&p);
}

static void
teardown(void)
{
	static const char *const files[] = { "tool", "limit", "max", "first", "gro", "qdisc", "log",
		"cc" };

	unlink(journal);
	rmdir(state);
	for (size_t i = 0; i < NELEM(files); i++)
		unlink(path(files[i]));
	rmdir(dir);
	host_close(p.host);
	arena_free(a);
}

TestSuite(trial_knobs, .init = setup, .fini = teardown);

/* limit, max, first, gro and qdisc, one behind the other. */
static const char *
values(void)
{
	return arena_printf(a, "%s %s %s %s %s", get("limit"), get("max"), get("first"), get("gro"),
	    get("qdisc"));
}

#define AS_FOUND "131072 65536 8192 on old"

static void
expect_set(double window_bytes, const char *values_then, const char *id, const char *other)
{
	const char *ids[] = { id, other };
	const struct setting s = { NULL, window_bytes, ids,
		(size_t)(id != NULL) + (other != NULL) };

	cr_assert(trial_knobs_setting(&p, &run.plan.directions[0], &s, &e), "%s", e.text);
	cr_expect_str_eq(values(), values_then);
}

Test(trial_knobs, an_extra_that_the_kernel_refuses_is_said_and_leaves_all_as_found)
{
	static const char *ids[] = { "worse" };
	const struct plan_direction *d = &run.plan.directions[0];
	const struct setting refused = { NULL, 1 * MIB, ids, 1 }, plain = { NULL, 1 * MIB, NULL, 0 };
	const char *why;

	cr_assert_eq(d->n_extras, 4);
	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	cr_expect_str_eq(get("log"), "", "nothing is set before the search asks for it");
	cr_assert(trial_knobs_try(&p, d, &refused, &why, &e), "%s", e.text);
	cr_assert(why != NULL && strstr(why, "qdisc eth0: ") != NULL, "%s", why);
	cr_expect_str_eq(values(), AS_FOUND);
	cr_assert(trial_knobs_try(&p, d, &refused, &why, &e), "%s", e.text);
	cr_assert_eq(run.plan.n_notes, 1, "said once");
	cr_expect_eq(strncmp(run.plan.notes[0], "worse is not tried: qdisc eth0: ", 32), 0, "%s",
	    run.plan.notes[0]);
	cr_assert(trial_knobs_try(&p, d, &plain, &why, &e), "%s", e.text);
	cr_expect_null(why);
	put("gro", "off");
	cr_expect_not(trial_knobs_try(&p, d, &refused, &why, &e), "what others set is an error");
	put("gro", "on");
	e = (struct err){ ERR_NONE, "" };
	cr_assert(trial_knobs_release(&p, &e), "%s", e.text);
	cr_expect_str_eq(values(), AS_FOUND);
}

Test(trial_knobs, a_setting_brings_its_extras_and_the_next_one_takes_them_back)
{
	double now;

	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	now = run.plan.directions[0].window_bytes;
	expect_set(4 * MIB, "8388608 4194304 1048576 on old", "start", NULL);
	expect_set(1 * MIB, "2097152 1048576 262144 off old", "start", "merge");
	expect_set(1 * MIB, "2097152 1048576 8192 on new", "fq", NULL);
	expect_set(now, "131072 65536 8192 off new", "fq", "merge");
	expect_set(now, AS_FOUND, NULL, NULL);
	cr_assert(trial_knobs_release(&p, &e), "%s", e.text);
	cr_expect_str_eq(values(), AS_FOUND);
}

/* As when the lines that were guarded are not those that are asked for. */
Test(trial_knobs, a_line_that_nobody_could_bring_back_is_not_left_out_in_silence)
{
	static const char *ids[] = { "merge" };
	struct plan_direction *d = &run.plan.directions[0];
	const struct setting merge = { NULL, 1 * MIB, ids, 1 };
	const struct change_line lines[] = { { .name = "max", .new = "70000" },
		{ .name = "other", .new = "1" } };
	size_t n = d->n_extras;
	const char *why;

	p.old = NULL;
	p.n_old = 0;
	d->n_extras = 0;
	trial_knobs_collect(&p);
	d->n_extras = n;
	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	cr_assert(trial_knobs_try(&p, d, &merge, &why, &e), "%s", e.text);
	cr_assert(why != NULL && strstr(why, "gro eth0: cannot be set under the guard") != NULL, "%s",
	    why);
	cr_expect_not(trial_knobs_lines(&p, lines, NELEM(lines), &e));
	cr_expect_not_null(strstr(e.text, "other: cannot be set"), "%s", e.text);
	cr_expect_str_eq(values(), AS_FOUND);
	e = (struct err){ ERR_NONE, "" };
	cr_assert(trial_knobs_release(&p, &e), "%s", e.text);
}

Test(trial_knobs, a_limit_is_never_below_what_it_bounds)
{
	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	put("log", "");
	expect_set(4 * MIB, "8388608 4194304 1048576 on old", "start", NULL);
	expect_set(1 * MIB, "2097152 1048576 262144 on old", "start", NULL);
	cr_expect_str_eq(get("log"), "limit=8388608\nmax=4194304\nfirst=1048576\n"
	    "first=262144\nmax=1048576\nlimit=2097152");
	cr_assert(trial_knobs_release(&p, &e), "%s", e.text);
	cr_expect_str_eq(values(), AS_FOUND);
}

Test(trial_knobs, what_somebody_else_sets_of_the_interface_is_noticed_and_stays)
{
	const struct setting s = { NULL, 1 * MIB, NULL, 0 };

	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	put("qdisc", "theirs");
	cr_expect_not(trial_knobs_setting(&p, &run.plan.directions[0], &s, &e));
	cr_expect_not_null(strstr(e.text, "qdisc eth0: should be \"old\", is \"theirs\""), "%s",
	    e.text);
	e = (struct err){ ERR_NONE, "" };
	cr_expect_not(trial_knobs_release(&p, &e));
	cr_expect_str_eq(values(), "131072 65536 8192 on theirs");
}

static bool
arm(struct guard **g)
{
	bool armed = trial_knobs_arm(&p, &e);

	*g = armed ? p.guard->here : NULL;
	return armed;
}

static void
set_all(struct guard *g)
{
	const char *ids[] = { "start", "fq", "merge" };
	const struct setting s = { NULL, 4 * MIB, ids, 3 };

	(void)g;
	step(trial_knobs_setting(&p, &run.plan.directions[0], &s, &e));
}

Test(trial_knobs, a_killed_run_s_guard_brings_extras_back)
{
	struct victim run_of = victim_start(journal, arm, set_all);

	cr_expect_str_eq(values(), "8388608 4194304 1048576 off new");
	victim_kill(&run_of, run_of.pid, SIGKILL);
	cr_expect_str_eq(values(), AS_FOUND);
	cr_expect_neq(access(journal, F_OK), 0);
}

Test(trial_knobs, a_run_killed_with_its_guard_is_healed_by_the_next_command)
{
	struct victim run_of = victim_start(journal, arm, set_all);
	struct orphans found = { 0 };

	cr_assert_eq(kill(victim_guard(run_of.pid), SIGKILL), 0);
	victim_kill(&run_of, run_of.pid, SIGKILL);
	cr_expect_str_eq(values(), "8388608 4194304 1048576 off new");
	cr_assert(guard_orphans(a, p.host, state, NULL, "S", &found, &e), "%s", e.text);
	cr_expect_eq(found.restored, 5);
	cr_expect_str_eq(values(), AS_FOUND);
}

/* ---- where transfers cannot choose it --------------------------------------------------------- */

static struct pipeline *
with_default_cc(struct plan_direction *d)
{
	static const char *ccs[] = { "cubic", "bbr" };

	d->cc = ccs;
	d->n_cc = 2;
	d->n_extras = 0;
	p.endpoint = (struct endpoint *)&run; /* there is one, and it does not set it */
	p.old = NULL;
	p.n_old = 0;
	trial_knobs_collect(&p);
	return &p;
}

Test(trial_knobs, the_default_congestion_control_is_set_for_a_trial_that_cannot_choose_its_own)
{
	struct plan_direction *d = &run.plan.directions[0];
	const struct setting bbr = { "bbr", 1 * MIB, NULL, 0 }, cubic = { "cubic", 1 * MIB, NULL, 0 };
	const char *why;

	with_default_cc(d);
	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	cr_assert(trial_knobs_try(&p, d, &bbr, &why, &e) && why == NULL, "%s", e.text);
	cr_expect_str_eq(get("cc"), "bbr");
	cr_assert(trial_knobs_try(&p, d, &cubic, &why, &e) && why == NULL, "%s", e.text);
	cr_expect_str_eq(get("cc"), "cubic");
	cr_assert(trial_knobs_try(&p, d, &bbr, &why, &e) && why == NULL, "%s", e.text);
	cr_assert(trial_knobs_release(&p, &e), "%s", e.text);
	cr_expect_str_eq(get("cc"), "cubic");
	cr_expect_str_eq(values(), AS_FOUND);
	p.endpoint = NULL;
}

/* ---- the same on a host that is not here ------------------------------------------------------ */

static void
over_a_shell(void)
{
	host_close(p.host);
	cr_assert(host_open(a, "via:/bin/sh -s", &p.host, &e), "%s", e.text);
	p.lease_s = 2;
}

static void
remove_state(void)
{
	const char *command = arena_printf(a, "rm -rf %s", state);

	cr_assert_eq(system(command), 0);
}

Test(trial_knobs, a_guard_over_a_shell_brings_back_values_and_what_an_interface_says)
{
	over_a_shell();
	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	expect_set(4 * MIB, "8388608 4194304 1048576 on old", "start", NULL);
	expect_set(1 * MIB, "2097152 1048576 262144 off old", "start", "merge");
	expect_set(1 * MIB, "2097152 1048576 8192 on new", "fq", NULL);
	cr_assert(trial_knobs_release(&p, &e), "%s", e.text);
	cr_expect_str_eq(values(), AS_FOUND);
	remove_state();
}

static bool
arm_over_a_shell(struct guard **g)
{
	*g = NULL;
	return trial_knobs_arm(&p, &e);
}

static void
await_as_found(void)
{
	for (int i = 0; i < 1200 && strcmp(values(), AS_FOUND) != 0; i++)
		poll(NULL, 0, 50);
	cr_expect_str_eq(values(), AS_FOUND);
}

/* Dead with its renewals: the lease runs out. */
Test(trial_knobs, a_killed_run_s_lease_runs_out_over_a_shell)
{
	struct victim run_of;

	over_a_shell();
	run_of = victim_start(path("state/remote/pid"), arm_over_a_shell, set_all);
	cr_expect_str_eq(values(), "8388608 4194304 1048576 off new");
	victim_kill(&run_of, run_of.pid, SIGKILL);
	await_as_found();
	remove_state();
}

Test(trial_knobs, what_a_killed_run_and_its_guard_left_over_a_shell_is_healed_by_the_next)
{
	struct victim run_of;
	struct guard_remote_state found;
	const char *pid;

	over_a_shell();
	p.lease_s = 600;
	run_of = victim_start(path("state/remote/pid"), arm_over_a_shell, set_all);
	pid = get("state/remote/pid");
	cr_assert_gt(atol(pid), 1);
	cr_assert_eq(kill((pid_t)atol(pid), SIGKILL), 0);
	victim_kill(&run_of, run_of.pid, SIGKILL);
	cr_expect_str_eq(values(), "8388608 4194304 1048576 off new");
	cr_assert(guard_remote_look(p.host, p.cmd->arena, NULL, path("state"), true, &found, &e),
	    "%s", e.text);
	cr_expect_eq(found.healed, 5);
	cr_expect_str_eq(values(), AS_FOUND);
	remove_state();
}

/* Longer than the lease: only renewals keep the values. */
Test(trial_knobs, renewals_keep_a_value_beyond_the_lease)
{
	struct pollfd wait = { -1, 0, 0 };

	over_a_shell();
	cr_assert(trial_knobs_arm(&p, &e), "%s", e.text);
	expect_set(4 * MIB, "8388608 4194304 1048576 on old", "start", NULL);
	poll(&wait, 1, 5000);
	cr_expect_str_eq(values(), "8388608 4194304 1048576 on old");
	cr_assert(trial_knobs_release(&p, &e), "%s", e.text);
	cr_expect_str_eq(values(), AS_FOUND);
	remove_state();
}
