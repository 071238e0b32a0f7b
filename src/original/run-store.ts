import { access } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../errors.ts';
import type { Checkpoint } from '../training/checkpoint.ts';
import { CheckpointStore } from '../training/checkpoint-store.ts';

/** Called for finished epochs: once for those of a loaded checkpoint, then whenever one ends. */
export type EpochsListener = (checkpoint: Checkpoint, occasion: 'loaded' | 'ended') => Promise<void>;

/**
 * The checkpoints that a training resumes from. It also reports the end of each epoch, for the files that people read. Unlike in the
 * pipeline, a checkpoint that exists but cannot be used is an error: nothing would make the content of these folders again.
 */
export class RunStore extends CheckpointStore {
  readonly #folder: string;
  readonly #key: string;
  readonly #onEpochs: EpochsListener;
  readonly #assertHeld: () => void;
  readonly #beforeFirst: () => Promise<void>;
  #epochs = 0;
  #hasSaved = false;

  /**
   * @param key identifies the training apart from its number of epochs, so that a finished one can be continued
   * @param assertHeld throws if another training has taken the folder in the meantime
   * @param beforeFirst prepares the folder for the first checkpoint that this process saves
   */
  constructor(
    folder: string,
    options: {
      readonly key: string;
      readonly warn: (text: string) => void;
      readonly onEpochs: EpochsListener;
      readonly assertHeld: () => void;
      readonly beforeFirst: () => Promise<void>;
    },
  ) {
    super(folder, options.warn);
    this.#folder = folder;
    this.#key = options.key;
    this.#onEpochs = options.onEpochs;
    this.#assertHeld = options.assertHeld;
    this.#beforeFirst = options.beforeFirst;
  }

  override async load(_key: string): Promise<Checkpoint | undefined> {
    const checkpoint = await super.load(this.#key);
    if (checkpoint === undefined) {
      if (await this.#holdsAny()) {
        throw new ReproError('run-folder-broken', 'No checkpoint in this folder can be used.', {
          where: this.#folder,
          fix: 'Restore it from a backup; or, to start over, remove it together with the other files of the run.',
        });
      }
      return undefined;
    }
    this.#epochs = checkpoint.rows.length;
    await this.#onEpochs(checkpoint, 'loaded');
    return checkpoint;
  }

  override async save(checkpoint: Checkpoint): Promise<void> {
    this.#assertHeld();
    if (!this.#hasSaved) await this.#beforeFirst();
    this.#hasSaved = true;
    await super.save({ ...checkpoint, key: this.#key });
    if (checkpoint.rows.length === this.#epochs) return;
    this.#epochs = checkpoint.rows.length;
    await this.#onEpochs(checkpoint, 'ended');
  }

  async #holdsAny(): Promise<boolean> {
    const found = await Promise.all(
      ['checkpoint', 'checkpoint.previous'].map((name) =>
        access(path.join(this.#folder, name)).then(
          () => true,
          () => false,
        ),
      ),
    );
    return found.includes(true);
  }
}
