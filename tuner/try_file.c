#include "try_file.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define NAME_MAX_BYTES 32
#define KNOBS_MAX 16
#define PIN_MIN 4096.0 /* as probes/flow.h has it */
#define PIN_MAX (64.0 * 1024 * 1024)
#define STREAMS_MAX 64
#define ROUNDS_MAX 500
#define DURATION_MIN_S 0.5
#define DURATION_MAX_S 60

struct reading {
	struct arena *arena;
	struct try_file *file;
	struct err *e;
};

static bool
bad(struct reading *r, unsigned line, const char *what)
{
	return fail(r->e, ERR_USAGE, "%.200s:%u: %s", r->file->name, line, what);
}

static bool
bad_key(struct reading *r, const struct node *n, const char *what)
{
	return fail(r->e, ERR_USAGE, "%.200s:%u: %s: %s", r->file->name, n->line, n->key, what);
}

/* A scalar's spelling, printable and short; what it means is the caller's. */
static bool
word(struct reading *r, const struct node *n, size_t most, const char **out)
{
	const char *s = n->kind == NODE_TEXT || n->kind == NODE_NUMBER ? n->text : NULL;

	if (s == NULL || *s == '\0' || strlen(s) > most)
		return fail(r->e, ERR_USAGE,
		    "%.200s:%u: %s%sa word of at most %zu bytes is expected", r->file->name,
		    n->line, n->key == NULL ? "" : n->key, n->key == NULL ? "" : ": ", most);
	for (const char *c = s; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			return bad(r, n->line, "only printable ASCII is expected here");
	}
	*out = s;
	return true;
}

typedef bool reader_fn(const char *s, double *v, struct err *e);

static bool
quantity(
    struct reading *r, const struct node *n, reader_fn *read, double min, double max, double *out)
{
	struct err why = { ERR_NONE, "" };
	const char *s;
	double v;

	if (!word(r, n, 40, &s))
		return false;
	if (!read(s, &v, &why))
		return bad(r, n->line, why.text);
	if (!(v >= min && v <= max))
		return fail(r->e, ERR_USAGE, "%.200s:%u: %s is not within %.12g to %.12g",
		    r->file->name, n->line, s, min, max);
	*out = v;
	return true;
}

static bool
whole(struct reading *r, const struct node *n, double max, double *out)
{
	if (!quantity(r, n, units_number, 1, max, out))
		return false;
	return *out == floor(*out) ? true : bad_key(r, n, "a whole number is expected");
}

/* ---- a setting ------------------------------------------------------------------------------ */

static bool
read_knobs(struct reading *r, const struct node *n, struct try_setting *s)
{
	if (n->kind != NODE_MAP || n->child == NULL)
		return bad_key(r, n, "a map of knobs and values is expected");
	for (const struct node *k = n->child; k != NULL; k = k->next) {
		struct try_knob *knob = arena_push(r->arena, &s->knobs, &s->n_knobs, sizeof(*knob));

		knob->name = k->key;
		knob->line = k->line;
		if (!word(r, k, 200, &knob->text))
			return false;
	}
	return s->n_knobs <= KNOBS_MAX ? true : bad_key(r, n, "more than 16 knobs");
}

static bool
read_member(struct reading *r, const struct node *n, struct try_setting *s)
{
	if (strcmp(n->key, "name") == 0)
		return word(r, n, NAME_MAX_BYTES, &s->name);
	if (strcmp(n->key, "cc") == 0) {
		s->cc_line = n->line;
		return word(r, n, NAME_MAX_BYTES, &s->cc);
	}
	if (strcmp(n->key, "window") == 0) {
		s->window_line = n->line;
		return quantity(r, n, units_bytes, 1024, 1073741824, &s->window_bytes);
	}
	if (strcmp(n->key, "knobs") == 0)
		return read_knobs(r, n, s);
	if (strcmp(n->key, "streams") == 0)
		return whole(r, n, STREAMS_MAX, &s->streams);
	return bad_key(r, n, "unknown key");
}

static bool
changes_nothing(const struct try_setting *s)
{
	return s->cc == NULL && isnan(s->window_bytes) && isnan(s->streams) && s->n_knobs == 0;
}

static bool
is_present(const struct try_setting *s)
{
	return strcmp(s->name, TRY_PRESENT) == 0;
}

