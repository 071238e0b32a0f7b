import { appendFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { describeError, ReproError } from '../errors.ts';
import { syncFolder, writeSynced } from '../files/atomic-file.ts';
import { readRegular } from '../files/regular-file.ts';
import { decodeEventFile, encodeScalarEvents } from '../formats/tfevents.ts';
import { type EpochMetrics, encodeTraining, scalarsOf } from '../results/tensorboard.ts';
import type { NetworkSpec } from '../snn/spec.ts';

/** The ending of our event files. TensorBoard loads any file with `tfevents` in its name. */
const ending = '.repro';

/** Where the file is written before it is renamed into place: a name that TensorBoard ignores. */
const partialName = 'curves.partial';

/**
 * The curves of a training for TensorBoard: one file, to which each epoch's points are appended as it ends, so that they can be watched
 * live. A resumed training first rewrites the file from its checkpoint, keeping the time of each epoch. This drops whatever a killed
 * process left half written, or wrote before its checkpoint.
 */
export class EventFile {
  readonly #folder: string;
  readonly #spec: NetworkSpec;
  readonly #nowSeconds: () => number;
  readonly #warn: (text: string) => void;
  #file: string | undefined;
  #rows = 0;

  constructor(
    folder: string,
    spec: NetworkSpec,
    { nowSeconds, warn }: { readonly nowSeconds: () => number; readonly warn: (text: string) => void },
  ) {
    this.#folder = folder;
    this.#spec = spec;
    this.#nowSeconds = nowSeconds;
    this.#warn = warn;
  }

  /** Makes the file hold exactly these epochs. */
  async write(rows: readonly EpochMetrics[]): Promise<void> {
    const now = this.#nowSeconds();
    if (this.#file === undefined) {
      await mkdir(this.#folder, { recursive: true });
      await this.#removeStalePartials();
      const name = await findEventFile(this.#folder);
      const file = path.join(this.#folder, name ?? `events.out.tfevents.${Math.floor(now)}${ending}`);
      const times = name === undefined ? new Map<number, number>() : await this.#readTimes(file);
      await this.#replace(
        file,
        encodeTraining(this.#spec, rows, ({ epoch }) => times.get(epoch) ?? now),
      );
      this.#file = file;
    } else {
      const events = rows
        .slice(this.#rows)
        .flatMap((row) => scalarsOf(this.#spec, row))
        .map((scalar) => ({ ...scalar, wallTimeSeconds: now }));
      await appendFile(this.#file, encodeScalarEvents(events));
    }
    this.#rows = rows.length;
  }

  async #replace(file: string, curves: Uint8Array): Promise<void> {
    const partial = path.join(this.#folder, partialName);
    await writeSynced(partial, curves);
    await rename(partial, file);
    await syncFolder(this.#folder);
  }

  /** Earlier versions wrote to `<event file>.partial`, which TensorBoard takes for another run. */
  async #removeStalePartials(): Promise<void> {
    const names = await readdir(this.#folder);
    const stale = names.filter((name) => name.endsWith('.partial') && isEventFile(path.parse(name).name));
    await Promise.all(stale.map((name) => rm(path.join(this.#folder, name))));
  }

  /** The time at which each epoch ended: each has exactly one point of test accuracy, since this program tests every epoch. */
  async #readTimes(file: string): Promise<Map<number, number>> {
    try {
      const { scalars } = decodeEventFile(await readRegular(file), file);
      return new Map(
        scalars
          .filter(({ tag }) => tag === 'test_accuracy')
          .map(({ step, wallTimeSeconds }) => [step, wallTimeSeconds]),
      );
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      const { code, message, where } = error;
      const fix = 'The file is rewritten from the checkpoint; the times of earlier epochs are lost.';
      this.#warn(describeError(new ReproError(code, message, { where, fix })));
      return new Map();
    }
  }
}

/** The name of our event file in a folder, if there is one. */
export async function findEventFile(folder: string): Promise<string | undefined> {
  return (await readdir(folder)).filter(isEventFile).sort()[0];
}

function isEventFile(name: string): boolean {
  return name.startsWith('events.out.tfevents.') && name.endsWith(ending);
}
