#include "advise_memory.h"

#include "advise.h"

#include <math.h>

double
advise_buffer_bytes(const struct profile *p, const struct facts *f, int mask)
{
	const struct kernel_knobs k = kernel_knobs(p, f);
	struct kernel_window w;
	double most = 0;

	for (int d = DIR_SEND; d <= DIR_RECEIVE; d++) {
		if ((mask & d) != 0 && kernel_window(p, f, &k, (enum direction)d, NAN, &w))
			most = fmax(most, w.stop_bytes);
	}
	return most;
}

double
advise_kernel_bytes(const struct facts *f)
{
	return fmin(f->mbuf_bytes, f->tcp_mem_pages * f->page_bytes);
}

double
advise_bound_bytes(const struct facts *f)
{
	return ADVISE_MEMORY_SHARE * fmin(f->ram_bytes, advise_kernel_bytes(f));
}
