"""The scripts by which bash, zsh and fish complete the words of `meshman`.

The commands and options stand in the script, so that a key press starts no program. Names of entries are
asked for with `meshman completion names KIND` and never evaluated: a bookmark may be called `$(reboot)`.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshclient.meshman.completion_model import Node, Option

SHELLS = ("bash", "zsh", "fish")

_SH_DATA = """# Completion of meshman; made by `meshman completion {shell}`.
_meshman_data() {{
  subs= opts= args=
  case $1 in
{cases}
    *) return 1 ;;
  esac
}}
"""

_BASH = r"""
_meshman_add() {
  local word quoted
  while IFS= read -r word; do
    [[ $word == "$1"* ]] || continue
    printf -v quoted %q "$word"
    [[ $word == *[^A-Za-z0-9@._:/,+=-]* ]] || quoted=$word
    COMPREPLY+=("$quoted")
  done
}
_meshman_kind() {
  local value=$2 part
  case $1 in
    choice:*) _meshman_add "$value" < <(IFS=,; printf '%s\n' ${1#choice:}) ;;
    names:*+file) _meshman_kind "${1%+file}" "$value"; _meshman_kind file "$value" ;;
    names:*) _meshman_add "$value" < <(meshman completion names "${1#names:}" 2>/dev/null) ;;
    file|folder)
      compopt -o filenames 2>/dev/null
      if [[ $1 == file ]]; then part=-f; else part=-d; fi
      while IFS= read -r part; do COMPREPLY+=("$part"); done < <(compgen $part -- "$value")
      ;;
  esac
}
_meshman() {
  local line=${COMP_LINE:0:COMP_POINT} path= subs opts args pending= word name option number=0 words cur
  read -ra words <<<"$line"
  cur=
  [[ $line == *[[:space:]] ]] || { cur=${words[-1]}; unset 'words[-1]'; }
  COMPREPLY=()
  _meshman_data "$path"
  for word in "${words[@]:1}"; do
    if [[ -n $pending ]]; then pending=; continue; fi
    name=${word#--}; name=${name#/}; name=${name%%=*}; name=${name,,}
    if [[ -n $subs ]]; then
      [[ $word == [-/]* ]] && continue
      path="${path:+$path }${word,,}"
      _meshman_data "$path" || return
    elif [[ $word == --* || $word == /* ]] && [[ " $opts " == *" $name "* || " $opts " == *" $name="* ]]; then
      [[ $word != *=* && " $opts " == *" $name="* ]] && pending=$name
    else
      number=$((number + 1))
    fi
  done
  if [[ -n $pending ]]; then
    for option in $opts; do [[ $option == "$pending="* ]] && _meshman_kind "${option#*=}" "$cur"; done
  elif [[ -n $subs ]]; then
    _meshman_add "${cur,,}" < <(printf '%s\n' $subs)
  elif [[ $cur == --*=* || $cur == /*=* ]]; then
    name=${cur#--}; name=${name#/}; name=${name%%=*}; name=${name,,}
    for option in $opts; do [[ $option == "$name="* ]] && _meshman_kind "${option#*=}" "${cur#*=}"; done
    [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=("${COMPREPLY[@]/#/${cur%%=*}=}")
    cur=${cur#*=}
  elif [[ $cur == -* || $cur == /* ]]; then
    word=--; [[ $cur == /* ]] && word=/
    for option in $opts; do
      [[ $word${option%%=*} == "${cur,,}"* ]] && COMPREPLY+=("$word${option%%=*}")
    done
    [[ ${#COMPREPLY[@]} == 0 ]] && _meshman_kind file "$cur"
  else
    for option in $args; do
      if [[ $option == \** ]]; then _meshman_kind "${option#\*}" "$cur"; break; fi
      if [[ $number == 0 ]]; then _meshman_kind "$option" "$cur"; break; fi
      number=$((number - 1))
    done
  fi
  local broken=${cur%"${cur##*[$COMP_WORDBREAKS]}"}
  [[ -n $broken ]] && COMPREPLY=("${COMPREPLY[@]#"$broken"}")
  return 0
}
complete -F _meshman meshman
"""

_ZSH = r"""
_meshman_kind() {
  local -a found
  case $1 in
    choice:*) found=(${(s:,:)${1#choice:}}); compadd -a found ;;
    names:*+file) _meshman_kind ${1%+file}; _files ;;
    names:*) found=("${(@f)$(meshman completion names ${1#names:} 2>/dev/null)}"); compadd -a found ;;
    file) _files ;;
    folder) _files -/ ;;
  esac
}
_meshman() {
  local at= subs opts args pending= word name option number=0 cur=${words[CURRENT]} style
  local -a found
  _meshman_data ""
  for word in ${words[2,CURRENT-1]}; do
    if [[ -n $pending ]]; then pending=; continue; fi
    name=${word#--}; name=${name#/}; name=${(L)name%%=*}
    if [[ -n $subs ]]; then
      [[ $word == [-/]* ]] && continue
      at="${at:+$at }${(L)word}"
      _meshman_data "$at" || return
    elif [[ $word == (--*|/*) && ( " $opts " == *" $name "* || " $opts " == *" $name="* ) ]]; then
      [[ $word != *=* && " $opts " == *" $name="* ]] && pending=$name
    else
      number=$((number + 1))
    fi
  done
  if [[ -n $pending ]]; then
    for option in ${=opts}; do [[ $option == $pending=* ]] && _meshman_kind ${option#*=}; done
  elif [[ -n $subs ]]; then
    found=(${=subs}); compadd -M 'm:{A-Z}={a-z}' -a found
  elif [[ $cur == (--|/)*=* ]]; then
    name=${cur#--}; name=${name#/}; name=${(L)name%%=*}
    compset -P '*='
    for option in ${=opts}; do [[ $option == $name=* ]] && _meshman_kind ${option#*=}; done
  elif [[ $cur == -* || $cur == /* ]]; then
    style=--; [[ $cur == /* ]] && style=/
    for option in ${=opts}; do
      [[ $style${option%%=*} == ${(L)cur}* ]] && found+=($style${option%%=*})
    done
    if (( $#found )); then compadd -M 'm:{A-Z}={a-z}' -a found; else _files; fi
  else
    for option in ${=args}; do
      if [[ $option == \** ]]; then _meshman_kind ${option#\*}; break; fi
      if (( number == 0 )); then _meshman_kind $option; break; fi
      number=$((number - 1))
    done
  fi
}
if [[ $funcstack[1] == _meshman ]]; then _meshman "$@"; else compdef _meshman meshman; fi
"""

_FISH = r"""
function __meshman_kind --argument-names kind value
    switch $kind
        case 'choice:*'
            string split , -- (string replace 'choice:' '' -- $kind)
        case 'names:*+file'
            __meshman_kind (string replace '+file' '' -- $kind) $value
            __fish_complete_path $value
        case 'names:*'
            meshman completion names (string replace 'names:' '' -- $kind) 2>/dev/null
        case file
            __fish_complete_path $value
        case folder
            __fish_complete_directories $value
    end
end
function __meshman_complete
    set -l cur (commandline -ct)
    set -l data (__meshman_data '')
    set -l at
    set -l pending
    set -l number 1
    for word in (commandline -opc)[2..-1]
        if test -n "$pending"
            set pending
            continue
        end
        set -l name (string lower -- (string replace -r '^(--|/)' '' -- $word | string replace -r '=.*' ''))
        set -l options (string split -n ' ' -- $data[2])
        if test -n "$data[1]"
            string match -qr '^[-/]' -- $word; and continue
            set at (string trim -- "$at "(string lower -- $word))
            set data (__meshman_data $at)
            or return
        else if string match -qr '^(--|/)' -- $word
            and contains -- $name (string replace -r '=.*' '' -- $options)
            if not string match -q '*=*' -- $word; and not contains -- $name $options
                set pending $name
            end
        else
            set number (math $number + 1)
        end
    end
    set -l options (string split -n ' ' -- $data[2])
    set -l arguments (string split -n ' ' -- $data[3])
    if test -n "$pending"
        for option in (string match -- "$pending=*" $options)
            __meshman_kind (string replace -r '^[^=]*=' '' -- $option) $cur
        end
    else if test -n "$data[1]"
        string split -n ' ' -- $data[1]
    else if string match -qr '^(--|/)[^=]*=' -- $cur
        set -l head (string replace -r '=.*' '=' -- $cur)
        set -l name (string lower -- (string replace -r '^(--|/)' '' -- $head))
        for option in (string match -- "$name*" $options)
            string replace -r '^' $head -- (__meshman_kind (string replace -r '^[^=]*=' '' -- $option) '')
        end
    else if string match -qr '^[-/]' -- $cur
        set -l style --
        string match -q '/*' -- $cur; and set style /
        string replace -r '^' -- $style (string replace -r '=.*' '' -- $options)
        test $style = /; and __fish_complete_path $cur
    else
        for option in $arguments
            if string match -q '\**' -- $option
                __meshman_kind (string sub -s 2 -- $option) $cur
                break
            else if test $number = 1
                __meshman_kind $option $cur
                break
            end
            set number (math $number - 1)
        end
    end
end
complete -c meshman -f -a '(__meshman_complete)'
"""

_FISH_DATA = """# Completion of meshman; made by `meshman completion fish`.
function __meshman_data
    switch $argv[1]
{cases}
        case '*'
            return 1
    end
end
"""


def script(shell: str, found: Iterable[Node]) -> str:
    """The script for a shell of SHELLS."""
    if shell == "fish":
        return _FISH_DATA.format(cases="\n".join(_fish_case(node) for node in found)) + _FISH
    head = f"#compdef meshman\n{_SH_DATA}" if shell == "zsh" else _SH_DATA
    cases = "\n".join(_sh_case(node) for node in found)
    return head.format(shell=shell, cases=cases) + (_ZSH if shell == "zsh" else _BASH)


def _sh_case(node: Node) -> str:
    path = " ".join(node.path)
    subs, opts, args = _data(node)
    return f"    '{path}') subs='{subs}' opts='{opts}' args='{args}' ;;"


def _fish_case(node: Node) -> str:
    said = " ".join(f"'{part}'" for part in _data(node))
    return f"        case '{' '.join(node.path)}'\n            printf '%s\\n' {said}"


def _data(node: Node) -> tuple[str, str, str]:
    """Names of commands, options (`name` or `name=kind`) and kinds of words, `-` for an unknown one."""
    kinds = [kind or "-" for kind in node.arguments]
    if node.more:
        kinds[-1] = f"*{kinds[-1]}"
    options = " ".join(_option(one) for one in node.options)
    return " ".join(name for name, _ in node.commands), options, " ".join(kinds)


def _option(option: Option) -> str:
    return option.name if option.kind is None else f"{option.name}={option.kind}"
