#!/bin/sh
# deb.sh BUILD VERSION: cpack makes a package of what was built there that lintian has nothing to say
# about, and that holds what an administrator looks for.
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
(cd "$1" && cpack -G DEB -B "$out" >"$out/log" 2>&1) || { cat "$out/log" >&2; exit 1; }
deb=$(find "$out" -maxdepth 1 -name "pathtune_$2_*.deb")
[ -n "$deb" ] || { echo "there is no package of version $2" >&2; exit 1; }
lintian --allow-root "$deb" >"$out/said" 2>&1 || { cat "$out/said" >&2; exit 1; }
if [ -s "$out/said" ]; then
	cat "$out/said" >&2
	exit 1
fi
dpkg-deb -x "$deb" "$out/root"
for file in bin/pathtune share/man/man8/pathtune.8.gz share/man/man5/pathtune-profile.5.gz \
    share/bash-completion/completions/pathtune share/zsh/site-functions/_pathtune \
    share/fish/vendor_completions.d/pathtune.fish share/doc/pathtune/copyright \
    share/doc/pathtune/run.schema.json; do
	[ -s "$out/root/usr/$file" ] || { echo "/usr/$file is not in the package" >&2; exit 1; }
done
[ "$("$out/root/usr/bin/pathtune" --version)" = "pathtune $2" ]
echo "$(basename "$deb"): lintian has nothing to say"
