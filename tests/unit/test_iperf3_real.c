/*
 * The iperf3 way with iperf3 itself, on loopback.
 *
 * needs: iperf3
 */
#include "probes/endpoint.h"
#include "probes/net.h"
#include "probes/process.h"
#include "probes/stop.h"
#include "tuner/profile.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct arena *a;
static struct err e;
static struct host *h;
static struct host_child server;
static struct profile *profile;
static unsigned port;

/* One that is free now; iperf3 itself cannot be told to choose. */
static unsigned
free_port(void)
{
	int fd[NET_LISTEN_MAX];
	unsigned real;
	size_t n;

	cr_assert(net_listen("127.0.0.1", 0, fd, &n, &real, &e), "%s", e.text);
	while (n > 0)
		close(fd[--n]);
	return real;
}

static void
setup(void)
{
	const char *port_text;
	char c;

	a = arena_new();
	e = (struct err){ ERR_NONE, "" };
	cr_assert(stop_install());
	cr_assert(host_open(a, "local", &h, &e), "%s", e.text);
	cr_assert(profile_named(a, "linux", &profile, &e), "%s", e.text);
	port = free_port();
	port_text = arena_printf(a, "%u", port);
	cr_assert(host_start(h, a, (const char *const[]){ "iperf3", "-s", "-B", "127.0.0.1", "-p",
	    port_text, "--forceflush", NULL }, &server, &e), "%s", e.text);
	cr_assert_eq(read(server.out, &c, 1), 1, "it says that it listens");
}

static void
teardown(void)
{
	host_end(&server);
	host_close(h);
	arena_free(a);
}

TestSuite(iperf3_real, .init = setup, .fini = teardown, .timeout = 60);

static struct endpoint *
opened(void)
{
	const struct endpoint_spec spec = { .peer = arena_printf(a, "iperf3://127.0.0.1:%u", port),
		.host = h, .profile = profile, .host_name = "local" };
	struct endpoint *p = NULL;

	cr_assert(endpoint_open(a, &spec, &p, &e), "%s", e.text);
	return p;
}

static struct trial
measured(struct endpoint *p, enum direction d, unsigned streams, const char *cc)
{
	const struct flow_spec f = { .direction = d, .streams = streams, .duration_s = 1, .cc = cc };
	struct trial t;

	record_init(&trial_record, &t);
	cr_assert(endpoint_measure(p, a, &f, NULL, &t, &e), "%s", e.text);
	return t;
}

Test(iperf3_real, both_directions_have_figures)
{
	struct endpoint *p = opened();
	struct trial t = measured(p, DIR_SEND, 1, NULL);
	double rtt_ms = NAN;

	cr_expect_eq(t.status, TRIAL_OK, "%s", t.why);
	cr_expect_gt(t.goodput_bps, 1e6);
	cr_expect(t.rtt.min_ms > 0 && t.retransmits >= 0 && t.retransmits < 1);
	t = measured(p, DIR_RECEIVE, 2, NULL);
	cr_expect_eq(t.status, TRIAL_OK, "%s", t.why);
	cr_expect_gt(t.goodput_bps, 1e6);
	cr_expect_eq(t.streams, 2);
	cr_expect_str_eq(endpoint_address(p), "127.0.0.1");
	cr_expect(endpoint_idle_rtt(p, 3, &rtt_ms, &e), "%s", e.text);
	cr_expect(rtt_ms > 0 && rtt_ms < 1000);
	endpoint_close(p);
}

Test(iperf3_real, a_congestion_control_that_is_not_there_voids_one_trial)
{
	struct endpoint *p = opened();
	struct trial t = measured(p, DIR_SEND, 1, "nosuchcc");

	cr_expect_eq(t.status, TRIAL_VOID);
	cr_expect_not_null(strstr(t.why, "TCP_CONGESTION"), "%s", t.why);
	cr_expect_eq(measured(p, DIR_SEND, 1, "reno").status, TRIAL_OK);
	endpoint_close(p);
}

Test(iperf3_real, a_server_that_ends_is_missed)
{
	struct endpoint *p = opened();
	const struct flow_spec f = { .direction = DIR_SEND, .streams = 1, .duration_s = 1 };
	struct trial t;

	host_end(&server);
	cr_expect_not(endpoint_measure(p, a, &f, NULL, &t, &e));
	cr_expect_not_null(strstr(e.text, "is 'iperf3 -s' running there"), "%s", e.text);
	endpoint_close(p);
}
