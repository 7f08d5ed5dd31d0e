/*
 * decide: what the searches found -> what to do about it, each line with its reason.
 */
#ifndef PATHTUNE_DECIDE_H
#define PATHTUNE_DECIDE_H

#include "model.h"
#include "search.h"

/*
 * One direction: the search's result with what limited the transfer before and after, and the
 * verdict in words.  A search that found nothing while the peer's window or buffer held the sender
 * back becomes "the peer limits", unless peer_set: that one's were raised with ours.
 */
struct direction_decision decide_direction(struct arena *a, const struct plan_direction *p,
    const struct search_result *r, const struct trial *trials, size_t n_trials, bool peer_set);

/* What limited it before and after, with what is known of the path by other means (or NULL). */
void decide_limits(struct arena *a, const struct path_fact *path, const struct trial *trials,
    size_t n, struct direction_decision *d);

/*
 * The whole: settings of every direction that changes.  Lines are marked verified; the pipeline
 * takes that back where the kernel refused.
 */
void decide_all(struct arena *a, const struct profile *p, const struct facts *f,
    const struct plan *plan, const struct direction_decision *d, size_t n,
    struct decision *out);

/*
 * The values of the knobs that put this window in force when it is not the one found there: the
 * maximum of the direction, and the limit on an explicit SO_*BUF where that can be set and is
 * lower.  An array of *n lines.
 */
struct change_line *decide_window_lines(struct arena *a, const struct profile *p,
    const struct facts *f, const struct plan_direction *d, double window_bytes, size_t *n);

/*
 * Words that every decision uses: an effect with its interval; side effects as far as they are
 * known, which begin with a blank and end with a full stop.
 */
const char *decide_say_effect(struct arena *a, const struct effect *x);
/* What the one changes of the other: "send buffer maximum 8 MiB, congestion control bbr". */
const char *decide_say_setting(struct arena *a, const struct plan_direction *p,
    const struct setting *from, const struct setting *to);
const char *decide_say_cost(struct arena *a, const struct side *before, const struct side *after);

/*
 * All that puts a setting in force: the lines of its window, then those of its extras, made for
 * that window.  A knob that both set has one line, with the larger value.
 */
struct change_line *decide_setting_lines(struct arena *a, const struct profile *p,
    const struct facts *f, const struct plan_direction *d, const struct setting *s, size_t *n);

#endif
