/*
 * cmd_fleet: what the files of the fleet's command share.
 */
#ifndef PATHTUNE_CMD_FLEET_H
#define PATHTUNE_CMD_FLEET_H

#include "cmd.h"
#include "fleet.h"

struct fleet_asked {
	const char *file, *limit, *out, *failed;
	double jobs, time_limit_s; /* NAN: as the command needs */
	bool resume;
	int command;
	const char *const *words;  /* of the command, without the host */
	size_t n_words;
};

/* One host of the run; n of them beside the jobs of the queue. */
struct fleet_row {
	struct fleet_result result;
	const char *about;  /* its document in a word, "" for none */
	bool reported;
};

struct fleet {
	struct cmd_context *cmd;
	const struct fleet_asked *asked;
	struct inventory inventory;
	struct fleet_queue queue;
	struct fleet_row *rows;
	const char *dir;    /* of the results, NULL: none are kept */
	size_t before;      /* hosts that were done before */
	size_t good, pending, failed;
};

/* One process a host until all are over, or a stop. */
bool fleet_run(struct fleet *f, struct err *e);

/* ---- files (cmd_fleet_files.c) --------------------------------------------------------------- */

bool fleet_inventory_load(struct arena *a, const char *path, struct inventory *v, struct err *e);

/* The words of --limit, those of a file behind @ included. */
bool fleet_limit(struct fleet *f, bool *chosen, struct err *e);

/*
 * The directory of the results, made; one that holds some is refused unless they are to be gone on
 * with: then what is done is not chosen any more.
 */
bool fleet_dir_open(struct fleet *f, bool *chosen, struct err *e);

/* A document that came, or why none did, with what was said. */
bool fleet_keep(struct fleet *f, const struct fleet_result *r, const char *document, size_t len,
    const char *said, struct err *e);

/* The names of those that are not done, where --failed or --out says. */
bool fleet_failed_write(struct fleet *f, struct err *e);

#endif
