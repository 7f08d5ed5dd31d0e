#include "script.h"

#include "process.h"
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STDERR_BYTES ((size_t)512) /* of one command: its first line is wanted */
#define FRAME_BYTES ((size_t)128)
#define BANNER_BYTES ((size_t)65536)
#define BLOCKS (HOST_OUTPUT_BYTES / 512 + 8) /* of ulimit -f; more is seen, and cut */

/*
 * What the body calls.  The watcher looks once a second at what runs: the file "now" holds its
 * process and limit, and is empty in between.  There is no timeout(1) on all systems, and a sleep
 * for every command would be a process for every command.  Each command has files of its own, since
 * a child that it left behind may still write into them.  A status above 128 is a signal's: 128 and
 * its number, in ksh93 256 and its number.  When the script is ended $! is what runs, unless that
 * was waited for: it is set with the start of the command, a line that notes it may come too late.
 */
static const char helpers[] =
    "_pathtune_watch() {\n"
    "	k=0 was=\n"
    "	while kill -0 \"$$\" && sleep 1; do\n"
    "		now=\n"
    "		read -r now <\"$d/now\"\n"
    "		if [ \"$now\" = \"$was\" ]; then k=$((k + 1)); else k=0; fi\n"
    "		was=$now\n"
    "		[ -n \"$now\" ] || continue\n"
    "		if [ \"$k\" -ge \"${now#* }\" ]; then\n"
    "			: >\"$d/late${now% *}\"\n"
    "			kill -9 \"${now% *}\"\n"
    "		fi\n"
    "	done\n"
    "}\n"
    "_pathtune_start() {\n"
    "	(\n"
    "		ulimit -f \"$blocks\" 2>/dev/null\n"
    "		exec \"$@\"\n"
    "	) </dev/null >\"$d/out$n\" 2>\"$d/err$n\" &\n"
    "	p=$!\n"
    "	echo \"$p $l\" >\"$d/now\"\n"
    "	wait \"$p\" 2>/dev/null\n"
    "	s=$? ended=$p\n"
    "	: >\"$d/now\"\n"
    "	o=0 e=0 why=\n"
    "	[ ! -s \"$d/out$n\" ] || o=$(($(wc -c <\"$d/out$n\")))\n"
    "	[ ! -s \"$d/err$n\" ] || e=$(($(wc -c <\"$d/err$n\")))\n"
    "}\n"
    "_pathtune_judge() {\n"
    "	if [ -e \"$d/late$p\" ]; then why=\"no end within $l s\"\n"
    "	elif [ \"$o\" -gt \"$most\" ] || [ \"$e\" -gt \"$most\" ]; then\n"
    "		why=\"more than $most bytes of output\"\n"
    "	elif [ \"$s\" -eq 127 ]; then why=\"$1: not found\"\n"
    "	elif [ \"$s\" -eq 126 ]; then why=\"$1: Permission denied\"\n"
    "	elif [ \"$s\" -gt 256 ]; then why=\"ended by signal $((s - 256))\"\n"
    "	elif [ \"$s\" -gt 128 ] && [ \"$s\" -le 192 ]; then\n"
    "		why=\"ended by signal $((s - 128))\"\n"
    "	fi\n"
    "	[ -z \"$why\" ] || s=-1\n"
    "}\n"
    "_pathtune_answer() {\n"
    "	f=$d/err$n\n"
    "	if [ -n \"$why\" ]; then\n"
    "		f=$d/why\n"
    "		printf '%s\\n' \"$why\" >\"$f\"\n"
    "		e=$(($(wc -c <\"$f\")))\n"
    "	fi\n"
    "	[ \"$o\" -le \"$most\" ] || o=$most\n"
    "	[ \"$e\" -le 512 ] || e=512\n"
    "	echo \"$m $n $s $o $e\"\n"
    "	[ \"$o\" -eq 0 ] || dd if=\"$d/out$n\" bs=\"$o\" count=1 2>/dev/null\n"
    "	[ \"$e\" -eq 0 ] || dd if=\"$f\" bs=\"$e\" count=1 2>/dev/null\n"
    "	[ \"$o\" -le 65536 ] || rm -f \"$d/out$n\"\n"
    "	n=$((n + 1))\n"
    "}\n"
    "_pathtune_run() {\n"
    "	l=$1\n"
    "	shift\n"
    "	_pathtune_start \"$@\"\n"
    "	_pathtune_judge \"$1\"\n"
    "	_pathtune_answer\n"
    "}\n"
    "_pathtune_read() {\n"
    "	l=$1\n"
    "	_pathtune_start cat -- \"$2\"\n"
    "	_pathtune_judge cat\n"
    "	if [ \"$s\" -gt 0 ]; then\n"
    "		read -r why <\"$d/err$n\"\n"
    "		why=${why#cat: }\n"
    "	elif [ \"$o\" -gt \"$most\" ]; then\n"
    "		s=1 why=\"$2: larger than $most bytes\"\n"
    "	fi\n"
    "	_pathtune_answer\n"
    "}\n"
    "_pathtune_leave() {\n"
    "	kill -9 \"$w\" 2>/dev/null\n"
    "	[ \"$!\" = \"$ended\" ] || kill -9 \"$!\" 2>/dev/null\n"
    "	rm -rf \"$d\"\n"
    "}\n"
    "_pathtune_directory() {\n"
    "	for t in \"${TMPDIR:-/tmp}\" /tmp /var/tmp /var/run /dev/shm; do\n"
    "		d=$t/pathtune-$m\n"
    "		mkdir -m 700 \"$d\" 2>/dev/null && return\n"
    "	done\n"
    "	echo \"$m no-directory\"\n"
    "	exit 0\n"
    "}\n";

