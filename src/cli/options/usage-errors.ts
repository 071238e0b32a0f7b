import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { Help } from 'commander';
import { ReproError } from '../../errors.ts';
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
 * Removes far-fetched suggestions from an error of commander, which suggests names with up to three different letters.
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

/**
 * Node.js replaces bytes of an argument that are not UTF-8, and no file is found under what is left.
 *
 * @throws {ReproError} `usage`
 */
export function refuseUnreadable(words: readonly string[]): void {
  const word = words.find((one) => one.includes('\ufffd') && !existsSync(one));
  if (word === undefined) return;
  throw new ReproError('usage', 'this argument is not valid UTF-8', {
    where: word,
    fix: "If it names a file, rename that first. In bash, `ls -b` shows the bytes of its name: mv $'caf\\351.pt' cafe.pt",
  });
}

/** In a narrower terminal, a column beside the names of options would leave no room for what they mean. */
const columnsForTwo = 64;

/** An option, argument or command of a help page with its description: beside it, or below it where there is little room. */
export function formatHelpItem(term: string, termWidth: number, description: string, helper: Help): string {
  const columns = helper.helpWidth ?? 80;
  if (columns >= columnsForTwo || description === '') {
    return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
  }
  const [outer, inner] = ['  ', '      '];
  return `${outer}${term}\n${inner}${helper.boxWrap(description, columns - inner.length).replaceAll('\n', `\n${inner}`)}`;
}
