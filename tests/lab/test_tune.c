/*
 * tune and demo on an emulated path: real sockets, a real kernel, and a namespace that comes back
 * whatever happens.
 */
#include "probes/files.h"
#include "probes/knobs.h"
#include "probes/lab.h"
#include "tuner/cmd.h"
#include "../unit/program.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define TOKEN "0123456789abcdef0123"
#define WAIT_S 20

struct world {
	struct arena *a;
	const char *lab, *dir;
	struct started server;
};

static double
clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *
lab_of_this(struct arena *a)
{
	return arena_printf(a, "tune-%ld", (long)getpid());
}

/* After a test that failed. */
static void
end(void)
{
	struct arena *a = arena_new();

	lab_down(a, lab_of_this(a), NULL);
	arena_free(a);
}

TestSuite(tune, .fini = end);

/* A server in b; it ends after one run. */
static void
serve(struct world *w)
{
	char line[256];

	w->server = program_start(w->a, arena_printf(w->a, "lab exec %s b -- @ serve --token-env -q",
	    w->lab));
	cr_assert(read(w->server.out, line, sizeof(line)) > 0, "the server starts");
}

/* A lab, which ends with us should we crash, and a server in b. */
static struct world
world_new(double rate_bps, double rtt_ms, bool open_peer)
{
	struct world w = { .a = arena_new() };
	char dir[] = "/tmp/pathtune-test-XXXXXX";
	struct lab_spec s = lab_default();
	struct err e = { ERR_NONE, "" };
	const char *cc;

	cr_assert_not_null(mkdtemp(dir));
	w.dir = arena_strdup(w.a, dir);
	w.lab = lab_of_this(w.a);
	s.name = w.lab;
	s.link[0].rate_bps = s.link[1].rate_bps = rate_bps;
	s.rtt_ms = rtt_ms;
	s.start = "bsd-256k";
	s.open_b = open_peer;
	s.tied = true;
	cr_assert(lab_up(w.a, &s, &cc, &e), "%s", e.text);
	setenv("PATHTUNE_TOKEN", TOKEN, 1);
	serve(&w);
	return w;
}

static void
world_end(struct world *w)
{
	program_run(w->a, arena_printf(w->a, "lab down %s", w->lab));
	program_end(w->a, w->server);
	rmdir(w->dir);
	arena_free(w->a);
}

static const char *
in_a(struct world *w, const char *command)
{
	struct said s = program_run(w->a, arena_printf(w->a, "lab exec %s a -- %s", w->lab, command));

	return arena_strndup(w->a, s.out, strcspn(s.out, "\n"));
}

static const char *
send_knob(struct world *w)
{
	return in_a(w, "cat /proc/sys/net/ipv4/tcp_wmem");
}

static void
set_send_knob(struct world *w, const char *value)
{
	const char *path = arena_printf(w->a, "%s/value", w->dir);
	FILE *f = fopen(path, "w");

	cr_assert(f != NULL && fputs(value, f) >= 0 && fclose(f) == 0);
	in_a(w, arena_printf(w->a, "cp %s /proc/sys/net/ipv4/tcp_wmem", path));
	cr_assert(knobs_same(send_knob(w), value), "set in the lab");
	unlink(path);
}

static struct started
tune_start(struct world *w, const char *flags)
{
	return program_start(w->a, arena_printf(w->a, "lab exec %s a -- @ tune --peer %s "
	    "--direction send --start-cc cubic %s", w->lab, LAB_ADDRESS_B, flags));
}

static struct run *
load(struct world *w, const char *path)
{
	struct run *run = arena_alloc(w->a, sizeof(*run));
	struct err e = { ERR_NONE, "" };

	cr_assert(cmd_run_load(w->a, path, run, &e), "%s", e.text);
	return run;
}

