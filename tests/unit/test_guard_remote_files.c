/*
 * Files and values that the guard on another host changes together: all of them or none, whatever
 * happens to the guard, under every shell.
 *
 * needs: dash busybox bash mksh ksh93 cksum
 */
#include <criterion/criterion.h>

#include "fake_sysctl.h"
#include "probes/files.h"
#include "probes/guard_remote.h"
#include "probes/stop.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KNOB "net.a"
#define N 3

static const char *const shells[] = { "dash", "busybox sh", "bash --posix", "mksh", "ksh93" };
static const char *const names[N] = { "state/undo", "etc/x.conf", "etc/goes" };
static const char *const were[N] = { NULL, "it's old\r\nno newline", "goes\n" };
static const char *const wants[N] = { "{}\n", "new '$(id)'\n\\n %s\nno newline", NULL };

static char dir[40], fake[64], state[64];
static struct arena *a;
static struct host *h;
static struct err e;
static struct knob_value old, ours;

static const char *
in_dir(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "%s", name);
}

/* NULL: not there */
static const char *
get(const char *name)
{
	struct err ignored = { 0 };
	const char *text;
	size_t len;

	return files_read(a, in_dir(name), 1 << 20, &text, &len, &ignored) ? text : NULL;
}

static void
run(const char *script)
{
	const char *const argv[] = { "sh", "-c", script, dir, NULL };
	struct command c = { .argv = argv };
	struct output o;

	cr_assert(host_run(h, a, &c, 1, &o, &e) && o.status == 0, "%s: %s", script, o.why);
}

static void
begin(void)
{
	/* The guard of the case before may be tidying up still. */
	run("cd \"$0\" && until rm -rf etc state 2>/dev/null; do :; done && mkdir etc && mkdir -m 700 state");
	for (size_t i = 0; i < N; i++) {
		if (were[i] != NULL)
			put(names[i], were[i]);
	}
	cr_assert_eq(chmod(in_dir(names[1]), 0640), 0);
	put(KNOB, "100\n");
}

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ 0 };
	strcpy(dir, "/tmp/pathtune-swap-XXXXXX");
	cr_assert(stop_install() && mkdtemp(dir) != NULL);
	snprintf(state, sizeof(state), "%s/state", dir);
	fake_sysctl(dir, fake, sizeof(fake));
	cr_assert(host_open(a, "via:/bin/sh -s", &h, &e), "%s", e.text);
	old = ours = fake_sysctl_knob(a, fake, KNOB, "100");
	ours.text = "200";
}

static void
teardown(void)
{
	run("rm -rf \"$0\"");
	host_close(h);
	arena_free(a);
}

TestSuite(guard_remote_files, .init = setup, .fini = teardown, .timeout = 250);

/* Values set and files staged by a guard under this shell. */
static struct guard_remote *
staged(const char *shell, const char *result)
{
	struct guard_remote_spec *spec = arena_alloc(a, sizeof(*spec));
	static const struct guard_remote_hold hold = { 0, "200" };
	struct guard_remote_file f[N];
	struct guard_remote_change x = { f, N, &hold, 1, result };
	struct guard_remote *g = NULL;
	size_t healed;

	for (size_t i = 0; i < N; i++)
		f[i] = (struct guard_remote_file){ in_dir(names[i]), were[i],
			were[i] == NULL ? 0 : strlen(were[i]), wants[i],
			wants[i] == NULL ? 0 : strlen(wants[i]), i == 0 };
	*spec = (struct guard_remote_spec){ .old = &old, .n = 1, .lease_s = 3600,
		.state_dir = state, .shell = shell };
	e = (struct err){ 0 };
	cr_assert(guard_remote_start(h, a, spec, &g, &healed, &e), "%s: %s", shell, e.text);
	cr_assert(guard_remote_announce(g, a, &ours, 1, &e) && knobs_set(h, a, &ours, 1, &e) &&
	    guard_remote_held(g, a, &e), "%s: %s", shell, e.text);
	cr_assert(guard_remote_stage(g, a, &x, &e), "%s: %s", shell, e.text);
	return g;
}

/* Nothing lies beside, and all of it is old or all of it is new. */
static void
expect(bool new, const char *when)
{
	cr_expect_str_eq(get(KNOB), new ? "200\n" : "100\n", "%s", when);
	for (size_t i = 0; i < N; i++) {
		const char *is = get(names[i]), *want = new ? wants[i] : were[i];

		cr_expect((is == NULL) == (want == NULL) && (is == NULL || strcmp(is, want) == 0),
		    "%s: %s is %s", when, names[i], is == NULL ? "gone" : is);
	}
	/* It says what came of it, and tidies up then. */
	run("cd \"$0\" && until [ ! -e state/remote ]; do sleep .1; done\n"
	    "[ -z \"$(find . -name '.?*')\" ] && [ ! -e state/remote.said ]");
}

