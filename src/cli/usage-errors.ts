import type { Command } from 'commander';
import { findClosest } from '../schema/closest-name.ts';

/** What commander adds to an unknown command or option, which stands in quotes before it. */
const suggestion = /'([^'\n]+)'\n\(Did you mean (?:one of )?([^\n]+)\?\)/;

/** Lets the errors of a command's options and arguments name the help of that very command, and so for all commands below it. */
export function pointToOwnHelp(command: Command, path = command.name()): void {
  const what = command.commands.length > 0 ? 'lists the commands' : 'says what it takes';
  command.showHelpAfterError(`(${path} --help ${what})`);
  for (const one of command.commands) pointToOwnHelp(one, `${path} ${one.name()}`);
}

/**
 * An error of commander without suggestions that are not close: it allows for any three letters.
 *
 * @param text `error: unknown command 'bogus'` and, on the next line, `(Did you mean logs?)`
 */
export function dropFarSuggestions(text: string): string {
  return text.replace(suggestion, (_, word: string, list: string) => {
    const close = list.split(', ').filter((one) => isClose(word.replace(/^-+/, ''), one.replace(/^-+/, '')));
    const choice = close.length > 1 ? `one of ${close.join(', ')}` : close.join();
    return `'${word}'${choice === '' ? '' : `\n(Did you mean ${choice}?)`}`;
  });
}

/** People hardly ever miss the first letter of what they mean, so with another one it is something else. */
function isClose(word: string, candidate: string): boolean {
  return word[0]?.toLowerCase() === candidate[0] && findClosest(word, [candidate]) !== undefined;
}
