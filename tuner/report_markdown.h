/*
 * report_markdown: a run in Markdown, for an issue tracker: tables and the fragment, no figures.
 */
#ifndef PATHTUNE_REPORT_MARKDOWN_H
#define PATHTUNE_REPORT_MARKDOWN_H

#include "model.h"

char *report_markdown(struct arena *a, const struct run *run);

#endif
