/*
 * pathtune check: is what was applied still in force?  Fit for a timer.
 */
#include "cmd_persist.h"
#include "drift.h"
#include "offloads.h"
#include "pipeline_trial.h"

#include <stdio.h>
#include <string.h>

#define CHECK_SCHEMA "pathtune-check/1"

struct check_result {
	const char *schema;
	const char *status;   /* "ok", "drift", "nothing-applied" */
	const char *applied;  /* when, UTC */
	const char *run;
	struct hazard *findings;
	size_t n_findings;
};

static const struct field check_fields[] = {
	F_STR(check_result, schema, FIELD_REQUIRED),
	F_STR(check_result, status, 0),
	F_STR(check_result, applied, 0),
	F_STR(check_result, run, 0),
	F_LIST(check_result, findings, &hazard_record),
	F_END,
};
static const struct record check_record = { "check", sizeof(struct check_result), check_fields };

struct asked {
	const char *run, *profile, *host;
	struct host_access access;
};

static bool
parse(struct cmd_context *c, int argc, char **argv, struct asked *x, bool *help, struct err *e)
{
	const struct opt own[] = {
		{ "profile", 0, OPT_STRING, &x->profile, 0, 0, NULL, "FILE",
		    "use this profile of the system", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct opt *opts = cmd_access_flags(c->arena, own, &x->access);
	const char **words;
	size_t n;

	if (!cmd_options(c, &cmd_check, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	for (size_t i = 0; i < n; i++) {
		const char **to = cmd_is_host(words[i]) ? &x->host : &x->run;

		if (*to != NULL)
			return fail(e, ERR_USAGE, "'%.60s': only one host and one run can be named",
			    words[i]);
		*to = words[i];
	}
	return cmd_access_check(opts, x->host, NULL, e);
}

/* What is to be in force: of the run that was named, else all that was applied. */
static bool
wanted_level(struct apply_job *j, const struct asked *x, struct undo_level *out, bool *any,
    struct err *e)
{
	struct arena *a = j->p->cmd->arena;
	struct run run;

	*any = true;
	if (x->run != NULL) {
		if (!cmd_run_load(a, x->run, &run, e))
			return false;
		*out = drift_of_run(a, j->p->profile, &j->p->run->facts, &run);
		out->run = x->run;
		return true;
	}
	/* A recording has no files but those that it was asked for. */
	if (host_path(j->p->host) != NULL) {
		*any = false;
		return true;
	}
	if (!apply_record(j, e))
		return false;
	*any = j->undo.n_levels != 0;
	if (*any)
		*out = undo_joined(a, &j->undo, 0);
	return true;
}

/* The file that sets the interface's offloads at boot, if one was set; *now NULL: there is none. */
static bool
read_offloads(struct apply_job *j, const struct undo_level *l, struct undo_now **now,
    struct err *e)
{
	struct arena *a = j->p->cmd->arena;
	struct persist_file kind;
	struct persist_found found;
	bool any = false;

	*now = NULL;
	for (size_t i = 0; i < l->n_values; i++)
		any = any || offload_is_line(l->values[i].name);
	if (!any || host_path(j->p->host) != NULL ||
	    !offload_file(a, j->p->profile, &j->p->run->facts, &kind))
		return true;
	if (!change_read(j->p, &kind.path, 1, UNDO_FILE_BYTES, &found, e))
		return false;
	*now = arena_alloc(a, sizeof(**now));
	**now = (struct undo_now){ kind.path, found.text, found.len };
	return true;
}

static void
print(struct cmd_context *c, const struct check_result *r)
{
	if (c->json) {
		puts(record_to_json(c->arena, &check_record, r, true));
		return;
	}
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct hazard *h = &r->findings[i];
		char *line = arena_printf(c->arena, "%s: %s%s%s%s: %s", h->id,
		    h->subject == NULL ? "" : h->subject, h->where == NULL ? "" : " (",
		    h->where == NULL ? "" : h->where, h->where == NULL ? "" : ")", h->words);

		text_disarm(line);
		puts(line);
	}
	if (r->n_findings == 0 && !c->quiet)
		puts(strcmp(r->status, "ok") == 0 ? "ok: what was applied is in force" :
		    "ok: nothing is applied, and no harm is known");
}

static bool
look(struct apply_job *j, const struct asked *x, struct err *e)
{
	struct arena *a = j->p->cmd->arena;
	struct check_result r = { .schema = CHECK_SCHEMA, .status = "nothing-applied" };
	struct undo_level level = { .state = UNDO_APPLIED };
	struct persist_found *found;
	struct undo_now *now = NULL, *offloads;
	bool any;

	if (!wanted_level(j, x, &level, &any, e) ||
	    (any && !apply_files_now(j, &level, &now, &found, e)) ||
	    !read_offloads(j, &level, &offloads, e))
		return false;
	r.findings = drift_find(a, j->p->profile, &j->p->run->facts, any ? &level : NULL, now,
	    offloads, &r.n_findings);
	if (trial_waits(j->p))
		*(struct hazard *)arena_push(a, &r.findings, &r.n_findings, sizeof(*r.findings)) =
		    (struct hazard){ "unconfirmed", "apply", NULL,
			"values wait to be confirmed, and go back when their time is out" };
	if (any) {
		r.applied = level.applied;
		r.run = level.run;
		r.status = "ok";
	}
	if (r.n_findings != 0) {
		r.status = "drift";
		j->p->cmd->status = CMD_PENDING;
	}
	print(j->p->cmd, &r);
	return true;
}

static bool
check(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct asked x = { .run = NULL };
	struct run *here = arena_alloc(c->arena, sizeof(*here));
	struct pipeline p = { .cmd = c, .run = here };
	struct apply_job j = { .p = &p, .lock = -1 };
	bool help, ok;

	if (!parse(c, argc, argv, &x, &help, e) || help)
		return help;
	p.profile_file = x.profile;
	p.access = x.access;
	here->options.host = x.host;
	ok = cmd_persist_probe(&p, "check", e) && look(&j, &x, e);
	pipeline_close(&p);
	return ok;
}

const struct cmd cmd_check = { "check", "[HOST] [RUN]",
	"tells whether what was applied is still in force: exit 3 when it is not", check };
