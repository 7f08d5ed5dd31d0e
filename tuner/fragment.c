#include "fragment.h"
#include "units.h"

#include <string.h>

#define COMMENT_WIDTH 96

static void
comment(struct text *t, const char *words)
{
	text_wrap(t, "# ", COMMENT_WIDTH, words);
}

static void
header(struct arena *a, struct text *t, const struct run *run)
{
	comment(t,
	    arena_printf(a, "Written by pathtune %s, %s, for the path to %s (RTT %s).",
		run->version, run->started, run->facts.peer == NULL ? "?" : run->facts.peer,
		units_say_time(a, run->facts.rtt_ms / 1e3)));
	for (size_t i = 0; i < run->decision.n_directions; i++) {
		const struct direction_decision *d = &run->decision.directions[i];

		if (d->verdict == VERDICT_CHANGE)
			comment(t,
			    arena_printf(a, "When this host %s: %s",
				d->direction == DIR_SEND ? "sends" : "receives", d->words));
	}
}

static void
setting_line(struct arena *a, struct text *t, const struct change_line *l)
{
	text_bytes(t, "\n", 1);
	comment(t, l->reason);
	if (!l->verified)
		comment(t,
		    "unverified: the kernel refused this value here, it was measured with sockets "
		    "that ask for it themselves");
	if (l->old != NULL)
		comment(t, arena_printf(a, "before: %s", l->old));
	text_add(t, "%s = %s\n", l->name, l->new);
}

static void
add_file(struct arena *a, struct run *run, const char *path, const struct text *t)
{
	struct file_text *f = arena_push(a, &run->files, &run->n_files, sizeof(*f));

	f->path = path;
	f->text = t->s;
}

void
fragment_make(struct arena *a, const struct profile *p, struct run *run)
{
	struct text settings = { .arena = a }, modules = { .arena = a };
	const struct decision *d = &run->decision;
	bool any = false;

	header(a, &settings, run);
	for (size_t i = 0; i < d->n_settings; i++) {
		const struct change_line *l = &d->settings[i];

		if (strcmp(l->name, "module") != 0) {
			setting_line(a, &settings, l);
			any = true;
			continue;
		}
		comment(&modules, l->reason);
		text_add(&modules, "%s\n", l->new);
	}
	if (any && p->persist.settings.path != NULL)
		add_file(a, run, p->persist.settings.path, &settings);
	if (modules.len != 0 && p->persist.modules.path != NULL)
		add_file(a, run, p->persist.modules.path, &modules);
}
