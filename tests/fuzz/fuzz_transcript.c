/*
 * A recording of a host, and all that probe and advise make of it.
 */
#include "systems.h"

#include "probes/facts.h"
#include "probes/transcript.h"
#include "tuner/advise.h"
#include "tuner/fragment.h"
#include "tuner/hazards.h"
#include "tuner/report_advice.h"
#include "tuner/report_facts.h"
#include "tuner/report_hazards.h"

#include <math.h>

/* ---- the recording itself -------------------------------------------------------------------- */

static void
promise_same(const struct transcript *x, const struct transcript *y)
{
	promise(x->n_entries == y->n_entries, "as many answers when read again", NULL);
	for (size_t i = 0; i < x->n_entries; i++) {
		const struct output *ox = &x->entries[i].answer, *oy = &y->entries[i].answer;

		promise(ox->status == oy->status && ox->len == oy->len &&
		    memcmp(ox->text, oy->text, ox->len) == 0, "the same answer when read again",
		    ox->text);
		promise(strlen(ox->text) == ox->len, "an answer without NUL", ox->text);
		promise((ox->status == 0) == (ox->why == NULL), "a reason exactly when it failed",
		    ox->text);
	}
}

static void
promise_written(struct arena *a, const struct transcript *t)
{
	struct err e = { ERR_NONE, "" };
	char *text = transcript_text(a, t);
	struct transcript again;

	promise(transcript_parse(a, "f", text, strlen(text), &again, &e), "read again", e.text);
	promise_same(t, &again);
	promise(strcmp(text, transcript_text(a, &again)) == 0, "the same when written again", text);
}

static char *
first_line(struct arena *a, const struct transcript *t, const char *const *argv)
{
	struct command c = { .argv = argv };
	const struct transcript_entry *x = transcript_find(t, &c);

	return x == NULL || x->answer.status != 0 ? NULL :
	    arena_strndup(a, x->answer.text, strcspn(x->answer.text, "\r\n"));
}

/*
 * Last, because it changes the recording in place.  Two spellings of one address are the same
 * question afterwards, which is refused.
 */
static void
redact(struct arena *a, struct transcript *t)
{
	static const char *const name[] = { "uname", "-n", NULL };
	const char *hostname = first_line(a, t, name);
	struct err e = { ERR_NONE, "" };
	struct transcript again;
	char *text;

	transcript_redact(a, t,
	    &(struct host_names){ { hostname == NULL ? "gate.example.com" : hostname }, NULL });
	text = transcript_text(a, t);
	if (transcript_parse(a, "f", text, strlen(text), &again, &e))
		promise_same(t, &again);
	else
		promise(strstr(e.text, "the same question") != NULL, "redacted and read", e.text);
}

/* ---- what is made of it ---------------------------------------------------------------------- */

static void
promise_field(const struct field *field, const struct facts *f)
{
	const char *member = (const char *)f + field->offset, *s;
	double x;

	if (field->type == FIELD_NUMBER) {
		memcpy(&x, member, sizeof(x));
		promise(isnan(x) || (x >= field->min && x <= field->max), "a fact in its range",
		    field->name);
	} else if (field->type == FIELD_STRING) {
		memcpy(&s, member, sizeof(s));
		promise(s == NULL || (*s != '\0' && is_shown(s)), "a fact that can be shown",
		    field->name);
	}
}

static void
promise_facts(const struct facts *f)
{
	for (const struct field *field = facts_record.fields; field->name != NULL; field++)
		promise_field(field, f);
	for (size_t i = 0; i < f->n_knobs; i++)
		promise(f->knobs[i].text != NULL ? is_shown(f->knobs[i].text) :
		    isnan(f->knobs[i].now) && f->knobs[i].why != NULL,
		    "a value that can be shown, or a reason", f->knobs[i].name);
	for (size_t i = 0; i < f->n_unknown; i++)
		promise(f->unknown[i].why != NULL, "unknown for a reason", f->unknown[i].fact);
	for (size_t i = 0; i < f->n_sources; i++)
		promise(is_shown(f->sources[i].file) && is_shown(f->sources[i].value),
		    "a source that can be shown", f->sources[i].name);
}

/* The tuned field of a value, NAN for none. */
static double
field_of(const struct knob *k, const char *value)
{
	for (double at = 1; at < k->field; at++) {
		value += strcspn(value, " ");
		value += strspn(value, " ");
	}
	return *value == '\0' ? NAN : strtod(value, NULL);
}

static void
promise_line(const struct profile *p, const struct facts *f, const struct change_line *l)
{
	const struct knob_fact *fact = facts_knob(f, l->name);
	const struct knob *k = NULL;
	double value;

	for (size_t i = 0; i < p->n_knobs; i++) {
		if (strcmp(p->knobs[i].name, l->name) == 0 &&
		    profile_in_range(&p->knobs[i].range, f->release, f->arch))
			k = &p->knobs[i];
	}
	promise(k != NULL, "a knob of this release", l->name);
	value = field_of(k, l->new);
	promise(value >= k->min && value <= k->max, "a legal value", l->name);
	if (strcmp(k->unit, "bytes") == 0 && fact != NULL && fact->now <= k->max)
		promise(value >= fact->now, "nothing is lowered", l->name);
}

