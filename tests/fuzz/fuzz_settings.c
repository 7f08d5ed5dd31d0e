/* A file of settings or modules on a host: read as every system would, and our block put into it. */
#include "systems.h"

#include "tuner/fragment.h"

struct given {
	struct arena *arena;
	const char *text; /* not terminated */
	size_t len;
};

/* What would be seen in a text. */
struct seen {
	const struct fragment_setting *all;
	size_t n;
};

static struct seen
seen_in(struct arena *a, const struct persist_file *f, const char *text, size_t len)
{
	struct seen s;

	s.all = fragment_read(a, f, text, len, &s.n);
	return s;
}

static void
promise_settings(struct seen s, size_t len)
{
	unsigned line = 1;

	for (size_t i = 0; i < s.n; i++) {
		const struct fragment_setting *x = &s.all[i];

		promise(x->name[0] != '\0' && is_shown(x->name) && strchr(x->name, ' ') == NULL,
		    "a name is one word", x->name);
		promise(x->value != NULL && strchr(x->value, '\n') == NULL, "a value of one line",
		    x->value);
		/* Several may stand in one line where the reader takes words (OpenBSD). */
		promise(x->line >= line && x->line <= len + 1, "lines in order",
		    x->name);
		line = x->line;
	}
}

/* Our block as this file would have it. */
static char *
block_for(struct arena *a, const struct persist_file *f)
{
	static const struct substitution ours[] = { { "name", "net.inet.tcp.ours" },
		{ "value", "64" }, { NULL, NULL } };

	return arena_printf(a, "%s\n# why\n%s\n%s\n", FRAGMENT_BEGIN,
	    profile_expand(a, f->line, ours), FRAGMENT_END);
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static char *
merged(const struct given *g, const char *text, size_t len, const char *block)
{
	struct err e = { ERR_NONE, "" };
	char *out = NULL;

	promise(fragment_merge(g->arena, "f", text, len, block, &out, &e), "merged", e.text);
	promise(out != NULL, "a text", NULL);
	return out;
}

/*
 * none is the text without any block of ours, with the one with the new block.  Before the block
 * stands what stood there, behind it too, and of the text nothing but an old block is missing.
 */
static void
promise_around(const struct given *g, const char *none, const char *with, const char *block)
{
	const char *at = strstr(with, block);
	size_t n_none = strlen(none), n_block = strlen(block), before, behind;
	bool was_there = n_none < g->len;

	promise(at != NULL, "the block is there", with);
	before = (size_t)(at - with);
	behind = strlen(with) - before - n_block;
	promise(before == 0 || at[-1] == '\n', "the block begins a line", with);
	if (!was_there) { /* it was appended, to a whole line */
		promise(behind == 0, "appended at the end", with);
		promise(before == n_none || (before == n_none + 1 && none[n_none - 1] != '\n'),
		    "at most a newline is added", with);
		promise(n_none == g->len && memcmp(none, g->text, n_none) == 0 &&
		    memcmp(with, none, n_none) == 0, "the text stays", none);
		return;
	}
	promise(before + behind == n_none, "nothing else is gone", with);
	promise(memcmp(with, none, before) == 0 && memcmp(g->text, none, before) == 0,
	    "what stands before it stays", with);
	promise(memcmp(at + n_block, none + before, behind) == 0 &&
	    memcmp(g->text + g->len - behind, none + before, behind) == 0,
	    "what stands behind it stays", with);
	promise(begins(g->text + before, FRAGMENT_BEGIN), "only our block is gone", none);
}

/* The settings of both are the same but for the one of our block. */
static void
promise_ours(struct seen none, struct seen with)
{
	size_t j = 0, ours = 0;

	for (size_t i = 0; i < with.n; i++) {
		bool same = j < none.n && strcmp(none.all[j].name, with.all[i].name) == 0 &&
		    strcmp(none.all[j].value, with.all[i].value) == 0;

		if (same)
			j++;
		else
			ours++;
	}
	promise(j == none.n && ours == 1, "our setting beside the others", NULL);
}

static void
merge(const struct given *g, const struct persist_file *f)
{
	struct err e = { ERR_NONE, "" };
	char *block = block_for(g->arena, f), *with = NULL, *none, *again;
	bool ok = fragment_merge(g->arena, "f", g->text, g->len, block, &with, &e);

	promise_reason(ok, &e);
	promise(ok || begins(e.text, "f:"), "the file is named", e.text);
	if (!ok)
		return;
	none = merged(g, g->text, g->len, NULL);
	promise_around(g, none, with, block);
	promise(strcmp(with, merged(g, with, strlen(with), block)) == 0, "merged once for all",
	    with);
	again = merged(g, with, strlen(with), NULL);
	promise(begins(again, none) && (strcmp(again, none) == 0 ||
	    strcmp(again + strlen(none), "\n") == 0), "removed, and nothing else", again);
	promise_ours(seen_in(g->arena, f, none, strlen(none)),
	    seen_in(g->arena, f, with, strlen(with)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct profile *p;

	for (size_t i = 0; (p = system_at(i)) != NULL; i++) {
		const struct persist_file *const files[] = { &p->persist.settings,
			&p->persist.modules };

		for (size_t j = 0; j < NELEM(files); j++) {
			struct given g = { arena_new(), (const char *)data, size };

			promise_settings(seen_in(g.arena, files[j], g.text, g.len), g.len);
			if (files[j]->line != NULL)
				merge(&g, files[j]);
			arena_free(g.arena);
		}
	}
	return 0;
}
