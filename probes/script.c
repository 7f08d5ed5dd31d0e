#include "script.h"

#include "process.h"
#include "../tuner/words.h"

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
static const char starting[] =
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
    "	s=$? ended=$p c=$d/out$n\n"
    "	: >\"$d/now\"\n"
    "	why=\n"
    "	if [ -e \"$d/late$p\" ]; then why=\"no end within $l s\"\n"
    "	elif [ \"$s\" -eq 127 ]; then why=\"$1: not found\"\n"
    "	elif [ \"$s\" -eq 126 ]; then why=\"$1: Permission denied\"\n"
    "	elif [ \"$s\" -gt 256 ]; then why=\"ended by signal $((s - 256))\"\n"
    "	elif [ \"$s\" -gt 128 ] && [ \"$s\" -le 192 ]; then\n"
    "		why=\"ended by signal $((s - 128))\"\n"
    "	fi\n"
    "	[ -z \"$why\" ] || s=-1\n"
    "}\n";

/*
 * Processes and files are what a script costs, so answers are kept until the end, and then told by
 * two processes: wc counts them, cat tells those of several lines.  One line is read by the shell,
 * and is the whole answer if it is as long as that.  What a command left may grow even now, since
 * somebody left behind may still write: dd takes as much of it as was counted.
 */
static const char telling[] =
    "_pathtune_done() {\n"
    "	eval \"s$n=\\$s c$n=\\$c f$n=\\$f why$n=\\$why\"\n"
    "	n=$((n + 1))\n"
    "}\n"
    "_pathtune_count() {\n"
    "	set --\n"
    "	k=0\n"
    "	while [ \"$k\" -lt \"$n\" ]; do\n"
    "		eval \"c=\\$c$k\"\n"
    "		o=0 x=0\n"
    "		if [ -s \"$c\" ]; then o=1; set -- \"$@\" \"$c\"; fi\n"
    "		if [ -s \"$d/err$k\" ]; then x=1; set -- \"$@\" \"$d/err$k\"; fi\n"
    "		eval \"o$k=$o x$k=$x\"\n"
    "		k=$((k + 1))\n"
    "	done\n"
    "	: >\"$d/sizes\"\n"
    "	[ \"$#\" -eq 0 ] || wc -c \"$@\" >\"$d/sizes\"\n"
    "}\n"
    "_pathtune_load() {\n"
    "	eval \"s=\\$s$k c=\\$c$k f=\\$f$k why=\\$why$k o=\\$o$k x=\\$x$k\"\n"
    "	e=$d/err$k\n"
    "	[ \"$o\" -eq 0 ] || read -r o t\n"
    "	[ \"$x\" -eq 0 ] || read -r x t\n"
    "	if [ \"$o\" -gt \"$most\" ] || [ \"$x\" -gt \"$most\" ]; then\n"
    "		if [ -z \"$f\" ]; then s=-1 why=\"more than $most bytes of output\"\n"
    "		elif [ \"$s\" -le 0 ]; then s=1 why=\"$f: larger than $most bytes\"; fi\n"
    "	fi\n"
    "	[ \"$o\" -le \"$most\" ] || o=$most\n"
    "	if [ -n \"$why\" ]; then\n"
    "		printf '%s\\n' \"$why\" >\"$e\"\n"
    "		case $why in\n"
    "		*[!\\ -~]*) x=$(($(wc -c <\"$e\"))) ;;\n"
    "		*) x=$((${#why} + 1)) ;;\n"
    "		esac\n"
    "	fi\n"
    "	[ \"$x\" -le 512 ] || x=512\n"
    "}\n"
    "_pathtune_add() {\n"
    "	add=\n"
    "	[ \"$2\" -ne 0 ] || return 0\n"
    "	if [ \"$2\" -le 512 ] && IFS= read -r t <\"$1\" && [ $((${#t} + 1)) -eq \"$2\" ]; then\n"
    "		told=$told$t$nl\n"
    "		return\n"
    "	fi\n"
    "	add=$1\n"
    "	case $1 in \"$d/in/\"*) [ \"$2\" -eq \"$most\" ] || return 0 ;; esac\n"
    "	add=$d/told$k.${1##*/}\n"
    "	dd if=\"$1\" of=\"$add\" bs=\"$2\" count=1 2>/dev/null\n"
    "}\n"
    "_pathtune_tell() {\n"
    "	_pathtune_count\n"
    "	set --\n"
    "	k=0 told=\n"
    "	while [ \"$k\" -lt \"$n\" ]; do\n"
    "		_pathtune_load\n"
    "		told=\"$told$m $k $s $o $x$nl\"\n"
    "		_pathtune_add \"$c\" \"$o\"\n"
    "		if [ -n \"$add\" ]; then\n"
    "			printf '%s' \"$told\" >\"$d/head$#\"\n"
    "			set -- \"$@\" \"$d/head$#\" \"$add\"\n"
    "			told=\n"
    "		fi\n"
    "		_pathtune_add \"$e\" \"$x\"\n"
    "		if [ -n \"$add\" ]; then\n"
    "			printf '%s' \"$told\" >\"$d/head$#\"\n"
    "			set -- \"$@\" \"$d/head$#\" \"$add\"\n"
    "			told=\n"
    "		fi\n"
    "		k=$((k + 1))\n"
    "	done <\"$d/sizes\"\n"
    "	[ \"$#\" -eq 0 ] || cat \"$@\"\n"
    "	[ -z \"$told\" ] || printf '%s' \"$told\"\n"
    "}\n";

