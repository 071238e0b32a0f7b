import path from 'node:path';
import process from 'node:process';
import { describeEngine, type EngineChoice } from '../../engines/engine.ts';
import { describeError, ReproError } from '../../errors.ts';
import { checkLayersFit, type Preparation, prepareTraining } from '../../original/preparation.ts';
import {
  describeFinished,
  describeOutcome,
  findFinishedRun,
  summariseRun,
} from '../../original/run-folder.ts';
import {
  type DataSettings,
  describeRecord,
  readRecord,
  refuseForeign,
  refuseOther,
} from '../../original/run-record.ts';
import { chooseDevice, trainOriginal } from '../../original/train.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { readRecord as readStageRecord } from '../../runner/store/records.ts';
import type { CompatPresetName } from '../../thesis/compat.ts';
import { refuseRunnerFolder } from '../checkpoints/runner-folder.ts';
import { exitCode, exitCodeOfSignal } from '../exit-code.ts';
import { printWarning } from '../lines.ts';
import { type PipelineOptions, pipelineArguments, printJson } from '../load.ts';
import { listenForSignals, type SignalListener } from '../signals.ts';
import { rerunCommand } from '../view/summary.ts';
import { showTraining } from '../view/training-view.ts';
import { ClaimedFolder, lockFolder } from './claimed-folder.ts';
import { bringFramesUpToDate, framesStage } from './frames.ts';
import { loadDataPlan, readDataSettings, refuseOverrides, sayInArguments } from './train-val-settings.ts';

export interface TrainValOptions extends PipelineOptions {
  readonly compat: CompatPresetName;
  readonly engine?: EngineChoice;
  readonly threads?: number;
  readonly json?: boolean;
}

const elsewhere = 'Choose another -log_dir_prefix.';

/** `repro train-val`: trains like the original, with its arguments and folders. Progress on stderr; with --json, run.json on stdout. */
export async function trainVal(words: readonly string[], options: TrainValOptions): Promise<void> {
  refuseOverrides(options.set);
  const preparation = prepareTraining(words, options.compat, process.cwd());
  refuseRunnerFolder(preparation.checkpointFolder, elsewhere);
  const { plan, pipeline } = await loadDataPlan(preparation, options);
  const { data, downsample } = readDataSettings(plan, preparation);
  checkLayersFit(preparation, downsample);
  for (const note of preparation.notes) printWarning(note);
  if (data.dataset.simulated) {
    printWarning('The recordings are simulated: results on them say nothing about real ones.');
  }

  const folder = await ClaimedFolder.claim(preparation.checkpointFolder, elsewhere);
  const signals = listenForSignals();
  try {
    const earlier = await readRecord(preparation.checkpointFolder);
    const known = { arguments: preparation.parsed.values, compat: preparation.model.compat, data };
    if (earlier === undefined) await refuseForeign(preparation, [lockFolder]);
    else refuseOther(preparation.checkpointFolder, earlier, known);
    const finished = earlier === undefined ? undefined : await findFinishedRun(preparation);
    if (finished !== undefined) {
      printAside(describeFinished(finished.summary, preparation, process.cwd()));
      if (options.json === true) process.stdout.write(finished.document);
      return;
    }
    const isReady = await bringFramesUpToDate(plan, pipeline, signals);
    if (!isReady) return;
    await train(preparation, { plan, pipeline, data, options, folder, signals });
  } finally {
    signals.dispose();
    await folder.leave();
  }
}

/** Trains on the existing frames, shown like a run of one stage; sets the exit code if that fails. */
async function train(
  preparation: Preparation,
  {
    plan,
    pipeline,
    data,
    options,
    folder,
    signals,
  }: {
    readonly plan: Plan;
    /** The options that the plan was loaded with. */
    readonly pipeline: PipelineOptions;
    readonly data: DataSettings;
    readonly options: TrainValOptions;
    readonly folder: ClaimedFolder;
    readonly signals: SignalListener;
  },
): Promise<void> {
  const { checkpointFolder } = preparation;
  const { engine, notes } = await chooseDevice(preparation.device, options.engine, {
    threads: options.threads,
  });
  const frames = (await readStageRecord(plan, framesStage))?.outputs[0];
  if (frames === undefined) throw new Error(`stage "${framesStage}" left no record`);
  const record = describeRecord(preparation, data, frames.digest, engine.description);
  const earlier = await readRecord(checkpointFolder);
  if (earlier !== undefined) refuseOther(checkpointFolder, earlier, record);

  const exitNow = (): void => process.exit(exitCodeOfSignal(signals.received()));
  signals.kill.addEventListener('abort', exitNow); // files on disk are complete at any time
  const view = await showTraining('train-val', preparation.model.title);
  try {
    for (const note of notes) view.warn(note);
    view.note(describeEngine(engine.description));
    const run = await trainOriginal({
      preparation,
      record,
      engine,
      framesFolder: path.join(plan.projectRoot, frames.path),
      signal: signals.stop,
      progress: view.progress,
      note: view.note,
      warn: view.warn,
      assertHeld: () => folder.assertHeld(),
      nowSeconds: () => Date.now() / 1000,
    });
    view.finish();
    view.close();
    printAside(describeOutcome(summariseRun(run), preparation, process.cwd()));
    if (options.json === true) printJson(run);
  } catch (error) {
    view.close();
    if (!(error instanceof ReproError)) throw error;
    const framesCommand = rerunCommand(framesStage, pipelineArguments(pipeline));
    printAside([describeError(sayInArguments(error, framesCommand))]);
    process.exitCode =
      error.code === 'training-interrupted' ? exitCodeOfSignal(signals.received()) : exitCode.stageFailed;
  } finally {
    signals.kill.removeEventListener('abort', exitNow);
  }
}

function printAside(lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`);
}
