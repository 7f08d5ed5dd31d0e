/*
 * kills: does a host come back, whenever and however a run is killed?
 *
 * usage: kills [N [LABS [PART [COMMAND]]]]   1000 kills, tune in 3 labs by default; needs what a lab
 * needs, on Linux, and root.  PART: steps, tune, apply or all; COMMAND: of apply and its steps only
 * those that begin like this.
 *
 * tune: N / 2 runs, each killed at a random moment by SIGKILL, SIGTERM, SIGINT, SIGHUP, or with its
 * whole process group; four of five wait until a value differs from what it was, and no run is let
 * live for more than 3 s.  One that is killed before it has a guard has set nothing and leaves a
 * journal of that: the next command removes it.
 * apply: as many of apply, apply --confirm, confirm and revert, also with their guards.  They are over
 * in milliseconds, so they are killed at a system call that is drawn by lot, or shortly after it.
 * steps: set, persist and restore, and the same commands, killed after each of their system calls in
 * turn.
 * After every kill all values and files must be as before or, for what persists, as after; never in
 * between.  Prints counts; the exit status is 1 on any violation, or when fewer than 70 of 100 kills
 * hit while something differed.
 */
#include "kills.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKEN "0123456789abcdef0123"

static bool
is_wanted(const char *asked, const char *part)
{
	return strcmp(asked, "all") == 0 || strcmp(asked, part) == 0;
}

int
main(int argc, char **argv)
{
	unsigned kills = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	unsigned labs = argc > 2 ? (unsigned)atoi(argv[2]) : 3;
	const char *part, *scene;
	bool ok = true;

	if (argc > 2 && strcmp(argv[1], "--group") == 0) {
		setpgid(0, 0);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO); /* as expected, a lot */
		execv(argv[2], argv + 2);
		return 127;
	}
	part = argc > 3 ? argv[3] : "all";
	scene = argc > 4 ? argv[4] : NULL;
	if (labs == 0 || labs > KILLS_LABS || kills / 2 < labs)
		return fprintf(stderr, "usage: kills [N [LABS [PART [COMMAND]]]]\n"), 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("PATHTUNE_TOKEN", TOKEN, 1);
	if (is_wanted(part, "steps")) {
		ok = (scene != NULL || kills_steps()) && ok;
		ok = kills_apply_steps(scene) && ok;
	}
	if (is_wanted(part, "tune"))
		ok = kills_tune(kills / 2, labs) && ok;
	if (is_wanted(part, "apply"))
		ok = kills_apply(kills - kills / 2, scene) && ok;
	return ok ? 0 : 1;
}
