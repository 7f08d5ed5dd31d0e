/* search_lab: a small path without noise for the tests of the search, and what may go wrong on it. */
#ifndef PATHTUNE_TESTS_SEARCH_LAB_H
#define PATHTUNE_TESTS_SEARCH_LAB_H

#include "tuner/search.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MB 1048576.

struct path {
	double capacity_bps, rtt_s, queue_bytes;
	double bbr_gain;        /* of bbr over the capacity; 0: 1 too */
	double cubic_bps;       /* cubic never gets more; 0: no limit */
	double bbr_retransmits;
	unsigned stuck;         /* every so manieth bbr connection at a tenth; 0: none */
};

struct lab {
	struct path path;
	double now_s, bytes;
	unsigned bbr_connections, trials;
	/* Spoils the answer of a trial; NULL: none. */
	void (*spoil)(struct trial *t, unsigned n);
};

static inline unsigned long long
bits(void *arg)
{
	uint64_t *s = arg, z = (*s += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline bool
is_bbr(const struct setting *s)
{
	return s->cc != NULL && strcmp(s->cc, "bbr") == 0;
}

static inline double
goodput(struct lab *l, const struct setting *s)
{
	const struct path *p = &l->path;
	double bps = fmin(p->capacity_bps, 8 * s->window_bytes / p->rtt_s);

	if (is_bbr(s)) {
		bps *= p->bbr_gain > 0 ? p->bbr_gain : 1;
		if (p->stuck > 0 && ++l->bbr_connections % p->stuck == 0)
			bps /= 10;
	} else if (p->cubic_bps > 0) {
		bps = fmin(bps, p->cubic_bps);
	}
	return bps;
}

static inline void
run_trial(struct lab *l, const struct ask *ask, struct trial *t)
{
	const struct path *p = &l->path;
	double bdp = p->capacity_bps * p->rtt_s / 8;
	double queue = fmin(fmax(ask->setting.window_bytes - bdp, 0), p->queue_bytes);

	*t = (struct trial){.setting = ask->setting, .phase = ask->phase, .block = ask->block,
	    .slot = ask->slot, .coin = ask->coin, .status = TRIAL_OK, .inflight_bytes = NAN};
	t->goodput_bps = goodput(l, &ask->setting);
	t->rtt.idle_ms = t->rtt.min_ms = p->rtt_s * 1000;
	t->rtt.loaded_ms = t->rtt.idle_ms + (is_bbr(&ask->setting) ? 0 : 8000 * queue / p->capacity_bps);
	t->retransmits = is_bbr(&ask->setting) ? p->bbr_retransmits : 0;
	t->bytes = t->goodput_bps / 8 * (ask->warmup_s + ask->duration_s);
	l->now_s += .3 + ask->warmup_s + ask->duration_s;
	l->bytes += t->bytes;
	if (l->spoil != NULL)
		l->spoil(t, l->trials);
	l->trials++;
}

static const char *const cubic_bbr[] = {"cubic", "bbr"};

static inline struct search_config
config(double rtt_s, double window_bytes, size_t n_cc)
{
	static uint64_t seed;
	struct search_config c = {.direction = DIR_SEND, .window_bytes = window_bytes,
	    .window_max_bytes = 64 * MB, .cc = cubic_bbr, .n_cc = n_cc, .idle_rtt_s = rtt_s,
	    .link_bps = NAN, .budget_s = 600, .policy = POLICY_BALANCED, .confirmations = 1,
	    .random = bits, .random_arg = &seed};

	seed = 42;
	return c;
}

static inline struct search_result
search(struct lab *l, const struct search_config *c)
{
	static char why[256];
	struct arena *a = arena_new();
	struct search *s = search_new(a, c);
	struct search_result r;
	struct trial t;
	struct ask ask;

	while (l->trials < 5000 && search_next(s, l->now_s, l->bytes, &ask)) {
		run_trial(l, &ask, &t);
		search_tell(s, &t);
	}
	cr_expect(l->trials < 5000, "does not end");
	r = search_result(s);
	if (r.why != NULL) {
		snprintf(why, sizeof(why), "%s", r.why);
		r.why = why;
	}
	r.chosen.cc = is_bbr(&r.chosen) ? "bbr" : r.chosen.cc == NULL ? NULL : "cubic";
	arena_free(a);
	return r;
}

#endif
