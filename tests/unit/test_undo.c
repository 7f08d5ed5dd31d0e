#include "tuner/undo.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static struct arena *a;
static struct undo u;

static void
setup(void)
{
	a = arena_new();
	record_init(&undo_record, &u);
	u.schema = UNDO_SCHEMA;
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(undo, .init = setup, .fini = teardown);

/* A level that sets k from one number to the next, and so its file. */
static void
push(unsigned from)
{
	struct undo_value *v = arena_alloc(a, sizeof(*v));
	struct undo_file *f = arena_alloc(a, sizeof(*f));

	*v = (struct undo_value){ "k", arena_printf(a, "%u", from), arena_printf(a, "%u", from + 1) };
	*f = (struct undo_file){ .path = "/f", .mode = NAN, .uid = NAN, .gid = NAN,
		.old = from == 0 ? NULL : v->old, .new = v->new };
	undo_push(a, &u, &(struct undo_level){ .state = UNDO_APPLIED, .values = v, .n_values = 1,
	    .files = f, .n_files = 1 });
}

Test(undo, levels_are_joined_from_the_first_to_the_last)
{
	struct undo_level l;

	for (unsigned i = 0; i < 3; i++)
		push(i);
	l = undo_joined(a, &u, 1);
	cr_assert(l.n_values == 1 && l.n_files == 1);
	cr_expect_str_eq(l.values[0].old, "1");
	cr_expect_str_eq(l.values[0].new, "3");
	cr_expect_str_eq(l.files[0].old, "1");
	l = undo_joined(a, &u, 0);
	cr_expect_null(l.files[0].old);
	cr_expect_str_eq(l.files[0].new, "3");
}

Test(undo, too_many_levels_keep_what_was_before_the_first)
{
	for (unsigned i = 0; i < 20; i++)
		push(i);
	cr_assert_eq(u.n_levels, UNDO_LEVELS);
	cr_expect_str_eq(u.levels[0].values[0].old, "0");
	cr_expect_str_eq(u.levels[0].values[0].new, "13");
	cr_expect_str_eq(u.levels[1].values[0].old, "13");
	cr_expect_str_eq(u.levels[UNDO_LEVELS - 1].values[0].new, "20");
	cr_expect_null(undo_joined(a, &u, 0).files[0].old);
}

Test(undo, the_record_can_be_read_again)
{
	struct err e = { ERR_NONE, "" };
	const char *text;
	struct undo back;

	push(0);
	push(1);
	u.levels[1].state = UNDO_REVERTING;
	text = record_to_json(a, &undo_record, &u, true);
	cr_assert(undo_read(a, "undo", text, strlen(text), &back, &e), "%s", e.text);
	cr_assert_eq(back.n_levels, 2);
	cr_expect_eq(back.levels[1].state, UNDO_REVERTING);
	cr_expect_null(back.levels[0].files[0].old);
	cr_expect_str_eq(back.levels[1].files[0].new, "2");
}

Test(undo, what_a_dead_run_left_is_judged_by_its_files)
{
	static const struct {
		int state;
		const char *text;
		size_t levels;
	} t[] = {
		{ UNDO_APPLIED, "1", 2 },
		{ UNDO_APPLYING, "1", 1 }, /* never happened */
		{ UNDO_APPLYING, "2", 2 },
		{ UNDO_REVERTING, "1", 1 }, /* is done */
		{ UNDO_REVERTING, "2", 2 },
		{ UNDO_APPLYING, "3", 2 }, /* somebody else's: revert will say so */
		{ UNDO_APPLYING, NULL, 2 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct undo_now now = { "/f", t[i].text, t[i].text == NULL ? 0 : 1 };
		struct facts f = { .n_knobs = 0 };

		u.n_levels = 0;
		push(0);
		push(1);
		u.levels[1].state = t[i].state;
		cr_expect_eq(undo_settle(a, &u, &now, &f), t[i].state != UNDO_APPLIED, "%zu", i);
		cr_expect_eq(u.n_levels, t[i].levels, "%zu", i);
		cr_expect_eq(u.levels[u.n_levels - 1].state, UNDO_APPLIED, "%zu", i);
	}
}

Test(undo, without_files_values_tell)
{
	struct undo_value v = { "k", "1", "2" };
	struct knob_fact k = { .name = "k", .text = "1" };
	struct facts f = { .knobs = &k, .n_knobs = 1 };

	for (int old = 0; old < 2; old++) {
		u.n_levels = 0;
		undo_push(a, &u, &(struct undo_level){ .state = UNDO_APPLYING, .values = &v,
		    .n_values = 1 });
		k.text = old ? "1" : "2";
		cr_expect(undo_settle(a, &u, NULL, &f));
		cr_expect_eq(u.n_levels, old ? 0 : 1);
	}
}

Test(undo, a_value_that_is_neither_old_nor_new_is_somebody_elses)
{
	const struct undo_value v = { "k", "1 2", "1\t3" };

	cr_expect_eq(undo_value_step(&v, "1 2"), UNDO_NOTHING);
	cr_expect_eq(undo_value_step(&v, "1 3"), UNDO_RESTORE);
	cr_expect_eq(undo_value_step(&v, "1 4"), UNDO_LEAVE);
	cr_expect_eq(undo_value_step(&v, NULL), UNDO_LEAVE);
}
