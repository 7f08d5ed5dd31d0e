/*
 * A link that is cut at any round trip of an apply on another host, before it or with the answer on
 * its way back: the host ends as it was, or changed as a whole.  The link is a command of via:.
 *
 * needs: setsid cksum
 */
#include "box.h"

#include "probes/knobs.h"

#include <sys/stat.h>

#define AT_ONCE 8
#define MOST 80
#define MINE "# mine\r\n\tz = 1"

/* Round trip number $k runs, or does not, and nothing is heard of it; later ones do not. */
static const char cut_text[] =
    "#!/bin/sh\n"
    "k=%zu after=%d d=%s\n"
    "n=$(cat $d/round 2>/dev/null)\n"
    "n=$((n + 1))\n"
    "echo $n >$d/round\n"
    "[ $n -ge $k ] || exec sh -s\n"
    "cat >$d/script$n\n"
    "if [ $n = $k ] && [ $after = 1 ]; then\n"
    "	touch $d/running\n"
    "	setsid sh -c 'sh -s <$0/script$1 >/dev/null 2>&1; rm $0/running' $d $n >/dev/null 2>&1 &\n"
    "fi\n"
    "exit 1\n";

struct cut {
	struct box box;
	struct started run;
	size_t k;
	bool after;
};

static struct box
link_box(size_t k, bool after)
{
	struct box b = box_new();

	box_profile(&b, "block", NULL);
	box_put(b.conf, MINE);
	box_put(box_path(&b, "link"), arena_printf(b.a, cut_text, k, after, b.dir));
	cr_assert_eq(chmod(box_path(&b, "link"), 0755), 0);
	return b;
}

static struct started
start_apply(struct box *b)
{
	/* The shell of via: has our environment. */
	setenv("PATHTUNE_STATE", b->state, 1);
	return program_start(b->a, arena_printf(b->a, "apply %s via:%s %s --yes", b->run,
	    box_path(b, "link"), b->flags));
}

static void
await_gone(const char *path)
{
	while (box_there(path))
		poll(NULL, 0, 20); /* the test's time ends it */
}

/* The block is at the end, and what was there before it is as it was. */
static bool
is_conf(const char *text, bool new)
{
	static const char end[] = "\nx.receive = " RECEIVE_NEW "\n# END pathtune\n";
	size_t len = strlen(text), n = sizeof(end) - 1;

	if (!new)
		return strcmp(text, MINE) == 0;
	return strncmp(text, MINE "\n# BEGIN pathtune\n", strlen(MINE) + 18) == 0 &&
	    strstr(text, "\nx.send = " SEND_NEW "\n") != NULL && len > n &&
	    strcmp(text + len - n, end) == 0;
}

/* True: new. */
static bool
expect_whole(struct cut *c)
{
	const char *when = arena_printf(c->box.a, "round %zu, %s", c->k, c->after ? "after" : "before");
	struct box *b = &c->box;
	bool new;

	await_gone(box_path(b, "running"));
	await_gone(box_path(b, "state/remote"));
	new = box_there(box_path(b, "state/undo"));
	cr_expect(is_conf(box_get(b, b->conf), new), "%s: %s", when, box_get(b, b->conf));
	cr_expect(knobs_same(box_get(b, b->send), new ? SEND_NEW : SEND_OLD), "%s", when);
	cr_expect(knobs_same(box_get(b, b->receive), new ? RECEIVE_NEW : RECEIVE_OLD), "%s", when);
	return new;
}

Test(apply_cut, a_link_cut_at_any_round_trip_leaves_the_old_or_the_new, .timeout = 280)
{
	struct box whole = link_box(MOST, false);
	struct cut cuts[2 * MOST];
	size_t rounds, n = 0, ended = 0, n_new = 0;
	struct said said = program_end(whole.a, start_apply(&whole));

	cr_assert_eq(said.status, 0, "%s", said.err);
	rounds = strtoul(box_get(&whole, box_path(&whole, "round")), NULL, 10);
	cr_assert(rounds > 5 && rounds < MOST, "%zu", rounds);
	/* EVERY=1 in the environment: minutes. */
	for (size_t k = rounds / 3; k <= rounds; k += getenv("EVERY") == NULL ? 4 : 1) {
		for (int after = 0; after < 2; after++)
			cuts[n++] = (struct cut){ link_box(k, after), { 0 }, k, after };
	}
	for (size_t i = 0; i < n; i++) {
		cuts[i].run = start_apply(&cuts[i].box);
		for (; (i % AT_ONCE == AT_ONCE - 1 || i == n - 1) && ended <= i; ended++)
			cr_expect_eq(program_end(cuts[ended].box.a, cuts[ended].run).status, 1);
	}
	for (size_t i = 0; i < n; i++) {
		n_new += expect_whole(&cuts[i]);
		box_end(&cuts[i].box);
	}
	cr_expect_leq(n_new, 1, "only when it was told to go ahead: %zu of %zu", n_new, n);
	cr_log_info("%zu of %zu were new", n_new, n);
	box_end(&whole);
}
