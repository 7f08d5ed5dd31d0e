#include "kernel.h"

#include <math.h>

#define KNOB_STEP_BYTES 4096.0

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
