/* tune --both: what is refused before anything is touched. */
#include "program.h"

Test(tune_both, what_does_not_go_with_both_ends_is_a_usage_error_that_says_why)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "--peer peer.example", "reached by ssh is needed: --peer ssh://" },
		{ "--peer iperf3://peer.example", "reached by ssh is needed" },
		{ "ssh://a --peer here", "reached by ssh is needed" },
		{ "ssh://a --peer ssh://a", "'ssh://a' is named as both ends" },
		{ "--peer ssh://b --apply --yes", "with pathtune apply RUN HOST" },
		{ "--peer ssh://b --try /dev/null", "--both and --try contradict" },
		{ "--peer ssh://b --json --no-save", "leave out --no-save" },
		{ "--peer ssh://b --save /dev/null/run", "/dev/null/run" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < NELEM(cases); i++) {
		struct said s = program_run(a, arena_printf(a, "tune --both %s", cases[i].line));

		cr_expect_eq(s.status, i + 1 == NELEM(cases) ? 1 : 2, "%s: %d %s", cases[i].line, s.status,
		    s.err);
		cr_expect_not_null(strstr(s.err, cases[i].says), "%s: %s", cases[i].line, s.err);
	}
	arena_free(a);
}
