import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Engine } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';
import type { ClipIndex } from '../formats/frame-cache.ts';
import { buildNetwork } from '../snn/networks.ts';
import { labelsOf, openFrameCache } from '../training/frame-cache.ts';
import { trainNetwork } from '../training/loop.ts';
import type { TrainingProgress } from '../training/progress.ts';
import { chooseTrainingClips } from '../training/training-clips.ts';
import { describeEpochEnd } from './epoch-line.ts';
import type { Preparation } from './preparation.ts';
import { type OriginalRunFile, RunFolder } from './run-folder.ts';
import { nameTraining, type RunRecord, writeRecord } from './run-record.ts';
import { RunStore } from './run-store.ts';

export interface OriginalTraining {
  readonly preparation: Preparation;
  readonly record: RunRecord;
  readonly engine: Engine;
  /** Where the frames are that the record's digest is of. */
  readonly framesFolder: string;
  readonly signal: AbortSignal;
  readonly progress: (progress: TrainingProgress) => void;
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
  /** Throws if the folders are no longer ours. */
  readonly assertHeld: () => void;
  /** Since 1970: the event file shows when an epoch was. */
  readonly nowSeconds: () => number;
}

/**
 * Trains what the original's arguments ask for, into the original's folders. Interrupted and called again, it goes on to the same bytes.
 *
 * In the checkpoint folder, after each epoch: `checkpoint.safetensors` (the last state), `checkpoint_max.safetensors` (the kept one),
 * `metrics.csv`, `run.json`, `split.json`; `arguments.json` and `resume/`, which hold what the next call goes on from, from the first checkpoint on. In the log folder: one event file.
 *
 * @throws {ReproError} as `trainNetwork`; `frames-invalid` if the frames are not those that were asked for
 */
export async function trainOriginal(training: OriginalTraining): Promise<OriginalRunFile> {
  const { preparation, engine, record, note, warn } = training;
  const { model, checkpointFolder, parsed } = preparation;
  const { seed } = parsed.values;
  const frames = await openFrameCache(training.framesFolder);
  try {
    const { index } = frames;
    checkFrames(training, index);
    const clips = chooseTrainingClips(index, model, seed);
    for (const warning of clips.warnings) warn(warning);
    const network = { input: frames.input, classes: index.classes.length, ...model.network };
    const spec = buildNetwork(network);
    const folder = new RunFolder(
      preparation,
      { index, engine: engine.description, network, spec, clips },
      training,
    );

    const resumeFolder = path.join(checkpointFolder, 'resume');
    let startedMs = performance.now();
    await trainNetwork({
      engine,
      spec,
      seed,
      settings: model.training,
      compat: clips.compat,
      split: clips.split,
      train: { source: frames.train, labels: labelsOf(index.splits.train) },
      test: { source: frames.test, labels: labelsOf(index.splits.test) },
      checkpoints: new RunStore(resumeFolder, {
        key: nameTraining(record),
        warn,
        assertHeld: training.assertHeld,
        // Not earlier: arguments that cannot be trained with must not claim the folder against those that can.
        beforeFirst: async () => {
          await writeRecord(checkpointFolder, record);
          await mkdir(resumeFolder, { recursive: true });
        },
        onEpochs: async (checkpoint, occasion) => {
          await folder.write(checkpoint);
          const nowMs = performance.now();
          if (occasion === 'ended') {
            note(describeEpochEnd(model.training, checkpoint, (nowMs - startedMs) / 1000));
          }
          startedMs = nowMs;
        },
      }),
      signal: training.signal,
      progress: training.progress,
      note,
    });
    if (folder.run === undefined) throw new RangeError('a training has at least one epoch');
    return folder.run;
  } finally {
    await frames.close();
  }
}

/** Between their making and their opening, another run may have put frames of another profile in their place. */
function checkFrames({ preparation, record, framesFolder }: OriginalTraining, index: ClipIndex): void {
  const { steps, splitBy, normalization } = preparation.frames;
  const wanted = [
    preparation.dataset,
    record.data.dataset.simulated,
    steps,
    splitBy,
    normalization === 'none' ? null : normalization,
  ];
  const { frames } = index;
  const found = [index.dataset, index.simulated, frames.steps, frames.splitBy, frames.normalization];
  if (wanted.every((value, i) => value === found[i])) return;
  throw new ReproError('frames-invalid', 'These frames are not those that the arguments ask for.', {
    where: framesFolder,
    fix: 'Another run in this project has replaced them. Run the command again when it has ended.',
  });
}
