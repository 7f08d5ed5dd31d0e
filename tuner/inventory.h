/*
 * inventory: the hosts of a fleet, from YAML: what each of them is called, how it is reached, and
 * what a command is to be told about it (docs/fleet.md).
 *
 * What a host does not say itself comes from its groups in their order, each with the groups that
 * it belongs to before the next, and last from the defaults.  {host} and the names of variables in
 * braces are replaced in every value.  Whatever could be wrong with a host is an error of
 * the file, with its line, before anything begins.
 */
#ifndef PATHTUNE_INVENTORY_H
#define PATHTUNE_INVENTORY_H

#include "model.h"

#define INVENTORY_BYTES ((size_t)32 * 1024 * 1024)
#define INVENTORY_NAME 200  /* bytes of a name: results are files that bear it */
#define INVENTORY_DEPTH 32  /* of groups in groups */

enum inventory_command {
	INVENTORY_PROBE, INVENTORY_ADVISE, INVENTORY_CHECK, INVENTORY_APPLY, INVENTORY_TUNE,
	INVENTORY_COMMANDS
};
extern const char *const inventory_commands[]; /* their names, then NULL */

struct inventory_flags {
	const char **words;
	size_t n_words;
};

struct inventory_var {
	const char *name, *value;
	const struct inventory_var *next;
};

/* Texts are NULL, enums 0 and numbers NAN where nothing was said. */
struct inventory_host {
	const char *name;
	unsigned line;
	const char *address, *user; /* of ssh */
	double port;
	const char *target;     /* as commands take a host: "ssh://root@db1:22" */
	bool by_ssh;            /* it is such a one */
	const char *peer;
	int role;               /* enum direction */
	const char *token_file;
	const char *identity, *ssh_config, *ssh_timeout;
	int become;             /* an index into inventory_become_names */
	int accept_new;         /* 2: yes */
	const char **groups;    /* it belongs to, as written */
	size_t n_groups;
	struct inventory_flags flags[INVENTORY_COMMANDS];
	const struct inventory_var *vars; /* nearest first */
};
extern const char *const inventory_become_names[];

struct inventory_group;

struct inventory {
	struct inventory_host *hosts; /* as in the file */
	size_t n_hosts;
	const struct inventory_host **by_name;
	struct inventory_group *groups;
	size_t n_groups;
};

/*
 * name is what errors call the file.  Files that it names lie where it lies (dir, "" for here);
 * those of ~/ below home (NULL: there is none).
 */
bool inventory_parse(struct arena *a, const char *name, const char *dir, const char *home,
    const char *text, size_t len, struct inventory *out, struct err *e);

/* Upper and lower case are the same.  NULL: there is none. */
const struct inventory_host *inventory_find(const struct inventory *v, const char *name);

/*
 * Which hosts: chosen[i] is to become true.  pattern holds words separated by commas, * and ? in
 * them: names of hosts or groups; those behind "!" take away.  Without any that adds all hosts are
 * meant first.  A word that names nothing is an error.
 */
bool inventory_limit(struct arena *a, const struct inventory *v, const char *pattern, bool *chosen,
    struct err *e);

/* text with {host} and variables replaced; where names its place in errors. */
bool inventory_expand(struct arena *a, const struct inventory_host *h, const char *where,
    const char *text, const char **out, struct err *e);

#endif
