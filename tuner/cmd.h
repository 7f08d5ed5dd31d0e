/*
 * cmd: what the commands share: their table entry and their options.
 *
 * Results go to stdout, everything else to stderr.  A command returns false with an error; only
 * main() prints it and turns it into the exit status.  Each cmd_NAME.c defines one entry.
 */
#ifndef PATHTUNE_CMD_H
#define PATHTUNE_CMD_H

#include "model.h"

struct cmd_context {
	struct arena *arena;
	bool json;      /* --json: one document on stdout */
	bool quiet;     /* -q: no progress, no notes */
	bool tty;       /* stderr is a terminal and TERM is not dumb: progress may be shown */
	bool color;     /* stdout is a terminal and NO_COLOR is not set */
	bool progress;  /* the live line is there */
	const char *program; /* path by which this program can be started again */
	int status;     /* exit status of a success: 0, or what the command sets (exec) */
	/* A whole command, in a process forked for it: its errors are printed; its exit status. */
	int (*again)(const char *program, int argc, char **argv);
};

struct cmd {
	const char *name;
	const char *synopsis; /* after "pathtune NAME" */
	const char *summary;  /* one line for the list */
	bool (*run)(struct cmd_context *c, int argc, char **argv, struct err *e);
};

extern const struct cmd cmd_agent;
extern const struct cmd cmd_advise, cmd_apply, cmd_check, cmd_confirm, cmd_demo;
extern const struct cmd cmd_import, cmd_lab, cmd_module, cmd_probe, cmd_profile;
extern const struct cmd cmd_fleet;
extern const struct cmd cmd_compare, cmd_measure;
extern const struct cmd cmd_revert, cmd_serve, cmd_show, cmd_tune;

enum opt_type {
	OPT_FLAG,     /* bool */
	OPT_STRING,   /* const char *; not empty */
	OPT_OPTIONAL, /* const char *; "--flag=X", or "" for "--flag" alone */
	OPT_NUMBER,   /* double, and so are the following; within min..max */
	OPT_RATE, OPT_BYTES, OPT_TIME, OPT_FRACTION,
	OPT_ENUM,     /* int, an index into names */
	OPT_WORDS,    /* struct opt_words; may be given several times */
};

struct opt_words {
	const char **words;
	size_t n;
};

struct opt {
	const char *name;  /* long, without dashes */
	char letter;       /* or 0 */
	enum opt_type type;
	void *dst;         /* holds the default; untouched when the flag is not given */
	double min, max;   /* both 0: anything legal; otherwise min..max inclusive */
	const char *const *names; /* OPT_ENUM: NULL-terminated */
	const char *arg;   /* what help calls the argument */
	const char *help;
	bool given;        /* set by cmd_options */
};

/*
 * Parse argv[1..] by the table (which ends with a NULL name); -h/--help, --json and -q are
 * known everywhere.  Words that are not flags come out in order; with stop_at_word the rest after
 * the first word is left alone (for exec).  A flag that takes one value and is given twice, one
 * that is unknown or without its argument is ERR_USAGE naming it.  *help is set when help was asked
 * for: it has been printed, return true.
 */
bool cmd_options(struct cmd_context *c, const struct cmd *cmd, struct opt *opts, int argc,
    char **argv, bool stop_at_word, const char ***words, size_t *n_words, bool *help,
    struct err *e);

struct host_access;

/* ssh://.. ; NULL is no name of anything. */
bool cmd_is_ssh(const char *name);

/*
 * The command's own flags (a table as above) and behind them those by which a HOST is reached; they
 * are refused where neither it nor the peer is an ssh:// one (NULL: there is none).
 */
struct opt *cmd_access_flags(struct arena *a, const struct opt *own, struct host_access *x);

/* The same with those by which a transfer between it and a peer is made. */
struct opt *cmd_peer_flags(struct arena *a, const struct opt *own, struct host_access *x);

bool cmd_access_check(const struct opt *opts, const char *host, const char *peer, struct err *e);

/* The entry of this name in an opt table, to ask for its "given". */
bool cmd_given(const struct opt *opts, const char *name);

/*
 * One live line on the terminal: replaces the last one, and is cut at the terminal's width, because
 * a wrapped line would not be replaced; nothing unless tty and not quiet.  cmd_progress_end()
 * clears it.
 */
void cmd_progress(struct cmd_context *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void cmd_progress_end(struct cmd_context *c);

/* Read a run file; a schema that is not ours is an error that names it. */
bool cmd_run_load(struct arena *a, const char *path, struct run *run, struct err *e);

/* The facts in what probe --json printed, or in a run file. */
bool cmd_facts_load(struct arena *a, const char *path, struct facts *f, struct err *e);

/* On stdout: the document with --json, else the story. */
void cmd_run_print(struct cmd_context *c, const struct run *run);

/* Write it, atomically; a new file is its owner's alone. */
bool cmd_run_save(struct arena *a, const char *path, const struct run *run, struct err *e);

/*
 * Write the run's files below dir, as they would lie on the host; a note tells of those that are
 * only our block of a file that others own.
 */
bool cmd_run_out(struct cmd_context *c, const char *dir, const struct run *run, struct err *e);

/*
 * The token of a run: from file, from standard input if from_stdin, else from PATHTUNE_TOKEN; NULL
 * for a peer that knows none.  Both flags at once, one where there is no token, or no source at all
 * are ERR_USAGE.
 */
bool cmd_token(struct arena *a, const char *peer, const char *file, bool from_stdin,
    const char **token, struct err *e);

/* 2026-11-22T05:13:51Z */
const char *cmd_utc_now(struct arena *a);

/* A note on stderr, unless -q. */
void cmd_note(struct cmd_context *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
