#include "fragment.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define COMMENT_WIDTH 96

/* A comment, wrapped at blanks; every line starts with "# ". */
static void
comment(struct text *t, const char *words)
{
	size_t at = 0;

	for (const char *w = words; *w != '\0';) {
		size_t n = strcspn(w, " ");

		if (at == 0 || at + 1 + n > COMMENT_WIDTH) {
			text_add(t, "%s#", at == 0 ? "" : "\n");
			at = 1;
		}
		text_add(t, " %.*s", (int)n, w);
		at += 1 + n;
		w += n;
		w += strspn(w, " ");
	}
	text_bytes(t, "\n", 1);
}

static void
header(struct arena *a, struct text *t, const struct run *run)
{
	comment(t,
	    arena_printf(a, "Written by pathtune %s, %s, for the path to %s (RTT %.1f ms).",
		run->version, run->started, run->facts.peer == NULL ? "?" : run->facts.peer,
		run->facts.rtt_ms));
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
	if (any && p->persist.file != NULL)
		add_file(a, run, p->persist.file, &settings);
	if (modules.len != 0 && p->persist.modules != NULL)
		add_file(a, run, p->persist.modules, &modules);
}
