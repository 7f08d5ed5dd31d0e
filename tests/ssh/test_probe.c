/*
 * The commands on an ssh:// host: a Linux of flesh and blood, and machines played by their
 * transcripts.
 */
#include "sshd.h"

#include "play.h"
#include "program.h"

static struct arena *a;
static struct sshd *s;

static void
setup(void)
{
	a = arena_new();
	s = sshd_start(a);
}

static void
teardown(void)
{
	sshd_end(s);
	arena_free(a);
}

TestSuite(ssh_probe, .init = setup, .fini = teardown);

#define play(file) play_machine(s, file)

static struct said
run(const char *fmt, ...)
{
	va_list ap;
	char *line;

	va_start(ap, fmt);
	line = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return program_run(a, line);
}

/* What no transcript has is a command that is missing there. */
static const char *
as_recorded(const char *out)
{
	static const char is[] = "ping: not found", becomes[] = "not asked when this was recorded";
	const char *at = strstr(out, is);

	return at == NULL ? out : arena_printf(a, "%.*s%s%s", (int)(at - out), out, becomes,
	    at + strlen(is));
}

Test(ssh_probe, a_machine_over_ssh_is_the_same_as_its_recording)
{
	static const char *const machines[] = { "freebsd-14.2-em", "netbsd-10.1-vioif",
		"openbsd-7.6-vio", "dragonfly-6.4-em", "linux-6.1-e1000" };
	struct said there, replayed;
	const struct transcript *t;
	const char *ping;

	for (size_t i = 0; i < NELEM(machines); i++) {
		t = play(arena_printf(a, TESTS_DIR "/transcripts/%s/transcript", machines[i]));
		ping = t->path.peer == NULL ? "" : arena_printf(a, "--ping %s", t->path.peer);
		there = run("probe %s --json %s", s->name, ping);
		replayed = run("probe replay:" TESTS_DIR "/transcripts/%s --json %s", machines[i], ping);
		cr_expect_eq(there.status, 0, "%s: %s", machines[i], there.err);
		cr_expect_str_eq(as_recorded(there.out), replayed.out, "%s\n%s", machines[i], there.out);
	}
}

/* Without the time at which the fragment was written. */
static const char *
timeless(const char *out)
{
	const char *at = strstr(out, "Written by pathtune ");

	cr_assert_not_null(at, "%s", out);
	return arena_printf(a, "%.*s%s", (int)(at - out), out, at + strcspn(at, "\n"));
}

Test(ssh_probe, advice_over_ssh_is_the_same_as_from_its_recording)
{
	struct said there, replayed;

	play(TESTS_DIR "/transcripts/freebsd-14.2-em/transcript");
	there = run("advise %s --rtt 209ms --rate 600M", s->name);
	replayed = run("advise replay:" TESTS_DIR "/transcripts/freebsd-14.2-em --rtt 209ms --rate 600M");
	cr_expect_eq(there.status, 0, "%s", there.err);
	cr_expect_str_eq(timeless(there.out), timeless(replayed.out));
	cr_expect_not_null(strstr(there.out, "kern.ipc.maxsockbuf"));
}

Test(ssh_probe, this_machine_by_ssh_knows_its_system)
{
	struct said said = run("probe %s", s->name);

	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_eq(strncmp(said.out, "system       Linux ", 19), 0, "%s", said.out);
	cr_expect_not_null(strstr(said.out, "net.ipv4.tcp_rmem"));
	cr_expect_null(strstr(sshd_read(s, "log"), "fatal"));
}

Test(ssh_probe, what_a_host_says_commands_no_terminal)
{
	struct said said;

	sshd_write(s, "transcript", 0644, "# pathtune transcript 1\n$ uname -s\n|FreeBSD\n= 0\n"
	    "$ uname -r\n|14.2\\x1b]0;owned\\x07-\\x1b[2J\\xc2\\x9b31m\n= 0\n"
	    "$ sysctl -n hw.physmem\n!no \\x1b[5m such\n= 1\n# end 3\n");
	play(sshd_path(s, "transcript"));
	for (size_t i = 0; i < 3; i++) {
		said = run(i == 0 ? "probe %s" : i == 1 ? "probe %s --json" :
		    "advise %s --rtt 10ms --rate 1G", s->name); /* such a release is none */
		cr_expect_eq(said.status, i < 2 ? 0 : 2, "%s", said.err);
		cr_expect_null(strpbrk(said.out, "\033\007"), "%zu: %s", i, said.out);
		cr_expect_null(strpbrk(said.err, "\033\007"), "%zu: %s", i, said.err);
		cr_expect_null(strstr(said.out, "\302\233"), "%zu", i);
	}
}

Test(ssh_probe, a_recording_tells_neither_user_nor_host)
{
	struct said said, replayed;
	const char *text;

	sshd_write(s, "transcript", 0644, "# pathtune transcript 1\n$ uname -s\n|FreeBSD\n= 0\n"
	    "$ uname -r\n|14.2-RELEASE\n= 0\n$ uname -n\n|db7.corp.example\n= 0\n"
	    "$ kldstat\n|built by carol@box.corp.example for db7 and box at 10.1.2.3\n= 0\n# end 4\n");
	play(sshd_path(s, "transcript"));
	sshd_write(s, "config", 0600, arena_printf(a, "Host box.corp.example\n HostName 127.0.0.1\n"
	    " Port %u\n LogLevel DEBUG3\n", s->port));
	said = run("probe ssh://box.corp.example --ssh-config=%s --record %s", sshd_path(s, "config"),
	    sshd_path(s, "kept"));
	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_expect_null(strstr(said.err, " ssh_"), "libssh logs nothing: %s", said.err);
	text = sshd_read(s, "kept/transcript");
	cr_expect_not_null(strstr(text, "14.2-RELEASE"), "%s", text);
	cr_expect_null(strstr(text, "db7"), "%s", text);
	cr_expect_null(strstr(text, "box"), "%s", text);
	cr_expect_null(strstr(text, "corp"), "%s", text);
	cr_expect_null(strstr(text, "10.1.2.3"), "%s", text);
	replayed = run("probe replay:%s", sshd_path(s, "kept"));
	cr_expect_eq(replayed.status, 0, "%s", replayed.err);
}

Test(ssh_probe, exit_status_and_error_name_the_host)
{
	struct said said;

	sshd_personality(s, "echo 'quota \033[2J'; exit 1", NULL);
	said = run("probe %s", s->name);
	cr_expect_eq(said.status, 1);
	cr_expect_str_eq(said.out, "");
	cr_expect_str_eq(said.err, arena_printf(a, "pathtune probe: %s: no answer, not even to the "
	    "first of 1 commands; it said: quota ?[2J\n", s->name), "%s", said.err);
	said = run("probe %s --identity /nonexistent/key", s->name);
	cr_expect_eq(said.status, 1);
	sshd_write(s, ".ssh/known_hosts", 0600, "");
	said = run("advise %s --rtt 10ms --rate 1G", s->name);
	cr_expect_eq(said.status, 1);
	cr_expect_not_null(strstr(said.err, "--accept-new"), "%s", said.err);
	said = run("advise %s --rtt 10ms --rate 1G --accept-new", s->name);
	cr_expect_eq(said.status, 1);
	cr_expect_not_null(strstr(said.err, "no answer"), "%s", said.err);
}
