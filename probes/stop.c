#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const int heard[] = { SIGINT, SIGTERM, SIGHUP };
#define N_HEARD (sizeof(heard) / sizeof(heard[0]))

static volatile sig_atomic_t caught;
static int ends[2] = { -1, -1 };

static void
hear(int sig)
{
	int saved = errno;
	ssize_t n;

	if (caught == 0) {
		caught = sig;
		n = write(ends[1], "", 1); /* the pipe is empty: this cannot fail */
		(void)n;
	}
	errno = saved;
}

static bool
handle(int sig, void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler };

	sigemptyset(&sa.sa_mask);
	return sigaction(sig, &sa, NULL) == 0;
}

bool
stop_install(void)
{
	size_t i;

	if (ends[0] != -1)
		return true;
	if (pipe(ends) != 0)
		return false;
	for (i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0 ||
		    fcntl(ends[i], F_SETFL, O_NONBLOCK) != 0)
			return false;
	for (i = 0; i < N_HEARD; i++)
		if (!handle(heard[i], hear))
			return false;
	return handle(SIGPIPE, SIG_IGN);
}

int
stop_requested(void)
{
	return caught;
}

int
stop_fd(void)
{
	return ends[0];
}

void
stop_hold(bool held)
{
	static struct sigaction before;
	static bool holding;
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (held == holding)
		return;
	sigaction(SIGTSTP, held ? &ignore : &before, held ? &before : NULL);
	holding = held;
}

void
stop_reset(void)
{
	size_t i;

	for (i = 0; i < N_HEARD; i++)
		handle(heard[i], SIG_DFL);
	handle(SIGPIPE, SIG_DFL);
	for (i = 0; i < 2; i++) {
		if (ends[i] != -1)
			close(ends[i]);
		ends[i] = -1;
	}
	caught = 0;
}
