import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describeError, ReproError } from '../../base/errors.ts';
import { makeFolder, removeEmptyFolder } from '../../base/files/folders.ts';
import { acquireLock } from '../../base/files/lock.ts';
import { isJsonObject, type JsonObject } from '../../base/schema/json.ts';
import { formatPercent } from '../../base/text.ts';
import { ORIGINAL_DATASETS } from '../../exchange/original/argument-table.ts';
import { type OriginalArguments, parseArguments } from '../../exchange/original/arguments.ts';
import {
  describeTrainingResult,
  exportTraining,
  type OriginalRunFile,
} from '../../exchange/original/export.ts';
import { type Preparation, prepareTraining } from '../../exchange/original/preparation.ts';
import {
  type DataSettings,
  describeRecord,
  type OriginalRecord,
  refuseForeign,
  refuseOther,
  writeRecord,
} from '../../exchange/original/run-record.ts';
import { describeEngine, type Engine, type EngineChoice } from '../../network/engines/engine.ts';
import {
  chooseDeviceEngine,
  chooseEngine,
  type EngineOptions,
} from '../../network/engines/selection/engines.ts';
import { mostBlocks } from '../../network/networks.ts';
import type { DatasetFacts } from '../../results/dataset-facts.ts';
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

/** The folder inside the checkpoint folder that keeps other trainings out. */
const lockFolder = 'lock';

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
  const { plan, pipeline, data } = await loadDataPlan(preparation, options);
  for (const note of notes) printWarning(note);
  if (data.dataset.simulated) {
    printWarning('The recordings are simulated: results on them say nothing about real ones.');
  }
  await makeFolder(checkpointFolder, elsewhere);
  const lock = await acquireLock(path.join(checkpointFolder, lockFolder));
  const signals = listenForSignals();
  const exitNow = (): void => process.exit(exitCodeOfSignal(signals.received()));
  try {
    const known = { arguments: values, compat: model.compat, data };
    if (!(await refuseOther(checkpointFolder, known))) await refuseForeign(preparation, lockFolder);
    if (!(await bringFramesUpToDate(plan, pipeline, signals))) return;
    const frames = openRecords(plan).findLast(stageNames.frames)?.outputs[0];
    if (frames === undefined) throw new Error(`stage "${stageNames.frames}" left no record`);
    const framesFolder = path.join(plan.projectRoot, frames.path);
    const { engine, notes: ofEngine } = await chooseDevice(values.device ?? 'cpu', options.engine, {
      threads: options.threads,
      workload: await workloadOf(framesFolder, model),
    });
    const record = describeRecord(preparation, data, frames.digest, engine.description);
    await refuseOther(checkpointFolder, record);
    // Files on disk are complete at any time.
    signals.kill.addEventListener('abort', exitNow);
    const view = await showWork('train-val', model.title);
    try {
      for (const note of ofEngine) view.warn(note);
      view.note(describeEngine(engine.description));
      const training = { framesFolder, engine, record, view, stop: signals.stop };
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
    engine,
    record,
    view: { progress, note, warn },
    stop,
  }: {
    readonly framesFolder: string;
    readonly engine: Engine;
    readonly record: OriginalRecord;
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
    checkpoints: openCheckpoints(preparation, record, warn),
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

/** The checkpoints in a folder of the original. Unlike in the pipeline, nothing would make the content of these folders again. */
function openCheckpoints(
  { checkpointFolder, values }: Preparation,
  record: OriginalRecord,
  warn: (text: string) => void,
): Pick<CheckpointStore, 'load' | 'save'> {
  const folder = path.join(checkpointFolder, 'resume');
  const store = new CheckpointStore(folder, warn);
  return {
    load: async (key) => {
      const saved = await store.load(key);
      if (saved === undefined && checkpointNames.some((name) => existsSync(path.join(folder, name)))) {
        throw new ReproError('run-folder-broken', 'No checkpoint in this folder can be used.', {
          where: folder,
          fix: 'Restore it from a backup; or, to start over, remove it together with the other files of the run.',
        });
      }
      if (saved === undefined) return undefined;
      const { epoch, batch } = saved;
      // Within an epoch, the state is not that after the one before.
      const begun = batch === 0 ? epoch : epoch + 1;
      if (begun <= values.max_epoch) return saved;
      const problem = batch === 0 ? `${epoch} epochs are already trained` : `Epoch ${begun} is already begun`;
      throw new ReproError('run-folder-taken', `${problem} here.`, {
        where: checkpointFolder,
        fix: `Use -max_epoch ${begun} or more, or another -log_dir_prefix.`,
      });
    },
    save: async (checkpoint) => {
      // Not earlier: a training that fails before its first step must not claim the folder.
      await writeRecord(checkpointFolder, record);
      await mkdir(folder, { recursive: true });
      await store.save(checkpoint);
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

/** Defaults of a profile: whether or not it sets these explicitly, it is the same training. */
const frameDefaults: JsonObject = { downsample: 1, invalidEvents: 'keep', normalization: 'none' };

/**
 * Loads the graph with the data of a profile and the frames that the arguments describe. Values that the profile already has are not
 * overridden, so that frames made by `repro run` are up to date here too.
 *
 * @throws {ReproError} `usage` if the profile is for another data set than the arguments; `arguments-invalid` if its frames are too
 *   small for the layers
 */
async function loadDataPlan(
  { values, facts, profile: { dataset, frames } }: Preparation,
  options: PipelineOptions,
): Promise<{ readonly plan: Plan; readonly pipeline: PipelineOptions; readonly data: DataSettings }> {
  let pipeline: PipelineOptions = { ...options, profile: options.profile ?? dataset.profile };
  let plan = await loadSelectedPlan(pipeline);
  const { name, simulated: made } = sectionOf(plan, 'dataset');
  if (name !== dataset.name) {
    throw new ReproError(
      'usage',
      `profile "${plan.profile}" is for ${String(name)}, but -dataset_name is ${values.dataset_name}.`,
      { where: `--profile ${plan.profile}`, fix: 'Choose a profile for that data set.' },
    );
  }
  const said = { ...frameDefaults, ...sectionOf(plan, 'frames') };
  const unsaid = Object.entries(frames ?? {}).filter(([key, value]) => said[key] !== value);
  if (unsaid.length > 0) {
    pipeline = {
      ...pipeline,
      set: [...options.set, ...unsaid.map(([key, value]) => `frames.${key}=${value}`)],
    };
    plan = await loadSelectedPlan(pipeline);
  }
  const data = {
    dataset: { name, simulated: isSimulated(plan.settings) },
    ...(made === true ? { simulate: sectionOf(plan, 'simulate') } : {}),
    frames: { ...said, ...frames },
  };
  checkLayersFit(values, facts, Number(said.downsample));
  return { plan, pipeline, data };
}

/** @param downsample how many pixels of the sensor are merged into one, in each direction */
function checkLayersFit(
  { number_layer }: OriginalArguments,
  dataset: DatasetFacts,
  downsample: number,
): void {
  if (dataset.kind !== 'events' || number_layer === null) return;
  const height = Math.floor(dataset.sensor.height / downsample);
  const width = Math.floor(dataset.sensor.width / downsample);
  const most = mostBlocks(height, width);
  if (number_layer <= most) return;
  throw new ReproError(
    'arguments-invalid',
    `-number_layer ${number_layer}: each layer halves the frame, and with frames.downsample ${downsample} its ${height} x ${width} pixels allow at most ${most}.`,
    { fix: 'Use fewer layers, or a smaller --set frames.downsample.' },
  );
}

function sectionOf(plan: Plan, key: string): JsonObject {
  const section = plan.settings[key];
  return section !== undefined && isJsonObject(section) ? section : {};
}
