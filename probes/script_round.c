#include "script_round.h"

#include "script.h"

#include <sodium.h>
#include <string.h>

#define MOST_S 180.0

static const char *
random_mark(struct arena *a)
{
	unsigned char bytes[SCRIPT_MARK / 2];
	char *mark = arena_alloc(a, SCRIPT_MARK + 1);

	randombytes_buf(bytes, sizeof(bytes));
	return sodium_bin2hex(mark, SCRIPT_MARK + 1, bytes, sizeof(bytes));
}

/* A dead line is to be noticed before somebody gives up. */
static double
time_limit_s(const struct command *c, size_t n, double start_s)
{
	double sum_s = start_s;

	for (size_t i = 0; i < n; i++)
		sum_s += 1 + (c[i].timeout_s > 0 ? c[i].timeout_s : HOST_TIMEOUT_S);
	return sum_s < MOST_S ? sum_s : MOST_S;
}

static bool
all_even_stopped(const struct command *c, size_t n)
{
	size_t i = 0;

	while (i < n && c[i].even_stopped)
		i++;
	return i == n && n != 0;
}

bool
script_round_make(struct arena *a, const struct command *c, size_t n, double start_s,
    struct script_round *out, struct err *e)
{
	if (sodium_init() < 0)
		return fail(e, ERR_FAILED, "libsodium could not be initialized");
	out->mark = random_mark(a);
	out->text = script_make(a, c, n, out->mark);
	out->len = strlen(out->text);
	out->limit_s = time_limit_s(c, n, start_s);
	out->most_bytes = script_answer_max(n);
	out->even_stopped = all_even_stopped(c, n);
	return true;
}
