import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describeEngine, type EngineChoice } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';
import { makeFolder, removeEmptyFolder } from '../files/folders.ts';
import { acquireLock, type Lock } from '../files/lock.ts';
import { checkLayersFit, type Preparation, prepareTraining } from '../original/preparation.ts';
import { describeFinished, describeOutcome, findFinishedRun, summariseRun } from '../original/run-folder.ts';
import {
  type DataSettings,
  describeRecord,
  readRecord,
  refuseForeign,
  refuseOther,
} from '../original/run-record.ts';
import { chooseDevice, trainOriginal } from '../original/train.ts';
import type { Plan } from '../runner/plan/plan.ts';
import { readRecord as readStageRecord } from '../runner/store/records.ts';
import type { Progress } from '../stage/define-stage.ts';
import type { CompatPresetName } from '../thesis/compat.ts';
import type { PipelineOptions, Warn } from './load-plan.ts';
import { refuseRunnerFolder } from './reserved-folder.ts';
import { stageNames } from './stages.ts';
import { loadDataPlan, readDataSettings, refuseOverrides } from './train-val-settings.ts';

export interface TrainValOptions extends PipelineOptions {
  readonly compat: CompatPresetName;
  readonly engine?: EngineChoice;
  readonly threads?: number;
}

/** What a training is shown with. */
interface TrainingView {
  readonly progress: (progress: Progress) => void;
  readonly note: (text: string) => void;
  readonly warn: Warn;
  readonly finish: () => void;
  readonly close: () => void;
}

/** What the command does for a training: all that a user sees of it before its end. */
export interface TrainValHost {
  readonly warn: Warn;
  /** Stops the training, which then can be resumed. */
  readonly stop: AbortSignal;
  /** Makes the frames. @returns whether they are there */
  readonly makeFrames: (plan: Plan, pipeline: PipelineOptions) => Promise<boolean>;
  /** @param title of the model */
  readonly showTraining: (title: string) => Promise<TrainingView>;
}

export type TrainValOutcome =
  | { readonly kind: 'trained'; readonly lines: readonly string[]; readonly run: object }
  /** By an earlier command; `document` is its run.json. */
  | { readonly kind: 'was-trained'; readonly lines: readonly string[]; readonly document: string }
  | { readonly kind: 'no-frames' }
  | { readonly kind: 'failed'; readonly error: ReproError; readonly pipeline: PipelineOptions };

const elsewhere = 'Choose another -log_dir_prefix.';

/** Trains like the original, with its arguments and folders. */
export async function trainVal(
  words: readonly string[],
  options: TrainValOptions,
  host: TrainValHost,
): Promise<TrainValOutcome> {
  refuseOverrides(options.set);
  const preparation = prepareTraining(words, options.compat, process.cwd());
  refuseRunnerFolder(preparation.checkpointFolder, elsewhere);
  const { plan, pipeline } = await loadDataPlan(preparation, options);
  const { data, downsample } = readDataSettings(plan, preparation);
  checkLayersFit(preparation, downsample);
  for (const note of preparation.notes) host.warn(note);
  if (data.dataset.simulated) {
    host.warn('The recordings are simulated: results on them say nothing about real ones.');
  }

  const folder = await ClaimedFolder.claim(preparation.checkpointFolder, elsewhere);
  try {
    const earlier = await readRecord(preparation.checkpointFolder);
    const known = { arguments: preparation.parsed.values, compat: preparation.model.compat, data };
    if (earlier === undefined) await refuseForeign(preparation, [lockFolder]);
    else refuseOther(preparation.checkpointFolder, earlier, known);
    const finished = earlier === undefined ? undefined : await findFinishedRun(preparation);
    if (finished !== undefined) {
      const lines = describeFinished(finished.summary, preparation, process.cwd());
      return { kind: 'was-trained', lines, document: finished.document };
    }
    if (!(await host.makeFrames(plan, pipeline))) return { kind: 'no-frames' };
    return await train(preparation, { plan, pipeline, data, options, folder, host });
  } finally {
    await folder.leave();
  }
}

