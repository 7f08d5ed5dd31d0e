#include "nic_plan.h"

#include "nic_plan_state.h"

#include "match.h"
#include "profile.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BEFORE_FILE "nic-before.json"
#define AFTER_FILE "nic-after.json"

/* ---- what is there -------------------------------------------------------------------------- */

/* "e1000 (82540EM)" is e1000, and "e1000e (82574L)" is not. */
static bool
is_model(const char *name, const char *id)
{
	size_t n = strlen(id);

	return name != NULL && strncmp(name, id, n) == 0 && !isalnum((unsigned char)name[n]);
}

const struct nic_driver *
nic_present(const struct profile *p, const struct facts *f)
{
	const struct nic_driver *found = NULL;

	for (size_t i = 0; f->driver != NULL && i < p->nic.n_drivers; i++) {
		const struct nic_driver *d = &p->nic.drivers[i];

		if (strcmp(d->driver, f->driver) != 0)
			continue;
		if (is_model(f->nic_model, d->model))
			return d;
		found = found == NULL ? d : found;
	}
	return found;
}

const struct nic_driver *
nic_driver_for(const struct profile *p, const char *model)
{
	for (size_t i = 0; i < p->nic.n_drivers; i++) {
		if (strcmp(p->nic.drivers[i].model, model) == 0)
			return &p->nic.drivers[i];
	}
	return NULL;
}

static bool
can_change(const struct hypervisor *h, const struct facts *f, const char *from, const char *to)
{
	return h->n_steps != 0 && hypervisor_fits(h, f) && hypervisor_offers(h, from) != NULL &&
	    hypervisor_offers(h, to) != NULL;
}

bool
nic_can_change(const struct hypervisors *h, const struct facts *f, const char *from, const char *to)
{
	for (size_t i = 0; i < h->n_hypervisors; i++) {
		if (can_change(&h->hypervisors[i], f, from, to))
			return true;
	}
	return false;
}

/* Goes into expressions of sed(1) and into file names. */
static bool
is_plain(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_.-";

	return name != NULL && isalnum((unsigned char)*name) &&
	    name[strspn(name, plain)] == '\0' && strlen(name) < 32;
}

/* ---- actions -------------------------------------------------------------------------------- */

struct nic_action *
plan_push(struct making *m, struct nic_action **list, size_t *n, const char *words)
{
	struct nic_action *x = arena_push(m->arena, list, n, sizeof(*x));

	x->words = words;
	return x;
}

size_t
plan_argv_length(const char **argv)
{
	size_t n = 0;

	while (argv != NULL && argv[n] != NULL)
		n++;
	return n;
}

void
plan_command(struct making *m, struct nic_action **list, size_t *n, const char **argv,
    const char *words)
{
	struct nic_action *x = plan_push(m, list, n, words);

	x->argv = argv;
	x->n_argv = plan_argv_length(argv);
}

void
plan_note(struct making *m, const char *words)
{
	*(const char **)arena_push(m->arena, &m->plan->notes, &m->plan->n_notes,
	    sizeof(words)) = words;
}

/* ---- the interface's names ------------------------------------------------------------------ */

bool
plan_has_number(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 && isdigit((unsigned char)name[n]);
}

/* A driver counts its interfaces in the order of their addresses: with others it is not known. */
static void
name_interface(struct making *m)
{
	const struct facts *f = &m->run->facts;
	const char *prefix = m->to->interface;
	size_t others = 0;

	m->plan->old_name = f->interface;
	if (prefix == NULL || strcmp(prefix, m->from->interface) == 0) {
		m->plan->new_name = f->interface;
		return;
	}
	for (size_t i = 0; i < f->n_interfaces; i++)
		others += plan_has_number(f->interfaces[i], prefix);
	m->plan->new_name = arena_printf(m->arena, "%s%zu", prefix, others);
	if (others != 0)
		plan_note(m, arena_printf(m->arena,
		    "There are %zu interfaces of %s already. The driver counts them in the order "
		    "of their PCI addresses: the new one is one of %s0 to %s%zu, and the others "
		    "may move. Prepare all of them, or work on the "
		    "console.", others, prefix, prefix, prefix, others));
}

/* ---- the hypervisor ------------------------------------------------------------------------- */

/* "0x12", and "18" as *number; words in capitals where it is not known. */
static const char *
slot(struct making *m, const char **number)
{
	const struct nic_system *s = &m->profile->nic;
	const char *bus = m->run->facts.bus;
	const char *digits = bus == NULL || s->slot == NULL ? NULL :
	    match_first(m->arena, s->slot, bus, strlen(bus));
	char *end;
	unsigned long n;

	*number = "SLOT";
	if (digits == NULL)
		return "SLOT";
	n = strtoul(digits, &end, s->slot_base == 16 ? 16 : 10);
	if (*end != '\0' || n > 31)
		return "SLOT";
	*number = arena_printf(m->arena, "%lu", n);
	return arena_printf(m->arena, "0x%lx", n);
}

static bool
is_mac(const char *s)
{
	return s != NULL && strlen(s) == 17 && s[strspn(s, "0123456789abcdefABCDEF:")] == '\0';
}

static void
add_steps(struct making *m, const struct hypervisor *h, const char *model,
    struct nic_action **list, size_t *n)
{
	const char *number, *address = slot(m, &number);
	const struct substitution s[] = { { "vm", "VM" }, { "rest", "REST" },
		{ "mac", is_mac(m->run->facts.mac) ? m->run->facts.mac : "MAC" },
		{ "model", hypervisor_offers(h, model) }, { "slot", address },
		{ "slot_number", number }, { NULL, NULL } };

