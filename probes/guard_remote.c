#include "guard_remote.h"

#include "guard_remote_files.h"
#include "guard_remote_script.h"
#include "remote_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KNOBS_MAX 16
#define LEASE_MIN_S 2
#define LEASE_MAX_S 86400
#define CALL_S 30.0 /* of each call; a restore may take as long as its commands */
#define RELEASE_S 150.0

struct guard_remote {
	struct host *host;
	const struct guard_remote_spec *spec;
	const char *dir; /* on the host */
	unsigned long renewals;
};

/* Nothing of it ends a line or commands a terminal; the rest quoting takes care of. */
static bool
plain(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static bool
check_argv(const char *const *argv)
{
	for (size_t i = 0; argv != NULL && argv[i] != NULL; i++)
		if (!plain(argv[i]))
			return false;
	return argv != NULL && argv[0] != NULL;
}

static bool
check_knob(const struct knob_value *v, struct err *e)
{
	if (!plain(v->name) || *v->name == '\0' || (v->file == NULL ?
	    !check_argv(v->read) || !check_argv(v->write) : !plain(v->file) || *v->file != '/'))
		return fail(e, ERR_FAILED, "%.80s: its name, file or command is missing or "
		    "unprintable", v->name);
	if (v->after != NULL && !plain(v->after))
		return fail(e, ERR_FAILED, "%s: what its value follows is unprintable", v->name);
	return true;
}

static bool
check_text(const struct knob_value *v, struct err *e)
{
	const char *s = v->text, *field;
	size_t len;
	bool any = false;

	while ((field = knobs_field(&s, &len)) != NULL) {
		any = true;
		for (size_t i = 0; i < len; i++)
			if ((unsigned char)field[i] <= ' ' || field[i] == 0x7f)
				return fail(e, ERR_FAILED, "%s: the value is unprintable", v->name);
	}
	return any || fail(e, ERR_FAILED, "%s: there is no value", v->name);
}

/* One script there; the first word of what it says is *word, the rest *rest. */
static bool
call(struct host *h, struct arena *a, const char *script, double limit_s, char **word,
    char **rest, struct err *e)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct command c = { .argv = argv, .timeout_s = limit_s, .even_stopped = true };
	struct output o;

	if (!host_run(h, a, &c, 1, &o, e))
		return false;
	if (o.status != 0)
		return fail(e, ERR_FAILED, "the guard on the host: %s", o.why);
	*word = arena_strndup(a, o.text, strcspn(o.text, " \n"));
	*rest = arena_strndup(a, o.text + strlen(*word), strcspn(o.text + strlen(*word), "\n"));
	*rest += **rest == ' ';
	text_disarm(*rest);
	return true;
}

static bool
fail_said(const char *word, const char *rest, struct err *e)
{
	if (strcmp(word, "busy") == 0)
		return fail(e, ERR_FAILED, "another pathtune is at work on the host: %s", rest);
	if (strcmp(word, "gone") == 0)
		return fail(e, ERR_FAILED, "the guard on the host is gone: it has restored the "
		    "values, or the host was started anew");
	if (strcmp(word, "failed") == 0)
		return fail(e, ERR_FAILED, "%s: could not be set back on the host; what is needed "
		    "for it stays there, the next run tries again", rest);
	if (strcmp(word, "foreign") == 0)
		return fail(e, ERR_FAILED, "%s: is not ours any more; left as it is", rest);
	if (strcmp(word, "undone") == 0)
		return fail(e, ERR_FAILED, "%s; all is as it was before", rest);
	if (strcmp(word, "unfit") == 0)
		return fail(e, ERR_FAILED, "%s: the directory of the state there belongs to "
		    "another user or can be written by others", rest);
	if (strcmp(word, "unmade") == 0)
		return fail(e, ERR_FAILED, "%s: cannot be made there for the state", rest);
	return fail(e, ERR_FAILED, "the guard on the host: %s %s", *word == '\0' ?
	    "no answer" : word, rest);
}

bool
guard_remote_start(struct host *h, struct arena *a, const struct guard_remote_spec *spec,
    struct guard_remote **out, size_t *healed, struct err *e)
{
	struct guard_remote *g = arena_alloc(a, sizeof(*g));
	char *word, *rest, *end;

	if (spec->n > KNOBS_MAX)
		return fail(e, ERR_FAILED, "more than %d knobs to guard", KNOBS_MAX);
	if (!(spec->lease_s >= LEASE_MIN_S && spec->lease_s <= LEASE_MAX_S))
		return fail(e, ERR_FAILED, "a lease has %d to %d s", LEASE_MIN_S, LEASE_MAX_S);
	for (size_t i = 0; i < spec->n; i++) {
		if (!check_knob(&spec->old[i], e) || !check_text(&spec->old[i], e))
			return false;
	}
	if (!call(h, a, guard_remote_script_start(a, spec), RELEASE_S, &word, &rest, e))
		return false;
	if (strcmp(word, "armed") != 0)
		return fail_said(word, rest, e);
	*healed = strtoul(rest, &end, 10);
	*g = (struct guard_remote){ h, spec, end + (*end == ' '), 0 };
	*out = g;
	return true;
}

