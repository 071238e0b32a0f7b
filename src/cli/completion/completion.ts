import process from 'node:process';
import type { Command } from 'commander';
import { quoteWords } from '../../files/shell-words.ts';
import { toOneLine } from '../view/print.ts';
import { complete } from './candidates.ts';
import type { Shell } from './commands.ts';

/** `repro completion SHELL`: prints the script that the shell reads. It names this program, so completing needs no search. */
export function printCompletion(shell: Shell): void {
  const program = [process.execPath, process.argv[1] ?? 'repro'];
  const start =
    // Within single quotes, fish knows \\' and \\\\.
    shell === 'fish'
      ? program.map((word) => `'${word.replace(/[\\']/g, '\\$&')}'`).join(' ')
      : quoteWords(program);
  process.stdout.write(scripts[shell].replace('PROGRAM', () => start));
}

/**
 * Answers a script. The first line says whether paths fit, too (`none`, `file` or `directory`); then comes a line for each word, with its
 * description. On any error it prints nothing: that would end up in the line being typed.
 *
 * @param given the words up to the cursor; for bash, before them the part of the last one that bash replaces
 */
export async function printWords(program: Command, shell: Shell, given: readonly string[]): Promise<void> {
  try {
    const [replaced = '', ...broken] = shell === 'bash' ? given : ['', ...given];
    const words = shell === 'bash' ? joinBroken(broken).map(unquote) : broken;
    const current = words.at(-1) ?? '';
    const answer = await complete(program, words.slice(0, -1), current);
    // A line break would be another candidate.
    const fitting = answer.words.filter(([word]) => word.startsWith(current) && toOneLine(word) === word);
    const lines =
      shell === 'bash'
        ? fitting
            // bash inserts words unchanged, so an unquoted `$(…)` would be run.
            .filter(([word]) => plain.test(word))
            .map(([word]) => word.slice(Math.max(0, current.length - unquote(replaced).length)))
        : fitting.map(([word, description]) => `${word}\t${toOneLine(description)}`);
    process.stdout.write(`${[answer.paths, ...lines].join('\n')}\n`);
  } catch {
    process.exitCode = 1;
  }
}

/** bash breaks words at these characters, too. */
const breaks = /^[=:@]+$/;

function joinBroken(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const [i, word] of words.entries()) {
    const isPart = breaks.test(word) || breaks.test(words[i - 1] ?? '');
    joined.push(isPart ? `${joined.pop() ?? ''}${word}` : word);
  }
  return joined;
}

/** A word as it was typed, without quotes and backslashes. */
function unquote(word: string): string {
  return word.replace(/\\(.)|["']/g, '$1');
}

/** A word without characters that mean something to bash. */
const plain = /^[\w@%+=:,./\u0080-\uffff-]+$/;

/** The one for bash also works in bash 3.2 of macOS, which has neither mapfile nor compopt. */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `# bash completion for repro
_repro() {
  local paths='' word
  COMPREPLY=()
  while IFS= read -r word; do
    if [ -z "$paths" ]; then paths=$word; else COMPREPLY+=("$word"); fi
  done < <(PROGRAM complete-words bash -- "$2" "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [ -n "$paths" ] && [ "$paths" != none ]; then
    while IFS= read -r word; do
      compopt -o filenames 2>/dev/null || printf -v word %q "$word"
      COMPREPLY+=("$word")
    done < <(compgen -A "$paths" -- "$2" 2>/dev/null)
  fi
  case "\${#COMPREPLY[@]}\${COMPREPLY[0]-}" in
    1*=) compopt -o nospace 2>/dev/null ;;
  esac
}
complete -F _repro repro
`,
  zsh: `#compdef repro
# zsh completion for repro
_repro() {
  local -a answer words_before found shown open open_shown
  local line word description ret=1
  words_before=("\${(@Q)words[2,CURRENT-1]}")
  answer=("\${(@f)$(PROGRAM complete-words zsh -- "\${words_before[@]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  [[ -n $answer[1] ]] || return 1
  for line in "\${(@)answer[2,-1]}"; do
    word=\${line%%$'\\t'*} description=\${line#*$'\\t'}
    [[ -n $description ]] && line="\${(r:28:)word}  $description" || line=$word
    if [[ $word == *= ]]; then open+=("$word") open_shown+=("$line")
    else found+=("$word") shown+=("$line"); fi
  done
  (( $#found )) && compadd -l -d shown -a found && ret=0
  (( $#open )) && compadd -S '' -l -d open_shown -a open && ret=0
  if [[ $answer[1] != none ]]; then
    compset -P '*='
    if [[ $answer[1] == directory ]]; then _files -/ && ret=0
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
`,
  fish: `# fish completion for repro
function __repro_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer (PROGRAM complete-words fish -- $words[2..] "$current" 2>/dev/null)
    or return
    printf '%s\\n' $answer[2..]
    set -l head (string match -r '^.*=' -- "$current")
    set -l rest (string replace -r '^.*=' '' -- "$current")
    if test "$answer[1]" = directory
        printf '%s\\n' "$head"(__fish_complete_directories "$rest")
    else if test "$answer[1]" = file
        printf '%s\\n' "$head"(__fish_complete_path "$rest")
    end
end
complete -c repro -e
complete -c repro -k -f -a '(__repro_complete)'
`,
};
