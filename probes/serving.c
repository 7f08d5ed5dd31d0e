#include "serving.h"

#include "flow.h"
#include "peer.h"
#include "peer_wire.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_S 15.0
#define LIFE "93600s" /* longer than any run, should nobody tell it that its input has ended */

unsigned
serving_port(const char *line)
{
	static const char head[] = "ready port ";
	const char *digits = line + sizeof(head) - 1;
	unsigned long port;

	if (strncmp(line, head, sizeof(head) - 1) != 0 ||
	    strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 5)
		return 0;
	port = strtoul(digits, NULL, 10);
	return port <= 65535 ? (unsigned)port : 0;
}

/* One line, without its end; false: none came. */
static bool
read_line(const struct host_child *c, char *line, size_t room, struct err *e)
{
	double end_s = flow_clock_s() + READY_S, left_s;
	size_t len = 0;
	ssize_t n;

	for (;;) {
		struct pollfd p[2] = { { c->out, POLLIN, 0 }, { stop_fd(), POLLIN, 0 } };

		left_s = end_s - flow_clock_s();
		if (left_s <= 0 || stop_requested() != 0)
			break;
		if (poll(p, NELEM(p), (int)(left_s * 1e3) + 1) <= 0 || p[0].revents == 0)
			continue;
		n = read(c->out, line + len, 1);
		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0 || len + 2 > room || line[len] == '\n') {
			line[n == 1 && line[len] == '\n' ? len : 0] = '\0';
			return true;
		}
		len++;
	}
	return stop_requested() != 0 ?
	    fail(e, ERR_STOPPED, "stopped by signal %d", stop_requested()) :
	    fail(e, ERR_FAILED, "pathtune serve does not say that it is ready");
}

static bool
say_token(struct arena *a, const struct serving *s)
{
	const char *line = arena_printf(a, "%s\n", s->token);
	size_t len = strlen(line);

	return write(s->child.in, line, len) == (ssize_t)len;
}

bool
serving_start(struct arena *a, struct host *h, const char *who, const char *program,
    struct serving *out, struct err *e)
{
	const char *const argv[] = { program, "serve", "--quiet", "--token-stdin", "--while-stdin",
		"--port", "0", "--max-time", LIFE, NULL };
	struct err why = { ERR_NONE, "" };
	struct serving s = { .port = 0 };
	char line[64] = "";

	if (!wire_start(e))
		return false;
	s.token = peer_token_new(a);
	if (!host_start(h, a, argv, &s.child, &why))
		return fail(e, why.code, strstr(why.text, ": not found") != NULL ? "%s; install it "
		    "there, or say where it is (--agent PATH)" : "%s", why.text);
	if (say_token(a, &s) && !read_line(&s.child, line, sizeof(line), &why)) {
		host_end(&s.child);
		return fail(e, why.code, "%s: %s", who, why.text);
	}
	s.port = serving_port(line);
	if (s.port == 0) {
		host_end(&s.child);
		return fail(e, ERR_FAILED, "%s: pathtune serve did not start there; is it of this "
		    "version (" PATHTUNE_VERSION ")?", who);
	}
	*out = s;
	return true;
}

void
serving_end(struct serving *s)
{
	host_end(&s->child);
}
