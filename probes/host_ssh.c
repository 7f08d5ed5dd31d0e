/*
 * host_ssh: a host reached by ssh.  One session a host, one channel a round trip: "/bin/sh -s"
 * there reads a script (script.h), because a login shell may be a csh, and its answer is framed,
 * because a login may talk.
 */
#include "transport.h"

#include "flow.h"
#include "script.h"
#include "script_round.h"
#include "script_write.h"
#include "ssh_bridge.h"
#include "ssh_link.h"

#include <string.h>

#define READ_BYTES ((size_t)32768)
#define STATUS_S 1.0
#define STDERR_KEPT ((size_t)1024) /* its end, where a shell says why it gives up */

struct ssh_round {
	struct ssh_link *link;
	ssh_channel channel;
	const struct script_round *script;
	size_t sent;
	bool eof_sent;
	struct text out;
	char said[STDERR_KEPT + 1]; /* on stderr, the end of it */
	size_t n_said;
	size_t heard; /* bytes of both */
};

static bool
ssh_host_open(struct arena *a, const char *rest, const struct host_access *access, void **self,
    struct err *e)
{
	struct ssh_link *l;

	if (!ssh_link_new(a, rest, access, &l, e))
		return false;
	if (!ssh_login(l, e)) {
		ssh_link_close(l);
		return false;
	}
	*self = l;
	return true;
}

/* ---- one round trip -------------------------------------------------------------------------- */

static bool
send_more(struct ssh_round *r)
{
	size_t left = r->script->len - r->sent;
	int n;

	if (left != 0) {
		n = ssh_channel_write(r->channel, r->script->text + r->sent, (uint32_t)left);
		if (n < 0)
			return n == SSH_AGAIN;
		r->sent += (size_t)n;
	}
	if (r->sent == r->script->len && !r->eof_sent)
		r->eof_sent = ssh_channel_send_eof(r->channel) == SSH_OK;
	return true;
}

static void
keep_said(struct ssh_round *r, const char *s, size_t n)
{
	size_t drop;

	if (n > STDERR_KEPT) {
		s += n - STDERR_KEPT;
		n = STDERR_KEPT;
	}
	drop = r->n_said + n > STDERR_KEPT ? r->n_said + n - STDERR_KEPT : 0;
	memmove(r->said, r->said + drop, r->n_said - drop);
	r->n_said -= drop;
	memcpy(r->said + r->n_said, s, n);
	r->n_said += n;
}

/* What is there now; false: no more will come. */
static bool
hear(struct ssh_round *r)
{
	char buf[READ_BYTES];
	ssh_channel c = r->channel;
	int n, over = 0;

	for (int second = 0; second < 2; second++) {
		while ((n = ssh_channel_read_nonblocking(c, buf, sizeof(buf), second)) > 0) {
			if (second == 0)
				text_bytes(&r->out, buf, (size_t)n);
			else
				keep_said(r, buf, (size_t)n);
			r->heard += (size_t)n;
			if (r->heard > r->script->most_bytes)
				return false;
		}
		over += n == SSH_EOF || n == SSH_ERROR;
	}
	return over != 2;
}

/* Whatever ends it, what came may be a whole answer: only a stop is an error here. */
static bool
converse(struct ssh_round *r, double deadline_s, struct err *why, struct err *e)
{
	if (!ssh_link_shell(r->link, r->channel, deadline_s, r->script->limit_s, why))
		return why->code != ERR_STOPPED || fail(e, ERR_STOPPED, "%s", why->text);
	while (hear(r)) {
		/* A shell that does not read is judged by what it says. */
		(void)send_more(r);
		if (!ssh_link_wait(r->link, deadline_s, "the answers", r->script->limit_s, why))
			return why->code != ERR_STOPPED || fail(e, ERR_STOPPED, "%s", why->text);
	}
	if (r->heard > r->script->most_bytes)
		fail(why, ERR_FAILED, "%s: more than %zu bytes of output", r->link->name,
		    r->script->most_bytes);
	return true;
}

/* ---- why there is no answer ------------------------------------------------------------------ */

