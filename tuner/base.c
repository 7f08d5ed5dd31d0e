#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_CHUNK 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_CHUNK 0
#endif
#endif
#ifndef ARENA_CHUNK
#define ARENA_CHUNK ((size_t)64 * 1024)
#endif

struct chunk {
	struct chunk *next;
	size_t used;
	size_t size;
	max_align_t data[];
};

struct arena {
	struct chunk *chunks;
};

void
err_record(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->code != ERR_NONE)
		return;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	text_disarm(e->text);
	for (char *s = e->text; (s = strchr(s, '\n')) != NULL;)
		*s = ' ';
}

static void *
must_alloc(size_t size)
{
	void *p = malloc(size);

	if (p == NULL) {
		fputs("pathtune: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

struct arena *
arena_new(void)
{
	struct arena *a = must_alloc(sizeof(*a));

	a->chunks = NULL;
	return a;
}

void
arena_free(struct arena *a)
{
	struct chunk *c, *next;

	if (a == NULL)
		return;
	for (c = a->chunks; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

static struct chunk *
chunk_for(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;

	if (c == NULL || c->size - c->used < size) {
		size_t room = size > ARENA_CHUNK ? size : ARENA_CHUNK;

		c = must_alloc(sizeof(*c) + room);
		c->size = room;
		c->used = 0;
		c->next = a->chunks;
		a->chunks = c;
	}
	return c;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	size_t step = sizeof(max_align_t);
	struct chunk *c;
	char *p;

	if (size > SIZE_MAX / 2) {
		fputs("pathtune: out of memory\n", stderr);
		exit(1);
	}
	/* Under ASan the chunk is exactly as large as asked, so that one byte more is seen. */
	if (ARENA_CHUNK != 0)
		size = (size + step - 1) / step * step;
	c = chunk_for(a, size == 0 ? 1 : size);
	p = (char *)c->data + c->used;
	c->used += size;
	memset(p, 0, size);
	return p;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	return arena_alloc(a, size != 0 && n > SIZE_MAX / size ? SIZE_MAX : n * size);
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	memcpy(copy, s, n);
	return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return s == NULL ? NULL : arena_strndup(a, s, strlen(s));
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	s = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	if (n >= 0)
		vsnprintf(s, (size_t)n + 1, fmt, ap);
	return s;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

void *
arena_push(struct arena *a, void *array, size_t *n, size_t size)
{
	void *old, *grown;

	memcpy(&old, array, sizeof(old));
	if ((*n & (*n - 1)) == 0) { /* 0 or a power of two: full */
		grown = arena_array(a, *n == 0 ? 1 : *n * 2, size);
		if (*n != 0)
			memcpy(grown, old, *n * size);
		memcpy(array, &grown, sizeof(grown));
		old = grown;
	}
	return (char *)old + size * (*n)++;
}

bool
strings_have(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], s) == 0)
			return true;
	}
	return false;
}

bool
strings_same(const char *x, const char *y)
{
	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

void
text_bytes(struct text *t, const char *s, size_t n)
{
	char *grown;

	if (t->len + n + 1 > t->cap) {
		t->cap = (t->len + n + 1) * 2;
		grown = arena_alloc(t->arena, t->cap);
		if (t->len != 0)
			memcpy(grown, t->s, t->len);
		t->s = grown;
	}
	memcpy(t->s + t->len, s, n);
	t->len += n;
	t->s[t->len] = '\0';
}

void
text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(t->arena, fmt, ap);
	va_end(ap);
	text_bytes(t, s, strlen(s));
}

void
text_wrap(struct text *t, const char *indent, size_t width, const char *words)
{
	size_t at = 0, n;

	for (const char *w = words + strspn(words, " "); *w != '\0'; w += strspn(w, " ")) {
		n = strcspn(w, " ");
		if (at != 0 && at + 1 + n > width) {
			text_bytes(t, "\n", 1);
			at = 0;
		}
		text_add(t, "%s%.*s", at == 0 ? indent : " ", (int)n, w);
		at += n + (at == 0 ? strlen(indent) : 1);
		w += n;
	}
	text_bytes(t, "\n", 1);
}

size_t
text_utf8(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	size_t i;

	if (s[0] > 0xf4)
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) /* also the end of the string */
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void
text_disarm(char *s)
{
	size_t n;

	for (unsigned char *c = (unsigned char *)s; *c != '\0'; c += n == 0 ? 1 : n) {
		n = text_utf8((char *)c);
		if (n == 0 || (*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f)
			*c = '?';
		else if (c[0] == 0xc2 && c[1] <= 0x9f)
			c[0] = c[1] = '?';
	}
}
