/*
 * pathtune demo: makes a lab, tunes it as a user would (the same program, the same sockets), tells
 * the story on one screen and removes the lab.
 */
#include "cmd.h"
#include "units.h"
#include "../probes/lab.h"
#include "../probes/peer.h"
#include "../probes/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_READY_MS 10000
#define LAB_PREFIX "demo-" /* with the number of our process behind it */

struct demo {
	struct cmd_context *c;
	struct lab_spec spec;
	const char *start_cc;
	bool quick, thorough;
	const char *budget, *save;
	pid_t server, tuner;
	const char *run_file;
};

static bool
parse(struct demo *d, int argc, char **argv, bool *help, struct err *e)
{
	const char *queue = NULL;
	double rtt_s = d->spec.rtt_ms / 1e3, rate = d->spec.link[0].rate_bps, seed = 1;
	double loss = 0, jitter_s = 0, budget_s;
	struct opt opts[] = {
		{ "rate", 0, OPT_RATE, &rate, 1e5, 1e10, NULL, "RATE", "of the path (300M)",
		    false },
		{ "rtt", 0, OPT_TIME, &rtt_s, 2e-4, 2, NULL, "TIME", "of the path (80ms)", false },
		{ "queue", 0, OPT_STRING, &queue, 0, 0, NULL, "QUEUE",
		    "1bdp, 64K (bytes) or 100p (packets); 1bdp", false },
		{ "loss", 0, OPT_FRACTION, &loss, 0, .5, NULL, "SHARE", "of the segments (0)",
		    false },
		{ "jitter", 0, OPT_TIME, &jitter_s, 0, 1, NULL, "TIME", "added at random (0)",
		    false },
		{ "seed", 0, OPT_NUMBER, &seed, 0, 4294967295.0, NULL, "N",
		    "of losses and jitter (1)", false },
		{ "start", 0, OPT_STRING, &d->spec.start, 0, 0, NULL, "PRESET",
		    "bsd-256k (default), linux-6.1, linux-6.18 or host", false },
		{ "quick", 0, OPT_FLAG, &d->quick, 0, 0, NULL, NULL, "150 s (default)", false },
		{ "thorough", 0, OPT_FLAG, &d->thorough, 0, 0, NULL, NULL, "30 min", false },
		{ "budget", 0, OPT_STRING, &d->budget, 0, 0, NULL, "TIME",
		    "standard search in this time", false },
		{ "save", 0, OPT_STRING, &d->save, 0, 0, NULL, "FILE", "keep the run file", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct err why = { ERR_NONE, "" };
	const char **words;
	size_t n;

	if (!cmd_options(d->c, &cmd_demo, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	if (n != 0)
		return fail(e, ERR_USAGE, "'%.60s': demo takes flags only", words[0]);
	if (d->quick + d->thorough + (d->budget != NULL) > 1)
		return fail(e, ERR_USAGE, "--quick, --thorough and --budget contradict each other");
	if (d->budget != NULL && !units_time(d->budget, &budget_s, &why))
		return fail(e, ERR_USAGE, "--budget: %s", why.text);
	d->spec.rtt_ms = rtt_s * 1e3;
	d->spec.seed = (uint64_t)seed;
	for (int i = 0; i < 2; i++) {
		struct lab_link *l = &d->spec.link[i];

		l->rate_bps = rate;
		l->loss = loss;
		l->loss_model = loss > 0 ? LOSS_BERNOULLI : LOSS_NONE;
		l->jitter_ms = jitter_s * 1e3;
		if (queue != NULL && !lab_parse_queue(queue, l, e))
			return false;
	}
	return lab_check(&d->spec, e);
}

/* ---- the server in b ------------------------------------------------------------------------ */

/* The server's first line says that it listens; the token it was given is in its environment. */
static bool
wait_ready(int fd, struct err *e)
{
	struct pollfd p[2] = { { fd, POLLIN, 0 }, { stop_fd(), POLLIN, 0 } };
	char line[256];
	int n;

	do
		n = poll(p, 2, SERVER_READY_MS);
	while (n < 0 && errno == EINTR && !stop_requested());
	if (stop_requested())
		return fail(e, ERR_STOPPED, "stopped by a signal; the lab is removed");
	if (n <= 0 || read(fd, line, sizeof(line)) <= 0)
		return fail(e, ERR_FAILED, "the server in the lab did not start");
	return true;
}

static bool
start_server(struct demo *d, struct err *e)
{
	const char *argv[] = { d->c->program, "serve", "--token-env", "--once", "-q", NULL };
	int fds[2];
	bool ok;

	if (pipe(fds) != 0)
		return fail(e, ERR_FAILED, "pipe: %s", strerror(errno));
	ok = lab_spawn(d->c->arena, d->spec.name, 'b', argv, fds[1], &d->server, e);
	close(fds[1]);
	ok = ok && wait_ready(fds[0], e);
	close(fds[0]);
	return ok;
}

/* ---- the tuner in a ------------------------------------------------------------------------- */

static bool
start_tuner(struct demo *d, int out_fd, struct err *e)
{
	const char *argv[24] = { d->c->program, "tune", "--peer", LAB_ADDRESS_B, "--direction",
		"send", "--json", "--no-save" };
	size_t n = 8;

	if (d->start_cc != NULL) {
		argv[n++] = "--start-cc";
		argv[n++] = d->start_cc;
	}
	if (d->budget != NULL) {
		argv[n++] = "--budget";
		argv[n++] = d->budget;
	} else {
		argv[n++] = d->thorough ? "--thorough" : "--quick";
	}
	if (d->c->quiet)
		argv[n++] = "-q";
	argv[n] = NULL;
	return lab_spawn(d->c->arena, d->spec.name, 'a', argv, out_fd, &d->tuner, e);
}

/* End what is still running when the story ends early. */
static void
end_child(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static bool
run_tuner(struct demo *d, struct err *e)
{
	int status, fd = open(d->run_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok;

	/* What it found comes back as a document; what it says on the way goes to the user. */
	if (fd < 0)
		return fail(e, ERR_FAILED, "%s: %s", d->run_file, strerror(errno));
	ok = start_tuner(d, fd, e);
	close(fd);
	if (!ok)
		return false;
	if (!lab_wait(d->c->arena, d->spec.name, d->tuner, &status, e))
		return false;
	d->tuner = 0;
	if (stop_requested() || (WIFEXITED(status) && WEXITSTATUS(status) == 5))
		return fail(e, ERR_STOPPED, "stopped by a signal; the lab is removed");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return fail(e, ERR_FAILED, "the tuner in the lab failed");
	return true;
}

/* After a whole run the server (--once) ends by itself. */
static bool
end_server(struct demo *d, struct err *e)
{
	int status;

	if (!lab_wait(d->c->arena, d->spec.name, d->server, &status, e))
		return false;
	d->server = 0;
	return true;
}

/* ---- the story ------------------------------------------------------------------------------ */

static const char *
say_queue(struct arena *a, const struct lab_link *l)
{
	if (l->queue_unit == QUEUE_BDP)
		return arena_printf(a, "%.3g BDP", l->queue);
	if (l->queue_unit == QUEUE_PACKETS)
		return arena_printf(a, "%.0f packets", l->queue);
	return units_say_bytes(a, l->queue);
}

static void
introduce(struct demo *d)
{
	struct arena *a = d->c->arena;
	const struct lab_link *l = &d->spec.link[0];

	cmd_note(d->c,
	    "demo: an emulated path of %s, RTT %s, queue %s%s%s, started from %s; this "
	    "host sends",
	    units_say_rate(a, l->rate_bps), units_say_time(a, d->spec.rtt_ms / 1e3),
	    say_queue(a, l), l->loss > 0 ? ", loss " : "",
	    l->loss > 0 ? units_say_percent(a, l->loss, 2) : "", d->spec.start);
}

static bool
tell(struct demo *d, struct err *e)
{
	struct run run;

	if (!cmd_run_load(d->c->arena, d->run_file, &run, e))
		return false;
	cmd_run_print(d->c, &run);
	return d->save == NULL || cmd_run_save(d->c->arena, d->save, &run, e);
}

/* After the story: what it is worth.  Without an answer nothing is said. */
static void
tell_health(struct demo *d)
{
	const char *words;

	if (lab_health(d->c->arena, d->spec.name, "this demo", &words, NULL) && words != NULL)
		cmd_note(d->c, "%s", words);
}

static bool
play(struct demo *d, struct err *e)
{
	const char *token = peer_token_new(d->c->arena);
	bool ok;

	/* By the environment, never by argv; both children inherit it, nobody else. */
	if (setenv("PATHTUNE_TOKEN", token, 1) != 0)
		return fail(e, ERR_FAILED, "setenv: %s", strerror(errno));
	ok = start_server(d, e) && run_tuner(d, e) && end_server(d, e);
	unsetenv("PATHTUNE_TOKEN");
	ok = ok && tell(d, e);
	if (ok)
		tell_health(d);
	return ok;
}

static bool
demo(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	char dir[] = "/tmp/pathtune-demo-XXXXXX";
	struct demo d = { .c = c, .spec = lab_default() };
	struct err down = { ERR_NONE, "" };
	bool help = false, ok;

	d.spec.name = arena_printf(c->arena, LAB_PREFIX "%ld", (long)getpid());
	d.spec.tied = true;
	d.spec.start = "bsd-256k";
	d.spec.open_b = true;
	if (!parse(&d, argc, argv, &help, e))
		return false;
	if (help)
		return true;
	if (mkdtemp(dir) == NULL)
		return fail(e, ERR_FAILED, "%s: %s", dir, strerror(errno));
	d.run_file = arena_printf(c->arena, "%s/run.json", dir);
	introduce(&d);
	lab_sweep(c->arena, LAB_PREFIX); /* of demos that were killed */
	ok = lab_up(c->arena, &d.spec, &d.start_cc, e);
	if (ok) {
		ok = play(&d, e);
		end_child(d.tuner);
		end_child(d.server);
		lab_down(c->arena, d.spec.name, &down);
	}
	unlink(d.run_file);
	rmdir(dir);
	if (ok && down.code != ERR_NONE)
		return fail(e, down.code, "%s", down.text);
	return ok;
}

const struct cmd cmd_demo = { "demo", "[FLAGS]",
	"tunes an emulated long path on this machine and shows what happens", demo };
