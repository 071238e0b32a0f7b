import * as v from 'valibot';
import { ReproError } from '../errors.ts';
import { escapeControls } from '../text.ts';

export type RawObject = { readonly [key: string]: unknown };
export type AnyShape = v.GenericSchema;
type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** What a file of this shape holds. */
export type Value<S extends AnyShape> = DeepReadonly<v.InferOutput<S>>;

/** A file as errors name it: their code, and how to fix it in whole sentences. */
export type CheckedFile = Readonly<Record<'file' | 'code' | 'fix', string>>;

const whole = (least: number, expected = `a whole number from ${least}`) =>
  v.pipe(v.number(expected), v.safeInteger(expected), v.minValue(least, expected));

const shareName = 'a number from 0 to 1';
// A shape's message is what errors say was expected.
export const number = v.pipe(v.number(), v.finite('a number'));
export const numbers = v.array(number);
export const numberOrNumbers = v.union([number, numbers], 'a number or a list of numbers');
export const count = whole(0);
export const positive = whole(1);
export const share = v.pipe(number, v.minValue(0, shareName), v.maxValue(1, shareName));

/** @throws {ReproError} as `checkShape`, also if the text is not JSON, or nested too deeply */
export function readJson<S extends AnyShape>(shape: S, text: string, from: CheckedFile): Value<S> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    const said = /^SyntaxError: (.*?)(?: in JSON at position (\d+).*| is not valid JSON)?$/s;
    const [, reason = '', position] = said.exec(String(cause)) ?? [];
    const place = position && ` in line ${text.slice(0, Number(position)).split('\n').length}`;
    const problem = `the file is not valid JSON${place ?? ''}: ${escapeControls(reason)}.`;
    throw new ReproError(from.code, problem, { where: from.file, fix: from.fix, cause });
  }
  return checkShape(shape, value, from);
}

/** @throws {SyntaxError} if it is not JSON, or nested so deeply that whatever visits every value could overflow the stack */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (isNestedDeeper(value, 100)) throw new SyntaxError('it is nested more than 100 deep');
  return value;
}

function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isNestedDeeper(one, levels - 1));
}

/**
 * A value of this shape, without keys that are not in it.
 *
 * @param at the path of `value` in the file; empty for all of it
 * @throws {ReproError} with the file's code, naming the first field that does not fit, what was expected and what was found
 */
export function checkShape<S extends AnyShape>(
  shape: S,
  value: unknown,
  from: CheckedFile,
  at = '',
): Value<S> {
  const result = v.safeParse(shape, value, { abortEarly: true, message: (issue) => nameExpected(issue) });
  if (result.issues === undefined) return result.output as Value<S>;
  const [issue] = result.issues;
  const steps = issue.path?.map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  const path = [at, ...(steps ?? [])].join('').replace(/^\./, '');
  const problem = `${path === '' ? 'the file' : `field "${path}"`}${describe(issue)}`;
  throw new ReproError(from.code, escapeControls(problem), { where: from.file, fix: from.fix });
}

/** What follows the field; a shape's own check says it itself. */
function describe({ type, expected, input, message }: v.BaseIssue<unknown>): string {
  if (type === 'check') return ` ${message}`;
  if (expected === 'never') return ' is unknown';
  if (input === undefined && type.endsWith('object')) return ' is missing';
  const found = JSON.stringify(input) ?? 'nothing';
  return `: expected ${message}, found ${found.length > 60 ? `${found.slice(0, 57)}...` : found}`;
}

const kinds = new Map(
  Object.entries({
    string: 'a string',
    number: 'a number',
    boolean: 'true or false',
    Array: 'a list',
    Object: 'an object',
  }),
);

/** `("a" | "b")` as `"a" or "b"`. */
function nameExpected({ expected }: v.BaseIssue<unknown>): string {
  return kinds.get(`${expected}`) ?? `${expected}`.replace(/^\((.+)\)$/s, '$1').replaceAll(' | ', ' or ');
}

export const isObject = (value: unknown): value is RawObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
