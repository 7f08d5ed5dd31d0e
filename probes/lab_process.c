#include "lab_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<sys/syscall.h>)
#include <sys/syscall.h>
#endif
#endif

bool
state_proc(const char *path, char *text, size_t size)
{
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

const char *
state_boot(void)
{
	static char id[64];

	state_proc("/proc/sys/kernel/random/boot_id", id, sizeof(id));
	id[strcspn(id, "\n")] = '\0';
	return id;
}

/*
 * Field 22 of /proc/PID/stat (proc(5)); field 2 is the command's name in parentheses and may hold
 * anything, so counting starts after the last one.  Field 3, the state, is Z or X for the dead.
 */
bool
state_start_time(pid_t pid, double *ticks)
{
	char path[64], stat[1024], *s;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if (!state_proc(path, stat, sizeof(stat)))
		return false;
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

int
state_process(pid_t pid)
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
	int fd = state_process((pid_t)s->owner);
	double ticks;

	if (fd < 0)
		return -1;
	if (state_start_time((pid_t)s->owner, &ticks) && ticks == s->owner_start &&
	    s->boot != NULL && strcmp(s->boot, state_boot()) == 0)
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

bool
state_find(struct arena *a, const char *name, struct lab_state **s, const char **path, int *owner,
    struct err *e)
{
	int base = -1, dir = -1, process = -1;
	const char *where;
	bool ok = false;

	if (!lab_check_name(name, e) || !state_base(a, false, &where, &base, e) ||
	    (base >= 0 && !state_open(base, name, &dir, e)))
		goto out;
	*s = NULL;
	if (dir >= 0 && !state_read(a, dir, name, s, e))
		goto out;
	if (*s == NULL) {
		fail(e, ERR_FAILED, "lab %s: there is none (pathtune lab up %s)", name, name);
		goto out;
	}
	process = state_owner(*s);
	ok = process >= 0 || fail(e, ERR_FAILED,
	    "lab %s: its owner is dead (pathtune lab down %s removes what is left)", name, name);
	if (ok && path != NULL)
		*path = arena_printf(a, "%s/%s", where, name);
	if (ok && owner != NULL) {
		*owner = process;
		process = -1;
	}
out:
	if (process >= 0)
		close(process);
	if (dir >= 0)
		close(dir);
	if (base >= 0)
		close(base);
	return ok;
}
