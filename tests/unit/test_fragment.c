/*
 * Every system's files: what is written reads back as the same settings, and looks as the golden
 * files say.  UPDATE=1 in the environment writes those anew.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/files.h"
#include "tuner/fragment.h"
#include "tuner/profile.h"

static struct arena *arena;

/* Every system that is built in, and one that is not. */
static const char *systems[16];
static size_t n_systems;

static void
setup(void)
{
	const char *name, *text;
	size_t len;

	arena = arena_new();
	n_systems = 0;
	while ((name = profile_embedded(n_systems, &text, &len)) != NULL) {
		struct profile *p;
		struct err e = { 0 };

		cr_assert_lt(n_systems + 1, NELEM(systems));
		cr_assert(profile_named(arena, name, &p, &e), "%s", e.text);
		systems[n_systems++] = p->sysname;
	}
	systems[n_systems++] = "SunOS";
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(fragment, .init = setup, .fini = teardown);

#define ILLUMOS TESTS_DIR "/unit/data/illumos.yaml"

static struct profile *
profile_of(const char *sysname)
{
	struct profile *p = NULL;
	struct err e = { 0 };
	const char *text;
	size_t len;

	if (strcmp(sysname, "SunOS") != 0) {
		cr_assert(profile_for(arena, sysname, &p, &e), "%s", e.text);
		return p;
	}
	cr_assert(files_read(arena, ILLUMOS, NODE_YAML_BYTES, &text, &len, &e), "%s", e.text);
	cr_assert(profile_parse(arena, ILLUMOS, text, len, &p, &e), "%s", e.text);
	return p;
}

static struct run *
empty_run(void)
{
	struct run *run = arena_alloc(arena, sizeof(*run));

	record_init(&run_record, run);
	run->version = "0";
	run->started = "2026-11-22T00:00:00Z";
	return run;
}

static void
add_setting(struct run *run, const char *name, const char *old, const char *new, const char *reason)
{
	struct change_line *l = arena_push(arena, &run->decision.settings,
	    &run->decision.n_settings, sizeof(*l));

	*l = (struct change_line){ name, old, new, reason, true };
}

static const struct persist_file *
file_of(const struct profile *p, const char *path)
{
	return p->persist.settings.path != NULL && strcmp(p->persist.settings.path, path) == 0 ?
	    &p->persist.settings : &p->persist.modules;
}

/* Every setting of the run stands in its files once, in this order, and nothing else does. */
static void
expect_same(const struct profile *p, const struct run *run)
{
	const struct decision *d = &run->decision;

	for (size_t f = 0; f < run->n_files; f++) {
		const struct persist_file *file = file_of(p, run->files[f].path);
		bool modules = file == &p->persist.modules;
		struct fragment_setting *got;
		size_t n, at = 0;

		got = fragment_read(arena, file, run->files[f].text, strlen(run->files[f].text), &n);
		for (size_t i = 0; i < d->n_settings; i++) {
			const struct change_line *l = &d->settings[i];

			if ((strcmp(l->name, "module") == 0) != modules)
				continue;
			cr_assert_lt(at, n, "%s lacks %s", run->files[f].path, l->name);
			cr_expect_str_eq(got[at].name, modules ? l->new : l->name);
			cr_expect(modules || strcmp(got[at].value, l->new) == 0, "%s", got[at].value);
			at++;
		}
		cr_expect_eq(at, n, "%s: %zu settings instead of %zu", run->files[f].path, n, at);
	}
}

Test(fragment, every_knob_of_every_system_reads_back_as_it_was_written)
{
	for (size_t s = 0; s < n_systems; s++) {
		struct profile *p = profile_of(systems[s]);
		struct run *run = empty_run();

		for (size_t i = 0; i < p->n_knobs; i++) {
			const struct knob *k = &p->knobs[i];

			add_setting(run, k->name, "1", strcmp(k->unit, "name") == 0 ? "cubic" :
			    !isnan(k->field) ? "4096 131072 33554432" : "16777216",
			    "window-send: a=1 net.inet.tcp.sendspace=2\nkern.sbmax=3 \\");
		}
		if (p->persist.modules.path != NULL)
			add_setting(run, "module", NULL, "cc_htcp", "module: x_load=\"YES\"\ny");
		fragment_make(arena, p, run);
		cr_assert_eq(run->n_files, p->persist.modules.path != NULL ? 2 : 1);
		expect_same(p, run);
	}
}

Test(fragment, only_whole_lines_are_comments_and_they_are_short)
{
	for (size_t s = 0; s < n_systems; s++) {
		struct profile *p = profile_of(systems[s]);
		struct run *run = empty_run();
		struct text word = { .arena = arena };

		for (int i = 0; i < 3000; i++)
			text_bytes(&word, "x", 1);
		run->facts.peer = "a\nb=1\r\tc\\";
		add_setting(run, p->knobs[0].name, word.s, "1", word.s);
		add_setting(run, p->knobs[0].name, "the last byte: \\", "1", "the last byte: \\");
		fragment_make(arena, p, run);
		for (const char *l = run->files[0].text; *l != '\0'; l += strcspn(l, "\n") + 1) {
			size_t n = strcspn(l, "\n");

			cr_assert_leq(n, 100, "%s: %.120s", systems[s], l);
			cr_assert(n == 0 || l[0] == '#' || strncmp(l, "net.", 4) == 0 ||
			    strncmp(l, "kern.", 5) == 0 || strncmp(l, "ipadm ", 6) == 0, "%.120s", l);
			cr_assert(n == 0 || (l[n - 1] != '\\' && memchr(l, '\r', n) == NULL));
		}
		expect_same(p, run);
	}
}

/* Readers of words would see another value: the line is left out, and the file says so. */
Test(fragment, what_the_reader_would_not_take_is_left_out_and_said)
{
	static const struct { const char *system, *value; bool written; } cases[] = {
		{ "Linux", "1 2 3", true }, { "FreeBSD", "1 2 3", true }, { "OpenBSD", "1 2", false },
		{ "DragonFly", "1 2", false }, { "NetBSD", "1 2", false }, { "OpenBSD", "1#2", false },
		{ "Linux", "1\n2", false }, { "FreeBSD", "1\\", false }, { "Linux", "", false },
		{ "OpenBSD", "12", true },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct profile *p = profile_of(cases[i].system);
		struct run *run = empty_run();
		struct fragment_setting *got;
		size_t n;

		add_setting(run, p->knobs[0].name, NULL, cases[i].value, NULL);
		fragment_make(arena, p, run);
		cr_assert_eq(run->n_files, 1);
		got = fragment_read(arena, &p->persist.settings, run->files[0].text,
		    strlen(run->files[0].text), &n);
		cr_assert_eq(n, cases[i].written ? 1 : 0, "case %zu", i);
		cr_expect_eq(strstr(run->files[0].text, "left out: ") == NULL, cases[i].written);
		if (n == 1)
			cr_expect_str_eq(got[0].value, cases[i].value);
	}
}

Test(fragment, a_line_longer_than_the_reader_takes_is_left_out)
{
	struct profile *p = profile_of("FreeBSD");
	struct text value = { .arena = arena };
	struct run *run = empty_run();
	size_t n;

	while (value.len < 1100)
		text_bytes(&value, "9", 1);
	add_setting(run, "kern.ipc.maxsockbuf", NULL, value.s, NULL);
	fragment_make(arena, p, run);
	fragment_read(arena, &p->persist.settings, run->files[0].text, strlen(run->files[0].text), &n);
	cr_expect_eq(n, 0);
}

Test(fragment, an_optional_knob_is_excused_where_the_file_can_do_that)
{
	struct profile *p = profile_of("NetBSD");
	struct run *run = empty_run();
	struct fragment_setting *got;
	size_t n;

	p->knobs[1].optional = true;
	add_setting(run, p->knobs[0].name, NULL, "7", NULL);
	add_setting(run, p->knobs[1].name, NULL, "8", NULL);
	fragment_make(arena, p, run);
	cr_expect(strstr(run->files[0].text, "sendbuf_max?=8\n") != NULL, "%s", run->files[0].text);
	got = fragment_read(arena, &p->persist.settings, run->files[0].text,
	    strlen(run->files[0].text), &n);
	cr_assert_eq(n, 2);
	cr_expect_not(got[0].optional);
	cr_expect(got[1].optional);
}

Test(fragment, nothing_to_change_makes_no_file)
{
	struct run *run = empty_run();

	fragment_make(arena, profile_of("FreeBSD"), run);
	cr_expect_eq(run->n_files, 0);
}

/* ---- lines as the systems' readers see them ------------------------------------------------- */

Test(fragment, lines_are_read_as_each_system_reads_them)
{
	static const struct { const char *system, *line, *name, *value; } cases[] = {
		{ "Linux", "net.core.rmem_max = 1", "net.core.rmem_max", "1" },
		{ "Linux", "  net.core.rmem_max=1\t\r", "net.core.rmem_max", "1" },
		{ "Linux", "-net/core/rmem_max = 1", "net.core.rmem_max", "1" },
		{ "Linux", "net/ipv4/conf/eth0.1/x = 1", "net.ipv4.conf.eth0/1.x", "1" },
		{ "Linux", "net.ipv4.tcp_rmem = 4096 1\t2", "net.ipv4.tcp_rmem", "4096 1\t2" },
		{ "Linux", "a.b = 1 # c", "a.b", "1 # c" },
		{ "Linux", "; a = 1", NULL, NULL },
		{ "Linux", "# a = 1", NULL, NULL },
		{ "Linux", "a.b =", NULL, NULL },
		{ "Linux", "= 1", NULL, NULL },
		{ "Linux", "a.b", NULL, NULL },
		{ "FreeBSD", "kern.ipc.maxsockbuf=2 # why", "kern.ipc.maxsockbuf", "2" },
		{ "FreeBSD", "kern.ipc.maxsockbuf: \"2\"", "kern.ipc.maxsockbuf", "2" },
		{ "FreeBSD", " kern.x = '1 2'", "kern.x", "1 2" },
		{ "FreeBSD", "kern.x=a\\#b", "kern.x", "a\\#b" },
		{ "FreeBSD", "net/inet=1", "net/inet", "1" },
		{ "NetBSD", "kern.sbmax?=5", "kern.sbmax", "5" },
		{ "NetBSD", "kern.sbmax=5#x", "kern.sbmax", "5" },
		{ "NetBSD", "kern.sbmax: 5", NULL, NULL },
		{ "OpenBSD", "kern.x?=5", "kern.x?", "5" },
		{ "OpenBSD", "kern.x = 5", NULL, NULL },
		{ "OpenBSD", "kern.x= 5", NULL, NULL },
		{ "OpenBSD", "kern.x=5 6", "kern.x", "5" },
		{ "DragonFly", "kern.x=5 # six", "kern.x", "5" },
		{ "DragonFly", "#kern.x=5", NULL, NULL },
		{ "DragonFly", " \tkern.x=5", "kern.x", "5" },
		{ "DragonFly", "kern.x=5 kern.y=6", "kern.x", "5" },
		{ "DragonFly", " # kern.x=5", NULL, NULL },
		{ "OpenBSD", " \tkern.x=5", "kern.x", "5" },
		{ "OpenBSD", "six kern.x=5", "kern.x", "5" },
		{ "OpenBSD", "kern.x=5 #kern.y=6 kern.z=7", "kern.x", "5" },
		{ "OpenBSD", "kern.x=5#kern.y=6 kern.z=7", "kern.x", "5" },
		{ "OpenBSD", " #kern.x=5", NULL, NULL },
		{ "SunOS", "ipadm set-prop -p max_buf=5 tcp", "max_buf", "5" },
		{ "SunOS", "ipadm set-prop -p max_buf=5 udp", NULL, NULL },
		{ "SunOS", "ipadm set-prop -p", NULL, NULL },
		{ "SunOS", "max_buf=5", NULL, NULL },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct profile *p = profile_of(cases[i].system);
		struct fragment_setting *got;
		size_t n;

		got = fragment_read(arena, &p->persist.settings, cases[i].line,
		    strlen(cases[i].line), &n);
		cr_assert_eq(n, cases[i].name == NULL ? 0 : 1, "case %zu", i);
		if (n == 1) {
			cr_expect_str_eq(got[0].name, cases[i].name, "case %zu: %s", i, got[0].name);
			cr_expect_str_eq(got[0].value, cases[i].value, "case %zu: %s", i, got[0].value);
		}
	}
}

Test(fragment, a_line_may_hold_several_settings_where_the_system_takes_them)
{
	static const char text[] = "a.b=1 c.d=2\n\te.f=3\n";
	static const char *const names[] = { "a.b", "c.d", "e.f" };
	struct profile *p = profile_of("OpenBSD");
	struct fragment_setting *got;
	size_t n;

	got = fragment_read(arena, &p->persist.settings, text, strlen(text), &n);
	cr_assert_eq(n, 3);
	for (size_t i = 0; i < n; i++)
		cr_expect_str_eq(got[i].name, names[i]);
	cr_expect_str_eq(got[1].value, "2");
	cr_expect(got[0].line == 1 && got[1].line == 1 && got[2].line == 2);
}

Test(fragment, any_bytes_can_be_read)
{
	static const char text[] = "a.b = 1\0\nc.d = 2\n\n\0\0\n=\n-\n\xff\xfe = 3\ne.f = 4";
	struct profile *p = profile_of("Linux");
	struct fragment_setting *got;
	char *endless = arena_alloc(arena, 300000);
	size_t n;

	got = fragment_read(arena, &p->persist.settings, text, sizeof(text) - 1, &n);
	cr_assert_eq(n, 2);
	cr_expect_str_eq(got[0].name, "c.d");
	cr_expect_eq(got[0].line, 2);
	cr_expect_str_eq(got[1].value, "4");
	cr_expect_eq(got[1].line, 8);
	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = arena_alloc(arena, len); /* ASan sees a byte too much */

		memcpy(copy, text, len);
		fragment_read(arena, &p->persist.settings, copy, len, &n);
	}
	memset(endless, 'a', 300000);
	endless[7] = '=';
	for (size_t s = 0; s < n_systems; s++)
		fragment_read(arena, &profile_of(systems[s])->persist.settings, endless, 300000, &n);
	fragment_read(arena, &p->persist.settings, endless, 300000, &n);
	cr_expect_eq(n, 0, "longer than its reader takes");
}

