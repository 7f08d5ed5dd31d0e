/*
 * report_page: what reports of one screen are made of.  Facts, files and saved runs are somebody
 * else's text: nothing of it reaches the terminal as it is.
 */
#ifndef PATHTUNE_REPORT_PAGE_H
#define PATHTUNE_REPORT_PAGE_H

#include "model.h"

#define PAGE_COLUMNS 92

struct page {
	struct text t;
	bool color;
	bool unbroken; /* no line is broken: whoever shows them does that */
};

/* Control characters of the words are disarmed. */
void page_say(struct page *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A line of its own. */
void page_bold(struct page *p, const char *words);

/* Broken at PAGE_COLUMNS unless unbroken, every line with the indent before it. */
void page_wrapped(struct page *p, const char *indent, const char *words);

/* The run's files, each with its path above. */
void page_files(struct page *p, const struct run *run);

#endif
