#!/bin/sh
# golden.sh PROGRAM DIR: what the program says about a recorded machine is what it said before: its
# facts (probe.json), its advice for 600 Mbit/s over 209 ms (advise.txt), the files (files/); where
# DIR/nic names a model of NIC, the plan for it (plan.txt).
# UPDATE=1 writes them anew: look at the difference before you commit it.
#
# DIR/arguments holds further arguments, relative to DIR, where a machine needs some.
set -u
program=$1
cd "$2" || exit 1
made=$(mktemp -d) || exit 1
trap 'rm -rf "$made"' EXIT
trap 'exit 1' HUP INT TERM
set --
# Words of our own file; none holds a blank.
# shellcheck disable=SC2046
[ ! -e arguments ] || set -- $(cat arguments)

# Version and time differ from run to run.
unstamp()
{
	sed -E 's/^(.*Written by pathtune) [0-9.]+, [0-9TZ:-]+/\1 VERSION, TIME/' "$1" >"$1.new" &&
	    mv "$1.new" "$1"
}

"$program" probe "replay:." "$@" --json >"$made/probe.json" || exit 1
"$program" advise "replay:." "$@" --rtt 209ms --rate 600M --out "$made/files" -q \
    >"$made/advise.txt" || exit 1
if [ -e nic ]; then
	"$program" advise "replay:." "$@" --rtt 209ms --rate 600M -q --nic "$(cat nic)" >"$made/all" || exit 1
	sed -n '/^NIC: /,/^\//p' "$made/all" | sed '/^\//d' >"$made/plan.txt"
	rm "$made/all"
fi
find "$made" -type f >"$made/list"
while read -r file; do
	unstamp "$file"
done <"$made/list"
rm "$made/list"

if [ -n "${UPDATE:-}" ]; then
	rm -rf expected
	cp -R "$made" expected
	exit
fi
diff -ru expected "$made"
