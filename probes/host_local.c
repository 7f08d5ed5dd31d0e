#include "transport.h"

#include "process.h"
#include "start.h"
#include "stop.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
unread(struct output *out, const char *why)
{
	out->status = 1;
	out->why = why;
}

static void
read_file(struct arena *a, const char *file, struct output *out)
{
	struct stream s = { .arena = a, .cap = HOST_OUTPUT_BYTES };
	bool ok = true;

	s.fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (s.fd == -1) {
		unread(out, arena_printf(a, "%s: %s", file, strerror(errno)));
		return;
	}
	while (s.fd != -1 && ok && !s.over)
		ok = stream_read(&s);
	if (!ok)
		unread(out, arena_printf(a, "%s: %s", file, strerror(errno)));
	else if (s.over)
		unread(out, arena_printf(a, "%s: larger than %zu bytes", file, s.cap));
	stream_close(&s);
	out->text = stream_text(&s);
	out->len = s.len;
}

static void
run_command(struct arena *a, const struct command *c, struct output *out)
{
	const struct process_spec spec = { .argv = c->argv,
		.timeout_s = c->timeout_s > 0 ? c->timeout_s : HOST_TIMEOUT_S,
		.output_bytes = HOST_OUTPUT_BYTES, .even_stopped = c->even_stopped };

	process_run(a, &spec, out);
}

static bool
run_one(struct arena *a, const struct command *c, struct output *out, struct err *e)
{
	*out = (struct output){ .text = "" };
	if (c->argv == NULL) {
		read_file(a, c->file, out);
		return true;
	}
	if (stop_requested() == 0 || c->even_stopped)
		run_command(a, c, out);
	if (stop_requested() != 0 && !c->even_stopped)
		return fail(e, ERR_STOPPED, "%s: stopped by signal %d", c->argv[0],
		    stop_requested());
	return true;
}

/*
 * Why a file cannot be opened for writing.  A knob of the first namespace has no write bits in
 * another, and root is refused all the same (os-facts A.5.1); one that root alone may write has
 * them.
 */
static const char *
refusal(const char *file, int error)
{
	struct stat st;

	if (error == EROFS || ((error == EACCES || error == EPERM) &&
	    (geteuid() == 0 || (stat(file, &st) == 0 && (st.st_mode & 0222) == 0))))
		return "read-only here (container or namespace)";
	return error == EACCES || error == EPERM ? "needs root" : strerror(error);
}

static bool
local_run(void *self, struct arena *a, const struct command *c, size_t n, struct output *out,
    struct err *e)
{
	(void)self;
	for (size_t i = 0; i < n; i++) {
		if (!run_one(a, &c[i], &out[i], e))
			return false;
	}
	return true;
}

static bool
local_write(void *self, const char *file, const char *value, struct err *e)
{
	size_t len = strlen(value);
	int error = 0, fd;
	ssize_t n;

	(void)self;

	fd = open(file, O_WRONLY | O_TRUNC | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return fail(e, ERR_FAILED, "%s: %s", file, refusal(file, errno));
	n = write(fd, value, len); /* one write: the kernel takes each as a whole value */
	if (n == -1)
		error = errno;
	close(fd);
	if (error != 0)
		return fail(e, ERR_FAILED, "%s: the kernel refuses \"%s\": %s", file, value,
		    strerror(error));
	if ((size_t)n != len)
		return fail(e, ERR_FAILED, "%s: only %zd of %zu bytes of \"%s\" were taken", file,
		    n, len, value);
	return true;
}

/* The local host holds nothing open. */
static bool
local_open(struct arena *a, const char *rest, const struct host_access *access, void **self,
    struct err *e)
{
	(void)a, (void)access, (void)e;
	*self = NULL;
	return *rest == '\0';
}

static const struct host_path *
local_path(const void *self)
{
	(void)self;
	return NULL;
}

static bool
local_start(void *self, struct arena *a, const char *const *argv, struct host_child *out,
    struct err *e)
{
	(void)self;
	return start_program(a, argv, false, out, NULL, e);
}

static void
local_close(void *self)
{
	(void)self;
}

const struct transport transport_local = { "local", true, local_open, local_run, local_write,
	local_path, local_close, local_start, NULL };
