/*
 * Labs on this machine's kernel: what they carry, and what they leave alone.
 *
 * needs: ipv6
 */
#include "probes/lab.h"
#include "probes/lab_health.h"
#include "probes/lab_ns.h"
#include "probes/lab_state.h"
#include "probes/stop.h"
#include "../unit/program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#define PORT 5001
#define PAYLOAD ((size_t)1024 * 1024)

/* Tests run side by side, each with labs of its own names. */
static const char *one, *two, *base;
static struct arena *arena;

static void
begin(void)
{
	struct err e = { 0 };
	int fd;

	arena = arena_new();
	cr_assert(state_base(arena, true, &base, &fd, &e), "%s", e.text);
	close(fd);
	one = arena_printf(arena, "test-one-%ld", (long)getpid());
	two = arena_printf(arena, "test-two-%ld", (long)getpid());
}

static void
end(void)
{
	lab_down(arena, one, NULL);
	lab_down(arena, two, NULL);
	arena_free(arena);
}

/* Start the program; ONE and TWO in the line are the names. */
static struct started
start(const char *line)
{
	struct text t = { .arena = arena };

	for (; *line != '\0'; line++) {
		bool name = strncmp(line, "ONE", 3) == 0 || strncmp(line, "TWO", 3) == 0;

		text_add(&t, "%.*s", name ? 64 : 1, !name ? line : *line == 'O' ? one : two);
		line += name ? 2 : 0;
	}
	return program_start(arena, t.s);
}

static struct said
run(const char *line)
{
	return program_end(arena, start(line));
}

/* A path in the state of the first lab. */
static const char *
state_path(const char *file)
{
	return arena_printf(arena, "%s/%s%s", base, one, file);
}

TestSuite(lab, .init = begin, .fini = end);

static struct lab_spec
spec(const char *name, double rtt_ms)
{
	struct lab_spec s = lab_default();

	s.name = name;
	s.rtt_ms = rtt_ms;
	s.tied = true; /* should the test crash */
	return s;
}

static void
up(const struct lab_spec *s)
{
	struct err e = { 0 };
	const char *cc;

	cr_assert(lab_up(arena, s, &cc, &e), "%s", e.text);
}

static bool
exists(const char *name)
{
	struct stat st;

	return lstat(arena_printf(arena, "%s/%s", base, name), &st) == 0;
}

static const struct lab_info *
find(const char *name)
{
	struct lab_info *labs;
	struct err e = { 0 };
	size_t n;

	cr_assert(lab_list(arena, name, &labs, &n, &e), "%s", e.text);
	cr_assert(n == 0 || (n == 1 && strcmp(labs[0].name, name) == 0));
	return n == 0 ? NULL : &labs[0];
}

/* The owner dies as after a crash; not our child, so watch it through its descriptor. */
static void
kill_owner(const char *name)
{
	struct lab_state *s;
	struct pollfd p = { .events = POLLIN };
	struct err e = { 0 };

	cr_assert(state_find(arena, name, &s, NULL, &p.fd, &e), "%s", e.text);
	cr_assert(kill((pid_t)s->owner, SIGKILL) == 0);
	cr_assert_eq(poll(&p, 1, -1), 1);
	close(p.fd);
}

/* A process on one side of a lab: what it writes to the pipe is ours to read. */
static pid_t
fork_in(const char *name, unsigned side, int *from)
{
	struct lab_state *s;
	struct err e = { 0 };
	int fd[2];
	pid_t pid;

	cr_assert(state_find(arena, name, &s, NULL, NULL, &e), "%s", e.text);
	cr_assert(pipe(fd) == 0);
	pid = fork();
	if (pid == 0) {
		if (!ns_enter((pid_t)s->owner, (int)s->net[side], s->user, &e))
			_exit(1);
		close(fd[0]);
	} else
		close(fd[1]);
	*from = pid == 0 ? fd[1] : fd[0];
	return pid;
}

