import { createHash } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, hasErrorCode, ReproError } from '../base/errors.ts';
import { syncFolder, writeSynced } from '../base/files/atomic-file.ts';
import { readSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import type { State, Tensor } from '../formats/tensor.ts';
import type { BestEpoch, Checkpoint, Checkpoints } from './checkpoint.ts';

const VERSION = 7;

/** Everything in a checkpoint that is not a tensor. */
interface Head extends Pick<Checkpoint, 'key' | 'epoch' | 'batch' | 'sums' | 'rows'> {
  readonly version: number;
  readonly random: { readonly position: number; readonly spareNormal?: number };
  readonly step?: number | undefined;
  readonly best?: Omit<BestEpoch, 'state'> | undefined;
}

const digestBytes = 32;

const digest = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/**
 * Encodes a checkpoint: the sha256 of a safetensors file, and the file. It has the tensors under `state/`, `logits/`, `first/`, `second/`,
 * `best/` and `random`, and everything else as JSON in its metadata, under `head`.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { parameters, logits, optimiser, random, best, ...rest } = checkpoint;
  const { words, ...position } = random;
  const { state, ...chosen } = best ?? {};
  const head = {
    version: VERSION,
    ...rest,
    random: position,
    step: optimiser?.step,
    best: best && chosen,
  };
  const file = writeSafetensors(
    new Map<string, Tensor>([
      ['random', { dtype: 'I64', shape: [words.length], data: BigInt64Array.from(words, BigInt) }],
      ...below('state/', parameters),
      ...below('logits/', logits),
      ...below('first/', optimiser?.first),
      ...below('second/', optimiser?.second),
      ...below('best/', state),
    ]),
    { head: JSON.stringify(head) },
  );
  return Buffer.concat([digest(file), file]);
}

/** @throws {ReproError} `checkpoint-corrupt` unless `encodeCheckpoint` made exactly these bytes */
export function decodeCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const file = bytes.subarray(digestBytes);
  if (!digest(file).equals(bytes.subarray(0, digestBytes))) {
    throw corrupt(where, 'it is damaged or cut off, or an earlier version of this program wrote it');
  }
  const { tensors, metadata } = readSafetensors(file, where);
  // The checksum guarantees the shape of what is parsed here.
  const { version, random, step, best, ...rest }: Head = JSON.parse(metadata.head ?? '{}');
  const words = tensors.get('random');
  if (version !== VERSION || words?.dtype !== 'I64') throw corrupt(where, 'it has another version');
  return {
    ...rest,
    logits: above('logits/', tensors),
    random: {
      words: Uint32Array.from(words.data, Number),
      position: random.position,
      spareNormal: random.spareNormal,
    },
    parameters: above('state/', tensors),
    optimiser:
      step === undefined
        ? undefined
        : { step, first: above('first/', tensors), second: above('second/', tensors) },
    best: best && { ...best, state: above('best/', tensors) },
  };
}

function below(prefix: string, state: State | undefined): [string, Tensor][] {
  return [...(state ?? [])].map(([name, tensor]) => [prefix + name, tensor]);
}

function above(prefix: string, tensors: State): State {
  const own = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

function corrupt(where: string, problem: string): ReproError {
  return new ReproError('checkpoint-corrupt', `This checkpoint cannot be used: ${problem}.`, {
    where,
    fix: 'Training resumes from an earlier one, or starts again.',
  });
}

const current = 'checkpoint';
const previous = 'checkpoint.previous';
/** The newest first. */
export const checkpointNames = [current, previous] as const;

/**
 * The last two checkpoints of a training, in its resume folder. A checkpoint appears whole or not at all; if the
 * newest is damaged anyway, the previous one is used.
 */
export class CheckpointStore implements Checkpoints {
  readonly #folder: string;
  readonly #warn: (text: string) => void;

  constructor(folder: string, warn: (text: string) => void) {
    this.#folder = folder;
    this.#warn = warn;
  }

  async load(key: string): Promise<Checkpoint | undefined> {
    for (const name of checkpointNames) {
      const path = join(this.#folder, name);
      const bytes = await unlessMissing(readFile(path));
      if (bytes === undefined) continue;
      try {
        const checkpoint = decodeCheckpoint(bytes, path);
        if (checkpoint.key === key) return checkpoint;
        this.#warn(`${path}  Ignoring this checkpoint: it belongs to a different training run.`);
      } catch (error) {
        this.#warn(describeError(error));
      }
    }
    return undefined;
  }

  /** Writes a checkpoint to disk and keeps the previous one. */
  async save(checkpoint: Checkpoint): Promise<void> {
    const temporary = join(this.#folder, `${current}.tmp`);
    await writeSynced(temporary, encodeCheckpoint(checkpoint));
    await unlessMissing(rename(join(this.#folder, current), join(this.#folder, previous)));
    await rename(temporary, join(this.#folder, current));
    await syncFolder(this.#folder);
  }
}

/** @returns undefined if there is no such file */
async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
