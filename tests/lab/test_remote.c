/*
 * tune on a host that is reached by ssh: control, target and peer are three machines.
 * needs: root tun sshd ip
 */
#include "cuts.h"

#include "probes/knobs.h"
#include "tuner/cmd.h"

#define WMEM "net/ipv4/tcp_wmem"

static const char *
lab_of_this(struct arena *a)
{
	return arena_printf(a, "remote-%ld", (long)getpid());
}

/* After a test that failed. */
static void
end(void)
{
	struct arena *a = arena_new();

	lab_down(a, lab_of_this(a), NULL);
	arena_free(a);
}

TestSuite(remote, .fini = end);

static struct run *
load(struct remote *w, const char *path)
{
	struct run *run = arena_alloc(w->a, sizeof(*run));
	struct err e = { ERR_NONE, "" };

	cr_assert(cmd_run_load(w->a, path, run, &e), "%s", e.text);
	return run;
}

static struct started
tune_start(struct remote *w, const char *flags)
{
	return program_start(w->a, arena_printf(w->a, "tune %s --agent %s --peer %s --direction send "
	    "--start-cc cubic %s", w->name, PATHTUNE, LAB_ADDRESS_B, flags));
}

Test(remote, the_search_over_ssh_finds_what_the_one_there_finds, .timeout = 200)
{
	struct arena *a = arena_new();
	struct remote w = remote_new(lab_of_this(a), 400e6, 20);
	const char *path = sshd_path(w.sshd, "run.json"), *before = remote_value(&w, WMEM);
	struct said s = program_end(w.a, tune_start(&w, arena_printf(w.a, "--quick --save %s", path)));
	struct run *run;

	cr_assert_eq(s.status, 0, "%s", s.err);
	run = load(&w, path);
	cr_assert_eq(run->decision.verdict, VERDICT_CHANGE, "%s", s.out);
	cr_expect(run->decision.effect.low > 5 && run->decision.effect.confidence >= .95);
	cr_expect(run->decision.directions[0].limit_before.limiter == LIMIT_SNDBUF, "%s", s.out);
	cr_expect_str_eq(run->decision.settings[0].name, "net.ipv4.tcp_wmem");
	cr_expect_str_eq(run->options.host, w.name);
	cr_expect_str_eq(run->facts.peer, LAB_ADDRESS_B);
	cr_expect(knobs_same(remote_value(&w, WMEM), before), "restored");
	cr_expect_not_null(strstr(s.out, arena_printf(w.a, "measured on %s\n", w.name)), "%s", s.out);
	remote_end(&w);
	arena_free(a);
}

Test(remote, a_link_that_is_cut_leaves_the_old_values_within_the_lease, .timeout = 200)
{
	struct arena *a = arena_new();
	struct cuts c = cuts_new(lab_of_this(a));

	for (int i = 0; i < 3; i++) {
		double back_s = cuts_cut(&c);

		cr_expect_leq(back_s, CUTS_LEASE_S, "%.2f s", back_s);
	}
	cuts_end(&c);
	arena_free(a);
}
