/*
 * docs/run.schema.json says what the tables of tuner/model.c say (UPDATE=1 writes it anew), and what
 * the program prints is valid by it.
 */
#include "tuner/model.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA TESTS_DIR "/../docs/run.schema.json"

static json_t *object(const struct record *r);

/* A type, or null where the value may be unknown. */
static json_t *
type(const char *name, bool known)
{
	return known ? json_pack("{s:s}", "type", name) :
	    json_pack("{s:[s,s]}", "type", name, "null");
}

static json_t *
number(const struct field *f)
{
	json_t *n = type("number", f->flags & FIELD_REQUIRED);

	if (f->min != 0 || f->max != 0) {
		json_object_set_new(n, "minimum", json_real(f->min));
		json_object_set_new(n, "maximum", json_real(f->max));
	}
	return n;
}

static json_t *
one_of(const char *const *names)
{
	json_t *list = json_array();

	for (size_t i = 0; names[i] != NULL; i++)
		json_array_append_new(list, json_string(names[i]));
	return json_pack("{s:o}", "enum", list);
}

static json_t *
list_of(json_t *items)
{
	return json_pack("{s:s,s:o}", "type", "array", "items", items);
}

static json_t *
value(const struct field *f)
{
	switch (f->type) {
	case FIELD_STRING:
		return type("string", f->flags & FIELD_REQUIRED);
	case FIELD_NUMBER:
		return number(f);
	case FIELD_BOOL:
		return type("boolean", true);
	case FIELD_ENUM:
		return one_of(f->names);
	case FIELD_STRINGS:
		return list_of(type("string", true));
	case FIELD_NUMBERS:
		return list_of(type("number", false));
	case FIELD_RECORD:
		return object(f->record);
	case FIELD_LIST:
		return list_of(object(f->record));
	}
	return NULL;
}

static json_t *
object(const struct record *r)
{
	json_t *members = json_object(), *required = json_array();

	for (const struct field *f = r->fields; f->name != NULL; f++) {
		json_object_set_new(members, f->name, value(f));
		if (f->flags & FIELD_REQUIRED)
			json_array_append_new(required, json_string(f->name));
	}
	return json_pack("{s:s,s:o,s:o,s:b}", "type", "object", "properties", members, "required",
	    required, "additionalProperties", false);
}

static json_t *
schema(void)
{
	json_t *s = json_pack("{s:s,s:s,s:s}", "$schema",
	    "https://json-schema.org/draft/2020-12/schema", "title", RUN_SCHEMA, "description",
	    "A run of pathtune, as tune --save writes it and show --json prints it");
	json_t *run = object(&run_record);

	json_object_set_new(json_object_get(json_object_get(run, "properties"), "schema"), "const",
	    json_string(RUN_SCHEMA));
	json_object_update(s, run);
	json_decref(run);
	return s;
}

Test(schema, is_what_the_tables_say)
{
	json_t *now = schema(), *written;

	if (getenv("UPDATE") != NULL)
		cr_assert_eq(json_dump_file(now, SCHEMA, JSON_INDENT(1) | JSON_REAL_PRECISION(12)),
		    0);
	written = json_load_file(SCHEMA, 0, NULL);
	cr_assert_not_null(written, "%s cannot be read", SCHEMA);
	cr_expect(json_equal(now, written),
	    "docs/run.schema.json differs from tuner/model.c: UPDATE=1 build/tests/test_schema");
	json_decref(now);
	json_decref(written);
}