/*
 * The files at the beginning are copied by one process.  What is not there is seen without any, and
 * what could not be copied, or came empty where not all could be, is read by itself, to tell why.
 * A test is the shell's own.
 */
static const char asking[] =
    "_pathtune_run() {\n"
    "	l=$1 f=\n"
    "	shift\n"
    "	if [ \"$1\" = test ]; then\n"
    "		\"$@\" 2>/dev/null\n"
    "		s=$? why= c=$d/none\n"
    "		[ \"$s\" -gt 1 ] || { _pathtune_done; return; }\n"
    "	fi\n"
    "	_pathtune_start \"$@\"\n"
    "	_pathtune_done\n"
    "}\n"
    "_pathtune_read() {\n"
    "	l=$1 f=$2\n"
    "	_pathtune_start cat -- \"$2\"\n"
    "	if [ \"$s\" -gt 0 ]; then\n"
    "		read -r why <\"$d/err$n\"\n"
    "		why=${why#cat: }\n"
    "	fi\n"
    "	_pathtune_done\n"
    "}\n"
    "_pathtune_copy() {\n"
    "	l=$1\n"
    "	shift\n"
    "	for f; do\n"
    "		shift\n"
    "		[ ! -f \"$f\" ] || set -- \"$@\" \"$f\"\n"
    "	done\n"
    "	[ \"$#\" -ne 0 ] || return 0\n"
    "	_pathtune_start cp -- \"$@\" \"$d/in\"\n"
    "	[ \"$s\" -ge 0 ] || rm -f \"$d/in/\"*\n"
    "	copied=$s\n"
    "	: >\"$d/err$n\"\n"
    "}\n"
    "_pathtune_missing() {\n"
    "	[ ! -e \"$1\" ] && [ ! -L \"$1\" ] || return 1\n"
    "	t=${1%/*}\n"
    "	while [ -n \"$t\" ] && [ ! -e \"$t\" ]; do t=${t%/*}; done\n"
    "	[ -d \"$t/\" ] && [ -x \"$t/\" ]\n"
    "}\n"
    "_pathtune_take() {\n"
    "	c=$d/in/${2##*/} f=$2 why=\n"
    "	if [ -s \"$c\" ] || { [ \"$copied\" -eq 0 ] && [ -e \"$c\" ]; }; then\n"
    "		s=0\n"
    "	elif _pathtune_missing \"$2\"; then\n"
    "		s=1 why=\"$2: No such file or directory\"\n"
    "	else\n"
    "		_pathtune_read \"$@\"\n"
    "		return\n"
    "	fi\n"
    "	_pathtune_done\n"
    "}\n"
    "_pathtune_leave() {\n"
    "	kill -9 \"$w\" 2>/dev/null\n"
    "	[ \"$!\" = \"$ended\" ] || kill -9 \"$!\" 2>/dev/null\n"
    "	rm -rf \"$d\"\n"
    "}\n"
    "_pathtune_directory() {\n"
    "	for t in \"${TMPDIR:-/dev/shm}\" /tmp /var/tmp /var/run /dev/shm; do\n"
    "		[ -d \"$t\" ] || continue\n"
    "		d=$t/pathtune-$m\n"
    "		mkdir -m 700 \"$d\" \"$d/in\" 2>/dev/null && return\n"
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

static double
limit_s(const struct command *c)
{
	return ceil(c->timeout_s > 0 ? c->timeout_s : HOST_TIMEOUT_S);
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/*
 * The files that the commands begin with, up to the first that has the last part of its name in
 * common with one before: they lie in one directory when they are copied.
 */
static size_t
count_copied(const struct command *c, size_t n)
{
	size_t count, i = 0;

	for (count = 0; count < n && c[count].argv == NULL && *c[count].file == '/'; count++) {
		for (i = 0; i < count; i++) {
			if (strcmp(last_part(c[i].file), last_part(c[count].file)) == 0)
				return count;
		}
	}
	return count;
}

static void
add_copy(struct text *t, const struct command *c, size_t n)
{
	double most_s = 0;

	if (n < 2)
		return;
	for (size_t i = 0; i < n; i++)
		most_s = fmax(most_s, limit_s(&c[i]));
	text_add(t, "	_pathtune_copy %.0f", most_s);
	for (size_t i = 0; i < n; i++) {
		text_bytes(t, " ", 1);
		words_quote(t, c[i].file);
	}
	text_bytes(t, "\n", 1);
}

static void
add_command(struct text *t, const struct command *c, bool copied)
{
	text_add(t, "	_pathtune_%s %.0f", c->argv != NULL ? "run" : copied ? "take" : "read",
	    limit_s(c));
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
	size_t n_copied = count_copied(c, n);

	text_bytes(&t, starting, strlen(starting));
	text_bytes(&t, telling, strlen(telling));
	text_bytes(&t, asking, strlen(asking));
	text_add(&t, "_pathtune() {\n	m=%s\n	n=0 nl='\n' copied=1\n	blocks=%zu most=%zu "
	    "LC_ALL=C\n	PATH=%s\n", mark, BLOCKS, HOST_OUTPUT_BYTES, PROCESS_PATH);
	text_bytes(&t, begin, strlen(begin));
	add_copy(&t, c, n_copied);
	for (size_t i = 0; i < n; i++)
		add_command(&t, &c[i], n_copied > 1 && i < n_copied);
	text_add(&t, "	_pathtune_tell\n	echo \"$m end\"\n	exit 0\n}\n_pathtune\n");
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
