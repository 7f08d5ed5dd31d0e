/*
 * peers: fixed settings of others (tests/peers_table.h) beside what tune finds, on emulated paths.
 *
 * usage: peers [-d DIR] [-j JOBS] [-n ROUNDS] [-s] [PATH ..]
 *
 * Each setting is tried once a round, in fresh random order, 5 rounds unless told; with the
 * oracle's best cell (paths oracle comes first) and, without -s, with what tune left: that of the
 * first run of paths judge, or of one that is made now.  Goes on where it was interrupted.  Into
 * DIR/peers/PATH.json; prints tables in Markdown, then the bars, and is 1 when one falls short.
 *
 * What belongs to the network namespace is set: tcp_wmem, tcp_rmem, tcp_notsent_lowat; congestion
 * control by socket, cubic where htcp is asked for.  net.core.* and the queueing discipline cannot
 * be: a flow that does not ask for buffers itself is not bound by the former, and bbr paces itself.
 */
#include "lab_left.h"

#include "../peers_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 5.0
#define RAM_BYTES (4096 * PEERS_MIB)
#define ORACLE "oracle"
#define OURS "pathtune"

#define NOT_WORSE .98
#define BETTER 1.2
#define BETTER_PATHS 3u
#define MEMORY_SHARE .5
#define LARGE_BDPS 2.0 /* more than this many of what the path holds */
#define USABLE .62     /* of a send buffer, profiles/linux.yaml */

struct bench {
	const char *dir;
	unsigned jobs;
	double rounds;
	bool fixed_only;
	const struct lab_path **paths;
	size_t n_paths;
};

/* ---- measuring ------------------------------------------------------------------------------- */

static const char *
guide_cc(const struct guide *g)
{
	return g->asks_cc != NULL && strcmp(g->asks_cc, "bbr") == 0 ? "bbr" : PATH_START_CC;
}

static void
guide_cell(struct arena *a, const struct guide *g, const struct lab_path *p, struct sheet *s)
{
	const struct guide_path path = { p->rate_bps, p->rtt_ms, p->loss, RAM_BYTES };
	double send = guide_send_max(g, &path), receive = guide_receive_max(g, &path);
	struct cell *c = sheet_cell(a, s, g->lab, guide_cc(g),
	    isnan(send) ? PATH_START_MAX_BYTES : send);

	c->wmem = arena_printf(a, "%s %.0f", g->first == NULL ? "4096 16384" : g->first, c->max_bytes);
	if (!isnan(receive))
		c->rmem = arena_printf(a, "4096 131072 %.0f", receive);
	c->notsent = g->notsent;
}

static bool
cells_of(struct arena *a, const struct bench *b, const struct lab_path *p,
    const struct tune_left *left, struct sheet *s, struct err *e)
{
	const struct cell *best;
	struct sheet oracle;

	if (!sheet_load(a, bars_oracle_file(a, b->dir, p), &oracle, e))
		return false;
	best = sheet_best(&oracle, oracle_start(&oracle), NULL);
	if (best == NULL)
		return fail(e, ERR_FAILED, "the oracle has no cell within the guard");
	sheet_cell(a, s, ORACLE, best->cc, best->max_bytes);
	for (size_t i = 0; i < NELEM(guides); i++)
		if (guides[i].lab != NULL)
			guide_cell(a, &guides[i], p, s);
	if (left != NULL)
		sheet_cell(a, s, OURS, left->cc, left->max_bytes);
	return true;
}

static bool
left_of(struct arena *a, const struct bench *b, struct path_lab *lab, struct tune_left *out,
    struct err *e)
{
	const struct tune_files f = tune_files(a, b->dir, lab->path, 1);
	double seconds;

	return (access(f.run, R_OK) == 0 || path_lab_tune(lab, NULL, f.run, f.log, &seconds, e)) &&
	    tune_left_load(a, f.run, out, e);
}

static bool
measure(struct arena *a, const struct bench *b, struct path_lab *lab, struct err *e)
{
	const char *file = bars_peers_file(a, b->dir, lab->path);
	struct sheet s = sheet_new("peers", lab->path);
	struct tune_left left;

	if ((!b->fixed_only && !left_of(a, b, lab, &left, e)) ||
	    !cells_of(a, b, lab->path, b->fixed_only ? NULL : &left, &s, e))
		return false;
	s.about = b->fixed_only ? NULL : left.run.started;
	sheet_resume(a, file, &s);
	return s.rounds >= b->rounds || (path_prober_start(lab, e) &&
	    sheet_measure(lab, &s, b->rounds, file, b->jobs == 1, e));
}

