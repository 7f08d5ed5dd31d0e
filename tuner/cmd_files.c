#include "cmd.h"
#include "fragment.h"
#include "hazards.h"
#include "report.h"
#include "report_advice.h"
#include "report_compare.h"
#include "../probes/endpoint.h"
#include "../probes/files.h"
#include "../probes/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool
cmd_run_load(struct arena *a, const char *path, struct run *run, struct err *e)
{
	struct node *node;
	const char *text;
	size_t len;

	if (!files_read(a, path, NODE_BYTES, &text, &len, e) ||
	    !node_from_json(a, path, text, len, &node, e))
		return false;
	record_init(&run_record, run);
	if (!record_from_node(a, path, &run_record, node, run, e))
		return false;
	if (strcmp(run->schema, RUN_SCHEMA) != 0)
		return fail(e, ERR_USAGE, "%s: schema is '%.40s', this program reads %s", path,
		    run->schema, RUN_SCHEMA);
	return true;
}

static bool
is_run(const struct node *n)
{
	if (n->kind != NODE_MAP)
		return false;
	for (n = n->child; n != NULL; n = n->next) {
		if (strcmp(n->key, "schema") == 0)
			return true;
	}
	return false;
}

bool
cmd_facts_load(struct arena *a, const char *path, struct facts *f, struct err *e)
{
	const struct record *document = hazards_document(a);
	struct facts_document d;
	struct node *node;
	const char *text;
	struct run run;
	size_t len;

	if (!files_read(a, path, NODE_BYTES, &text, &len, e) ||
	    !node_from_json(a, path, text, len, &node, e))
		return false;
	if (is_run(node)) {
		if (!cmd_run_load(a, path, &run, e))
			return false;
		*f = run.facts;
		return true;
	}
	record_init(document, &d);
	if (!record_from_node(a, path, document, node, &d, e))
		return false;
	*f = d.facts;
	return true;
}

void
cmd_run_print(struct cmd_context *c, const struct run *run)
{
	if (c->json)
		puts(record_to_json(c->arena, &run_record, run, true));
	else if (run->options.command != NULL && strcmp(run->options.command, "measure") == 0)
		fputs(report_measure(c->arena, run, c->color), stdout);
	else
		fputs(run->advice.n_directions != 0 ? report_advice(c->arena, run, c->color) :
		    report_run(c->arena, run, c->color), stdout);
}

bool
cmd_run_save(struct arena *a, const char *path, const struct run *run, struct err *e)
{
	const char *text = arena_printf(a, "%s\n", record_to_json(a, &run_record, run, true));

	return files_write(path, text, strlen(text), 0600, e);
}

bool
cmd_run_out(struct cmd_context *c, const char *dir, const struct run *run, struct err *e)
{
	if (!files_tree_write(dir, run->files, run->n_files, e))
		return false;
	for (size_t i = 0; i < run->n_files; i++) {
		if (fragment_is_block(run->files[i].text))
			cmd_note(c, "%s%s holds a block that belongs at the end of the host's %s",
			    dir, run->files[i].path, run->files[i].path);
	}
	return true;
}

bool
cmd_token(struct arena *a, const char *peer, const char *file, bool from_stdin,
    const char **token, struct err *e)
{
	bool given = file != NULL || from_stdin;

	*token = NULL;
	if (!endpoint_has_token(peer))
		return !given || fail(e, ERR_USAGE, "--token-%s: --peer %.60s has no token",
		    from_stdin ? "stdin" : "file", peer);
	if (file != NULL && from_stdin)
		return fail(e, ERR_USAGE, "--token-file and --token-stdin contradict each other");
	if (file != NULL)
		return peer_token_file(a, file, token, e);
	if (from_stdin)
		return peer_token_stdin(a, token, e);
	if (getenv("PATHTUNE_TOKEN") == NULL)
		return fail(e, ERR_USAGE,
		    "the peer's token is needed: --token-file FILE, --token-stdin, "
		    "or PATHTUNE_TOKEN in the environment");
	return peer_token_env(token, e);
}

const char *
cmd_utc_now(struct arena *a)
{
	time_t now = time(NULL);
	char s[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(s, sizeof(s), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return arena_strdup(a, s);
}
