/*
 * remote: three machines in namespaces: the control machine is this process, the target is side a
 * of a lab and runs an sshd, the peer is side b and runs pathtune serve.  Control and target are
 * joined by a veth of their own, which can be cut; the path is the lab's.
 */
#ifndef PATHTUNE_TESTS_REMOTE_H
#define PATHTUNE_TESTS_REMOTE_H

#include "probes/lab.h"
#include "../ssh/sshd.h"
#include "../unit/program.h"

#include <poll.h>

#define REMOTE_TOKEN "0123456789abcdef0123"
#define REMOTE_CONTROL "10.84.0.1"
#define REMOTE_TARGET "10.84.0.2"
#define REMOTE_PORT 2222
#define REMOTE_LISTEN(address) "-o ListenAddress=" address ":2222"

struct remote {
	struct arena *a;
	const char *lab;
	struct sshd *sshd;
	pid_t sshd_pid;
	const char *name; /* of the target: ssh://.. */
	struct started server;
};

/* On one side of the lab; must succeed.  What it says, without the newline. */
static inline const char *
remote_in(struct remote *w, char side, const char *command)
{
	struct said s = program_run(w->a, arena_printf(w->a, "lab exec %s %c -- %s", w->lab, side,
	    command));

	cr_assert_eq(s.status, 0, "%s: %s", command, s.err);
	return arena_strndup(w->a, s.out, strcspn(s.out, "\n"));
}

static inline void
remote_join(struct remote *w)
{
	static const char up[] = "ip link set lo up; ip addr add " REMOTE_CONTROL
	    "/24 dev c0; ip link set c0 up";

	remote_in(w, 'a', arena_printf(w->a, "ip link add c1 type veth peer name c0 netns %ld",
	    (long)getpid()));
	remote_in(w, 'a', "ip addr add " REMOTE_TARGET "/24 dev c1");
	remote_in(w, 'a', "ip link set c1 up");
	SSHD_DO("sh", "-c", up);
}

/* This process goes on within the network namespace of that one. */
static inline void
remote_enter(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/ns/net", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert(fd >= 0 && setns(fd, CLONE_NEWNET) == 0);
	close(fd);
}

/* Opened within the network namespace of that process, a file of /proc/sys stays of it. */
static inline int
remote_open(pid_t pid, const char *file)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	cr_assert(here >= 0);
	remote_enter(pid);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	cr_assert(fd >= 0 && setns(here, CLONE_NEWNET) == 0);
	close(here);
	return fd;
}

/* The way between control and target; the target itself does not notice. */
static inline void
remote_link(bool up)
{
	SSHD_DO("ip", "link", "set", "c0", up ? "up" : "down");
}

/*
 * An sshd of its own on a side, with a /run, /var/lib and /etc/sysctl.d that are nobody else's, and
 * the first process of its namespace but one: sessions whose link was cut end with it.
 */
static inline pid_t
remote_sshd_at(struct remote *w, char side, const char *listen, const char *log)
{
	struct sshd *s = w->sshd;
	struct pollfd wait = { -1, 0, 0 };
	struct err e = { ERR_NONE, "" };
	const char *script;
	pid_t pid;

	script = arena_printf(w->a, "mount -t tmpfs none /run && mkdir /run/sshd && mount -t tmpfs none "
	    "/var/lib && mount -t tmpfs none /etc/sysctl.d && "
	    "sed 's|^\\(root:x:0:0:[^:]*:\\)[^:]*|\\1%s|' /etc/passwd >%s/passwd && "
	    "mount --bind %s/passwd /etc/passwd && exec " SSHD " -D -f %s %s -E %s",
	    s->dir, s->dir, s->dir, sshd_path(s, "sshd_config"), listen, sshd_path(s, log));
	cr_assert(lab_spawn(w->a, w->lab, side, (const char *const[]){ "unshare", "--mount-proc", "--pid",
	    "--fork", "--kill-child", "sh", "-c", script, NULL }, -1, &pid, &e), "%s", e.text);
	for (int i = 0; i < 400 && strstr(sshd_read(s, log), "Server listening") == NULL; i++)
		poll(&wait, 1, 50);
	cr_assert_not_null(strstr(sshd_read(s, log), "Server listening"), "%s", sshd_read(s, log));
	return pid;
}

static inline void
remote_sshd(struct remote *w)
{
	struct sshd *s = w->sshd = sshd_prepare(w->a);

	sshd_write(s, ".ssh/known_hosts", 0600, arena_printf(w->a, "[" REMOTE_TARGET "]:%d,["
	    LAB_ADDRESS_A "]:%d %s", REMOTE_PORT, REMOTE_PORT, sshd_read(s, "host_key.pub")));
	w->sshd_pid = remote_sshd_at(w, 'a', REMOTE_LISTEN(REMOTE_TARGET) " " REMOTE_LISTEN(LAB_ADDRESS_A),
	    "log");
	w->name = arena_printf(w->a, "ssh://" REMOTE_TARGET ":%d", REMOTE_PORT);
}

static inline void
remote_serve(struct remote *w)
{
	char line[256];

	w->server = program_start(w->a, arena_printf(w->a, "lab exec %s b -- @ serve --token-env -q",
	    w->lab));
	cr_assert(read(w->server.out, line, sizeof(line)) > 0, "the server starts");
}

/* This process gets a network of its own first. */
static inline struct remote
remote_new_queue(const char *lab, double rate_bps, double rtt_ms, double queue_bdps)
{
	struct remote w = { .a = arena_new(), .lab = lab };
	struct lab_spec s = lab_default();
	struct err e = { ERR_NONE, "" };
	const char *cc;

	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	s.name = lab;
	s.link[0].rate_bps = s.link[1].rate_bps = rate_bps;
	s.link[0].queue = s.link[1].queue = queue_bdps;
	s.rtt_ms = rtt_ms;
	s.start = "bsd-256k";
	s.open_b = true;
	s.tied = true;
	cr_assert(lab_up(w.a, &s, &cc, &e), "%s", e.text);
	setenv("PATHTUNE_TOKEN", REMOTE_TOKEN, 1);
	remote_join(&w);
	remote_sshd(&w);
	setenv("PATHTUNE_STATE", sshd_path(w.sshd, "state"), 1);
	remote_serve(&w);
	return w;
}

static inline struct remote
remote_new(const char *lab, double rate_bps, double rtt_ms)
{
	return remote_new_queue(lab, rate_bps, rtt_ms, 1);
}

static inline void
remote_end(struct remote *w)
{
	program_run(w->a, arena_printf(w->a, "lab down %s", w->lab));
	program_end(w->a, w->server);
	kill(w->sshd_pid, SIGKILL);
	waitpid(w->sshd_pid, NULL, 0);
	SSHD_DO("rm", "-rf", w->sshd->dir);
	arena_free(w->a);
}

/* A value of the target's, as the target has it. */
static inline const char *
remote_value(struct remote *w, const char *knob)
{
	return remote_in(w, 'a', arena_printf(w->a, "cat /proc/sys/%s", knob));
}

#endif
