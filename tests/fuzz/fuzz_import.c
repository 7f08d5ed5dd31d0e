/* A table of results that somebody hands us. */
#include "fuzz.h"

#include "tuner/import.h"
#include "tuner/report_import.h"

#include <string.h>

/* All that may be said of a table that was read. */
static void
conclude(struct arena *a, const struct import_table *t)
{
	struct import_system s;
	struct err e = { ERR_NONE, "" };
	bool ok = import_system(a, t, NULL, NULL, &s, &e);
	struct import_result r;

	promise_reason(ok, &e);
	if (!ok)
		return;
	r = import_judge(a, t, &s);
	promise(r.n_reasons == r.n_wanted, "a way out for each reason", NULL);
	promise((r.verdict == IMPORT_CHANGE) == (r.n_change != 0), "a change has lines", NULL);
	promise(r.verdict != IMPORT_CHANGE || (t->about.interleaved == ANSWER_YES &&
	    t->about.order == ORDER_RANDOM), "no change without coins", NULL);
	import_json(a, t, &s, &r);
	report_import(a, t, &s, &r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct err e = { ERR_NONE, "" };
	struct import_table t = { .n_tests = 0 };
	bool ok = import_read(a, "f", (const char *)data, size, &t, &e);

	promise_reason(ok, &e);
	promise(ok || strncmp(e.text, "f:", 2) == 0, "the file is named", e.text);
	promise(ok == (t.n_tests >= 2), "two tests at least", NULL);
	if (ok)
		conclude(a, &t);
	arena_free(a);
	return 0;
}
