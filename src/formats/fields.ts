import { ReproError } from '../errors.ts';
import { escapeControls } from '../text.ts';

export interface FieldSource {
  readonly file: string;
  readonly code: string;
  /** How to fix a bad file, in whole sentences. */
  readonly fix: string;
  /** Where a field is written, by its path; by default, errors name only the file. */
  readonly placeOf?: (path: string) => string;
}

interface NumberRule {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

export type RawObject = { readonly [key: string]: unknown };

/**
 * Reads the fields of a parsed JSON or YAML file, checking their types. Every failure is a `ReproError` with the source's
 * code that names the file, the field's path, what was expected and what was found.
 */
export class Fields {
  readonly #source: FieldSource;
  readonly #path: string;
  readonly #object: RawObject;

  /** @param path the path of `value` in the file; empty for all of it */
  constructor(source: FieldSource, value: unknown, path = '') {
    this.#source = source;
    this.#path = path;
    if (!isObject(value)) this.#refuse(path, 'an object', value);
    this.#object = value;
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined && this.#object[name] !== null;
  }

  object(name: string): Fields {
    return new Fields(this.#source, this.#object[name], this.#join(name));
  }

  /** The unchecked object, for settings that the report shows without knowing their keys. */
  raw(name: string): RawObject {
    const value = this.#object[name];
    if (!isObject(value)) this.#refuse(this.#join(name), 'an object', value);
    return value;
  }

  number(name: string, rule: NumberRule = {}): number {
    return this.#number(this.#join(name), this.#object[name], rule);
  }

  /** A share from 0 to 1. */
  share(name: string): number {
    return this.number(name, { min: 0, max: 1 });
  }

  /** A whole number, 0 or greater. */
  count(name: string): number {
    return this.number(name, { min: 0, integer: true });
  }

  text(name: string): string {
    const value = this.#object[name];
    if (typeof value !== 'string') this.#refuse(this.#join(name), 'a string', value);
    return value;
  }

  choice<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.#object[name];
    const found = choices.find((choice) => choice === value);
    if (found === undefined) {
      this.#refuse(this.#join(name), choices.map((choice) => JSON.stringify(choice)).join(' or '), value);
    }
    return found;
  }

  flag(name: string): boolean {
    const value = this.#object[name];
    if (typeof value !== 'boolean') this.#refuse(this.#join(name), 'true or false', value);
    return value;
  }

  texts(name: string): string[] {
    return this.#array(name).map((value, index) => {
      if (typeof value !== 'string') this.#refuse(`${this.#join(name)}[${index}]`, 'a string', value);
      return value;
    });
  }

  /** An unchecked value, for fields that may have several types. */
  value(name: string): unknown {
    return this.#object[name];
  }

  numbers(name: string, rule: NumberRule = {}): number[] {
    return this.#array(name).map((value, index) =>
      this.#number(`${this.#join(name)}[${index}]`, value, rule),
    );
  }

  objects(name: string): Fields[] {
    return this.#array(name).map(
      (value, index) => new Fields(this.#source, value, `${this.#join(name)}[${index}]`),
    );
  }

  /** As many rows as columns: [size, size]. */
  squareMatrix(name: string, rule: NumberRule): number[][] {
    const rows = this.#array(name);
    return rows.map((row, index) => {
      const path = `${this.#join(name)}[${index}]`;
      if (!Array.isArray(row) || row.length !== rows.length) {
        this.#refuse(path, `a row of ${rows.length} numbers`, row);
      }
      return row.map((value: unknown, column) => this.#number(`${path}[${column}]`, value, rule));
    });
  }

  keys(): string[] {
    return Object.keys(this.#object);
  }

  /** Fails naming the field, for conditions that involve several fields. */
  fail(name: string, problem: string): never {
    throw this.#errorAt(this.#join(name), `field "${this.#join(name)}" ${problem}`);
  }

  #array(name: string): readonly unknown[] {
    const value = this.#object[name];
    if (!Array.isArray(value)) this.#refuse(this.#join(name), 'a list', value);
    return value;
  }

  #number(path: string, value: unknown, rule: NumberRule): number {
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer = false } = rule;
    const good =
      typeof value === 'number' &&
      Number.isFinite(value) &&
      value >= min &&
      value <= max &&
      (!integer || Number.isInteger(value));
    if (!good) this.#refuse(path, describeRule(rule), value);
    return value;
  }

  #join(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #refuse(path: string, expected: string, found: unknown): never {
    const what = path === '' ? 'the file' : `field "${path}"`;
    throw this.#errorAt(path, `${what}: expected ${expected}, found ${describeValue(found)}`);
  }

  #errorAt(path: string, message: string): ReproError {
    const { code, file, fix, placeOf = () => file } = this.#source;
    return new ReproError(code, escapeControls(message), { where: placeOf(path), fix });
  }
}

/**
 * Parses a JSON object.
 *
 * @throws {ReproError} with the source's code if it is not JSON, or not an object
 */
export function parseFields(text: string, source: FieldSource): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const said = /^SyntaxError: (.*?)(?: in JSON at position (\d+).*| is not valid JSON)?$/s;
    const [, reason = '', position] = said.exec(String(cause)) ?? [];
    const line = text.slice(0, Number(position)).split('\n').length;
    const place = position === undefined ? '' : ` in line ${line}`;
    throw new ReproError(source.code, `the file is not valid JSON${place}: ${escapeControls(reason)}.`, {
      where: source.file,
      fix: source.fix,
      cause,
    });
  }
  return new Fields(source, value);
}

export function isObject(value: unknown): value is RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describeRule(rule: NumberRule): string {
  const kind = rule.integer === true ? 'a whole number' : 'a number';
  if (rule.min !== undefined && rule.max !== undefined) return `${kind} from ${rule.min} to ${rule.max}`;
  if (rule.min !== undefined) return `${kind} from ${rule.min}`;
  return kind;
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = writeJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch (error) {
    // JSON.parse reads what is nested 100,000 deep, JSON.stringify does not write it.
    if (error instanceof RangeError) return 'something nested too deeply';
    throw error;
  }
}
