/*
 * engine_client PEER send|receive WARMUP SECONDS [STREAMS [CC]]: one trial, its goodput in Mbit/s
 * on stdout and the rest on stderr.  The token comes from PATHTUNE_TOKEN.
 */
#include "probes/peer.h"
#include "probes/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
print_trial(const struct trial *t)
{
	printf("%.1f\n", t->goodput_bps / 1e6);
	fprintf(stderr, "status %s%s%s, %.1f s of %.0f MB, %s, cpu %.2f\n",
	    trial_status_names[t->status], t->why != NULL ? ": " : "",
	    t->why != NULL ? t->why : "", t->duration_s, t->bytes / 1e6,
	    t->steady ? "steady" : "not steady", t->cpu);
	fprintf(stderr, "rtt idle %.3f min %.3f loaded %.3f ms, retransmits %.4f, in flight %.0f, "
	    "rwnd %.2f, sndbuf %.2f, delivery %.1f Mbit/s\n", t->rtt.idle_ms, t->rtt.min_ms,
	    t->rtt.loaded_ms, t->retransmits, t->inflight_bytes, t->rwnd_limited,
	    t->sndbuf_limited, t->delivery_rate_bps / 1e6);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct err e = { .code = ERR_NONE };
	struct session *s = NULL;
	struct trial t = { .status = TRIAL_VOID };
	struct flow_spec f;
	const char *token;
	bool ok;

	if (argc < 5) {
		fputs("usage: engine_client PEER send|receive WARMUP SECONDS [STREAMS [CC]]\n", stderr);
		return 2;
	}
	f = (struct flow_spec){
		.direction = strcmp(argv[2], "send") == 0 ? DIR_SEND : DIR_RECEIVE,
		.warmup_s = atof(argv[3]),
		.duration_s = atof(argv[4]),
		.streams = argc > 5 ? (unsigned)atoi(argv[5]) : 1,
		.cc = argc > 6 ? argv[6] : NULL,
	};
	ok = stop_install() && peer_token_env(&token, &e) && peer_open(a, argv[1], token, &s, &e) &&
	    peer_measure(s, a, &f, NULL, &t, &e);
	if (ok)
		print_trial(&t);
	else
		fprintf(stderr, "engine_client: %s\n", e.text);
	peer_close(s);
	arena_free(a);
	return ok && t.status == TRIAL_OK ? 0 : 1;
}