static socklen_t
address(bool v6, struct sockaddr_storage *out)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };

	inet_pton(AF_INET, LAB_ADDRESS_B, &a4.sin_addr);
	inet_pton(AF_INET6, LAB_ADDRESS6_B, &a6.sin6_addr);
	if (v6)
		memcpy(out, &a6, sizeof(a6));
	else
		memcpy(out, &a4, sizeof(a4));
	return v6 ? sizeof(a6) : sizeof(a4);
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Nobody listens: the refusal is back after one RTT. */
static double
refusal_ms(const char *name, bool v6)
{
	struct sockaddr_storage to;
	socklen_t len = address(v6, &to);
	double ms = -1;
	int fd;
	pid_t pid = fork_in(name, 0, &fd);

	if (pid == 0) {
		int s = socket(to.ss_family, SOCK_STREAM, 0);
		double began = now_ms();

		if (connect(s, (struct sockaddr *)&to, len) < 0 && errno == ECONNREFUSED)
			ms = now_ms() - began;
		_exit(write(fd, &ms, sizeof(ms)) < 0);
	}
	cr_assert_eq(read(fd, &ms, sizeof(ms)), (ssize_t)sizeof(ms));
	close(fd);
	waitpid(pid, NULL, 0);
	return ms;
}

Test(lab, a_path_has_the_rtt_that_was_asked_and_leaves_nothing_behind)
{
	struct lab_spec s = spec(one, 40);
	struct err e = { 0 };

	up(&s);
	cr_assert(find(one)->alive);
	cr_assert(refusal_ms(one, false) >= 40);
	cr_assert(refusal_ms(one, true) >= 40);
	cr_assert(lab_down(arena, one, &e), "%s", e.text);
	cr_assert_not(exists(one));
	cr_assert_null(find(one));
}

static unsigned char
pattern(size_t i)
{
	return (unsigned char)(i * 31 + i / 4093);
}

static void
send_pattern(bool v6)
{
	unsigned char *data = malloc(PAYLOAD);
	struct sockaddr_storage to;
	socklen_t len = address(v6, &to);
	int s = socket(to.ss_family, SOCK_STREAM, 0);

	for (size_t i = 0; i < PAYLOAD; i++)
		data[i] = pattern(i);
	if (connect(s, (struct sockaddr *)&to, len) < 0)
		_exit(1);
	for (size_t done = 0; done < PAYLOAD;) {
		ssize_t n = write(s, data + done, PAYLOAD - done);

		if (n < 0)
			_exit(2);
		done += (size_t)n;
	}
	_exit(0);
}

