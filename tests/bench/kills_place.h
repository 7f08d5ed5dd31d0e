/*
 * kills_place: a host to apply to: a network namespace of its own, and a temporary directory in
 * place of /etc.  A run is on record there; the one that is applied changes three values and two
 * files, of which one was there before.
 */
#ifndef PATHTUNE_KILLS_PLACE_H
#define PATHTUNE_KILLS_PLACE_H

#include "kills.h"

#include <time.h>

#define PLACE_WORDS 8
#define PLACE_DIRS 3

/* What may be found; anything else lies between. */
enum place_found { BEFORE, APPLIED, WAITING, PLACE_FOUND, BETWEEN = PLACE_FOUND };
extern const char *const place_found_names[];

/* For the calling process and all that it starts; false has been said. */
bool place_open(void);
void place_close(void);

/* A command of pathtune there; "%" is the run. */
const char *const *place_argv(struct arena *a, const char *const *words);

/* All as it was, the record too; the process that waits for a confirm is started anew. */
bool place_restore(enum place_found to);

/* Values and files as a text. */
const char *place_state(char state[KILLS_STATE]);
bool place_differs(enum place_found from);

/* Was something made, removed or renamed since?  since is then now. */
bool place_touched(struct timespec since[PLACE_DIRS]);

/* The process that waits for a confirm. */
pid_t place_keeper(void);

/*
 * What is wrong, after somebody was killed; NULL: nothing.  Waits for the ends of guards and keepers,
 * or until a keeper has answered all that was asked; *healed: it was left to the next command.  What
 * is found must be one of may, be on record so, and revert must work at once.  Beside files there is
 * nothing left, for what was undone at once, else after the next command.
 */
const char *place_judge(const bool may[PLACE_FOUND], enum place_found undone,
    enum place_found *found, bool *healed, char words[KILLS_STATE]);

#endif
