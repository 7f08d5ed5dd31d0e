#include "probes/lab.h"
#include "probes/lab_link.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

Test(lab_spec, the_default_is_legal)
{
	struct lab_spec s = lab_default();
	struct err e = { 0 };

	cr_assert(lab_check(&s, &e), "%s", e.text);
	cr_assert_eq(link_queue_room(&s, 0), 3e6);
}

static void set_name(struct lab_spec *s) { s->name = "../x"; }
static void set_long(struct lab_spec *s) { s->name = "a23456789012345678901234567890123"; }
static void set_rtt(struct lab_spec *s) { s->rtt_ms = 0; }
static void set_rtt_nan(struct lab_spec *s) { s->rtt_ms = NAN; }
static void set_mtu(struct lab_spec *s) { s->mtu = 500; }
static void set_mtu_part(struct lab_spec *s) { s->mtu = 1500.5; }
static void set_seed(struct lab_spec *s) { s->seed = -1; }
static void set_seed_large(struct lab_spec *s) { s->seed = 0x1p53; }
static void set_start(struct lab_spec *s) { s->start = "linux-2.4"; }
static void set_rate(struct lab_spec *s) { s->link[1].rate_bps = 0; }
static void set_fast(struct lab_spec *s) { s->link[0].rate_bps = 1e12; }
static void set_queue(struct lab_spec *s) { s->link[0].queue = 0; }
static void set_jitter(struct lab_spec *s) { s->link[0].jitter_ms = -1; }
static void set_police(struct lab_spec *s) { s->link[0].police_bps = 1e6; }

static void
set_packets(struct lab_spec *s)
{
	s->link[0].queue_unit = QUEUE_PACKETS;
	s->link[0].queue = 1.5;
}

static void
set_loss(struct lab_spec *s)
{
	s->link[0].loss_model = LOSS_BERNOULLI;
	s->link[0].loss = 1;
}

static void
set_chain(struct lab_spec *s)
{
	s->link[0].loss_model = LOSS_GILBERT_ELLIOTT;
	s->link[0].loss = .5;
	s->link[0].p_bad = .1;
}

static void
set_memory(struct lab_spec *s)
{
	s->rtt_ms = 5000;
	s->link[0].rate_bps = 10e9;
}

Test(lab_spec, what_is_out_of_range_names_its_flag)
{
	static const struct {
		void (*set)(struct lab_spec *);
		const char *says;
	} cases[] = {
		{ set_name, "lab name" }, { set_long, "lab name" }, { set_rtt, "--rtt" },
		{ set_rtt_nan, "--rtt" }, { set_mtu, "--mtu" }, { set_mtu_part, "--mtu" },
		{ set_seed, "--seed" }, { set_seed_large, "--seed" }, { set_start, "--start" },
		{ set_rate, "--rate" },
		{ set_fast, "--rate" }, { set_queue, "--queue" }, { set_jitter, "--jitter" },
		{ set_police, "--police" }, { set_packets, "--queue" }, { set_loss, "--loss" },
		{ set_chain, "--loss-ge" }, { set_memory, "1 GiB" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct lab_spec s = lab_default();
		struct err e = { 0 };

		cases[i].set(&s);
		cr_assert_not(lab_check(&s, &e), "case %zu", i);
		cr_assert_eq(e.code, ERR_USAGE, "case %zu", i);
		cr_assert(strstr(e.text, cases[i].says) != NULL, "case %zu: %s", i, e.text);
	}
}

Test(lab_spec, queues_are_read)
{
	static const struct {
		const char *text;
		double queue;
		enum queue_unit unit;
	} good[] = {
		{ "1bdp", 1, QUEUE_BDP }, { ".25bdp", .25, QUEUE_BDP },
		{ "64K", 65536, QUEUE_BYTES }, { "1500", 1500, QUEUE_BYTES },
		{ "100p", 100, QUEUE_PACKETS },
	};
	static const char *const bad[] = { "", "bdp", "p", "-1bdp", "0bdp", "0", "0p", "10X",
		"1 bdp", "1bdpp", "nanp", "1e3p", "-64K" };

	for (size_t i = 0; i < NELEM(good); i++) {
		struct lab_link l = { 0 };
		struct err e = { 0 };

		cr_assert(lab_parse_queue(good[i].text, &l, &e), "%s", e.text);
		cr_assert_eq(l.queue, good[i].queue);
		cr_assert_eq(l.queue_unit, good[i].unit);
	}
	for (size_t i = 0; i < NELEM(bad); i++) {
		struct lab_link l = { .queue = 7 };
		struct err e = { 0 };

		cr_assert_not(lab_parse_queue(bad[i], &l, &e), "%s", bad[i]);
		cr_assert(e.code == ERR_USAGE && strstr(e.text, "--queue") != NULL, "%s", e.text);
		cr_assert_eq(l.queue, 7);
	}
}

Test(lab_spec, loss_chains_and_policers_are_read)
{
	static const char *const bad_ge[] = { "", ".1", ".1,.2", ".1,.2,.3,.4,.5", ".1,x,.3",
		".1,,.3", ".1,.2,2" };
	static const char *const bad_police[] = { "", "10X", "0", "1M,", "1M,2K,3K", "-1M",
		"1M,x" };
	struct arena *a = arena_new();
	struct lab_link l = { 0 };

	cr_assert(lab_parse_loss_ge(a, "1%,.3,.5", &l, NULL));
	cr_assert(l.loss_model == LOSS_GILBERT_ELLIOTT && l.p_bad == .01 && l.p_good == .3 &&
	    l.loss == .5 && l.loss_good == 0);
	cr_assert(lab_parse_loss_ge(a, ".1,.2,.3,1e-4", &l, NULL));
	cr_assert_eq(l.loss_good, 1e-4);
	cr_assert(lab_parse_police(a, "50M", 1500, &l, NULL));
	cr_assert(l.police_bps == 50e6 && l.police_burst_bytes == 625000);
	cr_assert(lab_parse_police(a, "1M,64K", 1500, &l, NULL));
	cr_assert(l.police_bps == 1e6 && l.police_burst_bytes == 65536);
	for (size_t i = 0; i < NELEM(bad_ge); i++) {
		struct err e = { 0 };

		cr_assert_not(lab_parse_loss_ge(a, bad_ge[i], &l, &e), "%s", bad_ge[i]);
		cr_assert(e.code == ERR_USAGE && strstr(e.text, "--loss-ge") != NULL, "%s", e.text);
	}
	for (size_t i = 0; i < NELEM(bad_police); i++) {
		struct err e = { 0 };

		cr_assert_not(lab_parse_police(a, bad_police[i], 1500, &l, &e), "%s",
		    bad_police[i]);
		cr_assert(e.code == ERR_USAGE && strstr(e.text, "--police") != NULL, "%s", e.text);
	}
	arena_free(a);
}
