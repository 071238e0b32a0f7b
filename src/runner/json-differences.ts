import { getOwn, isJsonList, isJsonObject, type Json } from '../schema/json.ts';
import { canonicalJson } from './canonical-json.ts';

/** A place where two values differ. */
export interface JsonDifference {
  /** `train.epochs`, `layers[0].kind`; empty for the value itself. */
  readonly name: string;
  /** undefined: not there. */
  readonly before: Json | undefined;
  readonly now: Json | undefined;
}

/** Whether two values are the same for a fingerprint: the order of keys does not count, but null is not the same as nothing. */
export function isSameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return canonicalJson(a) === canonicalJson(b);
}

/** The smallest parts of two values that differ; a list is one part, unless `intoLists`. */
export function diffJson(
  before: Json | undefined,
  now: Json | undefined,
  { intoLists = false, name = '' }: { readonly intoLists?: boolean; readonly name?: string } = {},
): JsonDifference[] {
  if (isJsonObject(before) && isJsonObject(now)) {
    return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) =>
      diffJson(getOwn(before, key), getOwn(now, key), {
        intoLists,
        name: name === '' ? key : `${name}.${key}`,
      }),
    );
  }
  if (intoLists && isJsonList(before) && isJsonList(now)) {
    return Array.from({ length: Math.max(before.length, now.length) }, (_, i) => i).flatMap((i) =>
      diffJson(before[i], now[i], { intoLists, name: `${name}[${i}]` }),
    );
  }
  return isSameJson(before, now) ? [] : [{ name, before, now }];
}
