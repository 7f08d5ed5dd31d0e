/*
 * model_profile: the nouns of a profile: what a kind of system is like.  Data, read from
 * profiles/NAME.yaml (pathtune-profile(5) is the same for those who write one).
 *
 * A number that is not given is NAN, a string NULL, a list empty.
 */
#ifndef PATHTUNE_MODEL_PROFILE_H
#define PATHTUNE_MODEL_PROFILE_H

#include "model_load.h"
#include "model_nic.h"
#include "record.h"

/* Directions as seen from the tuned host. */
enum direction { DIR_NONE, DIR_SEND, DIR_RECEIVE, DIR_BOTH };
extern const char *const direction_names[];

/*
 * A fact is found by running argv or reading file (the same over every transport) and matching
 * pattern, whose one group is the value; without a pattern the whole answer, trimmed, is.  Several
 * rules for one fact are tried in order until one says value or unknown.  {peer} and, once they are
 * known, {interface}, {driver}, {bus}, {parent} and {release} are substituted, in a pattern as
 * literal text; a rule whose substitution is not known is passed over.  A substitution in the
 * pattern costs no round trip, one in argv or file does: prefer "ifconfig" with a pattern that
 * finds the interface's part to "ifconfig {interface}".
 */
struct fact_rule {
	const char *fact;     /* name of a member of struct facts */
	const char **argv;
	size_t n_argv;
	const char *file;
	const char *pattern;
	double scale;         /* a number is multiplied by this; NAN means 1 */
	const char *value;    /* when the pattern matches, this instead of the group */
	const char *unknown;  /* when the pattern matches, this is why it cannot be had */
	bool without_peer;    /* only when no peer is given */
	bool ping;            /* only when the peer is to be asked: it sends packets to it */
	bool any_status;      /* the answer counts even if the exit status is not 0 */
	const char *source;
};

/* Something to be read: a command or a file; neither: there is no such thing on this system. */
struct query {
	const char **argv;
	size_t n_argv;
	const char *file;
};

/*
 * Entries that hold for some releases and machines only have these three.  In a list the first that
 * fits is used.  since is the first release, before the first that is different; NULL: no such
 * end.  arches: values of the fact arch, none: any.
 */
struct range {
	const char *since;
	const char *before;
	const char **arches;
	size_t n_arches;
};

enum knob_role {
	ROLE_UNKNOWN,
	ROLE_LIMIT,             /* bounds every socket buffer of both directions          */
	ROLE_LIMIT_SEND,        /* bounds what an application may ask for with SO_SNDBUF  */
	ROLE_LIMIT_RECEIVE,     /* the same with SO_RCVBUF                                */
	ROLE_SEND_MAX,          /* autotuning of the send buffer ends here                */
	ROLE_RECEIVE_MAX,       /* autotuning of the receive buffer ends here             */
	ROLE_SEND_INITIAL,      /* a send buffer starts with this size                    */
	ROLE_RECEIVE_INITIAL,
	ROLE_SEND_INCREMENT,    /* a step of autotuning                                   */
	ROLE_RECEIVE_INCREMENT,
	ROLE_SEND_AUTO,         /* switch of autotuning, 0 is off                         */
	ROLE_RECEIVE_AUTO,
	ROLE_CONGESTION,        /* default congestion control                             */
	ROLE_STACK,             /* default TCP stack (FreeBSD's functions_default)        */
	ROLE_FLUSH,             /* writing it empties the path metrics cache; never persisted */
	ROLE_WATCH,             /* only for hazards and requirements; any number of these */
	ROLE_COUNT
};
extern const char *const knob_role_names[];

enum knob_scope {
	SCOPE_UNKNOWN,
	SCOPE_GLOBAL,    /* the whole kernel's */
	SCOPE_NAMESPACE, /* one for every network namespace or VNET */
	SCOPE_LOADER,    /* fixed at boot */
};
extern const char *const knob_scope_names[];

/* What the kernel makes of a value outside of min..max. */
enum knob_beyond {
	BEYOND_UNKNOWN,
	BEYOND_REFUSED,  /* an error */
	BEYOND_CLAMPED,  /* the nearest legal one instead */
	BEYOND_WRAPPED,  /* stored modulo the size of its type, without an error */
	BEYOND_ACCEPTED, /* stored, with whatever effect */
};
extern const char *const knob_beyond_names[];

