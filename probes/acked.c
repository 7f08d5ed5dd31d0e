#include "acked.h"
#include "tcpinfo.h"

#include "../tuner/bins.h"

#include <math.h>

#define CAPPED_S 0.5 /* counted at least, when a byte cap ends the transfer */
#define SLACK_S 1e-9
#define NOW_BINS 5

struct acked {
	struct flow_spec spec;
	const struct flow *flow;
	const int *fd;
	double started_s, sampled_s, moved_s; /* moved_s: when it last became more */
	double base, bytes;                   /* acknowledged: at the start, since then */
	struct bins bins;
	size_t first_bin, end_bin;
	enum trial_status status;
	const char *why;
};

/* Of all streams, by what the kernel counts or by what it still holds; NAN: it tells neither. */
static double
acknowledged(const struct acked *k)
{
	double sum = 0, left = flow_bytes(k->flow);
	struct tcp_sample one;

	for (unsigned i = 0; i < k->spec.streams; i++) {
		sum += tcpinfo_read(k->fd[i], &one) ? one.acked_bytes : NAN;
		left -= tcpinfo_queued(k->fd[i]);
	}
	return isnan(sum) ? left : sum;
}

struct acked *
acked_new(struct arena *a, const struct flow_spec *f, const struct flow *fl, const int *fd)
{
	struct acked *k = arena_alloc(a, sizeof(*k));

	k->spec = *f;
	k->flow = fl;
	k->fd = fd;
	k->first_bin = bins_warmup(f->warmup_s);
	k->started_s = k->sampled_s = k->moved_s = flow_clock_s();
	k->base = acknowledged(k);
	return k;
}

static bool
over(struct acked *k, size_t end, enum trial_status status, const char *why)
{
	size_t whole = k->first_bin + (size_t)floor(k->spec.duration_s / BINS_S + SLACK_S);

	k->end_bin = end < whole ? end : whole;
	k->status = status;
	k->why = why;
	return false;
}

static void
sample(struct acked *k, double now)
{
	double bytes = acknowledged(k) - k->base;

	if (bytes > k->bytes) {
		bins_spread(&k->bins, k->sampled_s - k->started_s, now - k->started_s,
		    bytes - k->bytes);
		k->bytes = bytes;
		k->moved_s = now;
	}
	k->sampled_s = now;
}

static bool
enough(struct acked *k, size_t end)
{
	if (bins_rate(&k->bins, k->first_bin, end) > 0)
		return over(k, end, TRIAL_OK, NULL);
	return over(k, end, TRIAL_TIMEOUT, "nothing arrived after the warm-up");
}

bool
acked_step(struct acked *k)
{
	const struct flow_spec *f = &k->spec;
	double now = flow_clock_s(), t = now - k->started_s;
	double counted_s;
	bool capped;
	size_t end;

	if (isnan(k->base))
		return over(k, 0, TRIAL_VOID, "this system does not tell what was acknowledged");
	if (now - k->sampled_s < FLOW_INTERVAL_S / 2)
		return true;
	sample(k, now);
	end = bins_complete(t);
	counted_s = end > k->first_bin ? (double)(end - k->first_bin) * BINS_S + SLACK_S : 0;
	capped = f->max_bytes > 0 && k->bytes >= f->max_bytes;
	if (t >= (double)k->first_bin * BINS_S + f->duration_s ||
	    (capped && counted_s >= fmin(CAPPED_S, f->duration_s)) ||
	    (f->early_s > 0 && counted_s >= f->early_s &&
		bins_tight(&k->bins, k->first_bin, end)))
		return enough(k, end);
	if (capped)
		return over(k, end, TRIAL_VOID,
		    "the byte cap was reached before enough was counted");
	if (now - k->moved_s >= FLOW_STALL_S)
		return over(k, end, TRIAL_TIMEOUT, "nothing was acknowledged for 5 s");
	return true;
}

double
acked_now_bps(const struct acked *k)
{
	size_t n = bins_complete(k->sampled_s - k->started_s);

	return n == 0 ? 0 : 8 * bins_rate(&k->bins, n > NOW_BINS ? n - NOW_BINS : 0, n);
}

void
acked_fill(const struct acked *k, struct arena *a, struct trial *t)
{
	t->status = k->status;
	t->why = k->why;
	t->bytes = k->bytes;
	t->warmup_s = (double)k->first_bin * BINS_S;
	t->duration_s = 0;
	t->n_intervals_bps = k->end_bin;
	t->intervals_bps = arena_array(a, k->end_bin, sizeof(double));
	for (size_t i = 0; i < k->end_bin; i++)
		t->intervals_bps[i] = 8 * bins_rate(&k->bins, i, i + 1);
	if (k->end_bin <= k->first_bin)
		return;
	t->duration_s = (double)(k->end_bin - k->first_bin) * BINS_S;
	t->steady = bins_steady(&k->bins, k->first_bin, k->end_bin);
	if (k->status == TRIAL_OK)
		t->goodput_bps = 8 * bins_rate(&k->bins, k->first_bin, k->end_bin);
}
