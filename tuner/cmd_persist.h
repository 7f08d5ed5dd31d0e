/*
 * cmd_persist: what apply, confirm, revert and check share.
 */
#ifndef PATHTUNE_CMD_PERSIST_H
#define PATHTUNE_CMD_PERSIST_H

#include "pipeline_apply.h"

#define CMD_PENDING 3 /* exit status: changes pending, or drift */

/*
 * Open the host; an apply that waits to be confirmed is an error when the command sets values; then
 * the facts.
 */
bool cmd_persist_probe(struct pipeline *p, const char *command, struct err *e);

/* The plan of an apply, on stdout; with --json nothing. */
void cmd_plan_print(struct cmd_context *c, const struct apply_job *j);

void cmd_diff_print(struct cmd_context *c, const char *diff);

/* What came of it, on stdout: the document with --json. */
void cmd_result_print(struct cmd_context *c, const struct apply_result *r);

/*
 * Ask on the terminal, unless yes.  Without a terminal it is ERR_USAGE to ask; a no is ERR_FAILED.
 */
bool cmd_agree(struct cmd_context *c, bool yes, const char *question, struct err *e);

#endif
