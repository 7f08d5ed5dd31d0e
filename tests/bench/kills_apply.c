/*
 * apply, apply --confirm, confirm and revert, killed at random moments and after each system call.
 */
#include "kills_place.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPREAD_US 300 /* half of the random kills hit within so long after a system call */

enum whom { COMMAND, NEW_KEEPER, OLD_KEEPER };

static const struct scene {
	const char *name;
	const char *argv[PLACE_WORDS];
	enum place_found from, original;
	bool may[PLACE_FOUND]; /* be found after the kill: as before, applied, waiting */
	enum whom whom;        /* is killed */
} scenes[] = {
	{ "apply", { "apply", "%", "--yes" }, BEFORE, BEFORE, { true, true, false }, COMMAND },
	{ "apply --confirm", { "apply", "%", "--yes", "--confirm", "600s" }, BEFORE, BEFORE,
	    { true, false, true }, COMMAND },
	{ "apply --confirm: keeper", { "apply", "%", "--yes", "--confirm", "600s" }, BEFORE,
	    BEFORE, { true, false, true }, NEW_KEEPER },
	{ "confirm", { "confirm" }, WAITING, BEFORE, { false, true, true }, COMMAND },
	{ "confirm: keeper", { "confirm" }, WAITING, BEFORE, { true, true, false }, OLD_KEEPER },
	{ "revert", { "revert", "--yes" }, APPLIED, APPLIED, { true, true, false }, COMMAND },
};

struct tally {
	unsigned long kills, hit, found[PLACE_FOUND + 1], healed, violations;
};

/* A command under way, from the first call on that could leave something. */
struct course {
	const struct scene *scene;
	struct arena *arena;
	struct kills_traced t;
	struct timespec since[PLACE_DIRS];
	unsigned quiet;  /* calls before that: nothing differed after any of them */
	bool begun, over;
};

static unsigned long long random_state = 104729;
static const char *only; /* scenes whose names begin like this; NULL: all */

static unsigned
draw(unsigned below)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)((random_state >> 33) % below);
}

static bool
is_wanted(const struct scene *s)
{
	return only == NULL || strncmp(s->name, only, strlen(only)) == 0;
}

/* ---- under way ------------------------------------------------------------------------------- */

/* The one who is asked is traced, the one who asks is not. */
static bool
start_asking(struct course *c, const char *const *argv)
{
	pid_t pid;

	if (!kills_trace_attach(&c->t, place_keeper()))
		return false;
	pid = fork();
	if (pid == 0)
		_exit(kills_run(argv));
	c->t.child = pid;
	c->begun = true;
	return pid != -1;
}

static bool
start(struct course *c, const struct scene *s)
{
	const char *const *argv;

	*c = (struct course){ .scene = s, .arena = arena_new() };
	argv = place_argv(c->arena, s->argv);
	if (!place_restore(s->from))
		return fprintf(stderr, "kills: %s: no way back to what was\n", s->name), false;
	place_touched(c->since);
	return s->whom == OLD_KEEPER ? start_asking(c, argv) :
	    kills_trace_start(&c->t, argv, s->whom == NEW_KEEPER);
}

/* The keeper waits to be asked: poll() for its socket and a stop. */
static bool
rests(const struct course *c)
{
	return c->scene->whom == NEW_KEEPER && c->t.inside && c->t.second == 2 &&
	    c->t.call != SYS_fcntl && !place_differs(WAITING);
}

/* To the next beginning or end of a call that could leave something; false: it is over. */
static bool
next(struct course *c)
{
	while (!c->over) {
		c->over = !kills_trace_next(&c->t);
		if (c->over)
			return false;
		if (!c->begun)
			c->begun = place_touched(c->since) ||
			    (c->scene->from == WAITING && c->t.inside && c->t.call == SYS_connect);
		if (!c->begun) {
			c->quiet += !c->t.inside;
			continue;
		}
		c->over = rests(c);
		return !c->over;
	}
	return false;
}

/* Over: what is left of it goes.  True: it was still there. */
static bool
end(struct course *c, enum kills_how how, unsigned us)
{
	bool there = false;
	pid_t guard;

	if (c->t.pid == -1) {
		kills_trace_end(&c->t);
	} else {
		guard = how == KILLS_BOTH ? kills_child_of(c->t.pid) : 0;
		if (guard > 0)
			kill(guard, SIGKILL);
		there = kills_trace_kill(&c->t, kills_how_signal[how], how == KILLS_GROUP, us);
	}
	arena_free(c->arena);
	return there;
}

static void
judge(const struct scene *s, const char *when, struct tally *t)
{
	char words[KILLS_STATE];
	enum place_found found;
	const char *wrong;
	bool healed;

	wrong = place_judge(s->may, s->original, &found, &healed, words);
	t->found[found]++;
	t->healed += healed;
	if (wrong == NULL)
		return;
	t->violations++;
	fprintf(stderr, "kills: %s, %s: found %s: %s\n", s->name, when, place_found_names[found],
	    wrong);
}

/* ---- after each call ------------------------------------------------------------------------- */

