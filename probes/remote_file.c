#include "remote_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_BYTES ((size_t)24 * 1024)   /* four times as much in escapes; Linux takes 128 KiB */
#define BLOCK_BYTES ((size_t)128 * 1024) /* of a large file at a time */

/* ---- the sum --------------------------------------------------------------------------------- */

/* IEEE Std 1003.1, cksum: the length follows the bytes, lowest byte first. */
static uint32_t
sum_byte(uint32_t crc, unsigned byte)
{
	crc ^= (uint32_t)byte << 24;
	for (unsigned i = 0; i < 8; i++)
		crc = (crc & 0x80000000U) != 0 ? crc << 1 ^ 0x04c11db7U : crc << 1;
	return crc;
}

const char *
remote_file_sum(struct arena *a, const char *text, size_t len)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < len; i++)
		crc = sum_byte(crc, (unsigned char)text[i]);
	for (size_t n = len; n != 0; n >>= 8)
		crc = sum_byte(crc, n & 0xff);
	return arena_printf(a, "%lu %zu", (unsigned long)(~crc & 0xffffffffU), len);
}

/* ---- read ------------------------------------------------------------------------------------ */

static const char look_text[] =
    "f=$1\n"
    "if [ -h \"$f\" ]; then echo is a symbolic link\n"
    "elif [ -d \"$f\" ]; then echo is a directory\n"
    "elif [ -f \"$f\" ]; then\n"
    "	[ -r \"$f\" ] || { echo Permission denied; exit 0; }\n"
    "	ls -ldn \"$f\" && cksum <\"$f\"\n"
    "elif [ -e \"$f\" ]; then echo is no regular file\n"
    "else\n"
    "	d=${f%/*}\n"
    "	d=${d:-/}\n"
    "	if [ -d \"$d\" ] && [ ! -x \"$d\" ]; then echo Permission denied\n"
    "	elif [ -e \"$d\" ] && [ ! -d \"$d\" ]; then echo Not a directory\n"
    "	else echo none\n"
    "	fi\n"
    "fi\n";

struct look {
	const char *sum; /* NULL: not there */
	struct persist_found found;
};

static mode_t
bits_of(const char *rwx, char special, mode_t set)
{
	mode_t bits = 0;

	bits |= rwx[0] == 'r' ? 4 : 0;
	bits |= rwx[1] == 'w' ? 2 : 0;
	bits |= rwx[2] == 'x' || rwx[2] == special ? 1 : 0;
	return bits | (rwx[2] == special || rwx[2] == special - 'a' + 'A' ? set : 0);
}

/* "-rw-r--r--  1 0  0  123 Nov 22 08:00 /etc/x", as POSIX has it with -n. */
static bool
take_listing(const char *line, struct stat *st)
{
	unsigned long long number[4]; /* links, owner, group, size */
	char *end;

	if (strlen(line) < 10 || line[0] != '-')
		return false;
	st->st_mode = (mode_t)(S_IFREG | bits_of(line + 1, 's', 040) << 6 |
	    bits_of(line + 4, 's', 0200) << 3 | bits_of(line + 7, 't', 01000));
	line += strcspn(line, " ");
	for (size_t i = 0; i < NELEM(number); i++) {
		number[i] = strtoull(line, &end, 10);
		if (end == line || *end != ' ')
			return false;
		line = end;
	}
	st->st_uid = (uid_t)number[1];
	st->st_gid = (gid_t)number[2];
	st->st_size = (off_t)number[3];
	return true;
}

/* What look_text said of one file. */
static bool
take_look(struct arena *a, const char *path, const struct output *o, struct look *l,
    struct err *e)
{
	char *first = arena_strndup(a, o->text, strcspn(o->text, "\n"));
	const char *second = o->text + strcspn(o->text, "\n");

	*l = (struct look){ .found = { .path = path } };
	if (o->status != 0)
		return fail(e, ERR_FAILED, "%s: %s", path, o->why);
	if (strcmp(first, "none") == 0)
		return true;
	if (strncmp(first, "is ", 3) == 0)
		return fail(e, ERR_FAILED, "%s: %s, not a file that pathtune would write; look at "
		    "it and move it away", path, first);
	if (!take_listing(first, &l->found.st)) {
		text_disarm(first);
		return fail(e, ERR_FAILED, "%s: %.100s", path, first);
	}
	second += *second == '\n';
	l->sum = arena_strndup(a, second, strcspn(second, "\n"));
	return true;
}

