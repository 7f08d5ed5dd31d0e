/*
 * pathtune advise as it is run: from flags and from a facts file, without a host.
 */
#include "program.h"

#include "probes/files.h"

#include <stdio.h>

#define REPLAY(name) "replay:" TESTS_DIR "/transcripts/" name
#define ILLUMOS TESTS_DIR "/unit/data/illumos.yaml"
#define FREEBSD "advise --os freebsd --release 14.2 "

static void
refused(const char *line, const char *words)
{
	struct arena *a = arena_new();
	struct said s = program_run(a, line);

	cr_expect_eq(s.status, 2, "'%s' exits %d: %s", line, s.status, s.err);
	cr_expect(strstr(s.err, words) != NULL, "'%s' says: %s", line, s.err);
	cr_expect(strchr(s.err, '\n') == s.err + strlen(s.err) - 1, "'%s': one line: %s", line,
	    s.err);
	cr_expect_str_eq(s.out, "", "'%s' prints: %s", line, s.out);
	arena_free(a);
}

static void
says(const char *line, const char *words)
{
	struct arena *a = arena_new();
	struct said s = program_run(a, line);

	cr_expect_eq(s.status, 0, "'%s' exits %d: %s", line, s.status, s.err);
	cr_expect(strstr(s.out, words) != NULL, "'%s' prints: %s", line, s.out);
	arena_free(a);
}

Test(cmd_advise, flags_are_refused_by_name_with_status_2)
{
	static const struct {
		const char *line, *words;
	} t[] = {
		{ "advise --os freebsd --rtt 209ms --rate 600M", "--release is needed" },
		{ "advise --os plan9 --release 4 --rtt 1ms --rate 1M",
		    "--os: 'plan9' is not one of dragonfly, freebsd" },
		{ "advise --release 14.2 --rtt 1ms --rate 1M", "--release is of use only with --os" },
		{ "advise --ram 2G --rtt 1ms --rate 1M", "--ram is of use only with --os" },
		{ "advise --arch i386 --rtt 1ms --rate 1M", "--arch is of use only with --os" },
		{ FREEBSD "--facts x", "--facts and --os contradict" },
		{ FREEBSD "--ping 192.0.2.1", "--ping and --os contradict" },
		{ "advise --facts x --ping 192.0.2.1", "--ping and --facts contradict" },
		{ "advise --ping -f --rate 1M", "--ping: '-f' is neither an address nor a name" },
		{ "advise --ping a;b --rate 1M", "--ping: 'a;b' is neither" },
		{ "advise " REPLAY("dragonfly-6.4-vtnet") " --ping 192.0.2.1 --rate 1M",
		    "--rtt is needed (no answer to ping)" },
		{ FREEBSD "local", "'local': a host and --os contradict" },
		{ "advise --facts x local", "'local': a host and --facts contradict" },
		{ "advise a b", "only one host" },
		{ FREEBSD, "--rtt and --rate are needed" },
		{ FREEBSD "--rtt 209ms", "--rate is needed" },
		{ FREEBSD "--rate 600M", "--rtt is needed" },
		{ FREEBSD "--rtt 209 --rate 600M", "--rtt: '209' is not a time" },
		{ FREEBSD "--rtt 0ms --rate 600M", "--rtt: '0ms' is out of range" },
		{ FREEBSD "--rtt 2h --rate 600M", "--rtt: '2h' is out of range" },
		{ FREEBSD "--rtt 209ms --rate -5", "--rate: '-5'" },
		{ FREEBSD "--rtt 209ms --rate 600M --path 1ms,1M", "--path and --rtt contradict" },
		{ FREEBSD "--rtt 209ms --rtt 1ms", "--rtt is given twice" },
		{ FREEBSD "--path 209ms", "--path: '209ms' is not RTT,RATE" },
		{ FREEBSD "--path 209,600M", "--path: '209' is not a time" },
		{ FREEBSD "--path 209ms,x", "--path: 'x' is not a rate" },
		{ FREEBSD "--path 209ms,600M --path 0ms,1M", "--path: '0ms,1M' is out of range" },
		{ FREEBSD "--path ,", "--path" },
		{ FREEBSD "--role none --rtt 1ms --rate 1M", "--role: 'none' is not one of" },
		{ FREEBSD "--role up --rtt 1ms --rate 1M", "--role: 'up' is not one of" },
		{ FREEBSD "--connections 0 --rtt 1ms --rate 1M", "--connections: '0' is out of" },
		{ FREEBSD "--connections 1.5 --rtt 1ms --rate 1M", "a whole number" },
		{ FREEBSD "--ram 1 --rtt 1ms --rate 1M", "--ram: '1' is out of range" },
		{ "advise " REPLAY("freebsd-14.2-em") " --rate 600M --profile " ILLUMOS,
		    "illumos.yaml is a profile of SunOS, this is FreeBSD" },
		{ "probe " REPLAY("freebsd-14.2-em") " --profile " ILLUMOS,
		    "illumos.yaml is a profile of SunOS, this is FreeBSD" },
		{ "advise --os freebsd --release new --rtt 1ms --rate 1M",
		    "--release: 'new' is not a release" },
	};

	for (size_t i = 0; i < NELEM(t); i++)
		refused(t[i].line, t[i].words);
}

