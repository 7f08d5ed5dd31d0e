/* The table of what compare --json prints. */
#include "compare.h"

const char *const compare_verdict_names[] = { "none", "better", "worse", "same", "undecided",
	NULL };

static const struct field side_fields[] = {
	F_NUM(compare_side, goodput_bps, 0, 1e15, 0),
	F_NUM(compare_side, rtt_ms, 0, 1e7, 0),
	F_NUM(compare_side, retransmits, 0, 1, 0),
	F_NUM(compare_side, transfers, 0, 1e6, 0),
	F_NUM(compare_side, rounds, 0, 1e6, 0),
	F_NUM(compare_side, spread_s, 0, 1e9, 0),
	F_END,
};
static const struct record side_record = { "side", sizeof(struct compare_side), side_fields };

static const struct field direction_fields[] = {
	F_ENUM(compare_direction, direction, direction_names, 0),
	F_ENUM(compare_direction, verdict, compare_verdict_names, 0),
	F_REC(compare_direction, before, &side_record),
	F_REC(compare_direction, after, &side_record),
	F_REC(compare_direction, effect, &effect_record),
	F_BOOL(compare_direction, drift),
	F_NUM(compare_direction, repeats, 0, 1e6, 0),
	F_NUM(compare_direction, every_s, 0, 1e9, 0),
	F_STR(compare_direction, words, 0),
	F_END,
};
static const struct record direction_record = { "direction", sizeof(struct compare_direction),
	direction_fields };

static const struct field comparison_fields[] = {
	F_STR(comparison, before, 0),
	F_STR(comparison, after, 0),
	F_ENUM(comparison, verdict, compare_verdict_names, 0),
	F_LIST(comparison, directions, &direction_record),
	F_STRS(comparison, differences),
	F_END,
};
const struct record comparison_record = { "comparison", sizeof(struct comparison),
	comparison_fields };
