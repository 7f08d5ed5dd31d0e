/*
 * What the usual fixed settings give on the published path, by the kernel models, beside ours: the
 * table in docs/peers.md is this program's output.  UPDATE=1 in the environment writes it anew.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/advise.h"
#include "tuner/kernel.h"
#include "tuner/settings.h"
#include "tuner/units.h"
#include "../peers_table.h"

#define PAGE TESTS_DIR "/../docs/peers.md"
#define BEGIN "<!-- table: begin -->\n"
#define END "<!-- table: end -->\n"
#define RTT_MS 209.0
#define RATE_BPS 600e6
#define BDP_BYTES (RATE_BPS / 8 * RTT_MS / 1e3)
#define RAM_BYTES (4.0 * 1024 * 1024 * 1024)
#define MIB PEERS_MIB

static const struct guide_path published = { RATE_BPS, RTT_MS, 0, RAM_BYTES };

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new();
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(peers, .init = setup, .fini = teardown);

/* ---- one row -------------------------------------------------------------------------------- */

struct row {
	double send_bytes, receive_bytes; /* surely usable windows */
	double growth_s;                  /* of the receive buffer */
	double memory_bytes;              /* that its buffers may grow to, both directions */
};

static struct row
row_of(const struct profile *p, const struct facts *f, const struct kernel_knobs *k)
{
	struct kernel_window send, receive;

	cr_assert(kernel_window(p, f, k, DIR_SEND, RTT_MS, &send));
	cr_assert(kernel_window(p, f, k, DIR_RECEIVE, RTT_MS, &receive));
	return (struct row){ send.sure_bytes, receive.sure_bytes, receive.growth_s,
		send.stop_bytes + receive.stop_bytes };
}

static struct facts
stock(const struct guide *g, struct profile **p)
{
	struct err e = { ERR_NONE, "" };
	struct facts f;

	cr_assert(profile_for(arena, g->system, p, &e), "%s", e.text);
	cr_assert(advise_facts(arena, *p, g->release, g->arch, RAM_BYTES, &f, &e), "%s", e.text);
	return f;
}

static struct row
row_guide(const struct guide *g)
{
	struct profile *p;
	struct facts f = stock(g, &p);
	struct kernel_knobs k = kernel_knobs(p, &f);
	const struct { enum knob_role role; double value; } set[] = {
		{ ROLE_LIMIT, g->limit },
		{ ROLE_SEND_MAX, guide_send_max(g, &published) },
		{ ROLE_RECEIVE_MAX, guide_receive_max(g, &published) }, { ROLE_SEND_INITIAL, g->initial },
		{ ROLE_RECEIVE_INITIAL, g->initial },
	};

	for (size_t i = 0; i < NELEM(set); i++) {
		if (!isnan(set[i].value))
			k.value[set[i].role] = set[i].value;
	}
	return row_of(p, &f, &k);
}

static struct row
row_ours(const struct guide *g)
{
	const struct wanted w = { .send_bytes = BDP_BYTES, .receive_bytes = BDP_BYTES };
	struct change_line *lines;
	struct kernel_knobs k;
	struct profile *p;
	struct facts f = stock(g, &p), after;
	const char *why;
	size_t n;

	lines = settings_for(arena, p, &f, &w, &n, &why);
	after = settings_applied(arena, p, &f, lines, n);
	k = kernel_knobs(p, &after);
	return row_of(p, &after, &k);
}

/* ---- the table ------------------------------------------------------------------------------ */

static void
add_window(struct text *t, double bytes)
{
	double bps = bytes * 8 / (RTT_MS / 1e3);

	text_add(t, " %.1f MB, %.0f Mbit/s%s |", bytes / 1e6, fmin(bps, RATE_BPS) / 1e6,
	    bytes >= BDP_BYTES ? "" : " (less)");
}

static void
add_row(struct text *t, const char *system, const char *release, const char *who, struct row r)
{
	text_add(t, "| %s %s | %s |", system, release, who);
	add_window(t, r.send_bytes);
	add_window(t, r.receive_bytes);
	if (isnan(r.growth_s))
		text_add(t, " - |"); /* not modelled */
	else
		text_add(t, " %.0f s |", r.growth_s);
	text_add(t, " %.1f MB |\n", r.memory_bytes / 1e6);
}

static char *
table(void)
{
	struct text t = { .arena = arena };

	text_add(&t, "| system | settings | sending | receiving | receive window there after | "
	    "buffers may grow to |\n"
	    "|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < NELEM(guides); i++) {
		const struct guide *g = &guides[i];
		bool last = i + 1 == NELEM(guides) ||
		    strcmp(guides[i + 1].system, g->system) != 0 ||
		    strcmp(guides[i + 1].release, g->release) != 0;

		add_row(&t, g->system, g->release, g->who, row_guide(g));
		if (last)
			add_row(&t, g->system, g->release, "**pathtune advise**", row_ours(g));
	}
	return t.s;
}

