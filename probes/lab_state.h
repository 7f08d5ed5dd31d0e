/*
 * lab_state: what is on disk of a lab: a directory NAME under the base (/run/pathtune/lab as root,
 * $XDG_RUNTIME_DIR/pathtune/lab or /tmp/pathtune-UID/lab else) that holds
 *   state.json   who the owner is, and the spec
 *   stats        figures, mapped by the owner (lab_owner.h)
 *   journal/     PATHTUNE_STATE of what runs in the lab
 *
 * The owner is a process id with its start time and the boot that counts from: a number alone may
 * be somebody else's by now, and a base in /tmp may outlive a boot.
 * Directories are opened without following links and must be ours, closed to others.
 */
#ifndef PATHTUNE_LAB_STATE_H
#define PATHTUNE_LAB_STATE_H

#include "lab.h"

#define STATE_STATS "stats"
#define STATE_JOURNAL "journal"

struct lab_state {
	double owner;           /* process id */
	double owner_start;     /* clock ticks since boot, field 22 of /proc/PID/stat (proc(5)) */
	const char *boot;       /* as from state_boot() */
	double net[2];          /* the owner's descriptors of namespaces a and b */
	bool user;              /* they are in a user namespace */
	double cpu_total_s;     /* when the lab was made, as in lab_health.h */
	double cpu_stolen_s;
	const char *start_cc;
	bool cc_refused;
	struct lab_spec spec;   /* name included */
};

/* Field tables, also for --json. */
extern const char *const queue_unit_names[];
extern const char *const loss_model_names[];
struct record;
extern const struct record lab_spec_record, lab_stats_record;

/* Path of the base; made with what leads to it when make.  *fd is -1 when it is not there. */
bool state_base(struct arena *a, bool make, const char **path, int *fd, struct err *e);

/* One at a time for ups and downs: a lock on the base, until it is closed; no signal ends it. */
bool state_lock(int base, struct err *e);

/* Directory of one lab; *fd is -1 when it is not there. */
bool state_open(int base, const char *name, int *fd, struct err *e);

/*
 * *out is NULL when there is no state file: whoever was making this lab did not finish.  One that
 * does not read is an error.
 */
bool state_read(struct arena *a, int dir, const char *name, struct lab_state **out, struct err *e);
bool state_write(struct arena *a, int dir, const struct lab_state *s, struct err *e);

/* Remove the directory and what we put there; other things in it are left, and an error. */
bool state_remove(int base, const char *name, struct err *e);

/* What a file of /proc says, up to size - 1 bytes; false when it says nothing. */
bool state_proc(const char *path, char *text, size_t size);

/* Start time of a process; false when there is none, or only its zombie. */
bool state_start_time(pid_t pid, double *ticks);

/* Changes with every boot; empty when the kernel does not tell. */
const char *state_boot(void);

/* A descriptor of the living owner (pidfd_open(2)), or -1. */
int state_owner(const struct lab_state *s);

/* Descriptor of any process of ours, or -1. */
int state_process(pid_t pid);

/*
 * The lab of this name, its owner alive: *owner as from state_owner(), *path its directory.  Either
 * may be NULL.
 */
bool state_find(struct arena *a, const char *name, struct lab_state **s, const char **path,
    int *owner, struct err *e);

/* Send it a signal (pidfd_send_signal(2)). */
bool state_signal(int owner, int signal);

#endif
