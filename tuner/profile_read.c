#include "profile_read.h"

/* since, before, arches: flat keys of the entry that holds a struct range. */
#define F_RANGE(s) \
	{ "since", FIELD_STRING, offsetof(struct s, range.since), 0, NULL, NULL, 0, 0, 0 }, \
	{ "before", FIELD_STRING, offsetof(struct s, range.before), 0, NULL, NULL, 0, 0, 0 }, \
	{ "arches", FIELD_STRINGS, offsetof(struct s, range.arches), \
	    offsetof(struct s, range.n_arches), NULL, NULL, 0, 0, 0 }

#define BYTES_MAX 1e15

static const struct field query_fields[] = {
	F_STRS(query, argv),
	F_STR(query, file, 0),
	F_END,
};
static const struct record query_record = { "query", sizeof(struct query), query_fields };

static const struct field fact_rule_fields[] = {
	F_STR(fact_rule, fact, FIELD_REQUIRED),
	F_STRS(fact_rule, argv),
	F_STR(fact_rule, file, 0),
	F_STR(fact_rule, pattern, 0),
	F_NUM(fact_rule, scale, 1e-12, 1e12, 0),
	F_STR(fact_rule, value, 0),
	F_STR(fact_rule, unknown, 0),
	F_BOOL(fact_rule, without_peer),
	F_BOOL(fact_rule, ping),
	F_BOOL(fact_rule, any_status),
	F_STR(fact_rule, source, FIELD_REQUIRED),
	F_END,
};
static const struct record fact_rule_record = { "fact", sizeof(struct fact_rule),
	fact_rule_fields };

static const struct field knob_default_fields[] = {
	F_RANGE(knob_default),
	F_NUM(knob_default, value, 0, 0, 0),
	F_NUM(knob_default, ram_divisor, 1, 1e9, 0),
	F_NUM(knob_default, least, 0, BYTES_MAX, 0),
	F_STR(knob_default, text, 0),
	F_STR(knob_default, source, FIELD_REQUIRED),
	F_END,
};
static const struct record knob_default_record = { "default", sizeof(struct knob_default),
	knob_default_fields };

static const struct field knob_fields[] = {
	F_STR(knob, name, FIELD_REQUIRED),
	F_ENUM(knob, role, knob_role_names, FIELD_REQUIRED),
	F_RANGE(knob),
	F_NUM(knob, field, 1, 16, 0),
	F_STR(knob, unit, FIELD_REQUIRED),
	F_NUM(knob, min, 0, 0, 0),
	F_NUM(knob, max, 0, 0, 0),
	F_ENUM(knob, beyond, knob_beyond_names, 0),
	F_ENUM(knob, scope, knob_scope_names, FIELD_REQUIRED),
	F_BOOL(knob, optional),
	F_STR(knob, file, 0),
	F_LIST(knob, defaults, &knob_default_record),
	F_STR(knob, source, FIELD_REQUIRED),
	F_END,
};
static const struct record knob_record = { "knob", sizeof(struct knob), knob_fields };

static const struct field window_fields[] = {
	F_ENUM(window_model, direction, direction_names, FIELD_REQUIRED),
	F_RANGE(window_model),
	F_NUM(window_model, factor, 0.01, 1, FIELD_REQUIRED),
	F_NUM(window_model, typical, 0.01, 1, 0),
	F_NUMS(window_model, limit_share),
	F_NUMS(window_model, initial_share),
	F_BOOL(window_model, lethal),
	F_NUM(window_model, ceiling_bytes, 1, BYTES_MAX, 0),
	F_NUM(window_model, initial_bytes, 1, BYTES_MAX, 0),
	F_NUM(window_model, round_bytes, 1, 65536, 0),
	F_NUM(window_model, multiply, 1.01, 16, 0),
	F_NUM(window_model, add_bytes, 1, BYTES_MAX, 0),
	F_NUM(window_model, step_s, 0, 3600, 0),
	F_NUM(window_model, step_rtt, 0, 1000, 0),
	F_STR(window_model, source, FIELD_REQUIRED),
	F_END,
};
static const struct record window_record = { "window", sizeof(struct window_model),
	window_fields };

static const struct field scale_fields[] = {
	F_RANGE(scale_model),
	F_ENUM(scale_model, rule, scale_rule_names, FIELD_REQUIRED),
	F_STRS(scale_model, of),
	F_NUM(scale_model, value, 1, BYTES_MAX, 0),
	F_NUM(scale_model, least, 0, 14, 0),
	F_STR(scale_model, source, FIELD_REQUIRED),
	F_END,
};
static const struct record scale_record = { "scale", sizeof(struct scale_model), scale_fields };

