/*
 * tune on a host that is reached by ssh: control, target and peer are three machines.
 * needs: root tun sshd ip
 */
#include "cuts.h"

#include "probes/guard_renew.h"
#include "probes/knobs.h"
#include "probes/stop.h"
#include "tuner/cmd.h"

#include <netinet/tcp.h>

#define WMEM "net/ipv4/tcp_wmem"
#define RMEM "net/ipv4/tcp_rmem"

static const char *
lab_of_this(struct arena *a)
{
	return arena_printf(a, "remote-%ld", (long)getpid());
}

/* After a test that failed. */
static void
end(void)
{
	struct arena *a = arena_new();

	lab_down(a, lab_of_this(a), NULL);
	arena_free(a);
}

TestSuite(remote, .fini = end);

static struct run *
load(struct remote *w, const char *path)
{
	struct run *run = arena_alloc(w->a, sizeof(*run));
	struct err e = { ERR_NONE, "" };

	cr_assert(cmd_run_load(w->a, path, run, &e), "%s", e.text);
	return run;
}

static struct started
tune_start(struct remote *w, const char *flags)
{
	return program_start(w->a, arena_printf(w->a, "tune %s --agent %s --peer %s --direction send "
	    "--start-cc cubic %s", w->name, PATHTUNE, LAB_ADDRESS_B, flags));
}

static void
on_target(struct remote *w, const char *words)
{
	struct said s = program_run(w->a, arena_printf(w->a, "%s %s", words, w->name));

	/* 3: the lab begins with values that are known harm. */
	cr_expect(s.status == 0 || s.status == 3, "%s: %s", words, s.err);
	cr_expect_null(strstr(s.out, "drift"), "%s: %s", words, s.out);
}

static void
put_in_force(struct remote *w, const char *run, const char *before)
{
	on_target(w, arena_printf(w->a, "tune --resume %s --apply --yes", run));
	cr_expect_not(knobs_same(remote_value(w, WMEM), before), "in force");
	on_target(w, "check");
	on_target(w, "revert --yes");
	cr_expect(knobs_same(remote_value(w, WMEM), before), "taken back");
}

Test(remote, the_search_over_ssh_finds_what_the_one_there_finds, .timeout = 200)
{
	struct arena *a = arena_new();
	struct remote w = remote_new(lab_of_this(a), 400e6, 20);
	const char *path = sshd_path(w.sshd, "run.json"), *before = remote_value(&w, WMEM);
	struct said s = program_end(w.a, tune_start(&w, arena_printf(w.a, "--quick --save %s", path)));
	struct run *run;

	cr_assert_eq(s.status, 0, "%s", s.err);
	run = load(&w, path);
	cr_assert_eq(run->decision.verdict, VERDICT_CHANGE, "%s", s.out);
	cr_expect(run->decision.effect.low > 5 && run->decision.effect.confidence >= .95);
	cr_expect(run->decision.directions[0].limit_before.limiter == LIMIT_SNDBUF, "%s", s.out);
	cr_expect_str_eq(run->decision.settings[0].name, "net.ipv4.tcp_wmem");
	cr_expect_str_eq(run->options.host, w.name);
	cr_expect_str_eq(run->facts.peer, LAB_ADDRESS_B);
	cr_expect(knobs_same(remote_value(&w, WMEM), before), "restored");
	cr_expect_not_null(strstr(s.out, arena_printf(w.a, "measured on %s\n", w.name)), "%s", s.out);
	put_in_force(&w, path, before);
	remote_end(&w);
	arena_free(a);
}

Test(remote, a_link_that_is_cut_leaves_the_old_values_within_the_lease, .timeout = 200)
{
	struct arena *a = arena_new();
	struct cuts c = cuts_new(lab_of_this(a));

	for (int i = 0; i < 2; i++) {
		double back_s = cuts_cut(&c);

		cr_expect_leq(back_s, CUTS_LEASE_S, "%.2f s", back_s);
	}
	cuts_end(&c);
	arena_free(a);
}

#define BULK 48
#define THREE_LEASES 60 /* renewals: twenty a lease */
#define FULL_BYTES (.4 * 30e6 / 8)

