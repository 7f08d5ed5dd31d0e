/*
 * profile_read: the keys of a profile, as field tables.  Part of profile_parse().
 */
#ifndef PATHTUNE_PROFILE_READ_H
#define PATHTUNE_PROFILE_READ_H

#include "model.h"

extern const struct record profile_record;

#endif
