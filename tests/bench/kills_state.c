#include "kills.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

bool
kills_open(pid_t pid, int knob[KILLS_KNOBS])
{
	static const char *const files[KILLS_KNOBS] = { KILLS_WMEM, KILLS_RMEM, KILLS_CC };
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), other = -1;
	char path[64];
	bool ok = own != -1;

	snprintf(path, sizeof(path), "/proc/%ld/ns/net", (long)pid);
	if (ok && pid != -1) {
		other = open(path, O_RDONLY | O_CLOEXEC);
		ok = other != -1 && setns(other, CLONE_NEWNET) == 0;
	}
	for (int i = 0; ok && i < KILLS_KNOBS; i++) {
		knob[i] = open(files[i], O_RDONLY | O_CLOEXEC);
		ok = knob[i] != -1;
	}
	if (other != -1) {
		ok = setns(own, CLONE_NEWNET) == 0 && ok;
		close(other);
	}
	if (own != -1)
		close(own);
	return ok;
}

const char *
kills_state(const int knob[KILLS_KNOBS], const char *const *files, size_t n,
    char state[KILLS_STATE])
{
	size_t len = 0;
	ssize_t got;
	int fd;

	for (size_t i = 0; i < KILLS_KNOBS + n; i++) {
		fd = i < KILLS_KNOBS ? knob[i] : open(files[i - KILLS_KNOBS], O_RDONLY | O_CLOEXEC);
		got = fd == -1 ? 0 : pread(fd, state + len, KILLS_STATE - 16 - len, 0);
		if (i >= KILLS_KNOBS && fd != -1)
			close(fd);
		for (; got > 0; got--, len++) {
			if (state[len] == '\t' || state[len] == '\n')
				state[len] = ' ';
		}
		memcpy(state + len, fd == -1 ? "(none); " : "; ", fd == -1 ? 8 : 2);
		len += fd == -1 ? 8 : 2;
	}
	state[len] = '\0';
	return state;
}

bool
kills_journal(const char *dir, char *path, size_t size)
{
	const struct dirent *entry;
	bool found = false;
	DIR *d = opendir(dir);

	while (d != NULL && !found && (entry = readdir(d)) != NULL) {
		found = strncmp(entry->d_name, "journal-", 8) == 0;
		if (found)
			snprintf(path, size, "%s/%s", dir, entry->d_name);
	}
	if (d != NULL)
		closedir(d);
	return found;
}

bool
kills_await_guard(const char *dir, int most_ms)
{
	char path[600];
	bool done;
	int fd;

	for (int ms = 0; ms < most_ms; ms++) {
		if (!kills_journal(dir, path, sizeof(path)))
			return true;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd == -1 && errno == ENOENT)
			return true;
		done = fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0;
		if (fd != -1)
			close(fd);
		if (done)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

pid_t
kills_child_of(pid_t pid)
{
	char path[64], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	if (fd != -1)
		close(fd);
	return (pid_t)atol(text);
}
