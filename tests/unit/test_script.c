#include <criterion/criterion.h>

#include "probes/script.h"

#include <stdlib.h>
#include <string.h>

#define MARK "0123456789abcdef0123456789abcdef"
#define N 3

static struct arena *a;
static struct err e;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ 0 };
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(script, .init = setup, .fini = teardown);

static bool
parse(const char *text, size_t len, size_t n, struct output *out)
{
	e = (struct err){ 0 };
	return script_parse(a, text, len, MARK, n, out, &e);
}

Test(script, words_are_quoted_and_time_limits_are_whole_seconds)
{
	static const char *const plain[] = { "sysctl", "-n", "net.inet.tcp.x", NULL };
	static const char *const odd[] = { "printf", "", "a b", "it's", "$x`id`\n;\\", "{a,b}", NULL };
	struct command c[] = { { .argv = plain }, { .argv = odd, .timeout_s = 0.2 },
		{ .file = "/etc/odd name", .timeout_s = 7 } };
	const char *text = script_make(a, c, 3, MARK);

	cr_expect_not_null(strstr(text, "\n	_pathtune_run 5 sysctl -n net.inet.tcp.x\n"));
	cr_expect_not_null(
	    strstr(text, "\n	_pathtune_run 1 printf '' 'a b' 'it'\\''s' '$x`id`\n;\\' '{a,b}'\n"));
	cr_expect_not_null(strstr(text, "\n	_pathtune_read 7 '/etc/odd name'\n"));
	cr_expect_null(strstr(text, MARK " "), "its own text must not look like an answer");
	cr_expect_str_eq(strrchr(text, '}'), "}\n_pathtune\n");
}

#define FRAME_0 MARK " 0 0 4 0\none\n"
static const char whole[] = "Welcome to " MARK "! $ " FRAME_0 MARK " 1 3 2 9\nx\n" "why not\nx"
    MARK " 2 -1 33 0\n" MARK "\n" MARK " end\nlogout\n";

Test(script, frames_are_taken_apart)
{
	struct output out[N];

	cr_assert(parse(whole, sizeof(whole) - 1, N, out), "%s", e.text);
	cr_expect_eq(out[0].status, 0);
	cr_expect_str_eq(out[0].text, "one\n");
	cr_expect_null(out[0].why);
	cr_expect_eq(out[1].status, 3);
	cr_expect_str_eq(out[1].text, "x\n");
	cr_expect_str_eq(out[1].why, "why not");
	cr_expect_eq(out[2].status, -1);
	cr_expect_str_eq(out[2].text, MARK "\n", "the mark within an output is nothing special");
	cr_expect_eq(out[2].len, 33);
	cr_expect_str_eq(out[2].why, "exit status -1");
}

Test(script, cut_anywhere_it_is_an_error_that_counts)
{
	size_t n, end = (size_t)(strstr(whole, " end") - whole) + 4;
	struct output out[N];

	for (n = 0; n < end; n++) {
		char *copy = malloc(n); /* exactly as long, so that a sanitizer sees one more */
		bool ok;

		memcpy(copy, whole, n);
		ok = parse(copy, n, N, out);
		free(copy);
		cr_assert_not(ok, "cut at %zu", n);
		cr_assert(strstr(e.text, "of 3 answers came whole") != NULL ||
		    strstr(e.text, "not even to the first of 3") != NULL, "%s", e.text);
	}
	cr_expect(parse(whole, end, N, out));
	cr_expect_not(parse(whole, strstr(whole, " end") - whole - 10, N, out));
	cr_expect_not_null(strstr(e.text, "3 of 3 answers came whole"));
}

Test(script, frames_that_lie_are_refused)
{
	static const char *const texts[] = {
		MARK " 1 0 0 0\n" MARK " end\n",
		MARK " -1 0 0 0\n" MARK " end\n",
		MARK " 0 0 5 0\n" MARK " end\n",
		MARK " 0 0 99999999999999999999 0\n" MARK " end\n",
		MARK " 0 0 -5 0\n" MARK " end\n",
		MARK " 0 0 0 -0\nx" MARK " end\n",
		MARK " 0 0 262145 0\n" MARK " end\n",
		MARK " 0 256 0 0\n" MARK " end\n",
		MARK " 0 -2 0 0\n" MARK " end\n",
		MARK " 0 0 0 513\n" MARK " end\n",
		MARK " 0 0 0\n" MARK " end\n",
		MARK " 0 x 0 0\n" MARK " end\n",
		MARK " 0 - 0 0\n" MARK " end\n",
		MARK " 0 0 0 0 \n" MARK " end\n",
		MARK "  0 0 0 0\n" MARK " end\n",
		MARK " 0 0 0 0\n0123456789abcdef0123456789abcdeF end\n",
		MARK " 0 0 0 0\nx" MARK " end\n",
		MARK " 0 0 0 0\n" MARK " 1 0 0 0\n" MARK " end\n",
		MARK " end\n",
		"",
		"no mark at all",
	};
	struct output out = { .status = 77 };

	for (size_t i = 0; i < NELEM(texts); i++) {
		cr_expect_not(parse(texts[i], strlen(texts[i]), 1, &out), "%s", texts[i]);
		cr_expect_eq(e.code, ERR_FAILED);
	}
	cr_expect_eq(out.status, 77, "the output is untouched");
}

Test(script, nul_bytes_are_question_marks)
{
	static const char text[] = MARK " 0 1 3 3\na\0b\0y\n" MARK " end\n";
	struct output out;

	cr_assert(parse(text, sizeof(text) - 1, 1, &out), "%s", e.text);
	cr_expect_str_eq(out.text, "a?b");
	cr_expect_str_eq(out.why, "?y");
}

Test(script, a_host_without_room_says_so)
{
	static const char text[] = "hello\n" MARK " no-directory\n";
	struct output out;

	cr_assert_not(parse(text, sizeof(text) - 1, 1, &out));
	cr_expect_str_eq(e.text, "no directory for temporary files can be made there");
}
