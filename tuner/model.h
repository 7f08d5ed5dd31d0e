/*
 * model: every noun of pathtune, in the order of the pipeline.  One record, struct run, grows from
 * left to right (asked, found, planned, tried, decided) and is never rewritten; it is what
 * --save writes and show reads (docs/run-file.md).
 *
 * Units are in the names: _bps bits per second, _bytes, _ms, _s.  Fractions are 0..1.  A number
 * that is not known is NAN, a string that is not known NULL; both are null in JSON.
 */
#ifndef PATHTUNE_MODEL_H
#define PATHTUNE_MODEL_H

#include "model_advice.h"
#include "model_limit.h"
#include "model_profile.h"

#define RUN_SCHEMA "pathtune-run/1"

/* ---- facts: what is there ------------------------------------------------------------------- */

struct offload {
	const char *name;
	const char *state;   /* "on", "off" */
	bool fixed;
};

struct knob_fact {
	const char *name;
	const char *text;    /* the whole value as read, tabs made blanks; NULL: not there */
	double now;          /* the tuned field as read, beyond the range too; NAN for a name */
	double min, max;     /* legal range, from the profile */
	bool writable;
	const char *why;     /* why not: "read-only here (container or namespace)", "needs root"; of
	                        one that is not there: why */
};

struct unknown {
	const char *fact;
	const char *why;
};

/*
 * A line of a file that sets one of the profile's knobs at boot.  Of a directory only the files
 * directly in it count whose names end in ".conf".
 */
struct source_line {
	const char *file;
	double line;
	const char *name;   /* of the knob, in the profile's spelling */
	const char *value;
};

struct facts {
	const char *os;          /* "Linux" */
	const char *release;     /* "6.18.44-..." */
	const char *arch;
	bool privileged;         /* we may set knobs and use any congestion control */
	const char *boot_id;     /* changes with every boot, and with nothing else */
	const char *scope_id;    /* names the network namespace (VNET) that the knobs belong to */
	const char *container;   /* "jail", "vnet jail", "docker", ..; "none" */
	const char *writable_scopes; /* of knobs: "all", "namespace", "none"; NULL: all */
	const char *hypervisor;  /* "kvm", "none", .. */
	const char *vendor;      /* of the machine, by its firmware: "QEMU", "Amazon EC2" */
	double ram_bytes;
	double cpus;
	double page_bytes;
	const char *interface;   /* towards the peer, or of the default route */
	const char *mac;
	const char *driver;
	const char *parent;      /* the device that the interface sits on: "virtio_pci3" */
	const char *bus;         /* where the interface's device is: "0000:00:03.0" */
	const char *pci_vendor;  /* "0x1af4" */
	const char *pci_device;
	const char *nic_model;   /* by the PCI ids, else what the system calls it */
	const char *link;        /* "up", "down" */
	double link_bps;
	double mtu;
	const char *qdisc;       /* of the interface, if its parameters are as it comes */
	double tcp_mem_pages;    /* the pressure mark for all TCP buffers of the host */
	double mbuf_bytes;       /* that all network buffers may take: BSD's clusters, or
	                            the profile's default of a machine that nobody probed */
	double mbuf_denied;      /* requests for such that were refused since boot */
	double segments_sent;    /* since boot; all of the host's, not this path's */
	double segments_retransmitted;
	const char *firewall;    /* "pf" or "npf" while it filters, "none" */
	const char **interfaces; /* all there are, where their names come from drivers */
	size_t n_interfaces;
	struct nic_name *names;  /* where files name the interface */
	size_t n_names;
	struct offload *offloads;
	size_t n_offloads;
	struct knob_fact *knobs;
	size_t n_knobs;
	const char *cc;          /* default congestion control */
	const char **cc_available;
	size_t n_cc_available;
	const char **cc_allowed;
	size_t n_cc_allowed;
	const char **cc_loadable; /* not there yet, a module would bring it */
	size_t n_cc_loadable;
	const char **cc_modules;  /* those of cc_available that are modules, not built in */
	size_t n_cc_modules;
	const char *cc_fixed;     /* why there is nothing to choose */
	const char *stack;        /* default TCP stack, where there is a choice */
	const char **stacks_available;
	size_t n_stacks_available;
	const char **stacks_loadable;
	size_t n_stacks_loadable;
	struct source_line *sources;
	size_t n_sources;
	const char *peer;
	const char *tool;        /* what moves the bytes at this end: "pathtune", "iperf3", "nc" */
	double rtt_ms;           /* smallest of five connects or three pings; NAN without a peer */
	double send_bps;         /* goodput of a short transfer; NAN without a peer */
	double receive_bps;
	struct path_fact *path;  /* what other traffic than one connection got; or none */
	size_t n_path;
	struct unknown *unknown; /* facts that could not be had, and why */
	size_t n_unknown;
};

