/*
 * The host locked, healed, and its record read and kept.  Part of pipeline_apply.h.
 */
#include "pipeline_apply.h"
#include "pipeline_change_remote.h"
#include "../probes/remote_file.h"
#include "../probes/store.h"

#include <string.h>
#include <unistd.h>

static bool
host_name(struct pipeline *p, const char **name, struct err *e)
{
	static const char *const uname[] = { "uname", "-n", NULL };
	struct command c = { .argv = uname };
	struct output o;

	if (!host_run(p->host, p->cmd->arena, &c, 1, &o, e))
		return false;
	if (o.status != 0 || *o.text == '\0')
		return fail(e, ERR_FAILED, "uname -n: %s", o.why == NULL ? "says nothing" : o.why);
	*name = arena_strndup(p->cmd->arena, o.text, strcspn(o.text, "\r\n"));
	return true;
}

/* A copied state directory, or a clone's. */
static bool
check_host(struct apply_job *j, const char *path, const char *host, struct err *e)
{
	const char *os = j->p->run->facts.os;

	if (j->undo.os != NULL && os != NULL && strcmp(j->undo.os, os) != 0)
		return fail(e, ERR_FAILED, "%s: was written on %s, this host runs %s", path,
		    j->undo.os, os);
	if (j->undo.host != NULL && strcmp(j->undo.host, host) != 0)
		return fail(e, ERR_FAILED, "%s: was written on the host '%s', this one is '%s'; if "
		    "it was only renamed, change \"host\" in that file", path, j->undo.host, host);
	return true;
}

bool
apply_files_now(struct apply_job *j, const struct undo_level *l, struct undo_now **now,
    struct persist_found **found, struct err *e)
{
	struct arena *a = j->p->cmd->arena;
	const char **path = arena_array(a, l->n_files + 1, sizeof(*path));

	*now = arena_array(a, l->n_files + 1, sizeof(**now));
	*found = arena_array(a, l->n_files + 1, sizeof(**found));
	for (size_t i = 0; i < l->n_files; i++)
		path[i] = l->files[i].path;
	if (!change_read(j->p, path, l->n_files, UNDO_FILE_BYTES, *found, e))
		return false;
	for (size_t i = 0; i < l->n_files; i++) {
		(*now)[i] = (struct undo_now){ l->files[i].path, (*found)[i].text,
			(*found)[i].len };
	}
	return true;
}

static bool
settle(struct apply_job *j, bool *changed, struct err *e)
{
	size_t n = j->undo.n_levels;
	const struct undo_level *last = n == 0 ? NULL : &j->undo.levels[n - 1];
	struct persist_found *found;
	struct undo_now *now;

	*changed = false;
	if (last == NULL || last->state == UNDO_APPLIED)
		return true;
	if (!apply_files_now(j, last, &now, &found, e))
		return false;
	*changed = undo_settle(j->p->cmd->arena, &j->undo, now, &j->p->run->facts);
	return true;
}

/* There it is a file like the others, and goes with them. */
static bool
read_there(struct apply_job *j, const char *path, const char **text, size_t *len, struct err *e)
{
	struct persist_found *f = &j->record;

	if (!change_read(j->p, &path, 1, REMOTE_FILE_BYTES, f, e))
		return false;
	if (f->text != NULL && ((double)f->st.st_uid != j->p->there.uid ||
	    (f->st.st_mode & 022) != 0))
		return fail(e, ERR_FAILED, "%s: not a file of ours alone (another owner, or others "
		    "may write it); look at it and remove it", path);
	*text = f->text;
	*len = f->len;
	return true;
}

static bool
read_record(struct apply_job *j, bool *changed, struct err *e)
{
	struct arena *a = j->p->cmd->arena;
	const char *dir = change_state_dir(j->p), *text;
	const char *path = arena_printf(a, "%s/" STORE_UNDO, dir), *host;
	size_t len;

	*changed = false;
	if (!host_name(j->p, &host, e) || !(change_is_remote(j->p) ?
	    read_there(j, path, &text, &len, e) : store_read(a, dir, STORE_UNDO, &text, &len, e)))
		return false;
	if (text == NULL) {
		record_init(&undo_record, &j->undo);
		j->undo.schema = UNDO_SCHEMA;
		j->undo.host = host;
		j->undo.os = j->p->run->facts.os;
	} else if (!undo_read(a, path, text, len, &j->undo, e) || !check_host(j, path, host, e)) {
		return false;
	}
	j->undo.version = PATHTUNE_VERSION;
	return settle(j, changed, e);
}

bool
apply_save(struct apply_job *j, struct err *e)
{
	struct arena *a = j->p->cmd->arena;
	const char *text = j->undo.n_levels == 0 ? NULL :
	    arena_printf(a, "%s\n", record_to_json(a, &undo_record, &j->undo, true));

	if (!change_is_remote(j->p))
		return store_write(a, change_state_dir(j->p), STORE_UNDO, text, e);
	j->change.record = (struct change_file){ .found = j->record, .want = text,
		.len = text == NULL ? 0 : strlen(text) };
	return true;
}

bool
apply_record(struct apply_job *j, struct err *e)
{
	bool changed;

	return read_record(j, &changed, e);
}

/*
 * Somebody may have died since the host was healed and probed.  Now that we have the lock nobody
 * else comes in between, in no network namespace.
 */
static bool
heal_again(struct apply_job *j, struct err *e)
{
	const struct facts *f = &j->p->run->facts;
	struct orphans found;

	if (!guard_orphans(j->p->cmd->arena, j->p->host, pipeline_state_dir(j->p), f->boot_id,
		f->scope_id, &found, e))
		return false;
	return found.restored == 0 || fail(e, ERR_FAILED, "another run died in this moment, and "
	    "its values were restored; run this command again");
}

/* Beside our files: of one who died after it was decided. */
static void
tidy(struct apply_job *j)
{
	struct arena *a = j->p->cmd->arena;
	const char *mark = guard_scope_name(a, j->p->run->facts.scope_id);
	const struct persist_file *kinds[APPLY_FILES];
	size_t n = apply_kinds(a, j->p->profile, &j->p->run->facts, kinds);

	for (size_t i = 0; i < n; i++)
		persist_tidy(a, kinds[i]->path, mark);
}

bool
apply_open(struct apply_job *j, struct err *e)
{
	bool changed;

	j->lock = -1;
	if (change_is_remote(j->p))
		return apply_record(j, e);
	if (!store_lock(j->p->cmd->arena, pipeline_state_dir(j->p), &j->lock, e) ||
	    !heal_again(j, e))
		return false;
	tidy(j);
	return read_record(j, &changed, e) && (!changed || apply_save(j, e));
}

void
apply_close(struct apply_job *j)
{
	if (j->lock != -1)
		close(j->lock);
	j->lock = -1;
}
