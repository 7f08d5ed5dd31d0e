/*
 * stand_in: every command of a machine that is known by a transcript only ($STAND_IN).  Called by
 * the command's name it says what that machine said.  "cat -- FILE" is how a script reads a file; with a
 * directory of its own ($STAND_IN_FILES) those below it, /etc and /boot are read as they lie there.
 *
 * With a directory for it ($STAND_IN_STATE) sysctl can set: it remembers, and misbehaves as the
 * system's own does (probed on FreeBSD 14, NetBSD 10 and OpenBSD):
 *   FreeBSD    sendbuf_max and recvbuf_max wrap modulo 2^32 with exit 0; a maxsockbuf of -1
 *              becomes 2^64 - 1; one below 2304 and what is no number are refused with exit 1
 *   NetBSD     refuses without -w
 *   OpenBSD    takes what it does not know without a word, and refuses with exit 0
 *   the first two   a limit that does not admit what a new socket starts with: exit 0, and from
 *              then on no connection comes about ("no-sockets"; "lethal" tells of it for ever)
 */
#include "probes/files.h"
#include "probes/transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOT_FOUND 127 /* as a shell says it */

static const struct transcript_entry *
look_up(struct arena *a, const struct transcript *t, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), **words = NULL;
	struct command c = { .argv = NULL };
	size_t n = 0;

	*(const char **)arena_push(a, &words, &n, sizeof(char *)) =
	    slash == NULL ? argv[0] : slash + 1;
	for (size_t i = 1; argv[i] != NULL; i++)
		*(const char **)arena_push(a, &words, &n, sizeof(char *)) = argv[i];
	*(const char **)arena_push(a, &words, &n, sizeof(char *)) = NULL;
	if (n == 4 && strcmp(words[0], "cat") == 0 && strcmp(words[1], "--") == 0)
		c.file = words[2];
	else
		c.argv = words;
	return transcript_find(t, &c);
}

/* ---- what was set ---------------------------------------------------------------------------- */

static const char *
kept_in(struct arena *a, const char *name)
{
	return arena_printf(a, "%s/%s", getenv("STAND_IN_STATE"), name);
}

static void
keep(struct arena *a, const char *name, const char *text)
{
	const char *to = kept_in(a, name), *by = arena_printf(a, "%s.%ld", to, (long)getpid());
	FILE *f = fopen(by, "w");

	if (f == NULL || fprintf(f, "%s\n", text) < 0 || fclose(f) != 0 || rename(by, to) != 0)
		exit(3);
}

/* The value now, or NULL: there is no such knob. */
static const char *
value_of(struct arena *a, const struct transcript *t, const char *name)
{
	const char *const read[] = { "sysctl", "-n", name, NULL };
	const struct command c = { .argv = read };
	const struct transcript_entry *x = transcript_find(t, &c);
	struct err ignored = { ERR_NONE, "" };
	const char *text = x == NULL || x->answer.status != 0 ? NULL : x->answer.text;
	size_t len;

	if (text != NULL)
		(void)files_read(a, kept_in(a, name), 4096, &text, &len, &ignored);
	return text == NULL ? NULL : arena_strndup(a, text, strcspn(text, "\n"));
}

static bool
is_system(const struct transcript *t, const char *name)
{
	const char *const uname[] = { "uname", "-s", NULL };
	const struct command c = { .argv = uname };
	const struct transcript_entry *x = transcript_find(t, &c);

	return x != NULL && strncmp(x->answer.text, name, strlen(name)) == 0;
}

static double
number_of(struct arena *a, const struct transcript *t, const char *name)
{
	const char *text = value_of(a, t, name);

	return text == NULL ? 0 : strtod(text, NULL);
}

/* sbreserve() of both: of a limit so much is for data. */
static void
look_at_sockets(struct arena *a, const struct transcript *t)
{
	static const char *const starts[] = { "net.inet.tcp.sendspace", "net.inet.tcp.recvspace" };
	bool freebsd = is_system(t, "FreeBSD"), dead = false;
	double most = number_of(a, t, freebsd ? "kern.ipc.maxsockbuf" : "kern.sbmax") *
	    (freebsd ? 2048.0 / (2048 + 256) : 2048.0 / (2048 + 512));

	for (size_t i = 0; i < 2; i++)
		dead = dead || number_of(a, t, starts[i]) > most;
	unlink(kept_in(a, "no-sockets"));
	if (dead && (freebsd || is_system(t, "NetBSD"))) {
		keep(a, "no-sockets", "");
		keep(a, "lethal", "");
	}
}

static int
refuse(int status, const char *name, const char *why)
{
	fprintf(stderr, "sysctl: %s: %s\n", name, why);
	return status;
}

