/*
 * report_import: what a table of results can and cannot show, in words for a person.
 */
#ifndef PATHTUNE_REPORT_IMPORT_H
#define PATHTUNE_REPORT_IMPORT_H

#include "import.h"

char *report_import(struct arena *a, const struct import_table *t, const struct import_system *s,
    const struct import_result *r);

#endif
