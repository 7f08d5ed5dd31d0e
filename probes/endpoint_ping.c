#include "endpoint_way.h"
#include "facts.h"

#include <math.h>
#include <string.h>

bool
endpoint_ping(struct host *h, const struct profile *p, const char *address, double *rtt_ms,
    struct err *e)
{
	struct profile few = { .name = p->name, .sysname = p->sysname };
	struct arena *a = arena_new();
	struct facts f;
	bool ok;

	for (size_t i = 0; i < p->n_facts; i++) {
		if (p->facts[i].ping && strcmp(p->facts[i].fact, "rtt_ms") == 0)
			*(struct fact_rule *)arena_push(a, &few.facts, &few.n_facts,
			    sizeof(*few.facts)) = p->facts[i];
	}
	ok = facts_probe(h, a, &few, address, true, &f, e);
	if (ok)
		*rtt_ms = f.rtt_ms;
	arena_free(a);
	return ok;
}
