#include "pipeline_trial.h"
#include "pipeline_change_remote.h"
#include "../probes/keeper.h"
#include "../probes/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAR_S 2.0     /* a question is one word */
#define ANSWER_S 120.0 /* setting many values by commands, and writing to slow disks */

static const char *
socket_path(struct arena *a, const char *state_dir)
{
	return arena_printf(a, "%s/unconfirmed", state_dir);
}

/* ---- what is said: "+" and the result as JSON, or "-", the kind of error and its text -------- */

static const char *
message(struct arena *a, const struct apply_result *r, const struct err *e)
{
	if (e->code != ERR_NONE)
		return arena_printf(a, "-%d%s", (int)e->code, e->text);
	return arena_printf(a, "+%s", record_to_json(a, &apply_result_record, r, false));
}

static bool
understand(struct arena *a, const char *text, struct apply_result *r, struct err *e)
{
	struct node *node;

	if (text[0] == '-' && text[1] > '0' + ERR_NONE && text[1] <= '0' + ERR_STOPPED)
		return fail(e, (enum err_code)(text[1] - '0'), "%s", text + 2);
	if (text[0] != '+')
		return fail(e, ERR_FAILED, "the process that keeps the values died; its guard "
		    "takes them back");
	if (r == NULL)
		return true;
	record_init(&apply_result_record, r);
	return node_from_json(a, "answer", text + 1, strlen(text + 1), &node, e) &&
	    record_from_node(a, "answer", &apply_result_record, node, r, e);
}

/* ---- the keeper ------------------------------------------------------------------------------ */

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/*
 * Nobody finds us any more, and the host is free; only then do those go on who hear our answer, or
 * who wait in vain for one.
 */
static void
retire(struct apply_job *j, int *listener)
{
	unlink(socket_path(j->p->cmd->arena, pipeline_state_dir(j->p)));
	apply_close(j);
	close(*listener);
	*listener = -1;
}

/* One question answered; true: it is over. */
static bool
serve(struct apply_job *j, int fd, int *listener)
{
	struct arena *a = j->p->cmd->arena;
	struct err e = { ERR_NONE, "" }, unheard = { ERR_NONE, "" };
	const char *what;
	bool confirm;

	if (!keeper_hear(a, fd, HEAR_S, &what, &unheard))
		return false;
	confirm = strcmp(what, TRIAL_CONFIRM) == 0;
	if (!confirm && strcmp(what, TRIAL_REVERT) != 0)
		return false;
	j->result.command = confirm ? "confirm" : "revert";
	if (confirm && apply_write(j, &e))
		j->result.status = "confirmed";
	else if (!confirm && apply_cancel(j, &e))
		j->result.status = "reverted";
	retire(j, listener);
	keeper_say(fd, message(a, &j->result, &e));
	return true;
}

/* Until it is confirmed, taken back, or the time is out. */
static void
keep(struct apply_job *j, int listener, double seconds)
{
	double end = now_s() + seconds, left_s;
	struct err ignored = { ERR_NONE, "" };
	bool over = false;

	while (!over && stop_requested() == 0 && (left_s = end - now_s()) > 0) {
		struct pollfd wait[] = { { .fd = listener, .events = POLLIN },
			{ .fd = stop_fd(), .events = POLLIN } };
		int fd;

		/* Who is let in after a stop would be told that we wait on. */
		if (poll(wait, 2, (int)ceil(fmin(left_s, 3600) * 1e3)) <= 0 ||
		    wait[0].revents == 0 || stop_requested() != 0)
			continue;
		fd = accept(listener, NULL, NULL);
		if (fd == -1)
			continue;
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		over = serve(j, fd, &listener);
		close(fd);
	}
	if (over)
		return;
	apply_cancel(j, &ignored);
	retire(j, &listener);
}

_Noreturn static void
be_keeper(struct apply_job *j, int report, double seconds)
{
	struct arena *a = j->p->cmd->arena;
	const char *path = socket_path(a, pipeline_state_dir(j->p));
	const int keep_open[] = { report, j->lock };
	struct err e = { ERR_NONE, "" };
	int listener = -1;

	j->p->cmd->quiet = true;
	if (!keeper_detach(keep_open, NELEM(keep_open)))
		fail(&e, ERR_FAILED, "no process could be started to keep the values");
	else
		listener = keeper_listen(a, path, &e);
	if (listener != -1 && apply_set(j, &e)) {
		j->result.status = "unconfirmed";
		j->result.confirm_s = seconds;
		keeper_say(report, message(a, &j->result, &e));
		close(report);
		keep(j, listener, seconds);
	} else {
		if (listener != -1)
			retire(j, &listener);
		keeper_say(report, message(a, &j->result, &e));
	}
	_exit(e.code == ERR_NONE ? 0 : 1);
}

