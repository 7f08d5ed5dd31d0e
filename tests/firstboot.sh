#!/bin/sh
# firstboot.sh: docs/integrations/firstboot: the script works once, cannot block and cannot fail; the
# files around it are what their systems read.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)/docs/integrations/firstboot
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
fail()
{
	echo "firstboot: $*" >&2
	[ ! -e "$box/marker.log" ] || cat "$box/marker.log" >&2
	exit 1
}

# A pathtune that notes how it was called, and does what $box/does says.
cat >"$box/pathtune" <<'END'
#!/bin/sh
echo "$*" >>"$BOX/called"
. "$BOX/does"
END
chmod +x "$box/pathtune"
sed "s|^PATH=|PATH=$box:|" "$here/pathtune-firstboot" >"$box/firstboot"
export BOX="$box" PATHTUNE_MARKER="$box/marker" PATHTUNE_CAP_S=1
boot()
{
	status=0
	sh "$box/firstboot" "$@" >"$box/out" 2>&1 || status=$?
	[ "$status" -eq 0 ] || fail "a boot fails: $status"
}

echo 'exit 0' >"$box/does"
boot 80ms 300M
grep -qx "advise --rtt 80ms --rate 300M --save $box/marker.json" "$box/called" || fail "no advice"
grep -qx "apply --yes $box/marker.json" "$box/called" || fail "not applied"
grep -q 'in force' "$box/out" || fail "says nothing"
boot 80ms 300M
[ "$(wc -l <"$box/called")" -eq 2 ] || fail "the second boot does it again"

rm "$box/marker" "$box/called"
echo 'exit 1' >"$box/does"
boot 80ms 300M
grep -q 'as they were' "$box/out" || fail "a failure is not told"
! grep -q '^apply' "$box/called" || fail "applied without advice"

rm "$box/marker"
mkfifo "$box/never"
echo "exec cat '$box/never'" >"$box/does"
boot 80ms 300M
grep -q 'as they were' "$box/out" || fail "a program that hangs is not told"

for file in pathtune-firstboot freebsd-firstboot netbsd-rc; do
	shellcheck -s sh -e SC1090,SC1091,SC2034,SC2086,SC2154,SC3040 "$here/$file" || fail "$file"
done
shellcheck -s ksh "$here/openbsd-rc.firsttime" || fail "openbsd-rc.firsttime"
cloud-init schema --config-file "$here/cloud-init.yaml" >"$box/said" 2>&1 || { cat "$box/said"; fail "cloud-init.yaml"; }
sed 's/^  - path:.*/  - owner: root/' "$here/cloud-init.yaml" >"$box/bad.yaml"
! cloud-init schema --config-file "$box/bad.yaml" >/dev/null 2>&1 || fail "a bad schema is accepted"
sed "s|/usr/local/sbin/pathtune-firstboot|$box/firstboot|" "$here/pathtune-firstboot.service" \
    >"$box/pathtune-firstboot.service"
chmod +x "$box/firstboot"
systemd-analyze verify --man=no "$box/pathtune-firstboot.service" >"$box/said" 2>&1 || { cat "$box/said"; fail "the unit"; }
! grep -q pathtune-firstboot.service "$box/said" || { cat "$box/said"; fail "the unit"; }
echo "firstboot: as expected"
