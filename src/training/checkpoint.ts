import { createHash } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { OptimiserState } from '../engines/engine.ts';
import { describeError, hasErrorCode, ReproError } from '../errors.ts';
import { syncFolder, writeSynced } from '../files/atomic-file.ts';
import { readSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import type { FirstBatch } from '../results/metrics.ts';
import type { EpochMetrics, LoggedBatch } from '../results/tensorboard.ts';
import type { State, Tensor } from '../snn/tensor.ts';
import type { TorchRandomState } from '../snn/torch-random.ts';

/** Sums over an epoch's batches so far, and its batches that are kept one by one. */
export interface EpochSums {
  readonly loss: number;
  readonly correct: number;
  readonly spikeRates: readonly number[];
  readonly logged: readonly LoggedBatch[];
  readonly first: readonly FirstBatch[];
}

/** The best epoch so far, according to the model selection. */
export interface BestEpoch {
  readonly epoch: number;
  /** Null if no clips are held back. */
  readonly validationAccuracy: number | null;
  readonly testAccuracy: number | null;
  readonly state: State;
}

/** Everything that a training needs to continue as if it had never stopped. */
export interface Checkpoint {
  /** Identifies the training: a checkpoint with another key is ignored. */
  readonly key: string;
  /** The current epoch, and how many of its batches are done. */
  readonly epoch: number;
  readonly batch: number;
  readonly sums: EpochSums;
  /** w of each spiking layer before this epoch. */
  readonly logits: State;
  /** The stream of sample orders before this epoch's order was drawn. */
  readonly random: TorchRandomState;
  readonly parameters: State;
  readonly optimiser: OptimiserState | undefined;
  readonly rows: readonly EpochMetrics[];
  readonly best: BestEpoch | undefined;
}

/** Everything in a checkpoint that is not a tensor. */
interface Head {
  readonly version: typeof VERSION;
  readonly key: string;
  readonly epoch: number;
  readonly batch: number;
  readonly sums: EpochSums;
  readonly random: { readonly position: number; readonly spareNormal: number | null };
  readonly step: number | null;
  readonly rows: readonly EpochMetrics[];
  readonly best: Omit<BestEpoch, 'state'> | null;
}

/** 2: rows and sums have the logged batches. 3: and the first ones. 4: and w before the epoch. */
const VERSION = 4;

const magic = new TextEncoder().encode('PLIFCKP1');
const digestBytes = 32;
const lengthBytes = 4;

/**
 * Encodes a checkpoint: `PLIFCKP1`, the sha256 of everything after it, the length of a JSON head (u32, little-endian),
 * the head, and a safetensors file with the tensors under `state/`, `logits/`, `first/`, `second/`, `best/` and `random`.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { key, epoch, batch, sums, random, rows, best, optimiser } = checkpoint;
  const head: Head = {
    version: VERSION,
    key,
    epoch,
    batch,
    sums,
    random: { position: random.position, spareNormal: random.spareNormal ?? null },
    step: optimiser?.step ?? null,
    rows,
    best:
      best === undefined
        ? null
        : {
            epoch: best.epoch,
            validationAccuracy: best.validationAccuracy,
            testAccuracy: best.testAccuracy,
          },
  };
  const words = BigInt64Array.from(random.words, BigInt);
  const tensors = writeSafetensors(
    new Map<string, Tensor>([
      ['random', { dtype: 'I64', shape: [words.length], data: words }],
      ...below('state/', checkpoint.parameters),
      ...below('logits/', checkpoint.logits),
      ...below('first/', optimiser?.first),
      ...below('second/', optimiser?.second),
      ...below('best/', best?.state),
    ]),
  );
  const json = new TextEncoder().encode(JSON.stringify(head));
  const start = magic.length + digestBytes;
  const bytes = new Uint8Array(start + lengthBytes + json.length + tensors.length);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint32(start, json.length, true);
  bytes.set(json, start + lengthBytes);
  bytes.set(tensors, start + lengthBytes + json.length);
  bytes.set(createHash('sha256').update(bytes.subarray(start)).digest(), magic.length);
  return bytes;
}

/** @throws {ReproError} `checkpoint-corrupt` unless `encodeCheckpoint` made exactly these bytes */
export function decodeCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const start = magic.length + digestBytes;
  if (bytes.length < start + lengthBytes || magic.some((byte, i) => bytes[i] !== byte)) {
    throw corrupt(where, 'it is not a checkpoint, or is cut off');
  }
  const expected = Buffer.from(bytes.subarray(magic.length, start));
  if (!createHash('sha256').update(bytes.subarray(start)).digest().equals(expected)) {
    throw corrupt(where, 'its contents do not match its checksum');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tensorStart = start + lengthBytes + view.getUint32(start, true);
  // The checksum guarantees the shape of what is parsed here.
  const head: Head = JSON.parse(new TextDecoder().decode(bytes.subarray(start + lengthBytes, tensorStart)));
  const { tensors } = readSafetensors(bytes.subarray(tensorStart), where);
  const words = tensors.get('random');
  if (head.version !== VERSION || words?.dtype !== 'I64') throw corrupt(where, 'it has another version');
  return {
    key: head.key,
    epoch: head.epoch,
    batch: head.batch,
    sums: head.sums,
    logits: above('logits/', tensors),
    random: {
      words: Uint32Array.from(words.data, Number),
      position: head.random.position,
      spareNormal: head.random.spareNormal ?? undefined,
    },
    parameters: above('state/', tensors),
    optimiser:
      head.step === null
        ? undefined
        : { step: head.step, first: above('first/', tensors), second: above('second/', tensors) },
    rows: head.rows,
    best: head.best === null ? undefined : { ...head.best, state: above('best/', tensors) },
  };
}

function below(prefix: string, state: State | undefined): [string, Tensor][] {
  return state === undefined ? [] : [...state].map(([name, tensor]) => [prefix + name, tensor]);
}

function above(prefix: string, tensors: State): State {
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

function corrupt(where: string, problem: string): ReproError {
  return new ReproError('checkpoint-corrupt', `This checkpoint cannot be used: ${problem}.`, {
    where,
    fix: 'Training resumes from an earlier one, or starts again.',
  });
}

const current = 'checkpoint';
const previous = 'checkpoint.previous';

/**
 * The last two checkpoints of a training, in its resume folder. A checkpoint appears whole or not at all; if the
 * newest is damaged anyway, the previous one is used.
 */
export class CheckpointStore {
  readonly #folder: string;
  readonly #warn: (text: string) => void;

  constructor(folder: string, warn: (text: string) => void) {
    this.#folder = folder;
    this.#warn = warn;
  }

  /** The newest usable checkpoint of the training with this key, if any. */
  async load(key: string): Promise<Checkpoint | undefined> {
    for (const name of [current, previous]) {
      const path = join(this.#folder, name);
      const bytes = await readIfExists(path);
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
    await renameIfExists(join(this.#folder, current), join(this.#folder, previous));
    await rename(temporary, join(this.#folder, current));
    await syncFolder(this.#folder);
  }
}

async function readIfExists(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function renameIfExists(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}
