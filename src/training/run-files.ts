import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineDescription } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';
import type { ClipIndex } from '../formats/frame-cache.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import type { TrainingOutcome } from './loop.ts';
import { type Maximum, maximumAccuracy } from './metrics.ts';
import type { TrainingSettings } from './settings.ts';
import type { ClipSplit } from './split.ts';

/** run.json: what was trained, on what, and what came of it. */
export interface RunFile {
  readonly version: 1;
  readonly model: { readonly id: string; readonly title: string };
  readonly seed: number;
  readonly dataset: string;
  readonly simulated: boolean;
  readonly engine: { readonly name: string; readonly backend: string; readonly version: string };
  readonly frames: Readonly<Record<string, unknown>>;
  readonly network: NetworkConfig;
  /** Numbers that are learned. */
  readonly parameters: number;
  readonly training: TrainingSettings;
  /** Clips of each part. */
  readonly split: { readonly train: number; readonly validation: number; readonly test: number };
  readonly best: {
    readonly epoch: number;
    readonly validationAccuracy: number;
    readonly testAccuracy: number | null;
  };
  readonly maximum: { readonly test: Maximum; readonly validation: Maximum };
}

/** split.json: rows of train.npy that were trained on and held back. */
export interface SplitFile {
  readonly version: 1;
  readonly rule: string;
  readonly train: readonly number[];
  readonly validation: readonly number[];
}

/** Puts run.json together. */
export function describeRun(run: {
  readonly model: { readonly id: string; readonly title: string };
  readonly seed: number;
  readonly index: ClipIndex;
  readonly engine: EngineDescription;
  readonly network: NetworkConfig;
  readonly parameters: number;
  readonly training: TrainingSettings;
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
      validation: maximumAccuracy(
        outcome.rows.map((row) => ({ epoch: row.epoch, accuracy: row.validation.accuracy })),
      ),
    },
  };
}

/** JSON as every file of a run has it. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Reads run.json and split.json of a trained model's folder. */
export async function readRunFiles(folder: string): Promise<{ run: RunFile; split: SplitFile }> {
  const run: RunFile = await readJson(join(folder, 'run.json'));
  const split: SplitFile = await readJson(join(folder, 'split.json'));
  return { run, split };
}

/** The stage `train` wrote these files and the runner vouches for their bytes; only their version is checked. */
async function readJson<T extends { readonly version: 1 }>(file: string): Promise<T> {
  const value: T = JSON.parse(await readFile(file, 'utf8'));
  if (value.version !== 1) {
    throw new ReproError('run-version', `This file is of version ${value.version}, expected 1.`, {
      where: file,
      fix: 'Train again: `repro run train --force`.',
    });
  }
  return value;
}
