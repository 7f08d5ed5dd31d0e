#include "error.h"

#include <math.h>

#include "tuner/record.h"

enum color { COLOR_UNKNOWN, COLOR_RED, COLOR_BLUE };

static const char *const color_names[] = { "unknown", "red", "blue", NULL };

struct wheel {
	const char *name;
	double inches;
};

struct car {
	const char *name;
	double price;
	double doors;
	bool fast;
	enum color color;
	const char **owners;
	size_t n_owners;
	double *laps;
	size_t n_laps;
	struct wheel spare;
	struct wheel *wheels;
	size_t n_wheels;
};

static const struct field wheel_fields[] = {
	F_STR(wheel, name, FIELD_REQUIRED),
	F_NUM(wheel, inches, 1, 30, 0),
	F_END,
};
static const struct record wheel_record = { "wheel", sizeof(struct wheel), wheel_fields };

static const struct field car_fields[] = {
	F_STR(car, name, FIELD_REQUIRED),
	F_NUM(car, price, 0, 0, 0),
	F_NUM(car, doors, 2, 5, 0),
	F_BOOL(car, fast),
	F_ENUM(car, color, color_names, 0),
	F_STRS(car, owners),
	F_NUMS(car, laps),
	F_REC(car, spare, &wheel_record),
	F_LIST(car, wheels, &wheel_record),
	F_END,
};
static const struct record car_record = { "car", sizeof(struct car), car_fields };

static const char car_yaml[] =
    "# a car\n"
    "name: beetle\n"
    "price: 1.5e3\n"
    "doors: 2\n"
    "fast: true\n"
    "color: blue\n"
    "owners: [ann, \"7\", 6.6]\n"
    "laps:\n"
    "  - 10\n"
    "  - null\n"
    "  - -2.5\n"
    "spare: { name: s, inches: 15 }\n"
    "wheels:\n"
    "  - name: fl\n"
    "  - name: fr\n"
    "    inches: 16\n";

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new();
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(record, .init = setup, .fini = teardown);

static bool
read_car(bool yaml, const char *text, size_t len, struct car *car, struct err *e)
{
	struct node *n;

	memset(e, 0, sizeof(*e));
	if (!(yaml ? node_from_yaml : node_from_json)(arena, "f", text, len, &n, e))
		return false;
	return record_from_node(arena, "f", &car_record, n, car, e);
}

static void
check_car(const struct car *car)
{
	cr_assert_str_eq(car->name, "beetle");
	cr_assert_eq(car->price, 1500);
	cr_assert_eq(car->doors, 2);
	cr_assert(car->fast);
	cr_assert_eq(car->color, COLOR_BLUE);
	cr_assert_eq(car->n_owners, 3);
	cr_assert_str_eq(car->owners[1], "7");
	cr_assert_str_eq(car->owners[2], "6.6");
	cr_assert_eq(car->n_laps, 3);
	cr_assert(isnan(car->laps[1]));
	cr_assert_eq(car->laps[2], -2.5);
	cr_assert_str_eq(car->spare.name, "s");
	cr_assert_eq(car->n_wheels, 2);
	cr_assert(isnan(car->wheels[0].inches));
	cr_assert_eq(car->wheels[1].inches, 16);
}

Test(record, yaml_to_struct_to_json_to_struct_keeps_everything)
{
	struct car car, again;
	struct err e;
	char *text;
	int pretty;

	cr_assert(read_car(true, car_yaml, strlen(car_yaml), &car, &e), "%s", e.text);
	check_car(&car);
	for (pretty = 0; pretty < 2; pretty++) {
		text = record_to_json(arena, &car_record, &car, pretty != 0);
		cr_assert(read_car(false, text, strlen(text), &again, &e), "%s", e.text);
		check_car(&again);
		cr_assert_str_eq(record_to_json(arena, &car_record, &again, pretty != 0), text);
	}
}

Test(record, json_is_written_in_table_order)
{
	struct car car;
	struct err e;

	cr_assert(read_car(true, car_yaml, strlen(car_yaml), &car, &e), "%s", e.text);
	cr_assert_str_eq(record_to_json(arena, &car_record, &car, false),
	    "{\"name\":\"beetle\",\"price\":1500,\"doors\":2,\"fast\":true,\"color\":\"blue\","
	    "\"owners\":[\"ann\",\"7\",\"6.6\"],\"laps\":[10,null,-2.5],"
	    "\"spare\":{\"name\":\"s\",\"inches\":15},"
	    "\"wheels\":[{\"name\":\"fl\",\"inches\":null},{\"name\":\"fr\",\"inches\":16}]}");
	cr_assert_str_eq(record_to_json(arena, &wheel_record, &car.spare, true),
	    "{\n  \"name\": \"s\",\n  \"inches\": 15\n}");
}