/* ---- our block in what others own ----------------------------------------------------------- */

#define BLOCK FRAGMENT_BEGIN "\nx=1\n" FRAGMENT_END "\n"
#define OTHER FRAGMENT_BEGIN "\ny=2\ny=3\n" FRAGMENT_END "\n"

Test(fragment, our_block_is_put_replaced_and_taken_away)
{
	static const struct { const char *text, *block, *merged; } cases[] = {
		{ "", BLOCK, BLOCK }, { "a=1\n", BLOCK, "a=1\n" BLOCK }, { "a=1", BLOCK, "a=1\n" BLOCK },
		{ "a=1\n" OTHER "b=2\n", BLOCK, "a=1\n" BLOCK "b=2\n" },
		{ OTHER, BLOCK, BLOCK }, { "a=1\n" OTHER "b=2", NULL, "a=1\nb=2" },
		{ "a=1\n", NULL, "a=1\n" }, { "", NULL, "" }, { OTHER, NULL, "" },
		{ "a=1\r\n" FRAGMENT_BEGIN "\r\nx\r\n" FRAGMENT_END, BLOCK, "a=1\r\n" BLOCK },
		{ "#" FRAGMENT_BEGIN "\n", BLOCK, "#" FRAGMENT_BEGIN "\n" BLOCK },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		char *out = NULL, *again = NULL;
		struct err e = { 0 };

		cr_assert(fragment_merge(arena, "f", cases[i].text, strlen(cases[i].text),
		    cases[i].block, &out, &e), "case %zu: %s", i, e.text);
		cr_expect_str_eq(out, cases[i].merged, "case %zu: %s", i, out);
		cr_assert(fragment_merge(arena, "f", out, strlen(out), cases[i].block, &again, &e));
		cr_expect_str_eq(again, out, "twice is as once, case %zu", i);
	}
}

