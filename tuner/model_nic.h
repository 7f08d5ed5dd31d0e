/*
 * model_nic: the nouns of advice on the model of a virtual NIC: what profiles and hypervisors.yaml
 * say of it, and what comes of that.  pathtune-profile(5) has every key.
 */
#ifndef PATHTUNE_MODEL_NIC_H
#define PATHTUNE_MODEL_NIC_H

#include "record.h"

/* ---- of a profile: what a system makes of each model ---------------------------------------- */

/* One model as this system sees it; the same model may have several drivers. */
struct nic_driver {
	const char *model;     /* an id of hypervisors.yaml */
	const char *driver;    /* as the fact of this name says */
	const char *interface; /* what its interfaces are called, before the number; NULL: names
	                          do not come from the driver */
	bool fast;             /* the way this system is best served by, as far as is known */
	const char **check;    /* argv that fails where the kernel lacks the driver */
	size_t n_check;
	const char *effects;   /* what it brings and takes, one sentence */
	const char *source;
};

/*
 * Files that name interfaces, and what to do with them.  Of the list the first counts whose path
 * the file has and whose pattern the line has.  {old} and {new} are the interface's names, {file}
 * the file's, {renamed} that with {old} replaced by {new}.
 */
struct nic_file {
	const char *path;      /* a file, a directory with all below it, or with {old} in it */
	const char *pattern;   /* of the line, with one group; NULL: any */
	const char **both;     /* argv after which the file serves both names */
	size_t n_both;
	const char **swap;     /* argv that leaves the new name alone, before the power cycle; */
	size_t n_swap;
	const char **undo;     /* and the one that takes it back */
	size_t n_undo;
	const char *words;     /* what to know or to do by hand */
	const char *source;
};

/* How interfaces are named on a system, and where.  All empty: nothing is known. */
struct nic_system {
	const char **interfaces; /* argv that lists them, */
	size_t n_interfaces;
	const char *names;       /* a pattern whose group is a name wherever it matches */
	const char **lines;      /* argv: FILE:LINE:TEXT of every line that may name one */
	size_t n_lines;
	const char **files;      /* argv: the files that are called after one */
	size_t n_files;
	const char *slot;        /* pattern: its group in the fact bus is the number of the slot */
	double slot_base;        /* that it is written in; NAN: 10 */
	const char *stays;       /* why names stay when MAC and PCI address do; NULL: they do not */
	const char **rename;     /* argv: the new interface gets the old name at boot */
	size_t n_rename;
	const char **unrename;   /* argv that takes it back */
	size_t n_unrename;
	const char **off;        /* argv that switches the machine off */
	size_t n_off;
	struct nic_driver *drivers;
	size_t n_drivers;
	struct nic_file *places;
	size_t n_places;
};

/* ---- hypervisors.yaml ----------------------------------------------------------------------- */

/* A model of NIC that virtual machines have. */
struct nic_kind {
	const char *id;
	const char *name;
	bool paravirtual;      /* made for guests; else it imitates hardware */
	const char *effects;   /* on the host's side, one sentence */
	const char *source;
};

/* What a hypervisor calls a model. */
struct nic_offer {
	const char *model;     /* an id of the kinds */
	const char *name;
};

/* A command, or a line of a file; {vm} {mac} {model} {slot} {rest}. */
struct nic_step {
	const char **argv;
	size_t n_argv;
	const char *file;      /* in words: which */
	const char *line;
	const char *words;
};

struct hypervisor {
	const char *id;
	const char *name;
	const char **guests;   /* what the fact hypervisor says below it */
	size_t n_guests;
	const char **vendors;  /* what the fact vendor then begins with; none: anything */
	size_t n_vendors;
	const char *seen;      /* how to see that it is this one */
	struct nic_offer *offers;
	size_t n_offers;
	const char *keeps;     /* what becomes of MAC and PCI address */
	bool moves;            /* the PCI address may change with the model */
	struct nic_step *steps; /* that change the model, in order, the machine being off */
	size_t n_steps;
	const char *instead;   /* the model cannot be changed: what can be done */
	const char *source;
};

struct hypervisors {
	struct nic_kind *models;
	size_t n_models;
	struct hypervisor *hypervisors;
	size_t n_hypervisors;
};

/* ---- facts ---------------------------------------------------------------------------------- */

/* Where a file names the interface. */
struct nic_name {
	const char *file;
	double line;           /* NAN: the file itself is called so */
	const char *text;      /* of the line, up to the name: no address, no secret */
};

/* ---- advice --------------------------------------------------------------------------------- */

enum nic_verdict {
	NIC_NONE,
	NIC_KEEP,   /* do not switch                                      */
	NIC_TRY,    /* nothing was measured that tells: an experiment would */
	NIC_SWITCH, /* what was measured says so                          */
};
extern const char *const nic_verdict_names[];

/* One thing to do or to type. */
struct nic_action {
	const char **argv;     /* none: words alone */
	size_t n_argv;
	const char *file;      /* a line of this file instead of a command */
	const char *line;
	const char *words;     /* what it is for; NULL: it speaks for itself */
};

/* A place that names the old interface. */
struct nic_place {
	const char *file;
	double line;
	const char *text;
	const char *status;    /* "both": will name both; "swap": names one, last of all; "stays";
	                          "look": by hand */
	const char *words;
};

/* How one hypervisor changes the model, and back. */
struct nic_way {
	const char *id;
	const char *name;
	const char *seen;
	const char *keeps;
	struct nic_action *change;
	size_t n_change;
	struct nic_action *back;
	size_t n_back;
};

struct nic_plan {
	const char *from, *to;   /* models */
	const char *driver;      /* that the guest will use */
	const char *old_name, *new_name; /* of the interface */
	const char **notes;      /* what cannot be known from here */
	size_t n_notes;
	struct nic_action *before; /* on the guest, while all is as it was */
	size_t n_before;
	struct nic_place *places;
	size_t n_places;
	struct nic_action *prepare; /* on the guest: both names */
	size_t n_prepare;
	struct nic_action *last;   /* on the guest, directly before the power cycle */
	size_t n_last;
	struct nic_way *ways;
	size_t n_ways;
	struct nic_action *after;
	size_t n_after;
	struct nic_action *back;   /* on the console, when the network does not come back */
	size_t n_back;
	const char **effects;
	size_t n_effects;
};

struct nic_advice {
	enum nic_verdict verdict;
	const char *reason;    /* an id of docs/decisions.md */
	const char *words;
	bool asked;            /* by name: the plan is wanted whatever speaks for it */
	struct nic_plan plan;  /* of try and switch */
};

extern const struct record nic_system_record, hypervisors_record;
extern const struct record nic_name_record, nic_advice_record;

#endif
