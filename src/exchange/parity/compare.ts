import { countElements, type State } from '../../formats/tensor.ts';
import { largestMagnitude, type Summed, toleranceOf } from './tolerances.ts';

/** The element furthest outside its tolerance or, if all are within it, the one closest to its limit. */
interface WorstElement {
  readonly tensor: string;
  /** One index per dimension. */
  readonly index: readonly number[];
  /** The folder's value. */
  readonly expected: number;
  /** This program's value. */
  readonly found: number;
  /** How far it may be off. */
  readonly tolerance: number;
}

/** One row of the suite's table: some of a case's tensors, compared with what this program computes. */
export interface Comparison {
  /** `grad_w`, `rates, step 0`. */
  readonly what: string;
  /** Expected values that were compared. */
  readonly values: number;
  readonly largestAbsoluteError: number;
  /** The largest error relative to the magnitude of what is added up; infinite if that is 0 and the error is not. */
  readonly largestRelativeError: number;
  /** The largest error as a share of its tolerance, which fails above 1; null if nothing could be compared. */
  readonly ofTolerance: number | null;
  readonly passed: boolean;
  readonly worst: WorstElement | null;
  /** Why it failed, in addition to or instead of the worst element. */
  readonly reason: string | null;
}

/** Numbers with a shape, from the folder or from this program. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/** The two sides of a comparison. */
export interface TensorPair extends Partial<Summed> {
  readonly name: string;
  /** The folder's values; undefined if it has none. */
  readonly expected: Values | undefined;
  /** This program's values; undefined if it computes none. */
  readonly found: Values | undefined;
  /** Set where no values at all is a valid result, such as a clip without events; otherwise an empty tensor fails. */
  readonly mayBeEmpty?: boolean;
}

/** A failed row for something that could not be compared. */
export function failComparison(what: string, reason: string): Comparison {
  return {
    what,
    values: 0,
    largestAbsoluteError: 0,
    largestRelativeError: 0,
    ofTolerance: null,
    passed: false,
    worst: null,
    reason,
  };
}

/** Compares pairs of tensors; integers must always match exactly. It fails without pairs, and if a pair is empty but may not be. */
export function compare(what: string, pairs: readonly TensorPair[]): Comparison {
  if (pairs.length === 0) return failComparison(what, 'there is nothing to compare');
  let values = 0;
  let largestAbsoluteError = 0;
  let largestRelativeError = 0;
  let worst: WorstElement | null = null;
  let worstExcess = -1;
  let worstError = 0;
  let reason: string | null = null;
  for (const { name, expected, found, terms = 0, scale = 0, allowance, mayBeEmpty = false } of pairs) {
    const problem = findMismatch(name, expected, found, mayBeEmpty);
    if (problem !== null || expected === undefined || found === undefined) {
      reason ??= problem;
      continue;
    }
    const largest = Math.max(largestMagnitude(expected.data), scale);
    const allowed = toleranceOf(terms, largest);
    values += expected.data.length;
    for (let i = 0; i < expected.data.length; i++) {
      const error = differ(found.data[i]!, expected.data[i]!);
      if (error > largestAbsoluteError) largestAbsoluteError = error;
      const share = error === 0 ? 0 : error / largest;
      if (share > largestRelativeError) largestRelativeError = share;
      const tolerance = isWhole(expected) ? 0 : allowed + (allowance?.[i] ?? 0);
      const excess = exceed(error, tolerance);
      if (excess > worstExcess || (excess === worstExcess && error > worstError)) {
        worstExcess = excess;
        worstError = error;
        worst = {
          tensor: name,
          index: indexOf(i, expected.shape),
          expected: Number(expected.data[i]),
          found: Number(found.data[i]),
          tolerance,
        };
      }
    }
  }
  const passed = reason === null && worstExcess <= 1;
  const ofTolerance = worst === null ? null : worstExcess;
  return { what, values, largestAbsoluteError, largestRelativeError, ofTolerance, passed, worst, reason };
}

/** `compare` for one tensor under its own name. */
export function compareOne(pair: TensorPair): Comparison {
  return compare(pair.name, [pair]);
}

/** Pairs two states by name; a tensor that one of them lacks will fail. */
export function pairStates(
  prefix: string,
  expected: State,
  found: State,
  sumsOf: (name: string) => Summed,
): TensorPair[] {
  return [...new Set([...expected.keys(), ...found.keys()])].map((name) => ({
    name: `${prefix}${name}`,
    expected: expected.get(name),
    found: found.get(name),
    ...sumsOf(name),
  }));
}

/** A list of numbers from JSON. */
export function toValues(data: ArrayLike<number>): Values {
  return { shape: [data.length], data };
}

/** Integers as the folder stores them: 64 bits. */
export function wholeValues(numbers: ArrayLike<number | bigint>): Values {
  return { shape: [numbers.length], data: BigInt64Array.from(Array.from(numbers, BigInt)) };
}

/** `[2, 3]`, `[]` for a scalar. */
export function describeShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** The position of an element in a tensor in C order, one index per dimension. */
export function indexOf(element: number, shape: readonly number[]): number[] {
  let rest = element;
  return shape
    .map((_, dimension) => countElements(shape.slice(dimension + 1)))
    .map((stride) => {
      const index = Math.floor(rest / stride);
      rest %= stride;
      return index;
    });
}

function findMismatch(
  name: string,
  expected: Values | undefined,
  found: Values | undefined,
  mayBeEmpty: boolean,
): string | null {
  if (expected === undefined) return `tensor "${name}" is missing from the folder`;
  if (found === undefined) return `the folder has a tensor "${name}", this program computes none`;
  if (isWhole(expected) !== isWhole(found)) {
    const [theirs, ours] = isWhole(expected) ? ['I64', 'F32'] : ['F32', 'I64'];
    return `tensor "${name}": the folder has type ${theirs}, this program computes ${ours}`;
  }
  if (expected.shape.join() !== found.shape.join()) {
    const [theirs, ours] = [expected, found].map(({ shape }) => describeShape(shape));
    return `tensor "${name}": the folder has shape ${theirs}, this program computes ${ours}`;
  }
  if (expected.data.length === 0 && !mayBeEmpty) {
    return `tensor "${name}" of shape ${describeShape(expected.shape)} is empty: there is nothing to compare`;
  }
  return null;
}

function isWhole({ data }: Values): boolean {
  return data instanceof BigInt64Array;
}

/** NaN and infinities are infinitely far from everything; 0 equals -0. */
function differ(found: number | bigint, expected: number | bigint): number {
  if (found === expected) return 0;
  const difference =
    typeof found === 'bigint' && typeof expected === 'bigint'
      ? Number(found - expected)
      : Number(found) - Number(expected);
  return Number.isFinite(difference) ? Math.abs(difference) : Number.POSITIVE_INFINITY;
}

/** The error as a multiple of the tolerance: above 1 if it fails. A tolerance of 0 or NaN allows no error. */
function exceed(error: number, allowed: number): number {
  if (error === 0) return 0;
  return allowed > 0 ? error / allowed : Number.POSITIVE_INFINITY;
}
