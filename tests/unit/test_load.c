/* What is read of the CPU, as Linux writes it. */
#include "probes/load.h"
#include "tuner/profile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define NEAR(a, b) cr_assert(fabs((a) - (b)) < 1e-9, "%g, not %g", (a), (b))

static struct arena *a;

static void
setup(void)
{
	a = arena_new();
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(load, .init = setup, .fini = teardown);

static const struct load_source *
source_of(const char *sysname)
{
	struct err e = { ERR_NONE, "" };
	struct profile *p;

	cr_assert(profile_for(a, sysname, &p, &e), "%s", e.text);
	return &p->load;
}

Test(load, reads_the_wait_of_schedstat_and_the_throttled_time_of_both_kinds_of_groups)
{
	const struct load_source *l = source_of("Linux");
	const struct load_time *wait = &l->waited, *v2 = &l->groups.times[0];
	const struct load_time *v1 = &l->groups.times[1];

	NEAR(load_time(wait, a, "761523 2500000000 7\n"), 2.5);
	cr_assert(isnan(load_time(wait, a, NULL)) && isnan(load_time(wait, a, "7")) &&
	    isnan(load_time(wait, a, "7 x")));
	NEAR(load_time(v1, a, "nr_periods 9\nnr_throttled 4\nthrottled_time 1500000000\n"), 1.5);
	NEAR(load_time(v2, a, "usage_usec 8\nnr_throttled 4\nthrottled_usec 1500000\n"), 1.5);
	cr_assert(isnan(load_time(v2, a, NULL)) && isnan(load_time(v2, a, "")) &&
	    isnan(load_time(v1, a, "nr_periods 9\nthrottled_timer 3\n")));
}

Test(load, finds_the_group_that_has_the_cpu_shares)
{
	static const struct {
		const char *text, *dir;
	} t[] = {
		{ "9:name=systemd:/\n4:memory:/a\n2:cpuacct:/c\n1:cpu:/b\n0::/\n",
		    "/sys/fs/cgroup/cpu/b" },
		{ "4:cpu,cpuacct:/user.slice\n0::/\n", "/sys/fs/cgroup/cpu,cpuacct/user.slice" },
		{ "4:cpuacct,cpu:/x", "/sys/fs/cgroup/cpuacct,cpu/x" },
		{ "0::/system.slice/a.service\n", "/sys/fs/cgroup/system.slice/a.service" },
		{ "0::/\n", "/sys/fs/cgroup/" }, { "3:cpuset:/x\n", NULL }, { "", NULL },
		{ "nonsense\n:\n", NULL },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		const char *dir = load_group(&source_of("Linux")->groups, a, t[i].text);

		cr_assert((dir == NULL) == (t[i].dir == NULL), "row %zu: %s", i, dir);
		cr_assert(dir == NULL || strcmp(dir, t[i].dir) == 0, "row %zu: %s", i, dir);
	}
}

Test(load, takes_the_core_that_spends_most_on_interrupts_and_steal)
{
	static struct load_mark from, to;
	const struct load_cores *c = &source_of("Linux")->cores;
	struct load l;

	from = (struct load_mark){ .at_s = 1, .cpu_s = 2, .wait_s = 3, .throttled_s = NAN };
	to = (struct load_mark){ .at_s = 3, .cpu_s = 2.5, .wait_s = 4, .throttled_s = NAN };
	load_cores(&from, c, a, "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 0 0 100 0 0 0 0 0 0\n"
	    "cpu1 0 0 0 0 0 0 0 0 0 0\nintr 5\n");
	load_cores(&to, c, a, "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 150 0 0 150 0 0 0 0 0 0\n"
	    "cpu1 10 0 10 0 0 20 30 30 50 0\nintr 5\n");
	cr_assert_eq(to.n_cores, 2);
	l = load_between(&from, &to);
	NEAR(l.cpu, .25);
	NEAR(l.wait, .5);
	NEAR(l.system, .8);
	from.throttled_s = 1;
	to.throttled_s = 1.5;
	NEAR(load_between(&from, &to).wait, .75);
	to.throttled_s = 9;
	NEAR(load_between(&from, &to).wait, 1.0);
	to.at_s = 1;
	cr_assert(isnan(load_between(&from, &to).cpu), "no time has passed");
}

/* As their sysctl(8) prints them; one core of two, the sum of all, their mean. */
Test(load, the_bsds_tell_their_interrupts)
{
	static const struct {
		const char *sysname, *from, *to;
		size_t cores;
		double system;
	} t[] = {
		{ "FreeBSD", "10 0 10 5 100 0 0 0 0 0\n", "20 0 10 5 190 10 0 10 60 20\n", 2, .6 },
		{ "NetBSD", "user = 1, nice = 0, sys = 1, intr = 3, idle = 95\n",
		    "user = 11, nice = 0, sys = 11, intr = 73, idle = 105\n", 1, .7 },
		{ "OpenBSD", "1,0,2,3,4,90\n", "11,0,2,3,44,140\n", 1, .4 },
		{ "DragonFly", "1 2 3 4 5", "2 3 4 5 6", 0, NAN },
		{ "OpenBSD", "sysctl: unknown", "1,2,3", 0, NAN },
	};

	for (size_t i = 0; i < NELEM(t); i++) {
		const struct load_cores *c = &source_of(t[i].sysname)->cores;
		static struct load_mark from, to;
		struct load l;

		from = (struct load_mark){ .at_s = 1 };
		to = (struct load_mark){ .at_s = 2 };
		load_cores(&from, c, a, t[i].from);
		load_cores(&to, c, a, t[i].to);
		cr_assert_eq(to.n_cores, t[i].cores, "%s", t[i].sysname);
		l = load_between(&from, &to);
		cr_assert(isnan(t[i].system) ? isnan(l.system) : fabs(l.system - t[i].system) < 1e-9,
		    "%s: %g", t[i].sysname, l.system);
	}
}

Test(load, tells_at_least_the_cpu_time_of_this_process)
{
	static struct load_mark from, to;
	volatile double x = 0;
	struct load l;

	load_here();
	load_mark(&from);
	for (int i = 0; i < 20000000; i++)
		x += i;
	load_mark(&to);
	l = load_between(&from, &to);
	cr_assert(x > 0, "the work was done");
	cr_assert(l.cpu > 0 && l.cpu < 2, "%g", l.cpu);
	cr_assert(isnan(l.wait) || (l.wait >= 0 && l.wait <= 1));
}
