/*
 * Both ends of a path: what a setting of the path, and a decision about it, mean for each.
 */
#include "tuner/advise.h"
#include "tuner/decide.h"
#include "tuner/ends.h"
#include "tuner/fragment.h"
#include "tuner/limiter.h"
#include "tuner/plan.h"
#include "tuner/profile.h"
#include "tuner/resume.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MiB 1048576.0
#define PEER "ssh://peer.example"
#define HOST "ssh://host.example"

struct end {
	struct profile *p;
	struct facts f;
	struct plan own;
};

struct world {
	struct arena *a;
	struct end host, peer;
	struct run run, view; /* of the host; as the peer sees it */
};

static void
set(struct end *x, const char *name, const char *text, double now)
{
	for (size_t i = 0; i < x->f.n_knobs; i++) {
		if (strcmp(x->f.knobs[i].name, name) == 0) {
			x->f.knobs[i].text = text;
			x->f.knobs[i].now = now;
			return;
		}
	}
	cr_assert_fail("no knob %s", name);
}

static struct end
end_new(struct arena *a, const char *system, const char *release)
{
	struct end x;
	struct err e = { ERR_NONE, "" };

	cr_assert(profile_named(a, system, &x.p, &e), "%s", e.text);
	cr_assert(advise_facts(a, x.p, release, NULL, NAN, &x.f, &e), "%s", e.text);
	x.f.privileged = true;
	x.f.rtt_ms = 80;
	x.f.ram_bytes = 4096 * MiB;
	for (size_t i = 0; i < x.f.n_knobs; i++)
		x.f.knobs[i].writable = true;
	return x;
}

static void
plan_end(struct world *w, struct end *x, enum direction d)
{
	struct options o = { .direction = d, .streams = 1 };
	struct err e = { ERR_NONE, "" };

	cr_assert(plan_make(w->a, x->p, &x->f, &o, &x->own, &e), "%s", e.text);
}

static void
plan_all(struct world *w, enum direction d)
{
	plan_end(w, &w->host, d);
	plan_end(w, &w->peer, ends_turned(d));
	record_init(&run_record, &w->run);
	record_init(&run_record, &w->view);
	w->run.options.direction = d;
	w->run.options.host = w->view.options.peer = HOST;
	w->run.options.peer = w->view.options.host = PEER;
	w->run.options.end = ENDS_HOST;
	w->run.version = "0.1.0";
	w->run.started = "2026-11-22T12:00:00Z";
	w->run.facts = w->host.f;
	w->view.facts = w->peer.f;
	w->run.facts.peer = "192.0.2.2";
	w->view.facts.peer = "192.0.2.1";
	w->run.plan = ends_plan(w->a, &w->host.own, &w->peer.own, PEER);
}

/* Two systems as they come, but for what a test sets before it plans. */
static struct world
world_new(const char *host, const char *host_release, const char *peer, const char *peer_release)
{
	struct world w = { .a = arena_new() };

	w.host = end_new(w.a, host, host_release);
	w.peer = end_new(w.a, peer, peer_release);
	return w;
}

static struct world
linux_pair(void)
{
	return world_new("linux", "6.18.44", "linux", "6.18.44");
}

static struct direction_decision
changed(const struct world *w, enum direction d, double window, const char *cc)
{
	const struct plan_direction *p = ends_direction(&w->run.plan, d);
	struct search_result r = { .verdict = VERDICT_CHANGE,
		.class = CLASS_BOTH,
		.start = { .cc = p->n_cc == 0 ? NULL : p->cc[0], .window_bytes = p->window_bytes },
		.chosen = { .cc = cc, .window_bytes = window },
		.effect = { 38, 31, 46, .95, 9, 96 },
		.more_s = NAN };

	r.before = (struct side){ r.start, 209e6, 211, 0 };
	r.after = (struct side){ r.chosen, 288e6, 214, .0002 };
	return decide_direction(w->a, p, &r, w->run.trials, w->run.n_trials, true);
}

