/* A profile that somebody wrote, or something that is none. */
#include "fuzz.h"

#include "tuner/profile.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct err e = { ERR_NONE, "" };
	struct profile *p = NULL;
	bool ok = profile_parse(a, "f", (const char *)data, size, &p, &e);

	promise_reason(ok, &e);
	promise(ok || strncmp(e.text, "f:", 2) == 0, "the file is named", e.text);
	promise(ok == (p != NULL), "a profile exactly when it is sound", e.text);
	arena_free(a);
	return 0;
}