/* The last line with anything in it. */
static const char *
last_line(struct arena *a, const char *s, size_t n)
{
	size_t begin;

	while (n > 0 && strchr("\r\n \t", s[n - 1]) != NULL)
		n--;
	for (begin = n; begin > 0 && s[begin - 1] != '\n'; begin--)
		continue;
	return n == begin ? NULL : arena_strndup(a, s + begin, n - begin);
}

/* The exit status comes behind the end of the output. */
static int
await_status(struct ssh_round *r)
{
	double deadline_s = flow_clock_s() + STATUS_S;
	struct err late = { ERR_NONE, "" };

	while (ssh_channel_poll(r->channel, 0) != SSH_ERROR && !ssh_channel_is_closed(r->channel)) {
		if (!ssh_link_wait(r->link, deadline_s, "the shell", STATUS_S, &late))
			break;
	}
	return ssh_channel_get_exit_status(r->channel);
}

static bool
fail_unanswered(struct ssh_round *r, struct arena *a, const char *parsed, struct err *e)
{
	const struct ssh_link *l = r->link;
	const char *by = host_become_names[l->access->become];
	const char *said = last_line(a, r->said, r->n_said);
	int status = await_status(r);

	if (l->access->become != 0 && r->out.len == 0 && said != NULL)
		return fail(e, ERR_FAILED, "%s: --become %s: %.200s; let user %.64s run /bin/sh "
		    "there by %s without a password, or log in as root", l->name, by, said,
		    l->to.user, by);
	if (said == NULL && r->out.s != NULL && status > 0)
		said = last_line(a, r->out.s, r->out.len);
	if (!ssh_is_connected(l->session))
		return fail(e, ERR_FAILED, "%s: the connection broke: %s", l->name, parsed);
	return fail(e, ERR_FAILED, "%s: %s%s%.200s", l->name, parsed,
	    said != NULL ? "; it said: " : "", said != NULL ? said : "");
}

static bool
ssh_host_run(void *self, struct arena *a, const struct command *c, size_t n, struct output *out,
    struct err *e)
{
	struct err why = { ERR_NONE, "" }, parsed = { ERR_NONE, "" };
	struct ssh_link *l = self;
	struct script_round script;
	struct ssh_round r = { .link = l, .script = &script, .out = { .arena = a } };
	bool ok;

	if (!script_round_make(a, c, n, l->silence_s, &script, e))
		return false;
	r.channel = ssh_channel_new(l->session);
	if (r.channel == NULL)
		return fail(e, ERR_FAILED, "%s: %s", l->name, ssh_link_why(l));
	ssh_link_fresh(l);
	l->even_stopped = script.even_stopped;
	ok = converse(&r, flow_clock_s() + script.limit_s, &why, e);
	if (ok && !script_parse(a, r.out.s != NULL ? r.out.s : "", r.out.len, script.mark, n, out,
		&parsed))
		ok = why.code != ERR_NONE ? fail(e, why.code, "%s", why.text) :
		    fail_unanswered(&r, a, parsed.text, e);
	if (ssh_is_connected(l->session))
		ssh_channel_close(r.channel);
	ssh_channel_free(r.channel);
	return ok;
}

static bool
ssh_host_write(void *self, const char *file, const char *value, struct err *e)
{
	return script_write(ssh_host_run, self, file, value, e);
}

static const struct host_path *
ssh_host_path(const void *self)
{
	(void)self;
	return NULL;
}

static struct host_names
ssh_host_names(const void *self)
{
	const struct ssh_link *l = self;
	/* Addresses are replaced wherever they are. */
	const char *host = strchr(l->to.host, ':') == NULL ? l->to.host : NULL;

	return strchr(l->asked, ':') == NULL ?
	    (struct host_names){ { l->asked, host }, l->to.user } :
	    (struct host_names){ { host }, l->to.user };
}

static bool
ssh_host_start(void *self, struct arena *a, const char *const *argv, struct host_child *out,
    struct err *e)
{
	return ssh_bridge_start(a, self, argv, out, e);
}

static void
ssh_host_close(void *self)
{
	ssh_link_close(self);
}

const struct transport transport_ssh = { "ssh://", false, ssh_host_open, ssh_host_run,
	ssh_host_write, ssh_host_path, ssh_host_close, ssh_host_start, ssh_host_names };
