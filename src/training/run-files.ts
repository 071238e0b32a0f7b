import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineDescription } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';
import type { ClipIndex } from '../formats/frame-cache.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import type { Compat } from '../thesis/compat.ts';
import type { TrainingOutcome } from './loop.ts';
import { formatFirstBatches, formatMetrics, type Maximum, maximumAccuracy } from './metrics.ts';
import type { TrainingSettings } from './model-file.ts';
import { encodeTraining } from './tensorboard.ts';
import type { ClipSplit, TrainingClips } from './training-clips.ts';

/** TensorBoard reads any file whose name begins like this. */
const EVENT_FILE = 'events.out.tfevents.0.repro';

/** run.json: what was trained, on which data, and the results. */
export interface RunFile {
  readonly version: 1;
  readonly model: { readonly id: string; readonly title: string };
  readonly seed: number;
  readonly dataset: string;
  readonly simulated: boolean;
  readonly engine: { readonly name: string; readonly backend: string; readonly version: string };
  readonly frames: Readonly<Record<string, unknown>>;
  readonly network: NetworkConfig;
  /** The number of learned values. */
  readonly parameters: number;
  readonly training: TrainingSettings;
  /** The switches of docs/deviations.md in force; network and training are those after the switches. */
  readonly compat: Compat;
  /** The number of clips in each part. */
  readonly split: { readonly train: number; readonly validation: number; readonly test: number };
  /** Validation accuracies are null if no clips are held back. */
  readonly best: {
    readonly epoch: number;
    readonly validationAccuracy: number | null;
    readonly testAccuracy: number | null;
  };
  readonly maximum: { readonly test: Maximum; readonly validation: Maximum | null };
}

/** split.json: rows of train.npy that were trained on and held back. */
export interface SplitFile {
  readonly version: 1;
  readonly rule: string;
  readonly train: readonly number[];
  readonly validation: readonly number[];
}

/** Builds run.json. */
export function describeRun(run: {
  readonly model: { readonly id: string; readonly title: string };
  readonly seed: number;
  readonly index: ClipIndex;
  readonly engine: EngineDescription;
  readonly network: NetworkConfig;
  readonly parameters: number;
  readonly training: TrainingSettings;
  readonly compat: Compat;
  readonly split: ClipSplit;
  readonly outcome: TrainingOutcome;
}): RunFile {
  const { index, engine, split, outcome } = run;
  const { epoch, validationAccuracy, testAccuracy } = outcome.best;
  return {
    version: 1,
    model: run.model,
    seed: run.seed,
    dataset: index.dataset,
    simulated: index.simulated,
    engine: { name: engine.name, backend: engine.backend, version: engine.version },
    frames: index.frames,
    network: run.network,
    parameters: run.parameters,
    training: run.training,
    compat: run.compat,
    split: {
      train: split.train.length,
      validation: split.validation.length,
      test: index.splits.test.length,
    },
    best: { epoch, validationAccuracy, testAccuracy },
    maximum: {
      test: maximumAccuracy(
        outcome.rows.map((row) => ({ epoch: row.epoch, accuracy: row.test?.accuracy ?? null })),
      ),
      validation:
        split.validation.length === 0
          ? null
          : maximumAccuracy(
              outcome.rows.map((row) => ({ epoch: row.epoch, accuracy: row.validation?.accuracy ?? null })),
            ),
    },
  };
}

/** The JSON format of a run's files. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * Writes the files of a training: run.json, split.json, metrics.csv, first-batches.csv, the best and last states, and TensorBoard's curves. They do not
 * depend on the clock: an event's time is its epoch, in seconds after 1970.
 */
export async function writeRunFiles(
  folder: string,
  run: RunFile,
  {
    spec,
    clips,
    outcome,
  }: { readonly spec: NetworkSpec; readonly clips: TrainingClips; readonly outcome: TrainingOutcome },
): Promise<void> {
  const split: SplitFile = {
    version: 1,
    rule: clips.rule,
    train: [...clips.split.train],
    validation: [...clips.split.validation],
  };
  const curves = join(folder, 'tensorboard');
  await mkdir(curves, { recursive: true });
  await writeFile(join(folder, 'run.json'), formatJson(run));
  await writeFile(join(folder, 'split.json'), formatJson(split));
  await writeFile(join(folder, 'metrics.csv'), formatMetrics(outcome.rows));
  // An epoch may have fewer batches than are kept.
  const first = outcome.rows.flatMap((row) => row.first);
  await writeFile(join(folder, 'first-batches.csv'), formatFirstBatches(first));
  await writeFile(join(folder, 'best.safetensors'), writeSafetensors(outcome.best.state));
  await writeFile(join(folder, 'last.safetensors'), writeSafetensors(outcome.last));
  await writeFile(
    join(curves, EVENT_FILE),
    encodeTraining(spec, outcome.rows, (row) => row.epoch),
  );
}

/** Reads run.json and split.json of a trained model's folder. */
export async function readRunFiles(folder: string): Promise<{ run: RunFile; split: SplitFile }> {
  const run: RunFile = await readJson(join(folder, 'run.json'));
  const split: SplitFile = await readJson(join(folder, 'split.json'));
  return { run, split };
}

/** The stage `train` wrote these files and the runner verifies their bytes, so only their version is checked. */
async function readJson<T extends { readonly version: 1 }>(file: string): Promise<T> {
  const value: T = JSON.parse(await readFile(file, 'utf8'));
  if (value.version !== 1) {
    throw new ReproError('run-version', `This file has version ${value.version}, expected 1.`, {
      where: file,
      fix: 'Train again: `repro run train --force`.',
    });
  }
  return value;
}
