#!/bin/sh
# completions.sh SHELL DIR: what SHELL completes for the program in DIR, by docs/completions.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
PATH=$2:$PATH
export PATH

# complete LINE: prints the words that SHELL offers behind it.
complete_line()
{
	case $shell in
	bash)
		# shellcheck disable=SC2016 # for that shell
		bash --norc -c '. "$1"; read -ra COMP_WORDS <<<"$2"
			case $2 in *" ") COMP_WORDS+=("") ;; esac
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _pathtune; printf "%s\n" "${COMPREPLY[@]}"' \
		    bash "$here/docs/completions/pathtune.bash" "$1" ;;
	fish)
		# shellcheck disable=SC2016
		HOME=$home XDG_CONFIG_HOME=$home fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
		    "$here/docs/completions/pathtune.fish" "$1" | cut -f 1 ;;
	zsh)
		# Its line editor wants a terminal: what is handed to its functions tells as much.
		# shellcheck disable=SC2016
		zsh -f -c 'setopt extendedglob
			_describe() { print -l -- ${(P)${@[-1]}%%:*} }
			_alternative() { : }
			_arguments() {
				local s choices
				for s in "${@[1,-2]}"; do
					choices=${s##*:}
					if [[ $words[CURRENT-1] != ${s%%\[*} ]]; then
						[[ $words[CURRENT] == -* ]] && print -r -- ${s%%\[*}
					elif [[ $choices == \(*\) ]]; then
						print -l -- ${=${choices#\(}%\)}
					fi
				done
			}
			words=(${(z)2}); [[ $2 == *" " ]] && words+=(""); CURRENT=$#words
			. "$1"' zsh "$here/docs/completions/_pathtune" "$1" |
		    grep -e "^${1##* }" || : ;;
	esac
}

# expect LINE WORD..: each is offered; -WORD with a leading "!" is not.
expect()
{
	line=$1
	shift
	complete_line "$line" >"$home/offered"
	for word; do
		case $word in
		!*) ! grep -qxF -e "${word#!}" "$home/offered" || fail "$line" "$word" ;;
		*) grep -qxF -e "$word" "$home/offered" || fail "$line" "$word" ;;
		esac
	done
}

fail()
{
	echo "$shell: behind '$1': $2 expected, but there is:" >&2
	cat "$home/offered" >&2
	exit 1
}

shell=$1
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
expect 'pathtune ' tune advise lab '!--peer'
expect 'pathtune ad' advise '!tune'
expect 'pathtune tune --' --peer --direction --json '!--ram'
expect 'pathtune advise --' --ram '!--thorough'
expect 'pathtune tune --direction ' send receive both '!throughput'
expect 'pathtune tune --policy l' latency '!throughput'
expect 'pathtune lab ' up down exec '!tune'
expect 'pathtune lab up --' --rtt '!--peer'
echo "$shell: completes as expected"