static const char begin[] =
    "	export LC_ALL PATH\n"
    "	unset IFS\n"
    "	_pathtune_directory\n"
    "	: >\"$d/now\"\n"
    "	_pathtune_watch </dev/null >/dev/null 2>&1 &\n"
    "	w=$! ended=$!\n"
    "	trap _pathtune_leave 0\n"
    "	trap 'exit 1' HUP INT TERM PIPE\n";

static void
add_command(struct text *t, const struct command *c)
{
	double limit_s = c->timeout_s > 0 ? c->timeout_s : HOST_TIMEOUT_S;

	text_add(t, "	_pathtune_%s %.0f", c->argv == NULL ? "read" : "run", ceil(limit_s));
	if (c->argv == NULL) {
		text_bytes(t, " ", 1);
		words_quote(t, c->file);
	}
	for (const char *const *w = c->argv; w != NULL && *w != NULL; w++) {
		text_bytes(t, " ", 1);
		words_quote(t, *w);
	}
	text_bytes(t, "\n", 1);
}

char *
script_make(struct arena *a, const struct command *c, size_t n, const char *mark)
{
	struct text t = { .arena = a };

	text_bytes(&t, helpers, strlen(helpers));
	text_add(&t, "_pathtune() {\n	m=%s\n	n=0 blocks=%zu most=%zu LC_ALL=C\n	PATH=%s\n",
	    mark, BLOCKS, HOST_OUTPUT_BYTES, PROCESS_PATH);
	text_bytes(&t, begin, strlen(begin));
	for (size_t i = 0; i < n; i++)
		add_command(&t, &c[i]);
	text_add(&t, "	echo \"$m end\"\n	exit 0\n}\n_pathtune\n");
	return t.s;
}

size_t
script_answer_max(size_t n)
{
	return BANNER_BYTES + n * (HOST_OUTPUT_BYTES + STDERR_BYTES + FRAME_BYTES);
}

/* ---- the answer ------------------------------------------------------------------------------ */

struct answer {
	struct arena *arena;
	const char *at, *end;
	const char *mark;
};

/* Behind " number"; false when that is not what is there. */
static bool
take_number(struct answer *r, long most, long *number)
{
	const char *s = r->at;
	bool minus;
	long v = 0;

	if (s == r->end || *s++ != ' ')
		return false;
	minus = s < r->end && *s == '-';
	s += minus;
	if (s == r->end || *s < '0' || *s > '9')
		return false;
	for (; s < r->end && *s >= '0' && *s <= '9' && v <= most; s++)
		v = v * 10 + (*s - '0');
	if (v > most)
		return false;
	*number = minus ? -v : v;
	r->at = s;
	return true;
}

/* The mark itself must be here. */
static bool
take_mark(struct answer *r)
{
	if (r->end - r->at < SCRIPT_MARK || memcmp(r->at, r->mark, SCRIPT_MARK) != 0)
		return false;
	r->at += SCRIPT_MARK;
	return true;
}

static bool
take_word(struct answer *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

static char *
take_bytes(struct answer *r, size_t n)
{
	char *s = arena_strndup(r->arena, r->at, n);

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\0')
			s[i] = '?';
	}
	r->at += n;
	return s;
}

static bool
take_frame(struct answer *r, size_t index, struct output *o)
{
	long i, status, out_bytes, err_bytes;
	char *why;

	if (!take_mark(r) || !take_number(r, (long)index, &i) || i != (long)index ||
	    !take_number(r, 255, &status) || status < -1 ||
	    !take_number(r, (long)HOST_OUTPUT_BYTES, &out_bytes) || out_bytes < 0 ||
	    !take_number(r, (long)STDERR_BYTES, &err_bytes) || err_bytes < 0 ||
	    !take_word(r, "\n") || r->end - r->at < out_bytes + err_bytes)
		return false;
	*o = (struct output){ .status = (int)status, .len = (size_t)out_bytes };
	o->text = take_bytes(r, o->len);
	why = take_bytes(r, (size_t)err_bytes);
	why[strcspn(why, "\r\n")] = '\0';
	if (status != 0)
		o->why = *why != '\0' ? why : arena_printf(r->arena, "exit status %ld", status);
	return true;
}

/* To the first mark: what a login says comes before it, with or without a newline at its end. */
static bool
skip_banner(struct answer *r)
{
	for (; r->end - r->at > SCRIPT_MARK; r->at++) {
		if (memcmp(r->at, r->mark, SCRIPT_MARK) == 0 && r->at[SCRIPT_MARK] == ' ')
			return true;
	}
	return false;
}

bool
script_parse(struct arena *a, const char *text, size_t len, const char *mark, size_t n,
    struct output *out, struct err *e)
{
	struct answer r = { a, text, text + len, mark }, start;
	struct output *got = arena_array(a, n, sizeof(*got));
	size_t i;

	if (!skip_banner(&r))
		return fail(e, ERR_FAILED, "no answer, not even to the first of %zu commands", n);
	start = r;
	if (take_mark(&start) && take_word(&start, " no-directory"))
		return fail(e, ERR_FAILED, "no directory for temporary files can be made there");
	for (i = 0; i < n; i++) {
		if (!take_frame(&r, i, &got[i]))
			break;
	}
	if (i != n || !take_mark(&r) || !take_word(&r, " end"))
		return fail(e, ERR_FAILED, "%zu of %zu answers came whole; the rest is missing or "
		    "damaged", i, n);
	if (n != 0)
		memcpy(out, got, n * sizeof(*out));
	return true;
}
