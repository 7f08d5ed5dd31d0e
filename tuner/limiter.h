/*
 * limiter: what held this transfer back, with the number that shows it.
 */
#ifndef PATHTUNE_LIMITER_H
#define PATHTUNE_LIMITER_H

#include "model.h"

/*
 * From the trials of one setting in one direction (those that went well); never guesses.  path:
 * what other traffic got in that direction; NULL: that was not looked at.
 */
struct limit limiter_name(struct arena *a, const struct path_fact *path,
    const struct trial *trials, size_t n, enum direction direction, const struct setting *setting);

bool setting_same(const struct setting *a, const struct setting *b);

#endif
