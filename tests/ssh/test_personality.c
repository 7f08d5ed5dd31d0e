/*
 * Stock BSDs as targets, played by stand_in, which misbehaves as they do when something is set.
 */
#include "play.h"
#include "program.h"

#include "probes/guard_remote.h"
#include "probes/guard_renew.h"
#include "probes/host.h"
#include "probes/knobs.h"
#include "probes/stop.h"
#include "tuner/pipeline_knobs.h"
#include "tuner/profile.h"

#define TOKEN "0123456789abcdef0123"
#define FREEBSD TESTS_DIR "/transcripts/freebsd-14.2-em/transcript"
#define NETBSD TESTS_DIR "/transcripts/netbsd-10.1-vioif/transcript"
#define OPENBSD TESTS_DIR "/transcripts/openbsd-7.6-vio/transcript"

static struct arena *a;
static struct sshd *s;
static struct err e;
static struct host *h;
static struct pipeline p;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ 0 };
	cr_assert(stop_install());
	s = sshd_start(a);
}

static void
teardown(void)
{
	if (h != NULL)
		host_close(h);
	h = NULL;
	sshd_end(s);
	arena_free(a);
}

TestSuite(personality, .init = setup, .fini = teardown, .timeout = 200);

static void
enter(const char *file, const char *system)
{
	play_machine(s, file);
	cr_assert(host_open(a, s->name, &h, &e), "%s", e.text);
	p = (struct pipeline){ .host = h, .cmd = arena_alloc(a, sizeof(struct cmd_context)) };
	p.cmd->arena = a;
	cr_assert(profile_for(a, system, &p.profile, &e), "%s", e.text);
}

/* As the profile reads and sets it. */
static struct knob_value
knob(const char *name, const char *text)
{
	const struct knob k = { .name = name };

	return trial_knob_value(&p, &k, text);
}

static const char *
now(const char *name)
{
	struct knob_value v = knob(name, NULL);
	const char *text = "unread";

	cr_expect(knobs_read(h, a, &v, 1, &text, &e), "%s", e.text);
	return text;
}

static bool
kept(const char *name)
{
	return access(sshd_path(s, arena_printf(a, "state/%s", name)), F_OK) == 0;
}

/* It is not set, the error says this, and the value is the old one. */
static void
expect_unset(struct knob_value v, const char *old, const char *why)
{
	e = (struct err){ 0 };
	cr_expect_not(knobs_set(h, a, &v, 1, &e), "%s", v.name);
	cr_expect_not_null(strstr(e.text, why), "%s", e.text);
	e = (struct err){ 0 };
	if (old != NULL)
		cr_expect_str_eq(now(v.name), old);
}

Test(personality, freebsd_wraps_without_a_word_and_that_is_noticed_and_taken_back)
{
	struct knob_value good;

	enter(FREEBSD, "FreeBSD");
	good = knob("net.inet.tcp.sendbuf_max", "4194304");
	expect_unset(knob("net.inet.tcp.sendbuf_max", "4294967296"), "2097152",
	    "was set to \"4294967296\", reads back \"0\"; set back to \"2097152\"");
	expect_unset(knob("net.inet.tcp.sendbuf_max", "2147483648"), "2097152", "reads back \"-2147483648\"");
	expect_unset(knob("kern.ipc.maxsockbuf", "-1"), "2097152",
	    "was set to \"-1\", reads back \"18446744073709551615\"; set back to \"2097152\"");
	expect_unset(knob("net.inet.tcp.sendbuf_max", "8M"), "2097152", "invalid unsigned long '8M'");
	expect_unset(knob("kern.ipc.maxsockbuf", "2303"), "2097152", "Invalid argument");
	cr_expect(knobs_set(h, a, &good, 1, &e), "%s", e.text);
	cr_expect_str_eq(now("net.inet.tcp.sendbuf_max"), "4194304");
}

Test(personality, openbsd_says_nothing_of_what_it_does_not_know_and_that_is_an_error)
{
	struct knob_value good;

	enter(OPENBSD, "OpenBSD");
	good = knob("net.inet.tcp.sack", "0");
	expect_unset(knob("net.inet.tcp.sendspace", "65536"), NULL, "net.inet.tcp.sendspace: ");
	expect_unset(knob("net.inet.tcp.sack", "yes"), "1",
	    "was set to \"yes\", reads back \"1\"; it holds what it held before");
	cr_expect(knobs_set(h, a, &good, 1, &e), "%s", e.text);
}

