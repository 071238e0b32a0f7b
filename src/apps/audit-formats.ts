import { decodeNpy } from '../formats/npy.ts';
import { readSafetensorsArrays } from '../formats/safetensors.ts';
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

/** How to compare the files of stages beyond their bytes; null for a file with another content than its name says. */
export const fileComparers: FileComparers = {
  '.npy': orNull((first, second) => compareElements('', decodeNpy(first), decodeNpy(second))),
  '.safetensors': orNull((first, second) => {
    const [a, b] = [readSafetensorsArrays(first), readSafetensorsArrays(second)];
    const tensors = new Set([...a.tensors.keys(), ...b.tensors.keys()]);
    const keys = new Set([...Object.keys(a.metadata), ...Object.keys(b.metadata)]);
    const lines = [
      ...[...tensors].flatMap((name) => {
        const [one, other] = [a.tensors.get(name)?.read(), b.tensors.get(name)?.read()];
        if (one !== undefined && other !== undefined) return compareElements(`tensor ${name} `, one, other);
        return [`tensor ${name} is only in the ${one === undefined ? 'later' : 'first'} file`];
      }),
      ...[...keys].flatMap((key) => {
        const [one, other] = [getOwn(a.metadata, key), getOwn(b.metadata, key)];
        return one === other ? [] : [`metadata ${key}: ${quote(one)}, then ${quote(other)}`];
      }),
    ];
    const rest = lines.length - differencesAtMost;
    if (rest > 0)
      return [...lines.slice(0, differencesAtMost), `and ${formatCount(rest, 'more difference')}`];
    return lines.length === 0 ? ['the same tensors, written differently'] : lines;
  }),
};

function orNull(compare: FileComparer): FileComparer {
  return (first, second) => {
    try {
      return compare(first, second);
    } catch {
      return null;
    }
  };
}

/** `tensor conv.weight [64, 2, 3, 3] differs first at [0, 1, 0, 2]: 0.1, then 0.2; 12 of 1152 elements, by at most 0.25`. */
function compareElements(name: string, a: Elements, b: Elements): string[] {
  const [typeA, typeB] = [a, b].map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`);
  if (typeA !== typeB) return [`${name}is ${typeA}, then ${typeB}`];
  let [count, notNumbers, most] = [0, 0, 0];
  let first: number | undefined;
  for (let i = 0; i < a.data.length; i += 1) {
    const [one, other] = [a.data[i], b.data[i]];
    // NaN is the same as NaN here, but 0 is not -0: their bytes differ.
    if (one === undefined || other === undefined || Object.is(one, other)) continue;
    count += 1;
    first ??= i;
    const distance = distanceOf(one, other);
    if (Number.isNaN(distance)) notNumbers += 1;
    else most = Math.max(most, distance);
  }
  if (first === undefined) return [];
  const values = `${describeNumber(a.data[first])}, then ${describeNumber(b.data[first])}`;
  const where = `[${indicesOf(first, a.shape).join(', ')}]`;
  const distances = [
    ...(notNumbers < count ? [`by at most ${most}`] : []),
    ...(notNumbers > 0 ? [`${notNumbers} of them NaN in one`] : []),
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
  for (const size of shape.toReversed()) {
    indices.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return indices;
}

function quote(text: string | undefined): string {
  return text === undefined ? 'nothing' : shortenText(text, valueLengthAtMost);
}
