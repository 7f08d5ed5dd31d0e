/*
 * peers_table: fixed settings and formulas of others, as their projects publish them (the sources
 * are named in docs/peers.md).  tests/unit/test_peers.c says what the models make of them on the
 * published path; tests/bench/peers.c measures those of Linux in the lab.
 */
#ifndef PATHTUNE_TESTS_PEERS_TABLE_H
#define PATHTUNE_TESTS_PEERS_TABLE_H

#include <math.h>
#include <stdbool.h>

#define PEERS_MIB (1024.0 * 1024)

/* What a formula may look at. */
struct guide_path {
	double rate_bps, rtt_ms, loss, ram_bytes;
};

/* Values that a guide or a tool sets whatever the path is; NAN: left as it is. */
struct guide {
	const char *system, *release, *arch;
	const char *who;
	double limit, send_max, receive_max, initial;
	/* Instead of send_max and receive_max, computed from the path; NULL: they are fixed. */
	double (*formula)(const struct guide_path *p);
	/* In the lab (Linux only); NULL: not tried there. */
	const char *lab;
	const char *asks_cc; /* NULL: none, cubic is the default */
	const char *first;   /* first two fields of tcp_wmem; NULL: as they are */
	const char *notsent; /* tcp_notsent_lowat; NULL: as it is */
};

static inline double
guide_bdp(const struct guide_path *p)
{
	return floor(p->rate_bps / 8 * p->rtt_ms / 1e3);
}

/* fasterdata.es.net, Linux: "10G to 100 ms" and "10G to 200 ms". */
static inline double
guide_esnet(const struct guide_path *p)
{
	return (p->rtt_ms <= 100 ? 32 : 64) * PEERS_MIB;
}

/* tcpfit v0.5.6: 2 BDP + 2 MiB, at most RAM / 32 and 256 MiB, at least 4 MiB. */
static inline double
guide_tcpfit(const struct guide_path *p)
{
	double most = fmin(p->ram_bytes / 32, 256 * PEERS_MIB);

	return fmax(fmin(2 * guide_bdp(p) + 2 * PEERS_MIB, most), 4 * PEERS_MIB);
}

/* bbr-auto-tune.sh v1.11.0: BDP x (4..12 by loss) x 1.25 to the next of a list, capped by RAM. */
static inline double
guide_bbr_auto_tune(const struct guide_path *p)
{
	static const double sizes[] = { 64, 128, 256, 512, 768, 1024 };
	static const double ram_below[] = { 768, 1536, 3072, 6144, 12288, 24576, INFINITY };
	static const double ram_most[] = { 32, 64, 128, 256, 512, 768, 1024 };
	double per_cent = p->loss * 100;
	double factor = per_cent < .2 ? 4 : per_cent < 1 ? 6 : per_cent < 3 ? 8 : per_cent < 8 ? 10 : 12;
	double mb = fmax(64, p->rate_bps / 1e6 * p->rtt_ms / 8000 * 1.25 * factor);
	int i = 0, j = 0;

	while (i < 5 && sizes[i] < mb)
		i++;
	while (p->ram_bytes >= ram_below[j] * PEERS_MIB)
		j++;
	return fmin(sizes[i], ram_most[j]) * PEERS_MIB;
}

#define SETS(most, send, receive, first_size) \
	.limit = most, .send_max = send, .receive_max = receive, .initial = first_size
#define UNSET SETS(NAN, NAN, NAN, NAN)

static const struct guide guides[] = {
	{ "Linux", "6.12", "x86_64", "kernel 6.12 as it comes", UNSET, .lab = "kernel 6.12" },
	{ "Linux", "6.12", "x86_64", "TuneD network-throughput, \"16 MB\"", SETS(NAN,
	    16 * PEERS_MIB, 16 * PEERS_MIB, NAN), .lab = "TuneD", .notsent = "131072" },
	{ "Linux", "6.12", "x86_64", "the copied \"16 MB\"", SETS(NAN, 16 * PEERS_MIB,
	    16 * PEERS_MIB, NAN), .lab = "16 MB" },
	{ "Linux", "6.12", "x86_64", "perfSONAR (a NIC without a speed)", SETS(NAN,
	    32 * PEERS_MIB, 32 * PEERS_MIB, NAN), .lab = "perfSONAR", .asks_cc = "htcp",
	    .first = "4096 65536" },
	{ "Linux", "6.12", "x86_64", "ESnet, 10G to 200 ms", SETS(NAN, 64 * PEERS_MIB,
	    64 * PEERS_MIB, NAN), .formula = guide_esnet, .lab = "ESnet 10G", .asks_cc = "htcp",
	    .first = "4096 65536" },
	{ "Linux", "6.12", "x86_64", "tcpfit's formula", UNSET, .formula = guide_tcpfit,
	    .lab = "tcpfit", .asks_cc = "bbr", .first = "4096 2097152" },
	{ "Linux", "6.12", "x86_64", "bbr-auto-tune's formula", UNSET,
	    .formula = guide_bbr_auto_tune, .lab = "bbr-auto-tune", .asks_cc = "bbr",
	    .first = "4096 65536" },
	{ "Linux", "6.12", "x86_64", "1 x BDP", UNSET, .formula = guide_bdp, .lab = "1 x BDP",
	    .asks_cc = "bbr", .first = "1024 49152" },
	{ "Linux", "6.18", "x86_64", "kernel 6.18 as it comes", UNSET, .lab = "kernel 6.18" },
	{ "Linux", "6.18", "x86_64", "TuneD network-throughput, \"16 MB\"", SETS(NAN,
	    16 * PEERS_MIB, 16 * PEERS_MIB, NAN) },
	{ "FreeBSD", "14.2", "amd64", "kernel as it comes", UNSET },
	{ "FreeBSD", "14.2", "amd64", "ESnet, \"16 MB\"", SETS(16 * PEERS_MIB, 16 * PEERS_MIB,
	    16 * PEERS_MIB, NAN) },
	{ "FreeBSD", "14.2", "amd64", "calomel 1G and 10G", SETS(16 * PEERS_MIB, 4 * PEERS_MIB,
	    4 * PEERS_MIB, 65536) },
	{ "FreeBSD", "14.2", "amd64", "TrueNAS autotune to 44 GiB", SETS(2 * PEERS_MIB,
	    16 * PEERS_MIB, 16 * PEERS_MIB, NAN) },
	{ "NetBSD", "10.1", "amd64", "kernel as it comes", UNSET },
	{ "NetBSD", "10.1", "amd64", "maxima alone at 16 MB", SETS(NAN, 16 * PEERS_MIB,
	    16 * PEERS_MIB, NAN) },
	{ "NetBSD", "10.1", "amd64", "the known gist, \"16 MB\"", SETS(16 * PEERS_MIB,
	    16 * PEERS_MIB, 16 * PEERS_MIB, 3217968) },
	{ "OpenBSD", "7.8", "amd64", "kernel as it comes, and whatever is set", UNSET },
	{ "DragonFly", "6.4", "x86_64", "kernel as it comes", UNSET },
};

/* What it sets of the two maxima, on this path; NAN: nothing. */
static inline double
guide_send_max(const struct guide *g, const struct guide_path *p)
{
	return g->formula != NULL ? g->formula(p) : g->send_max;
}

static inline double
guide_receive_max(const struct guide *g, const struct guide_path *p)
{
	return g->formula != NULL ? g->formula(p) : g->receive_max;
}

#endif
