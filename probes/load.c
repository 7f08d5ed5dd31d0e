#include "load.h"

#include "files.h"
#include "flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define TEXT_BYTES ((size_t)256 * 1024)
#define GROUPS "/sys/fs/cgroup"

static double
cpu_s(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) != 0)
		return NAN;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static const char *
text_of(struct arena *a, const char *path)
{
	struct err e = { .code = ERR_NONE };
	const char *text;
	size_t len;

	return files_read(a, path, TEXT_BYTES, &text, &len, &e) ? text : NULL;
}

/* "ran waited timeslices", in ns. */
double
load_schedstat(const char *text)
{
	const char *second = text == NULL ? NULL : strchr(text, ' ');
	char *end;
	double ns;

	if (second == NULL)
		return NAN;
	ns = strtod(second, &end);
	return end == second ? NAN : ns * 1e-9;
}

static double
member(const char *text, const char *name, double unit)
{
	size_t len = strlen(name);

	for (const char *p = text; p != NULL && *p != '\0';) {
		if (strncmp(p, name, len) == 0 && p[len] == ' ')
			return strtod(p + len, NULL) * unit;
		p = strchr(p, '\n');
		p = p == NULL ? NULL : p + 1;
	}
	return NAN;
}

double
load_throttled(const char *text)
{
	double v2 = member(text, "throttled_usec", 1e-6);

	return isnan(v2) ? member(text, "throttled_time", 1e-9) : v2;
}

/* A controller's name in "cpu,cpuacct". */
static bool
names_cpu(const char *p, const char *end)
{
	while (p < end) {
		size_t n = strcspn(p, ",:");

		if (n == 3 && strncmp(p, "cpu", n) == 0)
			return true;
		p += n + 1;
	}
	return false;
}

/* Lines "number:controllers:/path"; version 2 has one, without controllers. */
const char *
load_group(struct arena *a, const char *text)
{
	const char *found = NULL;

	for (const char *p = text; p != NULL && *p != '\0';) {
		size_t len = strcspn(p, "\n");
		const char *name = memchr(p, ':', len);
		const char *path = name == NULL ? NULL :
		    memchr(name + 1, ':', len - (size_t)(name + 1 - p));

		if (path != NULL && path == name + 1 && found == NULL)
			found = arena_printf(a, GROUPS "%.*s", (int)(p + len - path - 1), path + 1);
		if (path != NULL && names_cpu(name + 1, path))
			found = arena_printf(a, GROUPS "/%.*s%.*s", (int)(path - name - 1),
			    name + 1, (int)(p + len - path - 1), path + 1);
		p += len + (p[len] == '\n');
	}
	return found;
}

/* Our group's and that of those above it, any of which may have a share that is used up. */
static double
throttled_s(struct arena *a)
{
	const char *group = load_group(a, text_of(a, "/proc/self/cgroup"));
	char *dir = group == NULL ? NULL : arena_strdup(a, group);
	double sum = NAN;

	while (dir != NULL && strlen(dir) >= strlen(GROUPS)) {
		double one = load_throttled(text_of(a, arena_printf(a, "%s/cpu.stat", dir)));
		char *slash = strrchr(dir, '/');

		if (!isnan(one))
			sum = (isnan(sum) ? 0 : sum) + one;
		*slash = '\0';
	}
	return sum;
}

/* "cpuN user nice system idle iowait irq softirq steal ..", in ticks; guest is within user. */
static void
core_line(struct load_mark *m, const char *line, double tick_s)
{
	const char *p = strchr(line, ' ');
	double v[8] = { 0 }, all = 0;
	char *end;

	for (size_t i = 0; p != NULL && i < NELEM(v); i++, p = end) {
		v[i] = strtod(p, &end);
		all += v[i];
		if (end == p)
			break;
	}
	m->core[m->n_cores].system_s = (v[5] + v[6] + v[7]) * tick_s;
	m->core[m->n_cores++].all_s = all * tick_s;
}

void
load_cores(struct load_mark *m, const char *text, double tick_s)
{
	m->n_cores = 0;
	for (const char *p = text; p != NULL && m->n_cores < LOAD_CORES_MAX;) {
		if (strncmp(p, "cpu", 3) == 0 && p[3] >= '0' && p[3] <= '9')
			core_line(m, p, tick_s);
		p = strchr(p, '\n');
		p = p == NULL ? NULL : p + 1;
	}
}

void
load_mark(struct load_mark *m)
{
	struct arena *a = arena_new();
	long hz = sysconf(_SC_CLK_TCK);

	m->at_s = flow_clock_s();
	m->cpu_s = cpu_s();
	m->wait_s = load_schedstat(text_of(a, "/proc/self/schedstat"));
	m->throttled_s = throttled_s(a);
	load_cores(m, text_of(a, "/proc/stat"), hz > 0 ? 1.0 / (double)hz : NAN);
	arena_free(a);
}

struct load
load_between(const struct load_mark *from, const struct load_mark *to)
{
	double t = to->at_s - from->at_s, wait = to->wait_s - from->wait_s;
	double throttled = to->throttled_s - from->throttled_s;
	struct load l = { NAN, NAN, NAN };

	if (!(t > 0))
		return l;
	l.cpu = (to->cpu_s - from->cpu_s) / t;
	if (!isnan(throttled))
		wait = (isnan(wait) ? 0 : wait) + throttled;
	l.wait = isnan(wait) ? NAN : fmax(0, fmin(1, wait / t));
	for (size_t i = 0; i < from->n_cores && i < to->n_cores; i++) {
		double all = to->core[i].all_s - from->core[i].all_s;

		if (all > 0)
			l.system = fmax(l.system,
			    (to->core[i].system_s - from->core[i].system_s) / all);
	}
	if (l.system < 0 || l.system > 1)
		l.system = NAN;
	return l;
}
