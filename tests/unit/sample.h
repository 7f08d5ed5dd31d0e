/*
 * sample: a Linux host with known facts, for the tests of planning and deciding.
 */
#ifndef PATHTUNE_TESTS_SAMPLE_H
#define PATHTUNE_TESTS_SAMPLE_H

#include "tuner/profile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static inline struct profile *
sample_profile(struct arena *a)
{
	struct err e = { ERR_NONE, "" };
	struct profile *p = NULL;

	cr_assert(profile_for(a, "Linux", &p, &e), "%s", e.text);
	return p;
}

static inline void
sample_knob(struct arena *a, struct facts *f, const char *name, const char *text, double now,
    bool writable)
{
	struct knob_fact *k = arena_push(a, &f->knobs, &f->n_knobs, sizeof(*k));

	*k = (struct knob_fact){ name, text, now, 1, 2147483647, writable,
		writable ? NULL : "read-only here (container or namespace)" };
}

/* 6.18 as it comes: 32 MiB to receive, 4 MiB to send, cubic; bbr is a module that is loaded. */
static inline struct facts
sample_facts(struct arena *a)
{
	static const char *available[] = { "reno", "cubic", "bbr" }, *allowed[] = { "reno", "cubic" };
	static const char *modules[] = { "bbr" };
	struct facts f;

	record_init(&facts_record, &f);
	f.os = "Linux";
	f.release = "6.18.44";
	f.hypervisor = "kvm";
	f.privileged = true;
	f.ram_bytes = 2.0 * 1024 * 1024 * 1024;
	f.cc = "cubic";
	f.cc_available = available;
	f.n_cc_available = 3;
	f.cc_allowed = allowed;
	f.n_cc_allowed = 2;
	f.cc_modules = modules;
	f.n_cc_modules = 1;
	f.peer = "peer.example";
	f.rtt_ms = 80.2;
	sample_knob(a, &f, "net.ipv4.tcp_rmem", "4096 131072 33554432", 33554432, true);
	sample_knob(a, &f, "net.ipv4.tcp_wmem", "4096 16384 4194304", 4194304, true);
	sample_knob(a, &f, "net.core.rmem_max", "4194304", 4194304, true);
	sample_knob(a, &f, "net.core.wmem_max", "4194304", 4194304, true);
	sample_knob(a, &f, "net.ipv4.tcp_congestion_control", "cubic", NAN, true);
	return f;
}

#endif
