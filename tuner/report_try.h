/*
 * report_try: the user's settings beside the present one, as a table, and what else is to be said
 * of each.
 */
#ifndef PATHTUNE_REPORT_TRY_H
#define PATHTUNE_REPORT_TRY_H

#include "report_page.h"

void report_tries(struct page *p, const struct direction_decision *d);

/* The same as phrases, none of them escaped; "" where there is nothing to say. */
const char *report_try_verdict(const struct try_result *r);
const char *report_try_effect(struct arena *a, const struct effect *x);
const char *report_try_legend(struct arena *a, const struct direction_decision *d);

/* What the i-th setting sets, and why it is not taken. */
const char *report_try_details(struct arena *a, const struct direction_decision *d, size_t i);

/* Whether sockets were pinned, so that strata[] have sizes. */
bool report_try_pinned(const struct direction_decision *d);

#endif