Test(record, absent_and_null_are_unknown)
{
	static const char *const texts[] = {
		"{\"name\":\"x\"}",
		"{\"name\":\"x\",\"price\":null,\"color\":null,\"owners\":null,\"spare\":null,"
		"\"wheels\":null,\"fast\":null}",
	};
	struct car car;
	struct err e;
	size_t i;

	for (i = 0; i < NELEM(texts); i++) {
		memset(&car, 0x55, sizeof(car));
		cr_assert(read_car(false, texts[i], strlen(texts[i]), &car, &e), "%s", e.text);
		cr_assert(isnan(car.price) && isnan(car.spare.inches));
		cr_assert_eq(car.color, COLOR_UNKNOWN);
		cr_assert_eq(car.n_owners + car.n_wheels + car.n_laps, 0);
		cr_assert_not(car.fast);
		cr_assert_null(car.spare.name);
	}
}

Test(record, numbers_and_strings_are_written_so_that_any_json_reader_takes_them)
{
	static const struct { double x; const char *text; } numbers[] = {
		{ 0, "0" }, { -0.0, "0" }, { NAN, "null" }, { INFINITY, "null" }, { -3, "-3" },
		{ 4503599627370497.0, "4503599627370497" }, { 0.1, "0.1" }, { 1e300, "1e+300" },
		{ 1.0 / 3, "0.333333333333" },
	};
	static const struct { const char *s; const char *text; } strings[] = {
		{ NULL, "null" }, { "", "\"\"" }, { "a\"b\\c\n\t\x01", "\"a\\\"b\\\\c\\n\\t\\u0001\"" },
		{ "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"" },
		{ "\xff", "\"\xef\xbf\xbd\"" }, { "a\xc3", "\"a\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
	};
	struct wheel w = { "n", 0 };
	size_t i;

	for (i = 0; i < NELEM(numbers); i++) {
		w.inches = numbers[i].x;
		cr_expect_str_eq(record_to_json(arena, &wheel_record, &w, false),
		    arena_printf(arena, "{\"name\":\"n\",\"inches\":%s}", numbers[i].text));
	}
	w.inches = 1;
	for (i = 0; i < NELEM(strings); i++) {
		w.name = strings[i].s;
		cr_expect_str_eq(record_to_json(arena, &wheel_record, &w, false),
		    arena_printf(arena, "{\"name\":%s,\"inches\":1}", strings[i].text));
	}
}

struct broken {
	const char *text;
	const char *error; /* how it begins: the libraries' own words may change */
};

static const struct broken broken_yaml[] = {
	{ "", "f:1: empty" },
	{ "# nothing\n", "f:1: empty" },
	{ "just words", "f:1: must be a map (car)" },
	{ "name: a\nnome: b\n", "f:2: nome: unknown key" },
	{ "name: a\nprice: 1\nname: b\n", "f:3: name: duplicate key, first in line 1" },
	{ "price: 1\n", "f:1: name: is missing" },
	{ "name:\nprice: 1\n", "f:1: name: is missing" },
	{ "name: a\nprice: cheap\n", "f:2: price: must be a number" },
	{ "name: a\nprice: \"1\"\n", "f:2: price: must be a number" },
	{ "name: a\nprice: 0x10\n", "f:2: price: must be a number" },
	{ "name: a\nprice: 1e999\n", "f:2: price: must be a number" },
	{ "name: a\nprice: .inf\n", "f:2: price: must be a number" },
	{ "name: a\ndoors: 6\n", "f:2: doors: must be within 2..5" },
	{ "name: a\nfast: yes\n", "f:2: fast: must be true or false" },
	{ "name: a\ncolor: green\n", "f:2: color: must be one of unknown, red, blue" },
	{ "name: a\ncolor: [red]\n", "f:2: color: must be a word" },
	{ "name: [a]\n", "f:1: name: must be text" },
	{ "name: true\n", "f:1: name: must be text" },
	{ "name: a\nowners: bob\n", "f:2: owners: must be a list" },
	{ "name: a\nowners:\n- bob\n- [x]\n", "f:4: owners: must be text" },
	{ "name: a\nspare: 3\n", "f:2: spare: must be a map (wheel)" },
	{ "name: a\nwheels:\n  - name: b\n    inches: 99\n", "f:4: inches: must be within 1..30" },
	{ "name: a\nwheels:\n  - inches: 9\n", "f:3: name: is missing" },
	{ "name: &x a\n", "f:1: anchors are not used here" },
	{ "name: a\nowners: &x [*x]\n", "f:2: anchors are not used here" },
	{ "name: a\nprice: *x\n", "f:2: aliases are not used here" },
	{ "name: !!str a\n", "f:1: tags are not used here" },
	{ "name: a\n---\nname: b\n", "f:2: more than one document" },
	{ "name: a\n[x]: b\n", "f:2: a key must be a word" },
	{ "name: a\n\"\": b\n", "f:2: a key must be 1 to 128 printable characters" },
	{ "name: a\n\"x\\ny\": b\n", "f:2: a key must be 1 to 128 printable characters" },
	{ "name: a\n\"x\\0y\": b\n", "f:2: NUL byte" },
	{ "name: \"x\\0y\"\n", "f:1: NUL byte" },
	{ "name: a\n\tprice: 1\n", "f:2: found " },
	{ "name: a\nprice: [1, 2\n", "f:3: did not find expected ',' or ']'" },
	{ "name: a\nprice: \"1\n", "f:3: found unexpected end of stream" },
	{ "name: a\nx\xff: 1\n", "f:2: invalid leading UTF-8 octet" },
	{ "name: a\nx\x01: 1\n", "f:2: control characters are not allowed" },
};

static const struct broken broken_json[] = {
	{ "", "f:1: empty" },
	{ "{", "f:1: " },
	{ "[]", "f: must be a map (car)" },
	{ "{\"name\":\"a\",\n\"nome\":1}", "f: nome: unknown key" },
	{ "{\"name\":\"a\",\n\"name\":1}", "f:2: duplicate object key near '\"name\"'" },
	{ "{\"name\":\"a\",\"price\":1e999}", "f:1: real number overflow near '1e999'" },
	{ "{\"name\":\"a\"} x", "f:1: end of file expected near 'x'" },
	{ "{\"name\":\"a\",\"spare\":{\"name\":\"b\",\"inches\":0}}",
	    "f: spare.inches: must be within 1..30" },
	{ "{\"name\":\"a\",\"wheels\":[{\"name\":\"b\"},{\"name\":7}]}",
	    "f: wheels[1].name: must be text" },
	{ "{\"name\":\"a\",\"wheels\":[{\"name\":\"b\"},{}]}", "f: wheels[1].name: is missing" },
	{ "{\"name\":\"a\",\"laps\":[1,\"x\"]}", "f: laps[1]: must be a number" },
	{ "{\"name\":\"a\\u0000\"}", "f:1: \\u0000 is not allowed" },
	{ "{\"name\":\"\xff\"}", "f:1: unable to decode byte 0xff near '\"'" },
	{ "{\"na\\nme\":\"a\"}", "f: a key must be 1 to 128 printable characters" },
};

static void
check_broken(bool yaml, const struct broken *b, size_t n)
{
	struct car car;
	struct err e;
	size_t i;

	for (i = 0; i < n; i++) {
		cr_expect_not(read_car(yaml, b[i].text, strlen(b[i].text), &car, &e), "case %zu", i);
		error_begins(&e, b[i].error, i);
		cr_expect_null(strchr(e.text, '\n'));
		cr_expect_eq(e.code, ERR_USAGE);
	}
}

Test(record, broken_input_gives_one_error_that_names_the_place)
{
	check_broken(true, broken_yaml, NELEM(broken_yaml));
	check_broken(false, broken_json, NELEM(broken_json));
}

Test(record, a_failed_read_leaves_the_struct_untouched)
{
	static const char text[] = "{\"name\":\"a\",\"doors\":9}";
	struct car car, before;
	struct err e;

	memset(&before, 0x55, sizeof(before));
	car = before;
	cr_assert_not(read_car(false, text, strlen(text), &car, &e));
	cr_assert_eq(memcmp(&car, &before, sizeof(car)), 0);
}

static char *
repeated(const char *s, size_t times)
{
	struct text t = { .arena = arena };

	while (times-- > 0)
		text_bytes(&t, s, strlen(s));
	return t.s;
}

Test(record, monstrous_input_is_refused)
{
	static const struct { bool yaml; const char *unit; size_t times; const char *error; } cases[] = {
		{ true, "[", 200000, "f:1: nested more than 64 levels deep" },
		{ true, "{", 200000, "f:1: a key must be a word" },
		{ true, "- ", 200000, "f:1: nested more than 64 levels deep" },
		{ true, "? ", 200000, "f:1: a key must be a word" },
		{ true, "[\n", 200000, "f:65: nested more than 64 levels deep" },
		{ true, "{a: ", 200000, "f:1: nested more than 64 levels deep" },
		{ true, "[a,", 100000, "f:1: nested more than 64 levels deep" },
		{ true, "name: a\n", 1250000, "f: larger than 1024 KiB" },
		{ false, "[", 200000, "f:1: maximum parsing depth reached near '['" },
		{ false, "[", 1000, "f:1: ']' expected near end of file" },
	};
	struct err e;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		char *text = repeated(cases[i].unit, cases[i].times);
		struct car car;

		cr_expect_not(read_car(cases[i].yaml, text, strlen(text), &car, &e), "case %zu", i);
		cr_expect_str_eq(e.text, cases[i].error, "case %zu: %s", i, e.text);
	}
}

Test(record, json_may_be_as_deep_as_yaml)
{
	static const struct { size_t depth; bool ok; } cases[] = { { NODE_DEPTH, true },
		{ NODE_DEPTH + 1, false } };
	struct node *n;
	size_t i;
	int yaml;

	for (i = 0; i < NELEM(cases); i++) {
		char *text = arena_printf(arena, "%s%s", repeated("[", cases[i].depth),
		    repeated("]", cases[i].depth));

		for (yaml = 0; yaml < 2; yaml++) {
			struct err e = { 0 };

			cr_expect_eq((yaml ? node_from_yaml : node_from_json)(arena, "f", text,
			    strlen(text), &n, &e), cases[i].ok, "%zu %d %s", i, yaml, e.text);
		}
	}
}

Test(record, a_map_has_a_bounded_number_of_keys)
{
	struct text t = { .arena = arena };
	struct node *n;
	struct err e = { 0 };
	unsigned i;

	for (i = 0; i <= NODE_KEYS; i++)
		text_add(&t, "k%u: 1\n", i);
	cr_assert_not(node_from_yaml(arena, "f", t.s, t.len, &n, &e));
	cr_assert_str_eq(e.text, "f:257: more than 256 keys");
}

Test(record, nul_bytes_are_refused_with_their_line)
{
	static const char yaml[] = "name: a\nprice: \0 1\n", json[] = "{\"name\":\n\"a\0\"}";
	struct car car;
	struct err e;

	cr_assert_not(read_car(true, yaml, sizeof(yaml) - 1, &car, &e));
	cr_assert_str_eq(e.text, "f:2: NUL byte");
	cr_assert_not(read_car(false, json, sizeof(json) - 1, &car, &e));
	cr_assert_str_eq(e.text, "f:2: control character 0x0 near '\"a'");
}

Test(record, truncated_input_never_crashes)
{
	struct car car;
	struct err e;
	size_t len;
	char *copy, *json;

	cr_assert(read_car(true, car_yaml, strlen(car_yaml), &car, &e));
	json = record_to_json(arena, &car_record, &car, true);
	for (len = 0; len < strlen(car_yaml); len++) {
		copy = arena_alloc(arena, len); /* not terminated: ASan sees one byte more */
		memcpy(copy, car_yaml, len);
		cr_expect(read_car(true, copy, len, &car, &e) || e.text[0] != '\0');
	}
	for (len = 0; len < strlen(json); len++) {
		copy = arena_alloc(arena, len);
		memcpy(copy, json, len);
		cr_expect_not(read_car(false, copy, len, &car, &e));
	}
}

Test(record, lists_can_be_pushed_to_after_reading)
{
	static const char text[] = "name: a\nowners: [a, b, c]\n";
	struct car car;
	struct err e;
	int i;

	cr_assert(read_car(true, text, strlen(text), &car, &e));
	for (i = 0; i < 4; i++) {
		const char **s = arena_push(arena, &car.owners, &car.n_owners, sizeof(*s));

		*s = "more";
	}
	cr_assert_eq(car.n_owners, 7);
	cr_assert_str_eq(car.owners[2], "c");
	cr_assert_str_eq(car.owners[6], "more");
}
