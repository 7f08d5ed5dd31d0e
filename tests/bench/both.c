/*
 * both: a path that neither end fills alone, tuned at the one end and at both: what is found, and
 * what it gets.  About three minutes.  A program of Criterion's: the machines are those of a test.
 *
 * needs: root tun sshd ip
 */
#include "../lab/both.h"

static struct run *
tune(struct both *b, const char *file, const char *flags)
{
	const char *path = sshd_path(b->w.sshd, file);
	struct said s = program_end(b->w.a, both_tune(b, arena_printf(b->w.a, "--save %s %s", path, flags)));

	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_expect(both_as_before(b, 0) && both_as_before(b, 1), "restored: %s", s.err);
	return both_load(b, path);
}

static const char *
setting(struct both *b, const struct run *run)
{
	const struct decision *d = &run->decision;

	return d->n_settings == 0 ? "nothing" :
	    arena_printf(b->w.a, "%s = %s", d->settings[0].name, d->settings[0].new);
}

static void
say(struct both *b, const char *what, const struct run *run)
{
	const struct direction_decision *d = &run->decision.directions[0];

	printf("%-22s %-6s %6.1f -> %6.1f Mbit/s  %s\n", what, verdict_names[run->decision.verdict],
	    d->before.goodput_bps / 1e6, d->after.goodput_bps / 1e6, setting(b, run));
	fflush(stdout);
}

Test(both, a_path_that_neither_end_fills_alone_is_filled_by_both, .timeout = 1200)
{
	struct arena *a = arena_new();
	struct both b = both_new(arena_printf(a, "both-%ld", (long)getpid()));
	struct run *alone = tune(&b, "alone.json", ""), *host, *peer;

	say(&b, "the sender alone", alone);
	host = tune(&b, "run.json", "--both");
	peer = both_load(&b, sshd_path(b.w.sshd, "run-peer.json"));
	say(&b, "both: the sender", host);
	say(&b, "both: the receiver", peer);
	cr_expect_neq(alone->decision.verdict, VERDICT_CHANGE);
	cr_assert(host->decision.verdict == VERDICT_CHANGE && peer->decision.verdict == VERDICT_CHANGE);
	cr_expect_gt(host->decision.directions[0].after.goodput_bps, .75 * BOTH_RATE_BPS);
	cr_expect_str_eq(host->decision.settings[0].name, "net.ipv4.tcp_wmem");
	cr_expect_str_eq(peer->decision.settings[0].name, "net.ipv4.tcp_rmem");
	cr_expect(host->n_files == 1 && peer->n_files == 1);
	both_end(&b);
	arena_free(a);
}