/* ---- options: what was asked ---------------------------------------------------------------- */

enum budget_mode { BUDGET_STANDARD, BUDGET_QUICK, BUDGET_THOROUGH };
extern const char *const budget_mode_names[];
extern const double budget_mode_s[]; /* of one direction: less would leave most questions open */
enum policy { POLICY_THROUGHPUT, POLICY_LATENCY, POLICY_BALANCED };
extern const char *const policy_names[];

struct options {
	const char *command;
	const char *host;
	const char *peer;
	const char *ping;       /* the peer for facts alone: no pathtune serve is there */
	enum direction direction;
	double budget_s;
	enum budget_mode mode;
	double data_cap_bytes;
	double streams;
	enum policy policy;
	bool all_cc;
	const char *start_cc;   /* baseline instead of the sysctl's; NULL: that */
	const char *try_file;   /* the user's settings instead of a search; NULL: a search */
	double more_s;          /* added to the confirmations by resuming; NAN: nothing */
	const char *end;        /* of a run that tunes both: "host" (this file goes on), "peer"
	                           (as the peer sees it); NULL: it tunes the host alone */
	struct advice_path *paths;     /* advise: given by flags */
	size_t n_paths;
	double connections;     /* advise: that transfer in bulk at the same time; NAN: 1 */
	const char *nic;        /* advise: the model of NIC that a plan is wanted for */
};

/* ---- plan: what is worth trying ------------------------------------------------------------- */

struct change_line {
	const char *name;    /* the knob, or "module" */
	const char *old;
	const char *new;
	const char *reason;  /* an id of docs/decisions.md, a colon, words */
	bool verified;       /* was set and read back here */
};

/* Something beyond window and congestion control, tried when it could be the limit. */
struct plan_extra {
	const char *id;           /* of the profile's entry */
	const char **binds;       /* limiters (limiter_names) of the default that it could lift */
	size_t n_binds;
	bool with_window;         /* part of the wide-open window, never an arm of its own */
	struct change_line *lines; /* what it sets, in order, each with its reason */
	size_t n_lines;
};

struct plan_direction {
	enum direction direction;
	double window_bytes;      /* W0: usable window now, by the kernel model */
	double window_next_bytes; /* the least above it that the settings can give: no
	                             setting goes below the kernel's default */
	double window_max_bytes;  /* largest worth trying */
	double window_factor;     /* window = factor * knob, from the profile */
	const char **cc;          /* first is the baseline */
	size_t n_cc;
	bool window_writable;     /* the knob of this direction can be set here */
	const char *why;          /* why not */
	struct plan_extra *extras; /* what else could be tried */
	size_t n_extras;
	double more_s;            /* its share of what resuming added; NAN: none */
};

struct plan {
	struct plan_direction *directions;
	size_t n_directions;
	double expected_s;        /* at most */
	double expected_bytes;    /* at most */
	const char **notes;       /* in words: what is not tried, and why */
	size_t n_notes;
};

/* ---- trials: what happened ------------------------------------------------------------------ */

enum trial_phase { PHASE_PROBE, PHASE_RACE, PHASE_KNEE, PHASE_CONFIRM, PHASE_MEASURE };
extern const char *const trial_phase_names[];
enum trial_status {
	TRIAL_OK,
	TRIAL_TIMEOUT, /* counts as the floor value                              */
	TRIAL_VOID,    /* refused, or a knob did not hold: the block is void     */
	TRIAL_CUT,     /* stopped by us, or never finished: in a pair it counts against the
	                  candidate */
};
extern const char *const trial_status_names[];