/*
 * What a kernel starts with.  With ram_divisor the number is RAM / ram_divisor, at least least and
 * at most value.
 */
struct knob_default {
	struct range range;
	double value;
	double ram_divisor;
	double least;
	const char *text;  /* of a name or several fields: the whole, {value} for the number */
	const char *source;
};

struct knob {
	const char *name;
	enum knob_role role;
	struct range range; /* the knob exists there; elsewhere it is stale */
	double field;       /* 1-based field of a blank-separated value; NAN: the whole value */
	const char *unit;   /* "bytes", "count", "switch", "name" */
	double min, max;    /* legal range of the field */
	enum knob_beyond beyond;
	enum knob_scope scope;
	bool optional;      /* some kernels of this system lack it */
	const char *file;   /* read and written there; NULL: by the profile's commands */
	struct knob_default *defaults;
	size_t n_defaults;
	const char *source;
};

/*
 * How a kernel turns knobs into the window of one direction.  A buffer starts with the initial knob
 * (or initial_bytes) rounded up to a multiple of round_bytes, and grows step by step, times
 * multiply or plus the increment knob (or add_bytes), to the maximum knob and not beyond
 * ceiling_bytes.  Where limit_share is given, a step to more than limit * share[0] / share[1]
 * fails, and ends growth for the rest of the connection.  What it ends with, times a factor, is
 * the usable window.
 */
struct window_model {
	enum direction direction;
	struct range range;
	double factor;          /* surely usable: what settings are sized by          */
	double typical;         /* usually seen: what is said of present settings     */
	double *limit_share;    /* two numbers, or none: the limit knob has no part   */
	size_t n_limit_share;
	double *initial_share;  /* the same of the first size, which is cut to it without a word */
	size_t n_initial_share;
	bool lethal;            /* an initial size above the share: no new socket (ENOBUFS) */
	double ceiling_bytes;   /* NAN: none                                          */
	double initial_bytes;   /* where there is no knob for it                      */
	double round_bytes;
	double multiply;        /* NAN: growth is by addition                         */
	double add_bytes;       /* where there is no increment knob                   */
	double step_s;          /* a step takes step_s + step_rtt * RTT; both NAN: it comes */
	double step_rtt;        /* with every acknowledgement, which costs nothing    */
	const char *source;
};

enum scale_rule {
	SCALE_NONE,
	SCALE_COVER, /* smallest s with 65535 << s >= value    */
	SCALE_LOG2,  /* floor(log2(value)) - 15                */
};
extern const char *const scale_rule_names[];

/* The window scale that this system asks for when a connection starts; at most 14. */
struct scale_model {
	struct range range;
	enum scale_rule rule;
	const char **of;      /* roles: the largest of these knobs counts       */
	size_t n_of;
	double value;         /* a constant that counts as well                 */
	double least;         /* NAN: 0                                         */
	const char *source;
};

/*
 * What a window also needs, once it is above above_bytes: a knob at value (or one of also), or an
 * increment with which growth takes no more than window_share steps.  Never lowered where it is an
 * increment.  A knob that has another value bounds the window to above_bytes, where that is not 0;
 * with growth, buffers also keep the size that they start with.
 */
struct requirement {
	struct range range;
	enum direction direction; /* for a window of this direction */
	const char *knob;
	double above_bytes;
	double value;
	double *also;
	size_t n_also;
	bool growth;
	double window_share;
	const char *reason;   /* an id of docs/decisions.md */
	const char *words;    /* why, one sentence */
	const char *source;
};

/* One of a hazard's conditions; the subject is a fact, a knob, an offload or a key in a file. */
struct condition {
	const char *fact;     /* a string member of struct facts, or a number */
	const char *knob;
	const char *offload;
	const char *key;      /* set by some file of facts.sources */
	const char *is;       /* exactly this */
	const char *is_not;   /* known, and not this */
	double below, above;
};

