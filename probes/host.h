/*
 * host: the one verb by which pathtune touches a system: run these commands, give me what they
 * said.  The transports (transport.h) stand behind it.
 *
 * Nothing is ever passed through a shell locally.  A command runs with stdin from /dev/null,
 * LC_ALL=C, a fixed PATH that includes the sbin directories and nothing else in its environment,
 * its own process group and a time limit; its stdout is kept up to HOST_OUTPUT_BYTES, more ends it.
 */
#ifndef PATHTUNE_HOST_H
#define PATHTUNE_HOST_H

#include "../tuner/base.h"

#define HOST_OUTPUT_BYTES ((size_t)256 * 1024)
#define HOST_TIMEOUT_S 5.0

struct command {
	const char *const *argv; /* NULL-terminated; NULL: file is read instead          */
	const char *file;        /* read this file; as a command it would be cat         */
	double timeout_s;        /* 0: HOST_TIMEOUT_S                                    */
	bool even_stopped;       /* a stop of ours does not end it: restoring needs it   */
};

struct output {
	int status;       /* exit status (a file: 0 or 1); -1: not started or ended */
	const char *text; /* stdout, never NULL, NUL bytes replaced by '?'                */
	size_t len;
	const char *why;  /* status not 0: what happened (first line of stderr), else NULL */
};

struct host;
struct transcript;

/* The path to a peer that a recording was made with. */
struct host_path {
	const char *peer; /* its numeric address; NULL: there was none */
	double rtt_ms;    /* NAN, here and below: not known */
	double send_bps;
	double receive_bps;
};

/*
 * name: "local"; "replay:DIR", which answers from DIR/transcript (transcript.h) and can be neither
 * set nor measured; "via:COMMAND", which starts COMMAND (split at blanks, no shell) for each
 * host_run() and gives it one script on standard input (script.h), as in "via:/bin/sh -s" or
 * "via:jexec www /bin/sh -s": read only as well.
 */
bool host_open(struct arena *a, const char *name, struct host **out, struct err *e);

/* A host that answers from a transcript in memory, as "replay:DIR" does from a file. */
struct host *host_replay(struct arena *a, const struct transcript *t);

/* True where values can be set and flows started: the local host. */
bool host_is_here(const struct host *h);

/* What is known of the path where nothing can be measured: of a recording.  NULL elsewhere. */
const struct host_path *host_path(const struct host *h);

/*
 * From now on every question and its last answer are kept, in a.  host_record_save() writes them
 * as DIR/transcript, redacted (transcript.h); origin is what the recording says of itself, path may
 * be NULL.  DIR is made if it is missing; one that holds a transcript already is refused at once.
 */
bool host_record(struct host *h, struct arena *a, const char *dir, struct err *e);
bool host_record_save(struct host *h, const char *origin, const struct host_path *path,
    struct err *e);

/*
 * Run n commands in order; out has n elements.  A command that fails is not an error here, its
 * status tells; false only when the host cannot be used at all or a stop was requested.  A stop
 * ends commands; files are read even so, because restoring needs it.
 */
bool host_run(struct host *h, struct arena *a, const struct command *c, size_t n,
    struct output *out, struct err *e);

/*
 * Write a value into a file of the kernel's (a knob), with one write.  Errors name the file and
 * errno's text, or say "read-only here (container or namespace)" or "needs root".
 */
bool host_write(struct host *h, const char *file, const char *value, struct err *e);

void host_close(struct host *h);

#endif
