#include "keeper.h"
#include "files.h"
#include "process.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static bool
address(const char *path, struct sockaddr_un *to)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(to->sun_path))
		return false;
	memcpy(to->sun_path, path, strlen(path) + 1);
	return true;
}

static int
new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd != -1)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int
keeper_listen(struct arena *a, const char *path, struct err *e)
{
	struct sockaddr_un at;
	int fd;

	(void)a;
	if (!address(path, &at)) {
		fail(e, ERR_FAILED, "%s: the name of the state directory is too long", path);
		return -1;
	}
	fd = new_socket();
	unlink(path);
	if (fd != -1 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    chmod(path, 0600) == 0 && listen(fd, 8) == 0)
		return fd;
	fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

int
keeper_connect(struct arena *a, const char *path)
{
	struct sockaddr_un to;
	int fd;

	(void)a;
	if (!address(path, &to))
		return -1;
	fd = new_socket();
	if (fd != -1 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

bool
keeper_hear(struct arena *a, int fd, double timeout_s, const char **text, struct err *e)
{
	struct text t = { .arena = a };
	double end = now_s() + timeout_s;
	char part[4096];
	ssize_t n = 1;

	text_bytes(&t, "", 0);
	while (n != 0) {
		struct pollfd wait[] = { { .fd = fd, .events = POLLIN },
			{ .fd = stop_fd(), .events = POLLIN } };
		double left_s = fmax(0, end - now_s());

		if (poll(wait, 2, (int)(left_s * 1e3)) == 0)
			return fail(e, ERR_FAILED, "no answer within %.0f s", timeout_s);
		if (stop_requested() != 0)
			return fail(e, ERR_STOPPED, "stopped by signal %d", stop_requested());
		if (wait[0].revents == 0)
			continue;
		n = read(fd, part, sizeof(part));
		if (n < 0 && errno != EINTR)
			return fail(e, ERR_FAILED, "no answer: %s", strerror(errno));
		if (n > 0 && t.len + (size_t)n > KEEPER_BYTES)
			return fail(e, ERR_FAILED, "the answer is too long");
		if (n > 0)
			text_bytes(&t, part, (size_t)n);
	}
	*text = t.s;
	return true;
}

bool
keeper_say(int fd, const char *text)
{
	/* SIGPIPE is ignored: stop_install() */
	if (!files_put(fd, text, strlen(text)))
		return false;
	shutdown(fd, SHUT_WR); /* a pipe ends when it is closed */
	return true;
}

bool
keeper_detach(const int *keep, size_t n)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;
	sigset_t none;

	if (null == -1)
		return false;
	for (fd = 0; fd < 3; fd++)
		if (dup2(null, fd) == -1)
			return false;
	setsid();
	stop_reset();
	process_let_go(keep, n);
	if (!stop_install() || sigaction(SIGHUP, &ignore, NULL) != 0 ||
	    sigaction(SIGINT, &ignore, NULL) != 0)
		return false;
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}
