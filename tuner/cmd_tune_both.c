/* tune --both: what is asked of both ends, and what is told of the other one. */
#include "cmd_tune.h"
#include "fragment.h"
#include "nic_advice.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

bool
tune_both_check(const struct cmd_context *c, const struct options *o, bool apply, bool tries,
    bool no_save, struct err *e)
{
	if (!cmd_is_ssh(o->peer))
		return fail(e, ERR_USAGE, "--both: settings of '%.60s' cannot be reached; a peer "
		    "that is reached by ssh is needed: --peer ssh://[user@]name", o->peer);
	if (strcmp(o->host, o->peer) == 0)
		return fail(e, ERR_USAGE, "--both: '%.60s' is named as both ends", o->host);
	if (apply)
		return fail(e, ERR_USAGE, "--both and --apply contradict each other: each end is "
		    "applied from a file of its own, with pathtune apply RUN HOST");
	if (tries)
		return fail(e, ERR_USAGE, "--both and --try contradict each other: the settings of "
		    "a file are those of one host");
	return !c->json || !no_save || fail(e, ERR_USAGE, "--both and --json need a file for the "
	    "other end's run: leave out --no-save");
}

const char *
tune_both_name(struct arena *a, const char *name)
{
	static const char suffix[] = ".json";
	size_t len = strlen(name);

	while (len > 1 && name[len - 1] == '/')
		len--;
	if (len > sizeof(suffix) - 1 &&
	    strncmp(name + len - (sizeof(suffix) - 1), suffix, sizeof(suffix) - 1) == 0)
		return arena_printf(a, "%.*s-peer%s", (int)(len - (sizeof(suffix) - 1)), name,
		    suffix);
	return arena_printf(a, "%.*s-peer", (int)len, name);
}

static bool
save(struct pipeline *p, struct err *e)
{
	struct cmd_context *c = p->cmd;
	struct run *run = p->far->run;
	struct err why = { ERR_NONE, "" };
	const char *file, *shown;

	if (p->save == NULL)
		return true;
	file = tune_both_name(c->arena, p->save);
	shown = words_shown(c->arena, file);
	if (!cmd_run_save(c->arena, file, run, &why)) {
		cmd_note(c, "%s", why.text);
		return p->save_unasked || fail(e, why.code, "%s", why.text);
	}
	if (run->n_files == 0)
		cmd_note(c, "that of the other end is saved in %s", shown);
	else
		cmd_note(c, "that of the other end is saved in %s; in force with: pathtune apply "
		    "%s %s", shown, shown, words_shown(c->arena, run->options.host));
	return true;
}

bool
tune_both_deliver(struct pipeline *p, const char *out, struct err *e)
{
	struct cmd_context *c = p->cmd;
	struct pipeline *far = p->far;
	struct run *run = far->run;

	if (!nic_advise_run(c->arena, far->profile, run, e))
		return false;
	fragment_make(c->arena, far->profile, run);
	if (!c->json) {
		puts("");
		cmd_run_print(c, run);
	}
	return save(p, e) && (out == NULL || run->n_files == 0 ||
	    cmd_run_out(c, tune_both_name(c->arena, out), run, e));
}
