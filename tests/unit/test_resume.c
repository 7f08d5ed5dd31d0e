/* A run that goes on: only where it may, and with the coins, trials and times that it had. */
#include "program.h"

#include "tuner/cmd.h"
#include "tuner/expect.h"
#include "tuner/pipeline_save.h"
#include "tuner/pipeline_seed.h"
#include "tuner/resume.h"

#include <math.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#define SEED "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct arena *a;
static struct err e;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ ERR_NONE, "" };
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(resume, .init = setup, .fini = teardown);

/* ---- random bits ------------------------------------------------------------------------------ */

Test(resume, a_seed_gives_the_same_bits_again_and_others_for_the_other_direction)
{
	struct seed_stream x, y, z, w;
	unsigned long long first[4];

	cr_assert(seed_open(&x, SEED, DIR_SEND) && seed_open(&y, SEED, DIR_SEND) &&
	    seed_open(&z, SEED, DIR_RECEIVE));
	for (size_t i = 0; i < NELEM(first); i++) {
		first[i] = seed_next(&x);
		cr_expect_eq(first[i], seed_next(&y), "number %zu", i);
		cr_expect_neq(first[i], seed_next(&z), "number %zu", i);
		cr_expect(i == 0 || first[i] != first[i - 1]);
	}
	/* Of libsodium's ChaCha20, so that run files of today go on in years. */
	cr_expect_eq(first[0], 0x35c98d1470bb684cULL, "%llx", first[0]);
	cr_expect(!seed_open(&w, "00", DIR_SEND) && !seed_open(&w, NULL, DIR_SEND));
}

Test(resume, a_new_seed_is_64_digits_and_never_the_same)
{
	const char *one = seed_new(a), *two = seed_new(a);
	struct seed_stream s;

	cr_expect_eq(strlen(one), 64u);
	cr_expect(seed_open(&s, one, DIR_SEND));
	cr_expect_str_neq(one, two);
}

/* ---- a run on record -------------------------------------------------------------------------- */

static struct search *
search_of(const struct run *run)
{
	static struct seed_stream random;
	const struct plan_direction *d = &run->plan.directions[0];
	struct search_config c = { .direction = d->direction, .window_bytes = d->window_bytes,
		.window_max_bytes = d->window_max_bytes, .cc = d->cc, .n_cc = d->n_cc,
		.idle_rtt_s = run->facts.rtt_ms / 1e3, .link_bps = run->facts.link_bps,
		.budget_s = run->options.budget_s, .mode = run->options.mode,
		.policy = run->options.policy, .confirmations = 1, .random = seed_next,
		.random_arg = &random };

	cr_assert(seed_open(&random, run->seed, d->direction));
	return search_new(a, &c);
}

/* 300 Mbit/s, 80 ms: a window of 256 KiB is the limit, and 1 % of noise. */
static struct trial
answer(const struct ask *ask, size_t i, double asked_s, double bytes)
{
	struct trial t;

	record_init(&trial_record, &t);
	t.setting = ask->setting;
	t.direction = DIR_SEND;
	t.phase = ask->phase;
	t.block = ask->block;
	t.slot = ask->slot;
	t.coin = ask->coin;
	t.asked_s = asked_s;
	t.asked_bytes = bytes;
	t.goodput_bps = fmin(3e8, 8 * ask->setting.window_bytes / .08) * (1 + .01 * sin((double)i));
	t.retransmits = 0;
	t.rtt.idle_ms = t.rtt.min_ms = t.rtt.loaded_ms = 80;
	t.inflight_bytes = t.goodput_bps / 8 * .08;
	t.bytes = floor(t.goodput_bps / 8 * 5);
	t.warmup_s = ask->warmup_s;
	t.duration_s = ask->duration_s;
	return t;
}

/* As many trials as wanted, or all; what the search says when it is over. */
static struct search_result
play(struct run *run, size_t n)
{
	struct search *s = search_of(run);
	double clock_s = 0, bytes = 0;
	struct trial *t;
	struct ask ask = { .coin = NAN };

	while (run->n_trials < n && search_next(s, clock_s, bytes, &ask)) {
		t = arena_push(a, &run->trials, &run->n_trials, sizeof(*t));
		*t = answer(&ask, run->n_trials, clock_s, bytes);
		search_tell(s, t);
		clock_s += t->warmup_s + t->duration_s;
		bytes += t->bytes;
	}
	return n == SIZE_MAX ? search_result(s) : (struct search_result){ .why = NULL };
}

