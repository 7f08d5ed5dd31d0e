#include "facts.h"

#include "../tuner/nics.h"
#include "facts_answer.h"
#include "facts_ask.h"

#include <string.h>

/* argv of the offloads, and their patterns as far as they can be made; argv NULL: not yet. */
static const char **
expand_offloads(struct probe *p, struct offload_source *out)
{
	const struct offload_source *s = &p->profile->offloads;
	struct substitution known[FACTS_KNOWN];

	facts_known(p, known);
	*out = *s;
	if (s->names != NULL)
		out->names = profile_pattern(p->arena, s->names, known);
	if (s->able != NULL)
		out->able = profile_pattern(p->arena, s->able, known);
	return s->n_argv == 0 ? NULL : profile_argv(p->arena, s->argv, s->n_argv, known);
}

void
facts_ask_offloads(struct probe *p)
{
	struct offload_source expanded;

	facts_ask(p, expand_offloads(p, &expanded), NULL);
}

void
facts_take_offloads(struct probe *p)
{
	const struct offload_source *s = &p->profile->offloads;
	struct offload_source expanded;
	const struct output *o = facts_said(p, expand_offloads(p, &expanded), NULL);

	if (s->n_list == 0)
		return;
	if (o == NULL || (s->names != NULL && expanded.names == NULL) ||
	    (s->able != NULL && expanded.able == NULL))
		facts_unknown(p->arena, p->facts, "offloads", "interface is not known");
	else
		answer_offloads(p->arena, &expanded, o, p->facts);
}

/* A list that is the same on every system; what the host calls it counts where that is silent. */
static void
name_nic(struct probe *p)
{
	struct facts *f = p->facts;
	struct unknown *u = f->unknown;
	const char *name = nics_name(p->arena, f->pci_vendor, f->pci_device);
	size_t i, n = 0;

	if (name == NULL)
		return;
	f->nic_model = name;
	for (i = 0; i < f->n_unknown; i++) {
		if (strcmp(u[i].fact, "nic_model") != 0)
			u[n++] = u[i];
	}
	f->n_unknown = n;
}

static void
ask_all(struct probe *p)
{
	facts_ask_offloads(p);
	facts_ask_knobs(p);
	facts_ask_choices(p);
	facts_ask_sources(p);
	facts_ask_names(p);
}

bool
facts_peer_plain(const char *peer)
{
	return facts_usable(peer) != NULL;
}

bool
facts_probe(struct host *h, struct arena *a, const struct profile *profile,
    const char *peer, bool ping, struct facts *out, struct err *e)
{
	struct facts found;
	struct probe p = { .host = h, .arena = a, .profile = profile, .peer = peer,
		.ping = ping && peer != NULL, .ahead = !host_is_here(h), .facts = &found, .e = e };
	bool any;

	record_init(&facts_record, &found);
	found.peer = arena_strdup(a, peer);
	if (p.ahead) {
		facts_ask_ahead(&p);
		ask_all(&p);
	}
	if (!facts_ask_rules(&p))
		return false;
	ask_all(&p);
	if (!facts_ask_run(&p, &any))
		return false;
	name_nic(&p);
	facts_take_offloads(&p);
	facts_take_knobs(&p);
	facts_take_sources(&p);
	facts_take_names(&p);
	if (!facts_take_choices(&p))
		return false;
	*out = found;
	return true;
}
