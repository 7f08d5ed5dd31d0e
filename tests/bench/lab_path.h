/*
 * lab_path: the paths by which tune is judged, as labs of ours, and trials on them of settings
 * that nobody searched for.
 *
 * The lab is tied to the process that makes it.  A child of it, the prober, lives in namespace a
 * and does there what a trial of tune does: it sets the values, empties the path metrics cache and
 * measures one transfer to the server in b, with the warm-up and the time of the search.
 */
#ifndef PATHTUNE_BENCH_LAB_PATH_H
#define PATHTUNE_BENCH_LAB_PATH_H

#include "probes/lab.h"
#include "tuner/model.h"

#include <sys/types.h>

#define PATH_WINDOWS 6
#define PATH_START_MAX_BYTES 4194304.0 /* third field of tcp_wmem that linux-6.18 starts with */
#define PATH_START_CC "cubic"

struct lab_path {
	const char *name, *words;
	double rate_bps, rtt_ms;
	double queue_bdp; /* NAN: 100 packets, where a BDP is too little for a stream to live on */
	double loss;           /* mean */
	double burst_segments; /* long on average are bursts in which half is lost; 0: one by one */
	/*
	 * Usable send windows of the grid, steps of the search's ladder (2^k and 1.5 * 2^k) around
	 * what the path holds; NAN: that of the start.
	 */
	double windows[PATH_WINDOWS];
};

#define PATHS 8
#define PATHS_FIRST 6 /* of these only two are lost by cubic with large buffers; the bars tell them apart */
extern const struct lab_path lab_paths[PATHS];

const struct lab_path *path_named(const char *name); /* or NULL */
double path_bdp_bytes(const struct lab_path *p);

/* What a search gives one trial on this path (docs/method.md), in seconds. */
double path_warmup_s(const struct lab_path *p);
double path_count_s(const struct lab_path *p);
double path_trial_s(const struct lab_path *p); /* with all that is around it */

/* Usable window to the third field of tcp_wmem, by the profile's model of the sender. */
bool path_max_bytes(struct arena *a, double window_bytes, double *max_bytes, struct err *e);

/* Values of namespace a during one trial; a NULL one is as the lab starts. */
struct path_setting {
	const char *wmem, *rmem; /* all three fields */
	const char *notsent;     /* tcp_notsent_lowat */
	const char *cc;          /* by socket */
};

/* What of a trial is kept. */
struct path_trial {
	enum trial_status status;
	const char *why;
	double goodput_bps, rtt_ms, retransmits, inflight_bytes;
	double rwnd_limited, sndbuf_limited;
};

struct path_lab {
	struct arena *arena;
	const struct lab_path *path;
	const char *name;    /* of the lab */
	pid_t server, prober;
	int prober_fd;
	double idle_rtt_ms;  /* once a prober was started */
};

bool path_lab_up(struct arena *a, const struct lab_path *p, struct path_lab *out, struct err *e);
void path_lab_down(struct path_lab *l);

/*
 * The machine was too busy for the figures: one sentence, else NULL.  On the short path it is too
 * late long before that is said, so the mean lateness of deliveries comes along.
 */
const char *path_lab_health(struct path_lab *l, double *late_us);

/* Server and prober; they sit on the path's only session, so tune cannot run meanwhile. */
bool path_prober_start(struct path_lab *l, struct err *e);
bool path_prober_measure(struct path_lab *l, const struct path_setting *s, struct path_trial *t,
    struct err *e);
void path_prober_end(struct path_lab *l);

/*
 * pathtune tune in a, as a user runs it: send, from cubic, with these flags as well.  What it says
 * goes to log; *seconds is how long it took from start to end.
 */
bool path_lab_tune(struct path_lab *l, const char *const *flags, const char *save, const char *log,
    double *seconds, struct err *e);

/*
 * One process a path, at most jobs at a time; what each returns is ANDed.  Ctrl-C ends them in an
 * orderly way, and the labs with them.
 */
bool paths_each(const struct lab_path *const *paths, size_t n, unsigned jobs,
    bool (*run)(const struct lab_path *p, void *arg), void *arg);

#endif
