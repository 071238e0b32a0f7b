import { quoteWords } from '../../files/shell-words.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * The script that makes a shell complete `repro`.
 *
 * @param program the words that start this program, so that completing needs no search
 */
export function completionScript(shell: Shell, program: readonly string[]): string {
  const start = quoteWords(program);
  switch (shell) {
    case 'bash':
      return bash.replace('PROGRAM', () => start);
    case 'zsh':
      return zsh.replace('PROGRAM', () => start);
    case 'fish':
      // Within single quotes, fish knows \\' and \\\\.
      return fish.replace('PROGRAM', () => program.map(quoteForFish).join(' '));
  }
}

function quoteForFish(word: string): string {
  return `'${word.replace(/[\\']/g, (one) => `\\${one}`)}'`;
}

/**
 * Also for bash 3.2, which macOS has: no mapfile, and compopt may be missing. bash inserts words as they are, so that one named
 * `$(…)` would be run; only names of files are quoted by bash itself, where it can be told that they are such.
 */
const bash = `# bash completion for repro
_repro() {
  local paths='' word quoted
  local -a plain
  COMPREPLY=()
  while IFS=$'\\t' read -r word quoted; do
    if [ -z "$paths" ]; then paths=$word; else plain+=("$word") COMPREPLY+=("$quoted"); fi
  done < <(PROGRAM complete-words bash -- "\${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
  if [ "$paths" = files ] || [ "$paths" = folders ]; then
    local kind=-f
    if [ "$paths" = folders ]; then kind=-d; fi
    while IFS= read -r word; do
      printf -v quoted %q "$word"
      plain+=("$word") COMPREPLY+=("$quoted")
    done < <(compgen $kind -- "$2" 2>/dev/null)
    if compopt -o filenames 2>/dev/null; then COMPREPLY=(\${plain[@]+"\${plain[@]}"}); fi
  fi
  case "\${#COMPREPLY[@]}\${COMPREPLY[0]-}" in
    1*=) compopt -o nospace 2>/dev/null ;;
  esac
}
complete -F _repro repro
`;

const zsh = `#compdef repro
# zsh completion for repro
_repro() {
  local -a answer words_before found shown open open_shown
  local line word description paths prefix ret=1
  words_before=("\${(@Q)words[2,CURRENT-1]}")
  answer=("\${(@f)$(PROGRAM complete-words zsh -- "\${words_before[@]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  [[ -n $answer[1] ]] || return 1
  paths=\${answer[1]%%$'\\t'*} prefix=\${answer[1]#*$'\\t'}
  for line in "\${(@)answer[2,-1]}"; do
    word=\${line%%$'\\t'*} description=\${line#*$'\\t'}
    [[ -n $description ]] && line="\${(r:28:)word}  $description" || line=$word
    if [[ $word == *= ]]; then open+=("$word") open_shown+=("$line")
    else found+=("$word") shown+=("$line"); fi
  done
  (( $#found )) && compadd -l -d shown -a found && ret=0
  (( $#open )) && compadd -S '' -l -d open_shown -a open && ret=0
  if [[ $paths != none ]]; then
    [[ -n $prefix ]] && compset -P "\${(b)prefix}"
    if [[ $paths == folders ]]; then _files -/ && ret=0
    else _files && ret=0; fi
  fi
  return ret
}
if [[ $funcstack[1] == _repro ]]; then
  _repro "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _repro repro
fi
`;

const fish = `# fish completion for repro
function __repro_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l answer (PROGRAM complete-words fish -- $words "$current" 2>/dev/null)
    or return
    set -l head (string split \\t -- $answer[1])
    set -e answer[1]
    if test (count $answer) -gt 0
        printf '%s\\n' $answer
    end
    if test "$head[1]" != none
        set -l rest (string sub -s (math (string length -- "$head[2]") + 1) -- "$current")
        if test "$head[1]" = folders
            printf '%s\\n' "$head[2]"(__fish_complete_directories "$rest")
        else
            printf '%s\\n' "$head[2]"(__fish_complete_path "$rest")
        end
    end
end
complete -c repro -e
complete -c repro -k -f -a '(__repro_complete)'
`;
