import { findClosest, suggestName } from '../schema/closest-name.ts';
import { type Argument, type ArgumentName, argumentTable, type Purpose } from './argument-table.ts';
import { parsePythonFloat, parsePythonInt } from './python-numbers.ts';

/** A command line split into arguments: each value as text, or `true` for a flag. */
export interface CommandLine {
  readonly words: ReadonlyMap<ArgumentName, string | true>;
  /** How shortened names were read. */
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

/** Our own options. Commander reads them before; what arrives here is a misspelling, and may be one of these. */
const ownOptions: Readonly<Record<Purpose, readonly string[]>> = {
  training: ['--profile', '--set', '--compat', '--engine', '--threads', '--project', '--json', '--help'],
  configuration: ['--compat', '--json', '--help'],
};

const names: readonly ArgumentName[] = argumentTable.map(({ name }) => name);

/**
 * Parses the words as Python's argparse does: `-T 20`, `-T=20`, `-T20`, and any unambiguous prefix of a name. A value may be a negative
 * number, but may not begin with a dash otherwise. Unlike in argparse, giving an argument twice is an error: it is hardly ever intended.
 */
export function readCommandLine(given: readonly string[], purpose: Purpose): CommandLine {
  const words = new Map<ArgumentName, string | true>();
  const notes: string[] = [];
  const problems: string[] = [];
  for (let at = 0; at < given.length; at++) {
    const word = given[at]!;
    const head = findHead(word, purpose);
    if ('problem' in head) {
      problems.push(head.problem);
      // Its value, if it has one, is not another problem.
      if (word.startsWith('-') && !word.includes('=') && isValue(given[at + 1])) at += 1;
      continue;
    }
    const { argument, joined, isShort } = head;
    if (isShort) notes.push(`${word.split('=', 1)[0]} is read as -${argument.name}.`);
    let value: string | true | undefined;
    if (argument.kind === 'flag') {
      value = true;
      if (joined !== undefined)
        problems.push(`-${argument.name} is a flag and takes no value, found "${joined}".`);
    } else {
      value = joined;
      if (value === undefined && isValue(given[at + 1])) {
        at += 1;
        value = given[at]!;
      }
    }
    if (value === undefined || value === '') {
      problems.push(`-${argument.name} requires a value.`);
      value = '';
    }
    if (words.has(argument.name)) problems.push(`-${argument.name} is given twice.`);
    words.set(argument.name, value);
  }
  return { words, notes, problems };
}

type Head =
  | {
      readonly argument: Argument & { readonly name: ArgumentName };
      readonly joined?: string;
      readonly isShort: boolean;
    }
  | { readonly problem: string };

/** The argument that a word names, with the value attached to it. */
function findHead(word: string, purpose: Purpose): Head {
  if (!word.startsWith('-') || word === '-' || isNumber(word)) {
    return { problem: `unexpected value "${word}".` };
  }
  if (word.startsWith('--')) return { problem: describeUnknownOption(word, purpose) };
  const [, name = '', joined] = /^-([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const of = (found: ArgumentName, isShort: boolean, value = joined): Head => ({
    argument: argumentTable.find((one) => one.name === found)!,
    ...(value === undefined ? {} : { joined: value }),
    isShort,
  });
  const exact = names.find((one) => one === name);
  if (exact !== undefined) return of(exact, false);
  // The only one-letter name: its value may follow without a space.
  const steps = /^T(\d.*)$/.exec(name)?.[1];
  if (steps !== undefined && joined === undefined) return of('T', false, steps);
  const begun = names.filter((one) => one.startsWith(name));
  if (begun.length === 1) return of(begun[0]!, true);
  if (begun.length > 1) {
    return { problem: `"-${name}" could be ${begun.map((one) => `-${one}`).join(' or ')}.` };
  }
  // Any letter is a typo away from any other.
  const closest = name.length > 1 ? findClosest(name, names) : undefined;
  return {
    problem: `unknown argument "-${name}".${closest === undefined ? '' : ` Closest: "-${closest}".`}`,
  };
}

function describeUnknownOption(word: string, purpose: Purpose): string {
  const [name = word] = word.split('=', 1);
  const meant = names.find((one) => one === name.slice(2));
  if (meant !== undefined) return `"${name}": the original's arguments have a single dash: -${meant}.`;
  const suggestion = suggestName(name, ownOptions[purpose]);
  return `unknown option "${name}".${suggestion === undefined ? '' : ` ${suggestion}`}`;
}

function isValue(word: string | undefined): word is string {
  return word !== undefined && (!word.startsWith('-') || word === '-' || isNumber(word));
}

function isNumber(word: string): boolean {
  return /^-(\d+|\d*\.\d+)$/.test(word);
}

/**
 * Parses the values of a command line and collects all problems. A missing or invalid value is undefined; the default that replaces it
 * does no harm, because invalid arguments are rejected in the end.
 */
export class ValueReader {
  readonly problems: string[] = [];
  readonly missing: ArgumentName[] = [];
  /** Arguments with a reported problem. */
  readonly broken = new Set<ArgumentName>();
  readonly #words: ReadonlyMap<ArgumentName, string | true>;

  constructor(words: ReadonlyMap<ArgumentName, string | true>) {
    this.#words = words;
  }

  /** The value of a required argument, or `harmless` if it is missing or invalid. */
  need<Value>(name: ArgumentName, value: Value | undefined, harmless: Value): Value {
    if (!this.#words.has(name)) {
      this.missing.push(name);
      this.broken.add(name);
    }
    return value ?? harmless;
  }

  flag(name: ArgumentName): boolean {
    return this.#words.get(name) === true;
  }

  text(name: ArgumentName): string | undefined {
    const word = this.#words.get(name);
    if (word === '') this.broken.add(name); // reported already
    return word === true || word === '' ? undefined : word;
  }

  device(name: ArgumentName): string | undefined {
    const text = this.text(name);
    if (text === undefined || /^(cpu|cuda(:\d+)?)$/.test(text)) return text;
    return this.#refuse(name, 'cpu, cuda or cuda:0', text);
  }

  count(name: ArgumentName): number | undefined {
    return this.#number(name, parsePythonInt, (value) => value >= 1, 'a whole number of at least 1');
  }

  seed(name: ArgumentName): number | undefined {
    return this.#number(name, parsePythonInt, (value) => value >= 0, 'a whole number from 0 to 2^53 - 1');
  }

  float(name: ArgumentName, isGood: (value: number) => boolean, expected: string): number | undefined {
    return this.#number(name, parsePythonFloat, isGood, expected);
  }

  choice<Choice extends string>(name: ArgumentName, choices: readonly Choice[]): Choice | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const closest = findClosest(text, choices);
    return (
      choices.find((choice) => choice === text) ??
      this.#refuse(
        name,
        `one of ${choices.join(', ')}`,
        text,
        closest === undefined ? '' : ` Closest: "${closest}".`,
      )
    );
  }

  #number(
    name: ArgumentName,
    parse: (text: string) => number | undefined,
    isGood: (value: number) => boolean,
    expected: string,
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parse(text);
    return value !== undefined && isGood(value) ? value : this.#refuse(name, expected, text);
  }

  #refuse(name: ArgumentName, expected: string, found: string, suggestion = ''): undefined {
    this.problems.push(`-${name}: expected ${expected}, found "${found}".${suggestion}`);
    this.broken.add(name);
    return undefined;
  }
}