static bool
step(const struct scene *s, bool guard_too)
{
	struct tally t = { 0 };
	unsigned calls = 0, quiet = 0;
	struct course c;
	char when[64];

	for (bool there = true; there; calls++) {
		unsigned n = 0;

		if (!start(&c, s))
			return false;
		while ((there = next(&c)))
			if (!c.t.inside && ++n > calls)
				break;
		quiet = c.quiet;
		end(&c, guard_too ? KILLS_BOTH : KILLS_KILL, 0);
		snprintf(when, sizeof(when), "call %u%s", calls + 1, guard_too ? ", guard too" : "");
		judge(s, when, &t);
	}
	printf("  %-26s%8u%8u%10lu%10lu%10lu%8lu%12lu\n", arena_printf(c.arena = arena_new(),
	    "%s%s", s->name, guard_too ? ", both" : ""), quiet, calls - 1, t.found[BEFORE],
	    t.found[APPLIED], t.found[WAITING], t.healed, t.violations);
	arena_free(c.arena);
	return t.violations == 0 && calls > 2;
}

static bool
all_steps(unsigned unused)
{
	bool ok = true;

	(void)unused;
	printf("%-28s%8s%8s%10s%10s%10s%8s%12s\n", "killed after each call", "before",
	    "kills", "as before", "applied", "waiting", "healed", "violations");
	for (size_t i = 0; i < NELEM(scenes); i++) {
		if (!is_wanted(&scenes[i]))
			continue;
		ok = step(&scenes[i], false) && ok;
		ok = step(&scenes[i], true) && ok;
	}
	return ok;
}

/* ---- at random ------------------------------------------------------------------------------- */

/* How many stops it makes, and the first at which something differs. */
static bool
survey(const struct scene *s, unsigned *stops, unsigned *first)
{
	struct tally ignored = { 0 };
	struct course c;

	*stops = *first = 0;
	if (!start(&c, s))
		return false;
	while (next(&c)) {
		++*stops;
		if (*first == 0 && place_differs(s->original))
			*first = *stops;
	}
	end(&c, KILLS_KILL, 0);
	judge(s, "not killed", &ignored);
	if (*first == 0)
		*first = *stops;
	return *stops != 0 && ignored.violations == 0;
}

static bool
kill_once(const struct scene *s, unsigned stops, unsigned first, struct tally tally[KILLS_HOWS])
{
	enum kills_how how = (enum kills_how)draw(KILLS_HOWS);
	unsigned from = draw(5) == 0 ? 1 : first, at = from + draw(stops - from + 1);
	unsigned us = draw(2) == 0 ? 0 : 1 + draw(SPREAD_US);
	struct course c;
	bool differed;
	char when[64];

	if (!start(&c, s))
		return false;
	for (unsigned n = 0; n < at && next(&c); n++)
		continue;
	differed = place_differs(s->original);
	differed = end(&c, how, us) && differed;
	tally[how].kills++;
	tally[how].hit += differed;
	snprintf(when, sizeof(when), "%s at stop %u + %u us", kills_how_names[how], at, us);
	judge(s, when, &tally[how]);
	return true;
}

static bool
print(const struct scene *s, const struct tally tally[KILLS_HOWS], struct tally *sum)
{
	printf("%-28s%8s%10s%10s%10s%10s%8s%12s\n", s->name, "kills", "differed", "as before",
	    "applied", "waiting", "healed", "violations");
	for (int h = 0; h < KILLS_HOWS; h++) {
		const struct tally *t = &tally[h];

		printf("  %-26s%8lu%10lu%10lu%10lu%10lu%8lu%12lu\n", kills_how_names[h], t->kills,
		    t->hit, t->found[BEFORE], t->found[APPLIED], t->found[WAITING], t->healed,
		    t->violations);
		sum->kills += t->kills;
		sum->hit += t->hit;
		sum->healed += t->healed;
		sum->violations += t->violations;
	}
	return true;
}

static bool
at_random(unsigned kills)
{
	struct tally sum = { 0 };
	unsigned stops, first, part = 0, scene = 0;

	for (size_t i = 0; i < NELEM(scenes); i++)
		part += is_wanted(&scenes[i]);

	for (size_t i = 0; i < NELEM(scenes); i++) {
		struct tally tally[KILLS_HOWS] = { { 0 } };
		unsigned n = !is_wanted(&scenes[i]) ? 0 :
		    kills / part + (scene++ < kills % part);

		if (n == 0)
			continue;
		if (!survey(&scenes[i], &stops, &first))
			return fprintf(stderr, "kills: %s: does not work\n", scenes[i].name), false;
		for (; n > 0; n--)
			if (!kill_once(&scenes[i], stops, first, tally))
				return false;
		print(&scenes[i], tally, &sum);
	}
	printf("%lu kills, %lu while a value or file differed, %lu left to the next command; "
	    "%lu violations\n", sum.kills, sum.hit, sum.healed, sum.violations);
	return sum.violations == 0 && sum.hit * 100 >= sum.kills * 70;
}

/* In a process of its own, for the namespace. */
static bool
in_a_place(bool (*what)(unsigned), unsigned n, const char *scene)
{
	int status = 1;
	pid_t pid;

	only = scene;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		bool ok = place_open();

		if (ok) {
			ok = what(n);
			place_close();
		}
		exit(ok ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

bool
kills_apply(unsigned kills, const char *scene)
{
	return in_a_place(at_random, kills, scene);
}

bool
kills_apply_steps(const char *scene)
{
	return in_a_place(all_steps, 0, scene);
}
