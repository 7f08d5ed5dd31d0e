/*
 * pathtune module, as a provisioning tool calls it: a file of arguments, one JSON object.
 */
#include "box.h"

#include <jansson.h>

static struct box h;
static json_t *answers; /* all of a test, for the end of it */

static void
setup(void)
{
	h = box_new();
	answers = json_array();
}

static void
teardown(void)
{
	json_decref(answers);
	box_end(&h);
}

TestSuite(module, .init = setup, .fini = teardown);

/* What it prints for these arguments; with the exit status that a failed one must have. */
static json_t *
module(const char *what, const char *arguments)
{
	const char *file = box_path(&h, "arguments");
	struct said s;
	json_error_t why;
	json_t *out;

	box_put(file, arguments);
	s = program_run(h.a, arena_printf(h.a, "module %s %s", what, file));
	out = json_loads(s.out, JSON_REJECT_DUPLICATES, &why);
	cr_assert_not_null(out, "%s\n%s\n%s", why.text, s.out, s.err);
	json_array_append_new(answers, out);
	cr_assert_str_empty(s.err);
	cr_assert_eq(s.status, json_is_true(json_object_get(out, "failed")) ? 1 : 0, "%s", s.out);
	return out;
}

static const char *
string_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s == NULL ? "" : s;
}

static const char *
arguments(const char *more)
{
	return arena_printf(h.a, "{\"profile\": \"%s\"%s}", box_path(&h, "x.yaml"), more);
}

static const char *
with_run(const char *more)
{
	return arguments(arena_printf(h.a, ", \"run\": \"%s\"%s", h.run, more));
}

Test(module, apply_changes_once_and_absent_takes_it_back)
{
	json_t *o = module("apply", with_run(""));

	cr_expect(json_is_true(json_object_get(o, "changed")));
	cr_expect_str_eq(string_of(o, "status"), "applied");
	box_expect(&h, SEND_NEW, RECEIVE_NEW, true, "applied");
	o = module("apply", with_run(""));
	cr_expect(json_is_false(json_object_get(o, "changed")));
	o = module("apply", arguments(", \"state\": \"absent\""));
	cr_expect(json_is_true(json_object_get(o, "changed")));
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "absent");
}

Test(module, check_mode_changes_nothing_and_diff_mode_shows_the_files)
{
	json_t *o = module("apply",
	    with_run(", \"_ansible_check_mode\": true, \"_ansible_diff\": true"));
	const char *diff = string_of(json_object_get(o, "diff"), "prepared");

	cr_expect(json_is_true(json_object_get(o, "changed")));
	cr_expect_not_null(strstr(diff, "+x.send = " SEND_NEW), "%s", diff);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "check mode");
	o = module("apply", with_run(", \"_ansible_check_mode\": true"));
	cr_expect_null(json_object_get(o, "diff"));
}

Test(module, a_run_may_be_given_as_text_or_as_an_object)
{
	const char *run = box_get(&h, h.run);
	json_t *text = json_string(run);
	char *quoted = json_dumps(text, JSON_ENCODE_ANY);
	json_t *o = module("apply", arguments(arena_printf(h.a, ", \"content\": %s", run)));

	cr_expect_str_eq(string_of(o, "status"), "applied");
	o = module("apply", arguments(arena_printf(h.a, ", \"content\": %s", quoted)));
	cr_expect_str_eq(string_of(o, "status"), "nothing", "the same");
	free(quoted);
	json_decref(text);
}

Test(module, check_tells_drift)
{
	json_t *o;

	module("apply", with_run(""));
	o = module("check", arguments(""));
	cr_expect(json_is_false(json_object_get(o, "drift")));
	box_put(h.send, SEND_OLD);
	o = module("check", arguments(""));
	cr_expect(json_is_true(json_object_get(o, "drift")));
	cr_expect(json_array_size(json_object_get(o, "findings")) >= 1);
	cr_expect(json_is_false(json_object_get(o, "changed")));
}

Test(module, probe_gives_facts_and_advise_a_run)
{
	json_t *o = module("probe", arguments(""));

	cr_expect_str_eq(string_of(json_object_get(json_object_get(o, "ansible_facts"),
	    "pathtune"), "os"), "X");
	o = module("advise", "{\"rtt\": \"209ms\", \"rate\": 600000000}");
	cr_expect_str_eq(string_of(json_object_get(o, "run"), "schema"), "pathtune-run/1");
	cr_expect_str_neq(string_of(o, "verdict"), "");
}

Test(module, whatever_is_wrong_is_one_object_that_says_what)
{
	static const struct { const char *what, *arguments, *says; } cases[] = {
		{ "apply", "{}", "run, content: one of them is needed" },
		{ "apply", "{\"run\": \"-x\"}", "run: a file's name is needed" },
		{ "apply", "{\"run\": \"/nonexistent\"}", "/nonexistent" },
		{ "apply", "{\"run\": [1]}", "run: " },
		{ "apply", "{\"state\": \"gone\"}", "state: is neither present nor absent" },
		{ "apply", "{\"content\": \"no JSON\"}", "content:1: " },
		{ "apply", "{\"run\": \"r\", \"state\": \"absent\"}", "run, content: " },
		{ "probe", "{\"host\": \"-oProxyCommand=x\"}", "host: a host is needed" },
		{ "probe", "{\"host\": \"a b\"}", "'a b'" },
		{ "probe", "{\"rtt\": \"1ms\"}", "rtt: is no argument of probe" },
		{ "probe", "{\"accept_new\": \"yes\"}", "accept_new: true or false is needed" },
		{ "advise", "{\"paths\": \"1ms,1M\"}", "paths: a list is needed" },
		{ "advise", "{\"rtt\": {}}", "rtt: a string or a number is needed" },
		{ "advise", "{\"rtt\": \"soon\", \"rate\": \"1M\"}", "--rtt" },
		{ "advise", "{\"rtt\": \"a\\u0000b\"}", "" },
		{ "check", "[]", "is not a JSON object" },
		{ "check", "{\"run\": 1, \"run\": 2}", "duplicate" },
		{ "check", "{\"run\": ", "arguments:" },
		{ "check", "", "arguments:" },
	};

	for (size_t i = 0; i < NELEM(cases); i++) {
		json_t *o = module(cases[i].what, cases[i].arguments);

		cr_expect(json_is_true(json_object_get(o, "failed")), "%s", cases[i].arguments);
		cr_expect(json_is_false(json_object_get(o, "changed")));
		cr_expect_not_null(strstr(string_of(o, "msg"), cases[i].says), "%s: %s",
		    cases[i].arguments, string_of(o, "msg"));
	}
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "after bad arguments");
}
