#include "nic_advice.h"

#include <math.h>
#include <string.h>

struct advising {
	struct arena *arena;
	const struct profile *profile;
	const struct hypervisors *hypervisors;
	const struct run *run;
	const struct nic_driver *from, *to;
};

static bool
is_paravirtual(const struct advising *x, const char *model)
{
	const struct nic_kind *k = hypervisors_model(x->hypervisors, model);

	return k != NULL && k->paravirtual;
}

/* ---- may anything be changed here? ---------------------------------------------------------- */

/* The cloud that this is, or NULL. */
static const struct hypervisor *
cloud_of(const struct advising *x)
{
	for (size_t i = 0; i < x->hypervisors->n_hypervisors; i++) {
		const struct hypervisor *h = &x->hypervisors->hypervisors[i];

		if (h->instead != NULL && hypervisor_fits(h, &x->run->facts))
			return h;
	}
	return NULL;
}

/* The first model of the other kind that this system knows and the hypervisor has. */
static const struct nic_driver *
other_model(const struct advising *x)
{
	bool paravirtual = is_paravirtual(x, x->from->model);

	for (size_t i = 0; i < x->hypervisors->n_models; i++) {
		const struct nic_kind *k = &x->hypervisors->models[i];
		const struct nic_driver *d = nic_driver_for(x->profile, k->id);

		if (k->paravirtual != paravirtual && d != NULL &&
		    nic_can_change(x->hypervisors, &x->run->facts, x->from->model, k->id))
			return d;
	}
	return NULL;
}

/* Why nothing can be advised: its id and words; id NULL: something can. */
static const char *
impossible(const struct advising *x, const char **words)
{
	const struct facts *f = &x->run->facts;
	const struct hypervisor *cloud = cloud_of(x);
	bool inside = f->container != NULL && strcmp(f->container, "none") != 0;

	*words = NULL;
	if (f->interface == NULL || f->driver == NULL || f->hypervisor == NULL) {
		*words = "Interface, driver or hypervisor are not known.";
		return "nic-unknown";
	}
	if (inside) {
		*words = "This is a container: its NIC is the host's affair.";
		return "nic-container";
	}
	if (strcmp(f->hypervisor, "none") == 0) {
		*words = "This is no virtual machine: the NIC is a real one.";
		return "nic-real";
	}
	if (cloud != NULL) {
		*words = arena_printf(x->arena, "The model of the NIC cannot be changed on %s. %s",
		    cloud->name, cloud->instead);
		return "nic-cloud";
	}
	if (x->from == NULL) {
		*words = arena_printf(x->arena, "%s is no model of NIC that is known here.",
		    f->driver);
		return "nic-unknown";
	}
	if (x->to == NULL) {
		*words = arena_printf(x->arena, "No other model of NIC is known for %s below the "
		    "hypervisor %s.", x->profile->sysname, f->hypervisor);
		return "nic-no-choice";
	}
	return NULL;
}

/* ---- what was measured ---------------------------------------------------------------------- */

/* The direction that says most: one that blames the NIC, else one that is in doubt. */
static enum nic_verdict
weigh(const struct advising *x, const char **reason, const char **words)
{
	const struct decision *d = &x->run->decision;
	bool emulated = !is_paravirtual(x, x->from->model);
	enum nic_verdict said = NIC_NONE;

	for (size_t i = 0; i < d->n_directions; i++) {
		const char *id, *why;
		enum nic_verdict v = nic_evidence(x->arena, x->run, &d->directions[i], emulated,
		    &id, &why);

		if (v <= said)
			continue;
		said = v;
		*reason = id;
		*words = d->n_directions == 1 ? why : arena_printf(x->arena, "%s: %s",
		    d->directions[i].direction == DIR_SEND ? "Sending" : "Receiving", why);
	}
	return said;
}

/* Facts alone: an experiment is worth offering unless this way serves the system best. */
static enum nic_verdict
offer(const struct advising *x, const char **reason, const char **words)
{
	*reason = "nic-no-evidence";
	if (x->from->fast) {
		*words = arena_printf(x->arena, "Nothing was measured that speaks against %s, "
		    "which is how %s is served best.", x->from->driver, x->profile->sysname);
		return NIC_KEEP;
	}
	*words = "Nothing was measured that would tell whether the NIC is the limit.";
	return NIC_TRY;
}

static bool
settle_asked(struct advising *x, struct err *e)
{
	const char *model = x->run->options.nic;

	x->to = nic_driver_for(x->profile, model);
	if (hypervisors_model(x->hypervisors, model) == NULL || x->to == NULL)
		return fail(e, ERR_USAGE, "--nic: '%.40s' is no model that %s has a driver for",
		    model, x->profile->sysname);
	if (x->from != NULL && strcmp(x->from->model, model) == 0)
		return fail(e, ERR_USAGE, "--nic: the NIC is %s already", model);
	if (x->from != NULL && x->run->facts.hypervisor != NULL && cloud_of(x) == NULL &&
	    !nic_can_change(x->hypervisors, &x->run->facts, x->from->model, model))
		return fail(e, ERR_USAGE, "--nic: no way is known from %s to %s below the "
		    "hypervisor '%.40s'", x->from->model, model, x->run->facts.hypervisor);
	return true;
}

static void
keep(struct nic_advice *out, const char *reason, const char *words)
{
	out->verdict = NIC_KEEP;
	out->reason = reason;
	out->words = words;
}

bool
nic_advise(struct arena *a, const struct profile *p, const struct hypervisors *h,
    const struct run *run, struct nic_advice *out, struct err *e)
{
	struct advising x = { a, p, h, run, nic_present(p, &run->facts), NULL };
	const char *why, *words;

	*out = (struct nic_advice){ .asked = run->options.nic != NULL };
	if (out->asked && !settle_asked(&x, e))
		return false;
	if (x.to == NULL && x.from != NULL)
		x.to = other_model(&x);
	why = impossible(&x, &words);
	if (why != NULL) {
		keep(out, why, words);
		return true;
	}
	out->verdict = run->n_trials != 0 && run->decision.n_directions != 0 ?
	    weigh(&x, &out->reason, &out->words) : offer(&x, &out->reason, &out->words);
	if (out->asked && out->verdict == NIC_KEEP)
		out->verdict = NIC_TRY;
	if (out->verdict != NIC_KEEP &&
	    !nic_plan_make(a, p, h, run, x.from, x.to, &out->plan))
		keep(out, "nic-unknown", "The interface has a name that could mean something else "
		    "to a shell.");
	return true;
}

bool
nic_advise_run(struct arena *a, const struct profile *p, struct run *run, struct err *e)
{
	struct hypervisors all;

	return hypervisors_embedded(a, &all, e) && nic_advise(a, p, &all, run, &run->nic, e);
}