/* ---- the page ------------------------------------------------------------------------------- */

static char *
page(void)
{
	FILE *f = fopen(PAGE, "r");
	char *text = arena_alloc(arena, 65536);
	size_t n;

	cr_assert_not_null(f, "%s", PAGE);
	n = fread(text, 1, 65535, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

static void
update(const char *head, size_t head_len, const char *made, const char *tail)
{
	FILE *f = fopen(PAGE, "w");

	cr_assert_not_null(f);
	fprintf(f, "%.*s%s%s", (int)head_len, head, made, tail);
	cr_assert_eq(fclose(f), 0);
}

Test(peers, the_table_in_the_documents_is_what_the_models_say)
{
	char *made = table(), *text = page();
	char *begin = strstr(text, BEGIN), *end = strstr(text, END);

	cr_assert(begin != NULL && end != NULL && begin < end, "%s has lost its marks", PAGE);
	begin += strlen(BEGIN);
	if (getenv("UPDATE") != NULL)
		update(text, (size_t)(begin - text), made, end);
	else
		cr_assert(strlen(made) == (size_t)(end - begin) &&
		    memcmp(made, begin, strlen(made)) == 0, "%s differs from:\n%s", PAGE, made);
}

Test(peers, ours_admits_the_published_path_where_something_can_be_set)
{
	for (size_t i = 0; i < NELEM(guides); i++) {
		struct row r = row_ours(&guides[i]);

		if (strcmp(guides[i].system, "OpenBSD") == 0)
			continue;
		cr_assert_geq(r.send_bytes, BDP_BYTES, "%s", guides[i].system);
		cr_assert_geq(r.receive_bytes, BDP_BYTES, "%s", guides[i].system);
	}
}

/* What the page says of them in words. */
Test(peers, the_copied_16_mb_are_short_by_what_the_page_says)
{
	static const struct { struct guide g; double send, receive; } cases[] = {
		{ { "Linux", "6.5", "x86_64", "", SETS(NAN, 16 * MIB, 16 * MIB, NAN) }, .34, .46 },
		{ { "Linux", "6.6", "x86_64", "", SETS(NAN, 16 * MIB, 16 * MIB, NAN) }, .34, .34 },
		{ { "FreeBSD", "14.2", "amd64", "", SETS(16 * MIB, 16 * MIB, 16 * MIB, NAN) }, .05, .18 },
		{ { "NetBSD", "10.1", "amd64", "", SETS(16 * MIB, 16 * MIB, 16 * MIB, NAN) }, .14, .14 },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct row r = row_guide(&cases[i].g);

		cr_expect_float_eq(1 - r.send_bytes / BDP_BYTES, cases[i].send, .006, "case %zu", i);
		cr_expect_float_eq(1 - r.receive_bytes / BDP_BYTES, cases[i].receive, .006, "case %zu", i);
	}
}

Test(peers, the_copied_16_mb_admit_less_than_the_path_holds)
{
	for (size_t i = 0; i < NELEM(guides); i++) {
		struct row r = row_guide(&guides[i]);

		if (strstr(guides[i].who, "16 MB") == NULL)
			continue;
		cr_assert_lt(r.send_bytes, BDP_BYTES, "%s", guides[i].who);
		cr_assert_lt(r.receive_bytes, BDP_BYTES, "%s", guides[i].who);
	}
}

/* By their own arithmetic, on paths where each bound of it counts. */
Test(peers, the_formulas_give_what_their_projects_compute)
{
	const struct guide_path here = { 600e6, 209, 0, RAM_BYTES };
	const struct guide_path near = { 100e6, 20, 0, RAM_BYTES };
	const struct guide_path lossy = { 100e6, 100, .005, RAM_BYTES };
	const struct guide_path small = { 600e6, 209, 0, 512 * MIB };

	cr_expect_float_eq(guide_bdp(&here), 15675000, .5);
	cr_expect_float_eq(guide_tcpfit(&here), 2 * 15675000 + 2 * MIB, .5);
	cr_expect_float_eq(guide_tcpfit(&near), 4 * MIB, .5, "its floor");
	cr_expect_float_eq(guide_tcpfit(&small), 16 * MIB, .5, "a part of the RAM");
	cr_expect_float_eq(guide_bbr_auto_tune(&here), 128 * MIB, .5, "78 MB to the next of its list");
	cr_expect_float_eq(guide_bbr_auto_tune(&lossy), 64 * MIB, .5);
	cr_expect_float_eq(guide_bbr_auto_tune(&small), 32 * MIB, .5);
	cr_expect_float_eq(guide_esnet(&lossy), 32 * MIB, .5);
	cr_expect_float_eq(guide_esnet(&here), 64 * MIB, .5);
}
