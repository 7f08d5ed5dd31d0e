/*
 * pathtune lab: an emulated long path on this machine: make it, look at it, run things in it,
 * remove it.
 */
#include "cmd.h"
#include "record.h"
#include "units.h"
#include "../probes/lab.h"
#include "../probes/lab_link.h"
#include "../probes/lab_state.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define LAB_SCHEMA "pathtune-lab/1"
#define LAB_NAME "lab"

/* What was typed, before it is a spec. */
struct up_flags {
	double rate, rate_ab, rate_ba, rtt_s, loss, jitter_s;
	const char *queue, *loss_ge, *police;
};

/* ---- JSON ------------------------------------------------------------------------------------ */

struct lab_doc {
	const char *name;
	double owner;
	const char *damage;
	const char *warning;
	bool alive;
	const char *state_dir;
	const char *start_cc;
	bool cc_refused;
	struct lab_spec spec;
};

struct status_doc {
	const char *schema;
	struct lab_doc *labs;
	size_t n_labs;
};

struct stats_doc {
	const char *schema;
	const char *name;
	const char *warning;
	struct lab_stats stats[2];
};

static const struct field lab_doc_fields[] = {
	F_STR(lab_doc, name, 0),
	F_NUM(lab_doc, owner, 0, 0, 0),
	F_STR(lab_doc, damage, 0),
	F_STR(lab_doc, warning, 0),
	F_BOOL(lab_doc, alive),
	F_STR(lab_doc, state_dir, 0),
	F_STR(lab_doc, start_cc, 0),
	F_BOOL(lab_doc, cc_refused),
	F_REC(lab_doc, spec, &lab_spec_record),
	F_END,
};
static const struct record lab_doc_record = { "lab", sizeof(struct lab_doc), lab_doc_fields };

static const struct field status_doc_fields[] = {
	F_STR(status_doc, schema, 0),
	F_LIST(status_doc, labs, &lab_doc_record),
	F_END,
};
static const struct record status_doc_record = { "status", sizeof(struct status_doc),
	status_doc_fields };

static const struct field stats_doc_fields[] = {
	F_STR(stats_doc, schema, 0),
	F_STR(stats_doc, name, 0),
	F_STR(stats_doc, warning, 0),
	{ "a_to_b", FIELD_RECORD, offsetof(struct stats_doc, stats[0]), 0, &lab_stats_record, NULL,
	    0, 0, 0 },
	{ "b_to_a", FIELD_RECORD, offsetof(struct stats_doc, stats[1]), 0, &lab_stats_record, NULL,
	    0, 0, 0 },
	F_END,
};
static const struct record stats_doc_record = { "stats", sizeof(struct stats_doc),
	stats_doc_fields };

/* ---- words ----------------------------------------------------------------------------------- */

static const char *
say_queue(struct arena *a, const struct lab_spec *s, unsigned d)
{
	const struct lab_link *l = &s->link[d];

	if (l->queue_unit == QUEUE_PACKETS)
		return arena_printf(a, "%.0f packets", l->queue);
	if (l->queue_unit == QUEUE_BYTES)
		return units_say_bytes(a, l->queue);
	return arena_printf(a, "%g BDP (%s)", l->queue, units_say_bytes(a, link_queue_room(s, d)));
}

static void
say_impairments(struct arena *a, const struct lab_link *l)
{
	if (l->loss_model == LOSS_BERNOULLI)
		printf(", loss %s", units_say_percent(a, l->loss, 3));
	if (l->loss_model == LOSS_GILBERT_ELLIOTT)
		printf(", Gilbert-Elliott loss %g,%g,%g,%g", l->p_bad, l->p_good, l->loss,
		    l->loss_good);
	if (l->jitter_ms > 0)
		printf(", jitter %s", units_say_time(a, l->jitter_ms / 1e3));
	if (l->police_bps > 0)
		printf(", policed to %s with bursts of %s", units_say_rate(a, l->police_bps),
		    units_say_bytes(a, l->police_burst_bytes));
}

/* NULL when there is nothing to warn of, or nobody to ask. */
static const char *
warning(struct arena *a, const char *name)
{
	const char *words;

	return lab_health(a, name, "this lab", &words, NULL) ? words : NULL;
}

static void
say_warning(const char *words)
{
	if (words != NULL)
		printf("  %s\n", words);
}

