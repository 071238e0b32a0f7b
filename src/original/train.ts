import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Engine } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';
import type { ClipIndex } from '../results/clip-index.ts';
import { openFrameCache } from '../training/frame-cache.ts';
import { trainNetwork } from '../training/loop.ts';
import type { TrainingProgress } from '../training/progress.ts';
import { setUpTraining } from '../training/training-setup.ts';
import { describeEpochEnd } from './epoch-line.ts';
import type { Preparation } from './preparation.ts';
import { type OriginalRunFile, RunFolder } from './run-folder.ts';
import { nameTraining, type RunRecord, writeRecord } from './run-record.ts';
import { RunStore } from './run-store.ts';

export interface OriginalTraining {
  readonly preparation: Preparation;
  readonly record: RunRecord;
  readonly engine: Engine;
  /** The folder of the frames whose digest is in the record. */
  readonly framesFolder: string;
  readonly signal: AbortSignal;
  readonly progress: (progress: TrainingProgress) => void;
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
  /** Throws if another process has taken the folders. */
  readonly assertHeld: () => void;
  /** Since 1970: the event file shows when each epoch ended. */
  readonly nowSeconds: () => number;
}

/**
 * Trains the network that the original's arguments describe, into the original's folders. If interrupted and called again, it resumes
 * and ends with the same bytes.
 *
 * The checkpoint folder holds, after each epoch: `checkpoint.safetensors` (the last state), `checkpoint_max.safetensors` (the kept
 * one), `metrics.csv`, `run.json` and `split.json`; and from the first checkpoint on, `arguments.json` and `resume/`, which the next call
 * continues from. The log folder holds one event file.
 *
 * @throws {ReproError} as `trainNetwork`; `frames-invalid` if the frames are not those that the arguments describe
 */
export async function trainOriginal(training: OriginalTraining): Promise<OriginalRunFile> {
  const { preparation, engine, record, note, warn } = training;
  const { model, checkpointFolder, parsed } = preparation;
  const { seed } = parsed.values;
  const frames = await openFrameCache(training.framesFolder);
  try {
    const { index } = frames;
    checkFrames(training, index);
    const { network, clips, task } = setUpTraining(frames, model, seed);
    for (const warning of clips.warnings) warn(warning);
    const folder = new RunFolder(
      preparation,
      { index, engine: engine.description, network, spec: task.spec, clips },
      training,
    );

    const resumeFolder = path.join(checkpointFolder, 'resume');
    let startedMs = performance.now();
    await trainNetwork({
      ...task,
      engine,
      checkpoints: new RunStore(resumeFolder, {
        key: nameTraining(record),
        warn,
        assertHeld: training.assertHeld,
        // Not earlier: a training that fails before its first step must not claim the folder.
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

/** Another run may have replaced the frames with those of another profile since they were made. */
function checkFrames({ preparation, record, framesFolder }: OriginalTraining, index: ClipIndex): void {
  // A still image is one frame, which the network repeats.
  const { steps, splitBy, normalization } = preparation.frames ?? {
    steps: 1,
    splitBy: null,
    normalization: 'none',
  };
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
  throw new ReproError('frames-invalid', 'These frames do not match the arguments.', {
    where: framesFolder,
    fix: 'Another run in this project has replaced them. Run the command again when that run has ended.',
  });
}
