/*
 * The guard on a host that is reached through a shell: here that shell is on this machine, and the
 * knobs are a fake sysctl's.  It runs under each shell.
 *
 * needs: dash busybox bash mksh ksh93
 */
#include <criterion/criterion.h>

#include "fake_sysctl.h"
#include "probes/guard_remote.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define N 4
#define BACK_MS 60000 /* so long is waited for what must come; it takes seconds */

static const char *const shells[] = { "dash", "busybox sh", "bash --posix", "mksh", "ksh93" };

static char dir[] = "/tmp/pathtune-remote-XXXXXX";
static char fake[64], state[64];
static struct arena *a;
static struct host *h;
static struct err e;
static struct knob_value old[N], ours[N];

static const char *const names[N] = { "kern.ipc.maxsockbuf", "net.triple.partial", "net.a.rounds",
	"net.odd" };
static const char *const were[N] = { "2097152", "1 2 3", "2048", "it's \"$HOME\" * `id` \\" };
static const char *const asked[N] = { "4194304", "9 9 9", "5000", "a b c d e" };
static const char *const became[N] = { "4194304", "9 2 3", "4096", "a b c d e" };

static const char *
in_dir(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	cr_assert_not_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

static const char *
get(const char *name)
{
	char text[256] = "";
	FILE *f = fopen(in_dir(name), "r");

	if (f == NULL)
		return "(none)";
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	return arena_strndup(a, text, strcspn(text, "\n"));
}

static bool
there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void
setup(void)
{
	a = arena_new();
	cr_assert_not_null(mkdtemp(dir));
	snprintf(state, sizeof(state), "%s/state", dir);
	fake_sysctl(dir, fake, sizeof(fake));
	cr_assert(host_open(a, "via:/bin/sh -s", &h, &e), "%s", e.text);
	for (size_t i = 0; i < N; i++) {
		put(names[i], were[i]);
		old[i] = ours[i] = fake_sysctl_knob(a, fake, names[i], were[i]);
		ours[i].text = asked[i];
	}
}

static void
teardown(void)
{
	const char *const argv[] = { "rm", "-rf", dir, NULL };
	struct command c = { .argv = argv };
	struct output out;

	cr_assert(host_run(h, a, &c, 1, &out, &e));
	host_close(h);
	arena_free(a);
}

TestSuite(guard_remote, .init = setup, .fini = teardown, .timeout = 200);

static struct guard_remote *
start(const char *shell, double lease_s, struct err *why)
{
	const struct guard_remote_spec spec = { .old = old, .n = N, .lease_s = lease_s,
		.state_dir = state, .shell = shell };
	struct guard_remote_spec *kept = arena_alloc(a, sizeof(*kept));
	struct guard_remote *g = NULL;
	size_t healed;

	*kept = spec;
	return guard_remote_start(h, a, kept, &g, &healed, why) ? g : NULL;
}

static bool
set_all(struct guard_remote *g)
{
	if (!guard_remote_announce(g, a, ours, N, &e))
		return false;
	for (size_t i = 0; i < N; i++) {
		if (!knobs_write(h, a, &ours[i], &e))
			return false;
	}
	return true;
}

/* It is not known when: only that it comes. */
static void
await_old(const char *which)
{
	size_t i = 0;

	for (unsigned ms = 0; ms < BACK_MS && (there(in_dir("state/remote")) || i < N); ms += 20) {
		for (i = 0; i < N && strcmp(get(names[i]), were[i]) == 0; i++)
			continue;
		poll(NULL, 0, 20);
	}
	for (i = 0; i < N; i++)
		cr_expect_str_eq(get(names[i]), were[i], "%s: %s", which, names[i]);
	cr_expect_not(there(in_dir("state/remote")), "%s", which);
}

/* A client that sets everything, and is killed with its process group. */
static void
kill_client(const char *shell, double lease_s)
{
	int ends[2];
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct guard_remote *g;

		setpgid(0, 0);
		g = start(shell, lease_s, &e);
		if (g == NULL || !set_all(g) || write(ends[1], "x", 1) != 1) {
			fprintf(stderr, "%s\n", e.text);
			_exit(1);
		}
		for (;;)
			pause();
	}
	close(ends[1]);
	cr_assert_eq(read(ends[0], &byte, 1), 1, "%s: the client sets the values", shell);
	for (size_t i = 0; i < N; i++)
		cr_expect_str_eq(get(names[i]), became[i], "%s: %s", shell, names[i]);
	cr_assert_eq(kill(-pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	close(ends[0]);
}

Test(guard_remote, a_client_that_is_killed_leaves_the_old_values_under_every_shell)
{
	for (size_t s = 0; s < NELEM(shells); s++) {
		kill_client(shells[s], 2);
		await_old(shells[s]);
	}
}

Test(guard_remote, release_restores_at_once_and_leaves_nothing)
{
	for (size_t s = 0; s < NELEM(shells); s++) {
		struct guard_remote *g = start(shells[s], 3600, &e);

		cr_assert_not_null(g, "%s: %s", shells[s], e.text);
		cr_assert(set_all(g), "%s: %s", shells[s], e.text);
		cr_assert(guard_remote_renew(g, a, &e), "%s: %s", shells[s], e.text);
		cr_expect(guard_remote_release(g, a, &e), "%s: %s", shells[s], e.text);
		await_old(shells[s]);
		cr_expect_not(there(in_dir("state/remote.said")));
		cr_expect_not(guard_remote_renew(g, a, &e));
		cr_expect_not_null(strstr(e.text, "is gone"), "%s", e.text);
		e = (struct err){ 0 };
	}
}

/* Once ours held, what is there else is another's: it stays, and is named. */
Test(guard_remote, a_value_of_somebody_elses_stays)
{
	for (size_t s = 0; s < NELEM(shells); s++) {
		struct guard_remote *g = start(shells[s], 3600, &e);

		cr_assert(g != NULL && set_all(g) && guard_remote_held(g, a, &e), "%s: %s", shells[s],
		    e.text);
		put(names[0], "77");
		put(names[2], were[2]);
		cr_expect_not(guard_remote_release(g, a, &e));
		cr_expect_str_eq(e.text, "kern.ipc.maxsockbuf: is not ours any more; left as it is");
		cr_expect_str_eq(get(names[0]), "77");
		cr_expect_str_eq(get(names[1]), were[1], "a triple in part is ours: %s", shells[s]);
		put(names[0], were[0]);
		e = (struct err){ 0 };
		await_old(shells[s]);
	}
}

Test(guard_remote, what_is_kept_stays)
{
	struct guard_remote *g = start(NULL, 3600, &e);

	cr_assert(g != NULL && set_all(g), "%s", e.text);
	cr_assert(guard_remote_keep(g, a, &e), "%s", e.text);
	cr_expect_not(there(in_dir("state/remote")));
	for (size_t i = 0; i < N; i++)
		cr_expect_str_eq(get(names[i]), became[i]);
	cr_expect_not(guard_remote_keep(g, a, &e));
}

Test(guard_remote, two_on_one_host_do_not_mix)
{
	struct guard_remote *g = start(NULL, 3600, &e);

	cr_assert_not_null(g, "%s", e.text);
	cr_expect_null(start(NULL, 3600, &e));
	cr_expect_not_null(strstr(e.text, "another pathtune is at work"), "%s", e.text);
	e = (struct err){ 0 };
	cr_expect(guard_remote_release(g, a, &e), "%s", e.text);
	put("state/journal-x", "");
	cr_expect_null(start(NULL, 3600, &e));
	cr_expect_not_null(strstr(e.text, "journal-x is there"), "%s", e.text);
}

/* Client and guard are dead (a reboot): the next start carries out what is left. */
Test(guard_remote, the_next_start_restores_what_a_dead_guard_left)
{
	const struct guard_remote_spec spec = { .old = old, .n = N, .lease_s = 3600,
		.state_dir = state };
	struct guard_remote *g;
	size_t healed = 0;

	for (size_t s = 0; s < NELEM(shells); s++) {
		const char *pid;

		kill_client(shells[s], 3600);
		pid = get("state/remote/pid");
		cr_assert_gt(atol(pid), 1);
		cr_assert_eq(kill((pid_t)atol(pid), SIGKILL), 0);
		cr_assert(guard_remote_start(h, a, &spec, &g, &healed, &e), "%s: %s", shells[s],
		    e.text);
		cr_expect_eq(healed, N);
		cr_expect(guard_remote_release(g, a, &e), "%s", e.text);
		await_old(shells[s]);
	}
}

Test(guard_remote, what_could_be_more_than_words_is_refused)
{
	struct guard_remote *g;

	old[0].name = "a\nreboot";
	cr_expect_null(start(NULL, 3600, &e));
	old[0].name = names[0];
	old[0].text = "1\x1b";
	e = (struct err){ 0 };
	cr_expect_null(start(NULL, 3600, &e));
	old[0].text = were[0];
	e = (struct err){ 0 };
	cr_expect_null(start(NULL, 1, &e), "a lease that no path could renew in time");
	cr_expect_not(there(in_dir("state")));
	e = (struct err){ 0 };
	g = start(NULL, 3600, &e);
	cr_assert_not_null(g, "%s", e.text);
	ours[0].text = "1\x7f";
	cr_expect_not(guard_remote_announce(g, a, ours, N, &e));
	e = (struct err){ 0 };
	ours[0].name = "no.such";
	cr_expect_not(guard_remote_announce(g, a, ours, N, &e));
	cr_expect_str_eq(e.text, "no.such: is not guarded");
	e = (struct err){ 0 };
	cr_expect(guard_remote_release(g, a, &e), "%s", e.text);
}
