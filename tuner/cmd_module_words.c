/*
 * cmd_module_words: a module's JSON arguments as the words of a command.
 */
#include "cmd_module.h"
#include "../probes/files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_BYTES ((size_t)64 * 1024 * 1024)
#define ANSIBLE "_ansible_" /* begins what Ansible adds; what we do not know of it is for others */

static void
add(struct module_job *j, const char *word)
{
	*(const char **)arena_push(j->c->arena, &j->argv, &j->n_argv, sizeof(*j->argv)) = word;
}

/* A string as it is, a number as JSON has it; NULL for anything else. */
static const char *
plain(struct arena *a, const json_t *v)
{
	char *text;
	const char *kept;

	if (json_is_string(v))
		return strlen(json_string_value(v)) == json_string_length(v) ?
		    arena_strdup(a, json_string_value(v)) : NULL;
	if (!json_is_number(v) || (text = json_dumps(v, JSON_ENCODE_ANY)) == NULL)
		return NULL;
	kept = arena_strdup(a, text);
	free(text);
	return kept;
}

static bool
add_flag(struct module_job *j, const struct argument *arg, const json_t *v, struct err *e)
{
	const char *text = plain(j->c->arena, v);

	if (text == NULL)
		return fail(e, ERR_USAGE, "%s: a string or a number is needed", arg->name);
	add(j, arena_printf(j->c->arena, "--%s=%s", arg->flag, text));
	return true;
}

static bool
add_list(struct module_job *j, const struct argument *arg, const json_t *v, struct err *e)
{
	if (!json_is_array(v))
		return fail(e, ERR_USAGE, "%s: a list is needed", arg->name);
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (!add_flag(j, arg, json_array_get(v, i), e))
			return false;
	}
	return true;
}

/* A word of its own must not be taken for a flag. */
static bool
take_word(struct module_job *j, const struct argument *arg, const json_t *v, const char **out,
    struct err *e)
{
	const char *word = json_string_value(v);

	if (word == NULL || *word == '\0' || *word == '-')
		return fail(e, ERR_USAGE, "%s: a %s is needed", arg->name,
		    arg->kind == ARG_HOST ? "host" : "file's name");
	*out = arena_strdup(j->c->arena, word);
	return true;
}

/* Into a directory of its own that nobody else can look into. */
static bool
take_content(struct module_job *j, const json_t *v, struct err *e)
{
	struct arena *a = j->c->arena;
	const char *tmp = getenv("TMPDIR");
	char *dumped = json_is_string(v) ? NULL : json_dumps(v, 0);
	const char *text = json_is_string(v) ? json_string_value(v) : dumped;
	bool ok;

	j->dir = arena_printf(a, "%s/pathtune-XXXXXX", tmp == NULL || *tmp != '/' ? "/tmp" : tmp);
	if (text == NULL || mkdtemp(j->dir) == NULL) {
		j->dir = NULL;
		free(dumped);
		return fail(e, ERR_FAILED, "content: no file can be made for it");
	}
	j->run = arena_printf(a, "%s/content", j->dir);
	ok = files_write(j->run, text, strlen(text), 0600, e);
	free(dumped);
	return ok;
}

static bool
take_state(struct module_job *j, const json_t *v, struct err *e)
{
	const char *state = json_string_value(v);

	if (state == NULL || (strcmp(state, "present") != 0 && strcmp(state, "absent") != 0))
		return fail(e, ERR_USAGE, "state: is neither present nor absent");
	j->revert = strcmp(state, "absent") == 0;
	return true;
}

static bool
take(struct module_job *j, const struct argument *arg, const json_t *v, struct err *e)
{
	switch (arg->kind) {
	case ARG_FLAG:
		return add_flag(j, arg, v, e);
	case ARG_SWITCH:
		if (!json_is_boolean(v))
			return fail(e, ERR_USAGE, "%s: true or false is needed", arg->name);
		if (json_is_true(v))
			add(j, arena_printf(j->c->arena, "--%s", arg->flag));
		return true;
	case ARG_LIST:
		return add_list(j, arg, v, e);
	case ARG_HOST:
		return take_word(j, arg, v, &j->host, e);
	case ARG_RUN:
		return take_word(j, arg, v, &j->run, e);
	case ARG_CONTENT:
		return take_content(j, v, e);
	case ARG_STATE:
		return take_state(j, v, e);
	}
	return true;
}

static const struct argument *
argument_named(const struct module *m, const char *name)
{
	for (const struct argument *arg = m->arguments; arg->name != NULL; arg++) {
		if (strcmp(arg->name, name) == 0)
			return arg;
	}
	return NULL;
}

/* Ansible gives null for what was not set. */
static bool
take_all(struct module_job *j, const struct module *m, json_t *arguments, struct err *e)
{
	const char *name;
	json_t *v;

	json_object_foreach(arguments, name, v) {
		const struct argument *arg = argument_named(m, name);

		if (strcmp(name, ANSIBLE "check_mode") == 0)
			j->check_mode = json_is_true(v);
		else if (strcmp(name, ANSIBLE "diff") == 0)
			j->diff = json_is_true(v);
		else if (strncmp(name, ANSIBLE, strlen(ANSIBLE)) == 0 || json_is_null(v))
			continue;
		else if (arg == NULL)
			return fail(e, ERR_USAGE, "%.60s: is no argument of %s", name, m->name);
		else if (!take(j, arg, v, e))
			return false;
	}
	return true;
}

/* The words in the order in which the command wants them. */
static bool
settle(struct module_job *j, const struct module *m, struct err *e)
{
	bool apply = m->puts_in_force;

	if (apply && j->revert && j->run != NULL)
		return fail(e, ERR_USAGE,
		    "run, content: an absent one is the last that was applied");
	if (apply && !j->revert && j->run == NULL)
		return fail(e, ERR_USAGE, "run, content: one of them is needed");
	if (apply)
		add(j, j->check_mode ? "--dry-run" : "--yes");
	if (j->run != NULL)
		add(j, j->run);
	if (j->host != NULL && strcmp(j->host, "local") != 0)
		add(j, j->host);
	add(j, NULL);
	j->argv[1] = j->revert ? "revert" : m->name;
	return true;
}

static bool
read_arguments(struct module_job *j, const char *file, json_t **out, struct err *e)
{
	json_error_t why;
	const char *text;
	size_t len;

	if (!files_read(j->c->arena, file, ARGUMENTS_BYTES, &text, &len, e))
		return false;
	*out = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (*out == NULL)
		return fail(e, ERR_USAGE, "%s:%d: %.100s", file, why.line, why.text);
	return json_is_object(*out) ||
	    fail(e, ERR_USAGE, "%s: is not a JSON object", file);
}

bool
module_words(struct module_job *j, const struct module *m, const char *file, struct err *e)
{
	json_t *arguments = NULL;
	bool ok;

	add(j, j->c->program);
	add(j, NULL); /* the command, once it is known */
	add(j, "--json");
	add(j, "-q");
	ok = read_arguments(j, file, &arguments, e) && take_all(j, m, arguments, e) &&
	    settle(j, m, e);
	json_decref(arguments);
	return ok;
}

void
module_tidy(const struct module_job *j)
{
	if (j->dir == NULL)
		return;
	if (j->run != NULL)
		unlink(j->run);
	rmdir(j->dir);
}