/** Trains on the existing frames. */
async function train(
  preparation: Preparation,
  {
    plan,
    pipeline,
    data,
    options,
    folder,
    host,
  }: {
    readonly plan: Plan;
    /** The options that the plan was loaded with. */
    readonly pipeline: PipelineOptions;
    readonly data: DataSettings;
    readonly options: TrainValOptions;
    readonly folder: ClaimedFolder;
    readonly host: TrainValHost;
  },
): Promise<TrainValOutcome> {
  const { checkpointFolder } = preparation;
  const { engine, notes } = await chooseDevice(preparation.device, options.engine, {
    threads: options.threads,
  });
  const frames = (await readStageRecord(plan, stageNames.frames))?.outputs[0];
  if (frames === undefined) throw new Error(`stage "${stageNames.frames}" left no record`);
  const record = describeRecord(preparation, data, frames.digest, engine.description);
  const earlier = await readRecord(checkpointFolder);
  if (earlier !== undefined) refuseOther(checkpointFolder, earlier, record);
  const view = await host.showTraining(preparation.model.title);
  try {
    for (const note of notes) view.warn(note);
    view.note(describeEngine(engine.description));
    const run = await trainOriginal({
      preparation,
      record,
      engine,
      framesFolder: path.join(plan.projectRoot, frames.path),
      signal: host.stop,
      progress: view.progress,
      note: view.note,
      warn: view.warn,
      assertHeld: () => folder.assertHeld(),
      nowSeconds: () => Date.now() / 1000,
    });
    view.finish();
    return {
      kind: 'trained',
      lines: describeOutcome(summariseRun(run), preparation, process.cwd()),
      run,
    };
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    return { kind: 'failed', error, pipeline };
  } finally {
    view.close();
  }
}

/** The folder inside a claimed one that keeps other processes out. */
const lockFolder = 'lock';

/** A folder that only this process writes to. */
class ClaimedFolder {
  readonly #folder: string;
  readonly #lock: Lock;
  /** The outermost folder that had to be created for it. */
  readonly #firstMade: string | undefined;

  private constructor(folder: string, lock: Lock, firstMade: string | undefined) {
    this.#folder = folder;
    this.#lock = lock;
    this.#firstMade = firstMade;
  }

  /**
   * Creates the folder if needed, and keeps other processes out of it.
   *
   * @param folder absolute
   * @param fix what to do if the folder cannot be created
   * @throws {ReproError} `locked` if another process has it, `output-nowhere` if it cannot be created
   */
  static async claim(folder: string, fix: string): Promise<ClaimedFolder> {
    const firstMade = await makeFolder(folder, fix);
    return new ClaimedFolder(folder, await acquireLock(path.join(folder, lockFolder)), firstMade);
  }

  /** @throws {ReproError} `lock-lost` if another process has taken the folder, which it may if this one appears dead */
  assertHeld(): void {
    if (!this.#lock.isLost()) return;
    throw new ReproError(
      'lock-lost',
      'Another training has taken over this folder, or its lock was deleted.',
      {
        where: this.#folder,
        fix: 'Everything saved so far is kept. Run the command again when no other training uses the folder.',
      },
    );
  }

  /** Releases the folder. If nothing was written, removes the lock and the folders that were created for it. */
  async leave(): Promise<void> {
    // A lost folder is for its new owner to clean up.
    const isUsed =
      this.#lock.isLost() || (await fs.readdir(this.#folder)).some((name) => name !== lockFolder);
    if (isUsed) return this.#lock.release();
    await this.#lock.dissolve();
    if (this.#firstMade === undefined) return;
    let folder = this.#folder;
    while ((await removeEmptyFolder(folder)) && folder !== this.#firstMade) folder = path.dirname(folder);
  }
}
