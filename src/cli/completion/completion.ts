import process from 'node:process';
import type { Command } from 'commander';
import { toOneLine } from '../view/safe-text.ts';
import { complete } from './answer.ts';
import { completionScript, type Shell } from './scripts.ts';

/** `repro completion SHELL`: prints the script that the shell reads. */
export function printCompletion(shell: Shell): void {
  process.stdout.write(completionScript(shell, [process.execPath, process.argv[1] ?? 'repro']));
}

/**
 * What the scripts ask: prints `none`, `files` or `folders` with the path's prefix, and a line for each word with its description; for
 * bash, with the word as it is to be inserted. Whatever goes wrong, nothing is printed: an error would end up in the middle of what
 * somebody types.
 *
 * @param given for bash, the line up to the cursor and the part of its last word that bash replaces; for the others, the words up to the cursor
 */
export async function printWords(program: Command, shell: Shell, given: readonly string[]): Promise<void> {
  try {
    const [line = '', replaced = ''] = given;
    const typed = shell === 'bash' ? splitLine(line) : null;
    const words = typed?.words.slice(1) ?? given;
    const current = words.at(-1) ?? '';
    const answer = await complete(program, words.slice(0, -1), current);
    // bash breaks words at = and : as well.
    const kept = typed === null ? 0 : current.length - lengthOf(replaced, current);
    const lines = answer.words
      .map(([word, description]) => [word.slice(kept), toOneLine(description)] as const)
      // A line break would be another candidate.
      .filter(([word]) => word !== '' && toOneLine(word) === word)
      .map(([word, description]) => {
        const more = typed === null ? description : quoteForBash(word, typed.quote);
        return `${word}\t${more}`;
      });
    process.stdout.write(`${[`${answer.paths}\t${answer.pathPrefix}`, ...lines].join('\n')}\n`);
  } catch {
    process.exitCode = 1;
  }
}

/** How much of the current word bash replaces, which it gives as it was typed, with its backslashes. */
function lengthOf(replaced: string, current: string): number {
  const plain = [replaced, splitLine(replaced).words.at(-1) ?? ''].find((one) => current.endsWith(one));
  return plain?.length ?? current.length;
}

/** A quote that is not closed yet. */
export type OpenQuote = '' | "'" | '"';

/** A line up to the cursor. */
export interface TypedLine {
  /** The last one is still being typed, and may be empty. */
  readonly words: readonly string[];
  readonly quote: OpenQuote;
}

/** The words of a line as bash splits it. */
export function splitLine(line: string): TypedLine {
  const words: string[] = [];
  let word: string | undefined;
  let quote: OpenQuote = '';
  for (let at = 0; at < line.length; at += 1) {
    const one = line[at] ?? '';
    if (quote === "'") {
      if (one === "'") quote = '';
      else word += one;
    } else if (one === '\\' && (quote === '' || '"\\$`'.includes(line[at + 1] ?? ''))) {
      at += 1;
      word = (word ?? '') + (line[at] ?? '');
    } else if (quote === '"') {
      if (one === '"') quote = '';
      else word += one;
    } else if (one === '"' || one === "'") {
      quote = one;
      word ??= '';
    } else if (/\s/.test(one)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[|&;]/.test(one)) {
      // Another command begins: what came before is not ours.
      words.length = 0;
      word = undefined;
    } else word = (word ?? '') + one;
  }
  return { words: [...words, word ?? ''], quote };
}

/** A word as bash would read it back where it is inserted; nothing in it may act as more than a character. */
export function quoteForBash(word: string, quote: OpenQuote): string {
  // Not with quotes: what several candidates have in common should continue what is typed.
  if (quote === '') return word.replace(/[^\w@%+=:,./\u0080-\uffff-]/g, (one) => `\\${one}`);
  const inside =
    quote === "'"
      ? word.replaceAll("'", `'\\''`)
      : // Even between double quotes, ! names an earlier command.
        word.replace(/[\\"$`]/g, (one) => `\\${one}`).replaceAll('!', `"'!'"`);
  // bash closes the quote of the only candidate, unless that ends as if it were closed.
  return inside.endsWith(quote) ? `${inside}${quote}` : inside;
}
