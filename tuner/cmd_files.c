#include "cmd.h"
#include "report.h"
#include "report_advice.h"
#include "../probes/files.h"
#include "../probes/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* What probe found to be harmful stands beside the facts; it is found again from them. */
static bool
take_out(struct node *map, const char *key)
{
	struct node **next = &map->child;

	if (map->kind != NODE_MAP)
		return false;
	while (*next != NULL && strcmp((*next)->key, key) != 0)
		next = &(*next)->next;
	if (*next == NULL)
		return false;
	*next = (*next)->next;
	return true;
}

bool
cmd_facts_load(struct arena *a, const char *path, struct facts *f, struct err *e)
{
	struct node *node;
	const char *text;
	struct run run;
	size_t len;

	if (!files_read(a, path, NODE_BYTES, &text, &len, e) ||
	    !node_from_json(a, path, text, len, &node, e))
		return false;
	if (take_out(node, "schema")) {
		if (!cmd_run_load(a, path, &run, e))
			return false;
		*f = run.facts;
		return true;
	}
	take_out(node, "hazards");
	record_init(&facts_record, f);
	return record_from_node(a, path, &facts_record, node, f, e);
}

void
cmd_run_print(struct cmd_context *c, const struct run *run)
{
	if (c->json)
		puts(record_to_json(c->arena, &run_record, run, true));
	else
		fputs(run->advice.n_directions != 0 ? report_advice(c->arena, run, c->color) :
		    report_run(c->arena, run, c->color), stdout);
}

bool
cmd_run_save(struct arena *a, const char *path, const struct run *run, struct err *e)
{
	const char *text = arena_printf(a, "%s\n", record_to_json(a, &run_record, run, true));

	return files_write(path, text, strlen(text), 0644, e);
}

bool
cmd_run_out(const char *dir, const struct run *run, struct err *e)
{
	return files_tree_write(dir, run->files, run->n_files, e);
}

bool
cmd_token(struct arena *a, const char *file, bool from_stdin, const char **token, struct err *e)
{
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
