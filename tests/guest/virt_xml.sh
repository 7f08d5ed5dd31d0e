#!/bin/sh
# virt_xml.sh PROGRAM TRANSCRIPT MODEL: libvirt's command of a plan, as it is printed, changes the
# NIC with this MAC and nothing else.  libvirt's test driver stands for the hypervisor.
set -u
program=$1 transcript=$2 model=$3
made=$(mktemp -d) || exit 1
trap 'rm -rf "$made"' EXIT

fail()
{
	echo "FAILED: $*"
	exit 1
}

line=$("$program" advise "replay:$transcript" --rtt 209ms --rate 600M --nic "$model" -q |
    sed -n 's/^ *virt-xml VM /VM /p' | head -n 1)
mac=$(echo "$line" | sed -n 's/.*mac=\([0-9a-f:]*\) .*/\1/p')
[ -n "$mac" ] || fail "the plan has no line of virt-xml with a MAC: '$line'"
cat >"$made/host.xml" <<END
<node>
<domain type='test'>
  <name>VM</name>
  <memory>65536</memory>
  <os><type>hvm</type></os>
  <devices>
    <interface type='network'><mac address='02:00:00:00:00:99'/><source network='default'/><model type='virtio'/></interface>
    <interface type='network'><mac address='$mac'/><source network='default'/><model type='virtio'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x12' function='0x0'/></interface>
  </devices>
</domain>
</node>
END
# shellcheck disable=SC2086 # the line's words
virt-xml --connect "test://$made/host.xml" $line >"$made/said" 2>&1 || fail "virt-xml: $(cat "$made/said")"
grep -q 'fully powered off' "$made/said" || fail "virt-xml does not ask for a power cycle: $(cat "$made/said")"
# shellcheck disable=SC2086
virt-xml --connect "test://$made/host.xml" $line --print-diff | sed -n '/^[-+] /p' >"$made/changed"
cat "$made/changed"
[ "$(sed 's/ //g' "$made/changed" | tr '\n' ' ')" = "-<modeltype=\"virtio\"/> +<modeltype=\"$model\"/> " ] ||
    fail "something else changes than the model"
