/* What a shell at the other end sent back for four commands, or something else. */
#include "fuzz.h"

#include "probes/script.h"

#include <string.h>

#define COMMANDS 4
#define MARK "0123456789abcdef0123456789abcdef"

static void
promise_output(const struct output *o)
{
	promise(o->text != NULL && strlen(o->text) == o->len, "output without NUL", o->text);
	promise(o->len <= HOST_OUTPUT_BYTES, "bounded output", NULL);
	promise(o->status >= -1 && o->status <= 255, "a status", NULL);
	promise((o->status == 0) == (o->why == NULL), "a reason exactly when it failed", o->why);
	promise(o->why == NULL || o->why[0] != '\0', "a reason in words", NULL);
	promise(o->why == NULL || strpbrk(o->why, "\r\n") == NULL, "a reason of one line", o->why);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct err e = { ERR_NONE, "" };
	struct output out[COMMANDS], before[COMMANDS];
	size_t bytes = 0;
	bool ok;

	memset(out, 0x5a, sizeof(out));
	memcpy(before, out, sizeof(out));
	ok = script_parse(a, (const char *)data, size, MARK, COMMANDS, out, &e);
	promise_reason(ok, &e);
	promise(ok || memcmp(out, before, sizeof(out)) == 0, "untouched when it fails", e.text);
	for (size_t i = 0; ok && i < COMMANDS; i++) {
		promise_output(&out[i]);
		bytes += SCRIPT_MARK + out[i].len;
	}
	promise(bytes <= size, "no more than came", NULL);
	arena_free(a);
	return 0;
}