/* As pipeline_both.c does. */
static void
decide(struct world *w, struct direction_decision *d, size_t n)
{
	struct decision own;

	for (size_t i = 0; i < n; i++)
		d[i].words = ends_words(w->a, ends_direction(&w->host.own, d[i].direction),
		    ends_direction(&w->peer.own, ends_turned(d[i].direction)), PEER, &d[i]);
	ends_decide(w->a, w->host.p, &w->run.facts, &w->host.own, d, n, &w->run.decision);
	ends_turn(w->a, &w->run, &w->host.own, &w->peer.own, &w->view);
	ends_decide(w->a, w->peer.p, &w->view.facts, &w->peer.own, w->view.decision.directions,
	    w->view.decision.n_directions, &own);
	w->view.decision = own;
	fragment_make(w->a, w->host.p, &w->run);
	fragment_make(w->a, w->peer.p, &w->view);
}

/* "name=value; .." of what is to be set there. */
static const char *
lines(struct world *w, const struct run *run)
{
	struct text t = { .arena = w->a };

	text_bytes(&t, "", 0);
	for (size_t i = 0; i < run->decision.n_settings; i++)
		text_add(&t, "%s%s=%s", i == 0 ? "" : "; ", run->decision.settings[i].name,
		    run->decision.settings[i].new);
	return t.s;
}

/* ---- plan ------------------------------------------------------------------------------------ */

Test(ends, a_window_of_the_path_is_the_smaller_one_and_the_control_the_senders)
{
	struct world w = linux_pair();
	const struct plan_direction *path, *host, *peer;

	set(&w.host, "net.ipv4.tcp_wmem", "4096 16384 8388608", 8 * MiB);
	w.peer.f.cc = "reno";
	plan_all(&w, DIR_BOTH);
	cr_assert_eq(w.run.plan.n_directions, 2u);
	path = ends_direction(&w.run.plan, DIR_SEND);
	host = ends_direction(&w.host.own, DIR_SEND);
	peer = ends_direction(&w.peer.own, DIR_RECEIVE);
	cr_assert_lt(host->window_bytes, peer->window_bytes, "8 MiB to send, 32 MiB to receive");
	cr_expect_eq(path->window_bytes, host->window_bytes);
	cr_expect_eq(path->window_max_bytes, fmin(host->window_max_bytes, peer->window_max_bytes));
	cr_expect_str_eq(path->cc[0], "cubic");
	path = ends_direction(&w.run.plan, DIR_RECEIVE);
	cr_expect_eq(path->window_bytes, ends_direction(&w.peer.own, DIR_SEND)->window_bytes);
	cr_expect_str_eq(path->cc[0], "reno", "the peer sends then");
	arena_free(w.a);
}

/* One end may have to go to its kernel's default at once: the other has not to follow. */
Test(ends, the_next_window_of_the_path_is_the_least_that_any_end_can_give)
{
	struct world w = linux_pair();
	const struct plan_direction *path, *host, *peer;

	set(&w.host, "net.ipv4.tcp_wmem", "4096 16384 262144", 262144);
	set(&w.peer, "net.ipv4.tcp_rmem", "4096 131072 262144", 262144);
	plan_all(&w, DIR_SEND);
	path = ends_direction(&w.run.plan, DIR_SEND);
	host = ends_direction(&w.host.own, DIR_SEND);
	peer = ends_direction(&w.peer.own, DIR_RECEIVE);
	cr_assert_lt(host->window_next_bytes, peer->window_next_bytes, "4 and 32 MiB by default");
	cr_expect_eq(path->window_next_bytes, host->window_next_bytes);
	set(&w.peer, "net.ipv4.tcp_rmem", "4096 131072 1048576", MiB);
	plan_all(&w, DIR_SEND);
	path = ends_direction(&w.run.plan, DIR_SEND);
	cr_expect_eq(path->window_next_bytes,
	    ends_direction(&w.peer.own, DIR_RECEIVE)->window_bytes, "what it admits already");
	arena_free(w.a);
}

Test(ends, an_end_that_cannot_be_set_bounds_the_path_and_says_why)
{
	struct world w = linux_pair();
	const struct plan_direction *path;

	set(&w.peer, "net.ipv4.tcp_rmem", "4096 131072 262144", 262144);
	for (size_t i = 0; i < w.peer.f.n_knobs; i++) {
		w.peer.f.knobs[i].writable = false;
		w.peer.f.knobs[i].why = "needs root";
	}
	plan_all(&w, DIR_SEND);
	path = ends_direction(&w.run.plan, DIR_SEND);
	cr_expect_eq(path->window_max_bytes, path->window_bytes);
	cr_expect_not(path->window_writable);
	cr_expect_str_eq(path->why, "needs root");
	cr_assert_geq(w.run.plan.n_notes, 1u);
	cr_expect_not_null(strstr(w.run.plan.notes[w.run.plan.n_notes - 1], "at " PEER ": "), "%s",
	    w.run.plan.notes[w.run.plan.n_notes - 1]);
	arena_free(w.a);
}

