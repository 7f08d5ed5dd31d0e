#include "diff.h"

#include <string.h>

#define CONTEXT 3
#define CELLS ((size_t)1000 * 1000) /* of the table that finds what lines are common */

struct line {
	const char *s;
	size_t len; /* with its newline, where it has one */
};

struct lines {
	struct line *line;
	size_t n;
};

/* One line of the result: kept, taken away or added. */
struct edit {
	char mark;
	struct line line;
};

struct edits {
	struct arena *arena;
	struct edit *edit;
	size_t n;
};

static struct lines
split(struct arena *a, struct diff_text t)
{
	struct lines all = { NULL, 0 };
	size_t at, len;

	for (at = 0; t.text != NULL && at < t.len; at += len) {
		const char *end = memchr(t.text + at, '\n', t.len - at);

		len = end == NULL ? t.len - at : (size_t)(end - (t.text + at)) + 1;
		*(struct line *)arena_push(a, &all.line, &all.n, sizeof(*all.line)) =
		    (struct line){ t.text + at, len };
	}
	return all;
}

static bool
same(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

static void
put(struct edits *e, char mark, const struct line *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*(struct edit *)arena_push(e->arena, &e->edit, &e->n, sizeof(*e->edit)) =
		    (struct edit){ mark, from[i] };
}

/* The longest common subsequence of what is left between the common beginning and end. */
static void
middle(struct edits *e, const struct line *a, size_t n, const struct line *b, size_t m)
{
	size_t *common, i = 0, j = 0, row = m + 1;

	if (n != 0 && m != 0 && (n + 1) <= CELLS / (m + 1)) {
		common = arena_array(e->arena, (n + 1) * row, sizeof(*common));
		for (i = n; i-- > 0;) {
			for (j = m; j-- > 0;) {
				size_t down = common[(i + 1) * row + j],
				       right = common[i * row + j + 1];

				common[i * row + j] = same(&a[i], &b[j]) ?
				    common[(i + 1) * row + j + 1] + 1 : down > right ? down : right;
			}
		}
		for (i = j = 0; i < n && j < m;) {
			if (same(&a[i], &b[j])) {
				put(e, ' ', &a[i++], 1);
				j++;
			} else if (common[(i + 1) * row + j] >= common[i * row + j + 1]) {
				put(e, '-', &a[i++], 1);
			} else {
				put(e, '+', &b[j++], 1);
			}
		}
	}
	put(e, '-', a + i, n - i);
	put(e, '+', b + j, m - j);
}

static void
compare(struct edits *e, const struct lines *a, const struct lines *b)
{
	size_t head = 0, tail = 0;

	while (head < a->n && head < b->n && same(&a->line[head], &b->line[head]))
		head++;
	while (tail < a->n - head && tail < b->n - head &&
	    same(&a->line[a->n - 1 - tail], &b->line[b->n - 1 - tail]))
		tail++;
	put(e, ' ', a->line, head);
	middle(e, a->n == 0 ? NULL : a->line + head, a->n - head - tail,
	    b->n == 0 ? NULL : b->line + head, b->n - head - tail);
	put(e, ' ', a->n == 0 ? NULL : a->line + a->n - tail, tail);
}

static void
print_line(struct text *t, const struct edit *e)
{
	size_t len = e->line.len;
	bool ends = len != 0 && e->line.s[len - 1] == '\n';

	text_bytes(t, &e->mark, 1);
	for (size_t i = 0; i < len - ends; i++) {
		unsigned char c = (unsigned char)e->line.s[i];

		text_bytes(t, (c < ' ' && c != '\t') || c == 0x7f ? "?" : (const char *)&c, 1);
	}
	text_add(t, ends ? "\n" : "\n\\ No newline at end of file\n");
}

/* Edits from..to are one hunk; a and b lines stand before it. */
static void
print_hunk(struct text *t, const struct edits *e, size_t from, size_t to, size_t a, size_t b)
{
	size_t n = 0, m = 0;

	for (size_t i = from; i < to; i++) {
		n += e->edit[i].mark != '+';
		m += e->edit[i].mark != '-';
	}
	text_add(t, "@@ -%zu,%zu +%zu,%zu @@\n", n == 0 ? a : a + 1, n, m == 0 ? b : b + 1, m);
	for (size_t i = from; i < to; i++)
		print_line(t, &e->edit[i]);
}

/* Where the hunk ends that has its first change at i. */
static size_t
hunk_end(const struct edits *e, size_t i)
{
	size_t kept = 0;

	for (; i < e->n && kept <= 2 * (size_t)CONTEXT; i++)
		kept = e->edit[i].mark == ' ' ? kept + 1 : 0;
	return kept > CONTEXT ? i - (kept - CONTEXT) : i;
}

char *
diff_unified(struct arena *a, const char *path, struct diff_text old, struct diff_text new)
{
	struct lines from = split(a, old), to = split(a, new);
	struct edits e = { .arena = a };
	struct text t = { .arena = a };
	size_t before_a = 0, before_b = 0, done = 0;

	text_bytes(&t, "", 0);
	compare(&e, &from, &to);
	for (size_t i = 0; i < e.n; i++) {
		size_t begin, end;

		if (e.edit[i].mark == ' ')
			continue;
		begin = i - done < CONTEXT ? done : i - CONTEXT;
		end = hunk_end(&e, i);
		if (t.len == 0)
			text_add(&t, "--- %s\n+++ %s\n", old.text == NULL ? "/dev/null" : path,
			    new.text == NULL ? "/dev/null" : path);
		before_a += begin - done;
		before_b += begin - done;
		print_hunk(&t, &e, begin, end, before_a, before_b);
		for (; begin < end; begin++) {
			before_a += e.edit[begin].mark != '+';
			before_b += e.edit[begin].mark != '-';
		}
		done = end;
		i = end - 1;
	}
	text_disarm(t.s);
	return t.s;
}