Test(personality, netbsd_wants_its_flag_and_gets_it)
{
	struct knob_value v, bare;
	const char *plain[] = { "sysctl", "net.inet.tcp.sendbuf_max={value}", NULL };

	enter(NETBSD, "NetBSD");
	v = bare = knob("net.inet.tcp.sendbuf_max", "524288");
	bare.write = plain;
	expect_unset(bare, "262144", "Must specify -w to set variables");
	cr_assert(knobs_set(h, a, &v, 1, &e), "%s", e.text);
	cr_expect_str_eq(now("net.inet.tcp.sendbuf_max"), "524288");
}

/* ---- a limit below what a socket starts with -------------------------------------------------- */

/* No login, no socket any more; who is there already brings it back. */
Test(personality, a_machine_that_can_make_no_socket_is_healed_by_the_guard_that_is_there)
{
	struct knob_value old[1], small;
	struct guard_remote_spec spec = { .old = old, .n = 1, .lease_s = 15 };
	struct guard_remote *g;
	struct host *again;
	size_t healed;

	enter(FREEBSD, "FreeBSD");
	old[0] = knob("kern.ipc.maxsockbuf", "2097152");
	small = knob("kern.ipc.maxsockbuf", "65536");
	cr_assert(guard_remote_start(h, a, &spec, &g, &healed, &e), "%s", e.text);
	cr_assert(guard_remote_announce(g, a, &small, 1, &e), "%s", e.text);
	cr_assert(knobs_set(h, a, &small, 1, &e), "sysctl is content: %s", e.text);
	cr_assert(kept("no-sockets"));
	cr_expect_not(host_open(a, s->name, &again, &e), "nobody can log in");
	host_close(h); /* we are gone */
	h = NULL;
	for (int i = 0; i < 1200 && kept("no-sockets"); i++)
		usleep(50000);
	cr_expect_not(kept("no-sockets"));
	e = (struct err){ 0 };
	cr_assert(host_open(a, s->name, &h, &e), "%s", e.text);
	p.host = h;
	cr_expect_str_eq(now("kern.ipc.maxsockbuf"), "2097152");
}

/* ---- whole runs ------------------------------------------------------------------------------- */

static struct started
serve(const char **peer)
{
	struct started server = program_start(a,
	    "serve --listen 127.0.0.1 --port 0 --token-env -q --max-time 150s");
	char line[256] = "";
	unsigned port;

	cr_assert(read(server.out, line, sizeof(line) - 1) > 0, "the server starts");
	cr_assert_eq(sscanf(line, "ready port %u", &port), 1);
	*peer = arena_printf(a, "127.0.0.1:%u", port);
	return server;
}

static struct said
tune(const char *host, const char *flags)
{
	const char *peer;
	struct started server;
	struct said said;

	setenv("PATHTUNE_TOKEN", TOKEN, 1);
	server = serve(&peer);
	said = program_run(a, arena_printf(a, "tune %s%s --peer %s --direction send --no-save "
	    "--data-cap 500G %s", host, strcmp(host, "local") == 0 ? "" : " --agent " PATHTUNE, peer,
	    flags));
	program_end(a, server);
	return said;
}

static void
expect_restored(const struct transcript *t)
{
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct transcript_entry *x = &t->entries[i];
		const char *path;

		if (x->argv == NULL || strcmp(x->argv[0], "sysctl") != 0 || x->argv[2] == NULL)
			continue;
		path = arena_printf(a, "state/%s", x->argv[2]);
		if (kept(x->argv[2]))
			cr_expect_eq(strncmp(sshd_read(s, path), x->answer.text, strlen(x->answer.text)), 0,
			    "%s: %s", path, sshd_read(s, path));
	}
	cr_expect_not(kept("lethal"), "not for a moment");
	cr_expect_not(kept("pathtune/remote"));
}

#define ROUNDS(n, knobs) "duration: 500ms\nrounds: " n "\nsettings:\n  - name: T\n" \
	"    knobs: {" knobs "}\n"
#define TRY(knobs) ROUNDS("4", knobs)

