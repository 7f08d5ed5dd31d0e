#include "stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BYTES ((size_t)4096) /* what nearly every answer fits in */
#define GROWTH 4

static void
grow(struct stream *s)
{
	size_t size = s->size == 0 ? FIRST_BYTES : s->size * GROWTH;
	char *text;

	if (size > s->cap)
		size = s->cap;
	text = arena_alloc(s->arena, size + 1);
	if (s->len != 0)
		memcpy(text, s->text, s->len);
	s->text = text;
	s->size = size;
}

bool
stream_read(struct stream *s)
{
	char more;
	bool full = s->len == s->cap;
	ssize_t n;

	if (!full && s->len == s->size)
		grow(s);
	n = read(s->fd, full ? &more : s->text + s->len, full ? 1 : s->size - s->len);
	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		stream_close(s);
	else if (full)
		s->over = true;
	else
		s->len += (size_t)n;
	return true;
}

void
stream_close(struct stream *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

const char *
stream_text(struct stream *s)
{
	if (s->text == NULL)
		return "";
	for (size_t i = 0; i < s->len; i++) {
		if (s->text[i] == '\0')
			s->text[i] = '?';
	}
	s->text[s->len] = '\0';
	return s->text;
}