/* ---- settings -------------------------------------------------------------------------------- */

Test(ends, an_end_that_admits_the_window_already_keeps_what_it_has)
{
	struct world w = linux_pair();
	const struct plan_direction *host, *peer;
	struct setting path, mine, theirs;

	set(&w.host, "net.ipv4.tcp_wmem", "4096 16384 262144", 262144);
	plan_all(&w, DIR_SEND);
	host = ends_direction(&w.host.own, DIR_SEND);
	peer = ends_direction(&w.peer.own, DIR_RECEIVE);
	path = (struct setting){ .cc = "bbr", .window_bytes = peer->window_bytes / 2 };
	mine = ends_setting(w.a, host, &path);
	theirs = ends_setting(w.a, peer, &path);
	cr_expect_eq(mine.window_bytes, path.window_bytes);
	cr_expect_str_eq(mine.cc, "bbr");
	cr_expect_eq(theirs.window_bytes, peer->window_bytes);
	cr_expect_null(theirs.cc, "a receiver has none");
	arena_free(w.a);
}

Test(ends, an_end_below_its_kernels_default_goes_no_less_far_than_that)
{
	struct world w = linux_pair();
	struct direction_decision d;

	set(&w.host, "net.ipv4.tcp_wmem", "4096 16384 262144", 262144);
	set(&w.peer, "net.ipv4.tcp_rmem", "4096 131072 262144", 262144);
	plan_all(&w, DIR_SEND);
	d = changed(&w, DIR_SEND, w.run.plan.directions[0].window_next_bytes, "cubic");
	decide(&w, &d, 1);
	cr_expect_not_null(strstr(lines(&w, &w.run), "tcp_wmem=4096 16384 4194304"));
	cr_expect_not_null(strstr(lines(&w, &w.view), "tcp_rmem=4096 131072 33554432"));
	cr_expect_not_null(strstr(d.words, "here send buffer maximum 4.00 MiB; at " PEER
	    " receive buffer maximum 32.0 MiB"), "%s", d.words);
	arena_free(w.a);
}

Test(ends, extras_are_set_where_they_belong)
{
	struct world w = linux_pair();
	static const char *both[] = { "no-segmentation-offload", "no-receive-offload" };
	static struct plan_extra sends = { .id = "no-segmentation-offload" };
	static struct plan_extra receives = { .id = "no-receive-offload" };
	struct setting path = { .cc = "cubic", .window_bytes = MiB, .extras = both, .n_extras = 2 };
	struct setting s;

	plan_all(&w, DIR_SEND);
	w.host.own.directions[0].extras = &sends;
	w.peer.own.directions[0].extras = &receives;
	w.host.own.directions[0].n_extras = w.peer.own.directions[0].n_extras = 1;
	w.run.plan = ends_plan(w.a, &w.host.own, &w.peer.own, PEER);
	cr_assert_eq(w.run.plan.directions[0].n_extras, 2u, "the search knows of both");
	s = ends_setting(w.a, &w.host.own.directions[0], &path);
	cr_assert_eq(s.n_extras, 1u);
	cr_expect_str_eq(s.extras[0], "no-segmentation-offload");
	s = ends_setting(w.a, &w.peer.own.directions[0], &path);
	cr_assert_eq(s.n_extras, 1u);
	cr_expect_str_eq(s.extras[0], "no-receive-offload");
	arena_free(w.a);
}

/* ---- decision -------------------------------------------------------------------------------- */

