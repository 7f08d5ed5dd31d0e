#include <criterion/criterion.h>
#include <string.h>

#include "tuner/profile.h"

/* The smallest sound profile, with one element in every list. */
static const char *const good[] = {
	"name: x",                                         /* 1 */
	"sysname: X",
	"facts:",
	"  - fact: mtu",
	"    argv: [ip, link, \"{interface}\"]",           /* 5 */
	"    pattern: 'mtu (\\d+)'",
	"    source: s",
	"offloads: {argv: [ethtool, \"{interface}\"], list: [tso], source: s}",
	"releases: all",
	"knobs:",                                          /* 10 */
	"  - name: a.max",
	"    role: send_max",
	"    field: 3",
	"    unit: bytes",
	"    min: 1",                                      /* 15 */
	"    max: 9",
	"    scope: global",
	"    file: /proc/a",
	"    source: s",
	"writable: [test, -w, \"{file}\"]",                /* 20 */
	"congestion:",
	"  now: {file: /proc/now}",
	"  available: {file: /proc/available}",
	"  module: tcp_{name}",
	"  candidates: [bbr]",                             /* 25 */
	"  probe: [modprobe, \"tcp_{name}\"]",
	"  source: s",
	"windows:",
	"  - direction: send",
	"    since: 6.6",                                  /* 30 */
	"    before: 7.10",
	"    factor: 0.5",
	"    source: s",
	"persist:",
	"  settings: {path: /etc/x, style: own, line: \"{name}={value}\", source: s}", /* 35 */
	"  precedence: listed",
};

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

TestSuite(profile, .init = setup, .fini = teardown);

/* The good profile with one line replaced (none: 0). */
static char *
with_line(size_t number, const char *line)
{
	struct text t = { .arena = arena };
	size_t i;

	for (i = 0; i < NELEM(good); i++)
		text_add(&t, "%s\n", i + 1 == number ? line : good[i]);
	return t.s;
}

static bool
parse(const char *text, struct profile **p, struct err *e)
{
	memset(e, 0, sizeof(*e));
	return profile_parse(arena, "x.yaml", text, strlen(text), p, e);
}

Test(profile, a_sound_one_is_read)
{
	struct profile *p;
	struct err e;

	cr_assert(parse(with_line(0, NULL), &p, &e), "%s", e.text);
	cr_expect_str_eq(p->sysname, "X");
	cr_expect_eq(p->n_facts, 1);
	cr_expect_str_eq(p->facts[0].argv[2], "{interface}");
	cr_expect_eq(profile_knob(p, ROLE_SEND_MAX), &p->knobs[0]);
	cr_expect_null(profile_knob(p, ROLE_CONGESTION));
	cr_expect_str_eq(p->windows[0].range.before, "7.10", "a release is no number");
}