Test(fragment, a_damaged_block_is_named_and_left_alone)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "a=1\n" FRAGMENT_BEGIN "\nb=2\n", "f:2: \"# BEGIN pathtune\" has no" },
		{ "a=1\n" FRAGMENT_END "\n", "f:2: \"# END pathtune\" has no" },
		{ BLOCK "a=1\n" BLOCK, "f:5: a second block" },
		{ FRAGMENT_BEGIN "\n" BLOCK, "f:1: \"# BEGIN pathtune\" has no" },
	};
	char *out = NULL;

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct err e = { 0 };

		cr_expect_not(fragment_merge(arena, "f", cases[i].text, strlen(cases[i].text), BLOCK,
		    &out, &e));
		cr_expect_eq(e.code, ERR_FAILED);
		cr_expect_eq(strncmp(e.text, cases[i].error, strlen(cases[i].error)), 0, "%s", e.text);
		cr_expect_null(out);
	}
}

/* What stands in a file of the host: each width before the words puts them elsewhere in a line. */
Test(fragment, words_of_the_host_do_not_end_the_block)
{
	static const char *const words[] = { "END pathtune", "BEGIN pathtune",
		"END pathtune\n# BEGIN pathtune" };
	struct profile *p = profile_of("NetBSD");
	struct text pad = { .arena = arena };

	for (size_t i = 0; i < 120 * NELEM(words); i++) {
		struct run *run = empty_run();
		char *out = NULL, *again = NULL;
		struct err e = { 0 };

		pad.len = 0;
		for (size_t k = 0; k < i / NELEM(words); k++)
			text_bytes(&pad, "x", 1);
		text_add(&pad, " %s %090d", words[i % NELEM(words)], 0);
		add_setting(run, p->knobs[0].name, pad.s, "1", pad.s);
		fragment_make(arena, p, run);
		cr_assert(fragment_merge(arena, "f", "a=1\n", 4, run->files[0].text, &out, &e));
		cr_assert(fragment_merge(arena, "f", out, strlen(out), NULL, &again, &e), "%zu: %s\n%s",
		    i, e.text, out);
		cr_assert_str_eq(again, "a=1\n", "%zu", i);
		expect_same(p, run);
	}
}

