# fish completion for pathtune: what the program's own --help says, so that it is never out of date.

function __pathtune_commands
    set -l program (commandline -opc)[1]
    $program --help 2>/dev/null | string replace -rf '^  ([a-z]+) +([a-z].*)$' '$1\t$2'
end

function __pathtune_lab
    set -l program (commandline -opc)[1]
    $program lab --help 2>/dev/null | string replace -rf '^  lab ([a-z]+) +([a-z].*)$' '$1\t$2'
end

# The words on the line that name the command: one, two with lab.
function __pathtune_asked
    set -l words (commandline -opc)
    if test (count $words) -ge 3; and test "$words[2]" = lab
        printf '%s\n' $words[1..3]
    else
        printf '%s\n' $words[1..2]
    end
end

function __pathtune_flags
    set -l asked (__pathtune_asked)
    $asked --help 2>/dev/null |
        string replace -rf '^  (?:-., )?(--[a-z][a-z-]*)(?:\[=[A-Z]*\])?(?: (?:[A-Z]\S*|[a-z]+(?:\|[a-z]+)+))? +(.*)$' '$1\t$2'
end

# What the flag before the cursor takes, where it is one of a few words.
function __pathtune_choices
    set -l asked (__pathtune_asked)
    set -l flag (commandline -opc)[-1]
    $asked --help 2>/dev/null |
        string replace -rf -- "^  (?:-., )?$flag ([a-z]+(?:\\|[a-z]+)+) .*" '$1' | string split '|'
end

function __pathtune_first
    test (count (commandline -opc)) -eq 1
end

function __pathtune_lab_first
    set -l words (commandline -opc)
    test (count $words) -eq 2; and test "$words[2]" = lab
end

complete -c pathtune -n __pathtune_first -f -a '(__pathtune_commands)'
complete -c pathtune -n __pathtune_lab_first -f -a '(__pathtune_lab)'
complete -c pathtune -n 'not __pathtune_first; and string match -q -- "-*" (commandline -ct)' -f -a '(__pathtune_flags)'
complete -c pathtune -n 'not __pathtune_first; and string match -qr "^--" -- (commandline -opc)[-1]' -a '(__pathtune_choices)'
complete -c pathtune -n 'not __pathtune_first' -a 'local ssh:// replay:'