static const struct field requirement_fields[] = {
	F_RANGE(requirement),
	F_ENUM(requirement, direction, direction_names, FIELD_REQUIRED),
	F_STR(requirement, knob, FIELD_REQUIRED),
	F_NUM(requirement, above_bytes, 0, BYTES_MAX, 0),
	F_NUM(requirement, value, 0, 0, 0),
	F_NUMS(requirement, also),
	F_BOOL(requirement, growth),
	F_NUM(requirement, window_share, 0.1, 1e6, 0),
	F_STR(requirement, reason, FIELD_REQUIRED),
	F_STR(requirement, words, FIELD_REQUIRED),
	F_STR(requirement, source, FIELD_REQUIRED),
	F_END,
};
static const struct record requirement_record = { "requirement", sizeof(struct requirement),
	requirement_fields };

static const struct field extra_set_fields[] = {
	F_STR(extra_set, knob, 0),
	F_STR(extra_set, offload, 0),
	F_STR(extra_set, fact, 0),
	F_STRS(extra_set, over),
	F_STR(extra_set, value, 0),
	F_NUM(extra_set, window_share, 0.1, 1e6, 0),
	F_NUM(extra_set, piece_bytes, 1, 1e6, 0),
	F_NUM(extra_set, most, 1, BYTES_MAX, 0),
	F_STRS(extra_set, read),
	F_STR(extra_set, after, 0),
	F_STRS(extra_set, write),
	F_STR(extra_set, boot, 0),
	F_END,
};
static const struct record extra_set_record = { "set", sizeof(struct extra_set),
	extra_set_fields };

static const struct field extra_fields[] = {
	F_STR(extra, id, FIELD_REQUIRED),
	F_RANGE(extra),
	F_ENUM(extra, direction, direction_names, FIELD_REQUIRED),
	F_STRS(extra, binds),
	F_BOOL(extra, with_window),
	F_LIST(extra, sets, &extra_set_record),
	F_STR(extra, reason, FIELD_REQUIRED),
	F_STR(extra, words, FIELD_REQUIRED),
	F_STR(extra, source, FIELD_REQUIRED),
	F_END,
};
static const struct record extra_record = { "extra", sizeof(struct extra), extra_fields };

static const struct field condition_fields[] = {
	F_STR(condition, fact, 0),
	F_STR(condition, knob, 0),
	F_STR(condition, offload, 0),
	F_STR(condition, key, 0),
	F_STR(condition, is, 0),
	F_STR(condition, is_not, 0),
	F_NUM(condition, below, 0, 0, 0),
	F_NUM(condition, above, 0, 0, 0),
	F_END,
};
static const struct record condition_record = { "condition", sizeof(struct condition),
	condition_fields };

static const struct field hazard_rule_fields[] = {
	F_STR(hazard_rule, id, FIELD_REQUIRED),
	F_RANGE(hazard_rule),
	F_LIST(hazard_rule, when, &condition_record),
	F_STR(hazard_rule, words, FIELD_REQUIRED),
	F_STR(hazard_rule, source, FIELD_REQUIRED),
	F_END,
};
static const struct record hazard_rule_record = { "hazard", sizeof(struct hazard_rule),
	hazard_rule_fields };

static const struct field congestion_fields[] = {
	F_REC(congestion, now, &query_record),
	F_REC(congestion, available, &query_record),
	F_REC(congestion, allowed, &query_record),
	F_REC(congestion, loaded, &query_record),
	F_STR(congestion, names, 0),
	F_STR(congestion, modules, 0),
	F_STR(congestion, module, 0),
	F_STRS(congestion, candidates),
	F_STRS(congestion, probe),
	F_STR(congestion, missing, 0),
	F_STRS(congestion, load),
	F_STR(congestion, fixed, 0),
	F_STR(congestion, source, FIELD_REQUIRED),
	F_END,
};
static const struct record congestion_record = { "congestion", sizeof(struct congestion),
	congestion_fields };

static const struct field offload_switch_fields[] = {
	F_STR(offload_switch, name, FIELD_REQUIRED),
	F_STR(offload_switch, flag, FIELD_REQUIRED),
	F_END,
};
static const struct record offload_switch_record = { "switch", sizeof(struct offload_switch),
	offload_switch_fields };

static const struct field offload_source_fields[] = {
	F_STRS(offload_source, argv),
	F_STR(offload_source, names, 0),
	F_STR(offload_source, able, 0),
	F_STRS(offload_source, list),
	F_LIST(offload_source, switches, &offload_switch_record),
	F_STRS(offload_source, read),
	F_STRS(offload_source, write),
	F_STR(offload_source, source, FIELD_REQUIRED),
	F_END,
};
static const struct record offload_source_record = { "offloads", sizeof(struct offload_source),
	offload_source_fields };

static const struct field persist_file_fields[] = {
	F_STR(persist_file, path, FIELD_REQUIRED),
	F_ENUM(persist_file, style, persist_style_names, FIELD_REQUIRED),
	F_STR(persist_file, line, FIELD_REQUIRED),
	F_STR(persist_file, optional_line, 0),
	F_STRS(persist_file, accepts),
	F_NUM(persist_file, line_bytes, 100, 1e6, 0),
	F_STRS(persist_file, reader),
	F_STR(persist_file, unread, 0),
	F_STR(persist_file, source, FIELD_REQUIRED),
	F_END,
};
static const struct record persist_file_record = { "file", sizeof(struct persist_file),
	persist_file_fields };