Test(profile, what_is_wrong_is_named_with_file_and_line)
{
	static const struct { size_t number; const char *line; const char *error; } cases[] = {
		{ 1, "nome: x", "x.yaml:1: nome: unknown key" },
		{ 1, "name: [x", "x.yaml:" },
		{ 2, "name: y", "x.yaml:2: name: duplicate key, first in line 1" },
		{ 2, "# gone", "x.yaml:1: sysname: is missing" },
		{ 4, "  - fact: speed", "x.yaml:4: fact: no such fact" },
		{ 4, "  - fact: knobs", "x.yaml:4: fact: no such fact" },
		{ 4, "  - fact: rtt_ms", "x.yaml:4: fact: no such fact" },
		{ 4, "  - fact: send_bps\n    ping: true", "x.yaml:4: fact: no such fact" },
		{ 4, "  - fact: mtu\n    ping: true\n    without_peer: true",
		    "x.yaml:5: ping: cannot be given together with without_peer" },
		{ 4, "  - scale: 2", "x.yaml:4: fact: is missing" },
		{ 5, "    argv: ip", "x.yaml:5: argv: must be a list" },
		{ 5, "    argv: []", "x.yaml:5: argv: either argv or file must be given" },
		{ 5, "    file: proc/mtu", "x.yaml:5: file: must be an absolute path" },
		{ 5, "    file: /sys/{iface}/mtu", "x.yaml:5: file: {iface} is not known here" },
		{ 5, "    file: /sys/{interface/mtu", "x.yaml:5: file: unbalanced { or }" },
		{ 5, "    file: /sys/interface}/mtu", "x.yaml:5: file: unbalanced { or }" },
		{ 5, "    argv: [\"{peer}\", x]", "x.yaml:5: argv: the first element must be a program" },
		{ 5, "    argv: [\"ip link\"]", "x.yaml:5: argv: the first element must be a program" },
		{ 5, "    argv: [ip, \"{name}\"]", "x.yaml:5: argv: {name} is not known here" },
		{ 6, "    pattern: 'mtu'", "x.yaml:6: pattern: must have exactly one group, has 0" },
		{ 6, "    pattern: '(m)(t)'", "x.yaml:6: pattern: must have exactly one group, has 2" },
		{ 6, "    pattern: '^{iface}: (m)'", "x.yaml:6: pattern: {iface} is not known here" },
		{ 6, "    pattern: '^{interface}: m'", "x.yaml:6: pattern: must have exactly one group, has 0" },
		{ 8, "offloads: {argv: [x], names: '{name}(a)', source: s}",
		    "x.yaml:8: names: {name} is not known here" },
		{ 8, "offloads: {argv: [x], able: '{interface}', source: s}",
		    "x.yaml:8: able: must have exactly one group, has 0" },
		{ 24, "  names: '{interface}(a)'", "x.yaml:24: names: {interface} is not known here" },
		{ 35, "  settings: {path: /e, style: own, line: \"{name} {value}\", accepts: [x], source: s}",
		    "x.yaml:35: accepts: holds a word that is not known" },
		{ 6, "    pattern: '(m'", "x.yaml:6: pattern: missing closing parenthesis" },
		{ 6, "    value: x", "x.yaml:4: pattern: is missing, value and unknown need one" },
		{ 6, "    scale: fast", "x.yaml:6: scale: must be a number" },
		{ 7, "    any_status: maybe", "x.yaml:7: any_status: must be true or false" },
		{ 8, "offloads: {argv: [ethtool, \"{peer}\"], source: s}",
		    "x.yaml:8: argv: {peer} is not known here" },
		{ 12, "    role: unknown", "x.yaml:12: role: must be given" },
		{ 12, "    role: speed", "x.yaml:12: role: must be one of " },
		{ 13, "    field: 1.5", "x.yaml:13: field: must be a whole number" },
		{ 13, "    field: 0", "x.yaml:13: field: must be within 1..16" },
		{ 14, "    unit: pages", "x.yaml:14: unit: must be bytes, count, switch or name" },
		{ 15, "    min: 10", "x.yaml:15: min: is above max" },
		{ 15, "    # no min", "x.yaml:11: min: min and max are needed" },
		{ 17, "    scope: world", "x.yaml:17: scope: must be one of " },
		{ 18, "    file: a", "x.yaml:18: file: must be an absolute path" },
		{ 20, "writable: [\"\"]", "x.yaml:20: writable: the first element must be a program" },
		{ 24, "  module: tcp_{cc}", "x.yaml:24: module: {cc} is not known here" },
		{ 26, "  probe: []", "x.yaml:25: candidates: probe is needed to look for them" },
		{ 27, "  source: &a s", "x.yaml:27: anchors are not used here" },
		{ 27, "  source: *a", "x.yaml:27: aliases are not used here" },
		{ 29, "  - direction: none", "x.yaml:29: direction: must be send, receive or both" },
		{ 30, "    since: six", "x.yaml:30: since: must be a release such as 6.6" },
		{ 30, "    since: 7.10.0", "x.yaml:30: since: is not older than before" },
		{ 31, "    before: 6.5", "x.yaml:30: since: is not older than before" },
		{ 32, "    factor: 1.5", "x.yaml:32: factor: must be within 0.01..1" },
		{ 35, "  settings: {path: etc, style: own, line: \"{name} {value}\", source: s}",
		    "x.yaml:35: path: must be an absolute path" },
		{ 35, "  settings: {path: /e, style: own, line: \"{name}\", source: s}",
		    "x.yaml:35: line: {value} is missing" },
		{ 35, "  file: /etc", "x.yaml:35: file: unknown key" },
		{ 35, "  file: \"/etc/\\0\"", "x.yaml:35: NUL byte" },
	};
	struct profile *p;
	struct err e;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		cr_expect_not(parse(with_line(cases[i].number, cases[i].line), &p, &e), "case %zu", i);
		cr_expect_eq(strncmp(e.text, cases[i].error, strlen(cases[i].error)), 0,
		    "case %zu: %s", i, e.text);
		cr_expect_eq(e.code, ERR_USAGE);
	}
}

