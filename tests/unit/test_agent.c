/*
 * Measuring from a host that is not here: the agent there, and one that is none of ours.
 */
#include "peer_child.h"

#include "probes/agent_line.h"
#include "probes/endpoint.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

TestSuite(agent, .init = child_suite, .fini = child_suite_end, .timeout = 100);

static char dir[] = "/tmp/pathtune-agent-XXXXXX";
static struct host *h;
static struct err e;

static void
begin(void)
{
	cr_assert_not_null(mkdtemp(dir));
	cr_assert(stop_install());
	cr_assert(host_open(a, "via:/bin/sh -s", &h, &e), "%s", e.text);
}

static void
end(void)
{
	const char *command = arena_printf(a, "rm -rf %s", dir);

	host_close(h);
	cr_assert_eq(system(command), 0);
}

static bool
open_by(const char *program, const char *peer, struct endpoint **out)
{
	const struct host_access access = { .agent = program };
	const struct endpoint_spec s = { .peer = peer, .token = CHILD_TOKEN, .host = h,
		.access = &access };

	e = (struct err){ ERR_NONE, "" };
	return endpoint_open(a, &s, out, &e);
}

/* An agent by this script; it finds the directory as $d. */
static const char *
impostor(const char *script)
{
	const char *path = arena_printf(a, "%s/impostor", dir);
	FILE *f = fopen(path, "w");

	cr_assert(f != NULL && fprintf(f, "#!/bin/sh\nd=%s\n%s\n", dir, script) > 0 &&
	    fclose(f) == 0 && chmod(path, 0755) == 0);
	return path;
}

#define HELLO "echo '{\"type\":\"hello\",\"protocol\":1,\"version\":\"0.1\"}'; read -r x; "
#define OPENED HELLO "echo '{\"type\":\"opened\",\"address\":\"192.0.2.1\"}'; read -r x; "
#define FLOW "{\"type\":\"result\",\"trial\":0,\"status\":\"ok\",\"bytes\":1,\"counted_s\":1,"

Test(agent, measures_as_this_process_would_and_ends_with_the_session)
{
	struct child c;
	struct endpoint *p;
	double rtt_ms = NAN;

	begin();
	cr_assert(child_start(&c, child_options(true)));
	cr_assert(open_by(PATHTUNE, c.peer, &p), "%s", e.text);
	cr_expect_str_eq(endpoint_address(p), "127.0.0.1");
	cr_expect_str_eq(endpoint_tool(p), "pathtune");
	cr_expect(endpoint_sets_cc(p));
	cr_assert(endpoint_idle_rtt(p, 3, &rtt_ms, &e), "%s", e.text);
	cr_expect(rtt_ms > 0 && rtt_ms < 1000);
	for (int i = 0; i < 2; i++) {
		struct flow_spec f = child_spec(i == 0 ? DIR_SEND : DIR_RECEIVE, 2);
		struct trial t;

		record_init(&trial_record, &t);
		cr_assert(endpoint_measure(p, a, &f, NULL, &t, &e), "%s", e.text);
		cr_expect_eq(t.status, TRIAL_OK, "%s", t.why);
		cr_expect_eq(t.direction, f.direction);
		cr_expect_eq(t.streams, 2);
		cr_expect_gt(t.goodput_bps, 1e6);
		cr_expect_gt(t.bytes, 1e4);
		cr_expect(t.n_intervals_bps > 0 && t.duration_s > 0 && !isnan(t.rtt.min_ms));
	}
	endpoint_close(p);
	cr_expect_eq(child_status(&c), 0, "the run is over when the agent is");
	end();
}

Test(agent, a_token_that_is_wrong_is_said_as_it_is_here)
{
	struct serve_options o = child_options(true);
	struct child c;
	struct endpoint *p;

	begin();
	o.token = "another-token-than-the-one-asked-for";
	cr_assert(child_start(&c, o));
	cr_expect_not(open_by(PATHTUNE, c.peer, &p));
	cr_expect_not_null(strstr(e.text, "token not accepted"), "%s", e.text);
	child_end(&c, SIGTERM);
	end();
}