static struct command
look_command(struct arena *a, const char *path)
{
	const char **argv = arena_array(a, 6, sizeof(*argv));

	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = look_text;
	argv[3] = "sh";
	argv[4] = path;
	return (struct command){ .argv = argv };
}

/* More than one answer can hold. */
static bool
read_blocks(struct host *h, struct arena *a, const char *path, size_t size, struct text *t,
    struct err *e)
{
	size_t n = (size + BLOCK_BYTES - 1) / BLOCK_BYTES;
	struct command *c = arena_array(a, n, sizeof(*c));
	struct output *o = arena_array(a, n, sizeof(*o));

	for (size_t i = 0; i < n; i++) {
		const char **argv = arena_array(a, 6, sizeof(*argv));

		argv[0] = "dd";
		argv[1] = arena_printf(a, "if=%s", path);
		argv[2] = arena_printf(a, "bs=%zu", BLOCK_BYTES);
		argv[3] = arena_printf(a, "skip=%zu", i);
		argv[4] = "count=1";
		c[i] = (struct command){ .argv = argv };
	}
	if (!host_run(h, a, c, n, o, e))
		return false;
	for (size_t i = 0; i < n; i++)
		text_bytes(t, o[i].text, o[i].len);
	return true;
}

static bool
take_content(struct host *h, struct arena *a, const struct look *l, size_t cap,
    const struct output *o, struct persist_found *out, struct err *e)
{
	size_t size = (size_t)l->found.st.st_size;
	struct text t = { .arena = a };

	*out = l->found;
	if (l->sum == NULL)
		return true;
	if (size > cap)
		return fail(e, ERR_FAILED, "%s: larger than %zu bytes, too large for a file of "
		    "settings", out->path, cap);
	text_bytes(&t, "", 0);
	if (size > HOST_OUTPUT_BYTES) {
		if (!read_blocks(h, a, out->path, size, &t, e))
			return false;
	} else {
		text_bytes(&t, o->text, o->len);
	}
	if (strcmp(remote_file_sum(a, t.s, t.len), l->sum) != 0)
		return fail(e, ERR_FAILED, "%s: cannot be read as it is: it has NUL bytes, or was "
		    "changed in this moment", out->path);
	out->text = t.s;
	out->len = t.len;
	return true;
}

bool
remote_file_read(struct host *h, struct arena *a, const char *const *path, size_t n, size_t cap,
    struct persist_found *out, struct err *e)
{
	struct command *c = arena_array(a, 2 * n + 1, sizeof(*c));
	struct output *o = arena_array(a, 2 * n + 1, sizeof(*o));
	struct look l;

	for (size_t i = 0; i < n; i++) {
		c[2 * i] = look_command(a, path[i]);
		c[2 * i + 1] = (struct command){ .file = path[i] };
	}
	if (n == 0)
		return true;
	if (!host_run(h, a, c, 2 * n, o, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!take_look(a, path[i], &o[2 * i], &l, e) ||
		    !take_content(h, a, &l, cap, &o[2 * i + 1], &out[i], e))
			return false;
	}
	return true;
}

/* ---- bring ----------------------------------------------------------------------------------- */

/* As a format of printf(1): whatever the bytes are, these are printable. */
static const char *
as_format(struct arena *a, const char *s, size_t n)
{
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '%')
			text_bytes(&t, "%%", 2);
		else if (c < ' ' || c > '~' || c == '\\' || (c == '-' && i == 0))
			text_add(&t, "\\%03o", c);
		else
			text_bytes(&t, s + i, 1);
	}
	return t.s;
}

void
remote_file_bring(struct arena *a, const char *path, const char *text, size_t len,
    struct command **c, size_t *n)
{
	/* The script's limit of output is not meant for it; where it cannot be raised it holds. */
	static const char first[] = "ulimit -f unlimited 2>/dev/null\nprintf \"$1\" >\"$2\"";
	static const char more[] = "ulimit -f unlimited 2>/dev/null\nprintf \"$1\" >>\"$2\"";
	size_t at = 0, part;

	do {
		const char **argv = arena_array(a, 7, sizeof(*argv));

		part = len - at < PART_BYTES ? len - at : PART_BYTES;
		argv[0] = "sh";
		argv[1] = "-c";
		argv[2] = at == 0 ? first : more;
		argv[3] = "sh";
		argv[4] = as_format(a, text + at, part);
		argv[5] = path;
		*(struct command *)arena_push(a, c, n, sizeof(**c)) =
		    (struct command){ .argv = argv, .even_stopped = true };
		at += part;
	} while (at < len);
}