struct setting {
	const char *cc;        /* NULL when receiving: it belongs to the peer; of a run that tunes
	                          both ends the sender's, whichever that is */
	double window_bytes;   /* usable window W of the direction; of both ends the smaller */
	const char **extras;   /* ids of the plan's extras that are in force, in its order */
	size_t n_extras;
};

struct trial_rtt {
	double idle_ms;   /* smallest connect */
	double min_ms;    /* TCP_INFO, this connection */
	double loaded_ms; /* median under load, after the warm-up */
};

struct trial {
	struct setting setting;
	enum direction direction;
	enum trial_phase phase;
	double block;            /* 0.. within the phase */
	double slot;             /* order within the block */
	double coin;             /* CONFIRM: 0 default first, 1 candidate first; else NAN */
	double asked_s;          /* spent on the search of this direction when it was asked */
	double asked_bytes;
	enum trial_status status;
	const char *why;         /* of a status that is not OK */
	double goodput_bps;      /* payload at the receiver, after the warm-up */
	double retransmits;      /* fraction of the segments sent; NAN: not known */
	struct trial_rtt rtt;
	double inflight_bytes;   /* median */
	double rwnd_limited;     /* fraction of the sender's busy time */
	double sndbuf_limited;
	double delivery_rate_bps; /* largest seen */
	double bytes;            /* payload received in all, warm-up included */
	double warmup_s;
	double duration_s;       /* what goodput was averaged over */
	bool steady;             /* no trend left after the warm-up */
	double streams;
	const char *try;         /* name of the user's setting; NULL: a trial of the search */
	double pin_bytes;        /* SO_SNDBUF and SO_RCVBUF of both ends; NAN: never set */
	double cpu;              /* our process, fraction of one core */
	double cpu_wait;         /* fraction of the time that it was ready and had to wait: for a
	                            core, or because its group had used up its share */
	double peer_cpu;         /* the same two of the peer's process */
	double peer_cpu_wait;
	double system_cpu;       /* of the machine's busiest core: spent on interrupts and network
	                            processing, whoever it was for */
	double peer_system_cpu;
	double idle_writes;      /* fraction of the looks at which the sender could have written
	                            more at once: near 1 when it writes slowly */
	double unread_bytes;     /* median that lay in the receiver's sockets, not yet read */
	double unsent_bytes;     /* median that the sender's kernel had, and had not sent yet */
	double cwnd_bytes;       /* median, all streams, as inflight_bytes is */
	double rwnd_bytes;       /* median that the receiver offered, as the sender heard it */
	double *intervals_bps;   /* goodput per 100 ms from the first byte, at the receiver */
	size_t n_intervals_bps;
};

/* ---- decision: what to do, and why ---------------------------------------------------------- */

enum verdict { VERDICT_NONE, VERDICT_KEEP, VERDICT_CHANGE };
extern const char *const verdict_names[];

/* Why; docs/decisions.md explains each. */
enum decision_class {
	CLASS_NONE,
	CLASS_WINDOW,           /* change: buffers                                   */
	CLASS_CONGESTION,       /* change: congestion control                        */
	CLASS_BOTH,             /* change: buffers and congestion control            */
	CLASS_EXTRAS,           /* change: neither of them, other settings           */
	CLASS_NO_GAIN,          /* keep: a gain of 5 % is ruled out                  */
	CLASS_CANNOT_BIND,      /* keep: no knob of this host can be the limit       */
	CLASS_INCONCLUSIVE,     /* keep: out of budget                               */
	CLASS_GUARD,            /* keep: faster, but RTT or retransmits too high     */
	CLASS_PEER_LIMITS,      /* keep: the peer's buffers are the limit            */
	CLASS_UNSTEADY,         /* keep: connections fall in two groups              */
	CLASS_FAILED,           /* keep: measuring failed                            */
	CLASS_ADVICE,           /* change: computed from facts, not measured         */
	CLASS_ENOUGH,           /* keep: the settings admit what the path can carry  */
	CLASS_CEILING,          /* keep: nothing can be set, the kernel has a ceiling */
	CLASS_MEMORY,           /* keep: memory leaves no room for more              */
	CLASS_TRIED,            /* change: knobs that the user named                 */
};
extern const char *const decision_class_names[];

