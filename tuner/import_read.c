/* The text of a table, line by line. */
#include "import_state.h"
#include "stats.h"
#include "units.h"

#include <math.h>
#include <string.h>

#define COLUMNS_MAX 64
#define TESTS_MAX 64
#define CELL_MAX 128 /* bytes */

/* What a column is. */
enum column { COLUMN_KNOB, COLUMN_TEST, COLUMN_WINDOW, COLUMN_ROUND, COLUMN_AVG, COLUMN_MEDIAN,
	COLUMN_MIN, COLUMN_MAX, COLUMN_COUNT };

/* By name; in this order in a header, but for the knobs between the first and the others. */
static const struct {
	const char *name;
	enum column column;
} known_columns[] = {
	{ "test", COLUMN_TEST }, { "iperf_w", COLUMN_WINDOW }, { "window", COLUMN_WINDOW },
	{ "round", COLUMN_ROUND }, { "avg", COLUMN_AVG }, { "median", COLUMN_MEDIAN },
	{ "min", COLUMN_MIN }, { "max", COLUMN_MAX },
};

struct reader {
	struct arena *arena;
	const char *name;
	unsigned line;
	const char *cells[COLUMNS_MAX]; /* of the line */
	size_t n_cells;
	enum column columns[COLUMNS_MAX]; /* by place */
	size_t n_columns;               /* 0: no header yet */
	size_t place[COLUMN_COUNT];     /* of each kind but knobs; COLUMNS_MAX: there is none */
	const char **keys;              /* that were given in comments */
	size_t n_keys;
	struct import_table *table;
};

/* "file:line: " before the words. */
#define wrong(r, e, ...) \
	fail(e, ERR_USAGE, "%s:%u: %s", (r)->name, (r)->line, arena_printf((r)->arena, __VA_ARGS__))

/* ---- comments ------------------------------------------------------------------------------- */

static bool
read_key(struct reader *r, const char *key, const char *value, struct err *e)
{
	struct err why = { ERR_NONE, "" };

	if (strings_have(r->keys, r->n_keys, key))
		return wrong(r, e, "%.40s is given twice", key);
	if (!import_about_read(key, value, &r->table->about, &why))
		return wrong(r, e, "%s", why.text);
	*(const char **)arena_push(r->arena, &r->keys, &r->n_keys, sizeof(key)) = key;
	return true;
}

