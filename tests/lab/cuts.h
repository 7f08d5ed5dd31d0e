/*
 * cuts: runs over ssh whose link is cut while a value of the target differs from what it was.
 */
#ifndef PATHTUNE_TESTS_CUTS_H
#define PATHTUNE_TESTS_CUTS_H

#include "remote.h"

#include "probes/flow.h"
#include "probes/knobs.h"

#include <stdio.h>

#define CUTS_LEASE_S 3
#define CUTS_WAIT_S 90.0

static const char *const cuts_files[] = { "/proc/sys/net/ipv4/tcp_wmem",
	"/proc/sys/net/ipv4/tcp_congestion_control" };

struct cuts {
	struct remote w;
	int fd[NELEM(cuts_files)];
	const char *before[NELEM(cuts_files)];
	const char *try_file;
	unsigned seed;
};

static inline const char *
cuts_value(struct cuts *c, size_t i, char text[128])
{
	ssize_t n = pread(c->fd[i], text, 127, 0);

	cr_assert(n > 0);
	text[n] = '\0';
	return text;
}

/* All of them as they were? */
static inline bool
cuts_as_before(struct cuts *c)
{
	char text[128];

	for (size_t i = 0; i < NELEM(cuts_files); i++) {
		if (!knobs_same(cuts_value(c, i, text), c->before[i]))
			return false;
	}
	return true;
}

/* Seconds until that is so, or is not. */
static inline double
cuts_await(struct cuts *c, const struct started *tuner, bool as_before)
{
	double begun_s = flow_clock_s();

	while (cuts_as_before(c) != as_before) {
		if (flow_clock_s() > begun_s + CUTS_WAIT_S) {
			kill(tuner->pid, SIGTERM);
			cr_assert_fail("values are %sas before: %s", as_before ? "not " : "",
			    program_end(c->w.a, *tuner).err);
		}
		poll(NULL, 0, 2);
	}
	return flow_clock_s() - begun_s;
}

static inline struct cuts
cuts_new(const char *lab)
{
	struct cuts c = { .w = remote_new(lab, 50e6, 10), .seed = 1 };
	char text[128];

	for (size_t i = 0; i < NELEM(cuts_files); i++)
		c.fd[i] = remote_open(c.w.sshd_pid, cuts_files[i]);
	for (size_t i = 0; i < NELEM(cuts_files); i++)
		c.before[i] = arena_strdup(c.w.a, cuts_value(&c, i, text));
	c.try_file = sshd_write(c.w.sshd, "try", 0644, "duration: 500ms\nrounds: 50\nsettings:\n"
	    "  - name: large\n    knobs: {net.ipv4.tcp_wmem: 4096 16384 4194304}\n");
	return c;
}

static inline void
cuts_end(struct cuts *c)
{
	for (size_t i = 0; i < NELEM(cuts_files); i++)
		close(c->fd[i]);
	remote_end(&c->w);
}

static inline struct started
cuts_tune(struct cuts *c, const char *flags)
{
	return program_start(c->w.a, arena_printf(c->w.a, "tune %s --agent %s --peer %s --direction send "
	    "--lease %ds --ssh-timeout 5s --no-save -q --try %s %s", c->w.name, PATHTUNE, LAB_ADDRESS_B,
	    CUTS_LEASE_S, c->try_file, flags));
}

/* One run, cut up to two seconds after a value differs: how long until all is as before. */
static inline double
cuts_cut(struct cuts *c)
{
	struct started tuner = cuts_tune(c, "");
	double back_s, moment_s;
	struct said s;

	cuts_await(c, &tuner, false);
	c->seed = c->seed * 1103515245u + 12345u;
	moment_s = flow_clock_s() + (double)(c->seed / 65536 % 2000) / 1e3;
	while (flow_clock_s() < moment_s || cuts_as_before(c))
		poll(NULL, 0, 2);
	remote_link(false);
	back_s = cuts_await(c, &tuner, true);
	s = program_end(c->w.a, tuner);
	cr_expect_eq(s.status, 1, "%s", s.err);
	cr_expect_not_null(strstr(s.err, "the guard there sets everything back"), "%s", s.err);
	remote_link(true);
	program_end(c->w.a, c->w.server);
	remote_serve(&c->w);
	return back_s;
}

#endif