static struct run *
run_new(void)
{
	static const char *cc[] = { "cubic" };
	struct run *run = arena_alloc(a, sizeof(*run));
	struct plan_direction *d;

	record_init(&run_record, run);
	run->schema = RUN_SCHEMA;
	run->seed = SEED;
	run->search = SEARCH_VERSION;
	run->options.command = "tune";
	run->options.host = "local";
	run->options.peer = "peer.example:7";
	run->options.direction = DIR_SEND;
	run->options.budget_s = 600;
	run->options.streams = 1;
	run->options.data_cap_bytes = 1e12;
	run->facts.os = "Linux";
	run->facts.release = "6.1";
	run->facts.arch = "x86_64";
	run->facts.interface = "eth0";
	run->facts.driver = "e1000";
	run->facts.ram_bytes = 4e9;
	run->facts.cpus = 2;
	run->facts.link_bps = 1e9;
	run->facts.cc = "cubic";
	run->facts.rtt_ms = 80;
	*(struct knob_fact *)arena_push(a, &run->facts.knobs, &run->facts.n_knobs,
	    sizeof(struct knob_fact)) = (struct knob_fact){ .name = "wmem",
		.text = "4096 16384 262144", .now = 262144, .min = 1, .max = 1e9 };
	d = arena_push(a, &run->plan.directions, &run->plan.n_directions, sizeof(*d));
	*d = (struct plan_direction){ .direction = DIR_SEND, .window_bytes = 262144,
		.window_max_bytes = 67108864, .window_factor = .5, .cc = cc, .n_cc = 1, .window_writable = true };
	return run;
}

/* As the file has it. */
static struct run *
reread(struct run *run)
{
	char path[] = "/tmp/pathtune-resume-XXXXXX";
	struct run *back = arena_alloc(a, sizeof(*back));

	close(mkstemp(path));
	cr_assert(cmd_run_save(a, path, run, &e) && cmd_run_load(a, path, back, &e), "%s", e.text);
	unlink(path);
	return back;
}

Test(resume, a_run_that_was_interrupted_anywhere_ends_as_if_it_had_not_been)
{
	struct run *whole = run_new();
	struct search_result all = play(whole, SIZE_MAX);
	size_t confirms = 0;

	cr_assert_eq(all.verdict, VERDICT_CHANGE);
	for (size_t i = 0; i < whole->n_trials; i++)
		confirms += whole->trials[i].phase == PHASE_CONFIRM;
	cr_assert_gt(confirms, 10u);
	for (size_t cut = 0; cut <= whole->n_trials; cut++) {
		struct run *part = run_new(), *back;
		struct resume_spent spent;
		struct search *s;
		struct ask ask = { .coin = NAN };

		play(part, cut);
		back = reread(part);
		s = search_of(back);
		cr_assert(resume_replay(s, back->trials, back->n_trials, &spent, &e), "%zu: %s", cut,
		    e.text);
		for (size_t i = cut; i < whole->n_trials; i++) {
			const struct trial *t = &whole->trials[i];

			cr_assert_float_eq(spent.seconds, cut == i ? t->asked_s : spent.seconds, 1e-9);
			cr_assert(search_next(s, t->asked_s, t->asked_bytes, &ask));
			cr_assert_float_eq(ask.setting.window_bytes, t->setting.window_bytes, 1e-9);
			cr_assert(ask.coin == t->coin || (isnan(ask.coin) && isnan(t->coin)));
			search_tell(s, t);
		}
		cr_assert(!search_next(s, spent.seconds, spent.bytes, &ask));
		cr_assert_eq(search_result(s).verdict, VERDICT_CHANGE);
	}
}

Test(resume, trials_that_the_seed_does_not_lead_to_are_refused_by_number)
{
	struct run *run = run_new();
	struct resume_spent spent;
	size_t last;

	play(run, SIZE_MAX);
	last = run->n_trials - 1;
	cr_assert_eq(run->trials[last].phase, PHASE_CONFIRM);
	run->trials[last].coin = 1 - run->trials[last].coin;
	cr_expect(!resume_replay(search_of(run), run->trials, run->n_trials, &spent, &e));
	cr_expect_str_eq(e.text, arena_printf(a, "send trial %zu (confirm, block %.0f) is not the "
	    "one that its seed and the trials before it lead to", last + 1,
	    run->trials[last].block + 1));
	run->trials[last].coin = 1 - run->trials[last].coin;
	e = (struct err){ ERR_NONE, "" };
	cr_expect(resume_replay(search_of(run), run->trials, run->n_trials, &spent, &e));
	run->trials[2].setting.window_bytes *= 2;
	cr_expect(!resume_replay(search_of(run), run->trials, run->n_trials, &spent, &e));
	cr_expect_not_null(strstr(e.text, "send trial 3 "), "%s", e.text);
}

