#include "lab_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Field 22 of /proc/PID/stat (proc(5)); field 2 is the command's name in parentheses and may hold
 * anything, so counting starts after the last one.  Field 3, the state, is Z or X for the dead.
 */
bool
state_start_time(pid_t pid, double *ticks)
{
	char path[64], stat[1024], *s;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%jd/stat", (intmax_t)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, stat, sizeof(stat) - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	stat[n] = '\0';
	s = strrchr(stat, ')');
	if (s == NULL || strlen(s) < 3 || s[2] == 'Z' || s[2] == 'X')
		return false;
	for (int field = 2; field < 22 && s != NULL; field++)
		s = strchr(s + 1, ' ');
	if (s == NULL)
		return false;
	*ticks = strtod(s, NULL);
	return true;
}

static int
open_process(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

/* The descriptor first: once we hold it, the number cannot come to mean another process. */
int
state_owner(const struct lab_state *s)
{
	int fd = open_process((pid_t)s->owner);
	double ticks;

	if (fd < 0)
		return -1;
	if (state_start_time((pid_t)s->owner, &ticks) && ticks == s->owner_start)
		return fd;
	close(fd);
	return -1;
}

bool
state_signal(int owner, int signal)
{
#ifdef SYS_pidfd_send_signal
	return syscall(SYS_pidfd_send_signal, owner, signal, NULL, 0) == 0;
#else
	(void)owner, (void)signal;
	return false;
#endif
}
