#include "report_page.h"

#include <stdint.h>
#include <string.h>

void
page_say(struct page *p, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(p->t.arena, fmt, ap);
	va_end(ap);
	text_disarm(s);
	text_bytes(&p->t, s, strlen(s));
}

void
page_bold(struct page *p, const char *words)
{
	text_add(&p->t, "%s", p->color ? "\033[1m" : "");
	page_say(p, "%s", words);
	text_add(&p->t, "%s\n", p->color ? "\033[0m" : "");
}

void
page_wrapped(struct page *p, const char *indent, const char *words)
{
	struct text t = { .arena = p->t.arena };

	text_wrap(&t, indent, p->unbroken ? SIZE_MAX : PAGE_COLUMNS, words);
	page_say(p, "%s", t.len == 0 ? "" : t.s);
}

void
page_files(struct page *p, const struct run *run)
{
	for (size_t i = 0; i < run->n_files; i++) {
		page_say(p, "\n");
		page_bold(p, run->files[i].path);
		for (const char *s = run->files[i].text; *s != '\0';) {
			size_t n = strcspn(s, "\n");

			page_say(p, "  %.*s\n", (int)n, s);
			s += n + (s[n] == '\n');
		}
	}
}
