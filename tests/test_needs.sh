#!/bin/sh
# needs.sh runs, skips and fails as its head says.
set -u
needs=$(dirname "$0")/needs.sh
status=0

# expect STATUS OUTPUT ARGUMENT..: what needs.sh must do with these arguments.
expect()
{
	want=$1 text=$2
	shift 2
	out=$(sh "$needs" "$@" 2>/dev/null)
	got=$?
	if [ "$got" -ne "$want" ] || [ "$out" != "$text" ]; then
		echo "needs.sh $*: exit $got \"$out\", expected $want \"$text\""
		status=1
	fi
}

PATHTUNE_FULL=0
export PATHTUNE_FULL
expect 0 "a  b" -- echo "a  b"
expect 0 ran sh cat -- echo ran
expect 3 "" sh -- sh -c 'exit 3'
expect 77 "SKIP: no-such-program is not installed" sh no-such-program -- echo ran
expect 2 "" sh
expect 2 "" sh --
PATHTUNE_FULL=1
expect 1 "SKIP: no-such-program is not installed" no-such-program -- echo ran
expect 0 ran sh -- echo ran
exit $status
