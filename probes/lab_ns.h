/*
 * lab_ns: the two network namespaces of a lab and the TUN devices in them.  Linux only; elsewhere
 * every call here is an error that says so.
 */
#ifndef PATHTUNE_LAB_NS_H
#define PATHTUNE_LAB_NS_H

#include "lab.h"

#define LAB_DEVICE "path0" /* the same in both */

struct lab_ns {
	int net[2];       /* descriptors that hold the namespaces of a and b */
	int tun[2];       /* their TUN devices, non-blocking */
	bool user;        /* they belong to a user namespace of the caller's */
	bool cc_refused;  /* the start's congestion control could not be made the default */
};

/*
 * Make both, with addresses, MTU and the starting point set; the caller ends up in namespace b (and
 * in the user namespace), so this is for a process that does nothing else.
 */
bool ns_make(const struct lab_spec *s, struct lab_ns *out, struct err *e);

/* Congestion control of a starting point; NULL for "host". */
const char *ns_start_cc(const char *start);

/*
 * Put this process into a namespace of a lab whose owner is alive, with a mount namespace and a
 * /sys of its own.  net_fd: the owner's descriptor of it.
 */
bool ns_enter(pid_t owner, int net_fd, bool user, struct err *e);

#endif
