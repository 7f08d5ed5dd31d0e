#include "agent_line.h"

#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define CONNECTS_MAX 1000
#define RTT_MAX_MS 1e6
#define SECONDS_MAX 1e6
#define RATE_MAX 1e18
#define PROTOCOL_MAX 1e6

static const char *const type_names[] = { "none", "hello", "open", "opened", "rtt", "measure",
	"tick", "done", "failed", NULL };

static const struct field line_fields[] = {
	F_ENUM(agent_line, type, type_names, FIELD_REQUIRED),
	F_NUM(agent_line, protocol, 0, PROTOCOL_MAX, 0),
	F_STR(agent_line, version, 0),
	F_STR(agent_line, peer, 0),
	F_STR(agent_line, token, 0),
	F_STR(agent_line, address, 0),
	F_STR(agent_line, own, 0),
	F_NUM(agent_line, n, 1, CONNECTS_MAX, 0),
	F_NUM(agent_line, rtt_ms, 0, RTT_MAX_MS, 0),
	F_STR(agent_line, cc, 0),
	F_LIST(agent_line, flow, &message_record),
	F_NUM(agent_line, seconds, 0, SECONDS_MAX, 0),
	F_NUM(agent_line, bps, 0, RATE_MAX, 0),
	F_BOOL(agent_line, usage),
	F_STR(agent_line, why, 0),
	F_END,
};

static const struct record line_record = { "line", sizeof(struct agent_line), line_fields };

struct agent_line
agent_line_new(enum agent_type type)
{
	struct agent_line l;

	record_init(&line_record, &l);
	l.type = type;
	return l;
}

bool
agent_say(struct agent_channel *c, const struct agent_line *l, struct err *e)
{
	struct arena *a = arena_new();
	const char *text = arena_printf(a, "%s\n", record_to_json(a, &line_record, l, false));
	size_t left = strlen(text);
	ssize_t n = 0;

	while (left != 0 && (n >= 0 || errno == EINTR)) {
		n = write(c->out, text, left);
		text += n > 0 ? n : 0;
		left -= n > 0 ? (size_t)n : 0;
	}
	if (left != 0)
		fail(e, ERR_FAILED, "%s", strerror(errno));
	arena_free(a);
	return left == 0;
}

/* ---- hearing --------------------------------------------------------------------------------- */

static void
read_more(struct agent_channel *c)
{
	ssize_t n;

	memmove(c->text, c->text + c->taken, c->len - c->taken);
	c->len -= c->taken;
	c->taken = 0;
	n = read(c->in, c->text + c->len, AGENT_LINE_BYTES - c->len);
	if (n > 0)
		c->len += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		c->closed = true;
}

bool
agent_ended(struct agent_channel *c)
{
	struct pollfd p = { c->in, POLLIN, 0 };

	if (!c->closed && c->len - c->taken < AGENT_LINE_BYTES && poll(&p, 1, 0) > 0)
		read_more(c);
	return c->closed || c->len - c->taken == AGENT_LINE_BYTES;
}

/* The next whole line, its newline replaced; NULL: there is none yet. */
static char *
next_line(struct agent_channel *c)
{
	char *line = c->text + c->taken, *end = memchr(line, '\n', c->len - c->taken);

	if (end == NULL)
		return NULL;
	*end = '\0';
	c->taken += (size_t)(end - line) + 1;
	return line;
}

static bool
await_line(struct agent_channel *c, const char *who, double limit_s, char **line, struct err *e)
{
	double end_s = flow_clock_s() + limit_s, left_s;
	struct pollfd p[] = { { c->in, POLLIN, 0 }, { stop_fd(), POLLIN, 0 } };

	while ((*line = next_line(c)) == NULL && !c->closed) {
		left_s = end_s - flow_clock_s();
		if (stop_requested() != 0)
			return fail(e, ERR_STOPPED, "%s: stopped by signal %d", who,
			    stop_requested());
		if (c->len - c->taken == AGENT_LINE_BYTES)
			return fail(e, ERR_FAILED, "%s: says a line without end", who);
		if (left_s <= 0)
			return fail(e, ERR_FAILED, "%s: no answer within %.3g s", who, limit_s);
		if (poll(p, NELEM(p), (int)(left_s * 1e3) + 1) > 0 && p[0].revents != 0)
			read_more(c);
	}
	return true;
}

/* Texts that people may read; the token stays as it is, and is checked where it is used. */
static void
disarm(struct arena *a, struct agent_line *l)
{
	const char **texts[] = { &l->version, &l->peer, &l->address, &l->own, &l->cc,
		&l->why };

	for (size_t i = 0; i < NELEM(texts); i++)
		*texts[i] = message_plain(a, *texts[i]);
	for (size_t i = 0; i < l->n_flow; i++)
		l->flow[i].why = message_plain(a, l->flow[i].why);
}

bool
agent_hear(struct arena *a, struct agent_channel *c, const char *who, double limit_s,
    struct agent_line *out, struct err *e)
{
	struct err why = { ERR_NONE, "" };
	struct node *n;
	char *line;

	*out = agent_line_new(AGENT_NONE);
	if (!await_line(c, who, limit_s, &line, e))
		return false;
	if (line == NULL)
		return true;
	if (!node_from_json(a, "line", line, strlen(line), &n, &why) ||
	    !record_from_node(a, "line", &line_record, n, out, &why))
		return fail(e, ERR_FAILED, "%s: %s", who, message_plain(a, why.text));
	if (out->type == AGENT_NONE || out->n_flow > 1)
		return fail(e, ERR_FAILED, "%s: says what it never does", who);
	disarm(a, out);
	return true;
}
