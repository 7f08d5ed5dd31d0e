#include "model_nic.h"

const char *const nic_verdict_names[] = { "none", "keep", "try", "switch", NULL };

static const struct field nic_driver_fields[] = {
	F_STR(nic_driver, model, FIELD_REQUIRED),
	F_STR(nic_driver, driver, FIELD_REQUIRED),
	F_STR(nic_driver, interface, 0),
	F_BOOL(nic_driver, fast),
	F_STRS(nic_driver, check),
	F_STR(nic_driver, effects, FIELD_REQUIRED),
	F_STR(nic_driver, source, FIELD_REQUIRED),
	F_END,
};
static const struct record nic_driver_record = { "driver", sizeof(struct nic_driver),
	nic_driver_fields };

static const struct field nic_file_fields[] = {
	F_STR(nic_file, path, FIELD_REQUIRED),
	F_STR(nic_file, pattern, 0),
	F_STRS(nic_file, both),
	F_STRS(nic_file, swap),
	F_STRS(nic_file, undo),
	F_STR(nic_file, words, 0),
	F_STR(nic_file, source, FIELD_REQUIRED),
	F_END,
};
static const struct record nic_file_record = { "place", sizeof(struct nic_file),
	nic_file_fields };

static const struct field nic_system_fields[] = {
	F_STRS(nic_system, interfaces),
	F_STR(nic_system, names, 0),
	F_STRS(nic_system, lines),
	F_STRS(nic_system, files),
	F_STR(nic_system, slot, 0),
	F_NUM(nic_system, slot_base, 10, 16, 0),
	F_STR(nic_system, stays, 0),
	F_STRS(nic_system, rename),
	F_STRS(nic_system, unrename),
	F_STRS(nic_system, off),
	F_LIST(nic_system, drivers, &nic_driver_record),
	F_LIST(nic_system, places, &nic_file_record),
	F_END,
};
const struct record nic_system_record = { "nic", sizeof(struct nic_system), nic_system_fields };

static const struct field nic_kind_fields[] = {
	F_STR(nic_kind, id, FIELD_REQUIRED),
	F_STR(nic_kind, name, FIELD_REQUIRED),
	F_BOOL(nic_kind, paravirtual),
	F_STR(nic_kind, effects, FIELD_REQUIRED),
	F_STR(nic_kind, source, FIELD_REQUIRED),
	F_END,
};
static const struct record nic_kind_record = { "model", sizeof(struct nic_kind),
	nic_kind_fields };

static const struct field nic_offer_fields[] = {
	F_STR(nic_offer, model, FIELD_REQUIRED),
	F_STR(nic_offer, name, FIELD_REQUIRED),
	F_END,
};
static const struct record nic_offer_record = { "offer", sizeof(struct nic_offer),
	nic_offer_fields };

static const struct field nic_step_fields[] = {
	F_STRS(nic_step, argv),
	F_STR(nic_step, file, 0),
	F_STR(nic_step, line, 0),
	F_STR(nic_step, words, 0),
	F_END,
};
static const struct record nic_step_record = { "step", sizeof(struct nic_step),
	nic_step_fields };

static const struct field hypervisor_fields[] = {
	F_STR(hypervisor, id, FIELD_REQUIRED),
	F_STR(hypervisor, name, FIELD_REQUIRED),
	F_STRS(hypervisor, guests),
	F_STRS(hypervisor, vendors),
	F_STR(hypervisor, seen, FIELD_REQUIRED),
	F_LIST(hypervisor, offers, &nic_offer_record),
	F_STR(hypervisor, keeps, 0),
	F_BOOL(hypervisor, moves),
	F_LIST(hypervisor, steps, &nic_step_record),
	F_STR(hypervisor, instead, 0),
	F_STR(hypervisor, source, FIELD_REQUIRED),
	F_END,
};
static const struct record hypervisor_record = { "hypervisor", sizeof(struct hypervisor),
	hypervisor_fields };

static const struct field hypervisors_fields[] = {
	F_LIST(hypervisors, models, &nic_kind_record),
	F_LIST(hypervisors, hypervisors, &hypervisor_record),
	F_END,
};
const struct record hypervisors_record = { "hypervisors", sizeof(struct hypervisors),
	hypervisors_fields };

static const struct field nic_name_fields[] = {
	F_STR(nic_name, file, FIELD_REQUIRED),
	F_NUM(nic_name, line, 1, 1e9, 0),
	F_STR(nic_name, text, 0),
	F_END,
};
const struct record nic_name_record = { "name", sizeof(struct nic_name), nic_name_fields };

static const struct field nic_action_fields[] = {
	F_STRS(nic_action, argv),
	F_STR(nic_action, file, 0),
	F_STR(nic_action, line, 0),
	F_STR(nic_action, words, 0),
	F_END,
};
static const struct record nic_action_record = { "action", sizeof(struct nic_action),
	nic_action_fields };

static const struct field nic_place_fields[] = {
	F_STR(nic_place, file, FIELD_REQUIRED),
	F_NUM(nic_place, line, 1, 1e9, 0),
	F_STR(nic_place, text, 0),
	F_STR(nic_place, status, 0),
	F_STR(nic_place, words, 0),
	F_END,
};
static const struct record nic_place_record = { "place", sizeof(struct nic_place),
	nic_place_fields };

static const struct field nic_way_fields[] = {
	F_STR(nic_way, id, FIELD_REQUIRED),
	F_STR(nic_way, name, 0),
	F_STR(nic_way, seen, 0),
	F_STR(nic_way, keeps, 0),
	F_LIST(nic_way, change, &nic_action_record),
	F_LIST(nic_way, back, &nic_action_record),
	F_END,
};
static const struct record nic_way_record = { "way", sizeof(struct nic_way), nic_way_fields };

static const struct field nic_plan_fields[] = {
	F_STR(nic_plan, from, 0),
	F_STR(nic_plan, to, 0),
	F_STR(nic_plan, driver, 0),
	F_STR(nic_plan, old_name, 0),
	F_STR(nic_plan, new_name, 0),
	F_STRS(nic_plan, notes),
	F_LIST(nic_plan, before, &nic_action_record),
	F_LIST(nic_plan, places, &nic_place_record),
	F_LIST(nic_plan, prepare, &nic_action_record),
	F_LIST(nic_plan, last, &nic_action_record),
	F_LIST(nic_plan, ways, &nic_way_record),
	F_LIST(nic_plan, after, &nic_action_record),
	F_LIST(nic_plan, back, &nic_action_record),
	F_STRS(nic_plan, effects),
	F_END,
};
static const struct record nic_plan_record = { "plan", sizeof(struct nic_plan),
	nic_plan_fields };

static const struct field nic_advice_fields[] = {
	F_ENUM(nic_advice, verdict, nic_verdict_names, 0),
	F_STR(nic_advice, reason, 0),
	F_STR(nic_advice, words, 0),
	F_BOOL(nic_advice, asked),
	F_REC(nic_advice, plan, &nic_plan_record),
	F_END,
};
const struct record nic_advice_record = { "nic", sizeof(struct nic_advice), nic_advice_fields };
