#include "pipeline_save.h"

#include "../probes/files.h"
#include "../probes/guard_journal.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEER_CHARS 60

/* ---- a name --------------------------------------------------------------------------------- */

/* 2026-11-22T05:24:46Z and Example:7 become 20261122T052446Z-Example_7.json. */
static const char *
name_of(struct arena *a, const struct run *run)
{
	struct text t = { .arena = a };
	const char *peer = run->options.peer;

	for (const char *s = run->started; *s != '\0'; s++) {
		if (isalnum((unsigned char)*s))
			text_add(&t, "%c", *s);
	}
	text_add(&t, "-");
	for (size_t i = 0; peer[i] != '\0' && i < PEER_CHARS; i++) {
		unsigned char c = (unsigned char)peer[i];

		text_add(&t, "%c", isalnum(c) || (i > 0 && strchr(".-", c) != NULL) ? c : '_');
	}
	return t.s;
}

static bool
is_ours(const char *name)
{
	static const char like[] = "ddddddddTddddddZ-";
	size_t len = strlen(name);

	for (size_t i = 0; like[i] != '\0'; i++) {
		if (like[i] == 'd' ? !isdigit((unsigned char)name[i]) : name[i] != like[i])
			return false;
	}
	return len > 5 && strcmp(name + len - 5, ".json") == 0;
}

static int
by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* The names begin with the time. */
static void
remove_old(struct arena *a, const char *dir)
{
	DIR *d = opendir(dir);
	const char **names = NULL;
	struct dirent *entry;
	size_t n = 0;

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		if (is_ours(entry->d_name))
			*(const char **)arena_push(a, &names, &n, sizeof(char *)) =
			    arena_strdup(a, entry->d_name);
	}
	if (n != 0)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i + SAVE_KEPT - 1 < n; i++)
		unlinkat(dirfd(d), names[i], 0);
	closedir(d);
}

void
save_choose(struct pipeline *p)
{
	struct arena *a = p->cmd->arena;
	const char *dir = arena_printf(a, "%s/runs", pipeline_state_dir(p));
	const char *name = name_of(a, p->run);
	struct err e = { ERR_NONE, "" };
	int fd;

	if (!journal_dir(a, dir, true, &fd, &e)) {
		cmd_note(p->cmd, "the run is not kept: %s", e.text);
		return;
	}
	close(fd);
	remove_old(a, dir);
	p->save = arena_printf(a, "%s/%s.json", dir, name);
	for (int i = 2; access(p->save, F_OK) == 0; i++)
		p->save = arena_printf(a, "%s/%s-%d.json", dir, name, i);
	p->save_unasked = true;
}

/* ---- the file ------------------------------------------------------------------------------- */

/* A pipe or a device gets the run once, when it is over. */
static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

bool
save_now(struct pipeline *p, struct err *e)
{
	struct err why = { ERR_NONE, "" };
	struct arena *a;
	bool ok;

	if (p->save == NULL || !is_file(p->save))
		return true;
	a = arena_new();
	ok = cmd_run_save(a, p->save, p->run, &why);
	arena_free(a);
	if (ok) {
		p->saved = true;
	} else if (!p->saved && !p->save_unasked) {
		p->save = NULL;
		return fail(e, why.code, "%s", why.text);
	} else if (!p->saved) {
		p->save = NULL;
		cmd_note(p->cmd, "the run is not kept: %s", why.text);
	} else if (!p->save_failed) {
		p->save_failed = true;
		cmd_note(p->cmd, "%s: measuring goes on, but what is measured from here on is lost "
		    "if it is interrupted", why.text);
	}
	return true;
}

void
save_rounded(struct arena *a, const struct record *r, void *src)
{
	const char *text = record_to_json(a, r, src, false);
	void *copy = arena_alloc(a, r->size);
	struct err e = { ERR_NONE, "" };
	struct node *node;

	record_init(r, copy);
	if (node_from_json(a, r->name, text, strlen(text), &node, &e) &&
	    record_from_node(a, r->name, r, node, copy, &e))
		memcpy(src, copy, r->size);
}
