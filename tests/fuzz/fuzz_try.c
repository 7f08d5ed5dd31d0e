/* A file of settings that somebody wants compared, on a host of every system. */
#include "systems.h"

#include "tuner/try_file.h"

#include <math.h>

static const char *cc[] = { "cubic", "bbr" };

/* Every knob of the profile is there, with as many fields as it needs. */
static struct facts
host_of(struct arena *a, const struct profile *p)
{
	struct facts f;

	record_init(&facts_record, &f);
	f.os = p->name;
	f.release = "6.18.44";
	f.privileged = true;
	f.rtt_ms = 80;
	f.ram_bytes = 2e9;
	f.cc_available = cc;
	f.n_cc_available = NELEM(cc);
	for (size_t i = 0; i < p->n_knobs; i++) {
		const struct knob *k = &p->knobs[i];
		struct knob_fact *x = arena_push(a, &f.knobs, &f.n_knobs, sizeof(*x));

		x->name = k->name;
		x->text = k->role == ROLE_CONGESTION ? "cubic" :
		    isnan(k->field) ? "4194304" : "4096 131072 4194304";
		x->now = k->role == ROLE_CONGESTION ? NAN : 4194304;
		x->min = NAN;
		x->writable = true;
	}
	return f;
}

static void
promise_choice(const struct try_choice *c)
{
	promise(c->setting != NULL, "a setting", NULL);
	promise(isnan(c->as.window_bytes) || c->as.window_bytes > 0, "a window",
	    c->setting->name);
	promise(c->changes >= (double)c->n_lines, "lines are changes", c->setting->name);
	for (size_t i = 0; i < c->n_lines; i++) {
		const struct change_line *l = &c->lines[i];

		promise(l->name != NULL && is_shown(l->name), "a knob", l->name);
		promise(l->new != NULL && is_shown(l->new), "a value of one line", l->new);
	}
}

static void
check(struct arena *a, const struct try_file *file, const struct profile *p, enum direction way)
{
	struct facts f = host_of(a, p);
	struct plan_direction d = { .direction = way, .window_bytes = 2600468,
		.window_max_bytes = 64 * 1048576., .window_factor = .62, .cc = cc,
		.n_cc = way == DIR_SEND ? NELEM(cc) : 0, .window_writable = true };
	struct try_choice choices[TRY_SETTINGS_MAX];
	struct err e = { ERR_NONE, "" };
	bool ok = try_file_check(a, file, p, &f, &d, 1, choices, &e);

	promise_reason(ok, &e);
	if (!ok) {
		promise(is_shown(e.text), "words that can be shown", e.text);
		return;
	}
	promise(!choices[0].differs, "the present one first", choices[0].setting->name);
	for (size_t i = 0; i < file->n_settings; i++)
		promise_choice(&choices[i]);
	try_file_idle(a, file, p, &f, &d, choices);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct err e = { ERR_NONE, "" };
	struct try_file file = { .n_settings = 0 };
	bool ok = try_file_read(a, "f", (const char *)data, size, &file, &e);
	const struct profile *p;

	promise_reason(ok, &e);
	promise(ok || strncmp(e.text, "f", 1) == 0, "the file is named", e.text);
	promise(ok == (file.n_settings >= 2), "something to compare", NULL);
	promise(file.n_settings <= TRY_SETTINGS_MAX && file.n_pin_bytes <= TRY_STRATA_MAX,
	    "no more than fit", NULL);
	for (size_t i = 0; ok && (p = system_at(i)) != NULL; i++) {
		check(a, &file, p, DIR_SEND);
		check(a, &file, p, DIR_RECEIVE);
	}
	arena_free(a);
	return 0;
}
