/*
 * The fleet: words, turns and results as pure functions; then as a user runs it, on recordings, and
 * on machines that a shell of this one plays.
 */
#include "program.h"

#include "tuner/fleet.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LINUX "replay:" TESTS_DIR "/transcripts/linux-6.1-virtio_net"
#define BSD "replay:" TESTS_DIR "/transcripts/freebsd-14.2-em"

static struct arena *a;
static char dir[32];
static struct err e;
static struct inventory v;

static void
setup(void)
{
	a = arena_new();
	strcpy(dir, "/tmp/pathtune-fleet-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	e = (struct err){ 0 };
}

static void
teardown(void)
{
	if (system(arena_printf(a, "rm -rf %s", dir)) != 0)
		cr_expect(false, "%s stays", dir);
	arena_free(a);
}

TestSuite(fleet, .init = setup, .fini = teardown);

static void
parse(const char *text)
{
	cr_assert(inventory_parse(a, "i", "", NULL, text, strlen(text), &v, &e), "%s", e.text);
}

/* ---- words ----------------------------------------------------------------------------------- */

static const char *
words_for(size_t host, const char *command, const char *const *words, size_t n_words)
{
	struct text t = { .arena = a };
	const char **argv;
	size_t n;

	e = (struct err){ 0 };
	if (!fleet_argv(a, &v.hosts[host], fleet_command(command), words, n_words, &argv, &n, &e))
		return e.text;
	cr_expect_null(argv[n]);
	for (size_t i = 0; i < n; i++)
		text_add(&t, "%s%s", i == 0 ? "" : "|", argv[i]);
	return t.s;
}

Test(fleet, words_carry_what_the_inventory_says_where_the_command_takes_it)
{
	static const char *const own[] = { "--peer", "other", "--ssh-timeout=1s" };
	static const char *const run[] = { "--yes", "runs/{host}-{x}.json" };

	parse("hosts:\n- {name: a, user: root, identity: /k, become: doas, accept_new: yes, "
	    "ssh_timeout: 9s, peer: m1, role: send, token_file: /t, vars: {x: 7}, flags: {tune: "
	    "[--quick]}}\n- {name: b, target: local, identity: /k, peer: m1}\n");
	cr_expect_str_eq(words_for(0, "probe", NULL, 0), "probe|--json|--identity=/k|"
	    "--ssh-timeout=9s|--become=doas|--accept-new|ssh://root@a");
	cr_expect_str_eq(words_for(0, "tune", NULL, 0), "tune|--json|--peer=m1|--token-file=/t|"
	    "--direction=send|--identity=/k|--ssh-timeout=9s|--become=doas|--accept-new|--quick|"
	    "ssh://root@a");
	cr_expect_str_eq(words_for(0, "tune", own, 3), "tune|--json|--token-file=/t|"
	    "--direction=send|--identity=/k|--become=doas|--accept-new|--quick|--peer|other|"
	    "--ssh-timeout=1s|ssh://root@a", "whoever writes a flag means it");
	cr_expect_str_eq(words_for(0, "apply", run, 2), "apply|--json|--identity=/k|--ssh-timeout=9s|"
	    "--become=doas|--accept-new|--yes|runs/a-7.json|ssh://root@a");
	cr_expect_str_eq(words_for(0, "advise", NULL, 0), "advise|--json|--role=send|--identity=/k|"
	    "--ssh-timeout=9s|--become=doas|--accept-new|ssh://root@a");
	cr_expect_str_eq(words_for(1, "tune", NULL, 0), "tune|--json|--peer=m1|local");
	cr_expect_str_eq(words_for(1, "apply", run, 2),
	    "apply: b: '{x}.json' names no variable of this host");
	cr_expect_eq(fleet_command("serve"), -1);
}

/* ---- turns ----------------------------------------------------------------------------------- */

static const char *
turns(struct fleet_queue *q)
{
	struct text t = { .arena = a };
	struct fleet_job *j;

	text_bytes(&t, "", 0);
	while ((j = fleet_queue_next(q)) != NULL)
		text_add(&t, "%s ", j->host->name);
	return t.s;
}

Test(fleet, measurements_that_share_a_machine_take_turns)
{
	struct fleet_queue q;
	bool chosen[] = { true, true, true, true, true, false, true };

	parse("hosts:\n- {name: a, peer: m1}\n- {name: b, peer: 'iperf3://M1:5202'}\n"
	    "- {name: c, peer: m2}\n- {name: d, peer: 'ssh://u@a:22'}\n- {name: e, peer: '[fe80::1]:9'}\n"
	    "- {name: f, peer: m3}\n- {name: g, peer: 'fe80::1'}\n");
	fleet_queue_make(a, &v, chosen, true, &q);
	cr_expect_eq(q.n_jobs, 6);
	cr_expect_str_eq(turns(&q), "a c e ", "b has the peer of a, d measures to a, g the peer of e");
	fleet_queue_over(&q, &q.jobs[2]);
	cr_expect_str_eq(turns(&q), "");
	fleet_queue_over(&q, &q.jobs[0]);
	cr_expect_str_eq(turns(&q), "b d ");
	fleet_queue_over(&q, &q.jobs[4]);
	cr_expect_str_eq(turns(&q), "g ");
	cr_expect_str_eq(turns(&q), "");
	fleet_queue_make(a, &v, chosen, false, &q);
	cr_expect_str_eq(turns(&q), "a b c d e g ", "what does not measure needs no turns");
}

/* ---- results --------------------------------------------------------------------------------- */

Test(fleet, a_document_becomes_one_line_and_a_word)
{
	static const struct {
		const char *text, *line, *about;
	} cases[] = {
		{ "{\n  \"os\": \"Net BSD\",\n  \"release\": \"10.1\"\n}\n",
		  "{\"os\":\"Net BSD\",\"release\":\"10.1\"}", "Net BSD 10.1" },
		{ "{ \"a\" : \"q\\\" , \\\\\" , \"status\" : \"drift\" }",
		  "{\"a\":\"q\\\" , \\\\\",\"status\":\"drift\"}", "drift" },
		{ "{\"decision\": {\"verdict\": \"keep\"}, \"status\": 7}",
		  "{\"decision\":{\"verdict\":\"keep\"},\"status\":7}", "keep" },
		{ "{\"status\": \"\\u001b[2J\\nx\"}", "{\"status\":\"\\u001b[2J\\nx\"}", "?[2J" },
		{ "[1, 2]", "[1,2]", "" },
	};
	const char *line, *about;

	for (size_t i = 0; i < NELEM(cases); i++) {
		cr_assert(fleet_document(a, cases[i].text, strlen(cases[i].text), &line, &about, &e), "%s",
		    e.text);
		cr_expect_str_eq(line, cases[i].line);
		cr_expect_str_eq(about, cases[i].about);
	}
	cr_expect_not(fleet_document(a, "{\"a\":1} x", 9, &line, &about, &e));
}

Test(fleet, the_reason_is_the_last_line_made_harmless)
{
	cr_expect_str_eq(fleet_reason(a, "note\npathtune probe: ssh://x: no\n\n"), "ssh://x: no");
	cr_expect_str_eq(fleet_reason(a, "a\033[2Jb\302\233c"), "a?[2Jb??c");
	cr_expect_null(fleet_reason(a, " \n\n"));
	cr_expect_null(fleet_reason(a, ""));
}

/* ---- as a user runs it ----------------------------------------------------------------------- */

static const char *
path(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "w");

	cr_assert_not_null(f);
	cr_assert(fputs(text, f) >= 0 && fclose(f) == 0);
}

