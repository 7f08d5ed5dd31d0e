#include "report_hazards.h"

#define WIDTH 96
#define INDENT "    "

char *
report_hazards(struct arena *a, const struct hazard *h, size_t n)
{
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (size_t i = 0; i < n; i++) {
		text_add(&t, "%s%s: %s%s%s\n", i == 0 ? "\nknown harm\n  " : "  ", h[i].id,
		    h[i].subject == NULL ? "" : h[i].subject, h[i].where == NULL ? "" : ", ",
		    h[i].where == NULL ? "" : h[i].where);
		if (h[i].words != NULL)
			text_wrap(&t, INDENT, WIDTH, h[i].words);
	}
	if (t.len != 0)
		text_disarm(t.s);
	return t.s;
}
