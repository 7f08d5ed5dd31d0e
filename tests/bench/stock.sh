#!/bin/sh
# stock.sh PATHTUNE [TUNE-FLAG..]: tune, apply, check and revert on a target that has nothing but
# sshd, nc and the tools of a base system, as a transcript on stdout; two and a half minutes, as root.
# Target and control are the two sides of a lab; the link between them is the path that is tuned.
set -u
program=$1
shift
[ "$#" -ne 0 ] || set -- --quick
dir=$(mktemp -d /tmp/pathtune-stock-XXXXXX) || exit 1
lab=stock-$$
server=
export HOME="$dir" PATHTUNE_STATE="$dir/state"

end()
{
	[ -z "$server" ] || kill "$server"
	"$program" lab down "$lab" >/dev/null 2>&1
	rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' INT TERM

mkdir -m 700 "$dir/.ssh" "$dir/bin" "$dir/etc"
ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$dir/.ssh/id_ed25519"
for tool in awk basename cat chmod cksum cp date dd env getconf grep head hostname id ip kill ln ls \
    mkdir mktemp mv nc nohup ping ps rm sed setsid sh sleep sort ss stat sync sysctl tail tr uname wc; do
	path=$(command -v "$tool") && [ -x "$path" ] && ln -s "$path" "$dir/bin/$tool"
done
# What the script of a round trip sets its PATH to is this directory instead.
cat >"$dir/login" <<EOF
#!/bin/sh
case \$SSH_ORIGINAL_COMMAND in
'exec /bin/sh -s') sed -u 's|PATH=/usr/local/sbin:[^ ]*|PATH=$dir/bin|' | PATH=$dir/bin exec /bin/sh -s ;;
*) PATH=$dir/bin exec /bin/sh -c "\$SSH_ORIGINAL_COMMAND" ;;
esac
EOF
chmod 755 "$dir/login"
cat >"$dir/sshd_config" <<EOF
HostKey $dir/host_key
AuthorizedKeysFile $dir/.ssh/id_ed25519.pub
StrictModes no
UsePAM no
PidFile none
PermitRootLogin prohibit-password
ListenAddress 10.83.0.1
Port 2222
ForceCommand $dir/login
EOF
echo "[10.83.0.1]:2222 $(cat "$dir/host_key.pub")" >"$dir/.ssh/known_hosts"
# No other congestion control than the default: in a namespace the kernel would refuse it.
sysctl -n net.ipv4.tcp_congestion_control >"$dir/available"
sed "s|^\(root:x:0:0:[^:]*:\)[^:]*|\1$dir|" /etc/passwd >"$dir/passwd"

"$program" lab up "$lab" --rate 100M --rtt 40ms --start bsd-256k --open-peer -q >/dev/null 2>&1 || exit 1
"$program" lab exec "$lab" a -- unshare --mount-proc --pid --fork --kill-child sh -c "
	for i in /run /var/lib /etc/sysctl.d; do mount -t tmpfs none \$i || exit 1; done
	mkdir /run/sshd && mount --bind $dir/passwd /etc/passwd &&
	mount --bind $dir/available /proc/sys/net/ipv4/tcp_available_congestion_control &&
	exec /usr/sbin/sshd -D -f $dir/sshd_config -E $dir/log" 2>"$dir/said" &
server=$!
until grep -q 'Server listening' "$dir/log" 2>/dev/null; do
	kill -0 "$server" || exit 1
	sleep .1
done

# on_control WORD..: said, and done, on the side that is not the target's
on_control()
{
	printf '$ %s\n' "$*" | sed "s|$dir/||g; s|^. $program|\$ pathtune|"
	"$program" lab exec "$lab" b -- env HOME="$dir" PATHTUNE_STATE="$PATHTUNE_STATE" "$@" 2>&1 |
	    sed "s|$dir/||g"
	echo
}

host=ssh://10.83.0.1:2222
on_control ssh -p 2222 -o UserKnownHostsFile="$dir/.ssh/known_hosts" -i "$dir/.ssh/id_ed25519" \
    root@10.83.0.1 "echo \$(ls \$PATH)"
on_control "$program" tune "$host" --peer here --direction send --save "$dir/run.json" "$@"
on_control "$program" apply "$dir/run.json" "$host" --yes
on_control "$program" check "$host"
on_control "$program" revert "$host" --yes
