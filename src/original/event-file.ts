import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describeError, ReproError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { decodeEventFile, encodeScalarEvents } from '../formats/tfevents.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import type { EpochMetrics } from '../training/metrics.ts';
import { encodeTraining, scalarsOf } from '../training/tensorboard.ts';

/** Ends the names of our event files; TensorBoard takes any file whose name has `tfevents` in it. */
const ending = '.repro';

/**
 * The curves of a training for TensorBoard: one file, to which each epoch's points are appended as it ends, so that they can be watched.
 * A training that goes on first writes the file anew from the epochs that it has, each at the time at which it was: what a killed process
 * left half written, or wrote before its checkpoint, is then gone.
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

  /** Brings the file up to these epochs. */
  async write(rows: readonly EpochMetrics[]): Promise<void> {
    const now = this.#nowSeconds();
    if (this.#file === undefined) {
      await mkdir(this.#folder, { recursive: true });
      const names = (await readdir(this.#folder)).filter((name) => isEventFile(name)).sort();
      const file = path.join(this.#folder, names[0] ?? `events.out.tfevents.${Math.floor(now)}${ending}`);
      const times = names[0] === undefined ? new Map<number, number>() : await this.#readTimes(file);
      const curves = encodeTraining(this.#spec, rows, ({ epoch }) => times.get(epoch) ?? now);
      await writeFileAtomic(file, curves, { soleWriter: true });
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

  /** When each epoch was; every epoch has one point of validation accuracy. */
  async #readTimes(file: string): Promise<Map<number, number>> {
    try {
      const { scalars } = decodeEventFile(await readFile(file), file);
      return new Map(
        scalars
          .filter(({ tag }) => tag === 'val_accuracy')
          .map(({ step, wallTimeSeconds }) => [step, wallTimeSeconds]),
      );
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      const { code, message, where } = error;
      const fix = 'It is written anew from the checkpoint; the times of earlier epochs are lost.';
      this.#warn(describeError(new ReproError(code, message, { where, fix })));
      return new Map();
    }
  }
}

export function isEventFile(name: string): boolean {
  return name.startsWith('events.out.tfevents.') && name.endsWith(ending);
}
