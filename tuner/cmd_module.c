/*
 * pathtune module: probe, advise, apply and check for a provisioning tool: arguments in a JSON
 * file, one JSON object on stdout, whatever happens.  Ansible calls such a thing a module
 * (docs/integrations/ansible).
 *
 * The command itself runs as a process of its own, with --json: this one only translates.
 */
#include "cmd_module.h"
#include "../probes/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULT_BYTES ((size_t)64 * 1024 * 1024)
#define LIMIT_S 900.0

#define ACCESS \
	{ "host", ARG_HOST, NULL }, \
	{ "identity", ARG_FLAG, "identity" }, \
	{ "ssh_config", ARG_FLAG, "ssh-config" }, \
	{ "accept_new", ARG_SWITCH, "accept-new" }, \
	{ "become_by", ARG_FLAG, "become" }, \
	{ "ssh_timeout", ARG_FLAG, "ssh-timeout" }, \
	{ "profile", ARG_FLAG, "profile" }

static const struct argument probe_arguments[] = {
	{ "ping", ARG_FLAG, "ping" },
	ACCESS,
	{ NULL, ARG_FLAG, NULL },
};

static const struct argument advise_arguments[] = {
	{ "rtt", ARG_FLAG, "rtt" },
	{ "rate", ARG_FLAG, "rate" },
	{ "paths", ARG_LIST, "path" },
	{ "ping", ARG_FLAG, "ping" },
	{ "role", ARG_FLAG, "role" },
	{ "connections", ARG_FLAG, "connections" },
	ACCESS,
	{ NULL, ARG_FLAG, NULL },
};

static const struct argument apply_arguments[] = {
	{ "run", ARG_RUN, NULL },
	{ "content", ARG_CONTENT, NULL },
	{ "state", ARG_STATE, NULL },
	{ "confirm", ARG_FLAG, "confirm" },
	ACCESS,
	{ NULL, ARG_FLAG, NULL },
};

static const struct argument check_arguments[] = {
	{ "run", ARG_RUN, NULL },
	ACCESS,
	{ NULL, ARG_FLAG, NULL },
};

static void
take_members(json_t *to, json_t *from, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		json_t *member = json_object_get(from, names[i]);

		if (member != NULL)
			json_object_set(to, names[i], member);
	}
}

static void
tell_probe(const struct module_job *j, json_t *out)
{
	json_t *facts = json_object();

	json_object_set(facts, "pathtune", j->answer);
	json_object_set_new(out, "ansible_facts", facts);
}

static void
tell_advise(const struct module_job *j, json_t *out)
{
	static const char *const names[] = { "files", "hazards", NULL };
	json_t *decision = json_object_get(j->answer, "decision");

	json_object_set(out, "run", j->answer);
	take_members(out, j->answer, names);
	json_object_set(out, "verdict", json_object_get(decision, "verdict"));
	json_object_set(out, "settings", json_object_get(decision, "settings"));
}

static void
tell_apply(const struct module_job *j, json_t *out)
{
	static const char *const names[] = { "status", "values", "files", "conflicts", "notes",
		"confirm_s", NULL };
	json_t *diff = json_object_get(j->answer, "diff");
	const char *status = json_string_value(json_object_get(j->answer, "status"));

	take_members(out, j->answer, names);
	json_object_set_new(out, "changed",
	    json_boolean(status != NULL && strcmp(status, "nothing") != 0 &&
	    strcmp(status, "refused") != 0));
	if (j->diff && json_is_string(diff))
		json_object_set_new(out, "diff", json_pack("{s:O}", "prepared", diff));
}

static void
tell_check(const struct module_job *j, json_t *out)
{
	static const char *const names[] = { "status", "findings", "applied", "run", NULL };
	const char *status = json_string_value(json_object_get(j->answer, "status"));

	take_members(out, j->answer, names);
	json_object_set_new(out, "drift",
	    json_boolean(status != NULL && strcmp(status, "drift") == 0));
}

static const struct module modules[] = {
	{ "probe", probe_arguments, false, tell_probe },
	{ "advise", advise_arguments, false, tell_advise },
	{ "apply", apply_arguments, true, tell_apply },
	{ "check", check_arguments, false, tell_check },
};

/* Without "pathtune NAME: " in front. */
static const char *
reason(const struct module_job *j, const struct output *o)
{
	const char *prefix = arena_printf(j->c->arena, "pathtune %s: ", j->argv[1]);
	const char *why = o->why == NULL ? "failed" : o->why;

	return strncmp(why, prefix, strlen(prefix)) == 0 ? why + strlen(prefix) : why;
}

static void
run_command(struct module_job *j)
{
	struct process_spec spec = { .argv = j->argv, .as_user = true, .timeout_s = LIMIT_S,
		.output_bytes = RESULT_BYTES };
	struct output o;

	process_run(j->c->arena, &spec, &o);
	j->answer = json_loadb(o.text, o.len, 0, NULL);
	j->why = o.status == 0 || (o.status == 3 && j->answer != NULL) ? NULL : reason(j, &o);
}

static void
print(struct module_job *j, const struct module *m, const struct err *e)
{
	const char *why = e->code != ERR_NONE ? e->text : j->why;
	json_t *out = json_pack("{s:b}", "changed", false);
	char *text;

	if (j->answer != NULL)
		m->tell(j, out);
	if (why != NULL) {
		json_object_set_new(out, "failed", json_true());
		/* What is no UTF-8 cannot be said in JSON. */
		if (json_object_set_new(out, "msg", json_string(why)) != 0)
			json_object_set_new(out, "msg", json_string("failed"));
		j->c->status = 1;
	}
	text = json_dumps(out, 0);
	puts(text == NULL ? "{\"failed\": true, \"msg\": \"out of memory\"}" : text);
	free(text);
	json_decref(out);
	json_decref(j->answer);
}

static bool
parse(struct cmd_context *c, int argc, char **argv, const struct module **m, const char **file,
    bool *help, struct err *e)
{
	struct opt opts[] = {
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	const char **words;
	size_t n;

	if (!cmd_options(c, &cmd_module, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	if (n != 2)
		return fail(e, ERR_USAGE, "what it is to do and a file are needed; see pathtune "
		    "module --help");
	for (size_t i = 0; i < NELEM(modules); i++) {
		if (strcmp(modules[i].name, words[0]) == 0) {
			*m = &modules[i];
			*file = words[1];
			return true;
		}
	}
	return fail(e, ERR_USAGE, "'%.40s' is not one of probe, advise, apply, check", words[0]);
}

static bool
module(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct module_job j = { .c = c };
	struct err why = { ERR_NONE, "" };
	const struct module *m = NULL;
	const char *file;
	bool help;

	if (!parse(c, argc, argv, &m, &file, &help, e) || help)
		return help;
	if (module_words(&j, m, file, &why))
		run_command(&j);
	module_tidy(&j);
	print(&j, m, &why);
	return true;
}

const struct cmd cmd_module = { "module", "probe|advise|apply|check FILE",
	"the same for provisioning tools: arguments as JSON, one JSON object", module };
