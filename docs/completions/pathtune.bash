# bash completion for pathtune: what the program's own --help says, so that it is never out of date.

# The flags of "pathtune $@", a line each: --name, then what its argument is called (or nothing).
_pathtune_flags()
{
	"$@" --help 2>/dev/null |
	    sed -n 's/^  \(-., \)\{0,1\}\(--[a-z][a-z-]*\)\(\[=[A-Z]*\]\)\{0,1\} \{0,1\}\([^ ]*\).*/\2 \4/p'
}

# The words after two blanks that begin with $1 in the help of "$2 ..": commands.
_pathtune_commands()
{
	local before=$1
	shift
	"$@" --help 2>/dev/null | sed -n "s/^  $before\\([a-z][a-z]*\\)  *[a-z].*/\\1/p"
}

_pathtune()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]-} flag argument
	local -a asked=("$program" "$command")

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W \
		    "$(_pathtune_commands '' "$program") --help --version" -- "$cur")
		return
	fi
	if [ "$command" = lab ]; then
		if [ "$COMP_CWORD" -eq 2 ]; then
			mapfile -t COMPREPLY < <(compgen -W \
			    "$(_pathtune_commands 'lab ' "$program" lab) --help" -- "$cur")
			return
		fi
		asked+=("${COMP_WORDS[2]}")
	fi
	while read -r flag argument; do
		[ "$flag" = "$prev" ] || continue
		case $argument in
		'') break ;;
		FILE | RUN | TABLE | INVENTORY) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		DIR) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
		*'|'*) mapfile -t COMPREPLY < <(compgen -W "${argument//|/ }" -- "$cur") ;;
		esac
		return
	done < <(_pathtune_flags "${asked[@]}")
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W \
	    "$(_pathtune_flags "${asked[@]}" | cut -d ' ' -f 1) --help" -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -W "local ssh:// replay:" -- "$cur"; compgen -f -- "$cur") ;;
	esac
}

# A host has a colon in it, which bash takes for the end of a word.
COMP_WORDBREAKS=${COMP_WORDBREAKS//:/}
complete -o filenames -F _pathtune pathtune
