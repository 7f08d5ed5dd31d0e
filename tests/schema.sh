#!/bin/sh
# schema.sh PROGRAM: run files and advice of PROGRAM are valid by docs/run.schema.json, and what is
# not a run file is not.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
n=0

valid()
{
	PYTHONWARNINGS=ignore jsonschema -i "$out/run.json" "$here/docs/run.schema.json" 2>"$out/why"
}

expect_valid()
{
	valid || {
		echo "$1 is not valid:" >&2
		head -n 5 "$out/why" >&2
		exit 1
	}
	n=$((n + 1))
}

for system in 'Linux --release 6.12' 'FreeBSD --release 14.2' 'NetBSD --release 10.1' \
    'OpenBSD --release 7.8' 'DragonFly --release 6.4'; do
	# shellcheck disable=SC2086 # two words
	"$1" advise --os $system --ram 4G --rtt 209ms --rate 600M --json >"$out/run.json"
	expect_valid "advice for $system"
done
for file in "$here"/tests/fuzz/corpus/run/*; do
	if "$1" show --json "$file" >"$out/run.json" 2>"$out/refused"; then
		expect_valid "$file"
	fi
done
[ "$n" -gt 5 ] || { echo "no run file of the corpus was shown" >&2; exit 1; }
sed 's/"verdict": "/&un/' "$out/run.json" >"$out/other" && mv "$out/other" "$out/run.json"
! valid || { echo "a verdict that does not exist is valid" >&2; exit 1; }
echo "$n documents are valid"
