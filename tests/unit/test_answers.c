#include <criterion/criterion.h>

#include "probes/facts_answer.h"
#include "tuner/profile.h"

#include <math.h>
#include <string.h>

#define EM0 "em0: flags=8843<UP> metric 0 mtu 1500\n\tmedia: Ethernet autoselect "

static struct arena *a;

static void
setup(void)
{
	a = arena_new();
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(answers, .init = setup, .fini = teardown);

/* What the first rule of the fact that fits makes of the text, whatever the question. */
static double
number(const char *system, const char *fact, const char *text)
{
	static const struct substitution known[] = { { "interface", "em0" }, { NULL, NULL } };
	struct err e = { ERR_NONE, "" };
	struct output o = { 0, text, strlen(text), NULL };
	const struct field *field = facts_record.fields;
	struct profile *p;
	struct facts f;
	double x;

	cr_assert(profile_named(a, system, &p, &e), "%s", e.text);
	while (strcmp(field->name, fact) != 0)
		field++;
	record_init(&facts_record, &f);
	for (size_t i = 0; i < p->n_facts; i++) {
		struct fact_rule r = p->facts[i];
		const char *why;

		if (strcmp(r.fact, fact) != 0 || r.pattern == NULL || r.unknown != NULL)
			continue;
		r.pattern = profile_pattern(a, r.pattern, known);
		if (answer_fact(a, &r, field, &o, &f, &why) == ANSWER_KNOWN)
			break;
	}
	memcpy(&x, (char *)&f + field->offset, sizeof(x));
	return x;
}

Test(answers, a_part_of_a_number_is_none)
{
	static const struct { const char *system, *fact, *text; double is; } cases[] = {
		{ "freebsd", "link_bps", EM0 "(1000baseT <full-duplex>)\n", 1e9 },
		{ "freebsd", "link_bps", EM0 "(2500Base-T <full-duplex>)\n", 2.5e9 },
		{ "freebsd", "link_bps", EM0 "(10Gbase-T <full-duplex>)\n", 1e10 },
		{ "freebsd", "link_bps", EM0 "(2.5GBase-T <full-duplex>)\n", NAN },
		{ "freebsd", "link_bps", EM0 "(1.100baseT)\n", NAN },
		{ "dragonfly", "link_bps", EM0 "(10Gbase-T <full-duplex>)\n", 1e10 },
		{ "dragonfly", "link_bps", EM0 "(2.5GBase-T <full-duplex>)\n", NAN },
		{ "dragonfly", "link_bps", EM0 "(1.100baseT)\n", NAN },
		{ "netbsd", "link_bps", EM0 "(2.5GbaseT)\n", NAN },
		{ "openbsd", "link_bps", EM0 "(2.5GbaseT)\n", NAN },
		{ "netbsd", "mtu", EM0 "\n", 1500 },
		{ "netbsd", "mtu", "em0: flags=8843<UP> mtu 1.5\n", NAN },
		{ "openbsd", "mtu", EM0 "\n", 1500 },
		{ "openbsd", "mtu", "em0: flags=8843<UP> mtu 1.5\n", NAN },
		{ "linux", "mtu", "[{\"ifname\":\"em0\",\"mtu\":1500,\"qdisc\":\"fq\"}]", 1500 },
		{ "linux", "mtu", "[{\"mtu\": 1500}]", 1500 },
		{ "linux", "mtu", "[{\"mtu\":1500.5,\"qdisc\":\"fq\"}]", NAN },
		{ "linux", "mtu", "[{\"mtu\":1e4,\"qdisc\":\"fq\"}]", NAN },
		{ "linux", "mtu", "[{\"ifname\":\"em0\",\"mtu\":15", NAN },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		double x = number(cases[i].system, cases[i].fact, cases[i].text);

		cr_expect(x == cases[i].is || (isnan(x) && isnan(cases[i].is)), "%s %s: %g of %s",
		    cases[i].system, cases[i].fact, x, cases[i].text);
	}
}
