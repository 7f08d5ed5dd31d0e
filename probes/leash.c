#include "leash.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES ((size_t)65536)
#define LINE_BYTES ((size_t)160)

/*
 * $1 seconds, $2 copies, then the command.  The shell has a process group of its own, because
 * host_start() gives it one: all of it is ended by one signal, the parts of a pipeline too.
 */
#define LEASH(output) \
	"t=$1 n=$2 p=\n" \
	"shift 2\n" \
	"over() { trap '' TERM; kill -TERM 0; }\n" \
	"exec 3<&0 </dev/null\n" \
	"{ read -r x <&3; over; } >/dev/null 2>&1 &\n" \
	"{ sleep \"$t\"; over; } 3<&- >/dev/null 2>&1 &\n" \
	"exec 3<&-\n" \
	"while [ \"$n\" -gt 0 ]; do\n" \
	"	\"$@\" " output " &\n" \
	"	p=\"$p $!\" n=$((n - 1))\n" \
	"done\n" \
	"wait $p\n" \
	"over 2>/dev/null\n"

const char *const *
leash(struct arena *a, unsigned copies, double seconds, bool silent, const char *const *argv)
{
	const char **all;
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	all = arena_array(a, n + 7, sizeof(*all));
	all[0] = "sh";
	all[1] = "-c";
	all[2] = silent ? LEASH("2>&1 >/dev/null") : LEASH("2>&1");
	all[3] = "leash";
	all[4] = arena_printf(a, "%.0f", ceil(seconds));
	all[5] = arena_printf(a, "%u", copies);
	memcpy(all + 6, argv, n * sizeof(*all));
	return all;
}

bool
leash_hear(const struct host_child *c, struct text *said, size_t cap)
{
	struct pollfd p = { c->out, POLLIN, 0 };
	char part[READ_BYTES];
	size_t room;
	ssize_t n;

	if (poll(&p, 1, 0) <= 0)
		return true;
	n = read(c->out, part, sizeof(part));
	if (n <= 0)
		return n == -1 && (errno == EINTR || errno == EAGAIN);
	room = said->len < cap ? cap - said->len : 0;
	text_bytes(said, part, (size_t)n < room ? (size_t)n : room);
	return true;
}

const char *
leash_line(struct arena *a, const struct text *said)
{
	const char *s = said->s;
	size_t n;
	char *line;

	if (s == NULL)
		return NULL;
	s += strspn(s, "\r\n\t ");
	n = strcspn(s, "\r\n");
	if (n == 0)
		return NULL;
	line = arena_strndup(a, s, n < LINE_BYTES ? n : LINE_BYTES);
	text_disarm(line);
	return line;
}