const char *
guard_remote_dir(const struct guard_remote *g)
{
	return g->dir;
}

/* Something done in its directory while it is alive, and the lease renewed. */
static bool
tell(struct guard_remote *g, struct arena *a, const char *what, struct err *e)
{
	char *word, *rest;

	if (!call(g->host, a, guard_remote_script_tell(a, g->dir, ++g->renewals, what), CALL_S,
		&word, &rest, e))
		return false;
	return strcmp(word, "ok") == 0 || fail_said(word, rest, e);
}

bool
guard_remote_renew(struct guard_remote *g, struct arena *a, struct err *e)
{
	return tell(g, a, "", e);
}

bool
guard_remote_announce(struct guard_remote *g, struct arena *a, const struct knob_value *v,
    size_t n, struct err *e)
{
	struct text t = { .arena = a };
	size_t i, k;

	text_add(&t, ": >announced\n");
	for (i = 0; i < n; i++) {
		for (k = 0; k < g->spec->n && strcmp(g->spec->old[k].name, v[i].name) != 0; k++)
			continue;
		if (k == g->spec->n)
			return fail(e, ERR_FAILED, "%s: is not guarded", v[i].name);
		if (!check_text(&v[i], e))
			return false;
		guard_remote_script_value(&t, k, v[i].text);
	}
	return tell(g, a, t.s, e);
}

struct knob_value
guard_remote_fenced(const struct guard_remote *g, struct arena *a, const struct knob_value *v)
{
	static const char by_file[] = "[ -d \"$1\" ] && [ ! -e \"$1/decided\" ] || exit 1; "
	    "printf %s \"$2\" >\"$3\"";
	static const char by_command[] = "[ -d \"$1\" ] && [ ! -e \"$1/decided\" ] || exit 1; "
	    "shift; exec \"$@\"";
	const char *const file[] = { "{value}", v->file, NULL }, *const *rest =
	    v->file != NULL ? file : v->write;
	const char *const head[] = { "sh", "-c", v->file != NULL ? by_file : by_command, "sh",
		g->dir };
	struct knob_value fenced = *v;
	const char **write = NULL, **read = arena_array(a, 4, sizeof(*read));
	size_t n = 0;

	for (size_t i = 0; i < NELEM(head); i++)
		*(const char **)arena_push(a, &write, &n, sizeof(*write)) = head[i];
	for (; *rest != NULL; rest++)
		*(const char **)arena_push(a, &write, &n, sizeof(*write)) = *rest;
	*(const char **)arena_push(a, &write, &n, sizeof(*write)) = NULL;
	fenced.write = write;
	if (v->file == NULL)
		return fenced;
	read[0] = "cat";
	read[1] = "--";
	read[2] = v->file;
	fenced.read = read;
	fenced.file = NULL;
	return fenced;
}

bool
guard_remote_held(struct guard_remote *g, struct arena *a, struct err *e)
{
	return tell(g, a, "rm -f pending*\n", e);
}

bool
guard_remote_release(struct guard_remote *g, struct arena *a, struct err *e)
{
	char *word, *rest;

	if (!call(g->host, a, guard_remote_script_end(a, g->dir, GUARD_REMOTE_RESTORE), RELEASE_S,
		&word, &rest, e))
		return false;
	return strcmp(word, "ok") == 0 || fail_said(word, rest, e);
}

bool
guard_remote_keep(struct guard_remote *g, struct arena *a, struct err *e)
{
	char *word, *rest;

	if (!call(g->host, a, guard_remote_script_end(a, g->dir, GUARD_REMOTE_KEEP), CALL_S, &word,
		&rest, e))
		return false;
	return strcmp(word, "ok") == 0 || fail_said(word, rest, e);
}

/* ---- files with the values ------------------------------------------------------------------- */

static bool
check_change(const struct guard_remote_change *x, struct err *e)
{
	for (size_t i = 0; i < x->n_files; i++) {
		if (x->files[i].path[0] != '/' || !plain(x->files[i].path))
			return fail(e, ERR_FAILED, "%.200s: not an absolute path, or unprintable",
			    x->files[i].path);
	}
	for (size_t i = 0; i < x->n_holds; i++) {
		if (!plain(x->holds[i].text))
			return fail(e, ERR_FAILED, "a value is unprintable");
	}
	return true;
}

bool
guard_remote_stage(struct guard_remote *g, struct arena *a, const struct guard_remote_change *x,
    struct err *e)
{
	struct command *c = NULL;
	struct output *o;
	const char *said;
	size_t n = 0;

