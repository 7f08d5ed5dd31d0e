/*
 * both: control, target and peer are three machines, and both ends of the path are reached by ssh.
 * Target and peer run an sshd each; the control machine has a veth to either, which can be cut.
 */
#ifndef PATHTUNE_TESTS_BOTH_H
#define PATHTUNE_TESTS_BOTH_H

#include "remote.h"

#include "probes/flow.h"
#include "probes/knobs.h"
#include "tuner/cmd.h"

#include <math.h>

#define BOTH_CONTROL "10.85.0.1"
#define BOTH_NEAR "10.85.0.2"
#define BOTH_SMALL "4096 131072 262144"
#define BOTH_RATE_BPS 100e6
#define BOTH_RTT_MS 40 /* three times what those 256 KiB admit is on its way */
#define BOTH_WAIT_S 60.0

/* What the path depends on when the target sends: its own, and the peer's. */
static const char *const both_files[2] = { "net/ipv4/tcp_wmem", "net/ipv4/tcp_rmem" };

struct both {
	struct remote w;
	pid_t sshd_pid[2];
	const char *name;      /* ssh://.. of the peer */
	int fd[2];             /* the target's and the peer's file of both_files */
	const char *before[2];
};

static inline bool
both_as_before(struct both *b, int end)
{
	char text[128];
	ssize_t n = pread(b->fd[end], text, sizeof(text) - 1, 0);

	cr_assert(n > 0);
	text[n] = '\0';
	if (b->before[end] == NULL)
		b->before[end] = arena_strdup(b->w.a, text);
	return knobs_same(text, b->before[end]);
}

/* Seconds until an end's value is as before, or is not. */
static inline double
both_await(struct both *b, const struct started *tuner, int end, bool as_before)
{
	double begun_s = flow_clock_s();

	while (both_as_before(b, end) != as_before) {
		if (flow_clock_s() > begun_s + BOTH_WAIT_S) {
			kill(tuner->pid, SIGTERM);
			cr_assert_fail("end %d: values are %sas before: %s", end, as_before ? "not " : "",
			    program_end(b->w.a, *tuner).err);
		}
		poll(NULL, 0, 2);
	}
	return flow_clock_s() - begun_s;
}

/* The peer is reached over a veth as well, by the address that it has on the path. */
static inline void
both_join(struct both *b)
{
	remote_in(&b->w, 'b', arena_printf(b->w.a, "ip link add d1 type veth peer name d0 netns %ld",
	    (long)getpid()));
	remote_in(&b->w, 'b', "ip addr add " BOTH_NEAR "/24 dev d1");
	remote_in(&b->w, 'b', "ip link set d1 up");
	SSHD_DO("sh", "-c", "ip addr add " BOTH_CONTROL "/24 dev d0; ip link set d0 up; "
	    "ip route add " LAB_ADDRESS_B "/32 via " BOTH_NEAR);
}

/* The send buffer of the target and the receive buffer of the peer are small. */
static inline struct both
both_new(const char *lab)
{
	struct both b = { .w = remote_new(lab, BOTH_RATE_BPS, BOTH_RTT_MS) };
	struct sshd *s = b.w.sshd;
	const char *key = sshd_read(s, "host_key.pub");

	both_join(&b);
	sshd_write(s, ".ssh/known_hosts", 0600, arena_printf(b.w.a, "[" REMOTE_TARGET "]:%d %s["
	    LAB_ADDRESS_B "]:%d %s", REMOTE_PORT, key, REMOTE_PORT, key));
	b.sshd_pid[0] = b.w.sshd_pid;
	b.sshd_pid[1] = remote_sshd_at(&b.w, 'b', REMOTE_LISTEN(LAB_ADDRESS_B), "log-peer");
	b.name = arena_printf(b.w.a, "ssh://" LAB_ADDRESS_B ":%d", REMOTE_PORT);
	remote_in(&b.w, 'b', arena_printf(b.w.a, "cp %s /proc/sys/net/ipv4/tcp_rmem",
	    sshd_write(s, "small", 0644, BOTH_SMALL)));
	for (int end = 0; end < 2; end++) {
		b.fd[end] = remote_open(b.sshd_pid[end],
		    arena_printf(b.w.a, "/proc/sys/%s", both_files[end]));
		both_as_before(&b, end);
	}
	return b;
}

static inline void
both_end(struct both *b)
{
	close(b->fd[0]);
	close(b->fd[1]);
	kill(b->sshd_pid[1], SIGKILL);
	waitpid(b->sshd_pid[1], NULL, 0);
	remote_end(&b->w);
}

static inline struct started
both_tune(struct both *b, const char *flags)
{
	return program_start(b->w.a, arena_printf(b->w.a, "tune %s --agent %s --peer %s --direction send "
	    "--start-cc cubic --quick %s", b->w.name, PATHTUNE, b->name, flags));
}

static inline struct run *
both_load(struct both *b, const char *path)
{
	struct run *run = arena_alloc(b->w.a, sizeof(*run));
	struct err e = { ERR_NONE, "" };

	cr_assert(cmd_run_load(b->w.a, path, run, &e), "%s", e.text);
	return run;
}

/* The best that a trial got, with the window as found or with a larger one; NAN: none did. */
static inline double
both_best_bps(const struct run *run, bool as_found)
{
	double best = NAN;

	for (size_t i = 0; i < run->n_trials; i++) {
		const struct trial *t = &run->trials[i];

		if (t->status == TRIAL_OK && as_found ==
		    (t->setting.window_bytes == run->plan.directions[0].window_bytes))
			best = fmax(best, t->goodput_bps);
	}
	return best;
}

#endif
