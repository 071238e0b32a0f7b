import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineDescription } from '../engines/engine.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import type { ClipIndex } from '../results/clip-index.ts';
import { formatFirstBatches, formatMetrics } from '../results/metrics.ts';
import {
  formatRun,
  formatSplit,
  maximumAccuracy,
  type RunFile,
  type SplitFile,
} from '../results/run-file.ts';
import { EVENT_FILE, encodeTraining } from '../results/tensorboard.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import type { Compat } from '../thesis/compat.ts';
import type { TrainingOutcome } from './loop.ts';
import type { TrainingSettings } from './model-file.ts';
import type { ClipSplit, TrainingClips } from './training-clips.ts';

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
    training: { ...run.training },
    compat: { ...run.compat },
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

/** Builds split.json. */
export function describeSplit({ rule, split }: TrainingClips): SplitFile {
  return { rule, train: [...split.train], validation: [...split.validation] };
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
  const curves = join(folder, 'tensorboard');
  await mkdir(curves, { recursive: true });
  await writeFile(join(folder, 'run.json'), formatRun(run));
  await writeFile(join(folder, 'split.json'), formatSplit(describeSplit(clips)));
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
