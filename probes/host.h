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

#include <sys/types.h>

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

/* How an ssh:// host is reached, and who asks there.  All zero is fine; nothing of it elsewhere. */
struct host_access {
	const char *identity; /* file with a private key, tried first; NULL: none */
	const char *agent;    /* path of a pathtune there; NULL: where programs are */
	const char *config;   /* ssh_config(5) to obey; "": the user's own; NULL: none */
	bool accept_new;      /* record the key of a host that known_hosts does not have */
	int become;           /* an index into host_become_names */
	const char *here;     /* this machine's address, as the host reaches it; NULL: find it */
	double timeout_s;     /* for the login, and of silence later; 0: HOST_SSH_TIMEOUT_S */
};

#define HOST_SSH_TIMEOUT_S 15.0
extern const char *const host_become_names[]; /* "none", "sudo", "doas", NULL */

/* Names that a recording is not to tell. */
#define HOST_NAMES 3
struct host_names {
	const char *hosts[HOST_NAMES]; /* up to the first that is NULL */
	const char *user;              /* or NULL; root says nothing */
};

/*
 * name: "local"; "replay:DIR", which answers from DIR/transcript (transcript.h) and can be neither
 * set nor measured; "via:COMMAND", which starts COMMAND (split at blanks, no shell) for each
 * host_run() and gives it one script on standard input (script.h), as in "via:/bin/sh -s" or
 * "via:jexec www /bin/sh -s"; "ssh://[user@]name[:port]", a login by key, with
 * one script for each host_run() as well.  access may be NULL.
 */
bool host_open(struct arena *a, const char *name, struct host **out, struct err *e);
bool host_open_by(struct arena *a, const char *name, const struct host_access *access,
    struct host **out, struct err *e);

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

/*
 * Start a program there that goes on beside us, as host_run() would, but without a time limit: in
 * is its standard input and out its standard output, both ours to close, pid a child of ours that
 * is its end here; what it says on stderr is lost.  Returns when it was started, false when it is
 * not there.  ssh: a login of its own, so it does not wait for host_run(), nor that for it.
 * It has to end by itself when its standard input does, which is also so when we are dead: one that
 * never reads it needs a shell that does so beside it.  host_end() closes both, waits a second at
 * most, and kills then what is of it here.
 */
struct host_child {
	int in, out;
	pid_t pid;
};

bool host_start(struct host *h, struct arena *a, const char *const *argv, struct host_child *out,
    struct err *e);
void host_end(struct host_child *c);

void host_close(struct host *h);

#endif