/* ---- golden files --------------------------------------------------------------------------- */

struct line {
	const char *name, *old, *new, *reason;
};

static const struct line linux_lines[] = {
	{ "net.ipv4.tcp_wmem", "4096 16384 4194304", "4096 16384 25284608",
	    "window-send: lets one connection keep 14.9 MiB in flight when sending" },
	{ "net.ipv4.tcp_congestion_control", "cubic", "bbr", "congestion-control: faster here" },
	{ "module", NULL, "tcp_bbr", "module: the congestion control is a module" },
	{ NULL, NULL, NULL, NULL },
};
static const struct line freebsd_lines[] = {
	{ "kern.ipc.maxsockbuf", "2097152", "17694720", "limit: 9/8 of the larger maximum" },
	{ "net.inet.tcp.sendbuf_max", "2097152", "15675392", "window-send: 14.9 MiB in flight" },
	{ "net.inet.tcp.recvbuf_max", "2097152", "15675392", "window-receive: 14.9 MiB in flight" },
	{ "net.inet.tcp.cc.algorithm", "newreno", "htcp", "congestion-control: faster here" },
	{ "module", NULL, "cc_htcp", "module: the congestion control is a module" },
	{ NULL, NULL, NULL, NULL },
};
static const struct line netbsd_lines[] = {
	{ "kern.sbmax", "262144", "19595264", "limit: 5/4 of the larger maximum" },
	{ "net.inet.tcp.sendbuf_max", "262144", "15675392", "window-send: 14.9 MiB in flight" },
	{ "net.inet.tcp.recvbuf_max", "262144", "15675392", "window-receive: 14.9 MiB in flight" },
	{ "net.inet.tcp.recvbuf_inc", "16384", "980992", "growth-receive: one step each half second" },
	{ NULL, NULL, NULL, NULL },
};
static const struct line openbsd_lines[] = {
	{ "net.inet.tcp.tso", "1", "0", "offload: this NIC is faster without" },
	{ NULL, NULL, NULL, NULL },
};
static const struct line dragonfly_lines[] = {
	{ "net.inet.tcp.sendbuf_max", "2097152", "15675392", "window-send: 14.9 MiB in flight" },
	{ "net.inet.tcp.recvspace", "57344", "8388480", "scale-receive: the scale covers the window" },
	{ "net.inet.tcp.inflight_enable", "1", "0", "inflight-limiter: keeps less in flight" },
	{ NULL, NULL, NULL, NULL },
};
static const struct line illumos_lines[] = {
	{ "max_buf", "1048576", "15728640", "limit: the upper end of the other two" },
	{ "send_buf", "128000", "15675392", "window-send: 14.9 MiB in flight" },
	{ "recv_buf", "128000", "15675392", "window-receive: 14.9 MiB in flight" },
	{ NULL, NULL, NULL, NULL },
};

