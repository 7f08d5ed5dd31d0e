#include "scenarios.h"

#include <math.h>
#include <string.h>

#define WINDOW_MAX (64 * 1048576.)

static unsigned long long
coin(void *arg)
{
	return random_bits(arg);
}

static struct search_config
config_of(const struct scenario *sc, const struct run_options *o, enum direction direction)
{
	bool send = direction == DIR_SEND;
	struct search_config c = {.direction = direction, .window_max_bytes = WINDOW_MAX,
	    .idle_rtt_s = sc->path.rtt_s, .mode = o->mode, .policy = o->policy, .random = coin,
	    .data_cap_bytes = o->data_cap_bytes};

	c.window_bytes = send ? sc->send_bytes : sc->receive_bytes;
	c.cc = send ? sc->cc : NULL;
	c.n_cc = send ? sc->n_cc : 0;
	c.extras = sc->extras;
	c.n_extras = sc->n_extras;
	c.link_bps = sc->path.capacity_bps > 1e9 ? 10e9 : 1e9;
	c.confirmations = sc->send_bytes > 0 && sc->receive_bytes > 0 ? 2 : 1;
	return c;
}

static struct search_result
run_search(const struct search_config *c, struct world *w)
{
	struct arena *a = arena_new();
	struct search *s = search_new(a, c);
	static const char *extras[SEARCH_EXTRAS_MAX];
	double from_s = w->now_s, from_bytes = w->bytes;
	struct search_result r;
	struct trial t;
	struct ask ask;

	while (search_next(s, w->now_s - from_s, w->bytes - from_bytes, &ask)) {
		if (ask.setting.cc == NULL)
			ask.setting.cc = "cubic"; /* the peer's */
		world_trial(w, &ask, &t);
		search_tell(s, &t);
	}
	r = search_result(s);
	/* Strings outlive the arena in the scenario. */
	for (size_t i = 0; r.chosen.cc != NULL && i < c->n_cc; i++)
		if (strcmp(r.chosen.cc, c->cc[i]) == 0) {
			r.chosen.cc = c->cc[i];
			break;
		}
	r.start.cc = c->n_cc > 0 ? c->cc[0] : NULL;
	r.before.setting.cc = r.start.cc;
	r.after.setting.cc = r.chosen.cc;
	/* Ids of extras outlive it as they are, but not the list of them. */
	memset(extras, 0, sizeof(extras));
	for (size_t i = 0; i < r.chosen.n_extras; i++)
		extras[i] = r.chosen.extras[i];
	r.chosen.extras = extras;
	r.why = NULL;
	arena_free(a);
	return r;
}

void
scenario_run(const struct scenario *sc, const struct run_options *o, uint64_t seed,
    struct outcome *out)
{
	const enum direction directions[] = {DIR_SEND, DIR_RECEIVE};
	struct world w;
	struct random coins;

	*out = (struct outcome){0};
	world_start(&w, &sc->path, seed);
	random_seed(&coins, seed ^ 0x5eed);
	for (size_t i = 0; i < 2; i++) {
		struct search_config c = config_of(sc, o, directions[i]);

		if (c.window_bytes <= 0)
			continue;
		c.budget_s = o->budget_s;
		c.random_arg = &coins;
		out->direction[out->n] = directions[i];
		out->slow[out->n] = w.slow / 2;
		out->result[out->n] = run_search(&c, &w);
		out->slow[out->n++] += w.slow / 2;
	}
	out->elapsed_s = w.now_s;
	out->bytes = w.bytes;
}
