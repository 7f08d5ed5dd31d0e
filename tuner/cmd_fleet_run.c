/*
 * The fleet's processes: who begins, what came of each, what people see meanwhile.
 */
#include "cmd_fleet.h"

#include "units.h"
#include "../probes/children.h"
#include "../probes/flow.h"
#include "../probes/stop.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * A host that has not answered by then waits for something and uses no processor: it no longer
 * counts, up to twice as many as may run otherwise.  Not for measurements, which are kept apart.
 */
#define SLOW_S 3.0
#define SLOW_SHARE 2
#define LOOK_S .2

/* How long a command may take, and to restore its host when it is ended. */
static const struct {
	double limit_s, grace_s;
} time_of[INVENTORY_COMMANDS] = {
	[INVENTORY_PROBE] = { 120, 5 },
	[INVENTORY_ADVISE] = { 120, 5 },
	[INVENTORY_CHECK] = { 120, 5 },
	[INVENTORY_APPLY] = { 600, 60 },
	[INVENTORY_TUNE] = { 6 * 3600, 60 },
};

struct child_work {
	const struct fleet *fleet;
	const struct inventory_host *host;
};

/* In the child.  The words are not changed, but getopt() may put them in another order. */
static int
run_command(void *arg)
{
	const struct child_work *w = arg;
	const struct fleet_asked *x = w->fleet->asked;
	struct cmd_context *c = w->fleet->cmd;
	struct err e = { ERR_NONE, "" };
	const char **argv;
	char **words;
	size_t n;

	if (!fleet_argv(c->arena, w->host, x->command, x->words, x->n_words, &argv, &n, &e))
		return 2;
	words = arena_array(c->arena, n + 1, sizeof(*words));
	for (size_t i = 0; i < n; i++)
		words[i] = arena_strdup(c->arena, argv[i]);
	return c->again(c->program, (int)n, words);
}

static bool
begin(struct fleet *f, struct children *kids, struct fleet_job *job, struct err *e)
{
	struct child_work w = { f, job->host };
	struct child_spec spec = { run_command, &w, f->asked->time_limit_s,
		time_of[f->asked->command].grace_s, job };

	if (isnan(spec.limit_s))
		spec.limit_s = time_of[f->asked->command].limit_s;
	fflush(NULL);
	return children_start(kids, &spec, e);
}

static bool
may_begin(const struct fleet *f, const struct children *kids)
{
	size_t jobs = (size_t)f->asked->jobs, slow = 0;

	if (!f->queue.apart)
		slow = children_older(kids, SLOW_S);
	if (slow > SLOW_SHARE * jobs)
		slow = SLOW_SHARE * jobs;
	return kids->n < jobs + slow;
}

/* ---- what came of it ------------------------------------------------------------------------- */

static struct fleet_result
result_of(const struct fleet *f, const struct inventory_host *h)
{
	return (struct fleet_result){ .schema = FLEET_SCHEMA, .host = h->name,
		.target = h->target, .command = inventory_commands[f->asked->command],
		.status = NAN, .seconds = NAN };
}

/* A command that ends well without its document has not ended well. */
static void
judge(struct arena *a, const struct child_end *end, struct fleet_result *r, const char **document,
    const char **about)
{
	struct err why = { ERR_NONE, "" };
	const char *reason = fleet_reason(a, end->err);

	*document = NULL;
	*about = "";
	r->seconds = end->seconds;
	if (end->status == -1) {
		r->error = end->why;
		return;
	}
	r->status = end->status;
	if (fleet_is_good(r) && fleet_document(a, end->out, end->out_len, document, about, &why))
		return;
	if (fleet_is_good(r))
		r->status = 1;
	r->error = why.code != ERR_NONE ? arena_strdup(a, why.text) : reason != NULL ? reason :
	    arena_printf(a, "exit status %d", end->status);
}

static void
count(struct fleet *f, const struct fleet_row *row)
{
	if (!fleet_is_good(&row->result))
		f->failed++;
	else
		f->good++;
	if (row->result.status == 3)
		f->pending++;
}

/* The row outlives what the child has left. */
static void
keep_row(struct fleet *f, struct fleet_row *row, const struct fleet_result *r, const char *about)
{
	row->result = *r;
	row->result.error = arena_strdup(f->cmd->arena, r->error);
	row->about = arena_strdup(f->cmd->arena, about);
	row->reported = true;
	count(f, row);
}

static bool
finish(struct fleet *f, struct child_end *end, struct err *e)
{
	struct fleet_job *job = end->tag;
	struct fleet_result r = result_of(f, job->host);
	const char *document, *about;
	bool ok = true;

	judge(end->arena, end, &r, &document, &about);
	keep_row(f, &f->rows[job - f->queue.jobs], &r, about);
	fleet_queue_over(&f->queue, job);
	if (f->cmd->json) {
		cmd_progress_end(f->cmd);
		puts(fleet_result_json(end->arena, &r, document));
		ok = fflush(stdout) == 0 ||
		    fail(e, ERR_FAILED, "standard output: could not be written");
	}
	ok = ok && fleet_keep(f, &r, document == NULL ? NULL : end->out, end->out_len, end->err, e);
	arena_free(end->arena);
	return ok;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/*
 * " | about 3 min left", if the rest takes as long as what is over did; once all have begun, those
 * that run on tell more.  What a host moves only it knows.
 */
static const char *
time_left(struct arena *a, const struct fleet *f, const struct children *kids, double passed_s)
{
	size_t over = f->good + f->failed, left = f->queue.n_jobs - over;

	if (over == 0 || left <= kids->n)
		return "";
	return arena_printf(a, " | about %s left",
	    units_say_time(a, ceil(passed_s * (double)left / (double)over)));
}

static void
show_progress(const struct fleet *f, const struct children *kids, double began_s)
{
	double seconds = 0;
	const struct fleet_job *oldest = children_oldest(kids, &seconds);
	struct arena *a = arena_new();

	cmd_progress(f->cmd, "%zu done, %zu failed, %zu running of %zu%s%s", f->good, f->failed,
	    kids->n, f->queue.n_jobs, time_left(a, f, kids, flow_clock_s() - began_s),
	    oldest == NULL ? "" : arena_printf(a, " | longest: %s, %s", oldest->host->name,
	    units_say_time(a, floor(seconds))));
	arena_free(a);
}

static bool
begin_more(struct fleet *f, struct children *kids, struct err *e)
{
	struct fleet_job *job;

	while (may_begin(f, kids) && (job = fleet_queue_next(&f->queue)) != NULL) {
		if (!begin(f, kids, job, e))
			return false;
	}
	return true;
}

bool
fleet_run(struct fleet *f, struct err *e)
{
	struct children kids = { NULL, 0 };
	double began_s = flow_clock_s();
	struct child_end end;
	bool ok = true;

	while (ok || kids.n != 0) {
		if (stop_requested() != 0)
			ok = ok && fail(e, ERR_STOPPED, "stopped by signal %d", stop_requested());
		ok = ok && begin_more(f, &kids, e);
		if (!ok)
			children_stop(&kids, stop_requested() != 0 ? "stopped" : "given up");
		if (kids.n == 0)
			break;
		show_progress(f, &kids, began_s);
		if (children_wait(&kids, LOOK_S, &end))
			ok = finish(f, &end, e) && ok;
	}
	cmd_progress_end(f->cmd);
	return ok;
}