Test(ends, the_sender_gets_its_buffer_and_control_and_the_receiver_its_buffer)
{
	struct world w = linux_pair();
	struct direction_decision d;

	set(&w.host, "net.ipv4.tcp_wmem", "4096 16384 262144", 262144);
	set(&w.peer, "net.ipv4.tcp_rmem", "4096 131072 262144", 262144);
	plan_all(&w, DIR_SEND);
	d = changed(&w, DIR_SEND, 24 * MiB, "bbr");
	decide(&w, &d, 1);
	cr_expect_str_eq(lines(&w, &w.run), "net.core.wmem_max=40591360; "
	    "net.ipv4.tcp_wmem=4096 16384 40591360; net.ipv4.tcp_congestion_control=bbr",
	    "%s", lines(&w, &w.run));
	cr_expect_str_eq(lines(&w, &w.view), "net.core.rmem_max=40591360; "
	    "net.ipv4.tcp_rmem=4096 131072 40591360", "%s", lines(&w, &w.view));
	cr_expect_eq(w.run.decision.class, CLASS_BOTH);
	cr_expect_eq(w.view.decision.class, CLASS_WINDOW);
	cr_assert(w.run.n_files == 1 && w.view.n_files == 1);
	cr_expect_null(strstr(w.run.files[0].text, "tcp_rmem ="), "%s", w.run.files[0].text);
	cr_expect_null(strstr(w.view.files[0].text, "tcp_wmem ="), "%s", w.view.files[0].text);
	cr_expect_not_null(strstr(w.run.files[0].text, "For the path to 192.0.2.2"));
	cr_expect_not_null(strstr(w.view.files[0].text, "For the path to 192.0.2.1"));
	cr_expect_not_null(strstr(w.run.decision.directions[0].words, "Change at both ends: here "
	    "send buffer maximum 38.7 MiB, congestion control bbr; at " PEER " receive buffer "
	    "maximum 38.7 MiB. +38 %"), "%s", w.run.decision.directions[0].words);
	cr_expect_not_null(strstr(w.view.decision.directions[0].words, "Change at both ends: here "
	    "receive buffer maximum 38.7 MiB; at " HOST " send buffer maximum 38.7 MiB, congestion "
	    "control bbr. +38 %"), "%s", w.view.decision.directions[0].words);
	arena_free(w.a);
}

Test(ends, an_end_that_suffices_has_nothing_to_change_and_no_file)
{
	struct world w = linux_pair();
	struct direction_decision d;

	set(&w.host, "net.ipv4.tcp_wmem", "4096 16384 67108864", 64 * MiB);
	set(&w.peer, "net.ipv4.tcp_rmem", "4096 131072 262144", 262144);
	plan_all(&w, DIR_SEND);
	d = changed(&w, DIR_SEND, 24 * MiB, "cubic");
	decide(&w, &d, 1);
	cr_expect_str_eq(lines(&w, &w.run), "");
	cr_expect_eq(w.run.decision.verdict, VERDICT_KEEP);
	cr_expect_eq(w.run.decision.class, CLASS_ENOUGH);
	cr_expect_eq(w.run.n_files, 0u);
	cr_expect_eq(w.run.decision.directions[0].verdict, VERDICT_CHANGE, "of the path");
	cr_expect_eq(strncmp(w.run.decision.directions[0].words, "Nothing to change at this end; at "
	    PEER ": receive buffer maximum 38.7 MiB. +38 %", 60), 0, "%s",
	    w.run.decision.directions[0].words);
	cr_expect_eq(w.view.decision.verdict, VERDICT_CHANGE);
	cr_expect_eq(w.view.n_files, 1u);
	cr_expect_not_null(strstr(w.view.decision.directions[0].words,
	    "Change at this end alone: receive buffer maximum"));
	arena_free(w.a);
}

Test(ends, the_effect_of_an_end_is_that_of_a_direction_in_which_it_changes)
{
	struct world w = linux_pair();
	struct direction_decision d[2];

	set(&w.host, "net.ipv4.tcp_wmem", "4096 16384 67108864", 64 * MiB);
	set(&w.host, "net.ipv4.tcp_rmem", "4096 131072 262144", 262144);
	set(&w.peer, "net.ipv4.tcp_wmem", "4096 16384 67108864", 64 * MiB);
	set(&w.peer, "net.ipv4.tcp_rmem", "4096 131072 262144", 262144);
	plan_all(&w, DIR_BOTH);
	d[0] = changed(&w, DIR_SEND, 24 * MiB, "cubic");
	d[1] = changed(&w, DIR_RECEIVE, 24 * MiB, "cubic");
	d[1].effect.estimate = 50;
	decide(&w, d, 2);
	cr_expect_eq(w.run.decision.effect.estimate, 50);
	cr_expect_eq(w.view.decision.effect.estimate, 38);
	arena_free(w.a);
}

