import type { Engine } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';
import { Fields, type RawObject } from '../formats/fields.ts';
import { type FileShape, type Read, readShape, type Value } from '../results/shape.ts';
import type { Tensor } from '../snn/tensor.ts';
import { type Comparison, describeShape, indexOf } from './compare.ts';
import { indexFile } from './folder.ts';

export type FloatTensor = Extract<Tensor, { dtype: 'F32' }>;
export type WholeTensor = Extract<Tensor, { dtype: 'I64' }>;

/** A dimension's size, or `any`. */
export type DimensionSize = number | 'any';

/** One case of a folder: its entry in index.json and its tensors. It tracks which tensors were used, so that none is ignored. */
export class GivenCase {
  readonly name: string;
  readonly description: Fields;
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #taken = new Set<string>();
  readonly #read: (file: string) => Promise<Uint8Array>;

  /** @param read reads another file of the folder */
  constructor(
    name: string,
    description: RawObject,
    tensors: ReadonlyMap<string, Tensor>,
    read: (file: string) => Promise<Uint8Array>,
  ) {
    this.name = name;
    this.description = describeFields(description, `cases.${name}`);
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

  /** The bytes of the file that a field of the description names. */
  async file(field: string): Promise<Uint8Array> {
    const name = this.description.text(field);
    if (/[/\\]/.test(name)) return this.fail(`${field} "${name}" must be the name of a file in this folder`);
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

/** Reads an object of index.json, with errors that name the field. */
export function describeFields(value: unknown, place: string): Fields {
  return new Fields(
    { file: indexFile, code: 'parity-case', fix: 'See docs/parity.md for the keys of each kind.' },
    value,
    place,
  );
}

/**
 * Rejects unknown keys in a description: ignoring an option would silently give other numbers.
 *
 * @throws {ReproError} naming each key that is not in `known`
 */
export function checkKeys(fields: Fields, known: readonly string[]): void {
  const unknown = fields.keys().filter((key) => !known.includes(key));
  if (unknown.length === 0) return;
  const names = unknown.map((key) => JSON.stringify(key)).join(', ');
  throw new ReproError(
    'parity-case',
    `the description has unknown keys: ${names}; expected some of ${known.join(', ')}`,
  );
}

/** @throws {ReproError} naming the first value that is NaN or infinite */
export function checkFinite(tensors: ReadonlyMap<string, Tensor>): void {
  for (const [name, tensor] of tensors) {
    if (tensor.dtype !== 'F32') continue;
    const at = tensor.data.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) {
      throw new ReproError(
        'parity-case',
        `tensor "${name}" has ${tensor.data[at]} at ${describeShape(indexOf(at, tensor.shape))}`,
      );
    }
  }
}

/** How to compare cases of one kind. */
export interface CaseKind {
  /** The keys allowed in a description, besides `kind` and `note`; any other is a failure. */
  readonly keys: readonly string[];
  /**
   * Computes what the case describes and compares it with the folder's tensors, row by row; rows before an error count.
   *
   * @throws if the case cannot be run: an input is missing or has the wrong shape
   */
  compare(given: GivenCase, engine: Engine): Rows;
}

type Rows = AsyncIterable<Comparison> | Iterable<Comparison>;

/** @param shape of the description: its keys, and how each is read */
export function defineKind<S extends FileShape>(
  shape: S,
  compare: (given: GivenCase, description: Value<S>, engine: Engine) => Rows,
): CaseKind {
  return {
    keys: Object.keys(shape),
    compare: (given, engine) => compare(given, readShape(given.description, shape), engine),
  };
}

/** A key that says something to people, or to the program that made the case. */
export const remark: Read<unknown> = () => undefined;

/** The argument of `torch.manual_seed`. */
export const seedNumber: Read<number> = (fields, name) =>
  fields.number(name, { integer: true, min: 0, max: Number.MAX_SAFE_INTEGER });

export const atLeastOne: Read<number> = (fields, name) => fields.number(name, { integer: true, min: 1 });
