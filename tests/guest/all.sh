#!/bin/sh
# all.sh PROGRAM KERNEL: guest.sh from each model to each other that the list of hypervisors has for
# QEMU; a minute a pair and more.
set -u
here=$(dirname "$0")
failed=0

for from in virtio e1000 e1000e vmxnet3 rtl8139; do
	for to in virtio e1000 e1000e vmxnet3 rtl8139; do
		[ "$from" != "$to" ] || continue
		sh "$here/guest.sh" "$1" "$2" "$from" "$to" >"$2/$from-$to.log" 2>&1
		status=$?
		[ "$status" -ne 77 ] || { cat "$2/$from-$to.log"; exit 77; }
		[ "$status" -eq 0 ] || failed=$((failed + 1))
		tail -n 1 "$2/$from-$to.log"
	done
done
echo "$failed of 20 failed"
[ "$failed" -eq 0 ]
