import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, hasErrorCode } from '../errors.ts';
import { syncFolder, writeSynced } from '../files/atomic-file.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';

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