static const char *
read_file(const char *name)
{
	char *text = arena_alloc(a, 65536);
	FILE *f = fopen(path(name), "r");

	if (f == NULL)
		return NULL;
	text[fread(text, 1, 65535, f)] = '\0';
	fclose(f);
	return text;
}

static struct said
fleet(const char *fmt, ...)
{
	va_list ap;
	char *line;

	va_start(ap, fmt);
	line = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return program_run(a, arena_printf(a, "fleet %s/hosts.yaml %s", dir, line));
}

/* A host that a script plays: it gets what would go to the shell of a host. */
static const char *
played(const char *name, const char *script)
{
	write_file(name, script);
	return arena_printf(a, "{name: %s, target: 'via:/bin/sh %s'}", name, path(name));
}

Test(fleet, good_hosts_make_a_table_and_exit_0)
{
	struct said said;

	write_file("hosts.yaml", "hosts:\n- {name: linux, target: '" LINUX "'}\n"
	    "- {name: bsd, target: '" BSD "'}\n");
	said = fleet("probe");
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_eq(strncmp(said.out, "linux  ok  ", 11), 0, "%s", said.out);
	cr_expect_not_null(strstr(said.out, "  Linux 6.1"), "%s", said.out);
	cr_expect_not_null(strstr(said.out, "\nbsd    ok  "), "%s", said.out);
	cr_expect_str_eq(said.err, "", "silent without a terminal");
}

