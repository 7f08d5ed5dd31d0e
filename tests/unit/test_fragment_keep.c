/*
 * A fragment takes the place of the one before: what that one set must not get lost.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "tuner/advise.h"
#include "tuner/fragment.h"
#include "tuner/profile.h"
#include "tuner/settings.h"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new();
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(fragment_keep, .init = setup, .fini = teardown);

static struct advice_path near[] = { { 80, 400e6 } }, far[] = { { 209, 600e6 } };

static struct profile *
profile_of(const char *name)
{
	struct profile *p = NULL;
	struct err e = { ERR_NONE, "" };

	cr_assert(profile_named(arena, name, &p, &e), "%s", e.text);
	return p;
}

/* A machine as it comes, or one with these facts. */
static struct run *
new_run(const struct profile *p, const char *release, const struct facts *f)
{
	struct run *run = arena_alloc(arena, sizeof(*run));
	struct err e = { ERR_NONE, "" };

	record_init(&run_record, run);
	if (f != NULL)
		run->facts = *f;
	else
		cr_assert(advise_facts(arena, p, release, "amd64", 64e9, &run->facts, &e), "%s",
		    e.text);
	return run;
}

static void
advise(const struct profile *p, struct run *run, enum direction d, struct advice_path *path)
{
	struct err e = { ERR_NONE, "" };

	run->options.direction = d;
	run->options.connections = 1;
	run->options.paths = path;
	run->options.n_paths = 1;
	cr_assert(advise_make(arena, p, run, &e), "%s", e.text);
	fragment_make(arena, p, run);
}

static void
add_source(struct facts *f, const char *file, double line, const char *name, const char *value)
{
	*(struct source_line *)arena_push(arena, &f->sources, &f->n_sources,
	    sizeof(*f->sources)) = (struct source_line){ file, line, name, value };
}

static const char *
text_of(const struct run *run, const char *path)
{
	for (size_t i = 0; i < run->n_files; i++) {
		if (strcmp(run->files[i].path, path) == 0)
			return run->files[i].text;
	}
	return NULL;
}

static struct fragment_setting *
settings_of(const struct profile *p, const struct run *run, size_t *n)
{
	const char *text = text_of(run, p->persist.settings.path);

	cr_assert_not_null(text, "%s: no file", p->name);
	return fragment_read(arena, &p->persist.settings, text, strlen(text), n);
}

/* The host with the run's fragment written to it, and after a boot. */
static struct facts
installed(const struct profile *p, const struct run *run)
{
	struct facts f = settings_applied(arena, p, &run->facts, run->decision.settings,
	    run->decision.n_settings);
	size_t n;
	struct fragment_setting *s = settings_of(p, run, &n);

	f.sources = NULL;
	f.n_sources = 0;
	for (size_t i = 0; i < n; i++)
		add_source(&f, p->persist.settings.path, s[i].line, s[i].name, s[i].value);
	return f;
}

static const char *
value_in(const struct profile *p, const struct run *run, const char *name)
{
	size_t n;
	struct fragment_setting *s = settings_of(p, run, &n);
	const char *value = NULL;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(s[i].name, name) != 0)
			continue;
		cr_expect_null(value, "%s: %s stands there twice", p->name, name);
		value = s[i].value;
	}
	return value;
}

static const struct {
	const char *name, *release;
} systems[] = {
	{ "linux", "6.6" }, { "freebsd", "14.2" }, { "netbsd", "10.1" }, { "dragonfly", "6.4" },
};

Test(fragment_keep, a_second_path_leaves_what_the_first_one_set)
{
	for (size_t i = 0; i < NELEM(systems); i++) {
		struct profile *p = profile_of(systems[i].name);
		struct run *first = new_run(p, systems[i].release, NULL), *second;
		struct fragment_setting *had;
		struct facts f;
		size_t n;

		advise(p, first, DIR_RECEIVE, near);
		f = installed(p, first);
		second = new_run(p, NULL, &f);
		advise(p, second, DIR_SEND, far);
		had = settings_of(p, first, &n);
		cr_assert_gt(n, 0);
		for (size_t k = 0; k < n; k++)
			cr_expect_not_null(value_in(p, second, had[k].name), "%s lost %s", p->name,
			    had[k].name);
		for (size_t k = 0; k < second->decision.n_settings; k++)
			cr_expect_str_eq(value_in(p, second, second->decision.settings[k].name),
			    second->decision.settings[k].new);
		cr_expect_not_null(strstr(text_of(second, p->persist.settings.path), "# kept: "));
	}
}

Test(fragment_keep, what_tune_found_leaves_it_too)
{
	struct profile *p = profile_of("linux");
	struct run *first = new_run(p, "6.6", NULL), *tuned;
	static const char *modules[] = { "bbr" };
	struct facts f;

	advise(p, first, DIR_BOTH, near);
	f = installed(p, first);
	add_source(&f, p->persist.settings.path, 90, "net.ipv4.tcp_congestion_control", "bbr");
	f.cc_modules = modules;
	f.n_cc_modules = 1;
	for (size_t i = 0; i < f.n_knobs; i++) {
		if (strcmp(f.knobs[i].name, "net.ipv4.tcp_congestion_control") == 0)
			f.knobs[i].text = "bbr";
	}
	tuned = new_run(p, NULL, &f);
	*(struct change_line *)arena_push(arena, &tuned->decision.settings,
	    &tuned->decision.n_settings, sizeof(struct change_line)) = (struct change_line){
		"net.ipv4.tcp_rmem", "4096 131072 6291456", "4096 131072 33554432",
		"window-receive: measured", true };
	fragment_make(arena, p, tuned);
	cr_expect_str_eq(value_in(p, tuned, "net.ipv4.tcp_rmem"), "4096 131072 33554432");
	cr_expect_str_eq(value_in(p, tuned, "net.ipv4.tcp_wmem"),
	    value_in(p, first, "net.ipv4.tcp_wmem"));
	cr_expect_str_eq(value_in(p, tuned, "net.ipv4.tcp_congestion_control"), "bbr");
	cr_assert_not_null(text_of(tuned, p->persist.modules.path), "the module is kept with it");
	cr_expect(strstr(text_of(tuned, p->persist.modules.path), "\ntcp_bbr\n") != NULL);
}