static bool
peers_path(const struct lab_path *p, void *arg)
{
	const struct bench *b = arg;
	struct arena *a = arena_new();
	struct err e = { ERR_NONE, "" };
	struct path_lab lab;
	bool ok = path_lab_up(a, p, &lab, &e);

	if (ok) {
		ok = measure(a, b, &lab, &e);
		path_lab_down(&lab);
	}
	if (!ok)
		fprintf(stderr, "%s: %s\n", p->name, e.text);
	arena_free(a);
	return ok;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const char *
cell_asks(const struct cell *c)
{
	for (size_t i = 0; i < NELEM(guides); i++)
		if (guides[i].lab != NULL && strcmp(guides[i].lab, c->name) == 0 &&
		    guides[i].asks_cc != NULL && strcmp(guides[i].asks_cc, c->cc) != 0)
			return guides[i].asks_cc;
	return NULL;
}

static void
print_row(struct arena *a, const struct sheet *s, const struct cell *c)
{
	const struct cell *oracle = sheet_find(s, ORACLE);
	struct interval r = cells_ratio(c, oracle);
	const char *asks = cell_asks(c);

	printf("| %s%s%s | %s%s | %.1f | %.1f | ", strcmp(c->name, OURS) == 0 ? "**" : "", c->name,
	    strcmp(c->name, OURS) == 0 ? "**" : "", c->cc,
	    asks == NULL ? "" : arena_printf(a, " for %s", asks), c->max_bytes / 1e6,
	    cell_inflight_bytes(c) / 1e6);
	if (c == oracle)
		printf("%.1f | 1 |", cell_goodput_bps(c) / 1e6);
	else
		printf("%.1f | %.3f [%.3f, %.3f] |", cell_goodput_bps(c) / 1e6, r.estimate, r.low, r.high);
	printf(" %.0f ms | %.2f %%%s |\n", cell_rtt_ms(c), cell_retransmits(c) * 100,
	    cell_failed(c) == 0 ? "" : ", trials failed");
}

static void
print_table(struct arena *a, const struct sheet *s)
{
	printf("\n%s: %s, %.0f rounds, deliveries late by %.0f us\n\n| settings | control | tcp_wmem max, MB | in flight, MB | Mbit/s | "
	    "of the oracle | loaded RTT | retransmits |\n|---|---|---|---|---|---|---|---|\n",
	    s->path, path_named(s->path)->words, s->rounds, s->late_us);
	for (size_t i = 0; i < s->n_cells; i++)
		print_row(a, s, &s->cells[i]);
	for (size_t i = 0; i < s->n_warnings; i++)
		printf("\nLATE: %s\n", s->warnings[i]);
}

/* ---- bars ------------------------------------------------------------------------------------ */

struct verdicts {
	const struct sheet *s;
	size_t n;
	bool short_of;
};

static void
bar(struct verdicts *v, bool reached, const char *words)
{
	v->short_of |= !reached;
	printf("%-12s %s\n", reached ? "pass" : "FALLS SHORT", words);
}

static bool
is_peer(const struct cell *c)
{
	return strcmp(c->name, OURS) != 0 && strcmp(c->name, ORACLE) != 0;
}

static void
bars_not_worse(struct arena *a, struct verdicts *v, const char *peer)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct cell *ours = sheet_find(&v->s[i], OURS), *c = sheet_find(&v->s[i], peer);
		struct interval r = cells_ratio(ours, c);

		if (r.high < NOT_WORSE || r.estimate < NOT_WORSE)
			bar(v, r.high >= NOT_WORSE, arena_printf(a,
			    "%s on %s: ours is %.3f [%.3f, %.3f] of it, %.0f ms against %.0f ms",
			    peer, v->s[i].path, r.estimate, r.low, r.high, cell_rtt_ms(ours),
			    cell_rtt_ms(c)));
	}
}

static void
bar_better(struct arena *a, struct verdicts *v, const char *peer)
{
	struct text t = { .arena = a };
	unsigned better = 0, of_first = 0, first = 0;

	for (size_t i = 0; i < v->n; i++) {
		struct interval r = cells_ratio(sheet_find(&v->s[i], OURS), sheet_find(&v->s[i], peer));
		bool is_first = path_named(v->s[i].path) < lab_paths + PATHS_FIRST;

		better += r.estimate > BETTER;
		first += is_first;
		of_first += is_first && r.estimate > BETTER;
		text_add(&t, " %s %.2f", v->s[i].path, r.estimate);
	}
	bar(v, better >= BETTER_PATHS, arena_printf(a, "%s: more than 20 %% better on %u of %zu paths, at least %u "
	    "(%u of the first %u):%s", peer, better, v->n, BETTER_PATHS, of_first, first, t.s));
}

/*
 * Large is a usable window of more than twice what the path holds, and above the start's.  What the
 * start has already is not committed by us.  Who is slower than we are saves memory by that.
 */
