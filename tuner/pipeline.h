/*
 * pipeline: the stages in order: probe, plan, measure, decide.  The only place besides the commands
 * that may use probes/.
 */
#ifndef PATHTUNE_PIPELINE_H
#define PATHTUNE_PIPELINE_H

#include "cmd.h"
#include "model.h"
#include "../probes/guard.h"
#include "../probes/guard_remote.h"
#include "../probes/host.h"
#include "../probes/endpoint.h"
#include "profile.h"
#include "try_file.h"

struct pipeline {
	struct cmd_context *cmd;
	struct run *run;              /* grows from stage to stage */
	const char *profile_file;     /* NULL: the embedded one */
	const char *record_dir;       /* NULL: nothing is recorded */
	struct host_access access;    /* how an ssh:// host is reached */
	bool sets;                    /* the command will set values: earlier runs must be healed */
	const struct try_file *tries; /* settings to be compared instead of a search; or NULL */
	struct profile *profile;
	struct host *host;
	struct guard_remote_state there; /* on one reached through a shell, once looked at */
	struct endpoint *endpoint;    /* NULL without a peer */
	struct pipeline *far;         /* --both: the other end, which is set as well; or NULL */
	const struct plan *own;       /* --both: what this end alone could do */
	struct pipeline_guard *guard; /* while measuring, if there are knobs that may be set */
	double lease_s;               /* of one on another host; 0: as trials need it */
	struct knob_value *old;       /* every knob that may be set, as found */
	struct knob_value *now;       /* the same, as they are */
	size_t n_old;
	bool flush_failed;            /* said once */
	const char *save;             /* the run file; NULL: none is kept */
	bool save_unasked;            /* it was our idea: failing to write it is no error */
	bool saved;                   /* it was written */
	bool save_failed;             /* later it could not be, which is said once */
};

/* The host opened and its profile loaded; done once. */
bool pipeline_open(struct pipeline *p, struct err *e);

/* Where this host's state is kept: PATHTUNE_STATE, or where the profile says; once it is loaded. */
const char *pipeline_state_dir(struct pipeline *p);

/*
 * Facts of the host, with a peer also of the path.  On the local host journals of dead runs are
 * carried out first; a recording tells what it knows of its path.
 */
bool pipeline_probe(struct pipeline *p, const char *token, struct err *e);

/* What the host was asked since, into record_dir. */
bool pipeline_record(struct pipeline *p, struct err *e);

/*
 * A short transfer each way, for send_bps and receive_bps of the facts; both become trials of the
 * run.
 */
bool pipeline_bandwidth(struct pipeline *p, struct err *e);

/* After that: each way by UDP and by several connections, for path[] of the facts. */
bool pipeline_look(struct pipeline *p, struct err *e);

bool pipeline_plan(struct pipeline *p, struct err *e);

/*
 * The searches, one a direction, and the decision.  Trials that the run has already are not run
 * again; directions that it has decided stay so, unless they are inconclusive and the caller has
 * taken them out of the decision.  The run file is up to date before each trial; what came of the
 * last one is for the caller to save.  The host is as it was before when this returns, whatever it
 * returns; where that is not so the error says it first, as ERR_FAILED.
 */
bool pipeline_measure(struct pipeline *p, struct err *e);

/*
 * --try FILE: read before anything else, for it may name the direction, which the plan needs.
 * direction_given: the user named one, which the file must not contradict.
 */
bool pipeline_try_read(struct pipeline *p, const char *path, bool direction_given, struct err *e);

/*
 * In place of pipeline_measure(), with the same promise: the file's settings are checked against
 * the host before anything is set, and each is compared with the present one.
 */
bool pipeline_try(struct pipeline *p, struct err *e);

/* Session and host closed. */
void pipeline_close(struct pipeline *p);

#endif