/* The decision is one line for kern.sbmax; of sendbuf_max the file and the kernel say this. */
Test(fragment_keep, a_size_is_kept_at_the_larger_of_file_and_kernel_and_only_if_legal)
{
	static const struct {
		const char *file, *says, *runs, *kept;
	} cases[] = {
		{ "/etc/sysctl.conf", "300000", "400000", "400000" },
		{ "/etc/sysctl.conf", "400000", "300000", "400000" },
		{ "/etc/sysctl.conf", "400000", NULL, "400000" },
		{ "/etc/sysctl.conf", "-5", "300000", "300000" },
		{ "/etc/sysctl.conf", "300000", "-5", "300000" },
		{ "/etc/sysctl.conf", "x", "-5", NULL },
		{ "/etc/sysctl.conf", "", NULL, NULL },
		{ "/etc/sysctl.conf", NULL, "300000", "300000" },
		{ "/etc/other.conf", "300000", "300000", NULL },
	};
	struct profile *p = profile_of("netbsd");

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct run *run = new_run(p, "10.1", NULL);
		const char *kept;

		for (size_t k = 0; k < run->facts.n_knobs; k++) {
			if (strcmp(run->facts.knobs[k].name, "net.inet.tcp.sendbuf_max") == 0)
				run->facts.knobs[k].text = cases[i].runs;
		}
		add_source(&run->facts, cases[i].file, 1, "net.inet.tcp.sendbuf_max",
		    cases[i].says);
		*(struct change_line *)arena_push(arena, &run->decision.settings,
		    &run->decision.n_settings, sizeof(struct change_line)) =
		    (struct change_line){ "kern.sbmax", "262144", "500000", "limit: x", true };
		fragment_make(arena, p, run);
		kept = value_in(p, run, "net.inet.tcp.sendbuf_max");
		cr_expect_eq(kept == NULL, cases[i].kept == NULL, "case %zu: %s", i, kept);
		if (kept != NULL && cases[i].kept != NULL)
			cr_expect_str_eq(kept, cases[i].kept, "case %zu: %s", i, kept);
	}
}

/* sack has no part in any advice: in a file of others it is theirs, and a hazard says so. */
Test(fragment_keep, what_pathtune_never_sets_is_not_repeated_in_a_block)
{
	static const struct {
		const char *name, *release, *knob;
		bool kept;
	} cases[] = {
		{ "netbsd", "10.1", "net.inet.tcp.sack.enable", false },
		{ "netbsd", "10.1", "net.inet.tcp.timestamps", true },
		{ "linux", "6.6", "net.ipv4.tcp_sack", true },
		{ "freebsd", "14.2", "net.inet.tcp.sack.enable", false },
		{ "freebsd", "14.2", "net.inet.tcp.tso", true }, /* of an extra */
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct profile *p = profile_of(cases[i].name);
		struct run *run = new_run(p, cases[i].release, NULL);

		add_source(&run->facts, p->persist.settings.path, 1, cases[i].knob, "1");
		*(struct change_line *)arena_push(arena, &run->decision.settings,
		    &run->decision.n_settings, sizeof(struct change_line)) =
		    (struct change_line){ p->knobs[0].name, "1", "500000", "x: y", true };
		fragment_make(arena, p, run);
		cr_expect_eq(value_in(p, run, cases[i].knob) != NULL, cases[i].kept, "%s",
		    cases[i].knob);
	}
}

/* What bounds goes before what is bounded, whichever of them is new. */
Test(fragment_keep, the_order_is_that_of_the_profile_s_knobs)
{
	static const char *const names[] = { "kern.sbmax", "net.inet.tcp.sendbuf_max" };
	struct profile *p = profile_of("netbsd");

	for (size_t i = 0; i < NELEM(names); i++) {
		struct run *run = new_run(p, "10.1", NULL);
		struct fragment_setting *s;
		size_t n;

		add_source(&run->facts, p->persist.settings.path, 1, names[!i], "400000");
		*(struct change_line *)arena_push(arena, &run->decision.settings,
		    &run->decision.n_settings, sizeof(struct change_line)) =
		    (struct change_line){ names[i], "262144", "500000", "x: y", true };
		fragment_make(arena, p, run);
		s = settings_of(p, run, &n);
		cr_assert_eq(n, 2);
		cr_expect_str_eq(s[0].name, names[0]);
		cr_expect_str_eq(s[1].name, names[1]);
	}
}

Test(fragment_keep, without_a_new_line_nothing_is_written)
{
	struct profile *p = profile_of("netbsd");
	struct run *run = new_run(p, "10.1", NULL);

	add_source(&run->facts, p->persist.settings.path, 1, "kern.sbmax", "400000");
	fragment_make(arena, p, run);
	cr_expect_eq(run->n_files, 0);
}