static bool
check_setting(struct reading *r, const struct try_setting *s, size_t at)
{
	const struct try_file *f = r->file;

	if (s->name == NULL)
		return bad(r, s->line, "a setting needs a name");
	if (is_present(s) && (at != 0 || !changes_nothing(s)))
		return bad(r, s->line, "the present setting comes first, and sets nothing");
	if (!is_present(s) && changes_nothing(s))
		return bad(r, s->line, "a setting needs one of cc, window, knobs, streams");
	if (!isnan(s->window_bytes) && s->n_knobs != 0)
		return bad(r, s->line, "window and knobs contradict each other");
	for (size_t i = 0; i < f->n_settings; i++) {
		if (strcmp(f->settings[i].name, s->name) == 0)
			return bad(r, s->line, "a setting of this name is there already");
	}
	return true;
}

static void
push_setting(struct reading *r, const struct try_setting *s)
{
	*(struct try_setting *)arena_push(
	    r->arena, &r->file->settings, &r->file->n_settings, sizeof(*s)) = *s;
}

static bool
read_settings(struct reading *r, const struct node *list)
{
	struct try_setting present = { .name = TRY_PRESENT, .window_bytes = NAN, .streams = NAN };
	size_t at = 0;

	if (list->kind != NODE_LIST || list->child == NULL)
		return bad_key(r, list, "a list of settings is expected");
	for (const struct node *n = list->child; n != NULL; n = n->next, at++) {
		struct try_setting s = { .window_bytes = NAN, .streams = NAN, .line = n->line };

		if (n->kind != NODE_MAP)
			return bad(r, n->line, "a setting is a map: name, and what it sets");
		for (const struct node *m = n->child; m != NULL; m = m->next) {
			if (!read_member(r, m, &s))
				return false;
		}
		if (at == 0 && (s.name == NULL || !is_present(&s)))
			push_setting(r, &present);
		if (!check_setting(r, &s, at))
			return false;
		push_setting(r, &s);
		if (r->file->n_settings > TRY_SETTINGS_MAX)
			return bad(r, n->line, "more than 12 settings");
	}
	return r->file->n_settings > 1
	    ? true
	    : bad_key(r, list, "nothing to compare the present setting with");
}

/* ---- the file ------------------------------------------------------------------------------- */

static bool
read_windows(struct reading *r, const struct node *list)
{
	struct try_file *f = r->file;

	if (list->kind != NODE_LIST || list->child == NULL)
		return bad_key(r, list, "a list of sizes is expected");
	for (const struct node *n = list->child; n != NULL; n = n->next) {
		double *pin;

		if (f->n_pin_bytes == TRY_STRATA_MAX)
			return bad(r, n->line, "more than 8 socket windows");
		pin = arena_push(r->arena, &f->pin_bytes, &f->n_pin_bytes, sizeof(*pin));
		if (!quantity(r, n, units_bytes, PIN_MIN, PIN_MAX, pin))
			return false;
		for (size_t i = 0; i + 1 < f->n_pin_bytes; i++) {
			if (f->pin_bytes[i] == *pin)
				return bad(r, n->line, "this socket window is there already");
		}
	}
	return true;
}

static bool
read_direction(struct reading *r, const struct node *n)
{
	const char *s;

	if (!word(r, n, 16, &s))
		return false;
	for (int i = DIR_SEND; i <= DIR_BOTH; i++) {
		if (strcmp(s, direction_names[i]) == 0) {
			r->file->direction = (enum direction)i;
			return true;
		}
	}
	return bad_key(r, n, "one of send, receive, both is expected");
}

static bool
read_key(struct reading *r, const struct node *n)
{
	if (strcmp(n->key, "settings") == 0)
		return read_settings(r, n);
	if (strcmp(n->key, "socket_windows") == 0)
		return read_windows(r, n);
	if (strcmp(n->key, "direction") == 0)
		return read_direction(r, n);
	if (strcmp(n->key, "rounds") == 0)
		return whole(r, n, ROUNDS_MAX, &r->file->rounds);
	if (strcmp(n->key, "duration") == 0)
		return quantity(
		    r, n, units_time, DURATION_MIN_S, DURATION_MAX_S, &r->file->duration_s);
	return bad_key(r, n, "unknown key");
}

bool
try_file_read(struct arena *a, const char *name, const char *text, size_t len, struct try_file *out,
    struct err *e)
{
	struct try_file f = { .name = name, .duration_s = NAN, .rounds = NAN };
	struct reading r = { a, &f, e };
	struct node *root;

	if (!node_from_yaml(a, name, text, len, &root, e))
		return false;
	if (root->kind != NODE_MAP)
		return bad(&r, root->line, "a map with the key settings is expected");
	for (const struct node *n = root->child; n != NULL; n = n->next) {
		if (!read_key(&r, n))
			return false;
	}
	if (f.n_settings == 0)
		return bad(&r, root->line, "the key settings is missing");
	*out = f;
	return true;
}
