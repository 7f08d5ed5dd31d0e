#include "report_words.h"

#include "limiter.h"
#include "stairs.h"
#include "units.h"

#include <math.h>

const char *
report_ms(struct arena *a, double ms)
{
	if (isnan(ms))
		return "unknown";
	return arena_printf(a, ms < 9.95 ? "%.1f ms" : "%.0f ms", ms);
}

const char *
report_direction(const struct direction_decision *d)
{
	return d->direction == DIR_SEND ? "Sending" : "Receiving";
}

const char *
report_setting(struct arena *a, const struct setting *s)
{
	const char *words = arena_printf(a, "%s%swindow %s", s->cc == NULL ? "" : s->cc,
	    s->cc == NULL ? "" : ", ", units_say_bytes(a, s->window_bytes));

	for (size_t i = 0; i < s->n_extras; i++)
		words = arena_printf(a, "%s, %s", words, s->extras[i]);
	return words;
}

const char *
report_side(const struct direction_decision *d)
{
	return d->verdict == VERDICT_CHANGE ? "after" : "tried";
}

bool
report_has_after(const struct direction_decision *d)
{
	return !setting_same(&d->before.setting, &d->after.setting) &&
	    !isnan(d->after.goodput_bps);
}

const char *
report_host(struct arena *a, const struct facts *f)
{
	const char *nic = f->interface == NULL ? "interface unknown" :
	    f->driver == NULL ? f->interface : arena_printf(a, "%s (%s)", f->interface, f->driver);

	return arena_printf(a, "%s %s, %s, %s RAM, %s", f->os == NULL ? "?" : f->os,
	    f->release == NULL ? "" : f->release,
	    f->hypervisor == NULL ? "hypervisor unknown" : f->hypervisor,
	    units_say_bytes(a, f->ram_bytes), nic);
}

const char *
report_path(struct arena *a, const struct run *run)
{
	return arena_printf(a, "path to %s, idle RTT %s", run->facts.peer == NULL ? "no peer" :
	    run->facts.peer, report_ms(a, run->facts.rtt_ms));
}

const char *
report_title(const struct run *run)
{
	if (run->decision.verdict == VERDICT_CHANGE)
		return "pathtune: change the settings";
	return run->decision.verdict == VERDICT_KEEP ? "pathtune: keep the settings" :
	    "pathtune: no decision";
}

/* One that could not be set is in the notes. */
static bool
was_tried(const struct run *run, enum direction d, const char *id)
{
	for (size_t i = 0; i < run->n_trials; i++) {
		const struct trial *t = &run->trials[i];

		if (t->direction == d && t->status != TRIAL_VOID &&
		    strings_have(t->setting.extras, t->setting.n_extras, id))
			return true;
	}
	return false;
}

const char *
report_extras(struct arena *a, const struct run *run, const struct direction_decision *d)
{
	const struct setting *after = &d->after.setting;
	struct text tried = { .arena = a };

	for (size_t i = 0; i < run->plan.n_directions; i++) {
		const struct plan_direction *plan = &run->plan.directions[i];

		for (size_t j = 0; plan->direction == d->direction && j < plan->n_extras; j++) {
			const char *id = plan->extras[j].id;
			bool kept = strings_have(after->extras, after->n_extras, id);

			if (was_tried(run, d->direction, id))
				text_add(&tried, "%s%s (%s)", tried.len == 0 ? "also tried: " :
				    ", ", id, !kept ? "dropped" :
				    d->verdict == VERDICT_CHANGE ? "kept" : "not kept");
		}
	}
	return tried.len == 0 ? NULL : tried.s;
}

const char *
report_traffic(struct arena *a, const struct run *run)
{
	size_t bad = 0, drifting = 0;
	double bytes = 0;
	struct text t = { .arena = a };

	for (size_t i = 0; i < run->n_trials; i++) {
		bad += run->trials[i].status != TRIAL_OK;
		drifting += run->trials[i].status == TRIAL_OK && !run->trials[i].steady;
		bytes += isnan(run->trials[i].bytes) ? 0 : run->trials[i].bytes;
	}
	text_add(&t, "%zu trials, %s moved", run->n_trials, units_say_bytes(a, bytes));
	if (bad != 0)
		text_add(&t, ", %zu failed", bad);
	if (drifting != 0)
		text_add(&t, ", %zu not steady after the warm-up", drifting);
	return t.s;
}

const char *
report_scp(struct arena *a, const struct run *run)
{
	double scp_bps = limiter_scp_bps(run->facts.rtt_ms), best_bps = 0;

	for (size_t i = 0; i < run->n_trials; i++)
		if (run->trials[i].status == TRIAL_OK)
			best_bps = fmax(best_bps, run->trials[i].goodput_bps);
	if (!(scp_bps < best_bps))
		return NULL;
	return arena_printf(a, "scp and sftp get at most %s over this RTT, whatever is set: "
	    "OpenSSH has no more than 2 MiB on its way.", units_say_rate(a, scp_bps));
}

const char *
report_other_traffic(struct arena *a, const struct run *run, const struct direction_decision *d)
{
	const struct path_fact *p = facts_path(&run->facts, d->direction);
	struct text t = { .arena = a };

	if (p == NULL)
		return NULL;
	if (!isnan(p->udp_bps))
		text_add(&t, "UDP %s%s", stairs_top_seen(p) ? "" :
		    "at least ", units_say_rate(a, p->udp_bps));
	if (!isnan(p->streams_bps))
		text_add(&t, "%s%.0f connections together %s", t.len == 0 ? "" : ", ", p->streams,
		    units_say_rate(a, p->streams_bps));
	return t.len == 0 ? NULL : arena_printf(a, "Over the same path: %s.", t.s);
}
