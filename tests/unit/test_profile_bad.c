/*
 * Profiles that are broken in every way: one error with file and line, soon, and never a crash.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/match.h"
#include "tuner/profile.h"

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

TestSuite(profile_bad, .init = setup, .fini = teardown, .timeout = 20);

#define HEAD "name: x\nsysname: X\nreleases: all\n"
#define KNOBS "knob_read: [sysctl, \"{name}\"]\nknobs:\n"
#define KNOB "  - {name: a.max, role: send_max, unit: bytes, min: 1, max: 9, scope: global, source: s}\n"
#define TAIL "persist:\n  precedence: listed\n"

static void
expect_error(const char *text, size_t len, const char *error)
{
	char *copy = malloc(len == 0 ? 1 : len); /* unterminated */
	struct profile *p = NULL;
	struct err e = { 0 };

	cr_assert_not_null(copy);
	if (len != 0)
		memcpy(copy, text, len);
	cr_expect_not(profile_parse(arena, "x.yaml", copy, len, &p, &e), "%.80s", text);
	cr_expect_null(p);
	cr_expect_eq(e.code, ERR_USAGE);
	cr_expect_eq(strncmp(e.text, error, strlen(error)), 0, "got '%s', not '%s'", e.text, error);
	cr_expect_null(strchr(e.text, '\n'));
	free(copy);
}

#define RANGED(name, role, range) "  - {name: " name ", role: " role ", " range "unit: bytes, min: 1, " \
	"max: 9, scope: global, source: s}\n"