Test(resume, a_trial_without_an_end_counts_with_all_that_it_asked_for)
{
	struct run *run = run_new();
	struct resume_spent spent;
	struct trial *last;

	play(run, 6);
	last = &run->trials[5];
	last->status = TRIAL_CUT;
	last->bytes = last->warmup_s = last->duration_s = NAN;
	cr_assert(resume_replay(search_of(run), run->trials, 6, &spent, &e), "%s", e.text);
	cr_expect_float_eq(spent.seconds, last->asked_s + 5, 1e-9);
	cr_expect_gt(spent.bytes, last->asked_bytes);
}

/* ---- where it may not ------------------------------------------------------------------------- */

Test(resume, another_host_path_or_default_is_refused_by_name)
{
	struct run *old = run_new(), *now = run_new();
	struct facts *f = &now->facts;

	cr_assert(resume_same_host(&old->facts, f, &e), "%s", e.text);
#define REFUSED(member, value, says)                                                            \
	do {                                                                                    \
		struct facts other = *f;                                                        \
		struct err why = { ERR_NONE, "" };                                              \
		other.member = value;                                                           \
		cr_expect(!resume_same_host(&old->facts, &other, &why), "%s", #member);         \
		cr_expect_str_eq(why.text, says);                                               \
		cr_expect_eq(why.code, ERR_FAILED);                                             \
	} while (0)
	REFUSED(os, "FreeBSD", "the system was Linux, it is FreeBSD now");
	REFUSED(release, "6.2", "its release was 6.1, it is 6.2 now");
	REFUSED(arch, "i386", "the machine's architecture was x86_64, it is i386 now");
	REFUSED(interface, "eth1", "the interface was eth0, it is eth1 now");
	REFUSED(driver, NULL, "the interface's driver was e1000, it is unknown now");
	REFUSED(ram_bytes, 8e9, "RAM in bytes was 4000000000, it is 8000000000 now");
	REFUSED(cpus, 3, "the number of CPUs was 2, it is 3 now");
	REFUSED(link_bps, 1e8, "the link's rate in bit/s was 1000000000, it is 100000000 now");
	REFUSED(cc, "bbr", "the default congestion control was cubic, it is bbr now");
	REFUSED(rtt_ms, 101, "the idle RTT was 80 ms, it is 101 ms now");
	REFUSED(rtt_ms, NAN, "the idle RTT was 80 ms, it is nan ms now");
	f->knobs[0].text = "4096 16384 524288";
	cr_expect(!resume_same_host(&old->facts, f, &e));
	cr_expect_str_eq(e.text, "wmem was 4096 16384 262144, it is 4096 16384 524288 now");
}

Test(resume, a_slightly_other_rtt_is_taken_for_the_one_on_record)
{
	struct run *old = run_new(), *now = run_new();

	now->facts.rtt_ms = 99;
	now->facts.ram_bytes = 4.001e9;
	cr_assert(resume_same_host(&old->facts, &now->facts, &e), "%s", e.text);
	cr_expect_eq(now->facts.rtt_ms, 80);
	old->facts.rtt_ms = 1;
	now->facts.rtt_ms = 5.9;
	cr_expect(resume_same_host(&old->facts, &now->facts, &e), "%s", e.text);
}

Test(resume, another_plan_is_refused_by_name)
{
	static const char *both[] = { "cubic", "bbr" };
	struct run *old = run_new(), *now = run_new();
	struct plan_direction *d = &now->plan.directions[0];
	struct err why = { ERR_NONE, "" };

	cr_assert(resume_same_plan(&old->plan, &now->plan, &e), "%s", e.text);
	d->window_bytes = 300000;
	cr_expect(!resume_same_plan(&old->plan, &now->plan, &e));
	cr_expect_str_eq(e.text, "the window of now was 262144, it is 300000 now");
	d->window_bytes = 262144;
	d->cc = both;
	d->n_cc = 2;
	cr_expect(!resume_same_plan(&old->plan, &now->plan, &why));
	cr_expect_str_eq(why.text, "1 congestion controls were to be tried, 2 are now");
}

Test(resume, a_run_of_another_kind_seed_or_search_is_refused)
{
	struct run *run = run_new();
	struct err why[4] = { { ERR_NONE, "" }, { ERR_NONE, "" }, { ERR_NONE, "" },
		{ ERR_NONE, "" } };

	cr_assert(resume_may(run, &e), "%s", e.text);
	run->search = "0";
	cr_expect(!resume_may(run, &why[0]));
	cr_expect_str_eq(why[0].text, "its trials were chosen by version 0 of the search, this "
	    "program has version " SEARCH_VERSION);
	run->seed = "abc";
	cr_expect(!resume_may(run, &why[1]));
	cr_expect_str_eq(why[1].text, "no seed of 64 hexadecimal digits in it, so the order of its "
	    "trials cannot be known");
	run->options.command = "advise";
	cr_expect(!resume_may(run, &why[2]));
	cr_expect_str_eq(why[2].text, "not a run of tune");
	run->options.command = "tune";
	run->options.try_file = "settings.yaml";
	cr_expect(!resume_may(run, &why[3]));
	cr_expect_str_eq(why[3].text, "a comparison (--try) cannot go on: start it again");
}

/* ---- the command, as far as it goes without a peer --------------------------------------------- */

static const char *
saved(struct run *run)
{
	char *path = arena_strdup(a, "/tmp/pathtune-resume-XXXXXX");

	close(mkstemp(path));
	cr_assert(cmd_run_save(a, path, run, &e), "%s", e.text);
	return path;
}

static void
decide(struct run *run, enum decision_class class)
{
	struct direction_decision *d = arena_push(a, &run->decision.directions,
	    &run->decision.n_directions, sizeof(*d));

	run->decision.verdict = VERDICT_KEEP;
	run->decision.class = class;
	d->direction = DIR_SEND;
	d->verdict = VERDICT_KEEP;
	d->class = class;
	d->words = "So it is.";
	d->more_s = class == CLASS_INCONCLUSIVE ? 700 : NAN;
}

Test(resume, a_run_with_its_verdict_is_told_again_whatever_time_is_added)
{
	static const char *const more[] = { "", " --budget 25m" };
	struct run *run = run_new();
	const char *path;

	decide(run, CLASS_NO_GAIN);
	path = saved(run);
	for (size_t i = 0; i < NELEM(more); i++) {
		struct said s = program_run(a, arena_printf(a, "tune --resume %s%s", path, more[i]));

		cr_expect_eq(s.status, 0, "%s", s.err);
		cr_expect_not_null(strstr(s.out, "So it is."), "%s", s.out);
	}
	unlink(path);
}

Test(resume, more_time_opens_what_is_inconclusive_and_nothing_else)
{
	struct run *run = run_new();

	decide(run, CLASS_INCONCLUSIVE);
	cr_expect_float_eq(resume_budget_s(run), 1300, 1e-9);
	decide(run, CLASS_NO_GAIN);
	run->decision.directions[1].direction = DIR_RECEIVE;
	cr_expect_float_eq(resume_budget_s(run), 1300, 1e-9);
	cr_assert(resume_reopen(a, run));
	cr_expect_eq(run->decision.verdict, VERDICT_NONE);
	cr_expect_null(resume_decided(run, DIR_SEND));
	cr_expect_not_null(resume_decided(run, DIR_RECEIVE));
	run->decision.verdict = VERDICT_KEEP;
	cr_expect(!resume_reopen(a, run));
	cr_expect_eq(run->decision.verdict, VERDICT_KEEP);
	cr_expect(isnan(resume_budget_s(run)));
}

/* Two directions share 10 min; then sending is over, and of 25 min receiving gets the other 20. */
Test(resume, time_that_is_added_is_shared_once_and_no_share_ever_becomes_smaller)
{
	static const enum direction two[] = { DIR_SEND, DIR_RECEIVE };
	struct run *run = run_new();
	struct plan_direction *d = arena_array(a, 2, sizeof(*d));
	struct plan now;

	for (size_t i = 0; i < 2; i++) {
		d[i] = run->plan.directions[0];
		d[i].direction = two[i];
		d[i].more_s = NAN;
	}
	run->plan.directions = d;
	run->plan.n_directions = 2;
	run->options.more_s = 600;
	resume_share(run);
	cr_expect_eq(d[0].more_s, 300);
	cr_expect_eq(d[1].more_s, 300);
	decide(run, CLASS_INCONCLUSIVE);
	run->decision.verdict = VERDICT_NONE; /* stopped while receiving */
	run->options.more_s = 1500;
	resume_share(run);
	cr_expect_eq(d[0].more_s, 300, "it has used that");
	cr_expect_eq(d[1].more_s, 1200);
	now = run->plan;
	now.directions = arena_array(a, 2, sizeof(*d));
	memcpy(now.directions, d, 2 * sizeof(*d));
	now.directions[1].more_s = NAN;
	cr_assert(resume_same_plan(&run->plan, &now, &e), "%s", e.text);
	cr_expect_eq(now.directions[1].more_s, 1200, "also when the plan is made anew");
}

Test(resume, flags_that_contradict_the_run_are_refused_by_name)
{
	static const struct {
		const char *flags, *says;
	} t[] = {
		{ "--peer other", "--peer contradicts the run that is to go on" },
		{ "--direction both", "--direction contradicts the run that is to go on" },
		{ "--quick", "--quick contradicts the run that is to go on" },
		{ "--policy latency", "--policy contradicts the run that is to go on" },
		{ "--data-cap 1G", "--data-cap contradicts the run that is to go on" },
		{ "--streams 2", "--streams contradicts the run that is to go on" },
		{ "--all-cc", "--all-cc contradicts the run that is to go on" },
		{ "--start-cc reno", "--start-cc contradicts the run that is to go on" },
		{ "--no-save", "--no-save and --resume contradict each other" },
		{ "--budget 5m", "--budget: the run has 600 s already; more than that lets it go on "
		    "for longer" },
	};
	const char *path = saved(run_new());

	for (size_t i = 0; i < NELEM(t); i++) {
		struct said s = program_run(a, arena_printf(a, "tune --resume %s %s", path,
		    t[i].flags));

		cr_expect_eq(s.status, 2, "%s: %d", t[i].flags, s.status);
		cr_expect_str_eq(s.err, arena_printf(a, "pathtune tune: %s\n", t[i].says));
	}
	unlink(path);
}

Test(resume, a_file_that_cannot_go_on_is_named)
{
	struct run *run = run_new();
	const char *path;
	struct said s;

	run->seed = NULL;
	path = saved(run);
	s = program_run(a, arena_printf(a, "tune --resume %s", path));
	cr_expect_eq(s.status, 2);
	cr_expect_str_eq(s.err, arena_printf(a, "pathtune tune: %s: no seed of 64 hexadecimal digits "
	    "in it, so the order of its trials cannot be known\n", path));
	unlink(path);
}

/* ---- a file that nobody named ------------------------------------------------------------------ */

static struct pipeline
quiet(struct run *run)
{
	struct cmd_context *c = arena_alloc(a, sizeof(*c));

	c->arena = a;
	c->quiet = true;
	return (struct pipeline){ .cmd = c, .run = run };
}

static struct pipeline
choose(struct run *run)
{
	struct pipeline p = quiet(run);

	save_choose(&p);
	return p;
}

static size_t
files_in(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	cr_assert_not_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

Test(resume, a_run_that_nobody_named_is_kept_with_the_49_before_it)
{
	char state[] = "/tmp/pathtune-state-XXXXXX";
	struct run *run = run_new();
	const char *runs, *other;
	struct pipeline p;
	struct stat st;

	cr_assert_not_null(mkdtemp(state));
	setenv("PATHTUNE_STATE", state, 1);
	run->started = "2026-11-22T05:24:46Z";
	run->options.peer = "../x y.example:7";
	runs = arena_printf(a, "%s/runs", state);
	other = arena_printf(a, "%s/mine.json", runs);
	cr_assert_eq(mkdir(runs, 0700), 0);
	cr_assert(cmd_run_save(a, other, run, &e));
	for (int i = 0; i < 55; i++)
		cr_assert(cmd_run_save(a, arena_printf(a, "%s/20260101T0000%02dZ-p.json", runs, i),
		    run, &e));
	p = choose(run);
	cr_assert_str_eq(p.save, arena_printf(a, "%s/20261122T052446Z-_._x_y.example_7.json", runs));
	cr_assert(save_now(&p, &e) && p.saved);
	cr_expect(stat(p.save, &st) == 0 && (st.st_mode & 07777) == 0600);
	cr_expect_eq(files_in(runs), 51u);
	cr_expect_eq(access(other, F_OK), 0);
	cr_expect_neq(access(arena_printf(a, "%s/20260101T000005Z-p.json", runs), F_OK), 0);
	cr_expect_eq(access(arena_printf(a, "%s/20260101T000006Z-p.json", runs), F_OK), 0);
	cr_expect_str_eq(choose(run).save,
	    arena_printf(a, "%s/20261122T052446Z-_._x_y.example_7-2.json", runs));
	cr_assert_eq(files_in(runs), 50u);
	unlink(other);
	unlink(p.save);
	for (int i = 0; i < 55; i++)
		unlink(arena_printf(a, "%s/20260101T0000%02dZ-p.json", runs, i));
	cr_expect(rmdir(runs) == 0 && rmdir(state) == 0);
}

Test(resume, where_no_state_can_be_kept_the_run_goes_on_without_a_file)
{
	struct run *run = run_new();
	struct pipeline p;

	run->started = "2026-11-22T05:24:46Z";
	setenv("PATHTUNE_STATE", "/dev/null/state", 1);
	p = choose(run);
	cr_expect_null(p.save);
	cr_expect(save_now(&p, &e));
}

Test(resume, a_file_that_cannot_be_written_ends_a_run_at_its_first_trial_only)
{
	char dir[] = "/tmp/pathtune-save-XXXXXX";
	struct run *run = run_new();
	struct pipeline p = quiet(run);

	cr_assert_not_null(mkdtemp(dir));
	p.save = arena_printf(a, "%s/none/run.json", dir);
	cr_expect(!save_now(&p, &e));
	cr_expect_str_eq(e.text, arena_printf(a, "%s/none/run.json: No such file or directory", dir));
	cr_expect_null(p.save);
	e = (struct err){ ERR_NONE, "" };
	p.save = arena_printf(a, "%s/run.json", dir);
	cr_assert(save_now(&p, &e), "%s", e.text);
	unlink(p.save);
	rmdir(dir);
	cr_expect(save_now(&p, &e) && p.save_failed, "%s", e.text);
}

/* ---- what is expected -------------------------------------------------------------------------- */

Test(resume, what_a_search_may_take_is_within_budget_and_cap_and_grows_with_the_path)
{
	struct run *run = run_new();
	struct expectation x = expect_run(&run->facts, &run->options, &run->plan);

	cr_expect(x.least_s > 20 && x.least_s < x.likely_s && x.likely_s < 600, "%g to %g",
	    x.least_s, x.likely_s);
	cr_expect(x.least_bytes > 26e6 * x.least_s / 8 * .8 && x.least_bytes < x.likely_bytes);
	run->options.budget_s = 30;
	run->options.data_cap_bytes = 1e8;
	x = expect_run(&run->facts, &run->options, &run->plan);
	cr_expect(x.likely_s <= 30 && x.likely_bytes <= 1e8);
	run->plan.directions[0].window_max_bytes = run->plan.directions[0].window_bytes;
	x = expect_run(&run->facts, &run->options, &run->plan);
	cr_expect_float_eq(x.least_s, 5.3, 1e-9);
}

Test(resume, what_is_left_counts_the_directions_to_come_and_never_falls_below_nothing)
{
	struct plan_direction d[2] = { { .direction = DIR_SEND }, { .direction = DIR_RECEIVE } };
	struct plan plan = { .directions = d, .n_directions = 2 };

	cr_expect_str_eq(expect_left(a, 441.2, 8.75 * 1073741824),
	    "at most 7 min 22 s and 8.75 GiB left");
	cr_expect_str_eq(expect_left(a, -3, -1), "at most 0 s and 0 B left");
	cr_expect_str_eq(expect_left(a, 60, INFINITY), "at most 1 min left");
	cr_expect_str_eq(expect_left_all(a, &plan, &d[0], 20, 60, 1048576, 3145728),
	    "at most 1 min 20 s and 4 MiB left");
	cr_expect_str_eq(expect_left_all(a, &plan, &d[1], 20, 60, 1048576, 3145728),
	    "at most 20 s and 1 MiB left");
	cr_expect_str_eq(expect_left_all(a, &plan, &d[0], -5, 60, NAN, NAN), "at most 1 min left");
}