static void
bars_memory(struct arena *a, struct verdicts *v, const char *peer)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct cell *ours = sheet_find(&v->s[i], OURS), *c = sheet_find(&v->s[i], peer);
		const struct lab_path *p = path_named(v->s[i].path);

		if (c->max_bytes <= PATH_START_MAX_BYTES ||
		    c->max_bytes * USABLE <= LARGE_BDPS * path_bdp_bytes(p))
			continue;
		if (cells_ratio(ours, c).low * NOT_WORSE > 1) {
			printf("not held     %s on %s: memory, for its goodput is not ours\n", peer, p->name);
			continue;
		}
		bar(v, ours->max_bytes <= fmax(MEMORY_SHARE * c->max_bytes, PATH_START_MAX_BYTES),
		    arena_printf(a, "%s on %s: our tcp_wmem %.1f MB is at most half of its %.1f MB, or the start's",
		    peer, p->name, ours->max_bytes / 1e6, c->max_bytes / 1e6));
	}
}

static bool
bars_no_change(struct arena *a, const struct bench *b, struct verdicts *v, struct err *e)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct cell *ours = sheet_find(&v->s[i], OURS);
		struct sheet oracle;

		if (!sheet_load(a, bars_oracle_file(a, b->dir, path_named(v->s[i].path)), &oracle, e))
			return false;
		if (sheet_nothing_helps(&oracle, oracle_start(&oracle)))
			bar(v, ours->wmem == NULL && strcmp(ours->cc, PATH_START_CC) == 0,
			    arena_printf(a, "%s: no change where nothing helps", v->s[i].path));
	}
	return true;
}

static bool
report(struct arena *a, const struct bench *b, bool *short_of, struct err *e)
{
	struct sheet *s = arena_array(a, b->n_paths, sizeof(*s));
	struct verdicts v = { s, b->n_paths, false };

	for (size_t i = 0; i < b->n_paths; i++) {
		if (!sheet_load(a, bars_peers_file(a, b->dir, b->paths[i]), &s[i], e))
			return false;
		print_table(a, &s[i]);
	}
	puts("");
	if (b->fixed_only)
		return true;
	for (size_t i = 0; i < s[0].n_cells; i++) {
		const struct cell *c = &s[0].cells[i];

		if (!is_peer(c))
			continue;
		bars_not_worse(a, &v, c->name);
		if (strcmp(c->cc, PATH_START_CC) == 0)
			bar_better(a, &v, c->name);
		else
			bars_memory(a, &v, c->name);
	}
	if (!bars_no_change(a, b, &v, e))
		return false;
	*short_of = v.short_of;
	return true;
}

/* ---- main ------------------------------------------------------------------------------------ */

static bool
parse(struct arena *a, int argc, char **argv, struct bench *b)
{
	int c;

	while ((c = getopt(argc, argv, "d:j:n:s")) != -1) {
		if (c == 'd')
			b->dir = optarg;
		else if (c == 'j')
			b->jobs = (unsigned)atoi(optarg);
		else if (c == 'n')
			b->rounds = atof(optarg);
		else if (c == 's')
			b->fixed_only = true;
		else
			return false;
	}
	for (int i = 0; i < (optind < argc ? argc - optind : PATHS); i++) {
		const struct lab_path *p =
		    optind < argc ? path_named(argv[optind + i]) : &lab_paths[i];

		if (p == NULL)
			return false;
		*(const struct lab_path **)arena_push(a, &b->paths, &b->n_paths, sizeof(void *)) = p;
	}
	return b->jobs >= 1 && b->rounds >= 1 && b->rounds <= STATS_MAX;
}

static void
announce(const struct bench *b)
{
	double cells = b->fixed_only ? 1 : 2, s = 0;

	for (size_t i = 0; i < NELEM(guides); i++)
		cells += guides[i].lab != NULL;
	for (size_t i = 0; i < b->n_paths; i++)
		s += b->rounds * cells * path_trial_s(b->paths[i]);
	fprintf(stderr, "%zu path%s, %u at a time: about %.0f min%s\n", b->n_paths,
	    b->n_paths == 1 ? "" : "s", b->jobs, ceil(s / b->jobs / 60),
	    b->fixed_only ? "" : ", and 10 more where tune has not run yet");
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct bench b = { .dir = "bars", .jobs = 1, .rounds = ROUNDS };
	struct err e = { ERR_NONE, "" };
	bool ok, short_of = false;

	if (!parse(a, argc, argv, &b)) {
		fputs("usage: peers [-d DIR] [-j JOBS] [-n ROUNDS] [-s] [PATH ..]\n", stderr);
		return 2;
	}
	ok = bars_make_dirs(a, b.dir, &e);
	if (ok) {
		announce(&b);
		ok = paths_each(b.paths, b.n_paths, b.jobs, peers_path, &b) &&
		    report(a, &b, &short_of, &e);
	}
	if (e.code != ERR_NONE)
		fprintf(stderr, "peers: %s\n", e.text);
	arena_free(a);
	return ok && !short_of ? 0 : 1;
}