Test(profile_bad, one_release_never_has_two_knobs_of_a_role_or_a_name)
{
	static const struct { const char *name, *role, *range, *error; } cases[] = {
		{ "a", "send_max", "since: \"2\", ", NULL },
		{ "a", "send_max", "since: \"2.0\", ", NULL },
		{ "a", "send_max", "since: \"2.1\", before: \"2.2\", ", NULL },
		{ "a", "send_max", "since: \"1.9\", ", "x.yaml:7: role: another knob has it already" },
		{ "b", "send_max", "before: \"1\", ", "x.yaml:7: role: another knob has it already" },
		{ "a", "receive_max", "before: \"9\", ", "x.yaml:7: name: another knob has it already" },
		{ "a", "receive_max", "", "x.yaml:7: name: another knob has it already" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		char *text = arena_printf(arena, HEAD KNOBS RANGED("a", "send_max", "before: \"2.0\", ")
		    RANGED("%s", "%s", "%s") TAIL, cases[i].name, cases[i].role, cases[i].range);
		struct profile *p;
		struct err e = { 0 };

		if (cases[i].error != NULL)
			expect_error(text, strlen(text), cases[i].error);
		else
			cr_expect(profile_parse(arena, "x.yaml", text, strlen(text), &p, &e), "%s", e.text);
	}
}

/* What the tables above are made of is sound, or each error below might be another's. */
Test(profile_bad, the_parts_are_sound)
{
	static const char text[] = HEAD KNOBS KNOB TAIL;
	struct profile *p;
	struct err e = { 0 };

	cr_assert(profile_parse(arena, "x.yaml", text, strlen(text), &p, &e), "%s", e.text);
	cr_expect_eq(p->n_knobs, 1);
}

#define EXTRA(head, set) HEAD KNOBS KNOB "offloads: {argv: [x], list: [gro], " \
	"write: [x, '{interface}', '{name}', '{value}'], source: s}\nextras:\n" \
	"  - {id: x, direction: send, " head "reason: r, words: w, source: s,\n     sets: [" set "]}\n" TAIL
#define BINDS "binds: [cwnd], "
#define OF_FACT "fact: qdisc, over: [a], value: b, read: [r], write: [w, '{value}']"

Test(profile_bad, extras_that_set_nothing_or_more_than_they_say)
{
	static const struct { const char *text; const char *error; } cases[] = {
		{ EXTRA(BINDS, "{knob: a.max, value: '2'}"), NULL },
		{ EXTRA(BINDS, "{knob: a.max, window_share: 4, piece_bytes: 1448, most: 9}"), NULL },
		{ EXTRA(BINDS, "{offload: gro, value: 'off'}"), NULL },
		{ EXTRA(BINDS "since: \"2\", ", "{" OF_FACT ", after: ' x ', boot: y}"), NULL },
		{ EXTRA("", "{knob: a.max, value: '2'}"), "x.yaml:9: binds: is missing" },
		{ EXTRA("binds: [], ", "{knob: a.max, value: '2'}"), "x.yaml:9: binds: is missing" },
		{ EXTRA("binds: [rwin], ", "{knob: a.max, value: '2'}"),
		    "x.yaml:9: binds: names a limiter that there is not" },
		{ EXTRA(BINDS "bind: [cwnd], ", "{knob: a.max, value: '2'}"),
		    "x.yaml:9: bind: unknown key" },
		{ EXTRA(BINDS "since: \"3\", before: \"2\", ", "{knob: a.max, value: '2'}"),
		    "x.yaml:9: since: is not older than before" },
		{ EXTRA(BINDS, ""), "x.yaml:10: sets: is missing" },
		{ EXTRA(BINDS, "{value: '2'}"), "x.yaml:10: knob: one of knob, offload and fact" },
		{ EXTRA(BINDS, "{knob: a.max, offload: gro, value: '2'}"),
		    "x.yaml:10: knob: one of knob, offload and fact" },
		{ EXTRA(BINDS, "{knob: b.max, value: '2'}"), "x.yaml:10: knob: no such knob" },
		{ EXTRA(BINDS, "{knob: a.max}"), "x.yaml:10: value: either value or window_share" },
		{ EXTRA(BINDS, "{knob: a.max, value: '2', window_share: 4}"),
		    "x.yaml:10: value: either value or window_share" },
		{ EXTRA(BINDS, "{knob: a.max, value: '2', most: 4}"),
		    "x.yaml:10: most: needs a window_share" },
		{ EXTRA(BINDS, "{knob: a.max, value: '2', piece_bytes: 4}"),
		    "x.yaml:10: piece_bytes: needs a window_share" },
		{ EXTRA(BINDS, "{offload: gro, window_share: 4}"), "x.yaml:10: window_share: needs a knob" },
		{ EXTRA(BINDS, "{knob: a.max, window_share: 0}"), "x.yaml:10: window_share: must be within" },
		{ EXTRA(BINDS, "{knob: a.max, value: '-w'}"), "x.yaml:10: value: may only hold" },
		{ EXTRA(BINDS, "{knob: a.max, value: 'a b'}"), "x.yaml:10: value: may only hold" },
		{ EXTRA(BINDS, "{knob: a.max, value: '{name}'}"), "x.yaml:10: value: may only hold" },
		{ EXTRA(BINDS, "{knob: a.max, value: ''}"), "x.yaml:10: value: may only hold" },
		{ EXTRA(BINDS, "{knob: a.max, value: '2', boot: x}"), "x.yaml:10: fact: is missing" },
		{ EXTRA(BINDS, "{offload: gro, value: 'off', write: [x]}"), "x.yaml:10: fact: is missing" },
		{ EXTRA(BINDS, "{fact: ram_bytes, over: [a], value: b, read: [r], write: [w]}"),
		    "x.yaml:10: fact: no such fact" },
		{ EXTRA(BINDS, "{fact: queue, over: [a], value: b, read: [r], write: [w]}"),
		    "x.yaml:10: fact: no such fact" },
		{ EXTRA(BINDS, "{fact: qdisc, value: b, read: [r], write: [w]}"),
		    "x.yaml:10: over: is missing" },
		{ EXTRA(BINDS, "{fact: qdisc, over: [a], value: b, write: [w]}"),
		    "x.yaml:10: read: is missing" },
		{ EXTRA(BINDS, "{fact: qdisc, over: [a], value: b, read: [r]}"),
		    "x.yaml:10: write: is missing" },
		{ EXTRA(BINDS, "{fact: qdisc, over: [a], value: b, read: ['{peer}'], write: [w]}"),
		    "x.yaml:10: read: the first element must be a program" },
		{ EXTRA(BINDS, "{fact: qdisc, over: [a], value: b, read: [r, '{peer}'], write: [w]}"),
		    "x.yaml:10: read: {peer} is not known here" },
		{ HEAD KNOBS KNOB "extras:\n  - {id: x, direction: both, binds: [cwnd], reason: r, "
		    "words: w, source: s, sets: [{knob: a.max, value: '2'}]}\n" TAIL,
		    "x.yaml:8: direction: must be send or receive" },
		{ HEAD KNOBS KNOB "extras:\n  - {id: x, direction: send, binds: [cwnd], reason: r, "
		    "words: w, source: s, sets: [{offload: gro, value: '2'}]}\n" TAIL,
		    "x.yaml:8: offload: offloads have no write" },
		{ HEAD "offloads: {argv: [x], names: '(a)', write: [x, '{name}'], source: s}\n" TAIL,
		    "x.yaml:4: write: needs read where names are given" },
		{ EXTRA(BINDS, "{offload: gro, value: '1'}"),
		    "x.yaml:10: value: of an offload must be on or off" },
		{ EXTRA(BINDS, "{offload: gro, value: 'off'}") "  offloads: {path: '/y.{interface}', "
		    "style: block, line: '{switch}', source: s}\n", NULL },
		{ EXTRA(BINDS, "{offload: gro, value: 'off'}") "  offloads: {path: /y, style: block, "
		    "line: '{switch}', source: s}\n", "x.yaml:13: path: {interface} is missing" },
		{ EXTRA(BINDS, "{offload: gro, value: 'off'}") "  offloads: {path: '/y.{interface}', "
		    "style: block, line: '{name}', source: s}\n", "x.yaml:13: line: {switch}, or" },
		{ EXTRA(BINDS, "{offload: gro, value: 'off'}") "  offloads: {path: '/y.{interface}', "
		    "style: block, line: '{switch}', reader: ['true'], source: s}\n",
		    "x.yaml:13: unread: is missing" },
		{ HEAD "offloads: {argv: [x], write: [x, '{peer}'], source: s}\n" TAIL,
		    "x.yaml:4: write: {peer} is not known here" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct profile *p;
		struct err e = { 0 };

		if (cases[i].error != NULL)
			expect_error(cases[i].text, strlen(cases[i].text), cases[i].error);
		else
			cr_expect(profile_parse(arena, "x.yaml", cases[i].text, strlen(cases[i].text),
			    &p, &e), "case %zu: %s", i, e.text);
	}
}

Test(profile_bad, two_extras_never_share_an_id)
{
	static const char text[] = HEAD KNOBS KNOB "extras:\n"
	    "  - {id: x, direction: send, binds: [cwnd], reason: r, words: w, source: s, "
	    "sets: [{knob: a.max, value: '2'}]}\n"
	    "  - {id: x, direction: receive, binds: [cwnd], reason: r, words: w, source: s, "
	    "sets: [{knob: a.max, value: '2'}]}\n" TAIL;

	expect_error(text, strlen(text), "x.yaml:9: id: another extra has it already");
}

Test(profile_bad, texts_that_are_no_profile)
{
	static const struct { const char *text; const char *error; } cases[] = {
		{ "", "x.yaml:1: empty" },
		{ "\n\n", "x.yaml:1: empty" },
		{ "# only\n# comments\n", "x.yaml:1: empty" },
		{ "---\n", "x.yaml" },
		{ "~\n", "x.yaml" },
		{ "word\n", "x.yaml" },
		{ "- a\n- b\n", "x.yaml" },
		{ "12\n", "x.yaml" },
		{ HEAD TAIL "---\n" HEAD TAIL, "x.yaml:6: more than one document" },
		{ HEAD TAIL "...\n---\n", "x.yaml:7: more than one document" },
		{ "name: x\n\tsysname: X\n", "x.yaml:2: " },
		{ "name:\tx\n\tb: c", "x.yaml:2: " },
		{ "name: x\nsysname: 'X\n", "x.yaml:" },
		{ "name: x\nsysname: \"\\xZZ\"\n", "x.yaml:2: " },
		{ "name: x\n- y\n", "x.yaml:2: " },
		{ "name: \xff\xfe\n", "x.yaml:1: " },
		{ "%YAML 9.9\n---\nname: x\n", "x.yaml:1: " },
		{ "!!map {name: x}\n", "x.yaml:1: tags are not used here" },
		{ "&a {name: x, sysname: *a}\n", "x.yaml:1: anchors are not used here" },
		{ "name: *name\n", "x.yaml:1: aliases are not used here" },
		{ "? {a: b}\n: c\n", "x.yaml:1: a key must be a word" },
		{ "'': x\n", "x.yaml:1: a key must be 1 to 128 printable characters" },
		{ "\"a\\nb\": x\n", "x.yaml:1: a key must be 1 to 128 printable characters" },
	};

	for (size_t i = 0; i < NELEM(cases); i++)
		expect_error(cases[i].text, strlen(cases[i].text), cases[i].error);
}

Test(profile_bad, keys_and_values_that_are_not_those_of_a_profile)
{
	static const struct { const char *text; const char *error; } cases[] = {
		{ HEAD "nome: y\n" TAIL, "x.yaml:4: nome: unknown key" },
		{ HEAD "within: linux\n" TAIL, "x.yaml:4: within: unknown key" },
		{ HEAD "include: x.yaml\n" TAIL, "x.yaml:4: include: unknown key" },
		{ HEAD "<<: {name: y}\n" TAIL, "x.yaml:4: <<: unknown key" },
		{ HEAD "name: y\n" TAIL, "x.yaml:4: name: duplicate key, first in line 1" },
		{ HEAD "knobs: {a: b}\n" TAIL, "x.yaml:4: knobs: must be a list" },
		{ HEAD "knobs: yes\n" TAIL, "x.yaml:4: knobs: must be a list" },
		{ HEAD "knobs:\n  - a\n" TAIL, "x.yaml:5: " },
		{ HEAD "knobs:\n  - [a]\n" TAIL, "x.yaml:5: " },
		{ HEAD "knobs:\n  -\n" TAIL, "x.yaml:5: " },
		{ HEAD "offloads: [a]\n" TAIL, "x.yaml:4: offloads: must be a map" },
		{ HEAD "flush: {a: b}\n" TAIL, "x.yaml:4: flush: must be a list" },
		{ HEAD "flush: [[a]]\n" TAIL, "x.yaml:4: flush: " },
		{ HEAD "limit_step_bytes: 1e400\n" TAIL, "x.yaml:4: limit_step_bytes: must be a number" },
		{ HEAD "limit_step_bytes: 1e30\n" TAIL, "x.yaml:4: limit_step_bytes: must be within" },
		{ HEAD "limit_step_bytes: .nan\n" TAIL, "x.yaml:4: limit_step_bytes: must be a number" },
		{ HEAD "limit_step_bytes: 0x10\n" TAIL, "x.yaml:4: limit_step_bytes: must be a number" },
		{ HEAD "limit_step_bytes: -1\n" TAIL, "x.yaml:4: limit_step_bytes: must be within" },
		{ "name: x\nsysname: X\nreleases: ~\n" TAIL, "x.yaml:3: releases: " },
		{ "name: \"x\\e[31m\"\nsysname: X\nreleases: all\n" TAIL,
		    "x.yaml:1: name: must be printable ASCII" },
		{ "name: x\nsysname: \"X\\nY\"\nreleases: all\n" TAIL,
		    "x.yaml:2: sysname: must be printable ASCII" },
		{ "name: x\nsysname: X\nreleases: \"\\x7f\"\n" TAIL,
		    "x.yaml:3: releases: must be printable ASCII" },
		{ "name: \"\"\nsysname: X\nreleases: all\n" TAIL, "x.yaml:1: name: " },
		{ HEAD "first_release: new\n" TAIL, "x.yaml:4: first_release: must begin with" },
		{ HEAD "last_release: \"\"\n" TAIL, "x.yaml:4: last_release: " },
		{ HEAD "last_release: 6.9\nfirst_release: 6.10\n" TAIL,
		    "x.yaml:5: first_release: is after last_release" },
		{ HEAD "persist: {precedence: alphabetic}\n", "x.yaml:4: precedence: must be one of " },
		{ HEAD "persist: {}\n", "x.yaml:4: precedence: is missing" },
		{ HEAD, "x.yaml:1: persist: is missing" },
		{ HEAD KNOBS KNOB KNOB TAIL, "x.yaml:7: role: another knob has it already" },
		{ HEAD KNOBS "  - {name: \"a b\", role: watch, unit: name, scope: global, source: s}\n" TAIL,
		    "x.yaml:6: name: may only hold" },
		{ HEAD KNOBS "  - {name: -a, role: watch, unit: name, scope: global, source: s}\n" TAIL,
		    "x.yaml:6: name: may only hold" },
		{ HEAD KNOBS "  - {name: a, role: watch, unit: count, min: 9, max: 1, scope: global, source: s}\n"
		    TAIL, "x.yaml:6: min: is above max" },
	};

	for (size_t i = 0; i < NELEM(cases); i++)
		expect_error(cases[i].text, strlen(cases[i].text), cases[i].error);
}

#define PROGRAM(more) HEAD "endpoints:\n  source: s\n  programs:\n    - tool: nc\n      source: s\n" \
	more TAIL
#define OF(direction, greeting, argv) PROGRAM("      direction: " direction "\n      greeting: " \
	greeting "\n      argv: " argv "\n")

Test(profile_bad, programs_of_endpoints)
{
	static const struct { const char *text, *error; } cases[] = {
		{ OF("both", "line", "[nc, \"{address}\", \"{port}\", \"{secret}\"]"),
		    "x.yaml:9: direction: must be send or receive" },
		{ OF("send", "none", "[nc, \"{address}\", \"{port}\", \"{secret}\"]"),
		    "x.yaml:10: greeting: must be line, http or address" },
		{ OF("send", "line", "[nc, \"{address}\", \"{port}\"]"),
		    "x.yaml:11: argv: must have {secret} if greeting is line" },
		{ OF("send", "address", "[nc, \"{address}\", \"{port}\", \"{secret}\"]"),
		    "x.yaml:11: argv: must have {secret} if greeting is line" },
		{ OF("send", "line", "[nc, \"{address}\", \"{secret}\"]"),
		    "x.yaml:11: argv: must have {url}" },
		{ OF("receive", "http", "[nc, \"{address}\", \"{port}\"]"),
		    "x.yaml:11: argv: must have {url}" },
		{ OF("receive", "line", "[nc, \"{url}\", \"{secret}\"]"),
		    "x.yaml:11: argv: must have {url}" },
		{ OF("receive", "http", "[nc, \"{url}\", \"{peer}\"]"),
		    "x.yaml:11: argv: {peer} is not known here" },
		{ OF("receive", "http", "[]"), "x.yaml:11: argv: must have {url}" },
		{ PROGRAM("      direction: send\n      argv: [nc]\n"),
		    "x.yaml:7: greeting: is missing" },
		{ HEAD "endpoints: {iperf3_cc: true}\n" TAIL, "x.yaml:4: source: is missing" },
		{ HEAD "endpoints:\n  source: s\n  programs:\n    - {tool: a b, direction: send, "
		    "greeting: line, argv: [x], source: s}\n" TAIL, "x.yaml:7: tool: must be the name" },
	};

	for (size_t i = 0; i < NELEM(cases); i++)
		expect_error(cases[i].text, strlen(cases[i].text), cases[i].error);
}

#define RULE(when) HEAD KNOBS KNOB "hazards:\n  - id: x\n    words: w\n    source: s\n    when:\n" \
	"      - " when "\n" TAIL

Test(profile_bad, conditions_of_hazards)
{
	static const struct { const char *text; const char *error; } cases[] = {
		{ RULE("{fact: speed, is: x}"), "x.yaml:12: fact: no such fact" },
		{ RULE("{fact: knobs, is: x}"), "x.yaml:12: fact: no such fact" },
		{ RULE("{fact: driver, below: 3}"), "x.yaml:12: below: needs a number" },
		{ RULE("{fact: privileged, above: 3}"), "x.yaml:12: above: needs a number" },
		{ RULE("{offload: TSO, above: 3}"), "x.yaml:12: above: needs a number" },
		{ RULE("{knob: b, is: x}"), "x.yaml:12: knob: no such knob" },
		{ RULE("{key: b}"), "x.yaml:12: key: no such knob" },
		{ RULE("{is: x}"), "x.yaml:12: fact: one of fact, knob, offload and key" },
		{ RULE("{fact: driver, knob: a.max, is: x}"), "x.yaml:12: fact: one of fact, knob" },
		{ RULE("{fact: driver}"), "x.yaml:12: is: one of is, is_not, below and above" },
		{ RULE("{fact: mtu, below: 3, above: 1}"), "x.yaml:12: is: one of is, is_not" },
		{ HEAD "hazards:\n  - {id: x, words: w, source: s}\n" TAIL, "x.yaml:5: when: is missing" },
		{ HEAD "hazards:\n  - {id: x, words: w, source: s, when: []}\n" TAIL,
		    "x.yaml:5: when: is missing" },
	};
	static const char *const sound[] = { RULE("{fact: cc, is_not: cubic}"),
		RULE("{fact: mtu, below: 1280}"), RULE("{fact: rtt_ms, above: 100}"),
		RULE("{key: a.max}"), RULE("{key: a.max, is: 3}"), RULE("{fact: privileged, is: 'true'}"),
	};
	struct profile *p;

	for (size_t i = 0; i < NELEM(cases); i++)
		expect_error(cases[i].text, strlen(cases[i].text), cases[i].error);
	for (size_t i = 0; i < NELEM(sound); i++) {
		struct err e = { 0 };

		cr_expect(profile_parse(arena, "x.yaml", sound[i], strlen(sound[i]), &p, &e), "%s", e.text);
	}
}

static char *
repeated(const char *part, size_t times, size_t *len)
{
	size_t n = strlen(part);
	char *s = arena_alloc(arena, n * times + 1);

	for (size_t i = 0; i < times; i++)
		memcpy(s + i * n, part, n);
	*len = n * times;
	return s;
}

Test(profile_bad, too_much_of_anything)
{
	static const struct { const char *part; size_t times; const char *error; } cases[] = {
		{ "[", 200000, "x.yaml:1: nested more than 64 levels deep" },
		{ "{", 200000, "x.yaml:1: " },
		{ "a: {", 100000, "x.yaml:1: nested more than 64 levels deep" },
		{ "- ", 200000, "x.yaml:1: nested more than 64 levels deep" },
		{ "]", 200000, "x.yaml:1: " },
		{ "a: b\n", 2000000, "x.yaml: larger than 1024 KiB" },
		{ "#", 10 * 1024 * 1024, "x.yaml: larger than 1024 KiB" },
		{ "\n", 1000000, "x.yaml:1: empty" },
		{ "\"", 200001, "x.yaml:" },
		{ "a", 200000, "x.yaml" },
		{ "&a ", 200000, "x.yaml:1: " },
		{ "*a ", 200000, "x.yaml:1: " },
		{ "---\n", 200000, "x.yaml:" },
		{ "? ", 200000, "x.yaml:1: " },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		size_t len;
		char *text = repeated(cases[i].part, cases[i].times, &len);

		expect_error(text, len, cases[i].error);
	}
}

Test(profile_bad, more_keys_than_any_map_has)
{
	struct text t = { .arena = arena };

	for (int i = 0; i < 5000; i++)
		text_add(&t, "k%d: x\n", i);
	expect_error(t.s, t.len, "x.yaml:257: more than 256 keys");
}

Test(profile_bad, a_nul_byte_is_named_wherever_it_stands)
{
	static const char text[] = HEAD KNOBS KNOB TAIL;

	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		char *copy = arena_strdup(arena, text);
		unsigned line = 1;

		for (size_t i = 0; i < at; i++)
			line += text[i] == '\n';
		copy[at] = '\0';
		expect_error(copy, sizeof(text) - 1, arena_printf(arena, "x.yaml:%u: NUL byte", line));
	}
}

/* Patterns may be slow by malice: the match is cut, and says nothing rather than something wrong. */
Test(profile_bad, a_pattern_that_runs_away_is_cut)
{
	static const char *const patterns[] = { "^((?:a+)+)$", "^((?:a|a)*)$", "((?:a|aa)+)b",
		"^((?:.*a){20})b", "((a)|b)", "(?:(?:a*)*)*(b)", "(a++b|(?R)a)", "(?=(a+))\\1*b" };
	size_t len;
	char *text = repeated("a", 60000, &len);

	text[len - 1] = '!';
	for (size_t i = 0; i < NELEM(patterns); i++) {
		struct err e = { 0 };
		char *found;

		if (!match_check(patterns[i], &e))
			continue;
		found = match_first(arena, patterns[i], text, len);
		cr_expect(found == NULL || strstr(text, found) != NULL, "case %zu", i);
	}
	cr_expect_null(match_first(arena, patterns[0], text, len));
	cr_expect_null(match_first(arena, patterns[2], text, len));
}
