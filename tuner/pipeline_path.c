#include "pipeline_path.h"

#include "stairs.h"

#include <math.h>

#define STREAMS_S 2.0

struct spending {
	const struct path_ask *ask;
	double bytes;
};

static bool
afford(const struct spending *x, double bytes)
{
	return x->ask->cap_bytes <= 0 || x->bytes + bytes <= x->ask->cap_bytes;
}

/* One step, if it may be sent; false as path_measure(). */
static bool
step(struct endpoint *p, struct arena *a, struct spending *x, const struct udp_spec *u,
    struct path_fact *out, struct udp_result *r, struct err *e)
{
	double bytes = udp_datagrams(u) * UDP_BYTES;

	*r = (struct udp_result){ .why = NULL, .got_bps = NAN, .burst_bps = NAN };
	if (out->udp_bytes + bytes > PATH_UDP_BYTES || !afford(x, bytes))
		return true;
	if (!endpoint_udp(p, a, u, r, e))
		return false;
	out->udp_bytes += r->sent_bytes;
	x->bytes += r->sent_bytes;
	return true;
}

static bool
udp(struct endpoint *p, struct arena *a, struct spending *x, struct path_fact *out,
    const char **why, struct err *e)
{
	const struct path_ask *ask = x->ask;
	struct udp_spec u = { ask->direction, STAIRS_BURST_BPS, STAIRS_S, STAIRS_BURST, 0 };
	struct stairs stairs;
	struct udp_result r;

	out->udp_bytes = 0;
	if (!step(p, a, x, &u, out, &r, e))
		return false;
	out->udp_burst_bps = r.why == NULL ? r.burst_bps : NAN;
	*why = r.why;
	u.burst = 0;
	stairs_init(&stairs, ask->known_bps,
	    fmin(UDP_RATE_MAX, isnan(ask->link_bps) ? UDP_RATE_MAX : 2 * ask->link_bps));
	while (*why == NULL && stairs_next(&stairs, &u.rate_bps)) {
		if (!step(p, a, x, &u, out, &r, e))
			return false;
		if (r.why != NULL || isnan(r.got_bps))
			break;
		stairs_tell(&stairs, u.rate_bps, r.sent_bps, r.got_bps, r.loss, out);
	}
	return true;
}

static bool
streams(struct endpoint *p, struct arena *a, struct spending *x, struct path_fact *out,
    struct err *e)
{
	const struct path_ask *ask = x->ask;
	struct flow_spec f = { .direction = ask->direction, .streams = PATH_STREAMS,
		.warmup_s = .5 + 12 * ask->rtt_ms / 1e3, .duration_s = STREAMS_S, .early_s = 1,
		.cc = ask->cc, .max_bytes = flow_cap_left(ask->cap_bytes, x->bytes) };
	struct trial t;

	if (!afford(x, 1))
		return true;
	record_init(&trial_record, &t);
	if (!endpoint_measure(p, a, &f, NULL, &t, e))
		return false;
	x->bytes += isnan(t.bytes) ? 0 : t.bytes;
	if (t.status != TRIAL_OK)
		return true;
	out->streams = PATH_STREAMS;
	out->streams_bps = t.goodput_bps;
	return true;
}

bool
path_measure(struct endpoint *p, struct arena *a, const struct path_ask *ask, struct path_fact *out,
    const char **why, struct err *e)
{
	struct spending x = { ask, 0 };

	record_init(&path_fact_record, out);
	*why = NULL;
	out->direction = ask->direction;
	out->one_bps = ask->known_bps;
	/* UDP takes little, several connections all that there is. */
	return (!ask->udp || udp(p, a, &x, out, why, e)) &&
	    (!ask->streams || streams(p, a, &x, out, e));
}