Test(tune, finds_the_window_saves_the_run_writes_the_fragment_and_restores, .timeout = 200)
{
	/* So fast that a whole window sent at once is no queue worth the name: 3 ms. */
	struct world w = world_new(400e6, 20, true);
	const char *path = arena_printf(w.a, "%s/run.json", w.dir), *text;
	const char *tree = arena_printf(w.a, "%s/tree", w.dir);
	const char *conf = arena_printf(w.a, "%s/etc/sysctl.d/90-pathtune.conf", tree);
	const char *before = send_knob(&w);
	struct said s = program_end(w.a, tune_start(&w, arena_printf(w.a,
	    "--quick --save %s --out %s", path, tree)));
	struct err e = { ERR_NONE, "" };
	struct run *run;
	size_t len;

	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_assert_str_eq(s.err + strcspn(s.err, "\r\033"), "", "no progress when piped");
	run = load(&w, path);
	cr_assert_eq(run->decision.verdict, VERDICT_CHANGE, "%s", s.out);
	cr_assert(run->decision.effect.low > 5 && run->decision.effect.confidence >= .95);
	cr_assert(run->n_trials >= 8);
	cr_assert(run->decision.directions[0].limit_before.limiter == LIMIT_SNDBUF, "%s", s.out);
	cr_assert_gt(run->decision.directions[0].after.goodput_bps,
	    run->decision.directions[0].before.goodput_bps);
	cr_assert_str_eq(run->decision.settings[0].name, "net.ipv4.tcp_wmem");
	cr_assert(strstr(s.out, run->decision.settings[0].new) != NULL);
	text = in_a(&w, arena_printf(w.a, "grep ^net.ipv4.tcp_wmem %s", conf));
	cr_assert_str_eq(text, arena_printf(w.a, "net.ipv4.tcp_wmem = %s",
	    run->decision.settings[0].new));
	cr_assert(knobs_same(send_knob(&w), before), "restored");
	cr_assert_str_eq(program_run(w.a, arena_printf(w.a, "show %s", path)).out, s.out);
	cr_assert(files_read(w.a, path, NODE_BYTES, &text, &len, &e), "%s", e.text);
	cr_assert_str_eq(program_run(w.a, arena_printf(w.a, "show --json %s", path)).out, text);
	in_a(&w, arena_printf(w.a, "rm -r %s %s", tree, path));
	world_end(&w);
}

Test(tune, says_that_the_peer_limits_when_its_window_does, .timeout = 200)
{
	struct world w = world_new(100e6, 60, false);
	const char *path = arena_printf(w.a, "%s/run.json", w.dir);
	struct said s;

	/* Only the peer's 256 KiB can be the limit: with as much here both are, within 4 %. */
	set_send_knob(&w, "4096 16384 4194304");
	s = program_end(w.a, tune_start(&w, arena_printf(w.a, "--quick --save %s", path)));
	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_assert_eq(load(&w, path)->decision.class, CLASS_PEER_LIMITS, "%s", s.out);
	cr_assert(strstr(s.out, "limited by rwnd") != NULL, "%s", s.out);
	unlink(path);
	world_end(&w);
}

/* Looks again and again until the knob is what it was, or is not. */
static bool
wait_for(struct world *w, const char *before, bool same)
{
	double end = clock_s() + WAIT_S;

	while (clock_s() < end) {
		if (knobs_same(send_knob(w), before) == same)
			return true;
	}
	return false;
}

