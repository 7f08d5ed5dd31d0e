/* Files of settings to be compared: what is read, what does not fit a host, what cannot act. */
#include "error.h"
#include "program.h"
#include "sample.h"

#include "probes/facts.h"
#include "probes/files.h"
#include "probes/host.h"
#include "tuner/try_file.h"

static struct arena *a;
static struct profile *p;
static struct facts f;
static struct plan_direction d;

static void
setup(void)
{
	static const char *cc[] = { "cubic", "bbr" };

	a = arena_new();
	p = sample_profile(a);
	f = sample_facts(a);
	d = (struct plan_direction){ .direction = DIR_SEND, .window_bytes = 2600468,
		.window_max_bytes = 64 * 1048576., .window_factor = .62, .cc = cc, .n_cc = 2,
		.window_writable = true };
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(try_file, .init = setup, .fini = teardown);

static bool
reads(const char *text, struct try_file *out, struct err *e)
{
	return try_file_read(a, "x.yaml", text, strlen(text), out, e);
}

static bool
fits(const char *text, struct try_choice *choices, struct err *e)
{
	struct try_file file;

	cr_assert(reads(text, &file, e), "%s", e->text);
	return try_file_check(a, &file, p, &f, &d, 1, choices, e);
}

#define SETTING "settings:\n  - name: a\n    "

Test(try_file, all_that_may_be_said_is_read)
{
	struct err e = { ERR_NONE, "" };
	struct try_file file;

	cr_assert(reads("direction: receive\nrounds: 20\nduration: 5s\nsocket_windows: [64K, 1M]\n"
	    "settings:\n  - name: present\n  - name: big one\n    window: 4M\n    cc: bbr\n"
	    "    streams: 4\n  - name: b\n    knobs:\n      x.y: 1 2 3\n      z: 7\n", &file, &e),
	    "%s", e.text);
	cr_expect_eq(file.direction, DIR_RECEIVE);
	cr_expect(file.rounds == 20 && file.duration_s == 5);
	cr_expect(file.n_pin_bytes == 2 && file.pin_bytes[0] == 65536 && file.pin_bytes[1] == 1048576);
	cr_assert_eq(file.n_settings, 3u);
	cr_expect_str_eq(file.settings[1].name, "big one");
	cr_expect(file.settings[1].window_bytes == 4194304 && file.settings[1].streams == 4);
	cr_expect_str_eq(file.settings[1].cc, "bbr");
	cr_assert_eq(file.settings[2].n_knobs, 2u);
	cr_expect_str_eq(file.settings[2].knobs[0].text, "1 2 3");
	cr_expect_eq(file.settings[2].knobs[1].line, 14u);
}

Test(try_file, the_present_setting_is_the_first_also_where_it_is_not_named)
{
	struct err e = { ERR_NONE, "" };
	struct try_file file;

	cr_assert(reads(SETTING "window: 4M\n", &file, &e), "%s", e.text);
	cr_assert_eq(file.n_settings, 2u);
	cr_expect_str_eq(file.settings[0].name, "present");
	cr_expect(file.direction == DIR_NONE && file.n_pin_bytes == 0 && isnan(file.rounds));
}

Test(try_file, every_mistake_is_named_with_its_line)
{
	static const struct { const char *text, *begin; } t[] = {
		{ "", "x.yaml:1: empty" },
		{ "- a\n", "x.yaml:1: a map" },
		{ "rounds: 3\n", "x.yaml:1: the key settings is missing" },
		{ "settings: 7\n", "x.yaml:1: settings: a list" },
		{ "settings:\n  - name: present\n", "x.yaml:1: settings: nothing to compare" },
		{ "\nfoo: 1\n", "x.yaml:2: foo: unknown key" },
		{ SETTING "bar: 1\n", "x.yaml:3: bar: unknown key" },
		{ "settings:\n  - window: 4M\n", "x.yaml:2: a setting needs a name" },
		{ "settings:\n  - 4M\n", "x.yaml:2: a setting is a map" },
		{ "settings:\n  - name: a\n", "x.yaml:2: a setting needs one of" },
		{ SETTING "window: 4M\n  - name: a\n    cc: bbr\n", "x.yaml:4: a setting of this name" },
		{ SETTING "window: 4M\n  - name: present\n", "x.yaml:4: the present setting comes first" },
		{ "settings:\n  - name: present\n    cc: bbr\n", "x.yaml:2: the present setting comes" },
		{ SETTING "window: 4M\n    knobs: {x: 1}\n", "x.yaml:2: window and knobs contradict" },
		{ SETTING "window: 4 quarts\n", "x.yaml:3: " },
		{ SETTING "window: [1]\n", "x.yaml:3: window: a word" },
		{ SETTING "window: 2G\n", "x.yaml:3: 2G is not within" },
		{ SETTING "knobs: 3\n", "x.yaml:3: knobs: a map" },
		{ SETTING "knobs: {x: }\n", "x.yaml:3: x: a word" },
		{ SETTING "knobs: {x: \"a\\eb\"}\n", "x.yaml:3: only printable" },
		{ SETTING "streams: 65\n", "x.yaml:3: 65 is not within" },
		{ SETTING "streams: 1.5\n", "x.yaml:3: streams: a whole number" },
		{ "direction: up\n", "x.yaml:1: direction: one of" },
		{ "rounds: 0\n", "x.yaml:1: 0 is not within" },
		{ "duration: 5\n", "x.yaml:1: " },
		{ "duration: 2m\n", "x.yaml:1: 2m is not within" },
		{ "socket_windows: 64K\n", "x.yaml:1: socket_windows: a list" },
		{ "socket_windows:\n  - 64K\n  - 1K\n", "x.yaml:3: 1K is not within" },
		{ "socket_windows: [64K, 65M]\n", "x.yaml:1: 65M is not within" },
		{ "socket_windows: [64K, 65536]\n", "x.yaml:1: this socket window is there" },
		{ "socket_windows: [4K, 5K, 6K, 7K, 8K, 9K, 10K, 11K,\n  12K]\n", "x.yaml:2: more than 8" },
		{ "rounds: 1\nrounds: 2\n", "x.yaml:2: rounds: duplicate key" },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct err e = { ERR_NONE, "" };
		struct try_file file = { .name = "untouched" };

		cr_expect_not(reads(t[i].text, &file, &e), "case %zu", i);
		cr_expect_eq(e.code, ERR_USAGE, "case %zu", i);
		error_begins(&e, t[i].begin, i);
		cr_expect_str_eq(file.name, "untouched");
	}
}

Test(try_file, twelve_settings_are_read_and_thirteen_are_not)
{
	struct text t = { .arena = a };
	struct err e = { ERR_NONE, "" };
	struct try_file file;

	text_add(&t, "settings:\n");
	for (int i = 0; i < 11; i++)
		text_add(&t, "  - {name: s%d, cc: bbr}\n", i);
	cr_expect(reads(t.s, &file, &e), "%s", e.text);
	cr_expect_eq(file.n_settings, 12u);
	text_add(&t, "  - {name: s, cc: bbr}\n");
	cr_expect_not(reads(t.s, &file, &e));
	error_begins(&e, "x.yaml:13: more than 12", 0);
}

Test(try_file, what_does_not_fit_the_host_is_named_with_its_line)
{
	static const struct { const char *text, *begin; } t[] = {
		{ "knobs: {net.ipv4.tcp_vmem: 1}", "x.yaml:3: net.ipv4.tcp_vmem: the profile linux has no" },
		{ "knobs: {net.ipv4.tcp_sack: 1}", "x.yaml:3: net.ipv4.tcp_sack: could not be read" },
		{ "knobs: {net.ipv4.tcp_wmem: 8388608}", "x.yaml:3: net.ipv4.tcp_wmem: the value must have 3" },
		{ "knobs: {net.ipv4.tcp_wmem: 4096 16384 4294967296}", "x.yaml:3: net.ipv4.tcp_wmem: 4294967296" },
		{ "knobs: {net.ipv4.tcp_wmem: 4096 16384 0}", "x.yaml:3: net.ipv4.tcp_wmem: 0 is not within" },
		{ "knobs: {net.ipv4.tcp_wmem: 4096 -5 8388608}", "x.yaml:3: net.ipv4.tcp_wmem: -5" },
		{ "knobs: {net.ipv4.tcp_wmem: 4096 16K 8388608}", "x.yaml:3: net.ipv4.tcp_wmem: '16K'" },
		{ "knobs:\n      net.core.rmem_max: 99999999\n", "x.yaml:4: net.core.rmem_max: cannot be set" },
		{ "knobs: {net.ipv4.tcp_congestion_control: vegas}", "x.yaml:3: net.ipv4.tcp_congestion_control" },
		{ "cc: bbr\n    knobs: {net.ipv4.tcp_congestion_control: bbr}", "x.yaml:4: " },
		{ "cc: vegas", "x.yaml:3: cc: congestion control 'vegas' is not there" },
		{ "window: 1M", "x.yaml:3: window: 1 MiB is not above" },
		{ "window: 65M", "x.yaml:3: window: more than" },
		{ "cc: cubic", "x.yaml: no setting differs" },
		{ "streams: 1", "x.yaml: no setting differs" },
	};

	for (size_t i = 0; i < f.n_knobs; i++)
		f.knobs[i].writable = strcmp(f.knobs[i].name, "net.core.rmem_max") != 0;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct try_choice choices[TRY_SETTINGS_MAX];
		struct err e = { ERR_NONE, "" };

		cr_expect_not(fits(arena_printf(a, SETTING "%s\n", t[i].text), choices, &e), "case %zu", i);
		cr_expect_eq(e.code, ERR_USAGE, "case %zu", i);
		error_begins(&e, t[i].begin, i);
	}
	f.privileged = false;
	for (size_t i = 0; i < 2; i++) {
		struct try_choice choices[TRY_SETTINGS_MAX];
		struct err e = { ERR_NONE, "" };

		cr_expect_eq(fits(i == 0 ? SETTING "cc: bbr\n" : SETTING "cc: reno\n", choices, &e), i == 1,
		    "%s", e.text);
	}
}

