/*
 * base: what every other file stands on: errors and memory.
 *
 * Errors.  A function that can fail returns bool and takes a struct err * as its last parameter.
 * It reports with "return fail(e, ERR_..., "text")", which is always false.  The first error is
 * kept; outputs are untouched on failure.  Only main() prints an error and maps it to the exit
 * status.  A text is one line, starts with what is wrong (the file, line, flag or key), carries no
 * newline and no final full stop.
 *
 * Memory.  One arena per command, first parameter of whatever returns memory.  Nothing is freed
 * one by one; arena_free() releases all.  Under ASan every allocation is a malloc of its own, so
 * that overruns are seen.  Running out of memory ends the process with exit status 1: the guard
 * restores the host (probes/guard.h).
 */
#ifndef PATHTUNE_BASE_H
#define PATHTUNE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PRINTF_LIKE(fmt, args)
#endif

#define NELEM(a) (sizeof(a) / sizeof((a)[0]))

/* What went wrong, as far as the exit status cares (docs/pathtune.8, EXIT STATUS). */
enum err_code {
	ERR_NONE,
	ERR_FAILED,  /* 1: the operation failed (system, peer, file)                      */
	ERR_USAGE,   /* 2: flags, or input that the user must correct                     */
	ERR_PENDING, /* 3: changes pending or drift                                       */
	ERR_FLEET,   /* 4: part of a fleet failed                                         */
	ERR_STOPPED, /* 5: stopped by a guard or a signal, everything restored            */
};

struct err {
	enum err_code code;
	char text[768];
};

/*
 * fail(e, code, fmt, ..): record the first error of a chain; always false, and in a way that
 * compilers and analysers see, or they would take the outputs of what failed for used.
 */
#define fail(e, ...) (err_record((e), __VA_ARGS__), err_false())
void err_record(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
static inline bool
err_false(void)
{
	return false;
}

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL is fine */
void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for any type, never NULL */
void *arena_array(struct arena *a, size_t n, size_t size); /* as above, n * size checked */
char *arena_strdup(struct arena *a, const char *s); /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);

/*
 * Append one element to an array that lives in an arena: *array holds *n elements of the given
 * size and grows by doubling (a power of two is always the capacity).  Returns the new, zeroed
 * element.
 */
void *arena_push(struct arena *a, void *array, size_t *n, size_t size);

/* Whether the list of n strings holds s. */
bool strings_have(const char *const *list, size_t n, const char *s);

/* The same text, or both NULL. */
bool strings_same(const char *x, const char *y);

/* A growing text in an arena. */
struct text {
	struct arena *arena;
	char *s; /* always terminated once something was added; NULL before */
	size_t len;
	size_t cap;
};

void text_add(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_bytes(struct text *t, const char *s, size_t n);

/* Words wrapped at blanks into lines of at most width bytes, each with the indent and a newline. */
void text_wrap(struct text *t, const char *indent, size_t width, const char *words);

/*
 * What came from outside is not to command a terminal: control characters other than newline and
 * tab, those of the second set in UTF-8 (U+0080..U+009F) included, and what is no UTF-8 become '?'
 * in place.
 */
void text_disarm(char *s);

/*
 * Length of the well-formed UTF-8 sequence at s, 0 when there is none (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF).
 */
size_t text_utf8(const char *s);

#endif
