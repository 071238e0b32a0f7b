import { decodeNpy } from '../formats/npy.ts';
import { readSafetensorsArrays } from '../formats/safetensors-arrays.ts';
import type { FileComparer, FileComparers } from '../runner/extras/audit/compare-files.ts';
import { getOwn } from '../schema/json.ts';
import { formatCount, shortenText } from '../text.ts';

interface Elements {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** Differences of one file that are named; the rest is counted. */
const differencesAtMost = 5;

const valueLengthAtMost = 60;

const compareNpy: FileComparer = (first, second) => {
  try {
    return describe('', decodeNpy(first), decodeNpy(second));
  } catch {
    return null;
  }
};

const compareSafetensors: FileComparer = (first, second) => {
  try {
    const [a, b] = [readSafetensorsArrays(first), readSafetensorsArrays(second)];
    const lines: string[] = [];
    for (const name of new Set([...a.tensors.keys(), ...b.tensors.keys()])) {
      const [one, other] = [a.tensors.get(name)?.read(), b.tensors.get(name)?.read()];
      if (one === undefined || other === undefined) {
        lines.push(`tensor ${name} is only in the ${one === undefined ? 'later' : 'first'} file`);
      } else {
        lines.push(...describe(`tensor ${name} `, one, other));
      }
    }
    const keys = new Set([...Object.keys(a.metadata), ...Object.keys(b.metadata)]);
    for (const key of keys) {
      const [one, other] = [getOwn(a.metadata, key), getOwn(b.metadata, key)];
      if (one !== other) lines.push(`metadata ${key}: ${quote(one)}, then ${quote(other)}`);
    }
    if (lines.length === 0) return ['the same tensors, written differently'];
    const rest = lines.length - differencesAtMost;
    return rest <= 0
      ? lines
      : [...lines.slice(0, differencesAtMost), `and ${formatCount(rest, 'more difference')}`];
  } catch {
    return null;
  }
};

/** How to compare the files of stages beyond their bytes. */
export const fileComparers: FileComparers = { '.npy': compareNpy, '.safetensors': compareSafetensors };

/** `tensor conv.weight [64, 2, 3, 3] differs first at [0, 1, 0, 2]: 0.1, then 0.2; 12 of 1152 elements, by at most 0.25`. */
function describe(name: string, a: Elements, b: Elements): string[] {
  const [typeA, typeB] = [a, b].map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`);
  if (typeA !== typeB) return [`${name}is ${typeA}, then ${typeB}`];
  let count = 0;
  let first = -1;
  let most = 0;
  let undefinedCount = 0;
  for (let i = 0; i < a.data.length; i += 1) {
    const [one, other] = [a.data[i], b.data[i]];
    // NaN is the same as NaN here, but 0 is not -0: their bytes differ.
    if (one === undefined || other === undefined || Object.is(one, other)) continue;
    count += 1;
    if (first < 0) first = i;
    const distance = distanceOf(one, other);
    if (Number.isNaN(distance)) undefinedCount += 1;
    else most = Math.max(most, distance);
  }
  if (count === 0) return [];
  const where = `[${indicesOf(first, a.shape).join(', ')}]`;
  const values = `${describeNumber(a.data[first])}, then ${describeNumber(b.data[first])}`;
  const distances = [
    ...(undefinedCount < count ? [`by at most ${most}`] : []),
    ...(undefinedCount > 0 ? [`${undefinedCount} of them NaN in one`] : []),
  ];
  return [
    `${name}${typeA} differs first at ${where}: ${values}; ${count} of ${a.data.length} elements, ${distances.join(', ')}`,
  ];
}

/** NaN if one of them is. Whole numbers beyond 2^53 are subtracted exactly. */
function distanceOf(one: number | bigint, other: number | bigint): number {
  if (typeof one === 'bigint' && typeof other === 'bigint') {
    return Number(one > other ? one - other : other - one);
  }
  return Math.abs(Number(one) - Number(other));
}

function describeNumber(value: number | bigint | undefined): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The position of an element in C order. */
function indicesOf(at: number, shape: readonly number[]): number[] {
  const indices: number[] = [];
  let rest = at;
  for (const size of [...shape].reverse()) {
    indices.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return indices;
}

function quote(text: string | undefined): string {
  return text === undefined ? 'nothing' : shortenText(text, valueLengthAtMost);
}
