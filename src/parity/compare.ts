import { countElements, type Tensor } from '../snn/tensor.ts';
import { type ToleranceName, tolerances } from './tolerances.ts';

/** The element that is furthest outside of what is allowed, or of all that are inside the one nearest to it. */
export interface WorstElement {
  readonly tensor: string;
  /** One index a dimension. */
  readonly index: readonly number[];
  readonly expected: number;
  readonly found: number;
}

/** One row of the suite's table: some tensors of a case, held against what this project computes. */
export interface Comparison {
  /** `grad_w`, `rates, step 0`. */
  readonly what: string;
  /** Expected values that were compared. */
  readonly values: number;
  readonly largestAbsoluteError: number;
  /** Of the errors as shares of the largest magnitude in their tensors; infinite where all of a tensor should be 0 and is not. */
  readonly largestRelativeError: number;
  /** Null where nothing could be compared. */
  readonly tolerance: ToleranceName | null;
  readonly passed: boolean;
  readonly worst: WorstElement | null;
  /** Why it failed, beside or instead of the worst element. */
  readonly reason: string | null;
}

/** A row of numbers with a shape, as the folder has it or as this project computes it. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/** What is held against each other under one name. */
export interface Pair {
  readonly name: string;
  /** Undefined if the folder lacks it. */
  readonly expected: Values | undefined;
  /** Undefined if this project has no such value. */
  readonly found: Values | undefined;
  /** At least this magnitude is taken as the tensor's largest, where its values are known to be what is left of larger ones. */
  readonly scale?: number;
  /** How much further off each element may be than the tolerance says. */
  readonly allowance?: Float64Array | undefined;
}

/** A row that says that something could not be compared. */
export function failComparison(what: string, reason: string): Comparison {
  return {
    what,
    values: 0,
    largestAbsoluteError: 0,
    largestRelativeError: 0,
    tolerance: null,
    passed: false,
    worst: null,
    reason,
  };
}

/** Holds pairs of tensors against each other under one tolerance, whole numbers exactly under any; no pairs at all fail. */
export function compare(what: string, tolerance: ToleranceName, pairs: readonly Pair[]): Comparison {
  if (pairs.length === 0) return failComparison(what, 'there is nothing to compare');
  let values = 0;
  let largestAbsoluteError = 0;
  let largestRelativeError = 0;
  let worst: WorstElement | null = null;
  let worstExcess = -1;
  let worstError = 0;
  let reason: string | null = null;
  for (const { name, expected, found, scale = 0, allowance } of pairs) {
    const problem = findMismatch(name, expected, found);
    if (problem !== null || expected === undefined || found === undefined) {
      reason ??= problem;
      continue;
    }
    const { relative, absolute } = isWhole(expected) ? tolerances.exact : tolerances[tolerance];
    const largest = largestMagnitude(expected.data);
    const allowed = absolute + relative * Math.max(largest, scale);
    values += expected.data.length;
    for (let i = 0; i < expected.data.length; i++) {
      const error = differ(found.data[i]!, expected.data[i]!);
      if (error > largestAbsoluteError) largestAbsoluteError = error;
      const share = error === 0 ? 0 : error / Math.max(largest, scale);
      if (share > largestRelativeError) largestRelativeError = share;
      const excess = exceed(error, allowed + (allowance?.[i] ?? 0));
      if (excess > worstExcess || (excess === worstExcess && error > worstError)) {
        worstExcess = excess;
        worstError = error;
        worst = {
          tensor: name,
          index: indexOf(i, expected.shape),
          expected: Number(expected.data[i]),
          found: Number(found.data[i]),
        };
      }
    }
  }
  const passed = reason === null && worstExcess <= 1;
  return { what, values, largestAbsoluteError, largestRelativeError, tolerance, passed, worst, reason };
}

/** `compare` for one tensor under its own name. */
export function compareOne(tolerance: ToleranceName, pair: Pair): Comparison {
  return compare(pair.name, tolerance, [pair]);
}

/** The same names on both sides; a tensor that one of them lacks is a failure. */
export function pairStates(
  prefix: string,
  expected: ReadonlyMap<string, Tensor>,
  found: ReadonlyMap<string, Tensor>,
): Pair[] {
  return [...new Set([...expected.keys(), ...found.keys()])].map((name) => ({
    name: `${prefix}${name}`,
    expected: expected.get(name),
    found: found.get(name),
  }));
}

/** A list of numbers, as JSON has them. */
export function listValues(data: ArrayLike<number>): Values {
  return { shape: [data.length], data };
}

/** Whole numbers as the folder keeps them, in 64 bits. */
export function wholeValues(numbers: ArrayLike<number>): Values {
  return { shape: [numbers.length], data: BigInt64Array.from(Array.from(numbers, BigInt)) };
}

/** `[2, 3]`, `[]` for a scalar. */
export function describeShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** Position of element i of a tensor in C order, one index a dimension. */
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

function findMismatch(name: string, expected: Values | undefined, found: Values | undefined): string | null {
  if (expected === undefined) return `tensor "${name}" is missing`;
  if (found === undefined) return `tensor "${name}" is superfluous: nothing here computes it`;
  if (isWhole(expected) !== isWhole(found)) {
    const [is, should] = isWhole(expected) ? ['I64', 'F32'] : ['F32', 'I64'];
    return `tensor "${name}" is of type ${is}, expected ${should}`;
  }
  if (expected.shape.join() !== found.shape.join()) {
    return `tensor "${name}" is of shape ${describeShape(expected.shape)}, expected ${describeShape(found.shape)}`;
  }
  return null;
}

function isWhole({ data }: Values): boolean {
  return data instanceof BigInt64Array;
}

/** NaN and infinities are infinitely far from everything; 0 is the same as -0. */
function differ(found: number | bigint, expected: number | bigint): number {
  if (found === expected) return 0;
  const difference =
    typeof found === 'bigint' && typeof expected === 'bigint'
      ? Number(found - expected)
      : Number(found) - Number(expected);
  return Number.isFinite(difference) ? Math.abs(difference) : Number.POSITIVE_INFINITY;
}

/** The error as a multiple of what is allowed, above 1 where that is exceeded; nothing allowed and no number allow nothing. */
function exceed(error: number, allowed: number): number {
  if (error === 0) return 0;
  return allowed > 0 ? error / allowed : Number.POSITIVE_INFINITY;
}

function largestMagnitude(data: ArrayLike<number> | ArrayLike<bigint>): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(Number(data[i])));
  return largest;
}
