/*
 * limiter: what held this transfer back, with the number that shows it.
 */
#ifndef PATHTUNE_LIMITER_H
#define PATHTUNE_LIMITER_H

#include "model.h"

/*
 * From the trials of one setting in one direction (those that went well); never guesses.  path:
 * what other traffic got in that direction; NULL: that was not looked at.
 */
struct limit limiter_name(struct arena *a, const struct path_fact *path,
    const struct trial *trials, size_t n, enum direction direction, const struct setting *setting);

/*
 * May a look at the path by UDP and by several connections change that?  side: what the setting got
 * (its setting is not looked at); link_bps: of our interface, NAN: not known.
 */
bool limiter_unsure(const struct limit *l, const struct side *side, double idle_ms,
    double link_bps);

/*
 * What OpenSSH's scp and sftp reach at most over this RTT, whatever TCP does: a channel has at most
 * this much on its way (channels.h: CHAN_SES_WINDOW_DEFAULT, 64 packets of 32 KiB).
 */
#define LIMITER_SCP_BYTES (2.0 * 1024 * 1024)
double limiter_scp_bps(double rtt_ms);

bool setting_same(const struct setting *a, const struct setting *b);

#endif
