/* What the comments of a table say about how it was measured. */
#include "import_state.h"
#include "units.h"

#include <string.h>

const char *const import_order_names[] = { "unknown", "sequential", "alternating", "random", NULL };
const char *const import_answer_names[] = { "unknown", "no", "yes", NULL };

static bool
read_word(const char *const *names, const char *text, int *out, struct err *e)
{
	for (int i = 1; names[i] != NULL; i++) {
		if (strcmp(names[i], text) == 0) {
			*out = i;
			return true;
		}
	}
	return fail(e, ERR_USAGE, "'%.40s' is not known", text);
}

static bool
read_order(const char *text, void *dst, struct err *e)
{
	int i;

	if (!read_word(import_order_names, text, &i, e))
		return false;
	*(enum import_order *)dst = (enum import_order)i;
	return true;
}

static bool
read_answer(const char *text, void *dst, struct err *e)
{
	int i;

	if (!read_word(import_answer_names, text, &i, e))
		return false;
	*(enum import_answer *)dst = (enum import_answer)i;
	return true;
}

static bool
read_number(const char *text, void *dst, struct err *e)
{
	return units_number(text, dst, e);
}

static bool
read_text(const char *text, void *dst, struct err *e)
{
	(void)e;
	*(const char **)dst = text;
	return true;
}

static const struct {
	const char *key;
	bool (*read)(const char *, void *, struct err *);
	size_t offset;
} keys[] = {
	{ "order", read_order, offsetof(struct import_about, order) },
	{ "interleaved", read_answer, offsetof(struct import_about, interleaved) },
	{ "runs_per_cell", read_number, offsetof(struct import_about, runs_per_cell) },
	{ "run_s", read_number, offsetof(struct import_about, run_s) },
	{ "sleep_s", read_number, offsetof(struct import_about, sleep_s) },
	{ "unit", read_text, offsetof(struct import_about, unit) },
	{ "source", read_text, offsetof(struct import_about, source) },
	{ "os", read_text, offsetof(struct import_about, os) },
	{ "release", read_text, offsetof(struct import_about, release) },
};

bool
import_about_read(const char *key, const char *value, struct import_about *out, struct err *e)
{
	struct err why = { ERR_NONE, "" };
	size_t i = 0;

	while (i < NELEM(keys) && strcmp(keys[i].key, key) != 0)
		i++;
	if (i == NELEM(keys))
		return fail(e, ERR_USAGE, "%.40s= is not known; a comment may say order, "
		    "interleaved, runs_per_cell, run_s, sleep_s, unit, source, os and release",
		    key);
	if (*value == '\0')
		return fail(e, ERR_USAGE, "%s: the value is empty", key);
	if (!keys[i].read(value, (char *)out + keys[i].offset, &why))
		return fail(e, ERR_USAGE, "%s: %s", key, why.text);
	return true;
}
