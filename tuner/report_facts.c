#include "report_facts.h"

#include "limiter.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define LABEL 12 /* columns of the left side */
#define SCP_MS 2.0 /* over less the ceiling is beyond what anybody has */

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
		text_add(&t, "%.0f CPU%s", f->cpus, f->cpus == 1 ? "" : "s");
	if (!isnan(f->ram_bytes))
		text_add(&t, "%s%s RAM", t.len == 0 ? "" : ", ", units_say_bytes(a, f->ram_bytes));
	if (f->hypervisor != NULL)
		text_add(&t, "%s%s%s", t.len == 0 ? "" : ", ",
		    strcmp(f->hypervisor, "none") == 0 ? "no hypervisor" : "hypervisor ",
		    strcmp(f->hypervisor, "none") == 0 ? "" : f->hypervisor);
	if (f->container != NULL && strcmp(f->container, "none") != 0)
		text_add(&t, "%sin a container: %s", t.len == 0 ? "" : ", ", f->container);
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
	if (f->nic_model != NULL)
		text_add(&t, ", model %s", f->nic_model);
	if (f->pci_vendor != NULL && f->pci_device != NULL)
		text_add(&t, ", PCI %s:%s", f->pci_vendor, f->pci_device);
	if (f->link != NULL || !isnan(f->link_bps))
		text_add(&t, ", link%s%s%s%s", f->link == NULL ? "" : " ",
		    f->link == NULL ? "" : f->link, isnan(f->link_bps) ? "" : " ",
		    isnan(f->link_bps) ? "" : units_say_rate(a, f->link_bps));
	if (!isnan(f->mtu))
		text_add(&t, ", MTU %.0f", f->mtu);
	if (f->qdisc != NULL)
		text_add(&t, ", qdisc %s", f->qdisc);
	return t.s;
}

/* What of the host's memory its network may take, and whether that was ever too little. */
static const char *
buffers(struct arena *a, const struct facts *f)
{
	struct text t = { .arena = a };

	if (!isnan(f->tcp_mem_pages) && !isnan(f->page_bytes))
		text_add(&t, "TCP under pressure from %s",
		    units_say_bytes(a, f->tcp_mem_pages * f->page_bytes));
	if (!isnan(f->mbuf_bytes))
		text_add(&t, "%s%s at most", t.len == 0 ? "" : ", ",
		    units_say_bytes(a, f->mbuf_bytes));
	if (!isnan(f->mbuf_denied))
		text_add(&t, "%s%.0f requests refused", t.len == 0 ? "" : ", ", f->mbuf_denied);
	return t.s;
}

/* Since boot and of all paths: a hint, not a measurement. */
static const char *
segments(struct arena *a, const struct facts *f)
{
	if (isnan(f->segments_sent) || isnan(f->segments_retransmitted))
		return NULL;
	return arena_printf(a, "%.0f sent, %.0f retransmitted since boot, on all paths",
	    f->segments_sent, f->segments_retransmitted);
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
			continue; /* among the unknown, or none of this kernel */
		line(t, i == 0 ? "knobs" : "", arena_printf(t->arena, "%-*s  %-*s  %s%s",
		    (int)name, k->name, (int)value, k->text, k->writable ? "can be set" :
		    k->why == NULL ? "cannot be set" : k->why, range(t->arena, k)));
	}
}

/* "; what a b c", where there are any. */
static void
list(struct text *s, const char *what, const char *const *v, size_t n)
{
	if (n != 0)
		text_add(s, "%s%s %s", s->len == 0 ? "" : "; ", what, words(s->arena, v, n));
}

static void
choices(struct text *t, const struct facts *f)
{
	struct text cc = { .arena = t->arena }, stack = { .arena = t->arena };

	if (f->cc != NULL)
		text_add(&cc, "%s", f->cc);
	list(&cc, "available", f->cc_available, f->n_cc_available);
	list(&cc, "allowed", f->cc_allowed, f->n_cc_allowed);
	list(&cc, "loadable", f->cc_loadable, f->n_cc_loadable);
	line(t, "congestion", cc.len == 0 ? f->cc_fixed : cc.s);
	if (f->stack != NULL)
		text_add(&stack, "%s", f->stack);
	list(&stack, "available", f->stacks_available, f->n_stacks_available);
	list(&stack, "loadable", f->stacks_loadable, f->n_stacks_loadable);
	line(t, "TCP stack", stack.s);
}

static void
sources(struct text *t, const struct facts *f)
{
	const struct source_line *l;
	size_t i;

	for (i = 0; i < f->n_sources; i++) {
		l = &f->sources[i];
		line(t, i == 0 ? "set at boot" : "", arena_printf(t->arena, "%s = %s  %s:%.0f",
		    l->name, l->value == NULL ? "?" : l->value, l->file, l->line));
	}
}

/* What other traffic than one connection got. */
static const char *
other(struct arena *a, const struct facts *f, enum direction d)
{
	const struct path_fact *p = facts_path(f, d);
	struct text t = { .arena = a };

	if (p == NULL)
		return NULL;
	if (!isnan(p->udp_bps))
		text_add(&t, "UDP %s of %s sent (%s lost)", units_say_rate(a, p->udp_bps),
		    units_say_rate(a, p->udp_sent_bps), units_say_percent(a, p->udp_loss, 1));
	if (!isnan(p->udp_burst_bps))
		text_add(&t, "%sin bursts %s", t.len == 0 ? "UDP " : ", ",
		    units_say_rate(a, p->udp_burst_bps));
	if (!isnan(p->streams_bps))
		text_add(&t, "%s%.0f connections %s", t.len == 0 ? "" : "; ", p->streams,
		    units_say_rate(a, p->streams_bps));
	return t.s;
}

static void
path(struct text *t, const struct facts *f)
{
	struct arena *a = t->arena;

	if (f->peer == NULL)
		return;
	line(t, "peer", f->tool == NULL ? f->peer :
	    arena_printf(a, "%s, by %s", f->peer, f->tool));
	if (!isnan(f->rtt_ms))
		line(t, "RTT", units_say_time(a, f->rtt_ms / 1e3));
	if (!isnan(f->send_bps))
		line(t, "sending", units_say_rate(a, f->send_bps));
	line(t, "", other(a, f, DIR_SEND));
	if (!isnan(f->receive_bps))
		line(t, "receiving", units_say_rate(a, f->receive_bps));
	line(t, "", other(a, f, DIR_RECEIVE));
	if (f->rtt_ms >= SCP_MS)
		line(t, "scp, sftp", arena_printf(a, "at most %s over this RTT: OpenSSH has no "
		    "more than 2 MiB on its way", units_say_rate(a, limiter_scp_bps(f->rtt_ms))));
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
	line(&t, "buffers", buffers(a, f));
	line(&t, "firewall", f->firewall);
	knobs(&t, f);
	sources(&t, f);
	choices(&t, f);
	line(&t, "segments", segments(a, f));
	path(&t, f);
	for (i = 0; i < f->n_unknown; i++)
		line(&t, i == 0 ? "not known" : "", arena_printf(a, "%s: %s", f->unknown[i].fact,
		    f->unknown[i].why == NULL ? "no reason given" : f->unknown[i].why));
	return t.len == 0 ? arena_strdup(a, "nothing is known\n") : t.s;
}
