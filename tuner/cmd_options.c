#include "cmd.h"
#include "units.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { OPTS_MAX = 48, VAL_HELP = 256, VAL_JSON, VAL_FIRST };

static size_t
opts_count(const struct opt *o)
{
	size_t n = 0;

	while (o[n].name != NULL)
		n++;
	return n;
}

/* getopt_long's tables, the common flags first. */
static void
build_tables(const struct opt *opts, size_t n, struct option *longs, char *shorts)
{
	static const struct option common[] = {
		{ "help", no_argument, NULL, VAL_HELP },
		{ "json", no_argument, NULL, VAL_JSON },
		{ "quiet", no_argument, NULL, 'q' },
	};
	char *s = shorts + strlen(strcpy(shorts, "+:hq"));
	size_t i;

	memcpy(longs, common, sizeof(common));
	longs += NELEM(common);
	for (i = 0; i < n; i++) {
		bool arg = opts[i].type != OPT_FLAG;

		longs[i] = (struct option){ opts[i].name, opts[i].type == OPT_OPTIONAL ?
			optional_argument : arg ? required_argument : no_argument, NULL,
			VAL_FIRST + (int)i };
		if (opts[i].letter != 0)
			s += sprintf(s, "%c%s", opts[i].letter, arg ? ":" : "");
	}
	longs[n] = (struct option){ NULL, 0, NULL, 0 };
}

static bool
enum_value(const struct opt *o, const char *text, struct err *e)
{
	for (int i = 0; o->names[i] != NULL; i++) {
		if (strcmp(o->names[i], text) == 0) {
			*(int *)o->dst = i;
			return true;
		}
	}
	return fail(e, ERR_USAGE, "'%.40s' is not one of %s", text, o->arg);
}

static bool
number_value(const struct opt *o, const char *text, struct err *e)
{
	static bool (*const readers[])(const char *, double *, struct err *) = {
		[OPT_NUMBER] = units_number,
		[OPT_RATE] = units_rate,
		[OPT_BYTES] = units_bytes,
		[OPT_TIME] = units_time,
		[OPT_FRACTION] = units_fraction,
	};
	double v;

	if (!readers[o->type](text, &v, e))
		return false;
	if ((o->min != 0 || o->max != 0) && (v < o->min || v > o->max))
		return fail(e, ERR_USAGE, "'%.40s' is out of range, %.10g to %.10g%s", text, o->min,
		    o->max, o->type == OPT_TIME ? " seconds" : "");
	*(double *)o->dst = v;
	return true;
}

static bool
set_value(struct arena *a, const struct opt *o, const char *text, struct err *e)
{
	struct opt_words *list = o->dst;

	if (o->type == OPT_FLAG) {
		*(bool *)o->dst = true;
		return true;
	}
	if (o->type == OPT_OPTIONAL && text == NULL) {
		*(const char **)o->dst = "";
		return true;
	}
	if (*text == '\0')
		return fail(e, ERR_USAGE, "the value is empty");
	if (o->type == OPT_WORDS) {
		*(const char **)arena_push(a, &list->words, &list->n, sizeof(char *)) = text;
		return true;
	}
	if (o->type == OPT_STRING || o->type == OPT_OPTIONAL) {
		*(const char **)o->dst = text;
		return true;
	}
	return o->type == OPT_ENUM ? enum_value(o, text, e) : number_value(o, text, e);
}

static bool
take(struct arena *a, struct opt *o, const char *text, struct err *e)
{
	struct err why = { ERR_NONE, "" };

	if (o->given && o->type != OPT_WORDS)
		return fail(e, ERR_USAGE, "--%s is given twice", o->name);
	if (!set_value(a, o, text, &why))
		return fail(e, ERR_USAGE, "--%s: %s", o->name, why.text);
	o->given = true;
	return true;
}