Test(agent, a_congestion_control_that_the_host_has_not_is_an_answer)
{
	struct flow_spec f = child_spec(DIR_SEND, 1);
	struct child c;
	struct endpoint *p;
	struct trial t;

	begin();
	cr_assert(child_start(&c, child_options(true)));
	cr_assert(open_by(PATHTUNE, c.peer, &p), "%s", e.text);
	f.cc = "no-such-cc";
	record_init(&trial_record, &t);
	cr_assert(endpoint_measure(p, a, &f, NULL, &t, &e), "%s", e.text);
	cr_expect_neq(t.status, TRIAL_OK);
	cr_expect_not_null(strstr(t.why, "no-such-cc"), "%s", t.why);
	endpoint_close(p);
	child_status(&c);
	end();
}

/* In the middle of a trial too; argv tells no token. */
Test(agent, ends_when_its_input_does_and_its_arguments_tell_no_secret)
{
	const char *const argv[] = { PATHTUNE, "agent", NULL };
	struct agent_line asked = agent_line_new(AGENT_OPEN), heard;
	struct message m = message_new(MESSAGE_TRIAL, 0);
	struct flow_spec f = child_spec(DIR_SEND, 1);
	struct agent_channel *channel = arena_alloc(a, sizeof(*channel));
	struct host_child child;
	struct pollfd wait;
	struct host *here;
	struct child c;
	char line[512] = "";
	int fd;

	begin();
	cr_assert(child_start(&c, child_options(true)));
	cr_assert(host_open(a, "local", &here, &e) && host_start(here, a, argv, &child, &e), "%s", e.text);
	channel->in = child.out;
	channel->out = child.in;
	asked.peer = c.peer;
	asked.token = CHILD_TOKEN;
	cr_assert(agent_hear(a, channel, "it", 20, &heard, &e) && heard.type == AGENT_HELLO, "%s", e.text);
	cr_assert(agent_say(channel, &asked, &e) && agent_hear(a, channel, "it", 20, &heard, &e) &&
	    heard.type == AGENT_OPENED, "%s", e.text);
	f.duration_s = 60;
	message_from_spec(&m, &f);
	asked = agent_line_new(AGENT_MEASURE);
	asked.flow = &m;
	asked.n_flow = 1;
	cr_assert(agent_say(channel, &asked, &e) && agent_hear(a, channel, "it", 20, &heard, &e) &&
	    heard.type == AGENT_TICK, "it measures: %s", e.text);
	fd = open(arena_printf(a, "/proc/%ld/cmdline", (long)child.pid), O_RDONLY);
	cr_assert(fd < 0 || read(fd, line, sizeof(line) - 1) > 0);
	cr_expect_str_eq(line + strlen(line) + (fd >= 0), fd >= 0 ? "agent" : "");
	if (fd >= 0)
		close(fd);
	close(child.in);
	wait = (struct pollfd){ child.out, POLLIN, 0 };
	while (!channel->closed && poll(&wait, 1, 20000) > 0)
		agent_ended(channel), channel->len = channel->taken = 0;
	cr_expect(channel->closed, "the trial had 60 s to go");
	child.in = dup(child.out);
	host_end(&child);
	host_close(here);
	child_status(&c);
	end();
}

Test(agent, what_is_no_agent_or_another_one_is_refused_with_its_words_disarmed)
{
	static const char *const t[][2] = {
		{ "exit 1", "has ended" },
		{ "echo Segmentation fault", "pathtune on the host: " },
		{ "echo '{\"type\":\"hello\",\"protocol\":2,\"version\":\"9\\u001b[2J\"}'; cat",
		    "is version 9?[2J, which this version" },
		{ "echo '{\"type\":\"hello\",\"protocol\":1,\"evil\":1}'; cat", "evil" },
		{ "echo '{\"type\":\"tick\"}'; exec yes '{\"type\":\"none\"}'", "says what it never does" },
		{ "exec tr '\\0' x </dev/zero", "says a line without end" },
		{ HELLO "exit 0", "has ended" },
		{ HELLO "echo '{\"type\":\"opened\",\"address\":\"$(reboot)\"}'; cat",
		    "the peer's address is none" },
		{ HELLO "echo '{\"type\":\"opened\"}'; cat", "the peer's address is none" },
		{ HELLO "echo '{\"type\":\"done\"}'; cat", "answers what was not asked" },
		{ HELLO "echo '{\"type\":\"failed\",\"why\":\"no\\u001b]0;owned\\u0007\\u000aroot#\"}'; cat",
		    "no?]0;owned??root#" },
		{ HELLO "echo '{\"type\":\"failed\"}'; cat", "gives no reason" },
	};
	struct endpoint *p;

	begin();
	for (size_t i = 0; i < NELEM(t); i++) {
		cr_expect_not(open_by(impostor(t[i][0]), "192.0.2.1", &p), "%s", t[i][0]);
		cr_expect_eq(e.code, ERR_FAILED);
		cr_expect_not_null(strstr(e.text, t[i][1]), "%zu: %s", i, e.text);
		cr_expect_null(strpbrk(e.text, "\033\007\n"));
	}
	cr_expect_not(open_by("/nonexistent/pathtune", "192.0.2.1", &p));
	cr_expect_not_null(strstr(e.text, "--agent PATH"), "%s", e.text);
	end();
}

