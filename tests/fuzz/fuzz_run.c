/* A run file; what is read is written again as the same. */
#include "fuzz.h"

#include "tuner/model.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct err e = { ERR_NONE, "" };
	struct run run;
	struct node *n;
	bool ok;

	record_init(&run_record, &run);
	ok = node_from_json(a, "f", (const char *)data, size, &n, &e) &&
	    record_from_node(a, "f", &run_record, n, &run, &e);
	promise_reason(ok, &e);
	if (ok) {
		char *text = record_to_json(a, &run_record, &run, false);
		struct run again;

		record_init(&run_record, &again);
		promise(node_from_json(a, "f", text, strlen(text), &n, &e) &&
		    record_from_node(a, "f", &run_record, n, &again, &e), "read again", e.text);
		promise(strcmp(text, record_to_json(a, &run_record, &again, false)) == 0,
		    "the same when written again", text);
	}
	arena_free(a);
	return 0;
}
