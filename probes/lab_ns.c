#include "lab_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct start {
	const char *name;
	const char *rmem, *wmem; /* tcp_rmem and tcp_wmem; NULL: leave the machine's */
	const char *cc;
};

/* Maxima as set by tcp_init() (net/ipv4/tcp.c) of Linux v6.18 and v6.1; the rest is the same. */
static const struct start starts[] = {
	{ "linux-6.18", "4096 131072 33554432", "4096 16384 4194304", "cubic" },
	{ "linux-6.1", "4096 131072 6291456", "4096 16384 4194304", "cubic" },
	{ "bsd-256k", "4096 131072 262144", "4096 16384 262144", "cubic" },
	{ "host", NULL, NULL, NULL },
};
static const struct start wide_open = { "open", "4096 131072 67108864", "4096 16384 67108864",
	NULL };

static const struct start *
start_find(const char *name)
{
	for (size_t i = 0; i < NELEM(starts); i++)
		if (strcmp(starts[i].name, name) == 0)
			return &starts[i];
	return NULL;
}

const char *
ns_start_cc(const char *start)
{
	const struct start *s = start_find(start);

	return s == NULL ? NULL : s->cc;
}

#if defined(__has_include)
#if __has_include(<linux/if_tun.h>)
#define HAVE_TUN
#endif
#endif
#ifdef HAVE_TUN

#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#define QUEUE_LENGTH 10000 /* packets waiting for us: the emulated queue is to drop, not this one */

struct address6 { /* struct in6_ifreq; linux/ipv6.h and netinet/in.h exclude each other */
	struct in6_addr address;
	uint32_t prefix;
	int index;
};

static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);
	bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool
pin(const char *path, const char *text, struct err *e)
{
	if (text == NULL || write_file(path, text))
		return true;
	return fail(e, ERR_FAILED, "%s: cannot set to %s in the lab: %s", path, text,
	    strerror(errno));
}

/*
 * The starting point.  Of what TCP uses, a new namespace inherits tcp_rmem, tcp_wmem and
 * tcp_congestion_control from the machine; the rest are the kernel's constants (v6.18
 * net/ipv4/tcp_ipv4.c tcp_sk_init()).  A default congestion control that is not in
 * tcp_allowed_congestion_control of the machine is refused here.
 */
static bool
pin_start(const struct start *s, const char *cc, bool *refused, struct err *e)
{
	if (cc != NULL && !write_file("/proc/sys/net/ipv4/tcp_congestion_control", cc))
		*refused = true;
	return pin("/proc/sys/net/ipv4/tcp_rmem", s->rmem, e) &&
	    pin("/proc/sys/net/ipv4/tcp_wmem", s->wmem, e);
}

/* No traffic but the user's: no link-local address, no solicitations.  No IPv6 is fine. */
static void
quiet_ipv6(void)
{
	static const char *const values[][2] = {
		{ "disable_ipv6", "0" }, { "addr_gen_mode", "1" }, { "accept_ra", "0" },
		{ "accept_dad", "0" }, { "router_solicitations", "0" },
	};
	char path[96];

	for (size_t i = 0; i < NELEM(values); i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/default/%s", values[i][0]);
		write_file(path, values[i][1]);
	}
}

static bool
open_tun(int *out, struct err *e)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return fail(e, ERR_FAILED, "/dev/net/tun: %s; the lab needs %s", strerror(errno),
		    errno == EACCES || errno == EPERM ? "root, or read and write permission on it" :
		    "the kernel's TUN driver (modprobe tun)");
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", LAB_DEVICE);
	if (ioctl(fd, TUNSETIFF, &r) != 0 ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0) {
		fail(e, ERR_FAILED, "cannot make a TUN device: %s", strerror(errno));
		close(fd);
		return false;
	}
	*out = fd;
	return true;
}

static bool
set_flags(int s, const char *name, short set, short clear)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(s, SIOCGIFFLAGS, &r) != 0)
		return false;
	r.ifr_flags = (short)((r.ifr_flags | set) & ~clear);
	return ioctl(s, SIOCSIFFLAGS, &r) == 0;
}

static bool
set_ipv4(int s, const char *address)
{
	struct ifreq r = { 0 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", LAB_DEVICE);
	inet_pton(AF_INET, address, &in.sin_addr);
	memcpy(&r.ifr_addr, &in, sizeof(in));
	if (ioctl(s, SIOCSIFADDR, &r) != 0)
		return false;
	in.sin_addr.s_addr = htonl(0xfffffffc); /* /30 */
	memcpy(&r.ifr_netmask, &in, sizeof(in));
	return ioctl(s, SIOCSIFNETMASK, &r) == 0;
}

/* IPv6 wants an MTU of 1280 (RFC 8200); a kernel without it has no such sockets. */
static bool
set_ipv6(const char *address, double mtu, struct err *e)
{
	struct address6 r = { .prefix = 64, .index = (int)if_nametoindex(LAB_DEVICE) };
	int s;
	bool ok;

	if (mtu < 1280 || (s = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return true;
	inet_pton(AF_INET6, address, &r.address);
	ok = ioctl(s, SIOCSIFADDR, &r) == 0;
	if (!ok)
		fail(e, ERR_FAILED, "cannot set address %s in the lab: %s", address,
		    strerror(errno));
	close(s);
	return ok;
}

/* What the kernel refuses is left as it is: without traffic control there is nothing to replace. */
static void
tell_kernel(const void *message, size_t n)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (s >= 0 && send(s, message, n, 0) < 0)
		errno = 0;
	if (s >= 0)
		close(s);
}

/* The machine's default queueing discipline might pace (fq); the stock one does not. */
static void
set_qdisc(void)
{
	struct {
		struct nlmsghdr h;
		struct tcmsg tc;
		struct rtattr kind;
		char name[12];
	} m = {
		.h = { .nlmsg_len = sizeof(m), .nlmsg_type = RTM_NEWQDISC,
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE },
		.tc = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)if_nametoindex(LAB_DEVICE),
		    .tcm_parent = TC_H_ROOT },
		.kind = { .rta_len = RTA_LENGTH(sizeof("pfifo_fast")), .rta_type = TCA_KIND },
		.name = "pfifo_fast",
	};

	tell_kernel(&m, sizeof(m));
}