/* The settings of the decision stand in the file, in order; what the file set before is kept. */
static void
promise_file(struct arena *a, const struct profile *p, const struct decision *d,
    const struct file_text *file)
{
	size_t n, found = 0;
	const struct fragment_setting *read = fragment_read(a, &p->persist.settings, file->text,
	    strlen(file->text), &n);

	for (size_t i = 0; i < n && found < d->n_settings; i++) {
		if (strcmp(read[i].name, d->settings[found].name) != 0)
			continue;
		promise(strcmp(read[i].value, d->settings[found].new) == 0, "the same value",
		    read[i].name);
		found++;
	}
	promise(found == d->n_settings, "all settings in the file", file->text);
}

static void
promise_files(struct arena *a, const struct profile *p, const struct run *run)
{
	const struct decision *d = &run->decision;
	size_t n_settings = 0;

	for (size_t i = 0; i < run->n_files; i++) {
		if (strcmp(run->files[i].path, p->persist.settings.path) != 0)
			continue;
		promise_file(a, p, d, &run->files[i]);
		n_settings++;
	}
	promise(n_settings == (d->n_settings == 0 ? 0 : 1), "one file for the settings", NULL);
}

static void
promise_saved(struct arena *a, const struct run *run)
{
	struct err e = { ERR_NONE, "" };
	char *text = record_to_json(a, &run_record, run, false);
	struct run again;
	struct node *n;

	record_init(&run_record, &again);
	promise(node_from_json(a, "f", text, strlen(text), &n, &e) &&
	    record_from_node(a, "f", &run_record, n, &again, &e), "the run read again", e.text);
	promise(strcmp(text, record_to_json(a, &run_record, &again, false)) == 0,
	    "the same run when written again", text);
}

/* Nothing in a report commands a terminal. */
static void
promise_report(const char *report)
{
	for (const char *s = report; *s != '\0'; s++)
		promise((unsigned char)*s >= ' ' || *s == '\n' || *s == '\t', "a report of words",
		    report);
}

static void
advise(struct arena *a, const struct profile *p, struct run *run, size_t size)
{
	/* The published path, and one that no knob is enough for. */
	static struct advice_path paths[] = { { 209, 600e6 }, { 600, 400e9 } };
	struct err e = { ERR_NONE, "" };
	bool ok;

	run->options.direction = DIR_BOTH;
	run->options.paths = &paths[size % NELEM(paths)];
	run->options.n_paths = 1;
	run->options.connections = (double)(1 + size % 64);
	ok = advise_make(a, p, run, &e);
	promise_reason(ok, &e);
	if (!ok)
		return;
	for (size_t i = 0; i < run->decision.n_settings; i++)
		promise_line(p, &run->facts, &run->decision.settings[i]);
	fragment_make(a, p, run);
	promise_files(a, p, run);
	promise_report(report_advice(a, run, false));
}

/* As pipeline_probe() does with a recording. */
static void
probe(struct arena *a, const struct profile *p, const struct transcript *t, size_t size)
{
	struct run *run = arena_alloc(a, sizeof(*run));
	struct host *h = host_replay(a, t);
	struct err e = { ERR_NONE, "" };

	record_init(&run_record, run);
	run->schema = RUN_SCHEMA;
	promise(facts_probe(h, a, p, t->path.peer, size % 4 < 2, &run->facts, &e), "facts",
	    e.text);
	host_close(h);
	run->facts.rtt_ms = t->path.rtt_ms;
	run->facts.send_bps = t->path.send_bps;
	run->facts.receive_bps = t->path.receive_bps;
	promise_facts(&run->facts);
	hazards_find(a, p, &run->facts, &run->hazards, &run->n_hazards);
	promise_report(report_facts(a, &run->facts));
	promise_report(report_hazards(a, run->hazards, run->n_hazards));
	advise(a, p, run, size);
	promise_saved(a, run);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const uname[] = { "uname", "-s", NULL };
	struct arena *a = arena_new();
	struct err e = { ERR_NONE, "" };
	const struct profile *p;
	const char *sysname;
	struct transcript t;
	bool ok = transcript_parse(a, "f", (const char *)data, size, &t, &e);

	promise_reason(ok, &e);
	promise(ok || strncmp(e.text, "f:", 2) == 0, "the file is named", e.text);
	if (ok) {
		promise_written(a, &t);
		sysname = first_line(a, &t, uname);
		for (size_t i = 0; sysname != NULL && (p = system_at(i)) != NULL; i++) {
			if (strcmp(p->sysname, sysname) == 0)
				probe(a, p, &t, size);
		}
		redact(a, &t);
	}
	arena_free(a);
	return 0;
}
