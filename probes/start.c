#include "start.h"

#include "flow.h"
#include "process.h"
#include "stop.h"
#include "../tuner/words.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define MARK_BYTES 16
#define LINE ((size_t)128)
#define NOISE_BYTES ((size_t)65536) /* of a login, before it comes to the point */
#define SAID_BYTES ((size_t)512)

/* ---- pipes ----------------------------------------------------------------------------------- */

static void
close_both(int ends[2])
{
	for (int i = 0; i < 2; i++) {
		if (ends[i] != -1)
			close(ends[i]);
		ends[i] = -1;
	}
}

void
start_pipes_close(struct start_pipes *p)
{
	close_both(p->in);
	close_both(p->out);
	close_both(p->err);
}

bool
start_pipes_open(struct start_pipes *p, struct err *e)
{
	*p = (struct start_pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (process_pipe(p->in) && process_pipe(p->out) && process_pipe(p->err))
		return true;
	fail(e, ERR_FAILED, "a pipe: %s", strerror(errno));
	start_pipes_close(p);
	return false;
}

bool
start_program(struct arena *a, const char *const *argv, bool as_user, struct host_child *out,
    int *said, struct err *e)
{
	struct start_pipes p;

	if (stop_requested() != 0)
		return fail(e, ERR_STOPPED, "%s: stopped by signal %d", argv[0], stop_requested());
	if (!start_pipes_open(&p, e))
		return false;
	if (said == NULL) {
		close_both(p.err);
		p.err[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	}
	if (!process_start(a, argv, as_user, (const int[]){ p.in[0], p.out[1], p.err[1] },
		&out->pid, e)) {
		start_pipes_close(&p);
		return false;
	}
	out->in = p.in[1];
	out->out = p.out[0];
	if (said != NULL)
		*said = p.err[0];
	close(p.in[0]);
	close(p.out[1]);
	close(p.err[1]);
	return true;
}

void
host_end(struct host_child *c)
{
	if (c->pid <= 0)
		return;
	close(c->in);
	close(c->out);
	process_leave(c->pid);
	c->pid = -1;
}

/* ---- through a shell ------------------------------------------------------------------------- */

struct waiting {
	const char *name, *mark, *script;
	struct host_child *c;
	int said;
	size_t sent, noise;
	char line[LINE];
	size_t len;
	char why[SAID_BYTES + 1];
	size_t n_why;
};

/*
 * One function, called on the last line: a script cut short starts nothing.  A shell may have read
 * ahead when it gets there, so nothing more is sent before the mark has come.
 */
static const char *
script_of(struct arena *a, const char *const *argv, const char *mark)
{
	struct text t = { .arena = a };

	text_add(&t, "_pathtune_start() {\nLC_ALL=C PATH=%s\nexport LC_ALL PATH\n"
	    "command -v ", PROCESS_PATH);
	words_quote(&t, argv[0]);
	text_add(&t, " >/dev/null 2>&1 || { printf '\\n%%s none\\n' %s; exit 127; }\n"
	    "printf '\\n%%s go\\n' %s\nexec 2>/dev/null\nexec", mark, mark);
	for (size_t i = 0; argv[i] != NULL; i++) {
		text_bytes(&t, " ", 1);
		words_quote(&t, argv[i]);
	}
	text_add(&t, "\n}\n_pathtune_start\n");
	return t.s;
}

static void
send_script(struct waiting *w)
{
	size_t left = strlen(w->script) - w->sent;
	ssize_t n = left == 0 ? 0 : write(w->c->in, w->script + w->sent, left);

	if (n > 0)
		w->sent += (size_t)n;
}

/* What it complains of; only the end of it is kept. */
static void
hear_why(struct waiting *w)
{
	char part[SAID_BYTES];
	ssize_t n = read(w->said, part, sizeof(part));
	size_t drop;

	if (n <= 0 && !(n == -1 && (errno == EAGAIN || errno == EINTR))) {
		close(w->said);
		w->said = -1;
	}
	if (n <= 0)
		return;
	drop = w->n_why + (size_t)n > SAID_BYTES ? w->n_why + (size_t)n - SAID_BYTES : 0;
	memmove(w->why, w->why + drop, w->n_why - drop);
	w->n_why -= drop;
	memcpy(w->why + w->n_why, part, (size_t)n);
	w->n_why += (size_t)n;
}

static const char *
last_said(struct waiting *w)
{
	char *end = w->why + w->n_why, *begin;

	while (end > w->why && strchr("\r\n \t", end[-1]) != NULL)
		end--;
	*end = '\0';
	for (begin = end; begin > w->why && begin[-1] != '\n'; begin--)
		continue;
	text_disarm(begin);
	return begin;
}

/* One byte at a time: what follows the mark is the program's. */
enum heard { HEARD_NOTHING, HEARD_GO, HEARD_NONE, HEARD_END };

static enum heard
hear_byte(struct waiting *w)
{
	size_t m = strlen(w->mark);
	char byte;
	ssize_t n = read(w->c->out, &byte, 1);

	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR) ||
	    (n == 1 && ++w->noise > NOISE_BYTES))
		return HEARD_END;
	if (n != 1)
		return HEARD_NOTHING;
	if (byte != '\n') {
		if (w->len < sizeof(w->line))
			w->line[w->len++] = byte;
		return HEARD_NOTHING;
	}
	n = (ssize_t)w->len;
	w->len = 0;
	if ((size_t)n <= m || memcmp(w->line, w->mark, m) != 0)
		return HEARD_NOTHING;
	return memcmp(w->line + m, " go", 3) == 0 ? HEARD_GO : HEARD_NONE;
}