Test(fleet, json_is_a_line_a_host_with_its_document)
{
	struct said said;
	const char *line, *about, *rest;

	write_file("hosts.yaml", "hosts:\n- {name: l, target: '" LINUX "'}\n"
	    "- {name: gone, target: 'replay:/nonexistent'}\n");
	said = fleet("--json probe");
	cr_expect_eq(said.status, 4);
	for (rest = said.out; *rest != '\0'; rest += strcspn(rest, "\n") + 1) {
		cr_assert(fleet_document(a, rest, strcspn(rest, "\n"), &line, &about, &e), "%s", e.text);
		cr_expect_not_null(strstr(line, "\"schema\":\"pathtune-fleet/1\""));
	}
	cr_expect_not_null(strstr(said.out, "\"host\":\"l\""));
	cr_expect_not_null(strstr(said.out, "\"error\":null,\"document\":{\"os\":\"Linux\""));
	cr_expect_not_null(strstr(said.out, "\"error\":\"/nonexistent/transcript: No such file or "
	    "directory\",\"document\":null}\n"));
}

Test(fleet, part_failed_is_4_all_failed_is_1_and_the_list_can_be_given_back)
{
	struct said said;

	write_file("hosts.yaml", "hosts:\n- {name: ok, target: '" LINUX "'}\n"
	    "- {name: bad1, target: 'replay:/nonexistent'}\n"
	    "- {name: bad2, target: 'replay:/nonexistent'}\n");
	said = fleet("--failed %s probe", path("again"));
	cr_expect_eq(said.status, 4);
	cr_expect_str_eq(said.err, "bad1: /nonexistent/transcript: No such file or directory\n"
	    "bad2: /nonexistent/transcript: No such file or directory\n"
	    "pathtune fleet: 2 of 3 hosts failed\n");
	cr_expect_str_eq(read_file("again"), "bad1\nbad2\n");
	said = fleet("--limit @%s probe", path("again"));
	cr_expect_eq(said.status, 1);
	cr_expect_null(strstr(said.out, "ok "), "%s", said.out);
	write_file("again", "# none\n\n");
	said = fleet("--limit @%s probe", path("again"));
	cr_expect_eq(said.status, 2);
}

Test(fleet, results_are_kept_and_only_what_is_missing_is_done_again)
{
	struct said said;

	write_file("hosts.yaml", "hosts:\n- {name: a, target: '" LINUX "'}\n"
	    "- {name: b, target: 'replay:/nonexistent'}\n");
	said = fleet("--out %s probe", path("out"));
	cr_expect_eq(said.status, 4, "%s", said.err);
	cr_expect_not_null(strstr(read_file("out/probe/a.json"), "\"os\": \"Linux\""));
	cr_expect_str_eq(read_file("out/probe/b.err"),
	    "pathtune probe: /nonexistent/transcript: No such file or directory\n");
	cr_expect_str_eq(read_file("out/probe/failed"), "b\n");
	said = fleet("--out %s probe", path("out"));
	cr_expect_eq(said.status, 2, "what is there is not overwritten");
	write_file("hosts.yaml", "hosts:\n- {name: a, target: 'replay:/nonexistent'}\n"
	    "- {name: b, target: '" BSD "'}\n");
	said = fleet("--out %s --resume probe", path("out"));
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_not_null(strstr(said.err, "1 host was done before"));
	cr_expect_not_null(strstr(read_file("out/probe/b.json"), "\"os\": \"FreeBSD\""));
	cr_expect_null(read_file("out/probe/b.err"));
	cr_expect_str_eq(read_file("out/probe/failed"), "");
	cr_expect_eq(fleet("--out %s advise --rtt 20ms --rate 1G", path("out")).status, 4,
	    "other commands have directories of their own");
}

Test(fleet, words_and_flags_that_cannot_be_are_said_before_anything_begins)
{
	static const char *const lines[] = { "", "serve", "--jobs 0 probe", "--jobs 1.5 probe",
		"--resume probe", "--limit x probe", "probe {nothing}", "--out", "--time-limit 5 probe" };

	write_file("hosts.yaml", arena_printf(a, "hosts:\n- %s\n", played("a", "touch made\n")));
	for (size_t i = 0; i < NELEM(lines); i++)
		cr_expect_eq(fleet("%s", lines[i]).status, 2, "%s", lines[i]);
	write_file("hosts.yaml", "hosts: [a, a]\n");
	cr_expect_eq(fleet("probe").status, 2);
	cr_expect_eq(program_run(a, "fleet /nonexistent probe").status, 1);
}

Test(fleet, a_host_that_hangs_is_ended_and_holds_nothing_up)
{
	struct said said;

	write_file("hosts.yaml", arena_printf(a, "hosts:\n- %s\n- {name: ok, target: '" LINUX "'}\n",
	    played("hangs", "exec sleep 600\n")));
	said = fleet("--jobs 2 --time-limit 1s probe");
	cr_expect_eq(said.status, 4, "%s", said.err);
	cr_expect_not_null(strstr(said.err, "hangs: no end within 1 s\n"), "%s", said.err);
	cr_expect_not_null(strstr(said.out, "ok     ok"), "%s", said.out);
}

