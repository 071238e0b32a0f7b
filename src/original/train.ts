import { access, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Engine, EngineChoice } from '../engines/engine.ts';
import { chooseCpuEngine, chooseEngine, type EngineOptions } from '../engines/selection/engines.ts';
import { ReproError } from '../errors.ts';
import type { ClipIndex } from '../results/clip-index.ts';
import { maximumAccuracy } from '../results/run-file.ts';
import { formatPercent } from '../text.ts';
import type { Checkpoint } from '../training/checkpoint.ts';
import { CheckpointStore } from '../training/checkpoint.ts';
import { openFrameCache } from '../training/frame-cache.ts';
import { trainNetwork } from '../training/loop.ts';
import type { TrainingSettings } from '../training/model-file.ts';
import { describeEpoch, type TrainingProgress } from '../training/progress.ts';
import { setUpTraining } from '../training/training-setup.ts';
import type { Preparation } from './preparation.ts';
import { type OriginalRunFile, RunFolder } from './run-folder.ts';
import { nameTraining, type RunRecord, writeRecord } from './run-record.ts';

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

/** Called for finished epochs: once for those of a loaded checkpoint, then whenever one ends. */
type EpochsListener = (checkpoint: Checkpoint, occasion: 'loaded' | 'ended') => Promise<void>;

/**
 * The checkpoints that a training resumes from. It also reports the end of each epoch, for the files that people read. Unlike in the
 * pipeline, a checkpoint that exists but cannot be used is an error: nothing would make the content of these folders again.
 */
class RunStore extends CheckpointStore {
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

/**
 * The line for the end of an epoch: losses and accuracies, the best test accuracy so far, the epoch that is kept, the learning rate
 * and the time it took. Epochs count from 1 here.
 */
function describeEpochEnd(
  settings: TrainingSettings,
  { rows, best }: Pick<Checkpoint, 'rows' | 'best'>,
  seconds: number,
): string {
  const row = rows.at(-1);
  if (row === undefined) throw new RangeError('no epoch has ended');
  const tested = rows.map(({ epoch, test }) => ({ epoch, accuracy: test?.accuracy ?? null }));
  const { epoch, accuracy } = maximumAccuracy(tested);
  return [
    describeEpoch(settings, row),
    `best test ${formatPercent(accuracy)} (epoch ${epoch + 1})`,
    ...(best === undefined ? [] : [`kept: epoch ${best.epoch + 1}`]),
    `learning rate ${row.learningRate.toPrecision(3)}`,
    `${seconds.toFixed(1)} s`,
  ].join(' · ');
}

interface ChosenEngine {
  readonly engine: Engine;
  readonly notes: readonly string[];
}

/**
 * The engine for a `-device`. `cuda` is a preference: if CUDA does not work, the CPU is used, with a note.
 *
 * @param choice our own `--engine`, which overrides the device
 */
export async function chooseDevice(
  device: string,
  choice: EngineChoice | undefined,
  options: EngineOptions = {},
): Promise<ChosenEngine> {
  if (choice === undefined && device === 'cpu') {
    return { engine: await chooseCpuEngine('-device cpu', options), notes: [] };
  }
  const engine = await chooseEngine(choice ?? 'auto', options);
  const { backend } = engine.description;
  if (choice !== undefined || backend === 'cuda') return { engine, notes: [] };
  return {
    engine,
    notes: [
      `-device ${device} is not available here; training on the CPU instead. \`repro doctor\` tells why, and how to get CUDA.`,
    ],
  };
}