Test(profile, two_knobs_never_share_a_role_or_a_name)
{
	static const char *const second[][2] = {
		{ "b.max", "send_max" }, { "a.max", "receive_max" },
	};
	static const char *const errors[] = {
		"x.yaml:38: role: another knob has it already", "x.yaml:37: name: another knob has it already",
	};
	struct profile *p;
	struct err e;
	size_t i;

	for (i = 0; i < NELEM(second); i++) {
		char *text = arena_printf(arena, "%s", with_line(10, "knobs:"));
		char *at = strstr(text, "knobs:\n"), *end = strstr(text, "writable:");
		char *rest = arena_strndup(arena, at, (size_t)(end - at));

		/* The knobs go last, and then a second one. */
		*at = '\0';
		cr_expect_not(parse(arena_printf(arena, "%s%s%s  - name: %s\n    role: %s\n    unit: name\n"
		    "    scope: global\n    file: /x\n    source: s\n", text, end, rest, second[i][0],
		    second[i][1]), &p, &e));
		cr_expect_str_eq(e.text, errors[i]);
	}
}

Test(profile, the_embedded_one_is_found_by_the_name_of_the_system)
{
	struct profile *p;
	struct err e = { 0 };

	cr_assert(profile_for(arena, "Linux", &p, &e), "%s", e.text);
	cr_expect_str_eq(p->name, "linux");
	cr_expect_not_null(profile_knob(p, ROLE_LIMIT_SEND));
	cr_expect_not_null(profile_knob(p, ROLE_LIMIT_RECEIVE));
	cr_expect_eq(profile_knob(p, ROLE_SEND_MAX)->field, 3);
	cr_expect_eq(profile_knob(p, ROLE_RECEIVE_MAX)->field, 3);
	cr_expect_not(profile_for(arena, "linux", &p, &e), "no system says so");
	e = (struct err){ 0 };
	cr_expect_not(profile_for(arena, "Plan9", &p, &e));
	cr_expect_eq(strncmp(e.text, "no profile for the system \"Plan9\"", 33), 0, "%s", e.text);
}

Test(profile, a_release_that_nobody_looked_at_is_named)
{
	static const struct { const char *first, *last, *release, *note; } cases[] = {
		{ "5.10", "6.18", "5.10.0-33-amd64", NULL }, { "5.10", "6.18", "6.18.44", NULL },
		{ "5.10", "6.18", "6.18", NULL }, { "5.10", "6.18", "6", NULL },
		{ "5.10", "6.18", "2.6.32",
		    "pathtune knows X 5.10 to 6.18; 2.6.32 is older: these numbers may not hold" },
		{ "5.10", "6.18", "5.9", "5.9 is older" }, { "5.10", "6.18", "6.19-rc1", "is newer" },
		{ "9", "11", "11.99.4", NULL }, { "9", "11", "12.0", "knows X 9 to 11; 12.0 is newer" },
		{ "6.4", "6.4", "6.5-DEVELOPMENT", "knows X 6.4; 6.5-DEVELOPMENT is newer" },
		{ "6.4", NULL, "6.3", "knows X since 6.4; " }, { "6.4", NULL, "99", NULL },
		{ NULL, "6.4", "7", "knows X up to 6.4; " }, { NULL, NULL, "7", NULL },
		{ "1", "2", NULL, NULL }, { "1", "2", "new", NULL }, { "1", "2", "", NULL },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		const struct profile p = { .sysname = "X", .first_release = cases[i].first,
			.last_release = cases[i].last };
		const char *note = profile_release_note(arena, &p, cases[i].release);

		cr_expect_eq(note == NULL, cases[i].note == NULL, "case %zu: %s", i, note);
		if (note != NULL && cases[i].note != NULL)
			cr_expect(strstr(note, cases[i].note) != NULL, "case %zu: %s", i, note);
	}
}