/* Words with a "=" say how the table was measured, others are for people. */
static bool
read_comment(struct reader *r, char *line, struct err *e)
{
	char *save = NULL;

	if (r->n_columns != 0)
		return wrong(r, e, "a comment below the header: one file holds one table");
	for (char *w = strtok_r(line, "# \t", &save); w != NULL; w = strtok_r(NULL, " \t", &save)) {
		char *value = strchr(w, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		if (!read_key(r, w, value, e))
			return false;
	}
	return true;
}

static bool
check_about(struct reader *r, struct err *e)
{
	const struct import_about *x = &r->table->about;

	if ((x->order == ORDER_SEQUENTIAL && x->interleaved == ANSWER_YES) ||
	    (x->order == ORDER_ALTERNATING && x->interleaved == ANSWER_NO))
		return wrong(r, e, "order=%s and interleaved=%s contradict each other",
		    import_order_names[x->order], import_answer_names[x->interleaved]);
	return true;
}

/* ---- cells ---------------------------------------------------------------------------------- */

static char *
trimmed(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		s[--n] = '\0';
	return s;
}

static bool
split(struct reader *r, char *line, struct err *e)
{
	char *next = line;

	r->n_cells = 0;
	while (next != NULL) {
		char *cell = next;

		if ((next = strchr(cell, ',')) != NULL)
			*next++ = '\0';
		cell = trimmed(cell);
		if (r->n_cells == COLUMNS_MAX)
			return wrong(r, e, "more than %d columns", COLUMNS_MAX);
		if (strlen(cell) > CELL_MAX)
			return wrong(r, e, "a cell of more than %d bytes", CELL_MAX);
		r->cells[r->n_cells++] = cell;
	}
	return true;
}

static const char *
cell(const struct reader *r, enum column c)
{
	return r->place[c] == COLUMNS_MAX ? NULL : r->cells[r->place[c]];
}

/* ---- header --------------------------------------------------------------------------------- */

static enum column
column_of(const char *name)
{
	for (size_t i = 0; i < NELEM(known_columns); i++) {
		if (strcmp(known_columns[i].name, name) == 0)
			return known_columns[i].column;
	}
	return COLUMN_KNOB;
}

static bool
add_column(struct reader *r, const char *name, enum column last, struct err *e)
{
	struct import_table *t = r->table;
	enum column c = column_of(name);

	if (*name == '\0')
		return wrong(r, e, "column %zu has no name", r->n_columns + 1);
	if (c == COLUMN_KNOB && last > COLUMN_TEST)
		return wrong(r, e, "column '%.40s': behind the knobs only iperf_w or window, "
		    "round, avg, median, min and max may stand", name);
	if (c == COLUMN_KNOB ? strings_have(t->columns, t->n_columns, name) :
			       r->place[c] != COLUMNS_MAX)
		return wrong(r, e, "column '%.40s' is there twice", name);
	if (c == COLUMN_KNOB)
		*(const char **)arena_push(r->arena, &t->columns, &t->n_columns, sizeof(name)) =
		    name;
	else
		r->place[c] = r->n_columns;
	r->columns[r->n_columns++] = c;
	return true;
}

static bool
read_header(struct reader *r, struct err *e)
{
	enum column last = COLUMN_KNOB;

	if (strcmp(r->cells[0], "test") != 0)
		return wrong(r, e, "'%.40s': a header is expected whose first column is test",
		    r->cells[0]);
	for (size_t i = 0; i < r->n_cells; i++) {
		if (!add_column(r, r->cells[i], last, e))
			return false;
		if (r->columns[i] != COLUMN_KNOB)
			last = r->columns[i];
	}
	if (r->place[COLUMN_AVG] == COLUMNS_MAX)
		return wrong(r, e, "there is no column avg");
	if (r->table->n_columns == 0)
		return wrong(r, e, "there is no column of a knob: what do the tests differ in?");
	return true;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static bool
result_cell(struct reader *r, enum column c, const char *name, double *out, struct err *e)
{
	struct err why = { ERR_NONE, "" };
	const char *text = cell(r, c);

	if (text != NULL && !units_number(text, out, &why))
		return wrong(r, e, "%s: %s", name, why.text);
	return true;
}

static bool
results(struct reader *r, struct import_row *row, struct err *e)
{
	row->median = row->min = row->max = row->round = NAN;
	if (!result_cell(r, COLUMN_AVG, "avg", &row->avg, e) ||
	    !result_cell(r, COLUMN_MEDIAN, "median", &row->median, e) ||
	    !result_cell(r, COLUMN_MIN, "min", &row->min, e) ||
	    !result_cell(r, COLUMN_MAX, "max", &row->max, e) ||
	    !result_cell(r, COLUMN_ROUND, "round", &row->round, e))
		return false;
	if (row->avg <= 0)
		return wrong(r, e, "avg: a result of 0 has no ratio to others");
	if (row->avg < row->min || row->avg > row->max)
		return wrong(r, e, "avg %g does not lie between min and max", row->avg);
	if (row->median < row->min || row->median > row->max || row->min > row->max)
		return wrong(r, e, "min, median and max are not in order");
	return true;
}

/* "-" is a row that left the buffers to the kernel. */
static bool
window_cell(struct reader *r, struct import_row *row, struct err *e)
{
	struct err why = { ERR_NONE, "" };
	const char *text = cell(r, COLUMN_WINDOW);

	row->window_bytes = NAN;
	row->window = text == NULL || strcmp(text, "-") == 0 ? NULL : text;
	if (row->window == NULL)
		return true;
	if (!units_bytes(text, &row->window_bytes, &why))
		return wrong(r, e, "window: %s", why.text);
	return row->window_bytes > 0 || wrong(r, e, "window: 0 is no window; - says none");
}

/* Settings as they are written; a list of fields, as of tcp_rmem, stays text. */
static bool
read_values(struct reader *r, struct import_value *values, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_cells; i++) {
		struct import_value *v = &values[n];
		struct err unused = { ERR_NONE, "" };

		if (r->columns[i] != COLUMN_KNOB)
			continue;
		if (*r->cells[i] == '\0')
			return wrong(r, e, "%.40s: the value is empty", r->table->columns[n]);
		v->text = r->cells[i];
		if (!units_bytes(v->text, &v->number, &unused))
			v->number = NAN;
		n++;
	}
	return true;
}

static bool
test_of_row(struct reader *r, size_t *out, struct err *e)
{
	struct import_table *t = r->table;
	struct import_value *values =
	    arena_array(r->arena, t->n_columns, sizeof(*values));
	size_t i = 0;

	if (*r->cells[0] == '\0')
		return wrong(r, e, "test: the name is empty");
	for (const char *s = r->cells[0]; *s != '\0'; s++) {
		if ((unsigned char)*s > 126)
			return wrong(r, e, "test: a name is made of ASCII characters");
	}
	if (!read_values(r, values, e))
		return false;
	while (i < t->n_tests && strcmp(t->tests[i].name, r->cells[0]) != 0)
		i++;
	if (i == TESTS_MAX)
		return wrong(r, e, "more than %d tests", TESTS_MAX);
	if (i == t->n_tests)
		*(struct import_test *)arena_push(r->arena, &t->tests, &t->n_tests,
		    sizeof(*t->tests)) = (struct import_test){ r->cells[0], values, r->line };
	for (size_t c = 0; c < t->n_columns; c++) {
		if (!import_same_value(&t->tests[i].values[c], &values[c]))
			return wrong(r, e, "%s has %.40s %s here, and %s in line %u",
			    t->tests[i].name, t->columns[c], values[c].text,
			    t->tests[i].values[c].text, t->tests[i].line);
	}
	*out = i;
	return true;
}

static bool
check_new(struct reader *r, const struct import_row *row, struct err *e)
{
	const struct import_table *t = r->table;
	size_t of_test = 0;

	for (size_t i = 0; i < t->n_rows; i++) {
		const struct import_row *other = &t->rows[i];

		if (other->test != row->test)
			continue;
		if (import_same_number(other->window_bytes, row->window_bytes) &&
		    import_same_number(other->round, row->round))
			return wrong(r, e, "the same cell as in line %u; repetitions are told "
			    "apart by a column round", other->line);
		of_test++;
	}
	return of_test < STATS_MAX ||
	    wrong(r, e, "more than %d rows of %s", STATS_MAX, t->tests[row->test].name);
}

static bool
read_row(struct reader *r, struct err *e)
{
	struct import_table *t = r->table;
	struct import_row row = { .line = r->line };

	if (strcmp(r->cells[0], "test") == 0)
		return wrong(r, e, "a second header: one file holds one table");
	if (r->n_cells != r->n_columns)
		return wrong(r, e, "%zu columns, the header has %zu", r->n_cells, r->n_columns);
	if (!results(r, &row, e) || !window_cell(r, &row, e) || !test_of_row(r, &row.test, e) ||
	    !check_new(r, &row, e))
		return false;
	*(struct import_row *)arena_push(r->arena, &t->rows, &t->n_rows, sizeof(row)) = row;
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool
read_line(struct reader *r, char *line, struct err *e)
{
	size_t n = strlen(line);

	if (n > 0 && line[n - 1] == '\r')
		line[n - 1] = '\0';
	line = trimmed(line);
	for (const char *s = line; *s != '\0'; s++) {
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == '"' || *s == 127)
			return wrong(r, e, *s == '"' ? "quotes are not understood" :
						       "a control character");
	}
	if (*line == '\0')
		return true;
	if (*line == '#')
		return read_comment(r, line, e);
	if (!split(r, line, e))
		return false;
	return r->n_columns == 0 ? check_about(r, e) && read_header(r, e) : read_row(r, e);
}

bool
import_read(struct arena *a, const char *name, const char *text, size_t len,
    struct import_table *out, struct err *e)
{
	struct import_table t = { .about = { .runs_per_cell = NAN, .run_s = NAN, .sleep_s = NAN } };
	struct reader r = { .arena = a, .name = name, .table = &t };
	char *copy, *next;

	if (len > IMPORT_BYTES)
		return fail(e, ERR_USAGE, "%s: more than 1 MiB: this is no table of results", name);
	if (memchr(text, '\0', len) != NULL)
		return fail(e, ERR_USAGE, "%s: a NUL byte: this is no text", name);
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		r.place[i] = COLUMNS_MAX;
	copy = arena_strndup(a, text, len);
	for (next = strncmp(copy, "\xef\xbb\xbf", 3) == 0 ? copy + 3 : copy; next != NULL;) {
		char *line = next;

		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		r.line++;
		if (!read_line(&r, line, e))
			return false;
	}
	if (r.n_columns == 0)
		return fail(e, ERR_USAGE, "%s: there is no table: a header and rows are expected",
		    name);
	if (t.n_tests < 2)
		return fail(e, ERR_USAGE, "%s: %s: nothing to compare", name,
		    t.n_tests == 0 ? "a header without rows" : "all rows are of one test");
	*out = t;
	return true;
}
