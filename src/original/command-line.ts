import { findClosest } from '../schema/closest-name.ts';
import { type Argument, type ArgumentName, argumentTable } from './argument-table.ts';

/** A command line split into arguments: each value as text, or `true` for a flag. */
interface CommandLine {
  readonly words: ReadonlyMap<ArgumentName, string | true>;
  readonly problems: readonly string[];
}

const names: readonly ArgumentName[] = argumentTable.map(({ name }) => name);

/**
 * Parses the words as Python's argparse does: `-T 20`, `-T=20`, `-T20`. A value may be a negative number, but may not begin with a dash
 * otherwise. Unlike in argparse, giving an argument twice or shortening its name is an error: neither is ever intended.
 */
export function readCommandLine(given: readonly string[]): CommandLine {
  const words = new Map<ArgumentName, string | true>();
  const problems: string[] = [];
  const rest = [...given];
  const takeValue = () => (rest[0] !== undefined && isValue(rest[0]) ? rest.shift() : undefined);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const head = findHead(word);
    if ('problem' in head) {
      problems.push(head.problem);
      // Its value, if it has one, is not another problem.
      if (word.startsWith('-') && !word.includes('=')) takeValue();
      continue;
    }
    const { argument, joined } = head;
    const { name } = argument;
    if (words.has(name)) problems.push(`-${name} is given twice.`);
    if (argument.value === undefined) {
      if (joined !== undefined) problems.push(`-${name} is a flag and takes no value, found "${joined}".`);
      words.set(name, true);
    } else {
      const value = joined ?? takeValue() ?? '';
      if (value === '') problems.push(`-${name} requires a value.`);
      words.set(name, value);
    }
  }
  return { words, problems };
}

type Head =
  | {
      readonly argument: Argument & { readonly name: ArgumentName };
      readonly joined?: string | undefined;
    }
  | { readonly problem: string };

/** The argument that a word names, with the value attached to it. */
function findHead(word: string): Head {
  if (isValue(word)) return { problem: `unexpected value "${word}".` };
  if (word.startsWith('--')) return { problem: describeUnknownOption(word) };
  // The only one-letter name: its value may follow without a space.
  const [, name = '', joined] = /^-(T)(?=\d)(.*)$/.exec(word) ?? /^-([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const argument = argumentTable.find((one) => one.name === name);
  if (argument !== undefined) return { argument, joined };
  // Any letter is a typo away from any other.
  const closest =
    name.length > 1 ? (findClosest(name, names) ?? names.find((one) => one.startsWith(name))) : undefined;
  return {
    problem: `unknown argument "-${name}".${closest === undefined ? '' : ` Closest: "-${closest}".`}`,
  };
}

/** Our own options are read before: what arrives here is a misspelling. */
function describeUnknownOption(word: string): string {
  const [name = word] = word.split('=', 1);
  const meant = names.find((one) => one === name.slice(2));
  return meant === undefined
    ? `unknown option "${name}".`
    : `"${name}": the original's arguments have a single dash: -${meant}.`;
}

/** Whether a word is a value: it begins with no dash, or is one, or a negative number. */
function isValue(word: string): boolean {
  return !word.startsWith('-') || /^-(\d+|\d*\.\d+)?$/.test(word);
}
