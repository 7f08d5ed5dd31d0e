/*
 * program: run pathtune as a user does and keep what it said.
 */
#ifndef PATHTUNE_TESTS_PROGRAM_H
#define PATHTUNE_TESTS_PROGRAM_H

#include "tuner/base.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct said {
	int status;       /* exit status, or -1 after a signal */
	const char *out;
	const char *err;
};

struct started {
	pid_t pid;
	int out, err;
};

/* How much of a word's next part is one, blanks or not. */
static inline size_t
program_part(const char *at)
{
	static const char *const whole[] = { PATHTUNE, TESTS_DIR };

	for (size_t i = 0; i < NELEM(whole); i++) {
		if (strncmp(at, whole[i], strlen(whole[i])) == 0)
			return strlen(whole[i]);
	}
	return 1;
}

/* The word at *s, which moves behind it; our paths are part of one even where they hold blanks. */
static inline char *
program_word(struct arena *a, const char **s)
{
	const char *from = *s + strspn(*s, " ");
	size_t n = 0;

	while (from[n] != '\0' && from[n] != ' ')
		n += program_part(from + n);
	*s = from + n;
	return n == 0 ? NULL : arena_strndup(a, from, n);
}

/* Blank-separated words, the program's arguments; a word @ stands for the program's own path. */
static inline struct started
program_start(struct arena *a, const char *line)
{
	char *w, *argv[64], program[] = PATHTUNE;
	int out[2], err[2], n = 0;
	struct started s;

	argv[n++] = program;
	while (n < 63 && (w = program_word(a, &line)) != NULL)
		argv[n++] = strcmp(w, "@") == 0 ? program : w;
	argv[n] = NULL;
	cr_assert(pipe(out) == 0 && pipe(err) == 0);
	s.pid = fork();
	cr_assert(s.pid >= 0);
	if (s.pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		/* What it leaves running must not hold them. */
		close(out[0]);
		close(out[1]);
		close(err[0]);
		close(err[1]);
		signal(SIGXFSZ, SIG_IGN);
		execv(argv[0], argv);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	s.out = out[0];
	s.err = err[0];
	return s;
}

static inline bool
program_drain(struct text *t, int fd)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		text_bytes(t, buf, (size_t)n);
	return n > 0 || (n < 0 && errno == EINTR);
}

static inline struct said
program_end(struct arena *a, struct started s)
{
	struct text out = { .arena = a }, err = { .arena = a };
	struct pollfd p[2] = { { s.out, POLLIN, 0 }, { s.err, POLLIN, 0 } };
	int status;

	text_bytes(&out, "", 0);
	text_bytes(&err, "", 0);
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents != 0 && !program_drain(&out, s.out))
			p[0].fd = -1;
		if (p[1].revents != 0 && !program_drain(&err, s.err))
			p[1].fd = -1;
	}
	close(s.out);
	close(s.err);
	while (waitpid(s.pid, &status, 0) < 0)
		cr_assert_eq(errno, EINTR);
	return (struct said){ WIFEXITED(status) ? WEXITSTATUS(status) : -1, out.s, err.s };
}

static inline struct said
program_run(struct arena *a, const char *line)
{
	return program_end(a, program_start(a, line));
}

#endif
