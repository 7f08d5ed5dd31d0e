#include "cmd_fleet.h"

#include "../probes/files.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_BYTES ((size_t)16 * 1024 * 1024)

bool
fleet_inventory_load(struct arena *a, const char *path, struct inventory *v, struct err *e)
{
	const char *text, *slash = strrchr(path, '/'), *home = getenv("HOME");
	size_t len;

	if (home != NULL && *home == '\0')
		home = NULL;
	return files_read(a, path, INVENTORY_BYTES, &text, &len, e) &&
	    inventory_parse(a, path, slash == NULL ? "" : slash == path ? "/" :
		arena_strndup(a, path, (size_t)(slash - path)), home, text, len, v, e);
}

/* ---- which ----------------------------------------------------------------------------------- */

/* One name a line, as a list. */
static bool
read_list(struct arena *a, const char *path, const char **list, struct err *e)
{
	struct text t = { .arena = a };
	const char *text;
	size_t len, n;

	if (!files_read(a, path, LIST_BYTES, &text, &len, e))
		return false;
	for (const char *s = text; *s != '\0'; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		if (strcspn(s, " \t\r#\n") != 0)
			text_add(&t, "%.*s,", (int)strcspn(s, " \t\r#\n"), s);
	}
	if (t.len == 0)
		return fail(e, ERR_USAGE, "--limit: %s names no host", path);
	*list = t.s;
	return true;
}

bool
fleet_limit(struct fleet *f, bool *chosen, struct err *e)
{
	const char *list = f->asked->limit;

	if (list == NULL)
		list = "";
	else if (*list == '@' && !read_list(f->cmd->arena, list + 1, &list, e))
		return false;
	return inventory_limit(f->cmd->arena, &f->inventory, list, chosen, e);
}

/* ---- the directory of the results ------------------------------------------------------------ */

static const char *
path_of(const struct fleet *f, struct arena *a, const char *host, const char *kind)
{
	return arena_printf(a, "%s/%s.%s", f->dir, host, kind);
}

static bool
make_dir(const char *dir, struct err *e)
{
	return mkdir(dir, 0755) == 0 || errno == EEXIST ||
	    fail(e, ERR_FAILED, "%s: %s", dir, strerror(errno));
}

static bool
is_empty(const char *dir, bool *empty, struct err *e)
{
	DIR *d = opendir(dir);
	const struct dirent *x;

	if (d == NULL)
		return fail(e, ERR_FAILED, "%s: %s", dir, strerror(errno));
	*empty = true;
	while ((x = readdir(d)) != NULL)
		*empty = *empty && *x->d_name == '.';
	closedir(d);
	return true;
}

static void
drop_done(struct fleet *f, bool *chosen)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < f->inventory.n_hosts; i++) {
		const char *name = f->inventory.hosts[i].name;

		if (!chosen[i] || access(path_of(f, a, name, "json"), F_OK) != 0)
			continue;
		chosen[i] = false;
		f->before++;
	}
	arena_free(a);
}

bool
fleet_dir_open(struct fleet *f, bool *chosen, struct err *e)
{
	const struct fleet_asked *x = f->asked;
	bool empty;

	if (x->out == NULL)
		return true;
	f->dir = arena_printf(f->cmd->arena, "%s/%s", x->out, inventory_commands[x->command]);
	if (!make_dir(x->out, e) || !make_dir(f->dir, e) || !is_empty(f->dir, &empty, e))
		return false;
	if (!x->resume && !empty)
		return fail(e, ERR_USAGE, "%s holds results: --resume goes on with them, another "
		    "--out begins anew", f->dir);
	if (x->resume)
		drop_done(f, chosen);
	return true;
}

static bool
remove_file(const char *path, struct err *e)
{
	return unlink(path) == 0 || errno == ENOENT ||
	    fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
}

bool
fleet_keep(struct fleet *f, const struct fleet_result *r, const char *document, size_t len,
    const char *said, struct err *e)
{
	struct arena *a;
	const char *told;
	char *text;
	bool ok;

	if (f->dir == NULL)
		return true;
	a = arena_new();
	told = path_of(f, a, r->host, "err");
	if (document != NULL) {
		ok = files_write(path_of(f, a, r->host, "json"), document, len, 0600, e) &&
		    remove_file(told, e);
	} else {
		/* Of one that was ended, the reason is ours. */
		text = isnan(r->status) ? arena_printf(a, "%s%s\n", said, r->error) :
		    arena_strdup(a, *said != '\0' ? said : r->error);
		text_disarm(text);
		ok = files_write(told, text, strlen(text), 0600, e);
	}
	arena_free(a);
	return ok;
}

bool
fleet_failed_write(struct fleet *f, struct err *e)
{
	struct arena *a = f->cmd->arena;
	const char *path = f->asked->failed;
	struct text t = { .arena = a };

	if (path == NULL && f->dir != NULL)
		path = arena_printf(a, "%s/failed", f->dir);
	if (path == NULL)
		return true;
	text_bytes(&t, "", 0);
	for (size_t i = 0; i < f->queue.n_jobs; i++) {
		if (!f->rows[i].reported || !fleet_is_good(&f->rows[i].result))
			text_add(&t, "%s\n", f->queue.jobs[i].host->name);
	}
	return files_write(path, t.s, t.len, 0644, e);
}