static const struct field persist_fields[] = {
	F_REC(persist, settings, &persist_file_record),
	F_REC(persist, modules, &persist_file_record),
	F_REC(persist, offloads, &persist_file_record),
	F_STRS(persist, sources),
	F_STR(persist, state, 0),
	F_ENUM(persist, precedence, precedence_names, FIELD_REQUIRED),
	F_END,
};
static const struct record persist_record = { "persist", sizeof(struct persist), persist_fields };

static const struct field endpoint_program_fields[] = {
	F_STR(endpoint_program, tool, FIELD_REQUIRED),
	F_ENUM(endpoint_program, direction, direction_names, FIELD_REQUIRED),
	F_STRS(endpoint_program, argv),
	F_ENUM(endpoint_program, greeting, greeting_names, FIELD_REQUIRED),
	F_STR(endpoint_program, source, FIELD_REQUIRED),
	F_END,
};
static const struct record endpoint_program_record = { "program", sizeof(struct endpoint_program),
	endpoint_program_fields };

static const struct field endpoints_fields[] = {
	F_BOOL(endpoints, iperf3_cc),
	F_LIST(endpoints, programs, &endpoint_program_record),
	F_STR(endpoints, source, FIELD_REQUIRED),
	F_END,
};
static const struct record endpoints_record = { "endpoints", sizeof(struct endpoints),
	endpoints_fields };

static const struct field load_time_fields[] = {
	F_STR(load_time, file, FIELD_REQUIRED),
	F_STR(load_time, pattern, FIELD_REQUIRED),
	F_NUM(load_time, scale, 1e-12, 1, FIELD_REQUIRED),
	F_END,
};
static const struct record load_time_record = { "time", sizeof(struct load_time),
	load_time_fields };

static const struct field load_groups_fields[] = {
	F_STR(load_groups, member, FIELD_REQUIRED),
	F_STR(load_groups, root, FIELD_REQUIRED),
	F_STR(load_groups, controller, FIELD_REQUIRED),
	F_LIST(load_groups, times, &load_time_record),
	F_END,
};
static const struct record load_groups_record = { "groups", sizeof(struct load_groups),
	load_groups_fields };

static const struct field load_cores_fields[] = {
	F_STRS(load_cores, argv),
	F_STR(load_cores, file, 0),
	F_STR(load_cores, each, 0),
	F_NUM(load_cores, numbers, 2, 16, FIELD_REQUIRED),
	F_NUMS(load_cores, busy),
	F_STR(load_cores, source, FIELD_REQUIRED),
	F_END,
};
static const struct record load_cores_record = { "cores", sizeof(struct load_cores),
	load_cores_fields };

static const struct field load_source_fields[] = {
	F_REC(load_source, waited, &load_time_record),
	F_REC(load_source, groups, &load_groups_record),
	F_REC(load_source, cores, &load_cores_record),
	F_END,
};
static const struct record load_source_record = { "load", sizeof(struct load_source),
	load_source_fields };

/*
 * persist and its precedence stand last in every profile and are required, so that a file that was
 * cut is refused.
 */
static const struct field profile_fields[] = {
	F_STR(profile, name, FIELD_REQUIRED),
	F_STR(profile, sysname, FIELD_REQUIRED),
	F_STR(profile, releases, FIELD_REQUIRED),
	F_STR(profile, first_release, 0),
	F_STR(profile, last_release, 0),
	F_LIST(profile, facts, &fact_rule_record),
	F_REC(profile, offloads, &offload_source_record),
	F_STRS(profile, knob_read),
	F_STRS(profile, knob_write),
	F_LIST(profile, knobs, &knob_record),
	F_STRS(profile, writable),
	F_REC(profile, congestion, &congestion_record),
	F_REC(profile, stacks, &congestion_record),
	F_STRS(profile, flush),
	F_LIST(profile, windows, &window_record),
	F_LIST(profile, scales, &scale_record),
	F_STR(profile, memory_knob, 0),
	F_LIST(profile, memory_defaults, &knob_default_record),
	F_NUM(profile, limit_step_bytes, 1, 1e9, 0),
	F_LIST(profile, requires, &requirement_record),
	F_LIST(profile, extras, &extra_record),
	F_LIST(profile, hazards, &hazard_rule_record),
	F_REC(profile, nic, &nic_system_record),
	F_REC(profile, endpoints, &endpoints_record),
	F_REC(profile, load, &load_source_record),
	{ "persist", FIELD_RECORD, offsetof(struct profile, persist), 0, &persist_record, NULL, 0,
	    0, FIELD_REQUIRED },
	F_END,
};
const struct record profile_record = { "profile", sizeof(struct profile), profile_fields };