	for (size_t i = 0; i < h->n_steps; i++) {
		const struct nic_step *step = &h->steps[i];
		struct nic_action *x = plan_push(m, list, n,
		    step->words == NULL ? NULL : profile_expand(m->arena, step->words, s));

		x->argv = step->n_argv == 0 ? NULL :
		    profile_argv(m->arena, step->argv, step->n_argv, s);
		x->n_argv = step->n_argv;
		x->file = step->file;
		x->line = step->line == NULL ? NULL : profile_expand(m->arena, step->line, s);
	}
}

static void
add_ways(struct making *m)
{
	struct nic_plan *x = m->plan;
	bool moves = false;

	for (size_t i = 0; i < m->hypervisors->n_hypervisors; i++) {
		const struct hypervisor *h = &m->hypervisors->hypervisors[i];
		struct nic_way *w;

		if (!can_change(h, &m->run->facts, x->from, x->to))
			continue;
		w = arena_push(m->arena, &x->ways, &x->n_ways, sizeof(*w));
		w->id = h->id;
		w->name = h->name;
		w->seen = h->seen;
		w->keeps = h->keeps;
		add_steps(m, h, x->to, &w->change, &w->n_change);
		add_steps(m, h, x->from, &w->back, &w->n_back);
		moves = moves || h->moves;
	}
	if (moves && m->profile->nic.stays != NULL)
		plan_note(m, "The PCI address may change here, and the interface's name with it: "
		    "see to it that the network's files match the MAC before you switch.");
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Spread over time, or drift of the path between the two would look like the NIC's doing. */
static const char **
measure_argv(struct making *m, const char *file)
{
	const char *peer = m->run->options.peer;
	const char *argv[] = { "pathtune", "measure", "--peer", peer == NULL ? "PEER" : peer,
		"--repeat", "6", "--every", "10m", "--save", file, NULL };
	const char **copy = arena_array(m->arena, NELEM(argv), sizeof(*copy));

	memcpy(copy, argv, sizeof(argv));
	return copy;
}

static void
add_before(struct making *m)
{
	struct nic_plan *x = m->plan;

	plan_command(m, &x->before, &x->n_before, measure_argv(m, BEFORE_FILE),
	    "with the present NIC, spread over an hour");
	if (m->to->n_check != 0)
		plan_command(m, &x->before, &x->n_before,
		    plan_expanded(m, m->to->check, m->to->n_check, NULL),
		    arena_printf(m->arena, "stop here if this fails: the kernel has no %s, "
		    "as is so of kernels made for clouds", m->to->driver));
	plan_push(m, &x->before, &x->n_before,
	    "Log in on the machine's console (VNC, serial) once: it is the way back.");
}

static void
add_after(struct making *m)
{
	static const char *const compare[] = { "pathtune", "compare", BEFORE_FILE, AFTER_FILE,
		NULL };
	struct nic_plan *x = m->plan;
	static const char *const probe[] = { "pathtune", "probe", NULL };
	const char **argv = arena_array(m->arena, NELEM(compare), sizeof(*argv));
	const char **look = arena_array(m->arena, NELEM(probe), sizeof(*look));

	memcpy(argv, compare, sizeof(compare));
	memcpy(look, probe, sizeof(probe));
	plan_command(m, &x->after, &x->n_after, look,
	    arena_printf(m->arena, "says which driver the interface has now: %s",
	    m->to->driver));
	plan_command(m, &x->after, &x->n_after, measure_argv(m, AFTER_FILE),
	    "at the same time of day");
	plan_command(m, &x->after, &x->n_after, argv, NULL);
}

static void
add_effects(struct making *m)
{
	const struct nic_kind *kind = hypervisors_model(m->hypervisors, m->to->model);
	struct nic_plan *x = m->plan;

	*(const char **)arena_push(m->arena, &x->effects, &x->n_effects,
	    sizeof(*x->effects)) = m->to->effects;
	if (kind != NULL)
		*(const char **)arena_push(m->arena, &x->effects, &x->n_effects,
		    sizeof(*x->effects)) = kind->effects;
}

bool
nic_plan_make(struct arena *a, const struct profile *p, const struct hypervisors *h,
    const struct run *run, const struct nic_driver *from, const struct nic_driver *to,
    struct nic_plan *out)
{
	struct nic_plan plan = { .from = from->model, .to = to->model, .driver = to->driver };
	struct making m = { a, p, h, run, from, to, &plan, false };

	if (!is_plain(run->facts.interface))
		return false;
	name_interface(&m);
	if (run->decision.verdict == VERDICT_CHANGE && run->decision.n_settings != 0)
		plan_note(&m, "Settings come first: put those of this run in force (pathtune "
		    "apply) before you begin, or what they gain is taken for the NIC's doing.");
	add_before(&m);
	plan_places(&m);
	if (p->nic.n_off != 0)
		plan_command(&m, &plan.last, &plan.n_last,
		    plan_expanded(&m, p->nic.off, p->nic.n_off, NULL),
		    "a reboot is not enough: the NIC is made when the machine starts");
	add_ways(&m);
	add_after(&m);
	if (plan.n_prepare != 0 && !m.rename)
		plan_push(&m, &plan.back, &plan.n_back, arena_printf(a, "What was prepared for %s "
		    "may stay: without that interface nothing comes of it.", plan.new_name));
	plan_push(&m, &plan.back, &plan.n_back,
	    "Switch off, change the model back on the hypervisor as below, and start.");
	add_effects(&m);
	*out = plan;
	return true;
}
