/*
 * process: one program run to its end within limits, fed and listened to.
 */
#ifndef PATHTUNE_PROCESS_H
#define PATHTUNE_PROCESS_H

#include "host.h"

#include <sys/types.h>

/* Where programs are looked for: those of the system, whatever the user's PATH is. */
#define PROCESS_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct process_spec {
	const char *const *argv;
	bool as_user;        /* the user's command: with his environment and PATH, and SIGTERM
				before SIGKILL; else LC_ALL=C and PROCESS_PATH */
	const char *input;   /* for stdin; NULL: /dev/null */
	size_t input_len;
	double timeout_s;
	size_t output_bytes; /* more stdout than this ends it */
	bool even_stopped;   /* a stop of ours does not end it */
};

/*
 * It runs in a process group of its own; what ends it (time, output, a stop of ours) kills the
 * group.  out is as after host_run(), also when it could not be started.  Input needs SIGPIPE to be
 * ignored (stop_install()).
 */
void process_run(struct arena *a, const struct process_spec *spec, struct output *out);

/*
 * Start argv with fds (above 2) as its standard descriptors, in a process group of its own, with
 * the environment that as_user tells; and end it: SIGTERM, a second later SIGKILL.
 */
bool process_start(struct arena *a, const char *const *argv, bool as_user, const int fds[3],
    pid_t *pid, struct err *e);
void process_end(pid_t pid);

/* It was told to end otherwise: a second for that, then SIGKILL for its group. */
void process_leave(pid_t pid);

/* A pipe, both ends above 2 and closed in what is started later. */
bool process_pipe(int ends[2]);

/* In a forked child: close whatever is above 2 and not one of keep; -1 is passed over. */
void process_let_go(const int *keep, size_t n);

/*
 * In a forked child that works for us from now on: a process group of its own, none of our signal
 * handlers, SIGPIPE ignored, /dev/null as its standard descriptors, and nothing else open but keep.
 */
void process_alone(const int *keep, size_t n);

#endif
