/*
 * lab: an emulated long path on one Linux machine: two network namespaces, "a" (the tuned host)
 * and "b" (the peer), a TUN device in each, one process (the owner) between them that plays the
 * link.  The namespaces live as long as the owner and what runs in them; there is nothing else to
 * clean up but the directory of its state.
 */
#ifndef PATHTUNE_LAB_H
#define PATHTUNE_LAB_H

#include "../tuner/base.h"

#include <sys/types.h>

enum queue_unit { QUEUE_BDP, QUEUE_BYTES, QUEUE_PACKETS };
enum loss_model { LOSS_NONE, LOSS_BERNOULLI, LOSS_GILBERT_ELLIOTT };

struct lab_link { /* one direction */
	double rate_bps;
	double queue;             /* in queue_unit */
	enum queue_unit queue_unit;
	enum loss_model loss_model;
	double loss;              /* Bernoulli: probability; Gilbert-Elliott: in the bad state */
	double p_bad, p_good;     /* Gilbert-Elliott: good to bad, bad to good, per segment */
	double loss_good;         /* loss in the good state */
	double jitter_ms;         /* uniform 0..jitter added, order kept */
	double police_bps;        /* token-bucket policer before the queue; 0: none */
	double police_burst_bytes;
};

struct lab_spec {
	const char *name;         /* [A-Za-z0-9_-]{1,32} */
	double rtt_ms;            /* half of it each way */
	double mtu;
	double seed;              /* a whole number below 2^53 */
	struct lab_link link[2];  /* 0: a to b, 1: b to a */
	const char *start;        /* linux-6.18, linux-6.1, bsd-256k, host */
	bool open_b;              /* pin b wide open (64 MiB) */
	bool tied;                /* it ends with the process that makes it, whatever ends that */
};

struct lab_stats { /* one direction, since up */
	double segments_in, bytes_in;
	double segments_out, bytes_out;
	double dropped_queue, dropped_loss, dropped_police;
	double queue_bytes;       /* now */
	double lateness_us;       /* mean, of deliveries */
};

#define LAB_ADDRESS_A "10.83.0.1"
#define LAB_ADDRESS_B "10.83.0.2"
#define LAB_ADDRESS6_A "fd83::1"
#define LAB_ADDRESS6_B "fd83::2"

/* Spec with the defaults: 300 Mbit/s, 80 ms, queue 1 BDP, MTU 1500, no loss, seed 1, linux-6.18. */
struct lab_spec lab_default(void);

/* Memory that the packets of one lab may take; a lab that would need more is refused. */
#define LAB_MEMORY_MAX ((double)1024 * 1024 * 1024)

/*
 * Nothing of the spec contradicts itself or is out of range; ERR_USAGE, and the text names the flag
 * of pathtune lab that sets the value.
 */
bool lab_check(const struct lab_spec *s, struct err *e);

/* [A-Za-z0-9_-]{1,32} */
bool lab_check_name(const char *name, struct err *e);

/*
 * What people type, into one direction of the link (untouched on error, which is ERR_USAGE):
 *   queue     1bdp .25bdp 64K 100p
 *   loss_ge   P_BAD,P_GOOD,LOSS_BAD[,LOSS_GOOD], fractions
 *   police    RATE[,BURST]; the burst is 100 ms of the rate unless given, and at least 10 MTU
 */
bool lab_parse_queue(const char *text, struct lab_link *l, struct err *e);
bool lab_parse_loss_ge(struct arena *a, const char *text, struct lab_link *l, struct err *e);
bool lab_parse_police(struct arena *a, const char *text, double mtu, struct lab_link *l,
    struct err *e);

/* The starting points, NULL-terminated; an index into it. */
extern const char *const lab_start_names[];

/*
 * Make it; returns when the path works.  A lab of the same name whose owner is dead is removed
 * first; one that lives is an error.  A signal that we hear (stop.h) ends it: ERR_STOPPED, nothing
 * is left.  *start_cc gets the congestion control of the start preset
 * (NULL for "host"): the kernel may refuse it as a default in a namespace, so trials set it per
 * socket.  A tied lab costs its maker a descriptor until the maker ends; of a maker that was killed
 * only the state on disk is left.
 */
bool lab_up(struct arena *a, const struct lab_spec *s, const char **start_cc, struct err *e);

/* End the owner and remove the state; a lab that is not there is an error. */
bool lab_down(struct arena *a, const char *name, struct err *e);

/*
 * Remove what dead labs called PREFIX with a number behind it left; how many.  One that lives, or
 * whose state does not read, is left alone.
 */
size_t lab_sweep(struct arena *a, const char *prefix);

struct lab_info {
	const char *name;
	const char *damage;       /* why its state does not read: nothing else is known then */
	pid_t owner;
	bool alive;
	const char *state_dir;
	struct lab_spec spec;
	const char *start_cc;
	bool cc_refused;          /* the namespaces' default is something else than start_cc */
};

/*
 * All of them by name, damaged ones too; or the one called so, which is an error when it is
 * damaged: none or one.
 */
bool lab_list(struct arena *a, const char *name, struct lab_info **labs, size_t *n,
    struct err *e);
bool lab_stats(struct arena *a, const char *name, struct lab_stats stats[2], struct err *e);

/*
 * One sentence when the machine was too busy for the figures of a lab that is up to be the path's:
 * what was wrong with it, since the lab was made, and what to do; else NULL.  of: whose figures,
 * "this demo".
 */
bool lab_health(struct arena *a, const char *name, const char *of, const char **words,
    struct err *e);

/*
 * Start argv within side 'a' or 'b'; *pid is ours to wait for.  The child is in the namespaces of
 * the lab with its own /sys, has PATHTUNE_STATE set to a directory of the lab's, and is killed
 * when we die.  out_fd >= 0 becomes its stdout.
 */
bool lab_spawn(struct arena *a, const char *name, char side, const char *const *argv, int out_fd,
    pid_t *pid, struct err *e);

/*
 * Wait for a child of lab_spawn(): *status as from waitpid(2).  Signals that we hear (stop.h) are
 * passed on to it: the first, once.  When the lab's owner dies the child is killed, and it is an
 * error.
 */
bool lab_wait(struct arena *a, const char *name, pid_t pid, int *status, struct err *e);

#endif
