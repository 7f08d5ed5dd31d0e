/*
 * peer_child: a server in a process of its own, for tests.  It tells its port and token by a pipe;
 * it ends by itself after CHILD_LIFE_S, so that a failing test leaves nothing behind.
 */
#ifndef PATHTUNE_TEST_PEER_CHILD_H
#define PATHTUNE_TEST_PEER_CHILD_H

#include "probes/peer.h"
#include "probes/peer_wire.h"
#include "probes/stop.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_LIFE_S 60.0
#define CHILD_TOKEN "a-given-token-of-the-tests"

/* Of the test that runs. */
static struct arena *a;

static inline void
child_suite(void)
{
	struct err e = { .code = ERR_NONE };

	signal(SIGPIPE, SIG_IGN);
	a = arena_new();
	cr_assert(wire_start(&e), "%s", e.text);
}

static inline void
child_suite_end(void)
{
	arena_free(a);
}

struct child {
	pid_t pid;
	FILE *out;        /* lines "ready PORT TOKEN" and "say TEXT" */
	unsigned port;
	char token[PEER_TOKEN_MAX + 1]; /* of the last ready line */
	char peer[64];    /* 127.0.0.1:PORT */
	char peer6[64];
};

static void
child_ready(void *arg, unsigned port, const char *token)
{
	fprintf(arg, "ready %u %s\n", port, token != NULL ? token : CHILD_TOKEN);
	fflush(arg);
}

static void
child_say(void *arg, const char *line)
{
	fprintf(arg, "say %s\n", line);
	fflush(arg);
}

/* Read lines until one begins with this; its rest, or NULL at the end. */
static inline const char *
child_line(struct child *c, const char *begin)
{
	static char line[512];

	while (fgets(line, sizeof(line), c->out) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, begin, strlen(begin)) == 0)
			return line + strlen(begin);
	}
	return NULL;
}

/* The next ready line. */
static inline bool
child_next(struct child *c)
{
	const char *rest = child_line(c, "ready ");

	if (rest == NULL || sscanf(rest, "%u %256s", &c->port, c->token) != 2)
		return false;
	snprintf(c->peer, sizeof(c->peer), "127.0.0.1:%u", c->port);
	snprintf(c->peer6, sizeof(c->peer6), "[::1]:%u", c->port);
	return true;
}

/* o: listen, ready, say, arg and an endless max_time_s are filled in. */
static inline bool
child_start(struct child *c, struct serve_options o)
{
	struct err e = { .code = ERR_NONE };
	int fd[2];

	if (pipe(fd) != 0)
		return false;
	c->pid = fork();
	if (c->pid == 0) {
		close(fd[0]);
		o.arg = fdopen(fd[1], "w");
		o.listen = "*:0";
		o.ready = child_ready;
		o.say = child_say;
		if (isnan(o.max_time_s))
			o.max_time_s = CHILD_LIFE_S;
		stop_install();
		(void)peer_serve(&o, &e);
		_exit((int)e.code);
	}
	close(fd[1]);
	c->out = fdopen(fd[0], "r");
	return c->pid > 0 && c->out != NULL && child_next(c);
}

/* Wait for its end: exit status, or -1 when a signal ended it. */
static inline int
child_status(struct child *c)
{
	int status;

	if (waitpid(c->pid, &status, 0) != c->pid)
		return -1;
	fclose(c->out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int
child_end(struct child *c, int sig)
{
	kill(c->pid, sig);
	return child_status(c);
}

/* Given token or not, no limits. */
static inline struct serve_options
child_options(bool given)
{
	return (struct serve_options){ .token = given ? CHILD_TOKEN : NULL, .max_time_s = NAN,
		.max_bytes = NAN };
}

static inline struct flow_spec
child_spec(enum direction d, unsigned streams)
{
	return (struct flow_spec){ .direction = d, .streams = streams, .warmup_s = 0.1,
		.duration_s = 0.3, .max_bytes = 0 };
}

#endif
