#include "model.h"

#include <string.h>

const char *const direction_names[] = { "none", "send", "receive", "both", NULL };
const char *const knob_role_names[] = { "unknown", "limit", "limit_send", "limit_receive",
	"send_max", "receive_max", "send_initial", "receive_initial", "send_increment",
	"receive_increment", "send_auto", "receive_auto", "congestion", "stack", "flush", "watch",
	NULL };
const char *const knob_scope_names[] = { "unknown", "global", "namespace", "loader", NULL };
const char *const knob_beyond_names[] = { "unknown", "refused", "clamped", "wrapped", "accepted",
	NULL };
const char *const scale_rule_names[] = { "none", "cover", "log2", NULL };
const char *const persist_style_names[] = { "none", "own", "block", NULL };
const char *const precedence_names[] = { "listed", "basename", NULL };
const char *const greeting_names[] = { "none", "line", "http", "address", NULL };
const char *const budget_mode_names[] = { "standard", "quick", "thorough", NULL };
const double budget_mode_s[] = {
	[BUDGET_STANDARD] = 600, [BUDGET_QUICK] = 150, [BUDGET_THOROUGH] = 1800,
};
const char *const policy_names[] = { "throughput", "latency", "balanced", NULL };
const char *const trial_phase_names[] = { "probe", "race", "knee", "confirm", "measure", NULL };
const char *const trial_status_names[] = { "ok", "timeout", "void", "cut", NULL };
const char *const verdict_names[] = { "none", "keep", "change", NULL };
const char *const decision_class_names[] = { "none", "window", "congestion-control",
	"window-and-congestion-control", "other-settings", "no-gain", "cannot-bind", "inconclusive",
	"guard", "peer-limits", "unsteady", "failed", "advice", "enough", "ceiling", "memory",
	"tried", NULL };
const char *const try_class_names[] = { "none", "better", "worse", "no-gain", "inconclusive",
	"guard", "unsteady", "failed", NULL };
const char *const limiter_names[] = { "unknown", "rwnd", "sndbuf", "cwnd", "path", "policer", "cpu",
	"peer-cpu", "writer", "reader", "growth", "nic", NULL };

static const struct field offload_fields[] = {
	F_STR(offload, name, FIELD_REQUIRED),
	F_STR(offload, state, 0),
	F_BOOL(offload, fixed),
	F_END,
};
static const struct record offload_record = { "offload", sizeof(struct offload), offload_fields };

static const struct field knob_fact_fields[] = {
	F_STR(knob_fact, name, FIELD_REQUIRED),
	F_STR(knob_fact, text, 0),
	F_NUM(knob_fact, now, 0, 0, 0),
	F_NUM(knob_fact, min, 0, 0, 0),
	F_NUM(knob_fact, max, 0, 0, 0),
	F_BOOL(knob_fact, writable),
	F_STR(knob_fact, why, 0),
	F_END,
};
static const struct record knob_fact_record = { "knob", sizeof(struct knob_fact),
	knob_fact_fields };

static const struct field unknown_fields[] = {
	F_STR(unknown, fact, FIELD_REQUIRED),
	F_STR(unknown, why, 0),
	F_END,
};
static const struct record unknown_record = { "unknown", sizeof(struct unknown), unknown_fields };

static const struct field source_line_fields[] = {
	F_STR(source_line, file, FIELD_REQUIRED),
	F_NUM(source_line, line, 1, 1e9, 0),
	F_STR(source_line, name, FIELD_REQUIRED),
	F_STR(source_line, value, 0),
	F_END,
};
static const struct record source_line_record = { "source", sizeof(struct source_line),
	source_line_fields };

static const struct field path_fact_fields[] = {
	F_ENUM(path_fact, direction, direction_names, FIELD_REQUIRED),
	F_NUM(path_fact, udp_bps, 0, 1e15, 0),
	F_NUM(path_fact, udp_loss, 0, 1, 0),
	F_NUM(path_fact, udp_sent_bps, 0, 1e15, 0),
	F_NUM(path_fact, udp_burst_bps, 0, 1e15, 0),
	F_NUM(path_fact, udp_bytes, 0, 1e18, 0),
	F_NUM(path_fact, streams, 0, 1e6, 0),
	F_NUM(path_fact, streams_bps, 0, 1e15, 0),
	F_NUM(path_fact, one_bps, 0, 1e15, 0),
	F_END,
};
const struct record path_fact_record = { "path", sizeof(struct path_fact), path_fact_fields };