/* Known harm: reported when all conditions hold.  What is not known holds no condition. */
struct hazard_rule {
	const char *id;
	struct range range;
	struct condition *when;
	size_t n_when;
	const char *words;    /* what it does, and what to do */
	const char *source;
};

/*
 * Congestion controls, and likewise TCP stacks.  {name} is one of them, {release} the kernel's.
 * names is a pattern whose one group is a name wherever it matches in what available says; without
 * it the names are separated by blanks.  modules is such a pattern for what loaded says; without it
 * a module is the first word of a line.
 */
struct congestion {
	struct query now;
	struct query available;
	struct query allowed;
	struct query loaded;   /* the modules that are loaded */
	const char *names;
	const char *modules;
	const char *module;    /* module name for {name} */
	const char **candidates; /* worth loading when they are not available */
	size_t n_candidates;
	const char **probe;    /* argv: exit 0 when the module of {name} could be loaded */
	size_t n_probe;
	const char *missing;   /* what a candidate needs for which probe says no */
	const char **load;     /* argv that loads {name} */
	size_t n_load;
	const char *fixed;     /* no choice on this system: what it has, and why */
	const char *source;
};

/*
 * Offloads in what argv prints: without names, lines "name: on|off [fixed]"; with names, a pattern
 * whose group has those that are on, separated by commas; it may go over several lines as in
 * "on=3<A,B>".  able: a pattern like it for those that can be switched; the rest of the list is
 * fixed.
 */
struct offload_switch {
	const char *name;      /* as in the list */
	const char *flag;      /* as the program that switches it calls it */
};

struct offload_source {
	const char **argv;
	size_t n_argv;
	const char *names;
	const char *able;
	const char **list;     /* those worth keeping */
	size_t n_list;
	struct offload_switch *switches; /* where {flag} is not {name}: only these can be */
	size_t n_switches;
	const char **read;     /* argv that prints "on" or "off" of {name}; needed with names */
	size_t n_read;
	const char **write;    /* argv that makes {name} of {interface} {value} */
	size_t n_write;
	const char *source;
};

/*
 * What an extra sets: a knob, an offload, or what a fact tells of the interface.  A knob gets value
 * or, computed, the window divided by window_share in pieces of piece_bytes; a computed value is
 * never below what runs, and one of an initial size never above what admits it.
 */
struct extra_set {
	const char *knob;
	const char *offload;
	const char *fact;      /* a string member of struct facts, .. */
	const char **over;     /* .. replaced only where it is one of these */
	size_t n_over;
	const char *value;     /* what it becomes; NULL: computed */
	double window_share;
	double piece_bytes;    /* NAN: 1 */
	double most;           /* of a computed value; NAN: the knob's own maximum */
	const char **read;     /* of a fact: argv that prints it, */
	size_t n_read;
	const char *after;     /* as the word behind this, */
	const char **write;    /* and argv that makes it {value}; all know {interface} */
	size_t n_write;
	const char *boot;      /* of a fact: a setting that makes it so after a boot */
};

/*
 * Something beyond window and congestion control that may hold a transfer back, tried when the
 * limiter of the default is one of binds.
 */
struct extra {
	const char *id;
	struct range range;
	enum direction direction;
	const char **binds;    /* of limiter_names */
	size_t n_binds;
	bool with_window;      /* part of the wide-open window, never tried alone */
	struct extra_set *sets; /* in the order in which they are set */
	size_t n_sets;
	const char *reason;    /* an id of docs/decisions.md */
	const char *words;     /* why, one sentence */
	const char *source;
};

enum persist_style {
	STYLE_NONE,
	STYLE_OWN,   /* a file of our own */
	STYLE_BLOCK, /* our block in a file that others own, between two marks */
};
extern const char *const persist_style_names[];

/* A file that we write.  {name} and {value} in line. */
struct persist_file {
	const char *path;
	enum persist_style style;
	const char *line;          /* of a setting or a module */
	const char *optional_line; /* of a knob that may be missing; NULL: as line */
	const char **accepts;      /* what else its reader takes: blanks (around "="), comment
	                              (inline, from "#"), semicolon (as "#"), quotes, dash
	                              (before the name), question ("?="), colon (for "="),
	                              slash (for "."), indent (blanks before the name),
	                              words (several settings on a line) */
	size_t n_accepts;
	double line_bytes;         /* the reader's limit; NAN: none */
	const char **reader;       /* argv: exit 0 when this host reads the file at boot */
	size_t n_reader;
	const char *unread;        /* why it does not, in words */
	const char *source;
};