Test(try_file, a_setting_becomes_lines_a_congestion_control_and_a_count_of_changes)
{
	struct try_choice choices[TRY_SETTINGS_MAX];
	struct err e = { ERR_NONE, "" };

	cr_assert(fits("settings:\n  - {name: w, window: 8M}\n  - {name: c, cc: bbr}\n"
	    "  - name: k\n    cc: bbr\n    knobs: {net.ipv4.tcp_wmem: 4096 16384 8388608}\n"
	    "  - {name: s, streams: 4}\n"
	    "  - {name: b, knobs: {net.ipv4.tcp_congestion_control: bbr}}\n", choices, &e), "%s", e.text);
	cr_expect_not(choices[0].differs);
	cr_expect(choices[1].differs && choices[1].n_lines >= 1);
	cr_expect_eq(choices[1].as.window_bytes, 8388608);
	cr_expect_str_eq(choices[1].as.cc, "cubic");
	cr_expect(choices[2].differs && choices[2].n_lines == 0 && choices[2].changes == 1);
	cr_expect_str_eq(choices[2].as.cc, "bbr");
	cr_expect_eq(choices[3].changes, 2);
	cr_expect(isnan(choices[3].as.window_bytes));
	cr_expect_str_eq(choices[3].lines[0].old, "4096 16384 4194304");
	cr_expect_str_eq(choices[3].lines[0].new, "4096 16384 8388608");
	cr_expect(choices[4].differs && choices[4].changes == 0 && choices[4].streams == 4);
	/* Trials name the control of every socket: that must be the knob's. */
	cr_expect_str_eq(choices[5].as.cc, "bbr");
	/* Receiving, the control is the peer's. */
	d.direction = DIR_RECEIVE;
	d.n_cc = 0;
	cr_expect_not(fits(SETTING "cc: bbr\n", choices, &e));
	error_begins(&e, "x.yaml: no setting differs from the present one when receiving", 0);
}