static const struct field facts_fields[] = {
	F_STR(facts, os, 0),
	F_STR(facts, release, 0),
	F_STR(facts, arch, 0),
	F_BOOL(facts, privileged),
	F_STR(facts, boot_id, 0),
	F_STR(facts, scope_id, 0),
	F_STR(facts, container, 0),
	F_STR(facts, writable_scopes, 0),
	F_STR(facts, hypervisor, 0),
	F_STR(facts, vendor, 0),
	F_NUM(facts, ram_bytes, 1, 1e18, 0),
	F_NUM(facts, cpus, 1, 1e6, 0),
	F_NUM(facts, page_bytes, 1, 1e9, 0),
	F_STR(facts, interface, 0),
	F_STR(facts, mac, 0),
	F_STR(facts, driver, 0),
	F_STR(facts, parent, 0),
	F_STR(facts, bus, 0),
	F_STR(facts, pci_vendor, 0),
	F_STR(facts, pci_device, 0),
	F_STR(facts, nic_model, 0),
	F_STR(facts, link, 0),
	F_NUM(facts, link_bps, 1, 1e15, 0),
	F_NUM(facts, mtu, 1, 1e6, 0),
	F_STR(facts, qdisc, 0),
	F_NUM(facts, tcp_mem_pages, 1, 1e15, 0),
	F_NUM(facts, mbuf_bytes, 1, 1e18, 0),
	F_NUM(facts, mbuf_denied, 0, 1e18, 0),
	F_NUM(facts, segments_sent, 0, 1e18, 0),
	F_NUM(facts, segments_retransmitted, 0, 1e18, 0),
	F_STR(facts, firewall, 0),
	F_STRS(facts, interfaces),
	F_LIST(facts, names, &nic_name_record),
	F_LIST(facts, offloads, &offload_record),
	F_LIST(facts, knobs, &knob_fact_record),
	F_STR(facts, cc, 0),
	F_STRS(facts, cc_available),
	F_STRS(facts, cc_allowed),
	F_STRS(facts, cc_loadable),
	F_STRS(facts, cc_modules),
	F_STR(facts, cc_fixed, 0),
	F_STR(facts, stack, 0),
	F_STRS(facts, stacks_available),
	F_STRS(facts, stacks_loadable),
	F_LIST(facts, sources, &source_line_record),
	F_STR(facts, peer, 0),
	F_STR(facts, tool, 0),
	F_NUM(facts, rtt_ms, 0, 1e6, 0),
	F_NUM(facts, send_bps, 0, 1e15, 0),
	F_NUM(facts, receive_bps, 0, 1e15, 0),
	F_LIST(facts, path, &path_fact_record),
	F_LIST(facts, unknown, &unknown_record),
	F_END,
};
const struct record facts_record = { "facts", sizeof(struct facts), facts_fields };

static const struct field advice_path_fields[] = {
	F_NUM(advice_path, rtt_ms, 0, 1e6, 0),
	F_NUM(advice_path, rate_bps, 0, 1e15, 0),
	F_END,
};
static const struct record advice_path_record = { "path", sizeof(struct advice_path),
	advice_path_fields };

static const struct field options_fields[] = {
	F_STR(options, command, 0),
	F_STR(options, host, 0),
	F_STR(options, peer, 0),
	F_STR(options, ping, 0),
	F_ENUM(options, direction, direction_names, 0),
	F_NUM(options, budget_s, 0, 1e9, 0),
	F_ENUM(options, mode, budget_mode_names, 0),
	F_NUM(options, data_cap_bytes, 0, 1e18, 0),
	F_NUM(options, streams, 1, 64, 0),
	F_ENUM(options, policy, policy_names, 0),
	F_BOOL(options, all_cc),
	F_STR(options, start_cc, 0),
	F_STR(options, try_file, 0),
	F_NUM(options, more_s, 0, 1e9, 0),
	F_STR(options, end, 0),
	F_LIST(options, paths, &advice_path_record),
	F_NUM(options, connections, 1, 1e9, 0),
	F_STR(options, nic, 0),
	F_END,
};
static const struct record options_record = { "options", sizeof(struct options), options_fields };

