/*
 * words: an argv as a line for a POSIX shell, and such a line as an argv.  Only quoting is known
 * here, nothing of what else a shell would do: a line that has more is refused.
 */
#ifndef PATHTUNE_WORDS_H
#define PATHTUNE_WORDS_H

#include "base.h"

/* The word, in single quotes where it is empty or holds anything but [A-Za-z0-9_./:@%+=,-]. */
void words_quote(struct text *t, const char *word);

/* The same for a message: what no terminal should get is disarmed. */
const char *words_shown(struct arena *a, const char *word);

/* The words of line, NULL-terminated, and how many; outside of quotes braces may stand too. */
bool words_split(struct arena *a, const char *line, const char ***argv, size_t *n, struct err *e);

#endif