static int
set_freebsd(struct arena *a, const char *name, const char *old, const char *value)
{
	bool number = strspn(old, "0123456789") == strlen(old);

	if (number && strcmp(name, "kern.ipc.maxsockbuf") == 0 && strcmp(value, "-1") == 0)
		value = "18446744073709551615";
	if (number && strspn(value, "0123456789") != strlen(value))
		return refuse(1, arena_printf(a, "invalid unsigned long '%s'", value), "");
	if (strcmp(name, "kern.ipc.maxsockbuf") == 0 && strtod(value, NULL) < 2304)
		return refuse(1, arena_printf(a, "%s=%s", name, value), "Invalid argument");
	if (strstr(name, "purgenow") != NULL) /* is done, not kept */
		return 0;
	if (strstr(name, "buf_max") != NULL)
		value = arena_printf(a, "%d", (int)(unsigned)strtoull(value, NULL, 10));
	keep(a, name, value);
	printf("%s: %s -> %s\n", name, old, value);
	return 0;
}

static int
set_knob(struct arena *a, const struct transcript *t, const char *name, const char *value, bool w)
{
	const char *old = value_of(a, t, name);
	int status;

	if (is_system(t, "OpenBSD")) {
		if (old != NULL && strspn(value, "0123456789") != strlen(value))
			return refuse(0, name, "Invalid argument");
		if (old != NULL)
			keep(a, name, value);
		return 0;
	}
	if (is_system(t, "NetBSD") && !w)
		return refuse(1, name, "Must specify -w to set variables");
	if (old == NULL)
		return refuse(1, arena_printf(a, "unknown oid '%s'", name), "");
	if (is_system(t, "FreeBSD"))
		status = set_freebsd(a, name, old, value);
	else
		status = (keep(a, name, value), printf("%s: %s -> %s\n", name, old, value), 0);
	look_at_sockets(a, t);
	return status;
}

/* Is it something that the transcript cannot answer, because it depends on what was set? */
static bool
sysctl(struct arena *a, const struct transcript *t, char **argv, int *status)
{
	bool w = argv[1] != NULL && strcmp(argv[1], "-w") == 0;
	char *word = argv[w ? 2 : 1], *equals = word == NULL ? NULL : strchr(word, '=');
	const char *value;

	if (getenv("STAND_IN_STATE") == NULL || word == NULL)
		return false;
	if (equals != NULL) {
		*equals = '\0';
		*status = set_knob(a, t, word, equals + 1, w);
		return true;
	}
	if (strcmp(word, "-n") != 0 || argv[2] == NULL || argv[3] != NULL ||
	    access(kept_in(a, argv[2]), F_OK) != 0)
		return false;
	value = value_of(a, t, argv[2]);
	*status = value == NULL;
	puts(value == NULL ? "" : value);
	return true;
}

/* A file that the machine has here (play_own_files()), not in its transcript. */
static bool
is_live(const char *file)
{
	const char *state = getenv("STAND_IN_FILES");

	return state != NULL && file != NULL && (strncmp(file, "/etc/", 5) == 0 ||
	    strncmp(file, "/boot/", 6) == 0 || strncmp(file, state, strlen(state)) == 0);
}

int
main(int argc, char **argv)
{
	const char *file = getenv("STAND_IN"), *text;
	struct arena *a = arena_new();
	const struct transcript_entry *x;
	struct err e = { ERR_NONE, "" };
	struct transcript t = { 0 };
	const char *slash = strrchr(argv[0], '/'), *base = slash == NULL ? argv[0] : slash + 1;
	size_t len;
	int status;

	/* A script's own: only "cat -- FILE" is a question. */
	if (strcmp(base, "cat") == 0 && (argc < 2 || strcmp(argv[1], "--") != 0 ||
	    is_live(argv[2])))
		execv("/bin/cat", argv);
	if (file == NULL || !files_read(a, file, TRANSCRIPT_BYTES, &text, &len, &e) ||
	    !transcript_parse(a, file, text, len, &t, &e)) {
		fprintf(stderr, "stand_in: %s\n", e.text);
		return NOT_FOUND;
	}
	if (strcmp(base, "sysctl") == 0 && sysctl(a, &t, argv, &status)) {
		arena_free(a);
		return status;
	}
	x = look_up(a, &t, argv);
	if (x != NULL) {
		fwrite(x->answer.text, 1, x->answer.len, stdout);
		if (x->answer.why != NULL)
			fprintf(stderr, "%s\n", x->answer.why);
	}
	status = x == NULL || x->answer.status == -1 ? NOT_FOUND : x->answer.status;
	arena_free(a);
	return status;
}
