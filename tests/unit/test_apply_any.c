/* Whatever stands in a file of others: it is refused, or all of it comes through apply and revert. */
#include "box.h"

#include "tuner/apply.h"
#include "tuner/fragment.h"
#include "tuner/profile.h"

#include <math.h>

#define CASES 4000
#define HUGE_BYTES ((size_t)900 * 1024)

static struct box h;
static struct profile *profile;
static struct facts facts;
static struct run run;
static uint64_t state;

static unsigned
any(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static void
setup_style(const char *style)
{
	static struct change_line lines[] = { { "x.send", "o", SEND_NEW, "r: why", true },
		{ "x.receive", "o", RECEIVE_NEW, "r: why", true } };
	static struct knob_fact knobs[] = { { .name = "x.send", .text = SEND_OLD, .writable = true },
		{ .name = "x.receive", .text = RECEIVE_OLD, .writable = true } };
	static struct advice_path path = { 10, 1e9 };
	struct err e = { ERR_NONE, "" };
	const char *text;
	size_t len;

	h = box_new();
	state = 20261122;
	box_profile(&h, style, NULL);
	text = box_get_bytes(&h, box_path(&h, "x.yaml"), &len);
	cr_assert(profile_parse(h.a, "x.yaml", text, len, &profile, &e), "%s", e.text);
	record_init(&run_record, &run);
	run.advice.paths = &path;
	run.advice.n_paths = 1;
	run.decision.settings = lines;
	run.decision.n_settings = NELEM(lines);
	record_init(&facts_record, &facts);
	facts.os = "X";
	facts.release = "1.0";
	facts.knobs = knobs;
	facts.n_knobs = NELEM(knobs);
}

static void
teardown(void)
{
	box_end(&h);
}

TestSuite(apply_any, .fini = teardown, .timeout = 110);

static void
put_line(struct text *t, bool marks)
{
	static const char *const lines[] = { "x.send = 1 2 3", "# comment", "", "other=1\\",
		"\xff\xfe latin", "x.receive=4 5 6 # inline", " indented = 1", "# BEGIN pathtune now",
		"#END pathtune", "a\tb", "=" };
	static const char *const ends[] = { "\n", "\r\n", "\n", "\n" };

	if (marks && any(40) == 0)
		text_add(t, "%s", any(2) ? FRAGMENT_BEGIN : FRAGMENT_END);
	else if (marks && any(60) == 0)
		text_bytes(t, "\0", 1);
	else if (any(30) == 0)
		for (unsigned n = any(3000); n-- > 0;)
			text_bytes(t, "long line ", 10);
	else
		text_add(t, "%s", lines[any(NELEM(lines))]);
	text_add(t, "%s", ends[any(NELEM(ends))]);
}

/* Lines, now and then with a block of ours among them, the last one perhaps without its end. */
static struct diff_text
any_text(bool marks)
{
	struct text t = { .arena = h.a };

	text_bytes(&t, "", 0);
	for (unsigned n = any(12); n-- > 0;)
		put_line(&t, marks);
	if (any(3) == 0) {
		text_add(&t, "%s%s\nx.old = 7\n%s\n", t.len != 0 && t.s[t.len - 1] != '\n' ? "\n" :
		    "", FRAGMENT_BEGIN, FRAGMENT_END);
		for (unsigned n = any(5); n-- > 0;)
			put_line(&t, marks);
	}
	if (any(3) == 0 && t.len != 0)
		t.len--;
	return (struct diff_text){ any(20) == 0 ? NULL : t.s, t.len };
}

/* Without the lines from mark to mark: by a way of its own. */
static struct diff_text
without_block(struct diff_text t)
{
	struct text out = { .arena = h.a };
	bool inside = false;

	text_bytes(&out, "", 0);
	for (size_t at = 0, len; t.text != NULL && at < t.len; at += len) {
		const char *end = memchr(t.text + at, '\n', t.len - at);
		size_t bare;

		len = end == NULL ? t.len - at : (size_t)(end - t.text) - at + 1;
		for (bare = len; bare != 0 && strchr(" \t\r\n", t.text[at + bare - 1]) != NULL &&
		     t.text[at + bare - 1] != '\0';)
			bare--;
		if (bare == strlen(FRAGMENT_BEGIN) &&
		    memcmp(t.text + at, FRAGMENT_BEGIN, bare) == 0)
			inside = true;
		if (!inside)
			text_bytes(&out, t.text + at, len);
		if (bare == strlen(FRAGMENT_END) && memcmp(t.text + at, FRAGMENT_END, bare) == 0)
			inside = false;
	}
	return (struct diff_text){ out.s, out.len };
}

/* The same bytes, but for one newline at the end of what had none. */
static bool
same_lines(struct diff_text a, struct diff_text b)
{
	if (b.len == a.len + 1 && b.text[a.len] == '\n' && (a.len == 0 || a.text[a.len - 1] != '\n'))
		b.len--;
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

static struct undo_file
undo_of(const struct apply_file *f)
{
	return (struct undo_file){ .path = f->kind->path, .block = f->block, .mode = NAN,
		.uid = NAN, .gid = NAN,
		.old = f->now.text == NULL ? NULL : undo_encode(h.a, f->now.text, f->now.len),
		.new = undo_encode(h.a, f->wanted.text, f->wanted.len) };
}

static void
expect_undone(const struct apply_file *f, unsigned number)
{
	const struct undo_file u = undo_of(f);
	const struct undo_now now = { f->kind->path, f->wanted.text, f->wanted.len };
	struct err e = { ERR_NONE, "" };
	struct undo_want want;

	cr_assert(undo_file_want(h.a, &u, &now, &want, &e), "%u: %s", number, e.text);
	if (!f->changes) {
		cr_assert_eq(want.step, UNDO_NOTHING, "%u", number);
		return;
	}
	cr_assert_eq(want.step, UNDO_RESTORE, "%u", number);
	cr_assert_eq(want.text == NULL, f->now.text == NULL, "%u", number);
	cr_assert(want.text == NULL || (want.len == f->now.len &&
	    memcmp(want.text, f->now.text, want.len) == 0), "%u: the identical bytes", number);
}

/* Others add lines at the end; they stay. */
static void
expect_undone_around(const struct apply_file *f, unsigned number)
{
	const struct undo_file u = undo_of(f);
	struct text t = { .arena = h.a };
	struct err e = { ERR_NONE, "" };
	struct undo_want want;
	struct diff_text were;

	text_add(&t, "first=1\n");
	text_bytes(&t, f->wanted.text, f->wanted.len);
	if (t.s[t.len - 1] != '\n')
		text_bytes(&t, "\n", 1);
	text_add(&t, "last=1");
	were = without_block((struct diff_text){ t.s, t.len });
	cr_assert(undo_file_want(h.a, &u, &(struct undo_now){ u.path, t.s, t.len }, &want, &e),
	    "%u: %s", number, e.text);
	cr_assert_eq(want.step, UNDO_RESTORE, "%u", number);
	cr_assert(same_lines(were, without_block((struct diff_text){ want.text, want.len })), "%u",
	    number);
	cr_assert((f->now.text != NULL && strstr(f->now.text, "x.old = 7") != NULL) ==
	    (strstr(want.text, "x.old = 7") != NULL), "%u: the older block is back", number);
}

static unsigned
run_cases(bool block)
{
	unsigned refused = 0;

	for (unsigned i = 0; i < CASES; i++) {
		struct diff_text now[2] = { any_text(true), { NULL, 0 } };
		struct apply_plan plan, again;
		struct err e = { ERR_NONE, "" };

		if (!apply_make(h.a, profile, &facts, &run, now, NULL, &plan, &e)) {
			cr_assert(block && strstr(e.text, "x.conf") != NULL, "%s", e.text);
			refused++;
			continue;
		}
		cr_assert(plan.files[0].changes && plan.files[0].block == block);
		if (block)
			cr_assert(same_lines(without_block(now[0]),
			    without_block(plan.files[0].wanted)), "%u: lines of others", i);
		expect_undone(&plan.files[0], i);
		if (block)
			expect_undone_around(&plan.files[0], i);
		now[0] = plan.files[0].wanted;
		cr_assert(apply_make(h.a, profile, &facts, &run, now, NULL, &again, &e));
		cr_assert_not(again.files[0].changes, "%u: the second time changes nothing", i);
	}
	return refused;
}

Test(apply_any, lines_of_others_survive_a_block)
{
	unsigned refused;

	setup_style("block");
	refused = run_cases(true);
	cr_expect(refused > CASES / 50 && refused < CASES / 2, "%u", refused);
}

Test(apply_any, a_file_of_ours_comes_back_as_it_was)
{
	setup_style("own");
	cr_expect_eq(run_cases(false), 0);
}

Test(apply_any, any_bytes_survive_the_record)
{
	setup_style("own");
	for (unsigned i = 0; i < CASES; i++) {
		struct text t = { .arena = h.a };
		const char *back;
		size_t len;

		text_bytes(&t, "", 0);
		for (unsigned n = any(60); n-- > 0;)
			text_bytes(&t, (const char[]){ (char)any(256) }, 1);
		back = undo_decode(h.a, undo_encode(h.a, t.s, t.len), &len);
		cr_assert(back != NULL && len == t.len && memcmp(back, t.s, len) == 0);
	}
	cr_expect_null(undo_decode(h.a, "%4", &(size_t){ 0 }));
	cr_expect_null(undo_decode(h.a, "%gg", &(size_t){ 0 }));
}

Test(apply_any, a_file_near_the_largest_is_handled)
{
	struct text t = { .arena = NULL };
	struct said s;
	size_t len;
	char *now;

	setup_style("block");
	t.arena = h.a;
	while (t.len < HUGE_BYTES)
		text_add(&t, "net.some.thing.%zu=1\r\n", t.len);
	box_put_bytes(h.conf, t.s, t.len);
	s = box_apply(&h, "-q");
	cr_assert_eq(s.status, 0, "%s", s.err);
	now = box_get_bytes(&h, h.conf, &len);
	cr_expect(len > t.len && memcmp(now, t.s, t.len) == 0);
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
	now = box_get_bytes(&h, h.conf, &len);
	cr_expect(len == t.len && memcmp(now, t.s, len) == 0);
}
