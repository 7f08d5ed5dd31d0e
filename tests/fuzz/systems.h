/*
 * systems: the embedded profiles, read once, and what their targets promise alike.
 */
#ifndef PATHTUNE_TESTS_FUZZ_SYSTEMS_H
#define PATHTUNE_TESTS_FUZZ_SYSTEMS_H

#include "fuzz.h"

#include "tuner/profile.h"

#include <string.h>

#define SYSTEMS_MOST 16

/* The i-th; NULL: there are no more.  They stay to the end of the process. */
static inline const struct profile *
system_at(size_t i)
{
	static struct profile *known[SYSTEMS_MOST];
	static struct arena *arena;
	struct err e = { ERR_NONE, "" };
	const char *name, *text;
	size_t len;

	if (arena == NULL)
		arena = arena_new();
	name = profile_embedded(i, &text, &len);
	if (name == NULL || i == SYSTEMS_MOST)
		return NULL;
	if (known[i] == NULL)
		promise(profile_parse(arena, name, text, len, &known[i], &e), "a sound profile",
		    e.text);
	return known[i];
}

/* One line of ASCII. */
static inline bool
is_shown(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	return true;
}

#endif