/* The tuner itself is the only child of "lab exec". */
static pid_t
child_of(struct world *w, pid_t parent)
{
	const char *path = arena_printf(w->a, "/proc/%ld/task/%ld/children", (long)parent,
	    (long)parent);
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	cr_assert(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0, "%s", path);
	close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

/* A stopped tuner would leave its values in force. */
static bool
ignores_ctrl_z(struct world *w, pid_t pid)
{
	const char *path = arena_printf(w->a, "/proc/%ld/status", (long)pid), *text, *at;
	struct err e = { ERR_NONE, "" };
	size_t len;

	cr_assert(files_read(w->a, path, 65536, &text, &len, &e), "%s", e.text);
	at = strstr(text, "SigIgn:");
	cr_assert_not_null(at);
	return (strtoull(at + strlen("SigIgn:"), NULL, 16) >> (SIGTSTP - 1) & 1) != 0;
}

Test(tune, brings_the_value_back_after_every_way_out, .timeout = 300)
{
	static const struct {
		int signal, status;
	} t[] = { { SIGINT, 5 }, { SIGTERM, 5 }, { SIGHUP, 5 }, { SIGKILL, 128 + SIGKILL } };

	for (size_t i = 0; i < NELEM(t); i++) {
		struct world w = world_new(50e6, 10, true);
		const char *before = send_knob(&w);
		struct started tuner = tune_start(&w, "--quick");
		struct said s;

		cr_assert(wait_for(&w, before, false), "signal %d: a value was set", t[i].signal);
		cr_assert(ignores_ctrl_z(&w, child_of(&w, tuner.pid)));
		kill(child_of(&w, tuner.pid), t[i].signal);
		s = program_end(w.a, tuner);
		cr_assert_eq(s.status, t[i].status, "signal %d: status %d: %s", t[i].signal, s.status,
		    s.err);
		cr_assert(wait_for(&w, before, true), "signal %d: %s", t[i].signal, send_knob(&w));
		world_end(&w);
	}
}

Test(tune, brings_the_value_back_when_its_whole_process_group_is_killed, .timeout = 100)
{
	struct world w = world_new(50e6, 10, true);
	const char *before = send_knob(&w);
	struct started tuner;
	pid_t pid;

	tuner = program_start(w.a, arena_printf(w.a, "lab exec %s a -- setsid @ tune --peer %s "
	    "--direction send --start-cc cubic --quick", w.lab, LAB_ADDRESS_B));
	cr_assert(wait_for(&w, before, false), "a value was set");
	pid = child_of(&w, tuner.pid);
	cr_assert_eq(getpgid(pid), pid, "a group of its own");
	cr_assert_eq(kill(-pid, SIGKILL), 0);
	program_end(w.a, tuner);
	cr_assert(wait_for(&w, before, true), "%s", send_knob(&w));
	world_end(&w);
}

Test(tune, brings_the_value_back_when_the_peer_is_gone, .timeout = 100)
{
	struct world w = world_new(50e6, 10, true);
	const char *before = send_knob(&w);
	struct started tuner = tune_start(&w, "--quick");
	struct said s;

	cr_assert(wait_for(&w, before, false), "a value was set");
	kill(child_of(&w, w.server.pid), SIGKILL);
	s = program_end(w.a, tuner);
	cr_expect_eq(s.status, 1, "%d: %s", s.status, s.err);
	cr_assert(knobs_same(send_knob(&w), before), "%s", send_knob(&w));
	world_end(&w);
}

/* What it has is all that it gets from now on. */
Test(tune, brings_the_value_back_when_memory_is_out, .timeout = 100)
{
	const struct rlimit none = { 4096, RLIM_INFINITY };
	struct world w = world_new(50e6, 10, true);
	const char *before = send_knob(&w);
	struct started tuner = tune_start(&w, "--quick");
	struct said s;

	cr_assert(wait_for(&w, before, false), "a value was set");
	cr_assert_eq(prlimit(child_of(&w, tuner.pid), RLIMIT_AS, &none, NULL), 0);
	s = program_end(w.a, tuner);
	cr_expect_eq(s.status, 1, "%d: %s", s.status, s.err);
	/* The second is what ASan says before we can. */
	cr_expect(strstr(s.err, "memory") != NULL || strstr(s.err, "Failed to mmap") != NULL, "%s",
	    s.err);
	cr_assert(wait_for(&w, before, true), "%s", send_knob(&w));
	world_end(&w);
}

/* The window of a terminal is closed: everything of its session is hung up. */
Test(tune, brings_the_value_back_when_its_terminal_is_gone, .timeout = 100)
{
	struct world w = world_new(50e6, 10, true);
	const char *before = send_knob(&w);
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, status;
	pid_t pid;

	cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	pid = fork();
	if (pid == 0) {
		setsid();
		slave = open(ptsname(master), O_RDWR); /* becomes the terminal of the session */
		close(master);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		execl(PATHTUNE, PATHTUNE, "lab", "exec", w.lab, "a", "--", PATHTUNE, "tune", "--peer",
		    LAB_ADDRESS_B, "--direction", "send", "--start-cc", "cubic", "--quick", (char *)NULL);
		_exit(127);
	}
	cr_assert(wait_for(&w, before, false), "a value was set");
	close(master);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(wait_for(&w, before, true), "%s", send_knob(&w));
	world_end(&w);
}

static void
set_by_somebody(struct world *w, const char *value)
{
	const char *path = arena_printf(w->a, "%s/value", w->dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert(fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value));
	close(fd);
	in_a(w, arena_printf(w->a, "cp %s /proc/sys/net/ipv4/tcp_wmem", path));
	unlink(path);
	cr_assert(knobs_same(send_knob(w), value), "%s", send_knob(w));
}

Test(tune, leaves_what_somebody_else_sets_and_says_so_whatever_ends_it, .timeout = 100)
{
	static const int signals[] = { 0, SIGINT };
	static const char value[] = "4096 16384 777777";

	for (size_t i = 0; i < NELEM(signals); i++) {
		struct world w = world_new(50e6, 10, true);
		const char *before = send_knob(&w);
		struct started tuner = tune_start(&w, "--quick");
		struct said s;

		cr_assert(wait_for(&w, before, false));
		set_by_somebody(&w, value);
		kill(child_of(&w, tuner.pid), signals[i]);
		s = program_end(w.a, tuner);
		cr_assert_eq(s.status, 1, "not all is as it was: %d, %s", s.status, s.err);
		cr_assert(strstr(s.err, "tcp_wmem: is \"4096 16384 777777\" now, which is not ours")
		    != NULL, "%s", s.err);
		cr_assert(knobs_same(send_knob(&w), value), "%s", send_knob(&w));
		world_end(&w);
	}
}

Test(tune, a_second_one_at_once_is_refused_before_it_measures, .timeout = 100)
{
	struct world w = world_new(50e6, 10, true);
	const char *before = send_knob(&w);
	struct started first = tune_start(&w, "--quick");
	struct said second;

	cr_assert(wait_for(&w, before, false));
	second = program_end(w.a, tune_start(&w, "--quick"));
	cr_assert_eq(second.status, 1, "%s", second.err);
	cr_assert(strstr(second.err, "another pathtune (process") != NULL, "%s", second.err);
	kill(child_of(&w, first.pid), SIGINT);
	cr_assert_eq(program_end(w.a, first).status, 5);
	cr_assert(wait_for(&w, before, true), "%s", send_knob(&w));
	world_end(&w);
}

/*
 * In a mount namespace of its own, with a file system of so many KiB; "Sending" begins a result.
 */
static int
tune_to_full_disk(struct world *w, unsigned kib, bool result)
{
	int status;
	pid_t pid = fork();

	cr_assert(pid >= 0);
	if (pid == 0) {
		struct said s;

		if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount("tmpfs", w->dir, "tmpfs", 0, arena_printf(w->a, "size=%uk,nr_inodes=8", kib)) != 0)
			_exit(100);
		s = program_end(w->a, tune_start(w, arena_printf(w->a, "--budget 12s --save %s/run.json",
		    w->dir)));
		_exit(s.status == 1 && strstr(s.err, "run.json") != NULL &&
		    strstr(s.err, "No space left") != NULL &&
		    (strstr(s.out, "Sending") != NULL) == result ? 0 : 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* There is room for one run file, but not for the next beside it. */
Test(tune, a_disk_that_is_full_is_an_error_at_once_and_one_that_fills_up_costs_the_file_only,
    .timeout = 100)
{
	struct world w = world_new(50e6, 10, true);
	const char *before = send_knob(&w);

	cr_assert_eq(tune_to_full_disk(&w, 4, false), 0);
	cr_assert(knobs_same(send_knob(&w), before));
	program_end(w.a, w.server);
	serve(&w);
	cr_assert_eq(tune_to_full_disk(&w, 12, true), 0);
	cr_assert(knobs_same(send_knob(&w), before));
	world_end(&w);
}

/* ---- interrupted ------------------------------------------------------------------------------ */

/* The only run file below the state of the lab, or NULL. */
static const char *
run_file(struct world *w, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	const char *path = NULL;

	while (d != NULL && path == NULL && (entry = readdir(d)) != NULL) {
		if (strstr(entry->d_name, ".json") != NULL)
			path = arena_printf(w->a, "%s/%s", dir, entry->d_name);
	}
	if (d != NULL)
		closedir(d);
	return path;
}

/* It, once a trial of this phase stands in it that was not finished. */
static const char *
file_with(struct world *w, enum trial_phase phase, struct run **run)
{
	const char *dir = arena_printf(w->a, "%s/runs", in_a(w, "printenv PATHTUNE_STATE"));
	double end = clock_s() + 5 * WAIT_S;

	for (; clock_s() < end; poll(NULL, 0, 50)) {
		const char *path = run_file(w, dir);
		const struct trial *last;

		if (path == NULL)
			continue;
		*run = load(w, path);
		last = &(*run)->trials[(*run)->n_trials - 1];
		if (last->phase == phase && last->status == TRIAL_CUT && isnan(last->goodput_bps))
			return path;
	}
	cr_assert_fail("no trial of the %s phase is on disk", trial_phase_names[phase]);
	return NULL;
}

static void
expect_same_trials(struct world *w, const struct run *early, const struct run *late)
{
	cr_assert_geq(late->n_trials, early->n_trials);
	for (size_t i = 0; i < early->n_trials; i++)
		cr_assert_str_eq(record_to_json(w->a, &trial_record, &late->trials[i], false),
		    record_to_json(w->a, &trial_record, &early->trials[i], false), "trial %zu", i);
}

static struct started
resume_start(struct world *w, const char *path, const char *flags)
{
	program_end(w->a, w->server);
	serve(w);
	return program_start(w->a, arena_printf(w->a, "lab exec %s a -- @ tune --resume %s%s", w->lab,
	    path, flags));
}

Test(tune, goes_on_after_ctrl_c_and_sigkill_with_the_coins_and_trials_that_are_on_disk,
    .timeout = 200)
{
	struct world w = world_new(400e6, 20, true);
	struct started tuner = tune_start(&w, "--quick --budget 50s");
	struct run *stopped, *killed, *whole;
	const struct trial *pair;
	const char *path;
	struct said s;

	path = file_with(&w, PHASE_PROBE, &stopped);
	kill(child_of(&w, tuner.pid), SIGINT);
	s = program_end(w.a, tuner);
	cr_assert_eq(s.status, 5, "%s", s.err);
	cr_assert(strstr(s.err, arena_printf(w.a, "go on with: pathtune tune --resume %s\n", path))
	    != NULL, "%s", s.err);
	stopped = load(&w, path);
	cr_assert_eq(stopped->trials[stopped->n_trials - 1].status, TRIAL_CUT);
	tuner = resume_start(&w, path, "");
	cr_assert_str_eq(file_with(&w, PHASE_CONFIRM, &killed), path);
	kill(child_of(&w, tuner.pid), SIGKILL);
	program_end(w.a, tuner);
	killed = load(&w, path);
	pair = &killed->trials[killed->n_trials - 1];
	cr_assert(pair->phase == PHASE_CONFIRM && (pair->coin == 0 || pair->coin == 1));
	expect_same_trials(&w, stopped, killed);
	s = program_end(w.a, resume_start(&w, path, ""));
	cr_assert_eq(s.status, 0, "%s", s.err);
	whole = load(&w, path);
	cr_assert_neq(whole->decision.verdict, VERDICT_NONE, "%s", s.out);
	expect_same_trials(&w, killed, whole);
	cr_assert_gt(whole->n_trials, killed->n_trials + 1);
	cr_assert_eq(whole->trials[killed->n_trials].block, pair->block + 1, "the pair counts");
	cr_assert_gt(whole->decision.effect.pairs, pair->block + 1);
	s = program_end(w.a, resume_start(&w, path, " --quick"));
	cr_assert(s.status == 0 && strstr(s.out, "Sending") != NULL, "%s", s.err);
	cr_assert_eq(program_run(w.a, arena_printf(w.a, "lab down %s", w.lab)).status, 0);
	world_end(&w);
}

Test(demo, tells_the_story_and_leaves_no_lab_behind, .timeout = 200)
{
	struct arena *a = arena_new();
	struct started demo = program_start(a, "demo --rate 50M --rtt 10ms --budget 12s");
	const char *lab = arena_printf(a, "demo-%ld", (long)demo.pid);
	struct said s = program_end(a, demo);

	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_assert(strstr(s.out, "Sending") != NULL && strstr(s.out, "before") != NULL, "%s", s.out);
	cr_assert(strstr(s.err, "an emulated path of 50 Mbit/s, RTT 10 ms") != NULL, "%s", s.err);
	s = program_run(a, arena_printf(a, "lab status %s", lab));
	cr_assert_str_eq(s.err, arena_printf(a, "pathtune lab: lab %s: there is none\n", lab));
	arena_free(a);
}

/* What "lab status" says of it; "" stands for nothing there. */
static bool
lab_is(struct arena *a, const char *name, const char *state)
{
	struct said s = program_run(a, arena_printf(a, "lab status %s", name));

	return strstr(*state == '\0' ? s.err : s.out, *state == '\0' ? "there is none" : state) != NULL;
}

static bool
becomes(struct arena *a, const char *name, const char *state)
{
	double end = clock_s() + WAIT_S;

	while (clock_s() < end) {
		if (lab_is(a, name, state))
			return true;
	}
	return false;
}

Test(demo, that_is_killed_leaves_a_dead_lab_which_the_next_one_removes, .timeout = 100)
{
	struct arena *a = arena_new();
	struct started first = program_start(a, "demo --rate 50M --rtt 10ms"), second;
	const char *lab = arena_printf(a, "demo-%ld", (long)first.pid);

	cr_assert(becomes(a, lab, ": up, process"));
	kill(first.pid, SIGKILL);
	program_end(a, first);
	cr_assert(becomes(a, lab, ": dead"));
	second = program_start(a, "demo --rate 50M --rtt 10ms");
	cr_expect(becomes(a, lab, ""));
	kill(second.pid, SIGINT);
	cr_expect_eq(program_end(a, second).status, 5);
	cr_expect(lab_is(a, arena_printf(a, "demo-%ld", (long)second.pid), ""));
	arena_free(a);
}

/* ---- settings that the user names ----------------------------------------------------------- */

static const char *
try_file(struct world *w, const char *text)
{
	const char *path = arena_printf(w->a, "%s/try.yaml", w->dir);
	struct err e = { ERR_NONE, "" };

	cr_assert(files_write(path, text, strlen(text), 0644, &e), "%s", e.text);
	return path;
}

Test(tune, chooses_the_named_setting_that_fills_the_path, .timeout = 100)
{
	struct world w = world_new(200e6, 20, true);
	const char *path = arena_printf(w.a, "%s/run.json", w.dir), *before = send_knob(&w);
	const char *file = try_file(&w, "direction: send\nduration: 500ms\nsettings:\n"
	    "  - name: large\n    knobs: {net.ipv4.tcp_wmem: 4096 16384 4194304}\n");
	struct said s = program_end(w.a, tune_start(&w, arena_printf(w.a,
	    "--budget 60s --try %s --save %s", file, path)));
	struct run *run;

	cr_assert_eq(s.status, 0, "%s", s.err);
	run = load(&w, path);
	cr_expect_eq(run->decision.verdict, VERDICT_CHANGE, "%s", s.out);
	cr_expect_eq(run->decision.class, CLASS_TRIED);
	cr_assert_eq(run->decision.directions[0].n_tries, 2u);
	cr_expect_eq(run->decision.directions[0].tries[1].class, TRY_BETTER);
	cr_expect_gt(run->decision.effect.low, 30);
	cr_assert_geq(run->decision.n_settings, 1u);
	cr_expect_str_eq(run->decision.settings[0].new, "4096 16384 4194304");
	cr_expect(run->n_files == 1 && strstr(s.out, "tried: large of ") != NULL, "%s", s.out);
	for (size_t i = 0; i < run->n_trials; i++)
		cr_expect(run->trials[i].try != NULL && isnan(run->trials[i].pin_bytes));
	cr_expect(knobs_same(send_knob(&w), before), "restored");
	cr_expect_str_eq(program_run(w.a, arena_printf(w.a, "show %s", path)).out, s.out);
	unlink(path);
	unlink(file);
	world_end(&w);
}

/* The matrix of 2012 with what a namespace may set of it. */
Test(tune, a_maximum_of_autotuning_is_no_gain_where_sockets_are_pinned, .timeout = 100)
{
	struct world w = world_new(20e6, 20, true);
	const char *path = arena_printf(w.a, "%s/run.json", w.dir), *before = send_knob(&w);
	const char *file = try_file(&w, "duration: 500ms\nsocket_windows: [16K, 64K]\nsettings:\n"
	    "  - name: T3\n    knobs: {net.ipv4.tcp_wmem: 4096 16384 16777216}\n");
	struct said s = program_end(w.a, tune_start(&w, arena_printf(w.a,
	    "--budget 60s --try %s --save %s", file, path)));
	const struct try_result *r;
	struct run *run;

	cr_assert_eq(s.status, 0, "%s", s.err);
	run = load(&w, path);
	cr_expect_eq(run->decision.verdict, VERDICT_KEEP, "%s", s.out);
	cr_expect_eq(run->decision.class, CLASS_NO_GAIN, "%s", s.out);
	cr_expect_eq(run->n_files, 0u);
	r = &run->decision.directions[0].tries[1];
	cr_assert_eq(r->n_strata, 2u);
	cr_expect(r->strata[0].pin_bytes == 16384 && r->strata[1].pin_bytes == 65536);
	/* At 20 ms 16 KiB make 6.5 Mbit/s, and 64 KiB fill the path. */
	cr_expect_lt(r->strata[0].goodput_bps, .8 * r->strata[1].goodput_bps, "%s", s.out);
	cr_expect(strstr(s.out, "T3 cannot act here") != NULL, "%s", s.out);
	cr_expect(strstr(s.out, "switches autotuning off") != NULL, "%s", s.out);
	cr_expect(strstr(s.out, "By socket window") != NULL, "%s", s.out);
	cr_expect(knobs_same(send_knob(&w), before), "restored");
	cr_expect_str_eq(program_run(w.a, arena_printf(w.a, "show %s", path)).out, s.out);
	unlink(path);
	unlink(file);
	world_end(&w);
}

Test(tune, ctrl_c_while_named_settings_are_tried_brings_the_value_back, .timeout = 100)
{
	struct world w = world_new(50e6, 10, true);
	const char *before = send_knob(&w);
	const char *file = try_file(&w, "settings:\n  - name: T3\n"
	    "    knobs: {net.ipv4.tcp_wmem: 4096 16384 16777216}\n");
	struct started tuner = tune_start(&w, arena_printf(w.a, "--try %s", file));
	struct said s;

	cr_assert(wait_for(&w, before, false), "a value was set");
	kill(child_of(&w, tuner.pid), SIGINT);
	s = program_end(w.a, tuner);
	cr_expect_eq(s.status, 5, "%s", s.err);
	cr_expect(wait_for(&w, before, true), "%s", send_knob(&w));
	unlink(file);
	world_end(&w);
}

/* ---- without a lab: over loopback, by somebody who may set nothing ------------------------- */

/* A copy that everybody may run, wherever this one was built. */
static const char *
public_copy(struct arena *a, const char *dir)
{
	const char *path = arena_printf(a, "%s/pathtune", dir), *text;
	struct err e = { ERR_NONE, "" };
	size_t len;

	cr_assert(chmod(dir, 0755) == 0 &&
	    files_read(a, PATHTUNE, (size_t)1 << 30, &text, &len, &e) &&
	    files_write(path, text, len, 0755, &e), "%s", e.text);
	return path;
}

/* "tune" against peer, as nobody; what it says on stdout goes to the file. */
static int
tune_as_nobody(struct arena *a, const char *program, const char *peer, const char *cap,
    const char *out)
{
	int status, fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	const char *home = arena_printf(a, "HOME=%s.d", out);
	pid_t pid = fork();

	cr_assert(fd >= 0 && pid >= 0);
	if (pid == 0) {
		char token[] = "PATHTUNE_TOKEN=" TOKEN;
		char *env[] = { token, arena_strdup(a, home), NULL };

		dup2(fd, STDOUT_FILENO);
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(100);
		execle(program, program, "tune", "--peer", peer, "--direction", "both",
		    "--budget", "12s", "--data-cap", cap, "--json", "--out",
		    "/nonexistent/below", (char *)NULL, env);
		_exit(127);
	}
	close(fd);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static double
bytes_moved(const struct run *run)
{
	double bytes = 0;

	for (size_t i = 0; i < run->n_trials; i++)
		bytes += isnan(run->trials[i].bytes) ? 0 : run->trials[i].bytes;
	return bytes;
}

Test(loopback, who_may_set_nothing_gets_an_answer_and_both_directions_share_the_cap,
    .timeout = 100)
{
	static const struct {
		const char *flag;
		double bytes;
	} caps[] = { { "10G", 10.0 * 1073741824 }, { "1200M", 1200.0 * 1048576 } };
	struct arena *a = arena_new();
	char dir[] = "/tmp/pathtune-test-XXXXXX", line[256] = "";
	const char *program, *out;

	cr_assert_not_null(mkdtemp(dir));
	program = public_copy(a, dir);
	out = arena_printf(a, "%s/run.json", dir);
	setenv("PATHTUNE_TOKEN", TOKEN, 1);
	for (size_t i = 0; i < NELEM(caps); i++) {
		struct started server = program_start(a,
		    "serve --listen 127.0.0.1 --port 0 --token-env -q --max-time 90s");
		struct err e = { ERR_NONE, "" };
		struct run run;
		unsigned port;

		cr_assert(read(server.out, line, sizeof(line)) > 0, "the server starts");
		cr_assert_eq(sscanf(line, "ready port %u", &port), 1);
		cr_assert_eq(tune_as_nobody(a, program, arena_printf(a, "127.0.0.1:%u", port),
		    caps[i].flag, out), 0);
		program_end(a, server);
		cr_assert(cmd_run_load(a, out, &run, &e), "%s", e.text);
		cr_assert_eq(run.decision.n_directions, 2u);
		cr_assert_eq(run.decision.verdict, VERDICT_KEEP);
		cr_assert(!facts_knob(&run.facts, "net.ipv4.tcp_wmem")->writable);
		cr_assert_gt(bytes_moved(&run), 1e6);
		cr_assert_lt(bytes_moved(&run), 1.05 * caps[i].bytes, "%.0f", bytes_moved(&run));
	}
	unlink(program);
	unlink(out);
	rmdir(dir);
	arena_free(a);
}
