/*
 * tuned: a box's run as tune leaves one.
 */
#ifndef PATHTUNE_TESTS_TUNED_H
#define PATHTUNE_TESTS_TUNED_H

#include "box.h"

#include "tuner/cmd.h"
#include "tuner/search.h"

/* The box's run as that of a tune which has its verdict: told again, it needs no peer. */
static inline void
tuned(struct box *h, const char *host, enum verdict verdict)
{
	struct err e = { ERR_NONE, "" };
	struct run run;

	cr_assert(cmd_run_load(h->a, h->run, &run, &e), "%s", e.text);
	run.seed = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	run.search = SEARCH_VERSION;
	run.options.command = "tune";
	run.options.host = host;
	run.options.peer = "peer.example";
	run.options.direction = DIR_SEND;
	run.options.budget_s = 600;
	run.options.streams = 1;
	run.advice.n_paths = 0;
	for (size_t i = 0; i < run.decision.n_settings; i++)
		run.decision.settings[i].verified = true;
	run.decision.verdict = verdict;
	run.decision.class = verdict == VERDICT_CHANGE ? CLASS_WINDOW : CLASS_NO_GAIN;
	*(struct plan_direction *)arena_push(h->a, &run.plan.directions, &run.plan.n_directions,
	    sizeof(*run.plan.directions)) = (struct plan_direction){ .direction = DIR_SEND };
	cr_assert(cmd_run_save(h->a, h->run, &run, &e), "%s", e.text);
}

#endif
