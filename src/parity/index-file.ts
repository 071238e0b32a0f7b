import { ReproError } from '../errors.ts';
import { isObject } from '../formats/fields.ts';
import { indexFile } from './folder.ts';

/** The contents of index.json. */
export interface CaseIndex {
  /** The cases' descriptions, in file order. */
  readonly cases: ReadonlyMap<string, unknown>;
  /** The other keys, except for remarks about the file. */
  readonly extras: ReadonlyMap<string, unknown>;
}

/** Remarks about the vectors, which are not compared. */
export const remarks = ['torch', 'seed', 'made_by', 'note'];

/** @throws {ReproError} `parity-index` if it is not JSON or has no object of cases */
export function parseIndex(bytes: Uint8Array): CaseIndex {
  let value: unknown;
  try {
    value = JSON.parse(quoteNonNumbers(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new ReproError('parity-index', `${indexFile} is not JSON: ${String(cause)}`, { cause });
  }
  if (!isObject(value) || !isObject(value.cases)) {
    throw new ReproError('parity-index', `${indexFile} has no "cases": an object of descriptions by name`);
  }
  const extras = Object.entries(value).filter(([key]) => key !== 'cases' && !remarks.includes(key));
  return { cases: new Map(Object.entries(value.cases)), extras: new Map(extras) };
}

/** Python writes bare NaN and Infinity, which are not JSON: as strings, they invalidate only their field, not the file. */
function quoteNonNumbers(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)\b/g, (found) =>
    found.startsWith('"') ? found : `"${found}"`,
  );
}