Test(cmd_advise, flags_alone_are_enough)
{
	says(FREEBSD "--rtt 209ms --rate 600M --ram 2G --connections 1 --role send",
	    "net.inet.tcp.sendbuf_max");
	says("advise --os netbsd --release 10.1 --path 1ms,1M --path 209ms,600M",
	    "19595264");
	says("advise --os openbsd --release 7.8 --path 209ms,600M", "8 connections");
	says("advise --os netbsd --release 10.1 --arch i386 --path 209ms,600M", "17694720");
	says("advise --os OpenBSD --release 7.8 --path 209ms,600M", "8 connections");
	says("advise --os LINUX --release 6.12 --path 209ms,600M --profile " TESTS_DIR
	    "/../profiles/linux.yaml", "Linux 6.12");
	says("advise --os linux --release 2.6.32 --path 209ms,600M", "2.6.32 is older: these");
	says("advise --help", "--connections");
}

Test(cmd_advise, the_document_goes_through_show_and_back_into_advise)
{
	struct arena *a = arena_new();
	char dir[] = "/tmp/pathtune-advise-XXXXXX";
	const char *file, *tree, *text;
	struct err e = { ERR_NONE, "" };
	struct said told, shown, json;
	size_t len;

	cr_assert_not_null(mkdtemp(dir));
	file = arena_printf(a, "%s/run.json", dir);
	tree = arena_printf(a, "%s/tree", dir);
	told = program_run(a, arena_printf(a, FREEBSD "--path 209ms,600M --save %s --out %s", file,
	    tree));
	cr_assert_eq(told.status, 0, "%s", told.err);
	shown = program_run(a, arena_printf(a, "show %s", file));
	cr_expect_str_eq(shown.out, told.out);
	cr_assert(files_read(a, arena_printf(a, "%s/etc/sysctl.conf.local", tree), 65536, &text,
	    &len, &e), "%s", e.text);
	cr_expect(strstr(text, "17694720") != NULL, "%s", text);
	says(arena_printf(a, "advise --facts %s --path 209ms,600M", file), "17694720");
	json = program_run(a, arena_printf(a, "advise --facts %s --json --path 209ms,600M", file));
	cr_expect(strstr(json.out, "\"schema\": \"pathtune-run/1\"") != NULL, "%s", json.out);
	unlink(file);
	unlink(arena_printf(a, "%s/etc/sysctl.conf.local", tree));
	rmdir(arena_printf(a, "%s/etc", tree));
	rmdir(tree);
	cr_expect_eq(rmdir(dir), 0);
	arena_free(a);
}

