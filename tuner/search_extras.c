/*
 * Extras: what else of the plan could lift the default's limit.  They enter with the wide-open
 * window or as an arm of their own, and leave again unless the candidate is worse without them:
 * each is a change that somebody has to live with.
 */
#include "limiter.h"
#include "search_state.h"

#include <math.h>

#define REFUSED 2     /* trials that fail before an extra is taken for the cause */
#define TRIM_PAIRS 8  /* of the confirmation, that trimming must leave time for */
#define MARGIN 0.3    /* standard errors, as for a step up of the window */

void
extras_bind(struct search *s, const struct trial *probe)
{
	struct trial t = *probe;
	struct limit limit;

	t.direction = s->config.direction;
	t.setting = (struct setting){ .cc = s->cc[0], .window_bytes = s->config.window_bytes };
	limit = limiter_name(s->arena, NULL, &t, 1, t.direction, &t.setting);
	for (size_t i = 0; i < s->config.n_extras; i++) {
		const struct plan_extra *x = &s->config.extras[i];

		if (!strings_have(x->binds, x->n_binds, limiter_names[limit.limiter]))
			continue;
		s->bound |= 1u << i;
		if (x->with_window)
			s->companions |= 1u << i;
	}
}

extras_set
extras_at(const struct search *s, extras_set extras, double window)
{
	return window > s->config.window_bytes ? extras : extras & ~s->companions;
}

const char **
extras_names(const struct search *s, extras_set extras, size_t *n)
{
	const char **names;

	*n = 0;
	if (extras == 0)
		return NULL;
	names = arena_array(s->arena, SEARCH_EXTRAS_MAX, sizeof(*names));
	for (size_t i = 0; i < s->config.n_extras; i++)
		if (extras & 1u << i)
			names[(*n)++] = s->config.extras[i].id;
	return names;
}

/* ---- refused -------------------------------------------------------------------------------- */

static void
drop_companions(struct search *s)
{
	for (size_t i = 1; i < s->race.n_arms; i++) {
		struct arm *a = &s->race.arms[i];

		if ((a->extras & s->companions) == 0)
			continue;
		a->extras &= ~s->companions;
		arm_forget(a); /* that was another setting */
	}
	s->companions = 0;
	s->block.lost = true;
}

/* Another control with companions tells nothing: it may be the control. */
void
extras_blame(struct search *s, const struct slot *slot)
{
	struct arm *a = &s->race.arms[slot->who];

	if (slot->extras == 0 || slot->cc != 0)
		return;
	s->block.excused = true;
	if (++a->refused < REFUSED)
		return;
	if (a->simple)
		drop_companions(s);
	else
		a->live = false;
}

/* ---- left out ------------------------------------------------------------------------------- */

static bool
is_default(const struct search *s, extras_set extras)
{
	const struct knee *k = &s->knee;

	return k->pick->cc == 0 && k->window <= s->config.window_bytes && extras == 0;
}

static void
confirm_candidate(struct search *s)
{
	struct knee *k = &s->knee;

	k->without = 0;
	confirm_enter(s, k->pick, k->window, k->extras);
}

/* Where only the default would be left, the confirmation tells the same. */
static void
leave_out_next(struct search *s)
{
	struct knee *k = &s->knee;

	k->without = k->untried & (~k->untried + 1); /* the first of them */
	k->untried &= ~k->without;
	if (k->without == 0 || is_default(s, k->extras & ~k->without))
		confirm_candidate(s);
	else
		knee_forget(k);
}

void
extras_trim(struct search *s, double window)
{
	struct knee *k = &s->knee;
	struct arm *other;

	k->window = window;
	k->extras = k->untried = extras_at(s, k->pick->extras, window);
	if (!is_default(s, k->extras))
		leave_out_next(s);
	else if ((other = race_other(s)) != NULL)
		knee_enter(s, other);
	else
		search_end(s, CLASS_NO_GAIN);
}

void
extras_trim_open(struct search *s)
{
	struct knee *k = &s->knee;

	block_clear(s);
	block_add(s, KNEE_AT, k->pick->cc, k->window, k->extras);
	block_add(s, KNEE_WITHOUT, k->pick->cc, k->window, k->extras & ~k->without);
	if (!blocks_fit(s, KNEE_BLOCKS - k->blocks + TRIM_PAIRS, 1)) {
		s->block.n = 0;
		confirm_candidate(s);
		return;
	}
	block_shuffle(s);
}

static bool
worse_without(struct search *s)
{
	double se, ahead = knee_lead(s, KNEE_AT, KNEE_WITHOUT, &se);

	if (ahead > BETTER && ahead - MARGIN * se > 0)
		return true;
	return knee_guard_broken(s, KNEE_WITHOUT) && !knee_guard_broken(s, KNEE_AT);
}

void
extras_trim_close(struct search *s)
{
	struct knee *k = &s->knee;

	for (size_t i = 0; i < s->block.n; i++) {
		size_t role = s->block.slots[i].who;

		k->at[role][k->blocks] = s->block.got[i];
		if (role == KNEE_AT)
			k->seen[k->n_seen++] = s->block.got[i];
	}
	if (++k->blocks < KNEE_BLOCKS)
		return;
	if (!worse_without(s))
		k->extras &= ~k->without;
	leave_out_next(s);
}