static void
say_lab(struct arena *a, const struct lab_info *info)
{
	const struct lab_spec *s = &info->spec;

	printf("%s: ", info->name);
	if (info->damage != NULL) {
		puts("damaged");
		return;
	}
	if (info->alive)
		printf("up, process %ld\n", (long)info->owner);
	else
		printf("dead; pathtune lab down %s removes what is left\n", info->name);
	printf("  RTT %s, MTU %.0f, seed %.0f, start %s%s", units_say_time(a, s->rtt_ms / 1e3),
	    s->mtu, s->seed, s->start, s->open_b ? ", b wide open" : "");
	if (info->start_cc != NULL)
		printf(" (%s%s)", info->start_cc, info->cc_refused ?
		    ", per socket: the kernel refuses it as this lab's default" : "");
	puts("");
	for (unsigned d = 0; d < 2; d++) {
		printf("  %s: %s, queue %s", d == 0 ? "a to b" : "b to a",
		    units_say_rate(a, s->link[d].rate_bps), say_queue(a, s, d));
		say_impairments(a, &s->link[d]);
		puts("");
	}
	printf("  a is %s and %s, b is %s and %s\n", LAB_ADDRESS_A, LAB_ADDRESS6_A, LAB_ADDRESS_B,
	    LAB_ADDRESS6_B);
	say_warning(warning(a, info->name));
}

/* ---- commands -------------------------------------------------------------------------------- */

/* At most one word, a lab's name. */
static bool
one_name(const char **words, size_t n, const char **name, struct err *e)
{
	if (n > 1)
		return fail(e, ERR_USAGE, "'%.60s': one name only", words[1]);
	if (n == 1)
		*name = words[0];
	return *name == NULL || lab_check_name(*name, e);
}

static struct lab_doc
lab_doc(struct arena *a, const struct lab_info *l)
{
	struct lab_doc d;

	record_init(&lab_doc_record, &d);
	d.name = l->name;
	d.damage = l->damage;
	d.state_dir = l->state_dir;
	if (l->damage != NULL)
		return d;
	d.warning = warning(a, l->name);
	d.owner = l->owner;
	d.alive = l->alive;
	d.start_cc = l->start_cc;
	d.cc_refused = l->cc_refused;
	d.spec = l->spec;
	return d;
}

/* Those that do are listed by now; an error names the first that does not. */
static bool
all_read(const struct lab_info *labs, size_t n, struct err *e)
{
	const char *first = NULL;
	size_t damaged = 0;

	for (size_t i = 0; i < n; i++)
		if (labs[i].damage != NULL && damaged++ == 0)
			first = labs[i].damage;
	if (damaged > 1)
		return fail(e, ERR_FAILED, "%s; %zu labs are damaged", first, damaged);
	return damaged == 0 || fail(e, ERR_FAILED, "%s", first);
}

