import { readdir } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { readRegular } from '../../base/files/regular-file.ts';
import { type CheckedFile, checkShape, isObject, type Value } from '../../base/files/shape.ts';
import type { Tensor } from '../../formats/tensor.ts';
import type { Engine } from '../../network/engines/engine.ts';
import { type Comparison, describeShape } from './compare.ts';

/** The file that lists a folder's cases. */
export const indexFile = 'index.json';

export type FloatTensor = Extract<Tensor, { dtype: 'F32' }>;
type WholeTensor = Extract<Tensor, { dtype: 'I64' }>;

/** A dimension's size, or `any`. */
type DimensionSize = number | 'any';

/** One case of a folder: its entry in index.json and its tensors. It tracks which tensors were used, so that none is ignored. */
export class GivenCase {
  readonly name: string;
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #taken = new Set<string>();
  readonly #read: (file: string) => Promise<Uint8Array>;

  /** @param read reads another file of the folder */
  constructor(
    name: string,
    tensors: ReadonlyMap<string, Tensor>,
    read: (file: string) => Promise<Uint8Array>,
  ) {
    this.name = name;
    this.#tensors = tensors;
    this.#read = read;
  }

  /** The tensor of that name, if it exists; it then counts as compared. */
  find(name: string): Tensor | undefined {
    this.#taken.add(name);
    return this.#tensors.get(name);
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  names(): string[] {
    return [...this.#tensors.keys()];
  }

  /** The tensors below `prefix`, without it: `below('init/')` is a state. */
  below(prefix: string): Map<string, Tensor> {
    const below = new Map<string, Tensor>();
    for (const [name, tensor] of this.#tensors) {
      if (!name.startsWith(prefix)) continue;
      this.#taken.add(name);
      below.set(name.slice(prefix.length), tensor);
    }
    return below;
  }

  /** @throws {ReproError} if the tensor is missing, or has another type or shape */
  floats(name: string, shape?: readonly DimensionSize[]): FloatTensor {
    const tensor = this.#take(name, shape);
    if (tensor.dtype !== 'F32') return this.fail(`tensor "${name}" has type I64, expected F32`);
    return tensor;
  }

  /** @throws {ReproError} if the tensor is missing, or has another type or shape */
  whole(name: string, shape?: readonly DimensionSize[]): WholeTensor {
    const tensor = this.#take(name, shape);
    if (tensor.dtype !== 'I64') return this.fail(`tensor "${name}" has type F32, expected I64`);
    return tensor;
  }

  /** The bytes of another file of the folder. */
  async file(name: string): Promise<Uint8Array> {
    if (/[/\\]/.test(name)) return this.fail(`"${name}" must be the name of a file in this folder`);
    return this.#read(name);
  }

  /** Tensors that nothing used. */
  untouched(): string[] {
    return this.names().filter((name) => !this.#taken.has(name));
  }

  /** @throws {ReproError} `parity-case` */
  fail(message: string): never {
    throw new ReproError('parity-case', message);
  }

  #take(name: string, shape: readonly DimensionSize[] | undefined): Tensor {
    const tensor = this.find(name);
    if (tensor === undefined) return this.fail(`tensor "${name}" is missing from the folder`);
    const fits =
      shape === undefined ||
      (shape.length === tensor.shape.length &&
        shape.every((size, i) => size === 'any' || size === tensor.shape[i]));
    if (!fits) {
      this.fail(`tensor "${name}" has shape ${describeShape(tensor.shape)}, expected [${shape.join(', ')}]`);
    }
    return tensor;
  }
}

/** For errors that name a field of index.json. */
export const caseIndex: CheckedFile = {
  file: indexFile,
  code: 'parity-case',
  fix: 'See docs/parity.md for the keys of each kind.',
};

/** How to compare cases of one kind. */
export interface CaseKind {
  /** Of its descriptions, besides `kind` and `note`. */
  readonly keys: readonly string[];
  /**
   * Computes what the case describes and compares it with the folder's tensors, row by row; rows before an error count.
   *
   * @throws if the case cannot be run: an input is missing or has the wrong shape
   */
  compare(given: GivenCase, description: unknown, engine: Engine): Rows;
}

type Rows = AsyncIterable<Comparison> | Iterable<Comparison>;

/** A key that says something to people, or to the program that made the case. */
export const remark = v.exactOptional(v.unknown());

/** @param entries of the description; other keys are refused: ignoring an option would silently give other numbers */
export function defineKind<E extends v.ObjectEntries>(
  entries: E,
  compare: (given: GivenCase, description: Value<v.StrictObjectSchema<E, undefined>>, engine: Engine) => Rows,
): CaseKind {
  const shape = v.strictObject({ kind: v.string(), note: remark, ...entries });
  return {
    keys: Object.keys(entries),
    compare: (given, description, engine) =>
      compare(given, checkShape(shape, description, caseIndex, `cases.${given.name}`) as never, engine),
  };
}

/** A folder of cases. */
export interface CaseFolder {
  /** The names of its files, sorted. */
  readonly files: readonly string[];
  /** @throws if the file cannot be read */
  read(name: string): Promise<Uint8Array>;
}

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
