#include "guard_run.h"

#include "process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 1    /* POSIX has no wait with a time limit */
#define RETRY_MS 100

struct running {
	pid_t pid;
	int out; /* -1: nobody listens */
	char *text;
	size_t size, len;
};

static long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- in the new process ---------------------------------------------------------------------- */

/* Where the run that we guarded was short of memory, the command is not to be. */
static void
lift_limits(void)
{
	static const int limits[] = { RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK };
	struct rlimit r;

	for (size_t i = 0; i < NELEM(limits); i++) {
		if (getrlimit(limits[i], &r) != 0)
			continue;
		r.rlim_cur = r.rlim_max;
		setrlimit(limits[i], &r);
	}
}

static void
default_signals(void)
{
	static const int reset[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP };
	struct sigaction plain = { .sa_handler = SIG_DFL };

	for (size_t i = 0; i < NELEM(reset); i++)
		sigaction(reset[i], &plain, NULL);
}

/* Only what programs of the system are looked for in, as process.c does. */
_Noreturn static void
become(const char *const *argv)
{
	static char lc_all[] = "LC_ALL=C", search[] = "PATH=" PROCESS_PATH;
	char *const clean[] = { lc_all, search, NULL };
	const char *dir, *end;
	char *const *words;
	char path[1024];

	memcpy(&words, &argv, sizeof(words)); /* execve() changes none of them */
	if (strchr(argv[0], '/') != NULL)
		execve(argv[0], words, clean);
	for (dir = PROCESS_PATH; strchr(argv[0], '/') == NULL && *dir != '\0';
	     dir = *end == ':' ? end + 1 : end) {
		end = dir + strcspn(dir, ":");
		if (snprintf(path, sizeof(path), "%.*s/%s", (int)(end - dir), dir, argv[0]) <
		    (int)sizeof(path))
			execve(path, words, clean);
	}
	_exit(127);
}

_Noreturn static void
child(const char *const *argv, int out, int null)
{
	setpgid(0, 0);
	default_signals();
	lift_limits();
	dup2(null, 0);
	dup2(out == -1 ? null : out, 1);
	dup2(null, 2);
	become(argv);
}

/* ---- in the guard ---------------------------------------------------------------------------- */

static pid_t
start(const char *const *argv, int out, int null)
{
	long deadline = now_ms() + GUARD_FORK_MS;
	pid_t pid;

	while ((pid = fork()) == -1 && now_ms() < deadline)
		poll(NULL, 0, RETRY_MS);
	if (pid == 0)
		child(argv, out, null);
	if (pid != -1)
		setpgid(pid, pid); /* whichever of us is first */
	return pid;
}

/* All that is there now; what has no room is dropped. */
static void
take(struct running *r)
{
	char more[256];
	ssize_t n;

	if (r->out == -1)
		return;
	while ((n = read(r->out, more, sizeof(more))) > 0 || (n == -1 && errno == EINTR)) {
		size_t room = r->size - 1 - r->len;
		size_t use = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room;

		memcpy(r->text + r->len, more, use);
		r->len += use;
	}
}

/* True with its status when it ended in time. */
static bool
await(struct running *r, int *status)
{
	long deadline = now_ms() + GUARD_RUN_MS;
	struct pollfd wait = { .fd = r->out, .events = POLLIN };
	pid_t pid;

	while ((pid = waitpid(r->pid, status, WNOHANG)) != r->pid && now_ms() < deadline) {
		if (pid == -1 && errno != EINTR)
			break;
		poll(&wait, r->out == -1 ? 0 : 1, POLL_MS);
		take(r);
	}
	if (pid == r->pid)
		return true;
	kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, status, 0) == -1 && errno == EINTR)
		continue;
	return false;
}

/* The value in what was printed; it is to fit. */
static bool
take_value(const struct journal_knob *k, const char *said, size_t said_len,
    char text[JOURNAL_TEXT])
{
	const char *s = said, *value = said;
	size_t len = said_len, first;

	if (strlen(said) != said_len || knobs_field(&s, &first) == NULL)
		return false;
	if (k->after[0] != '\0')
		value = knobs_behind(said, k->after, &len);
	if (value == NULL || len >= JOURNAL_TEXT)
		return false;
	memcpy(text, value, len);
	text[len] = '\0';
	return true;
}

bool
guard_run_read(const struct journal_knob *k, const int pipe[2], int null,
    char text[JOURNAL_TEXT])
{
	static char said[GUARD_RUN_BYTES];
	struct running r = { .out = pipe[0], .text = said, .size = sizeof(said) };
	int status;
	bool ended;

	take(&r); /* what a command before it may have left there */
	r.len = 0;
	r.pid = start(k->read.word, pipe[1], null);
	if (r.pid == -1)
		return false;
	ended = await(&r, &status);
	take(&r);
	said[r.len] = '\0';
	return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    take_value(k, said, r.len, text);
}

bool
guard_run_write(const struct journal_knob *k, const char *text, int null)
{
	static char words[JOURNAL_WORDS][JOURNAL_ARGV + JOURNAL_TEXT];
	const char *argv[JOURNAL_WORDS + 1] = { NULL };
	struct running r = { .out = -1 };
	int status;

	for (size_t i = 0; k->write.word[i] != NULL; i++) {
		if (!knobs_word(k->write.word[i], text, words[i], sizeof(words[i])))
			return false;
		argv[i] = words[i];
	}
	r.pid = start(argv, -1, null);
	return r.pid != -1 && await(&r, &status);
}
