import { findClosest } from '../schema/closest-name.ts';
import type { ArgumentName } from './argument-table.ts';
import { parsePythonFloat, parsePythonInt } from './python-numbers.ts';

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
