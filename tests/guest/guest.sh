#!/bin/sh
# guest.sh PROGRAM KERNEL FROM TO [OTHER ..]: does the plan that the program prints in a guest of
# QEMU bring the guest's network back?
#
# A guest with a NIC of the model FROM (and others, which are only recognised) is started twice.
# The first time the program inside plans a switch to the model TO; the second time the guest is
# started with the -device line of that plan in place of the old one, its files unchanged.  QEMU
# emulates the processor (TCG); the networks are QEMU's own, cut off from the host's.
# KERNEL is what kernel.sh made.
set -u
program=$1 kernel=$2 from=$3 to=$4
shift 4
mac=52:54:00:12:34:56
here=$(cd "$(dirname "$0")" && pwd)

if [ ! -e "$kernel/vmlinuz" ]; then
	echo "SKIP: no kernel for guests; tests/guest/kernel.sh $kernel downloads one"
	[ "${PATHTUNE_FULL:-0}" != 1 ] || exit 1
	exit 77
fi
made=$(mktemp -d) || exit 1
trap 'rm -rf "$made"' EXIT
trap 'exit 1' HUP INT TERM

# What QEMU calls a model; its driver in the guest; vendor and device of PCI.
model()
{
	case $1 in
	virtio) echo virtio-net-pci virtio_net 0x1af4 0x1000 ;;
	e1000) echo e1000 e1000 0x8086 0x100e ;;
	e1000e) echo e1000e e1000e 0x8086 0x10d3 ;;
	vmxnet3) echo vmxnet3 vmxnet3 0x15ad 0x07b0 ;;
	rtl8139) echo rtl8139 8139cp 0x10ec 0x8139 ;;
	esac
}

qemu_name()
{
	model "$1" | cut -d ' ' -f 1
}

# The program with its libraries, busybox, the modules, and files that name eth0.
build_initramfs()
{
	root=$made/root
	mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/etc/network" "$root/bin" "$root/tmp" \
	    "$root/var/run" "$root/run" "$root/sbin" "$root/usr/bin"
	cp -r "$kernel/modules" "$root/modules"
	cp "$here/init" "$root/init"
	cp "$program" "$root/pathtune"
	cp "$(command -v busybox)" "$root/bin/busybox"
	# What the loader of each names: "x => /path (0x..)" and "/path (0x..)".
	ldd "$root/pathtune" "$root/bin/busybox" | sed -n 's/^[^/]*\(\/[^ ]*\) (0x.*$/\1/p' | sort -u |
	    while read -r library; do
		mkdir -p "$root${library%/*}"
		cp -L "$library" "$root$library"
	done
	for applet in sh cat ip ifconfig route udhcpc grep uname id getconf readlink run-parts; do
		ln -s /bin/busybox "$root/bin/$applet"
	done
	printf 'auto eth0\niface eth0 inet dhcp\n' >"$root/etc/network/interfaces"
	cat >"$root/lease" <<'END'
#!/bin/sh
[ "$1" != bound ] || { ip addr add "$ip/$mask" dev "$interface"; ip route add default via "$router" dev "$interface"; }
END
	chmod +x "$root/lease" "$root/init"
	(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$made/initrd"
}

# boot LOG TO OPTION ..: NICs of all other models stand behind the one under test.
boot()
{
	log=$1 asked=$2
	shift 2
	n=1
	for other in $others; do
		set -- "$@" -netdev "user,id=n$n,restrict=on" \
		    -device "$(qemu_name "$other"),netdev=n$n,mac=52:54:00:12:35:0$n"
		n=$((n + 1))
	done
	timeout 300 qemu-system-x86_64 -accel tcg -cpu max -m 384 -smp 1 -display none -no-reboot \
	    -serial "file:$log" -monitor none -nodefaults -vga none -machine pc \
	    -kernel "$kernel/vmlinuz" -initrd "$made/initrd" \
	    -append "console=ttyS0 quiet panic=-1 net.ifnames=0 rdinit=/init mac=$mac to=$asked" \
	    -netdev user,id=n0,restrict=on "$@" </dev/null
	tr -d '\r' <"$log" >"$log.text"
	grep -q '^GUEST: end$' "$log.text" || { cat "$log.text"; echo "FAILED: the guest did not get to its end"; exit 1; }
}

# expect LOG WHAT PATTERN: some line of the log.
expect()
{
	if ! grep -q -e "$3" "$1"; then
		cat "$1"
		echo "FAILED: $2: no line like '$3'"
		exit 1
	fi
	echo "ok: $2"
}

# recognised LOG MODEL: some interface has its driver and its PCI ids.
recognised()
{
	model "$2" | {
		read -r name driver vendor device
		awk -v driver="\"driver\": \"$driver\"," -v vendor="\"pci_vendor\": \"$vendor\"," \
		    -v device="\"pci_device\": \"$device\"," '
			/^GUEST: probe / { seen = 0 }
			index($0, driver) || index($0, vendor) || index($0, device) { seen++ }
			/^GUEST: probed / && seen == 3 { found = 1 }
			END { exit !found }' "$1" ||
		    { cat "$1"; echo "FAILED: $name is not recognised by $driver and $vendor:$device"; exit 1; }
		echo "ok: $name is recognised by $driver and $vendor:$device"
	} || exit 1
}

others=$*
build_initramfs
boot "$made/first" "$to" -device "$(qemu_name "$from"),netdev=n0,mac=$mac,addr=0x12"
text=$made/first.text
expect "$text" "under $from it is eth0" '^GUEST: under test eth0$'
expect "$text" "its network is up" '^GUEST: network 10\.0\.2\.'
expect "$text" "its gateway answers" '^GUEST: answered$'
for each in $from $others; do
	recognised "$text" "$each"
done
expect "$text" "the plan keeps the name" 'keeps its name, eth0'
expect "$text" "the plan looks at the file that names it" '/etc/network/interfaces:1: auto eth0'

line=$(sed -n '/^GUEST: plan$/,/^GUEST: planned$/s/^ *\(-device '"$(qemu_name "$to")"',.*\)$/\1/p' "$text" | head -n 1)
echo "followed: $line"
[ "$line" = "-device $(qemu_name "$to"),netdev=NETDEV,mac=$mac,addr=0x12" ] ||
    { cat "$text"; echo "FAILED: the plan has no such line"; exit 1; }
others=
device=$(echo "${line#-device }" | sed 's/netdev=NETDEV/netdev=n0/')
boot "$made/second" "" -device "$device"
text=$made/second.text
expect "$text" "under $to it is eth0 too" '^GUEST: under test eth0$'
expect "$text" "its network came back" '^GUEST: network 10\.0\.2\.'
expect "$text" "its gateway answers again" '^GUEST: answered$'
expect "$text" "its address stayed" '"bus": "0000:00:12.0"'
recognised "$text" "$to"
echo "$from -> $to: the network came back"
