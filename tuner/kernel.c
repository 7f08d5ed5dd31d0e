#include "kernel.h"
#include "profile.h"

#include <math.h>

#define KNOB_STEP_BYTES 4096.0

const struct window_model *
kernel_window_model(const struct profile *p, const char *release, enum direction direction)
{
	for (size_t i = 0; i < p->n_windows; i++) {
		const struct window_model *m = &p->windows[i];

		if (m->direction != direction)
			continue;
		if (m->since != NULL && profile_release_cmp(release, m->since) < 0)
			continue;
		if (m->before == NULL || profile_release_cmp(release, m->before) < 0)
			return m;
	}
	return NULL;
}

double
kernel_window_bytes(const struct window_model *m, double max_bytes)
{
	return floor(m->factor * max_bytes);
}

double
kernel_max_bytes(const struct window_model *m, double window_bytes)
{
	return ceil(window_bytes / m->factor / KNOB_STEP_BYTES) * KNOB_STEP_BYTES;
}
