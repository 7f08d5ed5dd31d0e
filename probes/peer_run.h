/*
 * peer_run: one authenticated run as the server serves it: the control channel and, trial by
 * trial, this end of the transfer.  Its owner polls and steps it like a flow.
 *
 * A run ends when the client says so or closes, when it sends anything that is not authentic or
 * not expected, or when nothing was heard for PEER_IDLE_S outside of a transfer.
 */
#ifndef PATHTUNE_PEER_RUN_H
#define PATHTUNE_PEER_RUN_H

#include "peer_message.h"

#include <poll.h>

#define RUN_POLL_MAX (1 + FLOW_STREAMS_MAX)

struct served;

/* fd becomes the run's.  left_bytes: what may still be moved; NAN: no end. */
struct served *served_new(int fd, const struct wire_session *keys, double left_bytes);
void served_free(struct served *r); /* NULL is fine */

/*
 * A data connection that claims to belong to this run.  TAKEN: the socket is the run's; EARLY: the
 * request for its trial is still on its way, ask again.
 */
enum run_claim { CLAIM_REFUSED, CLAIM_EARLY, CLAIM_TAKEN };
enum run_claim served_claim(struct served *r, int fd, const unsigned char nonce[WIRE_NONCE],
    const unsigned char claim[WIRE_DATA]);

size_t served_poll(const struct served *r, struct pollfd *p);
int served_timeout_ms(const struct served *r);

/* False: the run is over; e says why (ERR_NONE: the client said goodbye). */
bool served_step(struct served *r, const struct pollfd *p, struct err *e);

/* Tell the client that the server ends the run, and why. */
void served_bye(struct served *r, const char *why);

double served_bytes(const struct served *r);    /* payload moved so far */
unsigned served_trials(const struct served *r);
bool served_busy(const struct served *r);       /* a transfer is under way */

#endif
