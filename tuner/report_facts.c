#include "report_facts.h"

#include "units.h"

#include <math.h>
#include <string.h>

#define LABEL 12 /* columns of the left side */

static void
line(struct text *t, const char *label, const char *value)
{
	if (value != NULL && *value != '\0')
		text_add(t, "%-*s %s\n", LABEL, label, value);
}

/* The words that are known, with one blank between them. */
static const char *
words(struct arena *a, const char *const *v, size_t n)
{
	struct text t = { .arena = a };
	size_t i;

	for (i = 0; i < n; i++) {
		if (v[i] != NULL)
			text_add(&t, "%s%s", t.len == 0 ? "" : " ", v[i]);
	}
	return t.s;
}

static const char *
machine(struct arena *a, const struct facts *f)
{
	struct text t = { .arena = a };

	if (!isnan(f->cpus))
		text_add(&t, "%.0f CPU%s, ", f->cpus, f->cpus == 1 ? "" : "s");
	if (!isnan(f->ram_bytes))
		text_add(&t, "%s RAM, ", units_say_bytes(a, f->ram_bytes));
	if (f->hypervisor != NULL)
		text_add(&t, "%s%s", strcmp(f->hypervisor, "none") == 0 ? "no hypervisor" :
		    "hypervisor ", strcmp(f->hypervisor, "none") == 0 ? "" : f->hypervisor);
	return t.s;
}

static const char *
interface(struct arena *a, const struct facts *f)
{
	struct text t = { .arena = a };

	if (f->interface == NULL)
		return NULL;
	text_add(&t, "%s", f->interface);
	if (f->driver != NULL)
		text_add(&t, ", driver %s", f->driver);
	if (f->pci_vendor != NULL && f->pci_device != NULL)
		text_add(&t, ", PCI %s:%s", f->pci_vendor, f->pci_device);
	if (!isnan(f->link_bps))
		text_add(&t, ", link %s", units_say_rate(a, f->link_bps));
	if (!isnan(f->mtu))
		text_add(&t, ", MTU %.0f", f->mtu);
	return t.s;
}

static void
offloads(struct text *t, const struct facts *f)
{
	const struct offload *o;
	size_t i;

	for (i = 0; i < f->n_offloads; i++) {
		o = &f->offloads[i];
		line(t, i == 0 ? "offloads" : "", arena_printf(t->arena, "%-30s %s%s", o->name,
		    o->state, o->fixed ? ", fixed" : ""));
	}
}

static const char *
range(struct arena *a, const struct knob_fact *k)
{
	if (isnan(k->min) || isnan(k->max))
		return "";
	return arena_printf(a, " (%.0f to %.0f)", k->min, k->max);
}

static void
knobs(struct text *t, const struct facts *f)
{
	const struct knob_fact *k;
	size_t i, name = 0, value = 0;

	for (i = 0; i < f->n_knobs; i++) {
		k = &f->knobs[i];
		name = strlen(k->name) > name ? strlen(k->name) : name;
		value = k->text != NULL && strlen(k->text) > value ? strlen(k->text) : value;
	}
	for (i = 0; i < f->n_knobs; i++) {
		k = &f->knobs[i];
		if (k->text == NULL)
			continue; /* among the unknown */
		line(t, i == 0 ? "knobs" : "", arena_printf(t->arena, "%-*s  %-*s  %s%s",
		    (int)name, k->name, (int)value, k->text, k->writable ? "can be set" :
		    k->why == NULL ? "cannot be set" : k->why, range(t->arena, k)));
	}
}

static void
congestion(struct text *t, const struct facts *f)
{
	struct arena *a = t->arena;
	struct text s = { .arena = a };

	if (f->cc == NULL)
		return;
	text_add(&s, "%s", f->cc);
	if (f->n_cc_available != 0)
		text_add(&s, "; available %s", words(a, f->cc_available, f->n_cc_available));
	if (f->n_cc_allowed != 0)
		text_add(&s, "; allowed %s", words(a, f->cc_allowed, f->n_cc_allowed));
	if (f->n_cc_loadable != 0)
		text_add(&s, "; loadable %s", words(a, f->cc_loadable, f->n_cc_loadable));
	line(t, "congestion", s.s);
}

static void
path(struct text *t, const struct facts *f)
{
	struct arena *a = t->arena;

	if (f->peer == NULL)
		return;
	line(t, "peer", f->peer);
	if (!isnan(f->rtt_ms))
		line(t, "RTT", units_say_time(a, f->rtt_ms / 1e3));
	if (!isnan(f->send_bps))
		line(t, "sending", units_say_rate(a, f->send_bps));
	if (!isnan(f->receive_bps))
		line(t, "receiving", units_say_rate(a, f->receive_bps));
}

char *
report_facts(struct arena *a, const struct facts *f)
{
	const char *const system[] = { f->os, f->release, f->arch };
	struct text t = { .arena = a };
	size_t i;

	line(&t, "system", words(a, system, NELEM(system)));
	line(&t, "machine", machine(a, f));
	line(&t, "interface", interface(a, f));
	offloads(&t, f);
	knobs(&t, f);
	congestion(&t, f);
	path(&t, f);
	for (i = 0; i < f->n_unknown; i++)
		line(&t, i == 0 ? "not known" : "", arena_printf(a, "%s: %s", f->unknown[i].fact,
		    f->unknown[i].why == NULL ? "no reason given" : f->unknown[i].why));
	return t.len == 0 ? arena_strdup(a, "nothing is known\n") : t.s;
}