Test(profile, every_embedded_one_says_which_releases_it_knows)
{
	const char *name, *text;
	size_t len;

	for (size_t i = 0; (name = profile_embedded(i, &text, &len)) != NULL; i++) {
		struct err e = { ERR_NONE, "" };
		struct profile *p;

		cr_assert(profile_named(arena, name, &p, &e), "%s", e.text);
		cr_assert(p->first_release != NULL && p->last_release != NULL, "%s", name);
		cr_expect_not_null(strstr(p->releases, p->first_release), "%s", name);
		cr_expect_not_null(strstr(p->releases, p->last_release), "%s", name);
	}
}

/* Stepped by ntpd, it would make another boot of this one, and values would not be brought back. */
Test(profile, every_embedded_one_tells_boots_apart_by_what_no_clock_moves)
{
	const char *name, *text;
	size_t len;

	for (size_t i = 0; (name = profile_embedded(i, &text, &len)) != NULL; i++) {
		struct err e = { ERR_NONE, "" };
		struct profile *p;
		size_t ways = 0;

		cr_assert(profile_named(arena, name, &p, &e), "%s", e.text);
		for (size_t j = 0; j < p->n_facts; j++) {
			const struct fact_rule *r = &p->facts[j];

			if (strcmp(r->fact, "boot_id") != 0)
				continue;
			ways++;
			for (size_t k = 0; k < r->n_argv; k++)
				cr_expect_null(strstr(r->argv[k], "boottime"), "%s", name);
		}
		cr_expect_eq(ways, 1, "%s: one way, or there are two names for a boot", name);
	}
}

Test(profile, releases_are_compared_by_their_numbers)
{
	static const struct { const char *a, *b; int order; } cases[] = {
		{ "6.18.44-fc", "6.6", 1 }, { "6.6", "6.18", -1 }, { "6.6", "6.6.0", 0 },
		{ "6.6-rc1", "6.6", 0 }, { "6.5.99", "6.6", -1 }, { "10", "9.9", 1 },
		{ "14.1-RELEASE-p3", "14.1", 0 }, { "99999999999999999999.1", "5", 1 }, { "", "0", 0 },
		{ "6..1", "6.0.1", 0 }, { "x", "1", -1 },
	};
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		int order = profile_release_cmp(cases[i].a, cases[i].b);

		cr_expect_eq((order > 0) - (order < 0), cases[i].order, "case %zu: %d", i, order);
		order = profile_release_cmp(cases[i].b, cases[i].a);
		cr_expect_eq((order > 0) - (order < 0), -cases[i].order, "case %zu reversed", i);
	}
}

Test(profile, the_window_model_is_that_of_direction_and_release)
{
	static const struct { enum direction direction; const char *release; double factor; } cases[] = {
		{ DIR_RECEIVE, "5.10.0-28-amd64", .5 }, { DIR_RECEIVE, "6.5.13", .5 },
		{ DIR_RECEIVE, "6.6.0", .62 }, { DIR_RECEIVE, "6.18.44-fc", .62 },
		{ DIR_SEND, "6.1.0-18-amd64", .62 }, { DIR_SEND, "6.18.44", .62 },
	};
	struct profile *p;
	struct err e = { 0 };
	size_t i;

	cr_assert(profile_for(arena, "Linux", &p, &e), "%s", e.text);
	for (i = 0; i < NELEM(cases); i++) {
		const struct window_model *w = profile_window(p, cases[i].direction, cases[i].release, "x86_64");

		cr_assert_not_null(w);
		cr_expect_float_eq(w->factor, cases[i].factor, 1e-9, "case %zu: %g", i, w->factor);
	}
	cr_assert(parse(with_line(0, NULL), &p, &e));
	cr_expect_null(profile_window(p, DIR_SEND, "6.5", NULL));
	cr_expect_null(profile_window(p, DIR_SEND, "7.10", NULL));
	cr_expect_null(profile_window(p, DIR_RECEIVE, "6.6", NULL));
}

