import { isJsonList, type Json } from '../../schema/json.ts';
import type { Place } from '../../schema/problems.ts';
import type { MatrixValue } from './plan.ts';

/** One variable of a matrix and its values, each with the place where it is written. */
export interface MatrixAxis {
  readonly variable: string;
  readonly values: readonly { readonly value: MatrixValue; readonly place: Place }[];
}

/** One combination: each variable's value, in file order. */
export type Combination = ReadonlyMap<string, { readonly value: MatrixValue; readonly place: Place }>;

/** Every instance has its own process and record; a matrix larger than this is a mistake. */
export const mostInstances = 100_000;

/**
 * A value becomes part of paths and of the instance's name, so it must be safe and unambiguous in both:
 * no `/`, `,`, `@`, `*`, space or control character, and it may not begin with `-` or `.`.
 */
export function refuseMatrixValue(value: Json): string | undefined {
  if (typeof value === 'object')
    return `is ${value === null ? 'null' : isJsonList(value) ? 'a list' : 'a mapping'}`;
  const text = String(value);
  if (text === '') return 'is empty';
  if (text.includes('/') || text.includes('\\')) return 'contains a path separator';
  if (text.includes('..')) return 'contains ".."';
  if (/^[-.]/.test(text)) return `begins with "${text[0]}"`;
  const odd = /[^\p{L}\p{N}_.+=~-]/u.exec(text)?.[0];
  if (odd !== undefined) return `contains ${JSON.stringify(odd)}`;
  // Half of what file systems allow for one name, so that a suffix still fits.
  return Buffer.byteLength(text) > 120 ? 'is longer than 120 bytes' : undefined;
}

/** All combinations; the last variable changes fastest. Without a matrix there is one empty combination. */
export function combineAxes(axes: readonly MatrixAxis[]): Combination[] {
  let combinations: Combination[] = [new Map()];
  for (const { variable, values } of axes) {
    combinations = combinations.flatMap((one) => values.map((value) => new Map(one).set(variable, value)));
  }
  return combinations;
}

/** `train@baseline,2020`. */
export function nameInstance(stage: string, combination: Combination): string {
  const values = [...combination.values()].map(({ value }) => String(value));
  return values.length === 0 ? stage : `${stage}@${values.join(',')}`;
}