struct effect {              /* in per cent of the default's goodput */
	double estimate;
	double low, high;
	double confidence;   /* .95; lower where n is too small for it */
	double pairs;
	double seconds;      /* how long the confirmation took */
};

struct side {                /* one of the two settings of the confirmation */
	struct setting setting;
	double goodput_bps;  /* median */
	double rtt_ms;       /* under load, median */
	double retransmits;
};

/* What came of a setting that the user named, against the present one. */
enum try_class {
	TRY_NONE,
	TRY_BETTER,
	TRY_WORSE,
	TRY_NO_GAIN,      /* a gain of 5 % is unlikely                        */
	TRY_INCONCLUSIVE,
	TRY_GUARD,        /* RTT or retransmits too high                      */
	TRY_UNSTEADY,     /* connections fall in two groups                   */
	TRY_FAILED,
};
extern const char *const try_class_names[];

struct try_stratum {         /* among sockets that were pinned to this size */
	double pin_bytes;    /* NAN: to none */
	double goodput_bps;  /* median */
};

struct try_result {
	const char *name;
	enum try_class class;
	bool chosen;               /* the decision's change */
	struct change_line *settings; /* what it sets beside the congestion control */
	size_t n_settings;
	double streams;
	struct effect effect;      /* against the present setting; NAN of that itself */
	struct side side;
	struct try_stratum *strata;
	size_t n_strata;
	const char *words;         /* what it is and why, a sentence; NULL: nothing to add */
	double more_s;             /* inconclusive: what would decide; else NAN */
};

struct direction_decision {
	enum direction direction;
	enum verdict verdict;
	enum decision_class class;
	struct effect effect;
	struct side before, after; /* after: the candidate, also when it was not taken */
	struct limit limit_before, limit_after;
	const char *words;         /* the verdict in a sentence or two */
	double more_s;             /* inconclusive: what would decide; else NAN */
	struct try_result *tries;  /* the user's settings, the present one first; or none */
	size_t n_tries;
};

struct decision {
	enum verdict verdict;      /* change when any direction says so */
	enum decision_class class; /* of the direction that changes, or of the first */
	struct change_line *settings;
	size_t n_settings;
	struct effect effect;      /* of that direction */
	struct direction_decision *directions;
	size_t n_directions;
};

/* ---- run: all of it ------------------------------------------------------------------------- */

struct file_text {
	const char *path;  /* as on the host */
	const char *text;
};

struct run {
	const char *schema;
	const char *version;   /* of the program */
	const char *started;   /* UTC, ISO 8601 */
	struct options options;
	struct facts facts;
	struct hazard *hazards;
	size_t n_hazards;
	struct advice advice;
	struct plan plan;
	const char *seed;      /* of the searches' random bits, 64 hexadecimal digits */
	const char *search;    /* SEARCH_VERSION of the code that chose the trials */
	struct trial *trials;
	size_t n_trials;
	struct decision decision;
	struct nic_advice nic;
	struct file_text *files; /* the fragment */
	size_t n_files;
};

extern const struct record run_record, facts_record, path_fact_record, plan_record, trial_record,
    effect_record,
    decision_record;

/* What probe --json prints: the facts, and "hazards" and "limits" beside them. */
extern const struct record hazard_record, path_limit_record;

/* Why a fact could not be had; NULL: it is not listed as unknown. */
const char *facts_why_unknown(const struct facts *f, const char *fact);

/* What is known of this direction of the path, or NULL. */
const struct path_fact *facts_path(const struct facts *f, enum direction d);

/* The fact of a knob, or NULL. */
const struct knob_fact *facts_knob(const struct facts *f, const char *name);

#endif