static bool
fail_ended(struct waiting *w, struct err *e)
{
	const char *why;
	struct pollfd p = { w->said, POLLIN, 0 };

	for (; w->said != -1 && poll(&p, 1, 0) > 0; p.fd = w->said)
		hear_why(w);
	why = last_said(w);
	/* The host's name is in what our own bridge says. */
	if (strncmp(why, w->name, strlen(w->name)) == 0)
		return fail(e, ERR_FAILED, "%s", why);
	return fail(e, ERR_FAILED, "%s: nothing can be started there%s%s", w->name,
	    *why == '\0' ? "" : ": ", why);
}

static bool
await(struct waiting *w, const char *program, double limit_s, struct err *e)
{
	double end_s = flow_clock_s() + limit_s, left_s;
	enum heard heard = HEARD_NOTHING;

	while (heard == HEARD_NOTHING) {
		struct pollfd p[] = { { w->c->out, POLLIN, 0 }, { w->said, POLLIN, 0 },
			{ w->script[w->sent] != '\0' ? w->c->in : -1, POLLOUT, 0 },
			{ stop_fd(), POLLIN, 0 } };

		left_s = end_s - flow_clock_s();
		if (stop_requested() != 0)
			return fail(e, ERR_STOPPED, "%s: stopped by signal %d", w->name,
			    stop_requested());
		if (left_s <= 0)
			return fail(e, ERR_FAILED, "%s: %s was not started within %.3g s", w->name,
			    program, limit_s);
		if (poll(p, NELEM(p), (int)(left_s * 1e3) + 1) <= 0)
			continue;
		if (p[1].revents != 0)
			hear_why(w);
		if (p[2].revents != 0)
			send_script(w);
		if (p[0].revents != 0)
			heard = hear_byte(w);
	}
	if (heard == HEARD_NONE)
		return fail(e, ERR_FAILED, "%s: %s: not found", w->name, program);
	return heard == HEARD_GO || fail_ended(w, e);
}

static const char *
fresh_mark(struct arena *a)
{
	unsigned char bytes[MARK_BYTES];
	char *mark = arena_alloc(a, 2 * MARK_BYTES + 1);

	randombytes_buf(bytes, sizeof(bytes));
	return sodium_bin2hex(mark, 2 * MARK_BYTES + 1, bytes, sizeof(bytes));
}

static bool
set_blocking(const struct host_child *c, bool blocking)
{
	int flags = blocking ? 0 : O_NONBLOCK;

	return fcntl(c->in, F_SETFL, flags) != -1 && fcntl(c->out, F_SETFL, flags) != -1;
}

bool
start_through(struct arena *a, const char *name, const char *const *argv, double limit_s,
    struct host_child *c, int said, struct err *e)
{
	struct waiting w = { .name = name, .c = c, .said = said };
	bool ok = sodium_init() >= 0 && set_blocking(c, false) &&
	    fcntl(said, F_SETFL, O_NONBLOCK) != -1;

	if (!ok)
		fail(e, ERR_FAILED, "%s: no random numbers or no pipe: %s", name, strerror(errno));
	if (ok) {
		w.mark = fresh_mark(a);
		w.script = script_of(a, argv, w.mark);
		ok = await(&w, argv[0], limit_s, e) && set_blocking(c, true);
	}
	if (w.said != -1)
		close(w.said);
	if (!ok)
		host_end(c);
	return ok;
}
