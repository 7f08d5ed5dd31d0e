/*
 * cmd_module: what the two halves of pathtune module share: arguments in, an object out.
 */
#ifndef PATHTUNE_CMD_MODULE_H
#define PATHTUNE_CMD_MODULE_H

#include "cmd.h"

#include <jansson.h>

enum argument_kind {
	ARG_FLAG,   /* --name=VALUE, from a string or a number */
	ARG_SWITCH, /* --name where true */
	ARG_LIST,   /* --name=VALUE for each of a list */
	ARG_HOST,   /* a word behind the flags */
	ARG_RUN,    /* a word before the host: a run file */
	ARG_CONTENT, /* the same, but what is in it */
	ARG_STATE,  /* "present", or "absent": revert in place of apply */
};

struct argument {
	const char *name;
	enum argument_kind kind;
	const char *flag;
};

struct module_job {
	struct cmd_context *c;
	bool check_mode, diff;
	const char **argv; /* of the command, ends with NULL */
	size_t n_argv;
	const char *host, *run;
	bool revert;
	char *dir;         /* where content was written; NULL: nowhere */
	json_t *answer;    /* the command's document; NULL: it printed none */
	const char *why;   /* it failed */
};

struct module {
	const char *name;
	const struct argument *arguments; /* ends with a NULL name */
	bool puts_in_force;               /* a run is needed, and nobody is asked */
	void (*tell)(const struct module_job *j, json_t *out);
};

/* The words of the command by a file of JSON arguments; module_tidy() removes what that left. */
bool module_words(struct module_job *j, const struct module *m, const char *file, struct err *e);
void module_tidy(const struct module_job *j);

#endif
