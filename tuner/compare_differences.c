#include "compare_differences.h"

#include "units.h"

#include <math.h>
#include <string.h>

#define RTT_SHARE .1 /* by which the idle RTT of the same path may differ .. */
#define RTT_MS 2.    /* .. or by this */
#define RAM_SHARE .05

static const char *
known(const char *s)
{
	return s == NULL ? "unknown" : s;
}

bool
compare_may(const struct run *before, const struct run *after, struct err *e)
{
	const struct facts *b = &before->facts, *f = &after->facts;

	if (strings_same(before->started, after->started) &&
	    strings_same(before->seed, after->seed) && before->n_trials == after->n_trials)
		return fail(e, ERR_USAGE, "this is the same run twice");
	if (before->options.try_file != NULL || after->options.try_file != NULL)
		return fail(e, ERR_USAGE, "a run of tune --try compares settings itself");
	if (!strings_same(before->options.peer, after->options.peer))
		return fail(e, ERR_USAGE, "the peers differ: '%.60s' and '%.60s'",
		    known(before->options.peer), known(after->options.peer));
	if (!strings_same(b->os, f->os))
		return fail(e, ERR_USAGE, "the systems differ: %.40s and %.40s", known(b->os),
		    known(f->os));
	if (before->options.streams != after->options.streams)
		return fail(e, ERR_USAGE, "the numbers of connections differ: %.0f and %.0f",
		    before->options.streams, after->options.streams);
	return true;
}

struct listing {
	struct arena *arena;
	struct comparison *out;
};

static void
add(struct listing *l, const char *words)
{
	*(const char **)arena_push(l->arena, &l->out->differences, &l->out->n_differences,
	    sizeof(words)) = words;
}

static void
text(struct listing *l, const char *what, const char *was, const char *is)
{
	if (!strings_same(was, is))
		add(l, arena_printf(l->arena, "%s: %.80s, then %.80s", what, known(was),
		    known(is)));
}

static void
knobs(struct listing *l, const struct facts *b, const struct facts *f)
{
	for (size_t i = 0; i < b->n_knobs; i++) {
		const struct knob_fact *k = facts_knob(f, b->knobs[i].name);

		if (k != NULL)
			text(l, k->name, b->knobs[i].text, k->text);
	}
}

static void
offloads(struct listing *l, const struct facts *b, const struct facts *f)
{
	for (size_t i = 0; i < b->n_offloads; i++) {
		for (size_t j = 0; j < f->n_offloads; j++) {
			if (strcmp(b->offloads[i].name, f->offloads[j].name) == 0)
				text(l, arena_printf(l->arena, "offload %s", b->offloads[i].name),
				    b->offloads[i].state, f->offloads[j].state);
		}
	}
}

void
compare_differences(struct arena *a, const struct run *before, const struct run *after,
    struct comparison *out)
{
	const struct facts *b = &before->facts, *f = &after->facts;
	struct listing l = { a, out };
	double rtt = fabs(b->rtt_ms - f->rtt_ms);

	text(&l, "NIC", b->nic_model == NULL ? b->driver : b->nic_model,
	    f->nic_model == NULL ? f->driver : f->nic_model);
	text(&l, "interface", b->interface, f->interface);
	if (b->mac != NULL && f->mac != NULL && strcmp(b->mac, f->mac) != 0)
		add(&l, "the MAC is another: another machine, or it was not kept");
	text(&l, "release", b->release, f->release);
	text(&l, "hypervisor", b->hypervisor, f->hypervisor);
	text(&l, "congestion control", b->cc, f->cc);
	if (b->cpus != f->cpus && !isnan(b->cpus) && !isnan(f->cpus))
		add(&l, arena_printf(a, "CPUs: %.0f, then %.0f", b->cpus, f->cpus));
	if (fabs(b->ram_bytes - f->ram_bytes) > RAM_SHARE * b->ram_bytes)
		add(&l, arena_printf(a, "RAM: %s, then %s", units_say_bytes(a, b->ram_bytes),
		    units_say_bytes(a, f->ram_bytes)));
	if (rtt > RTT_MS && rtt > RTT_SHARE * b->rtt_ms)
		add(&l, arena_printf(a, "idle RTT: %.1f ms, then %.1f ms: the path may be another",
		    b->rtt_ms, f->rtt_ms));
	knobs(&l, b, f);
	offloads(&l, b, f);
}