/* An end sends in one direction and receives in the other: its limit is the larger of both needs. */
Test(ends, the_limit_of_an_end_admits_what_both_directions_need_of_it)
{
	struct world w = world_new("linux", "6.18.44", "freebsd", "14.2");
	struct direction_decision d[2];

	set(&w.host, "net.ipv4.tcp_wmem", "4096 16384 67108864", 64 * MiB);
	plan_all(&w, DIR_BOTH);
	d[0] = changed(&w, DIR_SEND, 16 * MiB, "cubic");
	d[1] = changed(&w, DIR_RECEIVE, 4 * MiB, "cubic");
	decide(&w, d, 2);
	cr_assert_eq(w.view.decision.n_settings, 3u, "%s", lines(&w, &w.view));
	cr_expect_str_eq(w.view.decision.settings[0].name, "kern.ipc.maxsockbuf");
	cr_expect(strtod(w.view.decision.settings[0].new, NULL) * 8 / 9 >= 16 * MiB, "%s",
	    lines(&w, &w.view));
	cr_expect_not_null(strstr(lines(&w, &w.view), "net.inet.tcp.sendbuf_max=4"));
	cr_expect_not_null(strstr(lines(&w, &w.view), "net.inet.tcp.recvbuf_max="));
	cr_expect_eq(w.view.decision.directions[0].direction, DIR_SEND, "in its own order");
	cr_expect_eq(w.view.decision.directions[0].after.setting.window_bytes, 4 * MiB);
	cr_expect_str_eq(lines(&w, &w.run), "", "Linux receives 32 MiB as it comes: %s",
	    lines(&w, &w.run));
	arena_free(w.a);
}

/* ---- the other end's view -------------------------------------------------------------------- */

Test(ends, the_peers_view_is_the_same_run_turned_around)
{
	struct world w = linux_pair();
	struct direction_decision d;
	struct trial *t;
	struct err e = { ERR_NONE, "" };

	plan_all(&w, DIR_SEND);
	w.run.facts.send_bps = 1e6;
	w.run.facts.receive_bps = 2e6;
	w.run.seed = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	t = arena_push(w.a, &w.run.trials, &w.run.n_trials, sizeof(*t));
	record_init(&trial_record, t);
	t->direction = DIR_SEND;
	t->cpu = .25;
	t->peer_cpu = .5;
	t->goodput_bps = 1e8;
	d = changed(&w, DIR_SEND, 24 * MiB, "cubic");
	d.class = CLASS_PEER_LIMITS;
	d.verdict = VERDICT_KEEP;
	d.words = "The peer limits.";
	decide(&w, &d, 1);
	cr_expect_str_eq(w.view.options.host, PEER);
	cr_expect_str_eq(w.view.options.peer, HOST);
	cr_expect_str_eq(w.view.options.end, ENDS_PEER);
	cr_expect_eq(w.view.options.direction, DIR_RECEIVE);
	cr_expect_eq(w.view.facts.receive_bps, 1e6);
	cr_assert_eq(w.view.n_trials, 1u);
	cr_expect_eq(w.view.trials[0].direction, DIR_RECEIVE);
	cr_expect_eq(w.view.trials[0].cpu, .5);
	cr_expect_eq(w.view.trials[0].peer_cpu, .25);
	cr_expect_eq(w.view.plan.directions[0].direction, DIR_RECEIVE);
	cr_expect_eq(w.view.decision.directions[0].class, CLASS_CEILING, "it is the peer itself");
	cr_expect_str_eq(w.view.decision.directions[0].words,
	    "As seen from the other end: The peer limits.");
	w.view.options.command = "tune";
	cr_expect_not(resume_may(&w.view, &e));
	cr_expect_not_null(strstr(e.text, "the one of the host goes on"), "%s", e.text);
	arena_free(w.a);
}

/* A run that goes on has words with both ends in them already. */
Test(ends, words_of_both_ends_can_be_said_again)
{
	struct world w = linux_pair();
	struct direction_decision d;
	const char *once, *twice;

	set(&w.host, "net.ipv4.tcp_wmem", "4096 16384 262144", 262144);
	plan_all(&w, DIR_SEND);
	d = changed(&w, DIR_SEND, MiB, "cubic");
	once = ends_words(w.a, &w.host.own.directions[0], &w.peer.own.directions[0], PEER, &d);
	d.words = once;
	twice = ends_words(w.a, &w.host.own.directions[0], &w.peer.own.directions[0], PEER, &d);
	cr_expect_str_eq(once, twice);
	arena_free(w.a);
}
