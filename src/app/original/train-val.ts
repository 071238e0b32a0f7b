import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describeError, ReproError } from '../../base/errors.ts';
import { makeFolder, removeEmptyFolder } from '../../base/files/folders.ts';
import { acquireLock } from '../../base/files/lock.ts';
import { isJsonObject, type JsonObject } from '../../base/schema/json.ts';
import { formatPercent } from '../../base/text.ts';
import { ORIGINAL_DATASETS } from '../../exchange/original/argument-table.ts';
import { parseArguments } from '../../exchange/original/arguments.ts';
import {
  describeTrainingResult,
  exportTraining,
  type OriginalRunFile,
} from '../../exchange/original/export.ts';
import { type Preparation, prepareTraining } from '../../exchange/original/preparation.ts';
import { describeEngine, type Engine, type EngineChoice } from '../../network/engines/engine.ts';
import {
  chooseDeviceEngine,
  chooseEngine,
  type EngineOptions,
} from '../../network/engines/selection/engines.ts';
import type { CompatPresetName } from '../../results/thesis/compat.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { openRecords } from '../../runner/store/records.ts';
import { CheckpointStore, checkpointNames } from '../../training/checkpoint-store.ts';
import { describeEpoch } from '../../training/task.ts';
import { trainModel, workloadOf } from '../../training/train-model.ts';
import { exitCode, exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { isSimulated, readCheckedFacts } from '../project/dataset-files.ts';
import {
  findProjectRoot,
  loadSelectedPlan,
  type PipelineOptions,
  pipelineArguments,
} from '../project/load-plan.ts';
import { refuseRunnerFolder } from '../project/reserved-folder.ts';
import { stageNames } from '../project/stages.ts';
import { bringFramesUpToDate } from '../run/run.ts';
import { rerunCommand } from '../view/event-text.ts';
import { showWork } from '../view/open-view.ts';
import { printJson, printWarning } from '../view/print.ts';

interface TrainValOptions extends PipelineOptions {
  readonly compat: CompatPresetName;
  readonly engine?: EngineChoice;
  readonly threads?: number;
}

type TrainingView = Pick<Awaited<ReturnType<typeof showWork>>, 'progress' | 'note' | 'warn'>;

const elsewhere = 'Choose another -log_dir_prefix.';

/** Inside the checkpoint folder: what keeps other trainings out, and what the next call continues from. */
const lockFolder = 'lock';
const resumeFolder = 'resume';

/**
 * `repro train-val`: trains like the original, with its arguments and folders: as the stage `train` does, on the frames of the stage
 * `frames`. What that gives is exported to the original's folders after each epoch. Progress on stderr; with --json, run.json on stdout.
 */
export async function trainVal(words: readonly string[], options: TrainValOptions): Promise<void> {
  refuseOverrides(options.set);
  const { name } = ORIGINAL_DATASETS[parseArguments(words).values.dataset_name];
  const facts = await readCheckedFacts(findProjectRoot(options.project ?? process.cwd()), name);
  const preparation = prepareTraining(words, options.compat, process.cwd(), facts);
  const { checkpointFolder, values, model, notes } = preparation;
  refuseRunnerFolder(checkpointFolder, elsewhere);
  const { plan, pipeline } = await loadDataPlan(preparation, options);
  for (const note of notes) printWarning(note);
  if (isSimulated(plan.settings)) {
    printWarning('The recordings are simulated: results on them say nothing about real ones.');
  }
  await makeFolder(checkpointFolder, elsewhere);
  const lock = await acquireLock(path.join(checkpointFolder, lockFolder));
  const signals = listenForSignals();
  const exitNow = (): void => process.exit(exitCodeOfSignal(signals.received()));
  try {
    await refuseForeign(preparation);
    if (!(await bringFramesUpToDate(plan, pipeline, signals))) return;
    const frames = openRecords(plan).findLast(stageNames.frames)?.outputs[0];
    if (frames === undefined) throw new Error(`stage "${stageNames.frames}" left no record`);
    const framesFolder = path.join(plan.projectRoot, frames.path);
    const { engine, notes: ofEngine } = await chooseDevice(values.device ?? 'cpu', options.engine, {
      threads: options.threads,
      workload: await workloadOf(framesFolder, model),
    });
    // Files on disk are complete at any time.
    signals.kill.addEventListener('abort', exitNow);
    const view = await showWork('train-val', model.title);
    try {
      for (const note of ofEngine) view.warn(note);
      view.note(describeEngine(engine.description));
      const training = { framesFolder, framesDigest: frames.digest, engine, view, stop: signals.stop };
      const run = await trainIntoFolders(preparation, training);
      view.finish();
      printAside(describeTrainingResult(run, preparation, process.cwd()));
      if (options.json === true) printJson(run);
    } catch (error) {
      view.close();
      if (!(error instanceof ReproError)) throw error;
      const framesCommand = rerunCommand(stageNames.frames, pipelineArguments(pipeline));
      printAside([describeError(adviseInArguments(error, framesCommand))]);
      process.exitCode =
        error.code === 'training-interrupted' ? exitCodeOfSignal(signals.received()) : exitCode.stageFailed;
    }
  } finally {
    await lock.dissolve();
    // What is refused leaves nothing behind.
    await removeEmptyFolder(checkpointFolder);
    signals.kill.removeEventListener('abort', exitNow);
    signals.dispose();
  }
}

function printAside(lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** Trains on the existing frames. If interrupted and called again, it resumes and ends with the same bytes. */
export async function trainIntoFolders(
  preparation: Preparation,
  {
    framesFolder,
    framesDigest,
    engine,
    view: { progress, note, warn },
    stop,
  }: {
    readonly framesFolder: string;
    readonly framesDigest: string;
    readonly engine: Engine;
    readonly view: TrainingView;
    readonly stop: AbortSignal;
  },
): Promise<OriginalRunFile> {
  const { logFolder, model, values } = preparation;
  const nowSeconds = (): number => Date.now() / 1000;
  const result = await trainModel({
    framesFolder,
    model,
    id: path.basename(logFolder),
    seed: values.seed,
    engine,
    checkpoints: openCheckpoints(preparation, framesDigest, warn),
    signal: stop,
    progress,
    note,
    onEpoch: async (result) => {
      const { best, maximum } = await exportTraining(preparation, result, nowSeconds());
      const { accuracy, epoch } = maximum.test;
      const row = result.outcome.rows.at(-1)!;
      note(
        `${describeEpoch(model.training, row)} · best test ${formatPercent(accuracy)} (epoch ${epoch + 1}) · kept: epoch ${best.epoch + 1}`,
      );
    },
  });
  // Also without a new epoch: a file may be missing.
  return exportTraining(preparation, result, nowSeconds());
}

/**
 * Rejects folders with files of another program, such as the original's own checkpoints.
 *
 * @throws {ReproError} `run-folder-foreign`
 */
async function refuseForeign({ checkpointFolder, logFolder }: Preparation): Promise<void> {
  const names = await readdir(checkpointFolder);
  // Ours is made before any other file.
  if (names.includes(resumeFolder)) return;
  const curves = existsSync(logFolder) ? await readdir(logFolder) : [];
  for (const [folder, name] of [
    [checkpointFolder, names.find((one) => one !== lockFolder)],
    [logFolder, curves.find((one) => one.includes('tfevents'))],
  ] as const) {
    if (name === undefined) continue;
    throw new ReproError('run-folder-foreign', `"${name}" in this folder comes from another program.`, {
      where: folder,
      fix: elsewhere,
    });
  }
}

/**
 * The checkpoints in a folder of the original. Unlike in the pipeline, nothing would make the content of these folders again: a training
 * whose checkpoints are not here, or not usable, is refused. Seed, batch size, learning rate and frames are not in the folder's name.
 */
function openCheckpoints(
  { checkpointFolder, values }: Preparation,
  framesDigest: string,
  warn: (text: string) => void,
): Pick<CheckpointStore, 'load' | 'save'> {
  const folder = path.join(checkpointFolder, resumeFolder);
  const store = new CheckpointStore(folder, warn);
  const withFrames = (key: string): string => `${key} ${framesDigest}`;
  return {
    load: async (key) => {
      const saved = await store.load(withFrames(key));
      if (saved === undefined && checkpointNames.some((name) => existsSync(path.join(folder, name)))) {
        throw new ReproError('run-folder-taken', 'No checkpoint in this folder is of this training.', {
          where: folder,
          fix: `${elsewhere} Or use the arguments, recordings and engine of the training that is here (run.json).`,
        });
      }
      if (saved === undefined) return undefined;
      const { epoch, batch } = saved;
      // Within an epoch, the state is not that after the one before.
      const begun = batch === 0 ? epoch : epoch + 1;
      if (begun <= values.max_epoch) return { ...saved, key };
      const problem = batch === 0 ? `${epoch} epochs are already trained` : `Epoch ${begun} is already begun`;
      throw new ReproError('run-folder-taken', `${problem} here.`, {
        where: checkpointFolder,
        fix: `Use -max_epoch ${begun} or more, or another -log_dir_prefix.`,
      });
    },
    save: async (checkpoint) => {
      // Not earlier: a training that fails before its first step must not claim the folder.
      await mkdir(folder, { recursive: true });
      await store.save({ ...checkpoint, key: withFrames(checkpoint.key) });
    },
  };
}

/**
 * The engine for a `-device`. `cuda` is a preference: without a GPU that works, the CPU is used, with a note.
 *
 * @param choice our own `--engine`, which overrides the device
 */
export async function chooseDevice(
  device: string,
  choice: EngineChoice | undefined,
  options: EngineOptions = {},
): Promise<{ readonly engine: Engine; readonly notes: readonly string[] }> {
  if (choice !== undefined) return { engine: await chooseEngine(choice, options), notes: [] };
  const engine = await chooseDeviceEngine(device, options);
  const isOther = device !== 'cpu' && engine.description.backend === 'cpu';
  const note = `-device ${device} is not available here; training on the CPU instead. \`./repro doctor\` tells why.`;
  return { engine, notes: isOther ? [note] : [] };
}

/** What `--set` may change: the recordings, and settings of frames that no argument of the original controls. */
const freeSettings = [
  ...['dataset', 'simulate', 'frames.downsample', 'frames.limit', 'frames.invalidEvents'],
  ...['frames.overlaps', 'frames.rowStride'],
];

/**
 * Rejects overrides of settings that arguments control, or that this command does not use.
 *
 * @throws {ReproError} `usage`
 */
function refuseOverrides(assignments: readonly string[]): void {
  for (const assignment of assignments) {
    const key = (assignment.split('=', 1)[0] ?? '').trim();
    if (freeSettings.some((one) => key === one || key.startsWith(`${one}.`))) continue;
    throw new ReproError(
      'usage',
      'an argument of the original controls this setting, or this command does not use it.',
      {
        where: `--set ${assignment}`,
        fix: `--set is for ${freeSettings.map((one) => (one.includes('.') ? one : `${one}.*`)).join(', ')}.`,
      },
    );
  }
}

/** An error's advice is for the pipeline: names the command that makes the frames of this training, and where its settings come from. */
function adviseInArguments(
  { code, message, where, fix, cause }: ReproError,
  framesCommand: string,
): ReproError {
  const own = fix?.replaceAll('./repro run frames', framesCommand);
  const settings = 'Here, arguments of the original control these settings: ./repro train-val --help.';
  return new ReproError(code, message, {
    where,
    fix: own !== undefined && /`(?:train|compat)\./.test(own) ? `${own}\n${settings}` : own,
    cause,
  });
}

/**
 * Loads the graph with the data of a profile and the frames that the arguments describe. Values that the profile already has are not
 * overridden, so that frames made by `repro run` are up to date here too.
 *
 * @throws {ReproError} `usage` if the profile is for another data set than the arguments
 */
async function loadDataPlan(
  { values, profile: { dataset, frames } }: Preparation,
  options: PipelineOptions,
): Promise<{ readonly plan: Plan; readonly pipeline: PipelineOptions }> {
  const pipeline = { ...options, profile: options.profile ?? dataset.profile };
  const plan = await loadSelectedPlan(pipeline);
  const { name } = sectionOf(plan, 'dataset');
  if (name !== dataset.name) {
    throw new ReproError(
      'usage',
      `profile "${plan.profile}" is for ${String(name)}, but -dataset_name is ${values.dataset_name}.`,
      { where: `--profile ${plan.profile}`, fix: 'Choose a profile for that data set.' },
    );
  }
  const said: JsonObject = { normalization: 'none', ...sectionOf(plan, 'frames') };
  const unsaid = Object.entries(frames ?? {}).filter(([key, value]) => said[key] !== value);
  if (unsaid.length === 0) return { plan, pipeline };
  const set = [...options.set, ...unsaid.map(([key, value]) => `frames.${key}=${value}`)];
  const adapted = { ...pipeline, set };
  return { plan: await loadSelectedPlan(adapted), pipeline: adapted };
}

function sectionOf(plan: Plan, key: string): JsonObject {
  const section = plan.settings[key];
  return section !== undefined && isJsonObject(section) ? section : {};
}
