/*
 * cmd_persist: what apply, confirm, revert and check share.
 */
#ifndef PATHTUNE_CMD_PERSIST_H
#define PATHTUNE_CMD_PERSIST_H

#include "pipeline_apply.h"

#define CMD_PENDING 3 /* exit status: changes pending, or drift */

/* Does the word name a host, not a file? */
bool cmd_is_host(const char *word);

/*
 * Open the host, and look who is at work on one that is reached through a shell.  A recording is
 * refused where the command changes something.
 */
bool cmd_persist_open(struct pipeline *p, const char *command, struct err *e);

/*
 * Open the host; an apply that waits to be confirmed is an error when the command sets values; then
 * the facts.
 */
bool cmd_persist_probe(struct pipeline *p, const char *command, struct err *e);

/* The plan of an apply, on stdout; with --json nothing. */
void cmd_plan_print(struct cmd_context *c, const struct apply_job *j);

void cmd_diff_print(struct cmd_context *c, const char *diff);

/* What came of it on the host (NULL: local), on stdout: the document with --json. */
void cmd_result_print(struct cmd_context *c, const char *host, const struct apply_result *r);

/* Is there somebody who can be asked? */
bool cmd_may_ask(const struct cmd_context *c);

/*
 * Ask on the terminal, unless yes.  Without a terminal it is ERR_USAGE to ask; a no is ERR_FAILED.
 */
bool cmd_agree(struct cmd_context *c, bool yes, const char *question, struct err *e);

/* How a run is to be put in force. */
struct cmd_apply_asked {
	const char *profile; /* NULL: the embedded one */
	const char *host;    /* NULL: local */
	struct host_access access;
	bool dry, yes;
	double confirm_s;    /* NAN: for good */
};

/*
 * All that apply does with a run that was read, on the host as it is now; name is what the
 * record and errors call the run.  Probes, says what would change, asks, changes, and says what
 * came of it; values that did not hold are ERR_FAILED, after the rest was put in force.
 */
bool cmd_apply_run(struct cmd_context *c, const struct run *wanted, const char *name,
    const struct cmd_apply_asked *x, struct err *e);

#endif
