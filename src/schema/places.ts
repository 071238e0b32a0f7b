import { isJsonList, isJsonObject, type Json, type JsonPath } from './json.ts';
import type { NodePlaces } from './yaml-nodes.ts';

/**
 * Where the entries of a mapping or list are written: for each, in the order of `Object.keys`, the offset of its key, that of its value,
 * and the same of what is in it, if there is anything. A map for each would take several times the memory.
 */
export type Places = readonly (number | Places | null)[];

const numbersPerEntry = 3;

/** Where a value and its key are written. */
export interface FoundPlace {
  readonly keyOffset: number;
  readonly valueOffset: number;
  /** Whether it is that of the path, and not of the nearest mapping or list around it. */
  readonly isExact: boolean;
}

/** Packs what the parser has found; null if that takes more than `most` entries, since what an alias names is written out. */
export function packPlaces(value: Json, found: NodePlaces, most: number): Places | null {
  let left = most;
  const pack = (one: Json): Places | null => {
    const isList = isJsonList(one);
    if (!isList && !isJsonObject(one)) return null;
    const entries = found.get(one);
    const places: (number | Places | null)[] = [];
    for (const [key, child] of Object.entries(one)) {
      left -= 1;
      if (left < 0) return null;
      const place = entries?.get(isList ? Number(key) : key);
      places.push(place?.keyOffset ?? 0, place?.valueOffset ?? 0, pack(child));
    }
    return places.length === 0 ? null : places;
  };
  const packed = pack(value) ?? [];
  return left < 0 ? null : packed;
}

export class PlaceFinder {
  readonly #value: Json;
  readonly #places: Places;
  /** Position of each key, for mappings too large to search again and again. */
  readonly #positions = new Map<object, ReadonlyMap<string, number>>();

  constructor(value: Json, places: Places) {
    this.#value = value;
    this.#places = places;
  }

  /** The place of what is at the path, or of the nearest mapping or list around it; null for the whole. */
  find(path: JsonPath): FoundPlace | null {
    let value = this.#value;
    let places: Places | null = this.#places;
    let found: Omit<FoundPlace, 'isExact'> | null = null;
    for (const [depth, step] of path.entries()) {
      const position = this.#positionOf(value, step);
      const [keyOffset, valueOffset, inside] = (places ?? []).slice(
        position * numbersPerEntry,
        (position + 1) * numbersPerEntry,
      );
      if (typeof keyOffset !== 'number' || typeof valueOffset !== 'number') {
        return found === null ? null : { ...found, isExact: false };
      }
      found = { keyOffset, valueOffset };
      if (depth === path.length - 1) break;
      value = (value as Readonly<Record<string | number, Json>>)[step] ?? null;
      places = typeof inside === 'object' ? inside : null;
    }
    return found === null ? null : { ...found, isExact: true };
  }

  /** Among the keys of a value; as if after the last if it has no such key. */
  #positionOf(value: Json, step: string | number): number {
    if (isJsonList(value)) return typeof step === 'number' && step < value.length ? step : value.length;
    if (!isJsonObject(value) || typeof step !== 'string') return Number.POSITIVE_INFINITY;
    let positions = this.#positions.get(value);
    if (positions === undefined) {
      const keys = Object.keys(value);
      if (keys.length <= fewKeys) {
        const position = keys.indexOf(step);
        return position === -1 ? keys.length : position;
      }
      positions = new Map(keys.map((key, index) => [key, index]));
      this.#positions.set(value, positions);
    }
    return positions.get(step) ?? positions.size;
  }
}

/** Up to here a search is as fast as a map. */
const fewKeys = 16;
