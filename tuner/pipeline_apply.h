/*
 * pipeline_apply: a run put in force on this host, for good or for a while, and taken back.
 */
#ifndef PATHTUNE_PIPELINE_APPLY_H
#define PATHTUNE_PIPELINE_APPLY_H

#include "apply.h"
#include "pipeline.h"
#include "pipeline_change.h"

struct apply_job {
	struct pipeline *p;
	const struct run *wanted;    /* of the run what can be kept; facts of now: p->run->facts */
	const char *name;            /* its file, for messages and the record */
	int lock;                    /* -1: not held */
	struct undo undo;            /* what is on record */
	struct persist_found record; /* as it was read, on a host that is reached through a shell */
	struct apply_plan plan;
	struct change change;
	struct undo_level level;
	bool *held;                  /* of each line of the run: it is to be persisted */
	const char *unread;          /* why nothing of offloads is; NULL: nothing is left out */
	struct apply_result result;  /* for --json, and for words */
};

/* Lock the host, read the record and settle what a dead run left; the facts must be probed. */
bool apply_open(struct apply_job *j, struct err *e);
void apply_close(struct apply_job *j);

/*
 * What would be done: the run must fit this host (apply_fits()) and nothing of it may be refused
 * (refuse_lines()).  Fills plan and result; changes nothing, and needs no apply_open().
 */
bool apply_look(struct apply_job *j, struct err *e);

/*
 * Set the values under the guard.  Those that do not hold are told in the result, and leave the
 * plan.  On failure all is as it was.
 */
bool apply_set(struct apply_job *j, struct err *e);

/* Write the files and the record.  On failure all is as it was before apply_set(). */
bool apply_write(struct apply_job *j, struct err *e);

/*
 * The same brought to a host that is reached through a shell, for another command to decide.  On
 * failure all is as it was before apply_set().
 */
bool apply_stage(struct apply_job *j, struct err *e);

/* Instead of apply_write(): all as it was. */
bool apply_cancel(struct apply_job *j, struct err *e);

/*
 * All of it: look, set, write.  For commands that go on to persist what they found; ERR_FAILED when
 * something did not hold and was left out, after the rest was written.
 */
bool pipeline_apply(struct pipeline *p, const struct run *run, const char *name,
    struct apply_result *result, struct err *e);

/*
 * Take back the last level, or all.  With dry nothing changes.  Without anything to take back the
 * status is "nothing".
 */
bool pipeline_revert(struct apply_job *j, bool all, bool dry, struct err *e);

/* The record as it stands in j, on disk; removed where it has no level. */
bool apply_save(struct apply_job *j, struct err *e);

/* The files of a level as they are now, in its order. */
bool apply_files_now(struct apply_job *j, const struct undo_level *l, struct undo_now **now,
    struct persist_found **found, struct err *e);

/* What is on record, as it is to be judged now; needs no lock and changes nothing. */
bool apply_record(struct apply_job *j, struct err *e);

#endif