static void
print_help(const struct cmd *cmd, const struct opt *opts)
{
	printf("usage: pathtune %s %s\n\n%s\n", cmd->name, cmd->synopsis, cmd->summary);
	if (opts[0].name != NULL)
		puts("");
	for (; opts->name != NULL; opts++) {
		bool maybe = opts->type == OPT_OPTIONAL;
		char left[64], letter[] = "-x, ";

		letter[1] = opts->letter;
		snprintf(left, sizeof(left), "%s--%s%s%s%s", opts->letter == 0 ? "" : letter,
		    opts->name, opts->arg == NULL ? "" : maybe ? "[=" : " ",
		    opts->arg != NULL ? opts->arg : "", maybe ? "]" : "");
		printf("  %-30s %s\n", left, opts->help);
	}
	puts("\n  --json                         one JSON document on stdout");
	puts("  -q, --quiet                    no progress, no notes");
}

static struct opt *
opt_by_letter(struct opt *opts, int letter)
{
	for (; opts->name != NULL; opts++) {
		if (opts->letter != 0 && opts->letter == letter)
			return opts;
	}
	return NULL;
}

static bool
one_option(struct cmd_context *c, const struct cmd *cmd, struct opt *opts, int v, const char *word,
    struct err *e)
{
	struct opt *o = v >= VAL_FIRST ? &opts[v - VAL_FIRST] : opt_by_letter(opts, v);

	if (o != NULL && v != ':' && v != '?')
		return take(c->arena, o, optarg, e);
	switch (v) {
	case VAL_JSON:
		c->json = true;
		return true;
	case 'q':
		c->quiet = true;
		return true;
	case ':':
		return fail(
		    e, ERR_USAGE, "%.60s needs a value; see pathtune %s --help", word, cmd->name);
	default:
		return fail(e, ERR_USAGE,
		    "%.60s is not a flag of pathtune %s; see pathtune %s --help", word, cmd->name,
		    cmd->name);
	}
}

/* getopt stops at the first word ('+'); we go on behind it unless the rest is not ours. */
static void
take_words(struct arena *a, int argc, char **argv, bool all, const char ***words, size_t *n)
{
	while (optind < argc && (all || argv[optind][0] != '-' || argv[optind][1] == '\0'))
		*(const char **)arena_push(a, words, n, sizeof(char *)) = argv[optind++];
}

bool
cmd_options(struct cmd_context *c, const struct cmd *cmd, struct opt *opts, int argc, char **argv,
    bool stop_at_word, const char ***words, size_t *n_words, bool *help, struct err *e)
{
	struct option longs[OPTS_MAX + 4];
	char shorts[2 * OPTS_MAX + 8];
	bool ended = false;
	int v;

	build_tables(opts, opts_count(opts), longs, shorts);
	*words = NULL;
	*n_words = 0;
	*help = false;
	opterr = 0;
	optind = 1;
	while (optind < argc && !ended) {
		const char *word = argv[optind];

		v = getopt_long(argc, argv, shorts, longs, NULL);
		if (v == 'h' || v == VAL_HELP) {
			print_help(cmd, opts);
			*help = true;
			return true;
		}
		ended = v == -1 && (stop_at_word || strcmp(word, "--") == 0);
		if (v == -1)
			take_words(c->arena, argc, argv, ended, words, n_words);
		else if (!one_option(c, cmd, opts, v, word, e))
			return false;
	}
	return true;
}

bool
cmd_given(const struct opt *opts, const char *name)
{
	for (; opts->name != NULL; opts++) {
		if (strcmp(opts->name, name) == 0)
			return opts->given;
	}
	return false;
}

static int
columns(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col : 80;
}

void
cmd_progress(struct cmd_context *c, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!c->tty || c->quiet)
		return;
	c->progress = true;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_disarm(line);
	fprintf(stderr, "\r\033[K%.*s", columns() - 1, line);
	fflush(stderr);
}

void
cmd_progress_end(struct cmd_context *c)
{
	if (c->progress)
		fputs("\r\033[K", stderr);
	c->progress = false;
}

void
cmd_note(struct cmd_context *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet)
		return;
	cmd_progress_end(c);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
