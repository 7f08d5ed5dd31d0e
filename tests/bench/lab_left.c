#include "lab_left.h"

#include "tuner/cmd.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static double
third_field(const char *text)
{
	double v = NAN;

	for (int i = 0; i < 3 && text != NULL; i++) {
		char *end;

		v = strtod(text, &end);
		text = end == text ? NULL : end;
	}
	return text == NULL ? NAN : v;
}

bool
tune_left_load(struct arena *a, const char *file, struct tune_left *l, struct err *e)
{
	const struct decision *d = &l->run.decision;

	if (!cmd_run_load(a, file, &l->run, e))
		return false;
	if (d->n_directions != 1)
		return fail(e, ERR_FAILED, "%s: no decision for one direction", file);
	l->d = &d->directions[0];
	l->changed = l->d->verdict == VERDICT_CHANGE;
	l->cc = PATH_START_CC;
	l->max_bytes = PATH_START_MAX_BYTES;
	if (!l->changed)
		return true;
	if (l->d->after.setting.cc != NULL)
		l->cc = l->d->after.setting.cc;
	for (size_t i = 0; i < d->n_settings; i++)
		if (strcmp(d->settings[i].name, "net.ipv4.tcp_wmem") == 0)
			l->max_bytes = third_field(d->settings[i].new);
	return !isnan(l->max_bytes) || fail(e, ERR_FAILED, "%s: tcp_wmem has no third field", file);
}

struct tune_files
tune_files(struct arena *a, const char *dir, const struct lab_path *p, unsigned run)
{
	const char *stem = arena_printf(a, "%s/judge/%s-%u", dir, p->name, run);

	return (struct tune_files){ arena_printf(a, "%s.run.json", stem),
		arena_printf(a, "%s.log", stem), arena_printf(a, "%s.pairs.json", stem) };
}

const char *
bars_oracle_file(struct arena *a, const char *dir, const struct lab_path *p)
{
	return arena_printf(a, "%s/oracle/%s.json", dir, p->name);
}

const char *
bars_peers_file(struct arena *a, const char *dir, const struct lab_path *p)
{
	return arena_printf(a, "%s/peers/%s.json", dir, p->name);
}

bool
bars_make_dirs(struct arena *a, const char *dir, struct err *e)
{
	static const char *const below[] = { "", "/oracle", "/judge", "/peers" };

	for (size_t i = 0; i < NELEM(below); i++) {
		const char *path = arena_printf(a, "%s%s", dir, below[i]);

		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
	}
	return true;
}

const struct cell *
oracle_start(const struct sheet *s)
{
	return sheet_find(s, "cubic, " CELL_START);
}