/* A file of this text, given as facts with these flags. */
static void
facts_refused_with(const char *flags, const char *text, int status, const char *words)
{
	struct arena *a = arena_new();
	char file[] = "/tmp/pathtune-facts-XXXXXX";
	int fd = mkstemp(file);
	struct said s;

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	s = program_run(a, arena_printf(a, "advise --facts %s --path 209ms,600M %s", file,
	    flags));
	unlink(file);
	cr_expect_eq(s.status, status, "'%s' exits %d: %s", text, s.status, s.err);
	cr_expect(strstr(status == 0 ? s.out : s.err, words) != NULL, "'%s' says: %s%s", text,
	    s.err, s.out);
	arena_free(a);
}

static void
facts_refused(const char *text, int status, const char *words)
{
	facts_refused_with("", text, status, words);
}

Test(cmd_advise, a_profile_of_another_system_than_the_facts_is_refused)
{
	facts_refused_with("--profile " ILLUMOS, "{\"os\": \"FreeBSD\", \"release\": \"14.2\"}", 2,
	    "illumos.yaml is a profile of SunOS, this is FreeBSD");
	facts_refused_with("--profile " ILLUMOS, "{\"os\": \"SunOS\", \"release\": \"5.11\"}", 1,
	    "send_buf: neither");
}

Test(cmd_advise, a_facts_file_is_read_or_refused_by_name)
{
	facts_refused("", 2, "/tmp/pathtune-facts-");
	facts_refused("[]", 2, "/tmp/pathtune-facts-");
	facts_refused("{}", 2, "which system");
	facts_refused("{\"os\": \"FreeBSD\"}", 2, "release");
	facts_refused("{\"os\": \"Plan9\", \"release\": \"4\"}", 1, "no profile for the system");
	facts_refused("{\"os\": \"FreeBSD\", \"release\": \"14.2\", \"bogus\": 1}", 2, "bogus");
	facts_refused("{\"schema\": \"other/1\"}", 2, "other/1");
	facts_refused("{\"os\": \"FreeBSD\", \"release\": \"new\"}", 2, "'new' is not a release");
	facts_refused("{\"os\": \"FreeBSD\", \"release\": \"\"}", 2, "'' is not a release");
	facts_refused("{\"os\": \"NetBSD\", \"release\": \"12.0\"}", 0,
	    "pathtune knows NetBSD 9 to 11; 12.0 is newer");
	facts_refused("{\"os\": \"FreeBSD\", \"release\": \"12.4\"}", 1, "no send window model");
	facts_refused("{\"os\": \"FreeBSD\", \"release\": \"14.2\"}", 0, "are assumed");
	facts_refused("{\"os\": \"FreeBSD\", \"release\": \"14.2\", \"hazards\": []}", 0,
	    "17694720");
}

Test(cmd_advise, a_host_that_is_not_there_is_an_error)
{
	struct arena *a = arena_new();
	struct said s = program_run(a, "advise replay:/nowhere --path 1ms,1M");

	cr_expect_neq(s.status, 0);
	cr_expect(strstr(s.err, "/nowhere") != NULL || strstr(s.err, "replay") != NULL, "%s", s.err);
	arena_free(a);
}

Test(cmd_advise, this_host_is_asked_without_changing_it)
{
	says("advise --path 1ms,1M --role receive", "usable window");
}

Test(cmd_advise, the_rtt_by_ping_is_that_of_the_path)
{
	says("advise " REPLAY("freebsd-13.2-vtnet") " --ping 192.0.2.1 --rate 600M",
	    "path 600 Mbit/s, RTT 208 ms");
	says("advise " REPLAY("netbsd-10.1-vioif") " --ping 192.0.2.1 --rate 600M",
	    "path 600 Mbit/s, RTT 207 ms");
	says("advise " REPLAY("openbsd-7.6-vio") " --ping 192.0.2.1 --rate 600M",
	    "path 600 Mbit/s, RTT 206 ms");
	says("advise " REPLAY("openbsd-7.6-vio") " --rate 600M", "path 600 Mbit/s, RTT 209 ms");
	says("advise " REPLAY("dragonfly-6.4-vtnet") " --ping 192.0.2.1 --rtt 80ms --rate 600M",
	    "path 600 Mbit/s, RTT 80 ms");
}
