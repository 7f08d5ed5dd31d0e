/*
 * docs/pathtune-profile.5 and the tables of profile_read.c know the same keys.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "probes/files.h"
#include "tuner/profile.h"
#include "tuner/profile_read.h"

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

TestSuite(profile_doc, .init = setup, .fini = teardown);

#define PAGE TESTS_DIR "/../docs/pathtune-profile.5"

static const char *
page(void)
{
	struct err e = { 0 };
	const char *text;
	size_t len;

	cr_assert(files_read(arena, PAGE, 1 << 20, &text, &len, &e), "%s", e.text);
	return text;
}

/* A key stands behind .Sy or .Ss, alone or in a list with commas. */
static bool
is_told(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *at = strstr(text, key); at != NULL; at = strstr(at + 1, key)) {
		const char *line = at;

		while (line > text && line[-1] != '\n')
			line--;
		if (at > text && at[-1] == ' ' && (isspace((unsigned char)at[n]) || at[n] == '\0') &&
		    (strncmp(line, ".It Sy ", 7) == 0 || strncmp(line, ".Ss ", 4) == 0 ||
		    strncmp(line, ".Sy ", 4) == 0))
			return true;
	}
	return false;
}

static void
expect_told(const char *text, const struct record *r, unsigned depth)
{
	cr_assert_lt(depth, 8u);
	for (const struct field *f = r->fields; f->name != NULL; f++) {
		cr_expect(is_told(text, f->name), "%s of %s is not in the page", f->name, r->name);
		if (f->record != NULL)
			expect_told(text, f->record, depth + 1);
		for (size_t i = 0; f->names != NULL && f->names[i] != NULL; i++)
			cr_expect(strstr(text, f->names[i]) != NULL, "%s: %s of %s is not in the page",
			    r->name, f->names[i], f->name);
	}
}

static bool
is_key(const struct record *r, const char *word)
{
	for (const struct field *f = r->fields; f->name != NULL; f++) {
		if (strcmp(f->name, word) == 0 || (f->record != NULL && is_key(f->record, word)))
			return true;
	}
	return false;
}

Test(profile_doc, every_key_and_every_word_of_a_choice_is_told)
{
	expect_told(page(), &profile_record, 0);
	expect_told(page(), &hypervisors_record, 0);
}

Test(profile_doc, every_profile_s_reasons_stand_in_docs_decisions)
{
	const char *page, *name, *text;
	struct err e = { ERR_NONE, "" };
	struct profile *p;
	size_t len, told = 0;

	cr_assert(files_read(arena, TESTS_DIR "/../docs/decisions.md", 1 << 20, &page, &len, &e),
	    "%s", e.text);
	for (size_t i = 0; (name = profile_embedded(i, &text, &len)) != NULL; i++) {
		cr_assert(profile_named(arena, name, &p, &e), "%s", e.text);
		for (size_t k = 0; k < p->n_requires; k++, told++)
			cr_expect_not_null(strstr(page, arena_printf(arena, "| `%s`",
			    p->requires[k].reason)), "%s: %s", name, p->requires[k].reason);
		for (size_t k = 0; k < p->n_extras; k++, told++)
			cr_expect(strstr(page, arena_printf(arena, "| `%s`", p->extras[k].reason)) ||
			    strstr(page, arena_printf(arena, ", `%s`", p->extras[k].reason)), "%s: %s",
			    name, p->extras[k].reason);
	}
	cr_expect_gt(told, 10);
}

Test(profile_doc, no_other_key_is_told)
{
	char *copy = arena_strdup(arena, page()), *lines = NULL, *words = NULL;
	unsigned told = 0;

	for (char *l = strtok_r(copy, "\n", &lines); l != NULL; l = strtok_r(NULL, "\n", &lines)) {
		if (strncmp(l, ".It Sy ", 7) != 0)
			continue;
		for (char *w = strtok_r(l + 7, " ,", &words); w != NULL; w = strtok_r(NULL, " ,", &words)) {
			cr_expect(is_key(&profile_record, w) || is_key(&hypervisors_record, w),
			    "there is no key %s", w);
			told++;
		}
	}
	cr_expect_gt(told, 60u);
}