/* Bulk transfers from the peer to the target, until this process is killed. */
static _Noreturn void
bulk(pid_t target, pid_t peer)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct pollfd p[2 * BULK + 1];
	static char data[65536];
	nfds_t n = BULK + 1;

	inet_pton(AF_INET, LAB_ADDRESS_A, &to.sin_addr);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	remote_enter(target);
	p[0] = (struct pollfd){ socket(AF_INET, SOCK_STREAM, 0), POLLIN, 0 };
	if (bind(p[0].fd, (struct sockaddr *)&to, sizeof(to)) != 0 || listen(p[0].fd, BULK) != 0)
		_exit(1);
	remote_enter(peer);
	for (size_t i = 1; i <= BULK; i++) {
		p[i] = (struct pollfd){ socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), POLLOUT, 0 };
		/* fills the queue, which cubic's HyStart does not */
		setsockopt(p[i].fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
		connect(p[i].fd, (struct sockaddr *)&to, sizeof(to));
	}
	while (poll(p, n, -1) > 0) {
		if ((p[0].revents & POLLIN) != 0 && n < NELEM(p))
			p[n++] = (struct pollfd){ accept(p[0].fd, NULL, NULL), POLLIN, 0 };
		for (nfds_t i = 1; i < n; i++) {
			if ((p[i].revents & POLLOUT) != 0 && write(p[i].fd, data, sizeof(data)) < 0)
				continue;
			if ((p[i].revents & POLLIN) != 0 && read(p[i].fd, data, sizeof(data)) < 0)
				_exit(1);
		}
	}
	_exit(1);
}

static double
lab_queue_bytes(struct remote *w)
{
	struct lab_stats stats[2];
	struct err e = { ERR_NONE, "" };

	cr_assert(lab_stats(w->a, w->lab, stats, &e), "%s", e.text);
	return stats[1].queue_bytes;
}

/* How often the lease was renewed; -1: its guard is gone. */
static long
renewals(struct remote *w, const char *dir)
{
	FILE *f = fopen(arena_printf(w->a, "/proc/%ld/root%s/lease", (long)w->sshd_pid, dir), "r");
	char text[64] = "";
	long n = -1;

	if (f == NULL)
		return -1;
	if (fgets(text, sizeof(text), f) != NULL)
		n = strtol(text + strcspn(text, "0123456789"), NULL, 10);
	fclose(f);
	return n;
}

/* A value of the target's set for three leases, from the other side of the lab. */
static void
hold_a_value(struct remote *w)
{
	struct knob_value old = { .name = "net.ipv4.tcp_rmem", .file = "/proc/sys/" RMEM,
		.text = remote_value(w, RMEM) }, ours = old;
	struct guard_remote_spec spec = { .old = &old, .n = 1, .lease_s = CUTS_LEASE_S, .early = true };
	struct err e = { ERR_NONE, "" };
	struct guard_renew *renew;
	struct guard_remote *g;
	struct host *h;
	size_t healed;
	long n;

	ours.text = "4096 131072 4194304";
	cr_assert(host_open(w->a, arena_printf(w->a, "ssh://" LAB_ADDRESS_A ":%d", REMOTE_PORT), &h, &e),
	    "%s", e.text);
	cr_assert(guard_remote_start(h, w->a, &spec, &g, &healed, &e), "%s", e.text);
	cr_assert(guard_renew_start(h, w->a, g, CUTS_LEASE_S, &renew, &e), "%s", e.text);
	cr_assert(guard_remote_announce(g, w->a, &ours, 1, &e), "%s", e.text);
	cr_assert(knobs_set(h, w->a, &ours, 1, &e), "%s", e.text);
	while ((n = renewals(w, guard_remote_dir(g))) >= 0 && n < THREE_LEASES)
		poll(NULL, 0, 20);
	cr_expect_geq(n, THREE_LEASES, "the guard is gone after %ld", n);
	cr_expect(guard_remote_held(g, w->a, &e), "%s", e.text);
	guard_renew_end(renew);
	cr_expect(guard_remote_release(g, w->a, &e), "%s", e.text);
	cr_expect(knobs_same(remote_value(w, RMEM), old.text), "restored");
	host_close(h);
}

/*
 * The way from here to the target is full of the transfers of others: renewals wait behind two
 * thirds of a second of data, or are lost and sent again.
 */
Test(remote, a_link_that_is_full_does_not_let_the_lease_run_out, .timeout = 200)
{
	struct arena *a = arena_new();
	struct remote w = remote_new_queue(lab_of_this(a), 30e6, 20, 33);
	struct err e = { ERR_NONE, "" };
	pid_t peer, child;

	cr_assert(stop_install());
	cr_assert(lab_spawn(w.a, w.lab, 'b', (const char *const[]){ "sleep", "1000", NULL }, -1, &peer,
	    &e), "%s", e.text);
	if ((child = fork()) == 0)
		bulk(w.sshd_pid, peer);
	remote_enter(peer);
	for (int i = 0; i < 1000 && lab_queue_bytes(&w) < FULL_BYTES; i++)
		poll(NULL, 0, 20);
	cr_assert(lab_queue_bytes(&w) >= FULL_BYTES);
	hold_a_value(&w);
	cr_expect(lab_queue_bytes(&w) >= FULL_BYTES, "full to the end");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	remote_end(&w);
	arena_free(a);
}