/* The lesson of 2012. */
Test(try_file, what_pinned_sockets_make_idle_is_said)
{
	static const struct { const char *windows, *knobs; bool idle; } t[] = {
		{ "[64K, 1M]", "{net.ipv4.tcp_wmem: 4096 16384 16777216}", true },
		{ "[64K, 1M]", "{net.core.wmem_max: 8388608}", true },
		{ "[64K, 8M]", "{net.core.wmem_max: 8388608}", false },
		{ "[64K, 1M]", "{net.core.wmem_max: 524288}", false },
		{ "[64K, 1M]", "{net.ipv4.tcp_wmem: 4096 16384 16777216}\n    cc: bbr", false },
		{ "[64K, 1M]", "{net.ipv4.tcp_wmem: 4096 16384 16777216}\n    streams: 2", false },
		{ NULL, "{net.ipv4.tcp_wmem: 4096 16384 16777216}", false },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		struct try_choice choices[TRY_SETTINGS_MAX];
		struct err e = { ERR_NONE, "" };
		struct try_file file;
		const char *idle, *windows = t[i].windows == NULL ? "" :
		    arena_printf(a, "socket_windows: %s\n", t[i].windows);

		cr_assert(reads(arena_printf(a, "%s" SETTING "knobs: %s\n", windows, t[i].knobs), &file,
		    &e), "%s", e.text);
		cr_assert(try_file_check(a, &file, p, &f, &d, 1, choices, &e), "%s", e.text);
		idle = try_file_idle(a, &file, p, &f, &d, choices);
		cr_expect_eq(idle != NULL, t[i].idle, "case %zu", i);
		cr_expect(idle == NULL || strncmp(idle, "a cannot act", 12) == 0, "%s", idle);
	}
}