	if (!check_change(x, e))
		return false;
	guard_remote_files_stage(a, g->dir, x, &c, &n);
	o = arena_array(a, n, sizeof(*o));
	if (!host_run(g->host, a, c, n, o, e))
		return false;
	said = arena_strndup(a, o[n - 1].text, strcspn(o[n - 1].text, "\n"));
	if (strcmp(said, "ok") == 0)
		return true;
	if (strcmp(said, "gone") == 0)
		return fail_said(said, "", e);
	for (size_t i = 0; i < n; i++) {
		if (o[i].status != 0)
			return fail(e, ERR_FAILED, "what is to be written cannot be kept on the "
			    "host: %s", o[i].why);
	}
	return fail(e, ERR_FAILED, "what is to be written did not reach the host whole");
}

bool
guard_remote_commit(struct guard_remote *g, struct arena *a, struct err *e)
{
	struct err lost = { ERR_NONE, "" };
	char *word, *rest;

	if (!call(g->host, a, guard_remote_script_end(a, g->dir, GUARD_REMOTE_GO), RELEASE_S, &word,
		&rest, &lost))
		return fail(e, lost.code, "%s; the host was told to go ahead or was not: it will "
		    "be as it was, or changed as a whole; look with pathtune check", lost.text);
	if (strcmp(word, "ok") == 0)
		return fail(e, ERR_FAILED, "the time was out; all is as it was before");
	return strcmp(word, "kept") == 0 || fail_said(word, rest, e);
}

/* ---- what another command left --------------------------------------------------------------- */

static bool
take_line(struct arena *a, char *line, struct guard_remote_state *s, struct err *e)
{
	char *rest = line + strcspn(line, " ");

	rest += *rest == ' ';
	line[strcspn(line, " ")] = '\0';
	if (strcmp(line, "dir") == 0)
		s->dir = arena_strdup(a, rest);
	else if (strcmp(line, "uid") == 0)
		s->uid = strtod(rest, NULL);
	else if (strcmp(line, "said") == 0)
		s->said = arena_strdup(a, rest);
	else if (strcmp(line, "healed") == 0)
		s->healed = strtoul(rest, NULL, 10);
	else if (strcmp(line, "waits") == 0)
		s->there = GUARD_REMOTE_WAITS;
	else if (strcmp(line, "busy") == 0)
		s->there = GUARD_REMOTE_BUSY;
	else if (strcmp(line, "dead") == 0)
		s->there = GUARD_REMOTE_DEAD;
	else if (strcmp(line, "failed") == 0 || strcmp(line, "unfit") == 0)
		return fail_said(line, rest, e);
	return true;
}

bool
guard_remote_look(struct host *h, struct arena *a, const char *dir, const char *usual, bool heal,
    struct guard_remote_state *out, struct err *e)
{
	const char *const argv[] = { "sh", "-c", guard_remote_script_look(a, dir,
		usual == NULL ? "/var/lib/pathtune" : usual, heal), NULL };
	struct command c = { .argv = argv, .timeout_s = RELEASE_S };
	struct guard_remote_state s = { .dir = NULL };
	struct output o;
	char *line, *next;

	if (!host_run(h, a, &c, 1, &o, e))
		return false;
	for (line = arena_strdup(a, o.text); *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next != '\0')
			*next++ = '\0';
		text_disarm(line);
		if (!take_line(a, line, &s, e))
			return false;
	}
	if (s.dir == NULL || s.dir[0] != '/')
		return fail(e, ERR_FAILED, "the host does not tell where its state is: %.100s",
		    o.why == NULL ? o.text : o.why);
	*out = s;
	return true;
}

bool
guard_remote_left(struct arena *a, const char *state_dir)
{
	return access(arena_printf(a, "%s/" GUARD_REMOTE_DIR, state_dir), F_OK) == 0 ||
	    access(arena_printf(a, "%s/" GUARD_REMOTE_DIR ".said", state_dir), F_OK) == 0;
}

struct guard_remote *
guard_remote_join(struct host *h, struct arena *a, const char *state_dir)
{
	static const struct guard_remote_spec none;
	struct guard_remote *g = arena_alloc(a, sizeof(*g));

	*g = (struct guard_remote){ .host = h, .spec = &none,
		.dir = arena_printf(a, "%s/" GUARD_REMOTE_DIR, state_dir) };
	return g;
}

bool
guard_remote_result(struct guard_remote *g, struct arena *a, const char **text, struct err *e)
{
	const char *path = arena_printf(a, "%s/result", g->dir);
	struct persist_found found;

	if (!remote_file_read(g->host, a, &path, 1, REMOTE_FILE_BYTES, &found, e))
		return false;
	*text = found.text;
	return true;
}
