#include "report_compare.h"

#include "limiter.h"
#include "report_page.h"
#include "report_words.h"
#include "stats.h"
#include "units.h"

#include <math.h>
#include <string.h>

static void
side(struct page *p, const char *when, const struct compare_side *s)
{
	struct arena *a = p->t.arena;

	page_say(p, "  %-7s %14s   RTT under load %8s   retransmits %s   %.0f transfer%s in %.0f "
	    "round%s\n", when, units_say_rate(a, s->goodput_bps), report_ms(a, s->rtt_ms),
	    units_say_percent(a, s->retransmits, 2), s->transfers, s->transfers == 1 ? "" : "s",
	    s->rounds, s->rounds == 1 ? "" : "s");
}

char *
report_compare(struct arena *a, const struct comparison *c, bool color)
{
	struct page p = { .t.arena = a, .color = color };

	page_say(&p, "before %s, after %s\n", c->before == NULL ? "?" : c->before,
	    c->after == NULL ? "?" : c->after);
	for (size_t i = 0; i < c->n_differences; i++)
		page_wrapped(&p, i == 0 ? "differs: " : "         ", c->differences[i]);
	for (size_t i = 0; i < c->n_directions; i++) {
		const struct compare_direction *d = &c->directions[i];

		page_say(&p, "\n");
		page_bold(&p, d->direction == DIR_SEND ? "Sending" : "Receiving");
		page_wrapped(&p, "  ", d->words);
		side(&p, "before", &d->before);
		side(&p, "after", &d->after);
	}
	return p.t.s;
}

/* ---- measure -------------------------------------------------------------------------------- */

static double
values(const struct run *run, enum direction d, size_t offset, double *v, size_t *n)
{
	double x;

	*n = 0;
	for (size_t i = 0; i < run->n_trials && *n < STATS_MAX; i++) {
		const struct trial *t = &run->trials[i];

		if (t->status != TRIAL_OK || t->direction != d)
			continue;
		memcpy(&x, (const char *)t + offset, sizeof(x));
		if (!isnan(x))
			v[(*n)++] = x;
	}
	return stats_median(v, *n);
}

static void
measured(struct page *p, const struct run *run, enum direction d)
{
	struct arena *a = p->t.arena;
	double v[STATS_MAX], goodput, low, high;
	const struct trial *one = NULL;
	struct limit l;
	size_t n;

	goodput = values(run, d, offsetof(struct trial, goodput_bps), v, &n);
	if (n == 0)
		return;
	low = stats_quantile(v, n, 0);
	high = stats_quantile(v, n, 1);
	page_say(p, "\n");
	page_bold(p, d == DIR_SEND ? "Sending" : "Receiving");
	page_say(p, "  %s, the median of %zu transfer%s (%s to %s)\n", units_say_rate(a, goodput),
	    n, n == 1 ? "" : "s", units_say_rate(a, low), units_say_rate(a, high));
	page_say(p, "  RTT under load %s", report_ms(a,
	    values(run, d, offsetof(struct trial, rtt.loaded_ms), v, &n)));
	page_say(p, ", retransmits %s\n", units_say_percent(a,
	    values(run, d, offsetof(struct trial, retransmits), v, &n), 2));
	for (size_t i = 0; i < run->n_trials && one == NULL; i++)
		one = run->trials[i].status == TRIAL_OK && run->trials[i].direction == d ?
		    &run->trials[i] : NULL;
	if (one == NULL)
		return;
	l = limiter_name(a, facts_path(&run->facts, d), run->trials, run->n_trials, d,
	    &one->setting);
	if (l.limiter != LIMIT_UNKNOWN)
		page_wrapped(p, "  ", arena_printf(a, "limited by %s: %s",
		    limiter_names[l.limiter], l.evidence));
}

char *
report_measure(struct arena *a, const struct run *run, bool color)
{
	struct page p = { .t.arena = a, .color = color };
	size_t bad = 0;

	page_say(&p, "%s\n%s\n", report_host(a, &run->facts), report_path(a, run));
	measured(&p, run, DIR_SEND);
	measured(&p, run, DIR_RECEIVE);
	for (size_t i = 0; i < run->n_trials; i++) {
		if (run->trials[i].status == TRIAL_OK)
			continue;
		bad++;
		if (bad == 1)
			page_wrapped(&p, "failed: ", run->trials[i].why == NULL ? "?" :
			    run->trials[i].why);
	}
	if (bad > 1)
		page_say(&p, "        and %zu more\n", bad - 1);
	return p.t.s;
}
