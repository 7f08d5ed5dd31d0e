#include "tuner/diff.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

TestSuite(diff, .init = setup, .fini = teardown);

static struct diff_text
text(const char *s)
{
	return (struct diff_text){ s, s == NULL ? 0 : strlen(s) };
}

Test(diff, says_what_diff_says)
{
	static const struct {
		const char *old, *new, *said;
	} t[] = {
		{ "a\n", "a\n", "" },
		{ NULL, "a\nb\n", "--- /dev/null\n+++ f\n@@ -0,0 +1,2 @@\n+a\n+b\n" },
		{ "a\n", NULL, "--- f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n" },
		{ "a", "a\n", "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n"
		    "+a\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
		    "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
		    "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n"
		    " 8\n-9\n+y\n" },
		{ "\033[2Ja\r\n", "b\n", "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-?[2Ja?\n+b\n" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		cr_expect_str_eq(diff_unified(a, "f", text(t[i].old), text(t[i].new)), t[i].said,
		    "%zu", i);
}

/* The new text by the old one and the diff, or NULL. */
static const char *
patched(const char *old, const char *diff)
{
	struct text t = { .arena = a };
	unsigned long at = 1;

	text_bytes(&t, "", 0);
	for (const char *end; *diff != '\0'; diff = end + 1) {
		end = strchr(diff, '\n');
		if (strncmp(diff, "---", 3) == 0 || strncmp(diff, "+++", 3) == 0)
			continue;
		if (*diff == '@') {
			unsigned long from = strtoul(diff + 4, NULL, 10);

			for (; at < from; at++) {
				text_bytes(&t, old, strcspn(old, "\n") + 1);
				old += strcspn(old, "\n") + 1;
			}
			continue;
		}
		if (*diff != '+') {
			if (strncmp(old, diff + 1, (size_t)(end - diff)) != 0)
				return NULL;
			old += end - diff;
			at++;
		}
		if (*diff != '-')
			text_bytes(&t, diff + 1, (size_t)(end - diff));
	}
	text_add(&t, "%s", old);
	return t.s;
}

static const char *
any_lines(unsigned *seed)
{
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (unsigned n = *seed >> 8 & 31; n-- > 0;) {
		*seed = *seed * 1103515245u + 12345u;
		text_add(&t, "line %u\n", *seed >> 16 & 3);
	}
	*seed = *seed * 1103515245u + 12345u;
	return t.s;
}

Test(diff, can_be_applied)
{
	unsigned seed = 7;

	for (unsigned i = 0; i < 3000; i++) {
		const char *old = any_lines(&seed), *new = any_lines(&seed), *is;

		is = patched(old, diff_unified(a, "f", text(old), text(new)));
		cr_assert(is != NULL && strcmp(is, new) == 0, "%u", i);
	}
}

Test(diff, of_parts_too_large_to_compare_is_said_whole)
{
	struct text old = { .arena = a }, new = { .arena = a };

	for (unsigned i = 0; i < 2000; i++) {
		text_add(&old, "old %u\n", i);
		text_add(&new, "new %u\n", i);
	}
	cr_expect_str_eq(patched(old.s, diff_unified(a, "f", text(old.s), text(new.s))), new.s);
}