/* Says 'r' when it listens, then whether all came as it was sent. */
static void
receive_pattern(bool v6, int report)
{
	struct sockaddr_storage to;
	socklen_t len = address(v6, &to);
	int yes = 1, s = socket(to.ss_family, SOCK_STREAM, 0), c;
	unsigned char buf[65536];
	size_t got = 0;
	ssize_t n;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(s, (struct sockaddr *)&to, len) < 0 || listen(s, 1) < 0 ||
	    write(report, "r", 1) != 1 || (c = accept(s, NULL, NULL)) < 0)
		_exit(1);
	while ((n = read(c, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != pattern(got++))
				_exit(2);
	_exit(write(report, got == PAYLOAD ? "y" : "n", 1) < 0);
}

Test(lab, what_is_sent_over_a_lossy_path_arrives_unchanged)
{
	struct lab_spec s = spec(one, 2);
	struct lab_stats stats[2];
	struct err e = { 0 };

	for (int d = 0; d < 2; d++) {
		s.link[d].loss_model = LOSS_BERNOULLI;
		s.link[d].loss = .02;
		s.link[d].jitter_ms = .5;
	}
	up(&s);
	for (int v6 = 0; v6 < 2; v6++) {
		int report, unused;
		pid_t receiver = fork_in(one, 1, &report), sender;
		char c = 0;

		if (receiver == 0)
			receive_pattern(v6, report);
		cr_assert(read(report, &c, 1) == 1 && c == 'r');
		sender = fork_in(one, 0, &unused);
		if (sender == 0)
			send_pattern(v6);
		cr_assert(read(report, &c, 1) == 1 && c == 'y', "IPv%d", v6 ? 6 : 4);
		close(report);
		close(unused);
		waitpid(sender, NULL, 0);
		waitpid(receiver, NULL, 0);
	}
	cr_assert(lab_stats(arena, one, stats, &e), "%s", e.text);
	cr_assert(stats[0].bytes_in > 2 * PAYLOAD);
	cr_assert(stats[0].dropped_loss > 0 && stats[1].segments_out > 0);
	cr_assert_eq(stats[0].segments_in, stats[0].segments_out + stats[0].dropped_loss +
	    stats[0].dropped_queue);
}

Test(lab, two_labs_live_side_by_side)
{
	struct lab_spec first = spec(one, 10), second = spec(two, 60);
	struct err e = { 0 };

	up(&first);
	up(&second);
	cr_assert(refusal_ms(one, false) >= 10);
	cr_assert(refusal_ms(two, false) >= 60);
	cr_assert(lab_down(arena, one, &e), "%s", e.text);
	cr_assert_not(exists(one));
	cr_assert(refusal_ms(two, false) >= 60, "the other goes on");
}

Test(lab, one_that_lives_is_not_made_again)
{
	struct lab_spec s = spec(one, 10);
	struct err e = { 0 };
	const char *cc;
	pid_t owner;

	up(&s);
	owner = find(one)->owner;
	cr_assert_not(lab_up(arena, &s, &cc, &e));
	cr_assert(strstr(e.text, "already up") != NULL, "%s", e.text);
	cr_assert(find(one)->alive && find(one)->owner == owner);
}

Test(lab, a_dead_one_is_removed_by_up_and_down_of_its_name_only)
{
	struct lab_spec first = spec(one, 10), second = spec(two, 20);
	struct lab_stats stats[2];
	struct err e = { 0 };

	up(&first);
	up(&second);
	kill_owner(one);
	kill_owner(two);
	cr_assert_not(find(one)->alive);
	cr_assert_not(lab_stats(arena, one, stats, &e));
	cr_assert(strstr(e.text, "dead") != NULL, "%s", e.text);
	up(&first);
	cr_assert(find(one)->alive);
	cr_assert_not(find(two)->alive, "only its own name");
	e = (struct err){ 0 };
	cr_assert(lab_down(arena, two, &e), "%s", e.text);
	cr_assert_not(exists(two));
	cr_assert(find(one)->alive);
}

/* Another process has the number now: started at another time, or so after another boot. */
Test(lab, a_process_with_the_owners_number_is_not_killed)
{
	struct lab_spec s = spec(one, 10);

	for (int rebooted = 0; rebooted < 2; rebooted++) {
		struct lab_state *state;
		struct err e = { 0 };
		pid_t other;
		int dir;

		up(&s);
		cr_assert(state_find(arena, one, &state, NULL, NULL, &e));
		kill_owner(one);
		other = fork();
		if (other == 0)
			for (;;)
				pause();
		state->owner = other;
		if (rebooted) {
			state->boot = "00000000-0000-0000-0000-000000000000";
			cr_assert(state_start_time(other, &state->owner_start));
		}
		dir = open(state_path(""), O_RDONLY | O_DIRECTORY);
		cr_assert(state_write(arena, dir, state, &e), "%s", e.text);
		close(dir);
		cr_assert(lab_down(arena, one, &e), "%s", e.text);
		cr_assert_not(exists(one));
		cr_assert_eq(waitpid(other, NULL, WNOHANG), 0, "still there");
		kill(other, SIGKILL);
		waitpid(other, NULL, 0);
	}
}

Test(lab, a_link_in_place_of_the_state_is_not_followed)
{
	struct lab_spec s = spec(one, 10);
	char target[] = "/tmp/test-lab-XXXXXX";
	struct err e = { 0 };
	const char *cc, *file;

	cr_assert(mkdtemp(target) != NULL);
	file = arena_printf(arena, "%s/state.json", target);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	cr_assert(symlink(target, state_path("")) == 0);
	cr_assert_not(lab_down(arena, one, &e));
	cr_assert(strstr(e.text, "not a directory") != NULL, "%s", e.text);
	cr_assert_not(lab_up(arena, &s, &cc, NULL));
	cr_assert(access(file, F_OK) == 0);
	unlink(state_path(""));
	unlink(file);
	rmdir(target);
}

Test(lab, only_what_is_the_labs_is_removed)
{
	struct lab_spec s = spec(one, 10);
	const char *strange = state_path("/strange");
	struct err e = { 0 };

	up(&s);
	close(open(state_path("/journal/1"), O_CREAT | O_WRONLY, 0600));
	close(open(strange, O_CREAT | O_WRONLY, 0600));
	cr_assert_not(lab_down(arena, one, &e));
	cr_assert(e.code == ERR_FAILED && access(strange, F_OK) == 0);
	unlink(strange);
	e = (struct err){ 0 };
	cr_assert(lab_down(arena, one, &e), "%s", e.text);
	cr_assert_not(exists(one));
}

Test(lab, a_damaged_state_is_an_error_that_names_the_file)
{
	struct lab_spec s = spec(one, 10);
	static const char *const damage[] = { "", "{", "{\"owner\": 1}", "[]" };

	up(&s);
	kill_owner(one);
	for (size_t i = 0; i < NELEM(damage); i++) {
		struct err e = { 0 };
		int fd = open(state_path("/state.json"), O_WRONLY | O_TRUNC);

		cr_assert_eq(write(fd, damage[i], strlen(damage[i])), (ssize_t)strlen(damage[i]));
		close(fd);
		cr_assert_not(lab_down(arena, one, &e), "%s", damage[i]);
		cr_assert(strstr(e.text, "state.json") != NULL, "%s", e.text);
	}
	unlink(state_path("/state.json"));
	cr_assert(lab_down(arena, one, NULL), "never finished: nothing to ask");
}

Test(lab, a_damaged_one_is_in_nobody_elses_way)
{
	struct lab_spec s = spec(one, 10);
	struct said said;

	up(&s);
	kill_owner(one);
	cr_assert_eq(truncate(state_path("/state.json"), 1), 0);
	said = run("lab up TWO --rtt 10ms");
	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_assert(strstr(said.out, "up, process") != NULL, "%s", said.out);
	said = run("lab status TWO");
	cr_assert_eq(said.status, 0, "%s", said.err);
	said = run("lab status");
	cr_assert_eq(said.status, 1);
	cr_assert(strstr(said.err, "state.json") != NULL, "%s", said.err);
	cr_assert(strstr(said.out, arena_printf(arena, "%s: damaged\n", one)) != NULL &&
	    strstr(said.out, arena_printf(arena, "%s: up, process", two)) != NULL, "%s", said.out);
	said = run("lab status --json");
	cr_assert(said.status == 1 && strstr(said.out, "\"damage\": \"lab ") != NULL &&
	    strstr(said.out, arena_printf(arena, "\"%s\"", two)) != NULL, "%s", said.out);
	unlink(state_path("/state.json"));
}

static void
make_and_wait(const struct lab_spec *s, int say)
{
	struct err e = { 0 };
	const char *cc;

	if (!lab_up(arena, s, &cc, &e) || write(say, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* As if its host had taken half of the machine since the lab was made, 100 s ago. */
static void
rob(const char *name)
{
	struct cpu_time now = health_cpu_now();
	struct lab_state *s;
	struct err e = { 0 };
	int dir;

	cr_assert(state_find(arena, name, &s, NULL, NULL, &e), "%s", e.text);
	s->cpu_total_s = now.total_s - 100;
	s->cpu_stolen_s = now.stolen_s - 50;
	dir = open(state_path(""), O_RDONLY | O_DIRECTORY);
	cr_assert(state_write(arena, dir, s, &e), "%s", e.text);
	close(dir);
}

Test(lab, status_and_stats_tell_of_a_machine_that_was_too_busy)
{
	static const char *const lines[] = { "lab status ONE", "lab stats ONE",
		"lab status ONE --json", "lab stats ONE --json" };
	struct lab_spec s = spec(one, 10);

	up(&s);
	rob(one);
	for (size_t i = 0; i < NELEM(lines); i++) {
		struct said said = run(lines[i]);

		cr_expect_eq(said.status, 0, "%s", said.err);
		cr_expect(strstr(said.out, "% of its processor time to its host: figures of this lab "
		    "are the machine's") != NULL, "%s: %s", lines[i], said.out);
	}
}

/* A process makes it and is killed. */
static void
leave(struct lab_spec s, bool tied)
{
	struct lab_state *state;
	struct pollfd p = { .events = POLLIN };
	struct err e = { 0 };
	int fd[2];
	pid_t pid;
	char c;

	s.tied = tied;
	cr_assert_eq(pipe(fd), 0);
	pid = fork();
	if (pid == 0)
		make_and_wait(&s, fd[1]);
	close(fd[1]);
	cr_assert_eq(read(fd[0], &c, 1), 1);
	close(fd[0]);
	cr_assert(state_find(arena, s.name, &state, NULL, &p.fd, &e), "%s", e.text);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (tied)
		cr_assert_eq(poll(&p, 1, 10000), 1, "the owner ends too");
	close(p.fd);
	cr_assert_eq(find(s.name)->alive, !tied);
}

Test(lab, only_a_tied_one_ends_with_its_maker)
{
	leave(spec(one, 10), true);
	leave(spec(two, 10), false);
	cr_assert(refusal_ms(two, false) >= 10, "it still carries");
}

Test(lab, a_sweep_takes_dead_ones_of_its_prefix_and_leaves_all_others)
{
	const char *prefix = arena_printf(arena, "sweep-%ld-", (long)getpid());
	struct lab_spec dead = spec(one = arena_printf(arena, "%s1", prefix), 10);
	struct lab_spec alive = spec(two = arena_printf(arena, "%s2", prefix), 10);
	const char *others[] = { arena_printf(arena, "%s", prefix), arena_printf(arena, "%s3x", prefix),
		arena_printf(arena, "x%s3", prefix), arena_printf(arena, "%s3", prefix) };

	for (size_t i = 0; i < NELEM(others); i++)
		leave(spec(others[i], 10), true);
	cr_assert_eq(truncate(arena_printf(arena, "%s/%s/state.json", base, others[3]), 1), 0);
	leave(dead, true);
	up(&alive);
	cr_assert_eq(lab_sweep(arena, prefix), 1u);
	cr_assert_not(exists(one));
	cr_assert(find(two)->alive);
	for (size_t i = 0; i < NELEM(others); i++) {
		cr_assert(exists(others[i]), "%s", others[i]);
		unlink(arena_printf(arena, "%s/%s/state.json", base, others[i]));
		lab_down(arena, others[i], NULL);
	}
}

static void
ignore(int sig)
{
	(void)sig;
}

/* A signal that interrupts every wait: neither making nor removing may take it for the end. */
Test(lab, interrupted_waits_go_on)
{
	struct sigaction sa = { .sa_handler = ignore };
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct lab_spec s = spec(one, 10);

	cr_assert_eq(sigaction(SIGALRM, &sa, NULL), 0);
	for (int i = 0; i < 5; i++) {
		struct err e = { 0 };
		const char *cc;

		setitimer(ITIMER_REAL, &often, NULL);
		cr_expect(lab_up(arena, &s, &cc, &e), "%s", e.text);
		cr_expect(lab_down(arena, one, &e), "%s", e.text);
		setitimer(ITIMER_REAL, &never, NULL);
		cr_assert_not(exists(one));
	}
}

Test(lab, a_stop_leaves_nothing_and_does_not_keep_a_lab_from_being_removed)
{
	struct lab_spec first = spec(one, 10), second = spec(two, 10);
	struct err e = { 0 };
	const char *cc;

	up(&first);
	cr_assert(stop_install());
	raise(SIGINT);
	cr_assert_not(lab_up(arena, &second, &cc, &e));
	cr_assert_eq(e.code, ERR_STOPPED, "%s", e.text);
	cr_assert_not(exists(two));
	e = (struct err){ 0 };
	cr_assert(lab_down(arena, one, &e), "%s", e.text);
	cr_assert_not(exists(one));
}

/* ---- as a user ------------------------------------------------------------------------------- */

Test(lab, exec_is_the_command_in_its_place)
{
	const char *journal = arena_printf(arena, "%s\n", state_path("/journal"));
	const struct {
		const char *line;
		int status;
		const char *out;
	} cases[] = {
		{ "lab exec ONE a -- true", 0, "" },
		{ "lab exec ONE b false", 1, "" },
		{ "lab exec ONE a -- sh -c exit\t7", 7, "" },
		{ "lab exec ONE a -- sh -c kill\t-9\t$$", 137, "" },
		{ "lab exec ONE a -- printenv PATHTUNE_STATE", 0, journal },
		{ "lab exec ONE a -- cat /proc/sys/net/ipv4/tcp_rmem", 0,
		    "4096\t131072\t262144\n" },
		{ "lab exec ONE b -- cat /proc/sys/net/ipv4/tcp_wmem", 0,
		    "4096\t16384\t67108864\n" },
		{ "lab exec ONE a -- cat /sys/class/net/path0/mtu", 0, "1400\n" },
		{ "lab exec ONE a -- /nowhere/nothing", 1, "" },
		{ "lab exec TWO a -- true", 1, "" },
		{ "lab exec ONE c -- true", 2, "" },
		{ "lab exec ONE a --", 2, "" },
	};
	struct said said;

	said = run("lab up ONE --mtu 1400 --rtt 10ms --start bsd-256k --open-peer");
	cr_assert_eq(said.status, 0, "%s", said.err);
	for (size_t i = 0; i < NELEM(cases); i++) {
		said = run(cases[i].line);
		cr_assert_eq(said.status, cases[i].status, "%s: %d %s", cases[i].line, said.status,
		    said.err);
		cr_assert_str_eq(said.out, cases[i].out, "%s", cases[i].line);
	}
}

Test(lab, exec_ends_when_the_owner_dies)
{
	struct lab_spec s = spec(one, 10);
	struct started running;
	struct said said;
	char c = 0;

	up(&s);
	running = start("lab exec ONE a -- sh -c echo;exec\tcat\t/dev/zero");
	cr_assert_eq(read(running.out, &c, 1), 1); /* it runs, and waits for us to read on */
	kill_owner(one);
	said = program_end(arena, running);
	cr_assert_eq(said.status, 1);
	cr_assert(strstr(said.err, "owner") != NULL, "%s", said.err);
}

Test(lab, exec_passes_a_signal_on)
{
	struct lab_spec s = spec(one, 10);
	struct started running;
	char c = 0;

	up(&s);
	running = start("lab exec ONE a -- sh -c echo;exec\tcat\t/dev/zero");
	cr_assert_eq(read(running.out, &c, 1), 1);
	kill(running.pid, SIGTERM);
	cr_assert_eq(program_end(arena, running).status, 128 + SIGTERM);
}

Test(lab, bad_input_is_one_error_and_makes_nothing)
{
	static const char *const lines[] = {
		"lab", "lab sideways", "lab up ONE extra", "lab up ../ONE",
		"lab up ONE --rate 10X", "lab up ONE --rate 1M --rate-ab 2M",
		"lab up ONE --loss 1% --loss-ge .1,.2,.3", "lab up ONE --rtt 0ms",
		"lab up ONE --queue -5", "lab up ONE --start windows",
		"lab up ONE --mtu 99999", "lab up ONE --seed 1.5", "lab up ONE --police 0",
		"lab up ONE --loss 101%", "lab up ONE --nothing",
	};

	for (size_t i = 0; i < NELEM(lines); i++) {
		struct said said = run(lines[i]);
		const char *newline = strchr(said.err, '\n');

		cr_assert_eq(said.status, 2, "%s: %d %s", lines[i], said.status, said.err);
		cr_assert(newline != NULL && newline[1] == '\0', "%s: %s", lines[i], said.err);
		cr_assert_not(exists(one), "%s", lines[i]);
	}
}

Test(lab, status_and_stats_are_json_when_asked)
{
	struct lab_spec s = spec(one, 10);
	struct said said;

	up(&s);
	said = run("lab status ONE --json");
	cr_assert(said.status == 0 && strstr(said.out, "\"rtt_ms\": 10,") != NULL, "%s%s", said.out,
	    said.err);
	said = run("lab stats ONE --json");
	cr_assert(said.status == 0 && strstr(said.out, "\"segments_in\": 0,") != NULL, "%s%s",
	    said.out, said.err);
	cr_assert_eq(run("lab down ONE").status, 0);
	cr_assert_eq(run("lab status ONE").status, 1);
	cr_assert_eq(run("lab down ONE").status, 1);
}