Test(personality, settings_are_tried_by_ssh_and_by_a_shell_and_everything_is_as_before)
{
	const char *const hosts[] = { s->name, arena_printf(a, "via:%s", sshd_path(s, "shell")) };

	for (size_t i = 0; i < NELEM(hosts); i++) {
		const struct transcript *machine = play_machine(s, FREEBSD);
		const char *file = sshd_write(s, "try", 0644,
		    TRY("kern.ipc.maxsockbuf: 8388608, net.inet.tcp.sendbuf_max: 4194304"));
		struct said said = tune(hosts[i], arena_printf(a, "--budget 15s --try %s", file));

		cr_expect_eq(said.status, 0, "%s: %s", hosts[i], said.err);
		cr_expect(kept("net.inet.tcp.sendbuf_max"), "it was set: %s%s", said.out, said.err);
		expect_restored(machine);
		SSHD_DO("rm", "-rf", sshd_path(s, "state"));
	}
}

/* As it comes, but for a congestion control that the kernel knows which moves the bytes. */
static const char *
netbsd_cubic(const char *more)
{
	const char *path = sshd_path(s, "netbsd");

	SSHD_DO("sh", "-c", arena_printf(a, "sed '/^\\$ sysctl -n .*congctl.selected/,/^=/s/newreno/cubic/; "
	    "%s' <'" NETBSD "' >%s", more, path));
	return path;
}

/* A search as a user starts it; on loopback no window is too small. */
Test(personality, a_netbsd_is_searched)
{
	struct said said;

	play_machine(s, netbsd_cubic(""));
	said = tune(s->name, "--budget 20s");
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_not_null(strstr(said.out, "Keep the present settings: the window"), "%s", said.out);
	cr_expect_not(kept("kern.sbmax") || kept("pathtune/remote"));
}

/* A Ctrl-C as soon as the run has set this knob. */
static void
tune_until(const char *name, const char *flags)
{
	struct started server, run;
	const char *peer;
	struct said said;

	setenv("PATHTUNE_TOKEN", TOKEN, 1);
	server = serve(&peer);
	run = program_start(a, arena_printf(a, "tune %s --agent %s --peer %s --direction send --no-save "
	    "--data-cap 500G %s", s->name, PATHTUNE, peer, flags));
	for (int i = 0; i < 1200 && !kept(name); i++)
		usleep(50000);
	kill(run.pid, SIGINT);
	said = program_end(a, run);
	cr_expect_eq(said.status, 5, "%s", said.err);
	cr_expect(kept(name), "%s", said.err);
	program_end(a, server);
}

/* With buffers that might be the limit even there: what the search tries is gone with a Ctrl-C. */
Test(personality, a_netbsd_is_as_before_when_its_search_is_stopped)
{
	static const char small[] = "/^\\$ sysctl -n .*\\(sbmax\\|buf_max\\)/,/^=/s/262144/4096/; "
	    "/^\\$ sysctl -n .*space/,/^=/s/32768/1024/";
	const struct transcript *machine = play_machine(s, netbsd_cubic(small));

	tune_until("net.inet.tcp.sendbuf_max", "");
	cr_expect(kept("kern.sbmax"));
	expect_restored(machine);
}

/* This machine is the one of the transcript, for the rest of the test. */
static void
be(const char *file)
{
	const struct transcript *t = play_machine(s, file);

	SSHD_DO("mkdir", "-p", sshd_path(s, "sbin"));
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct transcript_entry *x = &t->entries[i];

		if (x->argv != NULL && strchr(x->argv[0], '/') == NULL &&
		    access(sshd_path(s, arena_printf(a, "bin/%s", x->argv[0])), X_OK) == 0)
			sshd_write(s, arena_printf(a, "sbin/%s", x->argv[0]), 0755, arena_printf(a,
			    "#!/bin/sh\nexport STAND_IN='%s' STAND_IN_STATE=%s/state\nexec %s/bin/%s \"$@\"\n",
			    file, s->dir, s->dir, x->argv[0]));
	}
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount(sshd_path(s, "sbin"), "/usr/local/sbin", NULL, MS_BIND, NULL), 0);
	setenv("PATHTUNE_STATE", sshd_path(s, "here"), 1);
}

static void
expect_journals_gone(void)
{
	SSHD_DO("sh", "-c", arena_printf(a, "for i in %s/journal-*; do [ ! -e \"$i\" ] || exit 1; done",
	    sshd_path(s, "here")));
}

