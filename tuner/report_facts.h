/*
 * report_facts: what a probe found -> words for a person, one screen.
 */
#ifndef PATHTUNE_REPORT_FACTS_H
#define PATHTUNE_REPORT_FACTS_H

#include "model.h"

/* Aligned lines; what is not known comes last, with the reason. */
char *report_facts(struct arena *a, const struct facts *f);

#endif
