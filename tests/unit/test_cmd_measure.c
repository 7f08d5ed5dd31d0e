/* measure and compare as a user calls them, on loopback. */
#include "program.h"

#include "peer_child.h"

#include "tuner/cmd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct child server;
static char dir[] = "/tmp/pathtune-test-measure-XXXXXX";

static void
setup(void)
{
	struct serve_options o = child_options(true);

	child_suite();
	cr_assert_not_null(mkdtemp(dir));
	setenv("PATHTUNE_STATE", dir, 1);
	setenv("PATHTUNE_TOKEN", CHILD_TOKEN, 1);
	cr_assert(child_start(&server, o));
}

static void
teardown(void)
{
	child_end(&server, SIGTERM);
	cr_expect_eq(system(arena_printf(a, "rm -rf %s", dir)), 0);
	child_suite_end();
}

TestSuite(cmd_measure, .init = setup, .fini = teardown);
TestSuite(cmd_measure_bad, .init = child_suite, .fini = child_suite_end);

/* The same run, as if made on another day, its goodput times this. */
static const char *
another_day(const char *path, double times)
{
	const char *to = arena_printf(a, "%s.later", path);
	struct err e = { ERR_NONE, "" };
	struct run run;

	cr_assert(cmd_run_load(a, path, &run, &e), "%s", e.text);
	run.started = "2036-01-01T00:00:00Z";
	for (size_t i = 0; i < run.n_trials; i++)
		run.trials[i].goodput_bps *= times;
	cr_assert(cmd_run_save(a, to, &run, &e), "%s", e.text);
	return to;
}

Test(cmd_measure, saves_rounds_that_compare_reads, .timeout = 60)
{
	const char *file = arena_printf(a, "%s/run.json", dir);
	struct said s = program_run(a, arena_printf(a, "measure --peer %s --direction send "
	    "--transfers 1 --repeat 2 --every 1s --data-cap 100G --save %s", server.peer, file));
	struct err e = { ERR_NONE, "" };
	struct run run;

	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_expect(strstr(s.out, "the median of 2 transfers") != NULL, "%s", s.out);
	cr_assert(cmd_run_load(a, file, &run, &e), "%s", e.text);
	cr_assert_eq(run.n_trials, 2);
	for (size_t i = 0; i < 2; i++) {
		cr_expect_eq(run.trials[i].status, TRIAL_OK, "%s", run.trials[i].why);
		cr_expect_eq(run.trials[i].block, (double)i);
		cr_expect_eq(run.trials[i].phase, PHASE_MEASURE);
		cr_expect_gt(run.trials[i].goodput_bps, 1e6);
	}
	cr_expect_gt(run.trials[1].asked_s, run.trials[0].asked_s + 1);
	cr_expect_eq(run.plan.n_directions, 0);
	s = program_run(a, arena_printf(a, "compare %s %s", file, another_day(file, 1)));
	cr_expect_eq(s.status, 3, "%s", s.out);
	cr_expect(strstr(s.out, "Undecided") != NULL, "%s", s.out);
	s = program_run(a, arena_printf(a, "compare --json %s %s", file, another_day(file, 1)));
	cr_expect(strstr(s.out, "\"verdict\": \"undecided\"") != NULL, "%s", s.out);
	s = program_run(a, arena_printf(a, "compare %s %s", file, file));
	cr_expect_eq(s.status, 2);
	cr_expect_str_eq(s.err, "pathtune compare: this is the same run twice\n");
	s = program_run(a, arena_printf(a, "show %s", file));
	cr_expect(strstr(s.out, "the median of 2 transfers") != NULL, "%s", s.out);
	s = program_run(a, arena_printf(a, "tune --resume %s", file));
	cr_expect_eq(s.status, 2, "a run of measure is none of tune: %s", s.err);
}

/* Between two rounds, which are a day apart. */
Test(cmd_measure, a_signal_while_it_waits_keeps_what_was_measured, .timeout = 60)
{
	const char *file = arena_printf(a, "%s/run.json", dir);
	struct started p = program_start(a, arena_printf(a, "measure --peer %s --direction receive "
	    "--transfers 1 --repeat 2 --every 24h --data-cap 100G --save %s", server.peer, file));
	struct err e = { ERR_NONE, "" };
	struct said s;
	struct run run;

	/* The first round is over when its trial is no longer "cut" in the file; poll for that. */
	for (run.n_trials = 0; run.n_trials == 0 || run.trials[0].status != TRIAL_OK;) {
		struct err none = { ERR_NONE, "" };

		run.n_trials = 0;
		if (access(file, R_OK) == 0)
			(void)cmd_run_load(a, file, &run, &none);
		poll(NULL, 0, 100);
	}
	kill(p.pid, SIGINT);
	s = program_end(a, p);
	cr_expect_eq(s.status, 5, "%s", s.err);
	cr_expect(strstr(s.err, "nothing was set") != NULL, "%s", s.err);
	cr_assert(cmd_run_load(a, file, &run, &e), "%s", e.text);
	cr_expect_eq(run.n_trials, 1);
}

Test(cmd_measure_bad, flags_are_refused_by_name)
{
	static const struct { const char *line, *error; } cases[] = {
		{ "measure", "--peer is needed" },
		{ "measure a b --peer x", "'b': only one host can be named" },
		{ "measure --peer x --direction none", "--direction: 'none'" },
		{ "measure --peer x --repeat 0", "--repeat: " },
		{ "measure --peer x --repeat 1.5", "--repeat: a whole number is needed" },
		{ "measure --peer x --transfers 0", "--transfers: " },
		{ "measure --peer x --every 10m", "--every is of use only with --repeat" },
		{ "measure --peer x --repeat 2 --every 10", "--every: " },
		{ "measure --peer x --repeat 100 --transfers 100", "--repeat: 100 rounds of 100" },
		{ "measure --peer x --save a --no-save", "--save and --no-save" },
		{ "measure --peer x --budget 10m", "--budget is not a flag of pathtune measure" },
		{ "compare", "two run files are needed" },
		{ "compare a", "two run files are needed" },
		{ "compare a b c", "two run files are needed" },
		{ "compare /nowhere/a /nowhere/b", "/nowhere/a" },
		{ "compare --html x a b", "--html is not a flag of pathtune compare" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct said s = program_run(a, cases[i].line);

		cr_expect(s.status == 2 || (s.status == 1 && strstr(cases[i].line, "nowhere")),
		    "%s: %d", cases[i].line, s.status);
		cr_expect(strstr(s.err, cases[i].error) != NULL, "%s: %s", cases[i].line, s.err);
		cr_expect_str_eq(s.out, "");
	}
}
