/*
 * sshd: OpenSSH's server for one test, at 127.0.0.1 and a port that the kernel chose.
 *
 * The test listens itself and starts "sshd -i" for each connection, with a configuration, host key
 * and authorized key in a directory of its own, which is $HOME too.  As root all of it runs in
 * namespaces of mounts and processes, so that sshd finds its /run/sshd and nothing outlives the
 * listener.  What a login finds there is a personality: a shell script that gets the command in
 * SSH_ORIGINAL_COMMAND, as ForceCommand gives it.
 */
#ifndef PATHTUNE_TESTS_SSHD_H
#define PATHTUNE_TESTS_SSHD_H

#include "tuner/base.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SSHD "/usr/sbin/sshd"

struct sshd {
	struct arena *arena;
	char dir[64];     /* $HOME of both ends */
	unsigned port;
	pid_t pid;        /* of the listener */
	const char *name; /* ssh://127.0.0.1:port */
	const char *user;
};

static inline const char *
sshd_path(const struct sshd *s, const char *file)
{
	return arena_printf(s->arena, "%s/%s", s->dir, file);
}

static inline const char *
sshd_write(const struct sshd *s, const char *file, unsigned mode, const char *text)
{
	const char *path = sshd_path(s, file);
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f, "%s", path);
	cr_assert(fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, mode) == 0);
	return path;
}

static inline const char *
sshd_read(const struct sshd *s, const char *file)
{
	static char text[65536];
	FILE *f = fopen(sshd_path(s, file), "r");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);

	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	return arena_strdup(s->arena, text);
}

/* A command of this machine's, which must succeed. */
static inline void
sshd_do(const char *const *argv)
{
	pid_t pid = fork();
	int status;

	cr_assert(pid >= 0);
	if (pid == 0) {
		char *words[24];
		size_t n = 0;

		for (; argv[n] != NULL; n++)
			words[n] = strdup(argv[n]);
		words[n] = NULL;
		execvp(words[0], words);
		_exit(127);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %d", argv[0], status);
}
#define SSHD_DO(...) sshd_do((const char *const[]){ __VA_ARGS__, NULL })

static inline void
sshd_keygen(const struct sshd *s, const char *type, const char *file, const char *passphrase)
{
	unlink(sshd_path(s, file));
	SSHD_DO("ssh-keygen", "-q", "-t", type, "-N", passphrase, "-f", sshd_path(s, file));
}

/* What a login finds there from now on; NULL: the plain account.  more is for sshd_config. */
static inline void
sshd_personality(struct sshd *s, const char *script, const char *more)
{
	const char *forced = script == NULL ? "" : arena_printf(s->arena, "ForceCommand %s\n",
	    sshd_path(s, "personality"));

	if (script != NULL)
		sshd_write(s, "personality", 0755, arena_printf(s->arena, "#!/bin/sh\n%s\n", script));
	sshd_write(s, "sshd_config", 0644, arena_printf(s->arena,
	    "HostKey %s/host_key\nAuthorizedKeysFile %s/authorized\nStrictModes no\nUsePAM no\n"
	    "PidFile none\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
	    "KbdInteractiveAuthentication no\nPrintMotd no\nLogLevel VERBOSE\n"
	    "MaxStartups 100\n%s%s", s->dir, s->dir, forced, more == NULL ? "" : more));
}

/* Its key becomes the one that known_hosts has, with everything else gone from there. */
static inline void
sshd_known(struct sshd *s, const char *key_file)
{
	const char *key = sshd_read(s, arena_printf(s->arena, "%s.pub", key_file));

	sshd_write(s, ".ssh/known_hosts", 0600,
	    arena_printf(s->arena, "[127.0.0.1]:%u %s", s->port, key));
}

static inline void
sshd_serve_one(const struct sshd *s, int fd)
{
	const char *config = sshd_path(s, "sshd_config"), *log = sshd_path(s, "log");
	int null = open("/dev/null", O_RDWR);

	dup2(fd, 0);
	dup2(fd, 1);
	dup2(null, 2);
	for (int i = 3; i < 64; i++)
		close(i);
	execl(SSHD, SSHD, "-i", "-f", config, "-E", log, (char *)NULL);
	_exit(127);
}

/* The listener, the first process of its namespace where there is one. */
static inline void
sshd_serve(const struct sshd *s, int listener)
{
	int fd;

	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd == -1)
			continue;
		if (access(sshd_path(s, "state/no-sockets"), F_OK) == 0) {
			close(fd); /* a machine that can make no socket (stand_in.c) */
			continue;
		}
		if (fork() == 0) {
			signal(SIGCHLD, SIG_DFL);
			sshd_serve_one(s, fd);
		}
		close(fd);
	}
}