Test(agent, figures_that_make_no_sense_are_no_trial)
{
	static const char *const t[][2] = {
		{ "[]", "a trial without figures" },
		{ "[" FLOW "\"goodput_bps\":1},\n" FLOW "\"goodput_bps\":1}]", "pathtune on the host: " },
		{ "[" FLOW "\"goodput_bps\":1}," FLOW "\"goodput_bps\":1}]", "says what it never does" },
		{ "[" FLOW "\"goodput_bps\":null}]", "its figures make no sense" },
		{ "[" FLOW "\"goodput_bps\":1e300}]", "goodput_bps" },
		{ "[" FLOW "\"goodput_bps\":-1}]", "goodput_bps" },
		{ "[" FLOW "\"goodput_bps\":1,\"retransmits\":7}]", "retransmits" },
		{ "[" FLOW "\"goodput_bps\":8e9}]", "its figures make no sense" },
		{ "[" FLOW "\"goodput_bps\":1,\"intervals_bps\":[8e9]}]", "its figures make no sense" },
		{ "[{\"type\":\"result\",\"trial\":0,\"status\":\"ok\",\"bytes\":4e9,\"counted_s\":1,"
		  "\"goodput_bps\":3.2e10}]", "its figures make no sense" },
		{ "[" FLOW "\"goodput_bps\":1,\"intervals_bps\":[1,-5]}]", "its figures make no sense" },
		{ "[" FLOW "\"goodput_bps\":1,\"intervals_bps\":[%s]}]", "its figures make no sense" },
	};
	struct flow_spec f = child_spec(DIR_SEND, 1);
	struct text many = { .arena = a };
	struct endpoint *p;
	struct trial out;

	begin();
	f.max_bytes = 1e9;
	for (int i = 0; i < 5000; i++)
		text_add(&many, i == 0 ? "1" : ",1");
	for (size_t i = 0; i < NELEM(t); i++) {
		const char *flow = strstr(t[i][0], "%s") == NULL ? t[i][0] :
		    arena_printf(a, "[" FLOW "\"goodput_bps\":1,\"intervals_bps\":[%s]}]", many.s);

		cr_assert(open_by(impostor(arena_printf(a, OPENED
		    "echo '{\"type\":\"done\",\"flow\":%s}'; cat", flow)), "192.0.2.1", &p), "%s", e.text);
		record_init(&trial_record, &out);
		cr_expect_not(endpoint_measure(p, a, &f, NULL, &out, &e), "%s", t[i][0]);
		cr_expect_not_null(strstr(e.text, t[i][1]), "%zu: %s", i, e.text);
		cr_expect(isnan(out.goodput_bps), "untouched");
		endpoint_close(p);
	}
	end();
}

Test(agent, a_reason_is_shown_harmless_and_unknown_stays_unknown)
{
	struct flow_spec f = child_spec(DIR_RECEIVE, 1);
	struct endpoint *p;
	struct trial t;

	begin();
	cr_assert(open_by(impostor(OPENED "echo '{\"type\":\"done\",\"flow\":[{\"type\":\"result\","
	    "\"trial\":0,\"status\":\"void\",\"why\":\"\\u001b[2Jgone\"}]}'; cat"), "192.0.2.1", &p), "%s",
	    e.text);
	record_init(&trial_record, &t);
	cr_assert(endpoint_measure(p, a, &f, NULL, &t, &e), "%s", e.text);
	cr_expect_eq(t.status, TRIAL_VOID);
	cr_expect_str_eq(t.why, "?[2Jgone");
	cr_expect(isnan(t.goodput_bps) && isnan(t.retransmits) && t.bytes == 0);
	endpoint_close(p);
	end();
}
