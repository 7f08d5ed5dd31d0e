#!/bin/sh
# needs.sh WORD.. -- COMMAND..: run the command if everything named by the words is there.
#
# Otherwise say why and exit 77, which CTest counts as skipped; with PATHTUNE_FULL=1 exit 1, since
# then a skipped test is a failure.  A word is one of those of missing() below, or the name of a
# program.
set -u

# Prints what is missing for one word; nothing when it is there.
missing()
{
	case $1 in
	root)
		[ "$(id -u)" -eq 0 ] || echo "not root" ;;
	netns)
		can_make_netns || echo "network namespaces cannot be made here" ;;
	tun)
		if [ ! -r /dev/net/tun ] || [ ! -w /dev/net/tun ]; then
			echo "/dev/net/tun cannot be opened"
		fi ;;
	ipv6)
		[ -e /proc/net/if_inet6 ] || echo "no IPv6" ;;
	userns)
		unshare --user --map-root-user true 2>/dev/null ||
		    echo "unprivileged user namespaces cannot be made here" ;;
	glibc)
		getconf GNU_LIBC_VERSION >/dev/null 2>&1 || echo "the C library is not glibc" ;;
	criterion)
		pkg-config --exists criterion 2>/dev/null || echo "Criterion is not installed" ;;
	sshd)
		if [ ! -x /usr/sbin/sshd ] || ! command -v ssh-keygen >/dev/null 2>&1; then
			echo "OpenSSH's server is not installed"
		elif [ "$(id -u)" -eq 0 ] && ! unshare --mount --pid true 2>/dev/null &&
		    [ ! -d /run/sshd ]; then
			echo "sshd has no /run/sshd, and namespaces cannot be made here"
		fi ;;
	musl)
		set -- /usr/include/*-linux-musl/stdio.h
		[ -e "$1" ] || echo "musl's headers are not installed" ;;
	*)
		command -v "$1" >/dev/null 2>&1 || echo "$1 is not installed" ;;
	esac
}

# As root, or in a user namespace of our own.
can_make_netns()
{
	if [ "$(id -u)" -eq 0 ]; then
		unshare --net true 2>/dev/null
	else
		unshare --user --map-root-user --net true 2>/dev/null
	fi
}

while [ $# -gt 0 ] && [ "$1" != -- ]; do
	why=$(missing "$1")
	if [ -n "$why" ]; then
		echo "SKIP: $why"
		[ "${PATHTUNE_FULL:-0}" != 1 ] || exit 1
		exit 77
	fi
	shift
done
if [ $# -lt 2 ]; then
	echo "usage: needs.sh WORD.. -- COMMAND.." >&2
	exit 2
fi
shift
exec "$@"
