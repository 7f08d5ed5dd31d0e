/*
 * What apply, confirm and revert print with --json.  Part of apply.h.
 */
#include "apply.h"

static const struct field value_fields[] = {
	F_STR(apply_value_result, name, FIELD_REQUIRED),
	F_STR(apply_value_result, old, 0),
	F_STR(apply_value_result, new, 0),
	F_STR(apply_value_result, outcome, 0),
	F_STR(apply_value_result, why, 0),
	F_END,
};
static const struct record value_record = { "value", sizeof(struct apply_value_result),
	value_fields };

static const struct field file_fields[] = {
	F_STR(apply_file_result, path, FIELD_REQUIRED),
	F_STR(apply_file_result, outcome, 0),
	F_STR(apply_file_result, why, 0),
	F_END,
};
static const struct record file_record = { "file", sizeof(struct apply_file_result),
	file_fields };

static const struct field conflict_fields[] = {
	F_STR(apply_conflict, name, FIELD_REQUIRED),
	F_STR(apply_conflict, where, 0),
	F_STR(apply_conflict, value, 0),
	F_BOOL(apply_conflict, wins),
	F_END,
};
static const struct record conflict_record = { "conflict", sizeof(struct apply_conflict),
	conflict_fields };

static const struct field result_fields[] = {
	F_STR(apply_result, schema, FIELD_REQUIRED),
	F_STR(apply_result, command, 0),
	F_STR(apply_result, status, 0),
	F_NUM(apply_result, confirm_s, 0, 1e9, 0),
	F_LIST(apply_result, values, &value_record),
	F_LIST(apply_result, files, &file_record),
	F_LIST(apply_result, conflicts, &conflict_record),
	F_STRS(apply_result, notes),
	F_STR(apply_result, diff, 0),
	F_END,
};
const struct record apply_result_record = { "result", sizeof(struct apply_result),
	result_fields };
