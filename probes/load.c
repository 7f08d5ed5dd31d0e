#include "load.h"

#include "files.h"
#include "flow.h"
#include "process.h"
#include "../tuner/match.h"
#include "../tuner/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#define TEXT_BYTES ((size_t)256 * 1024)
#define COMMAND_S 2.0

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

double
load_time(const struct load_time *t, struct arena *a, const char *text)
{
	const char *found = text == NULL || t->pattern == NULL ? NULL :
	    match_first(a, t->pattern, text, strlen(text));

	return found == NULL ? NAN : strtod(found, NULL) * t->scale;
}

/* A controller's name in "cpu,cpuacct". */
static bool
names(const char *controller, const char *p, const char *end)
{
	while (p < end) {
		size_t n = strcspn(p, ",:");

		if (n == strlen(controller) && strncmp(p, controller, n) == 0)
			return true;
		p += n + 1;
	}
	return false;
}

/* Lines "number:controllers:/path"; version 2 has one, without controllers. */
const char *
load_group(const struct load_groups *g, struct arena *a, const char *text)
{
	const char *found = NULL;

	for (const char *p = text; p != NULL && *p != '\0';) {
		size_t len = strcspn(p, "\n");
		const char *name = memchr(p, ':', len);
		const char *path = name == NULL ? NULL :
		    memchr(name + 1, ':', len - (size_t)(name + 1 - p));

		if (path != NULL && path == name + 1 && found == NULL)
			found = arena_printf(a, "%s%.*s", g->root, (int)(p + len - path - 1),
			    path + 1);
		if (path != NULL && names(g->controller, name + 1, path))
			found = arena_printf(a, "%s/%.*s%.*s", g->root, (int)(path - name - 1),
			    name + 1, (int)(p + len - path - 1), path + 1);
		p += len + (p[len] == '\n');
	}
	return found;
}

/* The first of times that the group's directory has. */
static double
one_group_s(const struct load_groups *g, struct arena *a, const char *dir)
{
	double s = NAN;

	for (size_t i = 0; isnan(s) && i < g->n_times; i++)
		s = load_time(&g->times[i], a,
		    text_of(a, arena_printf(a, "%s/%s", dir, g->times[i].file)));
	return s;
}

/* Our group's and that of those above it, any of which may have a share that is used up. */
static double
throttled_s(const struct load_groups *g, struct arena *a)
{
	const char *group = g->member == NULL ? NULL : load_group(g, a, text_of(a, g->member));
	char *dir = group == NULL ? NULL : arena_strdup(a, group);
	double sum = NAN;

	while (dir != NULL && strlen(dir) >= strlen(g->root)) {
		double one = one_group_s(g, a, dir);

		if (!isnan(one))
			sum = (isnan(sum) ? 0 : sum) + one;
		*strrchr(dir, '/') = '\0';
	}
	return sum;
}

/* The next number, of digits; false: there is none. */
static bool
next_number(const char **s, double *v)
{
	const char *p = *s + strcspn(*s, "0123456789");
	char *end;

	if (*p == '\0')
		return false;
	*v = strtod(p, &end);
	*s = end;
	return true;
}

/* One core; false: not as many numbers are left, and *s is behind them. */
static bool
one_core(struct load_mark *m, const struct load_cores *c, const char **s)
{
	double busy = 0, all = 0, v;

	if (m->n_cores == LOAD_CORES_MAX)
		return false;
	for (double i = 1; i <= c->numbers; i++) {
		if (!next_number(s, &v))
			return false;
		all += v;
		for (size_t k = 0; k < c->n_busy; k++)
			busy += c->busy[k] == i ? v : 0;
	}
	m->core[m->n_cores].busy = busy;
	m->core[m->n_cores++].all = all;
	return true;
}

void
load_cores(struct load_mark *m, const struct load_cores *c, struct arena *a, const char *text)
{
	const char **each = NULL;
	size_t n = 0;

	m->n_cores = 0;
	if (text == NULL || isnan(c->numbers))
		return;
	if (c->each == NULL) {
		while (one_core(m, c, &text))
			continue;
		return;
	}
	match_all(a, c->each, text, strlen(text), LOAD_CORES_MAX, &each, &n);
	for (size_t i = 0; i < n; i++)
		one_core(m, c, &each[i]);
}

static const char *
said_of_cores(struct arena *a, const struct load_cores *c)
{
	struct process_spec run = { .timeout_s = COMMAND_S, .output_bytes = TEXT_BYTES,
		.even_stopped = true };
	const char **argv = arena_array(a, c->n_argv + 1, sizeof(*argv));
	struct output o;

	if (c->n_argv == 0)
		return c->file == NULL ? NULL : text_of(a, c->file);
	memcpy(argv, c->argv, c->n_argv * sizeof(*argv));
	run.argv = argv;
	process_run(a, &run, &o);
	return o.status == 0 ? o.text : NULL;
}

/* ---- this system ----------------------------------------------------------------------------- */

static struct load_source here; /* all of it NULL: nothing is known */
static struct arena *kept;      /* of here, for as long as the process lives */

void
load_here(void)
{
	struct err e = { ERR_NONE, "" };
	struct utsname u;
	struct profile *p;

	if (kept != NULL || uname(&u) == -1)
		return;
	kept = arena_new();
	if (profile_for(kept, u.sysname, &p, &e))
		here = p->load;
}

void
load_mark(struct load_mark *m)
{
	struct arena *a = arena_new();

	m->at_s = flow_clock_s();
	m->cpu_s = cpu_s();
	m->wait_s = here.waited.file == NULL ? NAN :
	    load_time(&here.waited, a, text_of(a, here.waited.file));
	m->throttled_s = throttled_s(&here.groups, a);
	load_cores(m, &here.cores, a, said_of_cores(a, &here.cores));
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
		double all = to->core[i].all - from->core[i].all;

		if (all > 0)
			l.system = fmax(l.system, (to->core[i].busy - from->core[i].busy) / all);
	}
	if (l.system < 0 || l.system > 1)
		l.system = NAN;
	return l;
}