/*
 * Where settings live.  sources: prints "FILE:LINE:TEXT" for every line of every file that may set
 * knobs; precedence tells how they override each other.
 */
enum precedence {
	PRECEDENCE_LISTED,   /* as printed, the last wins */
	/*
	 * sysctl.d(5): sorted by base name, an earlier directory's file hides later ones of the
	 * same name; a file outside of a *.d directory last.
	 */
	PRECEDENCE_BASENAME,
};
extern const char *const precedence_names[];

struct persist {
	struct persist_file settings;
	struct persist_file modules;
	struct persist_file offloads; /* of one {interface}, which its path names; a line knows
	                                 {name}, {value} and {switch}: the flag, or -flag for off */
	const char **sources;
	size_t n_sources;
	enum precedence precedence;
	const char *state;  /* where pathtune keeps what it knows; NULL: /var/lib/pathtune */
};

/* How a connection to us shows that it is the one that we asked a host for. */
enum greeting {
	GREETING_NONE,
	GREETING_LINE,    /* its first line is {secret}                       */
	GREETING_HTTP,    /* it is an HTTP request for {url}, which has it    */
	GREETING_ADDRESS, /* it cannot say anything: by where it comes from   */
};
extern const char *const greeting_names[];

/*
 * A program of the base system that moves bytes when there is nothing better: argv connects to
 * {address} and {port}, or asks for {url}, and ends with the connection.  {seconds}: how long the
 * transfer takes at most.
 */
struct endpoint_program {
	const char *tool;         /* what is looked for, and what reports call it */
	enum direction direction; /* of the host: it sends or it receives         */
	const char **argv;
	size_t n_argv;
	enum greeting greeting;
	const char *source;
};

/* What can take part in a measurement on a host that has no pathtune. */
struct endpoints {
	bool iperf3_cc; /* iperf3 -C chooses the congestion control of a transfer */
	struct endpoint_program *programs; /* the first that is there is used */
	size_t n_programs;
	const char *source;
};

/* The names of NIC models by PCI ids; the same for all systems (profiles/nics.yaml). */
struct nic_model {
	const char *vendor;  /* "0x8086" */
	const char *device;
	const char *name;    /* "e1000 (82540EM)" */
	const char *source;
};

struct profile {
	const char *name;
	const char *sysname;      /* what uname -s says */
	const char *releases;     /* that the facts in it are known for, in words */
	const char *first_release; /* the same for comparing; what begins with last_release is in */
	const char *last_release;
	struct fact_rule *facts;
	size_t n_facts;
	struct offload_source offloads;
	const char **knob_read;   /* argv that prints {name}, for knobs without a file */
	size_t n_knob_read;
	const char **knob_write;  /* argv that sets {name} to {value} */
	size_t n_knob_write;
	struct knob *knobs;
	size_t n_knobs;
	const char **writable;    /* argv: exit 0 when we may write {file}; changes nothing */
	size_t n_writable;
	struct congestion congestion;
	struct congestion stacks;
	const char **flush;         /* argv that empties the path metrics cache */
	size_t n_flush;
	struct window_model *windows;
	size_t n_windows;
	struct scale_model *scales;
	size_t n_scales;
	const char *memory_knob;    /* what raises mbuf_bytes or tcp_mem_pages; NULL: nothing */
	struct knob_default *memory_defaults; /* what network buffers may take, in bytes */
	size_t n_memory_defaults;
	double limit_step_bytes;    /* limits are raised in multiples of this; NAN: 4096 */
	struct requirement *requires;
	size_t n_requires;
	struct extra *extras;
	size_t n_extras;
	struct hazard_rule *hazards;
	size_t n_hazards;
	struct nic_system nic;
	struct endpoints endpoints;
	struct load_source load;
	struct persist persist;
};

#endif
