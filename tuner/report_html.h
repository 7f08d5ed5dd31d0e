/*
 * report_html: a run -> one page that needs nothing else: no network, no script; light and dark,
 * for a screen of a hand's width and for paper.
 */
#ifndef PATHTUNE_REPORT_HTML_H
#define PATHTUNE_REPORT_HTML_H

#include "model.h"

char *report_html(struct arena *a, const struct run *run);

#endif