static const struct field change_line_fields[] = {
	F_STR(change_line, name, FIELD_REQUIRED),
	F_STR(change_line, old, 0),
	F_STR(change_line, new, FIELD_REQUIRED),
	F_STR(change_line, reason, 0),
	F_BOOL(change_line, verified),
	F_END,
};
static const struct record change_line_record = { "setting", sizeof(struct change_line),
	change_line_fields };

static const struct field plan_extra_fields[] = {
	F_STR(plan_extra, id, FIELD_REQUIRED),
	F_STRS(plan_extra, binds),
	F_BOOL(plan_extra, with_window),
	F_LIST(plan_extra, lines, &change_line_record),
	F_END,
};
static const struct record plan_extra_record = { "extra", sizeof(struct plan_extra),
	plan_extra_fields };

static const struct field plan_direction_fields[] = {
	F_ENUM(plan_direction, direction, direction_names, FIELD_REQUIRED),
	F_NUM(plan_direction, window_bytes, 0, 1e15, 0),
	F_NUM(plan_direction, window_next_bytes, 0, 1e15, 0),
	F_NUM(plan_direction, window_max_bytes, 0, 1e15, 0),
	F_NUM(plan_direction, window_factor, 0, 2, 0),
	F_STRS(plan_direction, cc),
	F_BOOL(plan_direction, window_writable),
	F_STR(plan_direction, why, 0),
	F_LIST(plan_direction, extras, &plan_extra_record),
	F_NUM(plan_direction, more_s, 0, 1e9, 0),
	F_END,
};
static const struct record plan_direction_record = { "direction", sizeof(struct plan_direction),
	plan_direction_fields };

static const struct field plan_fields[] = {
	F_LIST(plan, directions, &plan_direction_record),
	F_NUM(plan, expected_s, 0, 1e9, 0),
	F_NUM(plan, expected_bytes, 0, 1e18, 0),
	F_STRS(plan, notes),
	F_END,
};
const struct record plan_record = { "plan", sizeof(struct plan), plan_fields };

static const struct field setting_fields[] = {
	F_STR(setting, cc, 0),
	F_NUM(setting, window_bytes, 0, 1e15, 0),
	F_STRS(setting, extras),
	F_END,
};
static const struct record setting_record = { "setting", sizeof(struct setting), setting_fields };

static const struct field trial_rtt_fields[] = {
	F_NUM(trial_rtt, idle_ms, 0, 1e7, 0),
	F_NUM(trial_rtt, min_ms, 0, 1e7, 0),
	F_NUM(trial_rtt, loaded_ms, 0, 1e7, 0),
	F_END,
};
static const struct record trial_rtt_record = { "rtt", sizeof(struct trial_rtt), trial_rtt_fields };

static const struct field trial_fields[] = {
	F_REC(trial, setting, &setting_record),
	F_ENUM(trial, direction, direction_names, FIELD_REQUIRED),
	F_ENUM(trial, phase, trial_phase_names, FIELD_REQUIRED),
	F_NUM(trial, block, 0, 1e6, 0),
	F_NUM(trial, slot, 0, 1e6, 0),
	F_NUM(trial, coin, 0, 1, 0),
	F_NUM(trial, asked_s, 0, 1e9, 0),
	F_NUM(trial, asked_bytes, 0, 1e18, 0),
	F_ENUM(trial, status, trial_status_names, FIELD_REQUIRED),
	F_STR(trial, why, 0),
	F_NUM(trial, goodput_bps, 0, 1e15, 0),
	F_NUM(trial, retransmits, 0, 1, 0),
	F_REC(trial, rtt, &trial_rtt_record),
	F_NUM(trial, inflight_bytes, 0, 1e15, 0),
	F_NUM(trial, rwnd_limited, 0, 1, 0),
	F_NUM(trial, sndbuf_limited, 0, 1, 0),
	F_NUM(trial, delivery_rate_bps, 0, 1e15, 0),
	F_NUM(trial, bytes, 0, 1e18, 0),
	F_NUM(trial, warmup_s, 0, 1e6, 0),
	F_NUM(trial, duration_s, 0, 1e6, 0),
	F_BOOL(trial, steady),
	F_NUM(trial, streams, 0, 1e6, 0),
	F_STR(trial, try, 0),
	F_NUM(trial, pin_bytes, 0, 1e15, 0),
	F_NUM(trial, cpu, 0, 1e3, 0),
	F_NUM(trial, cpu_wait, 0, 1, 0),
	F_NUM(trial, peer_cpu, 0, 1e3, 0),
	F_NUM(trial, peer_cpu_wait, 0, 1, 0),
	F_NUM(trial, system_cpu, 0, 1, 0),
	F_NUM(trial, peer_system_cpu, 0, 1, 0),
	F_NUM(trial, idle_writes, 0, 1, 0),
	F_NUM(trial, unread_bytes, 0, 1e15, 0),
	F_NUM(trial, unsent_bytes, 0, 1e15, 0),
	F_NUM(trial, cwnd_bytes, 0, 1e15, 0),
	F_NUM(trial, rwnd_bytes, 0, 1e15, 0),
	F_NUMS(trial, intervals_bps),
	F_END,
};
const struct record trial_record = { "trial", sizeof(struct trial), trial_fields };