static bool
print_labs(struct cmd_context *c, const char *name, struct err *e)
{
	struct status_doc doc = { .schema = LAB_SCHEMA };
	struct lab_info *labs;
	size_t n;

	if (!lab_list(c->arena, name, &labs, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct lab_info *l = &labs[i];
		struct lab_doc *d;

		if (!c->json) {
			say_lab(c->arena, l);
			continue;
		}
		d = arena_push(c->arena, &doc.labs, &doc.n_labs, sizeof(*d));
		*d = lab_doc(c->arena, l);
	}
	if (name != NULL && n == 0)
		return fail(e, ERR_FAILED, "lab %s: there is none", name);
	if (c->json)
		puts(record_to_json(c->arena, &status_doc_record, &doc, true));
	else if (n == 0)
		cmd_note(c, "no lab is up");
	return all_read(labs, n, e);
}

static bool
contradictions(const struct opt *opts, struct err *e)
{
	if (cmd_given(opts, "rate") && (cmd_given(opts, "rate-ab") || cmd_given(opts, "rate-ba")))
		return fail(e, ERR_USAGE, "--rate contradicts --rate-ab and --rate-ba");
	if (cmd_given(opts, "loss") && cmd_given(opts, "loss-ge"))
		return fail(e, ERR_USAGE, "--loss contradicts --loss-ge");
	return true;
}

static bool
fill_link(struct arena *a, const struct up_flags *f, double mtu, struct lab_link *l, struct err *e)
{
	l->jitter_ms = f->jitter_s * 1e3;
	l->loss = f->loss;
	l->loss_model = f->loss > 0 ? LOSS_BERNOULLI : LOSS_NONE;
	return (f->loss_ge == NULL || lab_parse_loss_ge(a, f->loss_ge, l, e)) &&
	    (f->queue == NULL || lab_parse_queue(f->queue, l, e)) &&
	    (f->police == NULL || lab_parse_police(a, f->police, mtu, l, e));
}

static bool
fill_spec(struct cmd_context *c, const struct up_flags *f, const struct opt *opts,
    struct lab_spec *s, struct err *e)
{
	s->rtt_ms = f->rtt_s * 1e3;
	s->link[0].rate_bps = cmd_given(opts, "rate-ab") ? f->rate_ab : f->rate;
	s->link[1].rate_bps = cmd_given(opts, "rate-ba") ? f->rate_ba : f->rate;
	return contradictions(opts, e) && fill_link(c->arena, f, s->mtu, &s->link[0], e) &&
	    fill_link(c->arena, f, s->mtu, &s->link[1], e) && lab_check(s, e);
}

static const struct cmd lab_up_cmd, lab_down_cmd, lab_status_cmd, lab_stats_cmd, lab_exec_cmd;

static bool
up_parse(struct cmd_context *c, int argc, char **argv, struct lab_spec *s, bool *help,
    struct err *e)
{
	struct up_flags f = { .rate = s->link[0].rate_bps, .rtt_s = s->rtt_ms / 1e3 };
	struct opt opts[] = {
		{ "rate", 0, OPT_RATE, &f.rate, 0, 0, NULL, "RATE", "both ways (300M)", false },
		{ "rate-ab", 0, OPT_RATE, &f.rate_ab, 0, 0, NULL, "RATE", "from a to b", false },
		{ "rate-ba", 0, OPT_RATE, &f.rate_ba, 0, 0, NULL, "RATE", "from b to a", false },
		{ "rtt", 0, OPT_TIME, &f.rtt_s, 0, 0, NULL, "TIME", "there and back (80ms)",
			false },
		{ "queue", 0, OPT_STRING, &f.queue, 0, 0, NULL, "QUEUE",
			"1bdp, 64K (bytes) or 100p (packets); 1bdp", false },
		{ "loss", 0, OPT_FRACTION, &f.loss, 0, 0, NULL, "SHARE", "of the segments (0)",
			false },
		{ "loss-ge", 0, OPT_STRING, &f.loss_ge, 0, 0, NULL, "PB,PG,LB[,LG]",
			"Gilbert-Elliott: to bad, to good, loss in bad, in good", false },
		{ "jitter", 0, OPT_TIME, &f.jitter_s, 0, 0, NULL, "TIME",
			"added at random each way (0)", false },
		{ "police", 0, OPT_STRING, &f.police, 0, 0, NULL, "RATE[,BURST]",
			"a token bucket before the queue", false },
		{ "seed", 0, OPT_NUMBER, &s->seed, 0, 0, NULL, "N", "of loss and jitter (1)",
			false },
		{ "mtu", 0, OPT_NUMBER, &s->mtu, 0, 0, NULL, "BYTES", "1500", false },
		{ "start", 0, OPT_STRING, &s->start, 0, 0, NULL, "PRESET",
			"linux-6.18 (default), linux-6.1, bsd-256k or host", false },
		{ "open-peer", 0, OPT_FLAG, &s->open_b, 0, 0, NULL, NULL,
			"b's buffers may grow to 64 MiB", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	const char **words;
	size_t n;

	if (!cmd_options(c, &lab_up_cmd, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	return one_name(words, n, &s->name, e) && fill_spec(c, &f, opts, s, e);
}

static bool
up(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct lab_spec s = lab_default();
	const char *cc;
	bool help;

	if (!up_parse(c, argc, argv, &s, &help, e) || help)
		return e->code == ERR_NONE;
	return lab_up(c->arena, &s, &cc, e) && print_labs(c, s.name, e);
}

/* Flags of the commands that have none of their own. */
static bool
no_flags(struct cmd_context *c, const struct cmd *cmd, int argc, char **argv, const char **name,
    bool *help, struct err *e)
{
	struct opt opts[] = { { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false } };
	const char **words;
	size_t n;

	if (!cmd_options(c, cmd, opts, argc, argv, false, &words, &n, help, e) || *help)
		return *help;
	return one_name(words, n, name, e);
}

static bool
down(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	const char *name = LAB_NAME;
	bool help;

	if (!no_flags(c, &lab_down_cmd, argc, argv, &name, &help, e))
		return false;
	return help || lab_down(c->arena, name, e);
}

static bool
status(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	const char *name = NULL;
	bool help;

	if (!no_flags(c, &lab_status_cmd, argc, argv, &name, &help, e))
		return false;
	return help || print_labs(c, name, e);
}

static bool
stats(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct stats_doc doc = { .schema = LAB_SCHEMA, .name = LAB_NAME };
	bool help;

	if (!no_flags(c, &lab_stats_cmd, argc, argv, &doc.name, &help, e) || help)
		return e->code == ERR_NONE;
	if (!lab_stats(c->arena, doc.name, doc.stats, e))
		return false;
	doc.warning = warning(c->arena, doc.name);
	if (c->json) {
		puts(record_to_json(c->arena, &stats_doc_record, &doc, true));
		return true;
	}
	printf("%-8s%12s%16s%12s%16s%10s%10s%10s%12s%8s\n", "", "segments in", "bytes in",
	    "out", "bytes out", "queue", "loss", "police", "waiting", "late");
	for (unsigned d = 0; d < 2; d++) {
		const struct lab_stats *s = &doc.stats[d];

		printf("%-8s%12.0f%16.0f%12.0f%16.0f%10.0f%10.0f%10.0f%12s%5.0f us\n",
		    d == 0 ? "a to b" : "b to a", s->segments_in, s->bytes_in, s->segments_out,
		    s->bytes_out, s->dropped_queue, s->dropped_loss, s->dropped_police,
		    units_say_bytes(c->arena, s->queue_bytes), s->lateness_us);
	}
	say_warning(doc.warning);
	return true;
}

static bool
exec_in(struct cmd_context *c, const char *name, char side, const char *const *argv, struct err *e)
{
	pid_t pid;
	int st;

	if (!lab_spawn(c->arena, name, side, argv, -1, &pid, e) ||
	    !lab_wait(c->arena, name, pid, &st, e))
		return false;
	/* As a shell says it. */
	c->status = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
	return true;
}

static bool
exec(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct opt opts[] = { { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false } };
	const char **words;
	size_t n, first;
	bool help;

	if (!cmd_options(c, &lab_exec_cmd, opts, argc, argv, true, &words, &n, &help, e))
		return false;
	if (help)
		return true;
	first = n > 2 && strcmp(words[2], "--") == 0 ? 3 : 2;
	if (n <= first)
		return fail(e, ERR_USAGE, "exec needs a name, a or b, and a command");
	if (strcmp(words[1], "a") != 0 && strcmp(words[1], "b") != 0)
		return fail(e, ERR_USAGE, "'%.60s': the side is a or b", words[1]);
	if (!lab_check_name(words[0], e))
		return false;
	*(const char **)arena_push(c->arena, &words, &n, sizeof(char *)) = NULL;
	return exec_in(c, words[0], words[1][0], words + first, e);
}

static const struct cmd lab_up_cmd = { "lab up", "[NAME] [--rate 300M] [--rtt 80ms] ..",
	"makes two network namespaces, a and b, with an emulated path between them", up };
static const struct cmd lab_down_cmd = { "lab down", "[NAME]",
	"ends a lab and removes what belongs to it", down };
static const struct cmd lab_status_cmd = { "lab status", "[NAME]", "says which labs there are",
	status };
static const struct cmd lab_stats_cmd = { "lab stats", "[NAME]",
	"counts what the path carried and dropped", stats };
static const struct cmd lab_exec_cmd = { "lab exec", "NAME a|b [--] COMMAND [ARGUMENTS]",
	"runs a command on side a or b; its exit status is ours", exec };

static bool
lab(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	static const struct cmd *const verbs[] = { &lab_up_cmd, &lab_down_cmd, &lab_status_cmd,
		&lab_stats_cmd, &lab_exec_cmd };

	if (argc < 2)
		return fail(e, ERR_USAGE,
		    "up, down, status, stats or exec? See pathtune lab --help");
	for (size_t i = 0; i < NELEM(verbs); i++)
		if (strcmp(argv[1], verbs[i]->name + strlen("lab ")) == 0)
			return verbs[i]->run(c, argc - 1, argv + 1, e);
	if (strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0)
		return fail(e, ERR_USAGE, "'%.60s' is none of up, down, status, stats, exec",
		    argv[1]);
	puts("usage: pathtune lab up|down|status|stats|exec ..\n");
	for (size_t i = 0; i < NELEM(verbs); i++)
		printf("  %-11s %s\n", verbs[i]->name, verbs[i]->summary);
	return true;
}

const struct cmd cmd_lab = { "lab", "up|down|status|stats|exec ..",
	"an emulated long path on this machine", lab };