static unsigned
mode_of(const char *name)
{
	struct stat st;

	return lstat(in_dir(name), &st) == 0 ? (unsigned)st.st_mode & 07777 : 0;
}

Test(guard_remote_files, a_commit_changes_all_of_it_under_every_shell)
{
	for (size_t s = 0; s < NELEM(shells); s++) {
		struct guard_remote *g;

		begin();
		g = staged(shells[s], NULL);
		for (size_t i = 0; i < N; i++)
			cr_expect_str_eq(get(names[i]) == NULL ? "" : get(names[i]),
			    were[i] == NULL ? "" : were[i], "nothing happens before it");
		cr_expect(guard_remote_commit(g, a, &e), "%s: %s", shells[s], e.text);
		expect(true, shells[s]);
		cr_expect_eq(mode_of(names[0]), 0600, "what is secret");
		cr_expect_eq(mode_of(names[1]), 0640, "as it was");
		cr_expect_not(guard_remote_commit(g, a, &e));
		cr_expect_not_null(strstr(e.text, "is gone"), "%s", e.text);
	}
}

Test(guard_remote_files, a_release_leaves_no_trace_of_what_was_staged)
{
	struct guard_remote *g;

	begin();
	g = staged(NULL, NULL);
	cr_expect(guard_remote_release(g, a, &e), "%s", e.text);
	expect(false, "released");
}

/* What somebody did in between, and what the error says. */
static void
refused(const char *shell, const char *script, const char *says)
{
	struct guard_remote *g;

	begin();
	g = staged(shell, NULL);
	run(script);
	cr_expect_not(guard_remote_commit(g, a, &e), "%s: %s", shell, script);
	cr_expect_not_null(strstr(e.text, says), "%s: %s: %s", shell, script, e.text);
	cr_expect_str_eq(get(KNOB), "100\n", "%s: %s", shell, script);
	cr_expect_not(access(state, F_OK) == 0 && access(in_dir("state/remote"), F_OK) == 0);
}

