#include "hazards.h"

void
hazards_find(struct arena *a, const struct profile *p, const struct facts *f, struct hazard **out,
    size_t *n)
{
	(void)a;
	(void)p;
	(void)f;
	*out = NULL;
	*n = 0;
}
