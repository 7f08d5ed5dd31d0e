/* The stages before the first transfer, on a host of files: what is asked how often, and when. */
#include "program.h"

#include "tuner/cmd.h"
#include "tuner/hazards.h"

#include <stdio.h>
#include <sys/stat.h>

#define TOKEN "0123456789abcdef0123"

static struct arena *a;
static char dir[] = "/tmp/pathtune-pipeline-XXXXXX";
static const char *profile, *knob, *journal;

static const char *
path(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

static void
put(const char *to, const char *text)
{
	FILE *f = fopen(to, "w");

	cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "%s", to);
}

static const char *
get(const char *from)
{
	static char text[4096];
	FILE *f = fopen(from, "r");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);

	if (f != NULL)
		fclose(f);
	text[n] = '\0';
	return text;
}

/* Every question leaves its letter in the file "asked". */
static void
setup(void)
{
	static const char *const facts[] = { "boot_id", "B", "scope_id", "S", "release", "R", NULL };
	struct text t;

	a = arena_new();
	t = (struct text){ .arena = a };
	cr_assert_not_null(mkdtemp(dir));
	profile = path("x.yaml");
	knob = path("knob");
	journal = path("journal-S");
	put(knob, "7\n");
	text_add(&t, "name: x\nsysname: X\nreleases: all\nfacts:\n");
	for (size_t i = 0; facts[i] != NULL; i += 2)
		text_add(&t, "  - fact: %s\n    argv: [sh, -c, 'printf %s >> %s; echo %s']\n"
		    "    source: s\n", facts[i], facts[i + 1], path("asked"), facts[i + 1]);
	text_add(&t, "knobs:\n  - name: k\n    role: send_max\n    unit: bytes\n    min: 1\n"
	    "    max: 9\n    scope: global\n    file: %s\n    source: s\n"
	    "persist:\n  settings: {path: /x, style: own, line: \"{name}={value}\", source: s}\n"
	    "  precedence: listed\n", knob);
	put(profile, t.s);
	setenv("PATHTUNE_STATE", dir, 1);
	setenv("PATHTUNE_TOKEN", TOKEN, 1);
}

static void
teardown(void)
{
	static const char *const files[] = { "x.yaml", "knob", "journal-S", "asked", NULL };

	for (size_t i = 0; files[i] != NULL; i++)
		unlink(path(files[i]));
	rmdir(dir);
	arena_free(a);
}

TestSuite(pipeline, .init = setup, .fini = teardown);

static struct said
probe(const char *flags)
{
	return program_run(a, arena_printf(a, "probe --json --profile %s%s", profile, flags));
}

/* Questions of one round are asked side by side: their order says nothing. */
static void
expect_asked(size_t boot, size_t scope, size_t release)
{
	const char *asked = get(path("asked"));
	size_t n[3] = { 0 };

	for (const char *s = asked; *s != '\0'; s++)
		n[*s == 'B' ? 0 : *s == 'S' ? 1 : 2]++;
	cr_expect(n[0] == boot && n[1] == scope && n[2] == release, "%s", asked);
	unlink(path("asked"));
}

Test(pipeline, all_facts_are_asked_for_once_after_the_two_that_name_a_journal)
{
	struct started server = program_start(a,
	    "serve --listen 127.0.0.1 --port 0 --token-env --once -q --max-time 60s");
	char line[256] = "";
	struct said s = probe("");
	unsigned port;

	cr_expect_eq(s.status, 0, "%s", s.err);
	expect_asked(2, 2, 1);
	cr_assert_gt(read(server.out, line, sizeof(line) - 1), 0);
	cr_assert_eq(sscanf(line, "ready port %u", &port), 1, "%s", line);
	s = probe(arena_printf(a, " --peer 127.0.0.1:%u", port));
	cr_expect_eq(s.status, 0, "%s", s.err);
	expect_asked(2, 2, 1);
	program_end(a, server);
}

/* A bandwidth of loopback is limited by whatever it is: the same word as on a page. */
Test(pipeline, a_probe_tells_what_limited_its_transfers_as_a_run_does)
{
	struct started server = program_start(a,
	    "serve --listen 127.0.0.1 --port 0 --token-env --once -q --max-time 60s");
	char line[256] = "";
	struct said s = probe("");
	struct node *n;
	struct facts_document d;
	struct err e = { ERR_NONE, "" };
	unsigned port;

	cr_expect_not_null(strstr(s.out, "\"limits\": []"), "nothing was transferred: %s", s.out);
	cr_assert_gt(read(server.out, line, sizeof(line) - 1), 0);
	cr_assert_eq(sscanf(line, "ready port %u", &port), 1, "%s", line);
	s = probe(arena_printf(a, " --peer 127.0.0.1:%u", port));
	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_assert(node_from_json(a, "probe", s.out, strlen(s.out), &n, &e), "%s", e.text);
	record_init(hazards_document(a), &d);
	cr_assert(record_from_node(a, "probe", hazards_document(a), n, &d, &e), "%s", e.text);
	cr_assert_eq(d.n_limits, 2);
	cr_expect_eq(d.limits[0].direction, DIR_SEND);
	cr_expect_eq(d.limits[1].direction, DIR_RECEIVE);
	for (size_t i = 0; i < 2; i++)
		cr_expect(d.limits[i].evidence != NULL && *d.limits[i].evidence != '\0');
	program_end(a, server);
}

Test(pipeline, the_facts_are_those_of_a_healed_host)
{
	struct said s;

	put(knob, "9\n");
	put(journal, arena_printf(a, "pathtune-journal\t1\t1\t7\tB\tS\nold\tk\t%s\t7\nours\t0\t9\n",
	    knob));
	cr_assert_eq(chmod(journal, 0600), 0);
	s = probe("");
	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_expect_str_eq(s.err, "an earlier run died: 1 value restored\n");
	cr_expect_not_null(strstr(s.out, "\"text\": \"7\""), "%s", s.out);
	cr_expect_str_eq(get(knob), "7");
	cr_expect_neq(access(journal, F_OK), 0);
}

Test(pipeline, a_journal_cut_within_its_old_values_is_removed_with_a_note)
{
	struct said s;

	put(journal, "pathtune-journal\t1\t1\t7\tB\tS\nold\tk");
	cr_assert_eq(chmod(journal, 0600), 0);
	s = probe("");
	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_expect_str_eq(s.err, "an earlier run died before it set anything; what it had begun to "
	    "write down is removed\n");
	cr_expect_neq(access(journal, F_OK), 0);
}

static void
expect_one_newline(const char *what, const char *text)
{
	size_t n = strlen(text);

	cr_expect(n > 2 && strcmp(text + n - 2, "}\n") == 0, "%s ends with \"%s\"", what,
	    n > 2 ? text + n - 2 : text);
}

Test(pipeline, json_ends_with_one_newline_in_a_file_and_on_stdout)
{
	const char *file = path("run.json");
	struct run *run = arena_alloc(a, sizeof(*run));
	struct err e = { ERR_NONE, "" };

	record_init(&run_record, run);
	run->schema = RUN_SCHEMA;
	cr_assert(cmd_run_save(a, file, run, &e), "%s", e.text);
	expect_one_newline("a run file", get(file));
	expect_one_newline("show", program_run(a, arena_printf(a, "show --json %s", file)).out);
	expect_one_newline("probe", probe("").out);
	unlink(file);
}
