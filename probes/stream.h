/*
 * stream: the first bytes of what comes from a descriptor, in memory that grows with them.
 */
#ifndef PATHTUNE_STREAM_H
#define PATHTUNE_STREAM_H

#include "../tuner/base.h"

struct stream {
	struct arena *arena;
	size_t cap;  /* keep so many bytes at most */
	int fd;      /* -1 at its end */
	char *text;  /* NULL until something came */
	size_t len;
	size_t size; /* of text, without the byte behind it that stream_text() needs */
	bool over;   /* more than cap came */
};

/* Read what is there now; false with errno when that fails.  At the end the descriptor is closed. */
bool stream_read(struct stream *s);

void stream_close(struct stream *s);

/* What came, terminated, NUL bytes replaced by '?'. */
const char *stream_text(struct stream *s);

#endif