/* A stop of ours is one of the keeper's, which then says that all is as it was. */
static bool
await(struct apply_job *j, pid_t keeper, int report, struct err *e)
{
	struct arena *a = j->p->cmd->arena;
	struct err unheard = { ERR_NONE, "" };
	const char *text;

	if (keeper_hear(a, report, ANSWER_S, &text, &unheard))
		return understand(a, text, &j->result, e);
	kill(keeper, SIGTERM);
	return fail(e, unheard.code, "%s; all is taken back", unheard.text);
}

/* The guard there keeps the values, and what is to be written lies beside it. */
static bool
start_remote(struct apply_job *j, double seconds, struct err *e)
{
	j->change.lease_s = seconds;
	if (!apply_set(j, e) || !apply_stage(j, e))
		return false;
	stop_hold(false);
	j->result.status = "unconfirmed";
	j->result.confirm_s = seconds;
	return true;
}

bool
trial_start(struct apply_job *j, double seconds, struct err *e)
{
	sigset_t all, before;
	pid_t keeper;
	int ends[2];
	bool ok;

	if (change_is_remote(j->p))
		return start_remote(j, seconds, e);
	if (pipe(ends) != 0)
		return fail(e, ERR_FAILED, "pipe: %s", strerror(errno));
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	/* Signals wait while there are two of us with the handlers of one. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	keeper = fork();
	if (keeper == 0) {
		close(ends[0]);
		be_keeper(j, ends[1], seconds);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	ok = keeper == -1 ? fail(e, ERR_FAILED, "fork: %s", strerror(errno)) :
	    await(j, keeper, ends[0], e);
	close(ends[0]);
	return ok;
}

/* ---- those who ask --------------------------------------------------------------------------- */

bool
trial_waits(struct pipeline *p)
{
	int fd;

	if (!host_is_here(p->host))
		return p->there.there == GUARD_REMOTE_WAITS;
	fd = keeper_connect(p->cmd->arena, socket_path(p->cmd->arena, pipeline_state_dir(p)));
	if (fd != -1)
		close(fd);
	return fd != -1;
}

static bool
fail_nothing(struct err *e)
{
	return fail(e, ERR_FAILED, "there is nothing to confirm: no apply waits for it, or its "
	    "time was out and all was taken back");
}

static bool
ask_remote(struct pipeline *p, const char *what, struct apply_result *result, struct err *e)
{
	struct arena *a = p->cmd->arena;
	struct guard_remote *g = guard_remote_join(p->host, a, p->there.dir);
	const char *text;

	if (!trial_waits(p))
		return fail_nothing(e);
	if (strcmp(what, TRIAL_REVERT) == 0)
		return guard_remote_release(g, a, e);
	if (!guard_remote_result(g, a, &text, e))
		return false;
	return text == NULL ? fail_nothing(e) : guard_remote_commit(g, a, e) &&
	    understand(a, arena_printf(a, "+%s", text), result, e);
}

bool
trial_ask(struct pipeline *p, const char *what, struct apply_result *result, struct err *e)
{
	struct arena *a = p->cmd->arena;
	struct err unheard = { ERR_NONE, "" };
	const char *text;
	bool heard;
	int fd;

	if (!host_is_here(p->host))
		return ask_remote(p, what, result, e);
	fd = keeper_connect(a, socket_path(a, pipeline_state_dir(p)));
	if (fd == -1)
		return fail_nothing(e);
	heard = keeper_say(fd, what) ? keeper_hear(a, fd, ANSWER_S, &text, &unheard) :
	    fail(&unheard, ERR_FAILED, "no answer");
	close(fd);
	if (!heard)
		return fail(e, unheard.code, "%s; what waited to be confirmed may be confirmed or "
		    "taken back by now: pathtune check tells", unheard.text);
	return understand(a, text, result, e);
}
