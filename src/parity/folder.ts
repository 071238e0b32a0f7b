import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';
import { readRegular } from '../files/regular-file.ts';
import { isObject } from '../files/shape.ts';

/** A folder of cases. */
export interface CaseFolder {
  /** The names of its files, sorted. */
  readonly files: readonly string[];
  /** @throws if the file cannot be read */
  read(name: string): Promise<Uint8Array>;
}

/** The file that lists a folder's cases. */
export const indexFile = 'index.json';

/** @throws {ReproError} `parity-folder` if there is no such folder or no index.json in it */
export async function openCaseFolder(folder: string): Promise<CaseFolder> {
  const fix = 'Name a folder of test vectors, such as test/golden; docs/parity.md describes the format.';
  const files = await readdir(folder).catch((cause: unknown) => {
    const message = hasErrorCode(cause, 'ENOENT')
      ? 'this folder does not exist.'
      : `this folder cannot be read: ${String(cause)}`;
    throw new ReproError('parity-folder', message, { where: folder, fix, cause });
  });
  if (!files.includes(indexFile)) {
    throw new ReproError('parity-folder', `this folder has no ${indexFile}.`, { where: folder, fix });
  }
  return { files: files.sort(), read: (name) => readRegular(path.join(folder, name)) };
}

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
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ReproError('parity-index', `${indexFile} is not JSON: ${String(cause)}`, { cause });
  }
  if (!isObject(value) || !isObject(value.cases)) {
    throw new ReproError('parity-index', `${indexFile} has no "cases": an object of descriptions by name`);
  }
  const extras = Object.entries(value).filter(([key]) => key !== 'cases' && !remarks.includes(key));
  return { cases: new Map(Object.entries(value.cases)), extras: new Map(extras) };
}
