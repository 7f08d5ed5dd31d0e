#include "guard_remote.h"

#include "guard_remote_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

	text_bytes(&t, "", 0);
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

bool
guard_remote_held(struct guard_remote *g, struct arena *a, struct err *e)
{
	return tell(g, a, "rm -f pending*\n", e);
}

bool
guard_remote_release(struct guard_remote *g, struct arena *a, struct err *e)
{
	char *word, *rest;

	if (!call(g->host, a, guard_remote_script_end(a, g->dir, true), RELEASE_S, &word, &rest,
		e))
		return false;
	return strcmp(word, "ok") == 0 || fail_said(word, rest, e);
}

bool
guard_remote_keep(struct guard_remote *g, struct arena *a, struct err *e)
{
	char *word, *rest;

	if (!call(g->host, a, guard_remote_script_end(a, g->dir, false), CALL_S, &word, &rest, e))
		return false;
	return strcmp(word, "ok") == 0 || fail_said(word, rest, e);
}
