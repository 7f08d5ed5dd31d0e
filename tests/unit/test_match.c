#include "error.h"

#include "tuner/match.h"

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

TestSuite(match, .init = setup, .fini = teardown);

Test(match, a_pattern_must_compile_and_have_one_group)
{
	static const struct { const char *pattern; const char *error; } cases[] = {
		{ "^driver: (\\S+)", NULL },
		{ "(?:a|b)(c)", NULL },
		{ "^driver", "must have exactly one group, has 0" },
		{ "(a)(b)", "must have exactly one group, has 2" },
		{ "(?|(a)|(b))", NULL },
		{ "(a", "missing closing parenthesis at offset 2" },
		{ "[z-a](x)", "range out of order in character class at offset " },
		{ "(*UTF)(x)", "using UTF is disabled" },
		{ "((((((((((((((((((((((((x))))))))))))))))))))))))", "parentheses are too deeply" },
	};
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		struct err e = { 0 };

		cr_expect_eq(match_check(cases[i].pattern, &e), cases[i].error == NULL, "case %zu", i);
		if (cases[i].error != NULL)
			error_begins(&e, cases[i].error, i);
	}
}

Test(match, all_matches_one_behind_the_other)
{
	static const struct { const char *pattern, *text; size_t most; const char *found; } cases[] = {
		{ "(\\w+)", "a bc\nd", 9, "a,bc,d," }, { "(\\w+)", "a b c", 2, "a,b," },
		{ "(x*)", "axb", 9, ",x,,," }, { "(z)", "abc", 9, "" }, { "(\\w+)", "", 9, "" },
		{ "^(\\w+)(?: |$)", "one two\nthree\n", 9, "one,three," }, { "(x", "x", 9, "" },
		{ "x|(y)", "yxy", 9, "y," },
	};
	size_t i, k;

	for (i = 0; i < NELEM(cases); i++) {
		struct text t = { .arena = arena };
		const char **found = NULL;
		size_t n = 0;

		match_all(arena, cases[i].pattern, cases[i].text, strlen(cases[i].text), cases[i].most,
		    &found, &n);
		text_bytes(&t, "", 0);
		for (k = 0; k < n; k++)
			text_add(&t, "%s,", found[k]);
		cr_expect_str_eq(t.s, cases[i].found, "case %zu: %s", i, t.s);
	}
}

Test(match, the_first_match_gives_its_group)
{
	static const struct { const char *pattern; const char *text; const char *found; } cases[] = {
		{ "^driver: (\\S+)", "x\ndriver: virtio_net\ndriver: y\n", "virtio_net" },
		{ "^(.*)$", "\r\none\r\n", "" },
		{ "^(\\w+)$", "one\r\ntwo\r\n", "one" },
		{ "(x)?b", "ab", NULL },
		{ "(x)", "", NULL },
		{ "(\\xff)", "a\xff", "\xff" },
		{ "(x", "x", NULL },
	};
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		char *found = match_first(arena, cases[i].pattern, cases[i].text,
		    strlen(cases[i].text));

		if (cases[i].found == NULL)
			cr_expect_null(found, "case %zu: %s", i, found);
		else
			cr_expect(found != NULL && strcmp(found, cases[i].found) == 0, "case %zu: %s",
			    i, found);
	}
}

Test(match, text_is_never_read_beyond_its_length)
{
	char *text = arena_alloc(arena, 3);

	memcpy(text, "abc", 3); /* a malloc of its own under ASan */
	cr_expect_str_eq(match_first(arena, "(b.*)", text, 3), "bc");
	cr_expect_str_eq(match_first(arena, "(b.*)", text, 2), "b");
	cr_expect_null(match_first(arena, "(c)", text, 2));
}

/* Without limits these take for ever or overflow the stack. */
Test(match, hostile_text_ends_the_match_by_a_limit)
{
	static const char *const patterns[] = { "^(?:(?:a+)+)+(b)$", "((?:a|aa)+)+?$c", "(?:(a)|b)*c" };
	size_t i, len = (size_t)64 * 1024;
	char *text = arena_alloc(arena, len);

	memset(text, 'a', len);
	text[len - 1] = 'c';
	text[len - 2] = 'x';
	text[1] = 'b';
	for (i = 0; i < NELEM(patterns); i++) {
		char *found = match_first(arena, patterns[i], text, len);

		cr_expect(found == NULL || strlen(found) < len, "case %zu", i);
	}
}