/* Before anybody is connected to. */
Test(try_file, tune_reads_the_file_first)
{
	static const struct { const char *flags, *says; int status; } t[] = {
		{ "--try /nonexistent/x.yaml", "/nonexistent/x.yaml", 1 },
		{ "--try " TESTS_DIR "/../docs/examples/windows.yaml --direction receive",
		    "--direction receive contradicts", 2 },
		{ "--try " TESTS_DIR "/CMakeLists.txt", "CMakeLists.txt:", 2 },
		{ "--try " TESTS_DIR "/../docs/examples/windows.yaml", "token is needed", 2 },
	};

	unsetenv("PATHTUNE_TOKEN");
	for (size_t i = 0; i < NELEM(t); i++) {
		struct said s = program_run(a, arena_printf(a, "tune --peer 127.0.0.1:1 %s", t[i].flags));

		cr_expect_eq(s.status, t[i].status, "case %zu: %d %s", i, s.status, s.err);
		cr_expect_not_null(strstr(s.err, t[i].says), "case %zu: %s", i, s.err);
	}
}

/* ---- the examples --------------------------------------------------------------------------- */

static struct try_file
example(const char *name)
{
	const char *path = arena_printf(a, TESTS_DIR "/../docs/examples/%s", name), *text;
	struct err e = { ERR_NONE, "" };
	struct try_file file;
	size_t len;

	cr_assert(files_read(a, path, 65536, &text, &len, &e), "%s", e.text);
	cr_assert(try_file_read(a, path, text, len, &file, &e), "%s", e.text);
	return file;
}

Test(try_file, the_examples_for_linux_fit_a_linux_host)
{
	static const char *const names[] = { "windows.yaml", "2012-linux.yaml" };

	for (size_t i = 0; i < NELEM(names); i++) {
		struct try_choice choices[TRY_SETTINGS_MAX];
		struct try_file file = example(names[i]);
		struct err e = { ERR_NONE, "" };

		cr_expect(try_file_check(a, &file, p, &f, &d, 1, choices, &e), "%s", e.text);
		for (size_t k = 1; k < file.n_settings; k++)
			cr_expect(choices[k].differs, "%s: %s", names[i], file.settings[k].name);
	}
}

Test(try_file, the_matrix_of_2012_fits_the_freebsd_it_was_for_and_none_of_it_can_act)
{
	struct try_file file = example("2012-freebsd.yaml");
	struct try_choice choices[TRY_SETTINGS_MAX];
	struct err e = { ERR_NONE, "" };
	struct host *h;
	const char *idle;

	cr_assert(profile_for(a, "FreeBSD", &p, &e), "%s", e.text);
	cr_assert(host_open(a, "replay:" TESTS_DIR "/transcripts/freebsd-14.2-em", &h, &e), "%s", e.text);
	f = (struct facts){ 0 };
	cr_assert(facts_probe(h, a, p, host_path(h)->peer, false, &f, &e), "%s", e.text);
	host_close(h);
	/* Setting them takes a command there; that is not what is looked at. */
	for (size_t i = 0; i < p->n_knobs; i++)
		p->knobs[i].file = "/x";
	for (size_t i = 0; i < f.n_knobs; i++)
		f.knobs[i].writable = true;
	cr_assert(try_file_check(a, &file, p, &f, &d, 1, choices, &e), "%s", e.text);
	cr_expect(choices[2].differs && choices[2].n_lines == 3);
	idle = try_file_idle(a, &file, p, &f, &d, choices);
	cr_assert_not_null(idle);
	cr_expect(strstr(idle, "T2, T3 cannot act") != NULL, "%s", idle);
}
