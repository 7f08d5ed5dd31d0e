/*
 * report_try: the user's settings beside the present one, as a table, and what else is to be said
 * of each.
 */
#ifndef PATHTUNE_REPORT_TRY_H
#define PATHTUNE_REPORT_TRY_H

#include "report_page.h"

void report_tries(struct page *p, const struct direction_decision *d);

#endif
