/*
 * fleet: one command on many hosts: the words of each, who may run beside whom, what came of it.
 * Pure; the processes are those of probes/children.h.
 */
#ifndef PATHTUNE_FLEET_H
#define PATHTUNE_FLEET_H

#include "inventory.h"

#define FLEET_SCHEMA "pathtune-fleet/1"

/* The command of this name, an index into inventory_commands; -1: none. */
int fleet_command(const char *name);

/*
 * The words of a command for a host, NULL-terminated: its name, --json, what the inventory says
 * about the host as far as the words of the command line do not say it, these words with their
 * variables replaced, the host.
 */
bool fleet_argv(struct arena *a, const struct inventory_host *h, int command,
    const char *const *words, size_t n_words, const char ***argv, size_t *n, struct err *e);

/* ---- whose turn ------------------------------------------------------------------------------ */

struct fleet_job {
	const struct inventory_host *host;
	size_t places[2]; /* it measures there: itself and its peer */
	bool begun, over;
};

struct fleet_queue {
	struct fleet_job *jobs;
	size_t n_jobs;
	size_t next;  /* all before it have begun */
	bool apart;   /* jobs that share a place do not run at the same time */
	bool *busy;   /* places */
};

/*
 * Jobs for the hosts that are chosen, in their order.  Measurements that share a machine disturb
 * each other: apart keeps hosts with the same peer apart, whatever port or scheme it is named with,
 * and a host from being measured while it is somebody's peer.
 */
void fleet_queue_make(struct arena *a, const struct inventory *v, const bool *chosen, bool apart,
    struct fleet_queue *out);

/* A job that may begin now; it has begun.  NULL: all have, or must wait. */
struct fleet_job *fleet_queue_next(struct fleet_queue *q);
void fleet_queue_over(struct fleet_queue *q, struct fleet_job *job);

/* ---- what came of it ------------------------------------------------------------------------- */

struct fleet_result {
	const char *schema;
	const char *host, *target, *command;
	double status;     /* exit status of the command; NAN: it was ended, or never begun */
	double seconds;
	const char *error; /* NULL: none */
};

/* "0", or "3" where changes are pending: not a failure. */
bool fleet_is_good(const struct fleet_result *r);

/* One line of JSON, with the document as its last member. */
const char *fleet_result_json(struct arena *a, const struct fleet_result *r, const char *document);

/* A document on one line; false when it is none. */
bool fleet_document(struct arena *a, const char *text, size_t len, const char **out,
    const char **about, struct err *e);

/* What stderr tells at its end, as one harmless line, without the program's name. */
const char *fleet_reason(struct arena *a, const char *said);

#endif