Test(profile, substitutions_are_replaced_or_the_whole_is_unknown)
{
	static const struct substitution s[] = { { "name", "bbr" }, { "peer", NULL }, { NULL, NULL } };
	static const struct { const char *text, *made; } cases[] = {
		{ "tcp_{name}", "tcp_bbr" }, { "{name}{name}", "bbrbbr" }, { "plain", "plain" }, { "", "" },
		{ "{peer}", NULL }, { "{other}", NULL }, { "{name", NULL }, { "{}", NULL },
	};
	const char *argv[] = { "modprobe", "tcp_{name}" }, *unknown[] = { "ping", "{peer}" };
	const char **made;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		char *text = profile_expand(arena, cases[i].text, s);

		cr_expect(cases[i].made == NULL ? text == NULL :
		    text != NULL && strcmp(text, cases[i].made) == 0, "case %zu: %s", i, text);
	}
	made = profile_argv(arena, argv, 2, s);
	cr_assert_not_null(made);
	cr_expect_str_eq(made[1], "tcp_bbr");
	cr_expect_null(made[2]);
	cr_expect_null(profile_argv(arena, unknown, 2, s));
}

Test(profile, a_pattern_holds_facts_as_literal_text)
{
	static const struct substitution s[] = { { "interface", "em0.1+x" }, { "bus", "a\\E(b" },
		{ "driver", NULL }, { NULL, NULL } };
	static const struct { const char *pattern, *made; } cases[] = {
		{ "^{interface}: (a)", "^em0\\.1\\+x: (a)" }, { "(a{3}){2,}", "(a{3}){2,}" },
		{ "{bus}", "a\\\\E\\(b" }, { "\\{interface}", "\\{interface}" },
		{ "\\p{bus}{bus}", "\\p{bus}a\\\\E\\(b" }, { "{driver}(a)", NULL }, { "", "" },
		{ "{other}", NULL }, { "{bus", "{bus" }, { "{}", "{}" }, { "a\\", "a\\" },
	};
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		char *made = profile_pattern(arena, cases[i].pattern, s);

		cr_expect(cases[i].made == NULL ? made == NULL :
		    made != NULL && strcmp(made, cases[i].made) == 0, "case %zu: %s", i, made);
	}
	cr_expect_str_eq(profile_pattern_lacks("{bus}{driver}", s), "driver");
	cr_expect_null(profile_pattern_lacks("{bus}\\p{driver}", s));
}

struct embedded_profile {
	const char *name;
	const unsigned char *text;
	size_t len;
};
extern const struct embedded_profile embedded_profiles[];

Test(profile, cut_anywhere_gives_an_error_or_a_sound_profile)
{
	const struct embedded_profile *b;
	struct profile *p;
	size_t len, parsed = 0;
	char *copy;

	for (b = embedded_profiles; b->name != NULL; b++) {
		for (len = 0; len < b->len; len += 97) {
			struct err e = { 0 };

			copy = arena_alloc(arena, len); /* unterminated: ASan sees one byte more */
			memcpy(copy, b->text, len);
			if (profile_parse(arena, "cut", copy, len, &p, &e))
				parsed++;
			else
				cr_expect_eq(strncmp(e.text, "cut:", 4), 0, "%zu: %s", len, e.text);
		}
	}
	cr_expect_lt(parsed, 5, "what stands last is required: %zu", parsed);
}

Test(profile, every_byte_may_be_spoilt_without_a_crash)
{
	const struct embedded_profile *b = &embedded_profiles[0];
	static const char spoil[] = "\0\xff{}[]'\"\n:-#&*!|>%@`";
	char *copy = arena_alloc(arena, b->len);
	struct profile *p;
	size_t at, k = 0;

	for (at = 0; at < b->len; at += 61, k++) {
		struct err e = { 0 };

		memcpy(copy, b->text, b->len);
		copy[at] = spoil[k % (sizeof(spoil) - 1)];
		cr_expect(profile_parse(arena, "spoilt", copy, b->len, &p, &e) || e.text[0] != '\0');
	}
}