Test(personality, this_machine_as_a_bsd_is_tuned_and_as_before)
{
	const struct transcript *machine = play_transcript(s, FREEBSD);
	const char *file = sshd_write(s, "try", 0644, ROUNDS("2", "kern.ipc.maxsockbuf: 8388608"));
	struct said said;

	be(FREEBSD);
	said = tune("local", arena_printf(a, "--budget 15s --try %s", file));
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect(kept("kern.ipc.maxsockbuf"), "%s", said.out);
	expect_restored(machine);
	expect_journals_gone();
}

Test(personality, a_killed_run_on_this_machine_as_a_bsd_leaves_it_as_it_was)
{
	const char *netbsd = netbsd_cubic("");
	const struct transcript *machine = play_transcript(s, netbsd);
	const char *file = sshd_write(s, "try", 0644, TRY("kern.sbmax: 1048576")), *peer;
	struct started server, run;

	be(netbsd);
	setenv("PATHTUNE_TOKEN", TOKEN, 1);
	server = serve(&peer);
	run = program_start(a, arena_printf(a, "tune local --peer %s --direction send --no-save --try %s",
	    peer, file));
	for (int i = 0; i < 1200 && !kept("kern.sbmax"); i++)
		usleep(50000);
	kill(run.pid, SIGKILL);
	cr_expect(kept("kern.sbmax"), "a value was set: %s", program_end(a, run).err);
	for (int i = 0; i < 200 && strncmp(sshd_read(s, "state/kern.sbmax"), "262144", 6) != 0; i++)
		usleep(50000);
	expect_restored(machine);
	program_end(a, server);
}

/* The guard is what is left when it happened all the same: it is not what is relied upon. */
Test(personality, what_would_leave_no_socket_is_refused_before_the_write)
{
	static const char *const files[][2] = {
		{ FREEBSD, TRY("kern.ipc.maxsockbuf: 65536") },
		{ FREEBSD, TRY("net.inet.tcp.sendspace: 2097152") },
		{ NETBSD, TRY("kern.sbmax: 16384") },
		{ NETBSD, TRY("net.inet.tcp.recvspace: 262144") },
	};

	for (size_t i = 0; i < NELEM(files); i++) {
		const char *file = sshd_write(s, "try", 0644, files[i][1]);
		struct said said;

		play_machine(s, files[i][0]);
		said = tune(s->name, arena_printf(a, "--try %s", file));
		cr_expect_eq(said.status, 2, "%zu: %s", i, said.err);
		cr_expect_not_null(strstr(said.err, "try:4: T: "), "%s", said.err);
		cr_expect_not_null(strstr(said.err, ": lethal: "), "%s", said.err);
		cr_expect_not(kept("lethal") || kept("kern.ipc.maxsockbuf") || kept("kern.sbmax"));
		SSHD_DO("rm", "-rf", sshd_path(s, "state"));
	}
}

/* In the order of the file it would be, for a moment. */
Test(personality, the_limit_goes_first_wherever_a_file_names_it)
{
	const struct transcript *machine = play_machine(s, FREEBSD);
	const char *file = sshd_write(s, "try", 0644,
	    TRY("net.inet.tcp.sendspace: 4194304, kern.ipc.maxsockbuf: 16777216"));

	tune_until("net.inet.tcp.sendspace", arena_printf(a, "--try %s", file));
	expect_restored(machine);
}

Test(personality, a_killed_run_leaves_a_bsd_as_it_was)
{
	const struct transcript *machine = play_machine(s, FREEBSD);
	const char *file = sshd_write(s, "try", 0644, TRY("kern.ipc.maxsockbuf: 8388608"));
	const char *peer;
	struct started server, run;

	setenv("PATHTUNE_TOKEN", TOKEN, 1);
	server = serve(&peer);
	run = program_start(a, arena_printf(a, "tune %s --agent %s --peer %s --direction send --no-save "
	    "--lease 10s --try %s", s->name, PATHTUNE, peer, file));
	for (int i = 0; i < 1200 && !kept("kern.ipc.maxsockbuf"); i++)
		usleep(50000);
	kill(run.pid, SIGKILL);
	cr_expect(kept("kern.ipc.maxsockbuf"), "a value was set: %s", program_end(a, run).err);
	for (int i = 0; i < 1200 && kept("pathtune/remote"); i++)
		usleep(50000);
	expect_restored(machine);
	program_end(a, server);
}
