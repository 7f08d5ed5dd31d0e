/*
 * iperf3: what it is asked and what its report says.  Text only; endpoint_iperf3.c runs it.
 *
 * Known: goodput (what the receiver counted, in all), the counts per 100 ms of the host's end (what
 * it read, or, sending, what it handed to its kernel), retransmits, and of a host that sends the
 * RTT.  Unknown: times limited by the window or by the buffer, data in flight, delivery rate, the
 * RTT when the host receives.  Times are whole seconds, and it cannot end early.
 */
#ifndef PATHTUNE_IPERF3_H
#define PATHTUNE_IPERF3_H

#include "flow.h"

#define IPERF3_PORT 5201

struct iperf3_ask {
	const char *server;
	unsigned port;
	const struct flow_spec *flow; /* direction as seen from the host, where it is run */
	double pace_bps;              /* of all streams, never more; NAN: as fast as it goes */
};

/* Whole seconds of warm-up and counting that it makes of a flow. */
double iperf3_omit_s(const struct flow_spec *f);
double iperf3_run_s(const struct flow_spec *f);

const char *const *iperf3_argv(struct arena *a, const struct iperf3_ask *q);

/* As much as a report on this can be long; what is longer is none. */
size_t iperf3_report_max(const struct flow_spec *f);

enum iperf3_outcome {
	IPERF3_DONE,    /* the trial has it, whatever its status */
	IPERF3_BUSY,    /* the server runs the test of somebody else */
	IPERF3_UNREACHED, /* there is no server: why says it */
};

/*
 * A report, len bytes of anything.  Sets the measured members of t, which flow_void() has been
 * given before; its idle RTT stays unknown.  *why: of an outcome that is not IPERF3_DONE.
 */
enum iperf3_outcome iperf3_read(struct arena *a, const char *text, size_t len,
    const struct flow_spec *f, struct trial *t, const char **why);

/* The server's numeric address in a report; NULL: it does not say. */
const char *iperf3_address(struct arena *a, const char *text, size_t len);

/* What "iperf3 --version" says: is it 3.1 or later? */
bool iperf3_version(const char *text, struct err *e);

#endif