static const struct field effect_fields[] = {
	F_NUM(effect, estimate, 0, 0, 0),
	F_NUM(effect, low, 0, 0, 0),
	F_NUM(effect, high, 0, 0, 0),
	F_NUM(effect, confidence, 0, 1, 0),
	F_NUM(effect, pairs, 0, 1e6, 0),
	F_NUM(effect, seconds, 0, 1e9, 0),
	F_END,
};
const struct record effect_record = { "effect", sizeof(struct effect), effect_fields };

static const struct field side_fields[] = {
	F_REC(side, setting, &setting_record),
	F_NUM(side, goodput_bps, 0, 1e15, 0),
	F_NUM(side, rtt_ms, 0, 1e7, 0),
	F_NUM(side, retransmits, 0, 1, 0),
	F_END,
};
static const struct record side_record = { "side", sizeof(struct side), side_fields };

static const struct field limit_fields[] = {
	F_ENUM(limit, limiter, limiter_names, 0),
	F_STR(limit, evidence, 0),
	F_END,
};
static const struct record limit_record = { "limit", sizeof(struct limit), limit_fields };

static const struct field path_limit_fields[] = {
	F_ENUM(path_limit, direction, direction_names, FIELD_REQUIRED),
	F_ENUM(path_limit, limiter, limiter_names, 0),
	F_STR(path_limit, evidence, 0),
	F_END,
};
const struct record path_limit_record = { "limit", sizeof(struct path_limit), path_limit_fields };

static const struct field try_stratum_fields[] = {
	F_NUM(try_stratum, pin_bytes, 0, 1e15, 0),
	F_NUM(try_stratum, goodput_bps, 0, 1e15, 0),
	F_END,
};
static const struct record try_stratum_record = { "stratum", sizeof(struct try_stratum),
	try_stratum_fields };

static const struct field try_result_fields[] = {
	F_STR(try_result, name, FIELD_REQUIRED),
	F_ENUM(try_result, class, try_class_names, 0),
	F_BOOL(try_result, chosen),
	F_LIST(try_result, settings, &change_line_record),
	F_NUM(try_result, streams, 0, 1e6, 0),
	F_REC(try_result, effect, &effect_record),
	F_REC(try_result, side, &side_record),
	F_LIST(try_result, strata, &try_stratum_record),
	F_STR(try_result, words, 0),
	F_NUM(try_result, more_s, 0, 1e9, 0),
	F_END,
};
static const struct record try_result_record = { "try", sizeof(struct try_result),
	try_result_fields };

static const struct field direction_decision_fields[] = {
	F_ENUM(direction_decision, direction, direction_names, FIELD_REQUIRED),
	F_ENUM(direction_decision, verdict, verdict_names, FIELD_REQUIRED),
	F_ENUM(direction_decision, class, decision_class_names, FIELD_REQUIRED),
	F_REC(direction_decision, effect, &effect_record),
	F_REC(direction_decision, before, &side_record),
	F_REC(direction_decision, after, &side_record),
	F_REC(direction_decision, limit_before, &limit_record),
	F_REC(direction_decision, limit_after, &limit_record),
	F_STR(direction_decision, words, 0),
	F_NUM(direction_decision, more_s, 0, 1e9, 0),
	F_LIST(direction_decision, tries, &try_result_record),
	F_END,
};
static const struct record direction_decision_record = { "direction",
	sizeof(struct direction_decision), direction_decision_fields };

