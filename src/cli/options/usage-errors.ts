import type { Command } from 'commander';
import { findClosest } from '../../schema/closest-name.ts';

/** The suggestion that commander adds to the name of an unknown command or option, which precedes it in quotes. */
const suggestion = /'([^'\n]+)'\n\(Did you mean (?:one of )?([^\n]+)\?\)/;

/** Makes usage errors of a command point to that command's own help, and likewise for its subcommands. */
export function pointToOwnHelp(command: Command, path = command.name()): void {
  const what = command.commands.length > 0 ? 'lists the commands' : 'describes its options';
  command.showHelpAfterError(`(${path} --help ${what})`);
  for (const one of command.commands) pointToOwnHelp(one, `${path} ${one.name()}`);
}

/**
 * Removes distant suggestions from an error of commander, which suggests names with up to three different letters.
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

/** What commander says about a value that is not one of the choices. */
const wrongChoice = /'([^'\n]*)' is invalid(?: for argument '[^'\n]*')?\. Allowed choices are ([^\n]+)\./;

/** Adds the choice that was probably meant. */
export function suggestChoice(text: string): string {
  const [said = '', word = '', list = ''] = wrongChoice.exec(text) ?? [];
  const closest = said === '' ? undefined : findClosest(word, list.split(', '));
  return closest === undefined ? text : text.replace(said, () => `${said}\n(Did you mean ${closest}?)`);
}

/** Typos hardly ever affect the first letter. */
function isClose(word: string, candidate: string): boolean {
  return word[0]?.toLowerCase() === candidate[0] && findClosest(word, [candidate]) !== undefined;
}
