#include "guard_child.h"

#include "guard_run.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PARENT_POLL_MS 1000 /* somebody else may hold our socket open; the parent is gone even so */
#define FD_MAX 4096         /* as far as we look for inherited descriptors */

struct reader {
	char text[4 * JOURNAL_LINE];
	size_t len;
};

static bool
read_knob(void *arg, size_t k, char text[JOURNAL_TEXT])
{
	const struct guard_child *c = arg;
	ssize_t n;

	if (c->knob_fd[k] == -1)
		return guard_run_read(&c->journal->knob[k], c->pipe, c->null, text);
	do
		n = pread(c->knob_fd[k], text, JOURNAL_TEXT - 1, 0);
	while (n == -1 && errno == EINTR);
	text[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}

static bool
write_knob(void *arg, size_t k, const char *text)
{
	const struct guard_child *c = arg;
	size_t len = strlen(text);
	ssize_t n;

	if (c->knob_fd[k] == -1)
		return guard_run_write(&c->journal->knob[k], text, c->null);
	do
		n = pwrite(c->knob_fd[k], text, len, 0);
	while (n == -1 && errno == EINTR);
	if (n < 0 || (size_t)n != len)
		return false;
	/* A kernel's file has no length to cut; one that stands for it in a test has. */
	if (ftruncate(c->knob_fd[k], (off_t)len) == -1)
		errno = 0;
	return true;
}

_Noreturn static void
restore(struct guard_child *c)
{
	const struct journal_reach reach = { c, read_knob, write_knob };
	struct journal_result result;

	if (c->keeping && !journal_is_there(&c->file))
		_exit(0);
	result = journal_restore(c->journal, &reach);
	if (result.failed != 0 || result.failed_files != 0)
		_exit(1);
	_exit(journal_remove(&c->file) ? 0 : 1);
}

static void
answer(struct guard_child *c)
{
	if (send(c->socket, "", 1, MSG_NOSIGNAL) != 1)
		restore(c);
}

/* Every complete line is taken; a line that makes no sense means that the parent has gone mad. */
static void
take_lines(struct guard_child *c, struct reader *r)
{
	char *line = r->text, *end;

	while ((end = memchr(line, '\n', r->len - (size_t)(line - r->text))) != NULL) {
		*end = '\0';
		if (strcmp(line, GUARD_DONE) == 0)
			_exit(0);
		if (strcmp(line, GUARD_SYNC) == 0)
			answer(c);
		else if (strcmp(line, GUARD_KEEP) == 0)
			c->keeping = true;
		else if (!journal_line(c->journal, line, NULL))
			restore(c);
		line = end + 1;
	}
	r->len -= (size_t)(line - r->text);
	memmove(r->text, line, r->len);
}

static void
listen_on(struct guard_child *c)
{
	static struct reader r;
	struct pollfd wait = { .fd = c->socket, .events = POLLIN };
	ssize_t n;

	for (;;) {
		if (poll(&wait, 1, PARENT_POLL_MS) == 0) {
			if (getppid() != c->parent)
				restore(c);
			continue;
		}
		n = recv(c->socket, r.text + r.len, sizeof(r.text) - r.len, 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			restore(c);
		r.len += (size_t)n;
		take_lines(c, &r);
		if (r.len == sizeof(r.text))
			restore(c);
	}
}

static bool
is_mine(const struct guard_child *c, int fd)
{
	size_t k;

	for (k = 0; k < c->journal->n; k++)
		if (c->knob_fd[k] == fd)
			return true;
	return fd == c->socket || fd == c->pipe[0] || fd == c->pipe[1] || fd == c->null ||
	    fd == c->file.fd || fd == c->file.dir_fd;
}

/* Hold nothing of the parent's: no terminal, no pipe whose reader waits for its end. */
static void
let_go(struct guard_child *c)
{
	long max = sysconf(_SC_OPEN_MAX);
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (!is_mine(c, fd))
			dup2(c->null, fd);
	for (fd = 3; fd < (max > 0 && max < FD_MAX ? (int)max : FD_MAX); fd++)
		if (!is_mine(c, fd))
			close(fd);
}

void
guard_child_run(struct guard_child *c)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, plain = { .sa_handler = SIG_DFL };
	sigset_t none;
	size_t i;

	setsid();
	stop_reset();
	for (i = 0; i < NELEM(ignored); i++)
		sigaction(ignored[i], &ignore, NULL);
	sigaction(SIGCHLD, &plain, NULL); /* or the end of a command would not be told */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	let_go(c);
	answer(c); /* ready */
	listen_on(c);
	_exit(1);
}