/* The users of this machine, with root at home in the test: what his .bashrc does is not ours. */
static inline bool
sshd_users(const struct sshd *s)
{
	FILE *in = fopen("/etc/passwd", "r"), *out = fopen(sshd_path(s, "passwd"), "w");
	char line[1024], *shell;
	bool ok = in != NULL && out != NULL;

	while (ok && fgets(line, sizeof(line), in) != NULL) {
		shell = strncmp(line, "root:", 5) == 0 ? strrchr(line, ':') : NULL;
		ok = (shell == NULL ? fputs(line, out) :
		    fprintf(out, "root:x:0:0:root:%s%s", s->dir, shell)) > 0;
	}
	return ok && fclose(out) == 0 && fclose(in) == 0 &&
	    mount(sshd_path(s, "passwd"), "/etc/passwd", NULL, MS_BIND, NULL) == 0;
}

static inline void
sshd_private(const struct sshd *s)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/run", "tmpfs", 0, NULL) != 0 || mkdir("/run/sshd", 0755) != 0 ||
	    !sshd_users(s))
		_exit(126);
}

static inline void
sshd_listen(struct sshd *s, in_addr_t where)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(where) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    listen(fd, 64) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	s->port = ntohs(at.sin_port);
	s->pid = fork();
	cr_assert(s->pid >= 0);
	if (s->pid == 0) {
		bool own = geteuid() == 0 && unshare(CLONE_NEWNS | CLONE_NEWPID) == 0;
		pid_t first = own ? fork() : 0;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (first == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (own)
				sshd_private(s);
			sshd_serve(s, fd);
		}
		close(fd);
		waitpid(first, NULL, 0);
		_exit(0);
	}
	close(fd);
}

/* All but the listener and what depends on its port. */
static inline struct sshd *
sshd_prepare(struct arena *a)
{
	struct sshd *s = arena_alloc(a, sizeof(*s));
	const struct passwd *me = getpwuid(getuid());

	cr_assert_not_null(me);
	s->arena = a;
	s->user = arena_strdup(a, me->pw_name);
	strcpy(s->dir, "/tmp/pathtune-sshd-XXXXXX");
	cr_assert_not_null(mkdtemp(s->dir));
	cr_assert_eq(mkdir(sshd_path(s, ".ssh"), 0700), 0);
	setenv("HOME", s->dir, 1);
	setenv("TMPDIR", s->dir, 1);
	unsetenv("SSH_AUTH_SOCK");
	sshd_keygen(s, "ed25519", "host_key", "");
	sshd_keygen(s, "ed25519", ".ssh/id_ed25519", "");
	sshd_write(s, "authorized", 0600, sshd_read(s, ".ssh/id_ed25519.pub"));
	sshd_personality(s, NULL, NULL);
	return s;
}

static inline struct sshd *
sshd_start_at(struct arena *a, in_addr_t where)
{
	struct sshd *s = sshd_prepare(a);

	sshd_listen(s, where);
	s->name = arena_printf(a, "ssh://127.0.0.1:%u", s->port);
	sshd_known(s, "host_key");
	return s;
}

static inline struct sshd *
sshd_start(struct arena *a)
{
	return sshd_start_at(a, INADDR_LOOPBACK);
}

static inline void
sshd_end(struct sshd *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	SSHD_DO("rm", "-rf", s->dir);
}

#endif