Test(guard_remote_files, what_others_changed_meanwhile_stops_it_before_anything_is_lost)
{
	static const char *const cases[][4] = {
		{ "cd \"$0\" && echo theirs >etc/x.conf", "etc/x.conf: was changed in this moment by "
		    "somebody else; all is as it was before", "etc/x.conf", "theirs\n" },
		{ "cd \"$0\" && mv etc/x.conf etc/y && ln -s y etc/x.conf",
		    "etc/x.conf: was changed", "etc/y", "it's old\r\nno newline" },
		{ "cd \"$0\" && rm etc/goes && mkdir etc/goes", "etc/goes: was changed", "etc/x.conf",
		    "it's old\r\nno newline" },
		{ "cd \"$0\" && echo theirs >state/undo", "state/undo: was changed", "state/undo",
		    "theirs\n" },
		{ "cd \"$0\" && mkdir -p etc/.x.conf.pathtune-new-remote/full",
		    "etc/x.conf: cannot be replaced", "etc/x.conf", "it's old\r\nno newline" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		refused(shells[i], cases[i][0], cases[i][1]);
		cr_expect_str_eq(get(cases[i][2]), cases[i][3], "%zu", i);
		if (i != 3)
			cr_expect_null(get("state/undo"), "%zu", i);
	}
}

Test(guard_remote_files, a_value_that_does_not_hold_any_more_stops_it)
{
	for (size_t s = 0; s < NELEM(shells); s += 2) {
		struct guard_remote *g;

		begin();
		g = staged(shells[s], NULL);
		put(KNOB, "7\n");
		cr_expect_not(guard_remote_commit(g, a, &e), "%s", shells[s]);
		cr_expect_not_null(strstr(e.text, KNOB), "%s", e.text);
		cr_expect_str_eq(get(KNOB), "7\n", "another's value stays");
		put(KNOB, "100\n");
		expect(false, shells[s]);
	}
}

/* The knob reads differently once the files are new: all of them go back. */
Test(guard_remote_files, a_value_that_does_not_hold_in_the_end_takes_the_files_back)
{
	const char *const argv[] = { "sh", "-c", "if [ -e \"$0/state/undo\" ]; then echo 7; "
	    "else cat \"$0/" KNOB "\"; fi", dir, NULL };
	struct guard_remote *g;

	old.read = ours.read = argv;
	for (size_t i = 0; i < NELEM(shells); i++) {
		begin();
		g = staged(shells[i], NULL);
		cr_expect_not(guard_remote_commit(g, a, &e), "%s", shells[i]);
		cr_expect_not_null(strstr(e.text, "should be 200, is 7"), "%s", e.text);
		expect(false, shells[i]);
	}
}

Test(guard_remote_files, another_command_finds_what_waits_and_decides)
{
	struct guard_remote_state s;
	struct guard_remote *g;
	const char *text;

	for (int confirm = 0; confirm < 2; confirm++) {
		begin();
		cr_assert(guard_remote_look(h, a, state, NULL, true, &s, &e), "%s", e.text);
		cr_expect_eq(s.there, GUARD_REMOTE_NONE);
		staged(NULL, "{\"a\": \"b%s\"}");
		cr_assert(guard_remote_look(h, a, state, NULL, true, &s, &e), "%s", e.text);
		cr_expect_eq(s.there, GUARD_REMOTE_WAITS);
		cr_expect_str_eq(s.dir, state);
		g = guard_remote_join(h, a, state);
		cr_assert(guard_remote_result(g, a, &text, &e), "%s", e.text);
		cr_expect_str_eq(text, "{\"a\": \"b%s\"}");
		cr_expect(confirm ? guard_remote_commit(g, a, &e) : guard_remote_release(g, a, &e),
		    "%s", e.text);
		expect(confirm, confirm ? "confirmed" : "reverted");
	}
}

static void
kill_guard(void)
{
	const char *pid = get("state/remote/pid");

	if (pid != NULL && atol(pid) > 1)
		kill((pid_t)-atol(pid), SIGKILL); /* setsid made it a group's leader */
}

/* Told to go, it begins. */
static void
await_decision(void)
{
	put("state/remote/go", "");
	while (access(in_dir("state/remote/decided"), F_OK) != 0 &&
	    access(in_dir("state/remote"), F_OK) == 0)
		poll(NULL, 0, 1);
}

/*
 * A power cut at any moment, as far as processes go: the guard and all its children are killed, and
 * the next command carries out what lies there.
 */
Test(guard_remote_files, killed_at_any_moment_it_is_the_old_or_the_new_never_between)
{
	struct guard_remote_state s;
	unsigned takes_ms = 0;
	size_t n_new = 0;
	uint32_t x = 7;

	begin();
	staged(NULL, NULL);
	await_decision();
	for (; access(in_dir("state/remote/kept"), F_OK) != 0 &&
	    access(in_dir("state/remote"), F_OK) == 0; takes_ms++)
		poll(NULL, 0, 1);

	for (unsigned i = 0; i < 10; i++) {
		begin();
		staged(shells[i % NELEM(shells)], NULL);
		await_decision();
		x = x * 1103515245u + 12345;
		poll(NULL, 0, (int)((x >> 16) % (takes_ms * 3 / 2 + 2)));
		kill_guard();
		cr_assert(guard_remote_look(h, a, state, NULL, true, &s, &e), "%u: %s", i, e.text);
		cr_expect_eq(s.there, GUARD_REMOTE_NONE, "%u", i);
		n_new += get("state/undo") != NULL;
		expect(get("state/undo") != NULL, arena_printf(a, "kill %u", i));
	}
	cr_log_info("%zu of 10 were new", n_new);
}

/* As of a round that was given up, and arrives when all was taken back. */
Test(guard_remote_files, what_is_set_late_is_not_set)
{
	struct knob_value by_file = { .name = "file", .file = in_dir("knob"), .text = "2" }, fenced;
	struct guard_remote *g;

	begin();
	put("knob", "1");
	g = staged(NULL, NULL);
	fenced = guard_remote_fenced(g, a, &by_file);
	cr_expect(knobs_set(h, a, &fenced, 1, &e), "%s", e.text);
	cr_expect_str_eq(get("knob"), "2");
	cr_assert(guard_remote_release(g, a, &e), "%s", e.text);
	fenced.text = "3";
	cr_expect_not(knobs_set(h, a, &fenced, 1, &e));
	cr_expect_str_eq(get("knob"), "2");
	fenced = guard_remote_fenced(g, a, &ours);
	e = (struct err){ 0 };
	cr_expect_not(knobs_set(h, a, &fenced, 1, &e));
	expect(false, "late");
}

Test(guard_remote_files, a_state_that_others_can_write_is_refused)
{
	struct guard_remote_state s;

	begin();
	cr_assert_eq(chmod(state, 0777), 0);
	cr_expect_not(guard_remote_look(h, a, state, NULL, true, &s, &e));
	cr_expect_not_null(strstr(e.text, "can be written by others"), "%s", e.text);
}
