/*
 * report_nic: advice on the model of the NIC, and the plan in full, in words.
 */
#ifndef PATHTUNE_REPORT_NIC_H
#define PATHTUNE_REPORT_NIC_H

#include "report_page.h"

/*
 * Nothing without a verdict.  An offer is two lines, with the command that prints its plan; the
 * plan stands below advice to switch, and where it was asked for.
 */
void report_nic(struct page *p, const struct run *run);

/* The same as a text of its own; NULL: nothing is to be said. */
const char *report_nic_text(struct arena *a, const struct run *run, bool unbroken);

#endif
