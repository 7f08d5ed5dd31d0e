/* What is read of the CPU, as Linux writes it. */
#include "probes/load.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define NEAR(a, b) cr_assert(fabs((a) - (b)) < 1e-9, "%g, not %g", (a), (b))

Test(load, reads_the_wait_of_schedstat_and_the_throttled_time_of_both_kinds_of_groups)
{
	NEAR(load_schedstat("761523 2500000000 7\n"), 2.5);
	cr_assert(isnan(load_schedstat(NULL)) && isnan(load_schedstat("7")) &&
	    isnan(load_schedstat("7 x")));
	NEAR(load_throttled("nr_periods 9\nnr_throttled 4\nthrottled_time 1500000000\n"), 1.5);
	NEAR(load_throttled("usage_usec 8\nnr_throttled 4\nthrottled_usec 1500000\n"), 1.5);
	cr_assert(isnan(load_throttled(NULL)) && isnan(load_throttled("")) &&
	    isnan(load_throttled("nr_periods 9\nthrottled_timer 3\n")));
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
		struct arena *a = arena_new();
		const char *dir = load_group(a, t[i].text);

		cr_assert((dir == NULL) == (t[i].dir == NULL), "row %zu: %s", i, dir);
		cr_assert(dir == NULL || strcmp(dir, t[i].dir) == 0, "row %zu: %s", i, dir);
		arena_free(a);
	}
}

Test(load, takes_the_core_that_spends_most_on_interrupts_and_steal)
{
	static struct load_mark from, to;
	struct load l;

	from = (struct load_mark){ .at_s = 1, .cpu_s = 2, .wait_s = 3, .throttled_s = NAN };
	to = (struct load_mark){ .at_s = 3, .cpu_s = 2.5, .wait_s = 4, .throttled_s = NAN };
	load_cores(&from, "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 0 0 100 0 0 0 0 0 0\n"
	    "cpu1 0 0 0 0 0 0 0 0 0 0\nintr 5\n", .01);
	load_cores(&to, "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 150 0 0 150 0 0 0 0 0 0\n"
	    "cpu1 10 0 10 0 0 20 30 30 50 0\nintr 5\n", .01);
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

Test(load, tells_at_least_the_cpu_time_of_this_process)
{
	static struct load_mark from, to;
	volatile double x = 0;
	struct load l;

	load_mark(&from);
	for (int i = 0; i < 20000000; i++)
		x += i;
	load_mark(&to);
	l = load_between(&from, &to);
	cr_assert(x > 0, "the work was done");
	cr_assert(l.cpu > 0 && l.cpu < 2, "%g", l.cpu);
	cr_assert(isnan(l.wait) || (l.wait >= 0 && l.wait <= 1));
}