/* Not by SIOCSIFTXQLEN: that wants the privilege in the first user namespace. */
static void
set_queue_length(void)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg link;
		struct rtattr attribute;
		uint32_t length;
	} m = {
		.h = { .nlmsg_len = sizeof(m), .nlmsg_type = RTM_NEWLINK,
		    .nlmsg_flags = NLM_F_REQUEST },
		.link = { .ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(LAB_DEVICE) },
		.attribute = { .rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_TXQLEN },
		.length = QUEUE_LENGTH,
	};

	tell_kernel(&m, sizeof(m));
}

static bool
set_device(int s, const char *address, double mtu)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", LAB_DEVICE);
	r.ifr_mtu = (int)mtu;
	if (ioctl(s, SIOCSIFMTU, &r) != 0)
		return false;
	return set_flags(s, "lo", IFF_UP, 0) && set_ipv4(s, address) &&
	    set_flags(s, LAB_DEVICE, IFF_UP, IFF_MULTICAST);
}

static bool
make_side(const struct lab_spec *spec, unsigned side, struct lab_ns *out, struct err *e)
{
	static const char *const address[][2] = {
		{ LAB_ADDRESS_A, LAB_ADDRESS6_A }, { LAB_ADDRESS_B, LAB_ADDRESS6_B }
	};
	bool wide = side == 1 && spec->open_b;
	int s;
	bool ok;

	quiet_ipv6();
	if (!pin_start(wide ? &wide_open : start_find(spec->start), ns_start_cc(spec->start),
	    &out->cc_refused, e) || !open_tun(&out->tun[side], e))
		return false;
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return fail(e, ERR_FAILED, "cannot make a socket in the lab: %s", strerror(errno));
	ok = set_device(s, address[side][0], spec->mtu);
	if (!ok)
		fail(e, ERR_FAILED, "cannot set up the lab's device %s: %s", LAB_DEVICE,
		    strerror(errno));
	close(s);
	set_qdisc();
	set_queue_length();
	return ok && set_ipv6(address[side][1], spec->mtu, e);
}

/* Become root of a user namespace that has only us. */
static bool
enter_new_user_ns(void)
{
	char map[2][64];

	snprintf(map[0], sizeof(map[0]), "0 %lu 1", (unsigned long)geteuid());
	snprintf(map[1], sizeof(map[1]), "0 %lu 1", (unsigned long)getegid());
	return unshare(CLONE_NEWUSER) == 0 && write_file("/proc/self/setgroups", "deny") &&
	    write_file("/proc/self/uid_map", map[0]) && write_file("/proc/self/gid_map", map[1]);
}

static bool
new_net_ns(struct lab_ns *out, struct err *e)
{
	int why;

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	why = errno;
	if (why == EPERM && !out->user && enter_new_user_ns() && unshare(CLONE_NEWNET) == 0) {
		out->user = true;
		return true;
	}
	return fail(e, ERR_FAILED, "cannot make a network namespace: %s; the lab needs root, or a "
	    "kernel that allows unprivileged user namespaces", strerror(why));
}

bool
ns_make(const struct lab_spec *s, struct lab_ns *out, struct err *e)
{
	*out = (struct lab_ns){ .net = { -1, -1 }, .tun = { -1, -1 } };
	for (unsigned side = 0; side < 2; side++) {
		if (!new_net_ns(out, e))
			return false;
		out->net[side] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (out->net[side] < 0)
			return fail(e, ERR_FAILED, "/proc/self/ns/net: %s", strerror(errno));
		if (!make_side(s, side, out, e))
			return false;
	}
	return true;
}

static bool
enter(const char *path, int type, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && setns(fd, type) == 0;

	if (!ok)
		fail(e, ERR_FAILED, "cannot enter the lab: %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

/*
 * A /sys of its own shows the devices of this namespace (driver, speed); without the permission to
 * mount one the old one stays.
 */
static void
fresh_sys(void)
{
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 &&
	    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
		errno = 0;
}

bool
ns_enter(pid_t owner, int net_fd, bool user, struct err *e)
{
	char path[64];

	if (user) {
		snprintf(path, sizeof(path), "/proc/%ld/ns/user", (long)owner);
		if (!enter(path, CLONE_NEWUSER, e))
			return false;
	}
	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)owner, net_fd);
	if (!enter(path, CLONE_NEWNET, e))
		return false;
	fresh_sys();
	return true;
}

#else

static bool
not_here(struct err *e)
{
	return fail(e, ERR_FAILED, "the lab needs network namespaces and TUN devices of Linux");
}

bool
ns_make(const struct lab_spec *s, struct lab_ns *out, struct err *e)
{
	(void)s, (void)out, (void)wide_open;
	return not_here(e);
}

bool
ns_enter(pid_t owner, int net_fd, bool user, struct err *e)
{
	(void)owner, (void)net_fd, (void)user;
	return not_here(e);
}

#endif