static const struct { const char *system; const struct line *lines; } golden[] = {
	{ "Linux", linux_lines }, { "FreeBSD", freebsd_lines }, { "NetBSD", netbsd_lines },
	{ "OpenBSD", openbsd_lines }, { "DragonFly", dragonfly_lines }, { "SunOS", illumos_lines },
};

static const char *
all_files(const struct run *run)
{
	struct text t = { .arena = arena };

	for (size_t i = 0; i < run->n_files; i++)
		text_add(&t, "==> %s <==\n%s", run->files[i].path, run->files[i].text);
	return t.s;
}

Test(fragment, files_are_as_the_golden_ones)
{
	static struct advice_path path = { 209, 600e6 };

	for (size_t s = 0; s < NELEM(golden); s++) {
		struct profile *p = profile_of(golden[s].system);
		const char *file = arena_printf(arena, "%s/unit/data/fragments/%s.txt", TESTS_DIR,
		    p->name), *now, *then = NULL;
		struct run *run = empty_run();
		struct err e = { 0 };
		size_t len;

		run->advice.paths = &path;
		run->advice.n_paths = 1;
		for (const struct line *l = golden[s].lines; l->name != NULL; l++)
			add_setting(run, l->name, l->old, l->new, l->reason);
		fragment_make(arena, p, run);
		expect_same(p, run);
		now = all_files(run);
		if (getenv("UPDATE") != NULL)
			cr_assert(files_write(file, now, strlen(now), 0644, &e), "%s", e.text);
		cr_assert(files_read(arena, file, 65536, &then, &len, &e), "%s", e.text);
		cr_expect_str_eq(now, then, "%s is otherwise now:\n%s", file, now);
	}
}
