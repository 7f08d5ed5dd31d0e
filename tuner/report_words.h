/*
 * report_words: phrases that pages and Markdown share.  None of it is escaped.
 */
#ifndef PATHTUNE_REPORT_WORDS_H
#define PATHTUNE_REPORT_WORDS_H

#include "model.h"

const char *report_title(const struct run *run);

/* "Linux 6.18.1, kvm, 23.5 GiB RAM, eth0 (virtio_net)" */
const char *report_host(struct arena *a, const struct facts *f);

const char *report_path(struct arena *a, const struct run *run);

/* "bbr, window 12 MiB" */
const char *report_setting(struct arena *a, const struct setting *s);

const char *report_ms(struct arena *a, double ms);
const char *report_direction(const struct direction_decision *d);

/* "also tried: pacing (kept)": beyond window and congestion control; NULL: nothing was. */
const char *report_extras(struct arena *a, const struct run *run,
    const struct direction_decision *d);

/* "44 trials, 3.87 GiB moved, 2 failed" */
const char *report_traffic(struct arena *a, const struct run *run);

/*
 * Whoever copies with scp sees another ceiling than the one that was tuned; NULL: that is no lower
 * than what was measured.
 */
const char *report_scp(struct arena *a, const struct run *run);

/* "Over the same path: UDP 590 Mbit/s, .."; NULL: nothing else was measured. */
const char *report_other_traffic(struct arena *a, const struct run *run,
    const struct direction_decision *d);

/* What the second side is called, and whether there is one that was measured. */
const char *report_side(const struct direction_decision *d);
bool report_has_after(const struct direction_decision *d);

#endif
