/* Files replaced, and somebody else who writes to them in the same moment. */
#include "box.h"

#include "probes/persist.h"

static struct box h;
static struct err e;
static struct persist_found found;
static struct persist_swap swap;

static void
setup(void)
{
	h = box_new();
	e = (struct err){ ERR_NONE, "" };
}

static void
teardown(void)
{
	box_end(&h);
}

TestSuite(persist, .init = setup, .fini = teardown);

/* Ready to be swapped; was: NULL, there is no such file. */
static void
prepare(const char *was, const char *text)
{
	unlink(h.conf);
	if (was != NULL)
		box_put(h.conf, was);
	cr_assert(persist_read(h.a, h.conf, 1000, &found, &e), "%s", e.text);
	cr_assert(persist_name(h.a, &found, "S", &swap, &e), "%s", e.text);
	cr_assert(persist_prepare(&swap, text, strlen(text), &e), "%s", e.text);
}

/* Of the same length, and so soon that seconds do not tell. */
static void
edit(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	struct timespec t[2] = { { 0, UTIME_OMIT }, { found.st.st_mtim.tv_sec,
	    (found.st.st_mtim.tv_nsec + 1000) % 1000000000 } };

	cr_assert(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	cr_assert(found.text == NULL || futimens(fd, t) == 0);
	cr_assert_eq(close(fd), 0);
}

static void
edit_by_rename(const char *path, const char *text)
{
	const char *by = box_path(&h, "etc/theirs");

	box_put(by, text);
	cr_assert_eq(rename(by, path), 0);
}

static void
expect_theirs(bool done)
{
	cr_expect_not(done);
	cr_expect_not_null(strstr(e.text, "by somebody else"), "%s", e.text);
	cr_expect_str_eq(box_get(&h, h.conf), "theirs");
}

Test(persist, an_edit_before_the_names_are_swapped_is_not_lost)
{
	static void (*const edits[])(const char *, const char *) = { edit, edit_by_rename };

	for (size_t i = 0; i < NELEM(edits); i++) {
		prepare("before", "ours");
		edits[i](h.conf, "theirs");
		expect_theirs(persist_swap(&swap, false, &e));
		e = (struct err){ ERR_NONE, "" };
	}
	prepare(NULL, "ours");
	edit(h.conf, "theirs");
	expect_theirs(persist_swap(&swap, false, &e));
}

Test(persist, an_edit_of_what_was_replaced_is_noticed_before_it_is_let_go)
{
	prepare("before", "ours");
	cr_assert(persist_swap(&swap, false, &e), "%s", e.text);
	cr_expect(persist_check(&swap, &e), "%s", e.text);
	edit(swap.old, "theirs");
	cr_expect_not(persist_check(&swap, &e));
}

Test(persist, a_file_that_is_to_go_goes_at_once_and_the_older_one_stays_beside_until_all_is_decided)
{
	prepare("before", "");
	edit(h.conf, "theirs");
	expect_theirs(persist_swap(&swap, true, &e));
	e = (struct err){ ERR_NONE, "" };
	prepare("before", "");
	cr_assert(persist_swap(&swap, true, &e), "%s", e.text);
	cr_expect_not(box_there(h.conf));
	cr_expect_str_eq(box_get(&h, swap.old), "before");
	cr_assert(persist_settle(&swap, &e), "%s", e.text);
	cr_expect_not(box_there(swap.old));
	cr_expect_not(box_there(swap.by));
}