static const struct field decision_fields[] = {
	F_ENUM(decision, verdict, verdict_names, 0),
	F_ENUM(decision, class, decision_class_names, 0),
	F_LIST(decision, settings, &change_line_record),
	F_REC(decision, effect, &effect_record),
	F_LIST(decision, directions, &direction_decision_record),
	F_END,
};
const struct record decision_record = { "decision", sizeof(struct decision), decision_fields };

static const struct field advice_direction_fields[] = {
	F_ENUM(advice_direction, direction, direction_names, FIELD_REQUIRED),
	F_NUM(advice_direction, needed_bytes, 0, 1e15, 0),
	F_NUM(advice_direction, now_bytes, 0, 1e15, 0),
	F_NUM(advice_direction, after_bytes, 0, 1e15, 0),
	F_NUM(advice_direction, now_scale, 0, 14, 0),
	F_NUM(advice_direction, after_scale, 0, 14, 0),
	F_NUM(advice_direction, now_growth_s, 0, 1e12, 0),
	F_NUM(advice_direction, after_growth_s, 0, 1e12, 0),
	F_NUM(advice_direction, now_bps, 0, 1e18, 0),
	F_NUM(advice_direction, after_bps, 0, 1e18, 0),
	F_STR(advice_direction, words, 0),
	F_END,
};
static const struct record advice_direction_record = { "direction",
	sizeof(struct advice_direction), advice_direction_fields };

static const struct field advice_fields[] = {
	F_LIST(advice, paths, &advice_path_record),
	F_NUM(advice, connections, 1, 1e9, 0),
	F_NUM(advice, memory_bytes, 0, 1e18, 0),
	F_NUM(advice, bound_bytes, 0, 1e18, 0),
	F_BOOL(advice, bounded),
	F_LIST(advice, directions, &advice_direction_record),
	F_STRS(advice, notes),
	F_END,
};
static const struct record advice_record = { "advice", sizeof(struct advice), advice_fields };

static const struct field hazard_fields[] = {
	F_STR(hazard, id, FIELD_REQUIRED),
	F_STR(hazard, subject, 0),
	F_STR(hazard, where, 0),
	F_STR(hazard, words, 0),
	F_END,
};
const struct record hazard_record = { "hazard", sizeof(struct hazard), hazard_fields };

static const struct field file_text_fields[] = {
	F_STR(file_text, path, FIELD_REQUIRED),
	F_STR(file_text, text, FIELD_REQUIRED),
	F_END,
};
static const struct record file_text_record = { "file", sizeof(struct file_text),
	file_text_fields };

static const struct field run_fields[] = {
	F_STR(run, schema, FIELD_REQUIRED),
	F_STR(run, version, 0),
	F_STR(run, started, 0),
	F_REC(run, options, &options_record),
	F_REC(run, facts, &facts_record),
	F_LIST(run, hazards, &hazard_record),
	F_REC(run, advice, &advice_record),
	F_REC(run, plan, &plan_record),
	F_STR(run, seed, 0),
	F_STR(run, search, 0),
	F_LIST(run, trials, &trial_record),
	F_REC(run, decision, &decision_record),
	F_REC(run, nic, &nic_advice_record),
	F_LIST(run, files, &file_text_record),
	F_END,
};
const struct record run_record = { "run", sizeof(struct run), run_fields };

const char *
facts_why_unknown(const struct facts *f, const char *fact)
{
	for (size_t i = 0; i < f->n_unknown; i++) {
		if (strcmp(f->unknown[i].fact, fact) == 0)
			return f->unknown[i].why;
	}
	return NULL;
}

const struct path_fact *
facts_path(const struct facts *f, enum direction d)
{
	for (size_t i = 0; i < f->n_path; i++) {
		if (f->path[i].direction == d)
			return &f->path[i];
	}
	return NULL;
}

const struct knob_fact *
facts_knob(const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_knobs; i++) {
		if (strcmp(f->knobs[i].name, name) == 0)
			return &f->knobs[i];
	}
	return NULL;
}