Test(fleet, of_fifty_thousand_hosts_some_are_asked)
{
	struct text t = { .arena = a };
	struct said said;

	text_add(&t, "hosts:\n");
	for (int i = 0; i < 50000; i++)
		text_add(&t, "- {name: h%05d, target: '%s'}\n", i, i % 25000 == 7 ? LINUX :
		    arena_printf(a, "replay:/nonexistent/%d", i));
	write_file("hosts.yaml", t.s);
	said = fleet("--limit *00007 probe");
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_not_null(strstr(said.out, "h00007  ok  "), "%s", said.out);
	said = fleet("--limit h25007,h49999 probe");
	cr_expect_eq(said.status, 4, "%s", said.err);
	cr_expect_not_null(strstr(said.err, "h49999: /nonexistent/49999/transcript"), "%s", said.err);
	text_add(&t, "- {name: H00001, target: local}\n");
	write_file("hosts.yaml", t.s);
	cr_expect_eq(fleet("--limit h00007 probe").status, 2, "a duplicate is an error all the same");
}

/* A file that only the second host makes lets the first one end: one after the other never would. */
Test(fleet, one_job_gives_way_when_a_host_is_slow)
{
	struct said said;

	cr_assert_eq(mkfifo(path("fifo"), 0600), 0);
	write_file("hosts.yaml", arena_printf(a, "hosts:\n- %s\n- %s\n",
	    played("first", arena_printf(a, "read -r x <%s\nexit 3\n", path("fifo"))),
	    played("second", arena_printf(a, "echo go >%s\nexit 3\n", path("fifo")))));
	said = fleet("--jobs 1 --time-limit 60s probe");
	cr_expect_eq(said.status, 1);
	cr_expect_null(strstr(said.err, "no end within"), "%s", said.err);
}

Test(fleet, what_hosts_say_commands_no_terminal)
{
	struct said said;

	write_file("hosts.yaml", arena_printf(a, "hosts:\n- %s\n- %s\n",
	    played("esc", "printf 'x\\033[2J\\233\\377' >&2\nexit 3\n"),
	    played("flood", "exec yes \"$(printf '\\033]0;x\\007')\"\n")));
	for (int json = 0; json < 2; json++) {
		said = fleet("%s --out %s probe", json ? "--json" : "--jobs=3",
		    path(json ? "o1" : "o2"));
		cr_expect_eq(said.status, 1, "%s", said.err);
		cr_expect_null(strpbrk(said.out, "\033\007"), "%s", said.out);
		cr_expect_null(strpbrk(said.err, "\033\007"), "%s", said.err);
		cr_expect_null(strpbrk(read_file(arena_printf(a, "o%d/probe/esc.err", json ? 1 : 2)),
		    "\033\007"));
		cr_expect_not_null(strstr(said.err, "flood: "), "%s", said.err);
	}
}

/* Both hosts tell the pipe that they run; then we are asked to stop. */
Test(fleet, a_signal_ends_all_and_tells_what_is_not_done)
{
	const char *script = arena_printf(a, "echo x >%s\nexec sleep 600\n", path("alive"));
	struct started s;
	struct said said;
	char buf[8];
	int fd, n = 0;

	cr_assert_eq(mkfifo(path("alive"), 0600), 0);
	fd = open(path("alive"), O_RDWR);
	write_file("hosts.yaml", arena_printf(a, "hosts:\n- %s\n- %s\n- %s\n", played("a", script),
	    played("b", script), played("c", script)));
	s = program_start(a, arena_printf(a, "fleet %s/hosts.yaml --jobs 2 --failed %s probe", dir,
	    path("again")));
	while (n < 4) {
		ssize_t got = read(fd, buf, sizeof(buf));

		cr_assert_gt(got, 0);
		n += (int)got;
	}
	cr_expect_eq(kill(s.pid, SIGINT), 0);
	said = program_end(a, s);
	close(fd);
	cr_expect_eq(said.status, 5);
	cr_expect_not_null(strstr(said.err, "a: stopped\nb: stopped\n"), "%s", said.err);
	cr_expect_not_null(strstr(said.out, "c     not run"), "%s", said.out);
	cr_expect_str_eq(read_file("again"), "a\nb\nc\n");
}

Test(fleet, pending_changes_are_no_failure)
{
	struct fleet_result r = { .status = 3 };

	cr_expect(fleet_is_good(&r));
	r.status = 5;
	cr_expect_not(fleet_is_good(&r));
}

Test(fleet, a_file_that_is_no_run_fails_the_host)
{
	struct said said;

	write_file("run-here.json", "{}");
	write_file("hosts.yaml", "hosts:\n- {name: here, target: local}\n");
	said = fleet("check %s/run-{host}.json", dir);
	cr_expect_eq(said.status, 1, "%s", said.err);
	cr_expect_not_null(strstr(said.err, "here: "), "%s", said.err);
}
