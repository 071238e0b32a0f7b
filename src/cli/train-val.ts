import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { EngineChoice } from '../engines/choose-engine.ts';
import { describeEngine } from '../engines/engine.ts';
import { describeError, ReproError } from '../errors.ts';
import type { CompatPresetName } from '../original/compat-presets.ts';
import { chooseDevice } from '../original/device.ts';
import { describeFinished, describeOutcome } from '../original/outcome.ts';
import { checkLayersFit, type Preparation, prepareTraining } from '../original/preparation.ts';
import { findFinishedRun } from '../original/run-folder.ts';
import {
  type DataSettings,
  describeRecord,
  readRecord,
  refuseForeign,
  refuseOther,
  writeRecord,
} from '../original/run-record.ts';
import { trainOriginal } from '../original/train.ts';
import { acquireLock, type Lock } from '../runner/cache/lock.ts';
import { readRecord as readStageRecord } from '../runner/cache/records.ts';
import type { Plan } from '../runner/plan.ts';
import { runPlan } from '../runner/run.ts';
import { selectInstances } from '../runner/selection.ts';
import { exitCode, exitCodeOfSignal } from './exit-code.ts';
import { factsOf } from './facts.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments, printJson } from './load.ts';
import { listenForSignals, type SignalListener } from './signals.ts';
import { readDataSettings, refuseOverrides } from './train-val-settings.ts';
import { colorsFor } from './view/colors.ts';
import { openView } from './view/open-view.ts';
import { applyEvent, createRunState } from './view/run-state.ts';
import { summariseRun } from './view/summary.ts';
import { showTraining } from './view/training-view.ts';

export interface TrainValOptions extends PipelineOptions {
  readonly compat: CompatPresetName;
  readonly engine?: EngineChoice;
  readonly json?: boolean;
}

/** The stage whose output is trained on, and the folder in the checkpoint folder that keeps a second training out. */
const framesStage = 'frames';
const lockFolder = 'lock';

/** `repro train-val`: the original's training, from its arguments to its folders. Progress on stderr; run.json on stdout with --json. */
export async function trainVal(words: readonly string[], options: TrainValOptions): Promise<void> {
  refuseOverrides(options.set);
  const preparation = prepareTraining(words, options.compat, process.cwd());
  const { parsed, frames } = preparation;
  const pipeline: PipelineOptions = {
    ...options,
    profile: options.profile ?? preparation.profile,
    set: [...options.set, ...Object.entries(frames).map(([key, value]) => `frames.${key}=${value}`)],
  };
  const plan = await loadSelectedPlan(pipeline);
  const { data, downsample } = readDataSettings(plan, preparation);
  checkLayersFit(preparation, downsample);
  for (const note of preparation.notes) sayAside(note);
  if (data.dataset.simulated) {
    sayAside('The recordings are simulated: what is trained on them says nothing about real ones.');
  }

  const lock = await acquireLock(path.join(preparation.checkpointFolder, lockFolder));
  const signals = listenForSignals();
  try {
    const earlier = await readRecord(preparation.checkpointFolder);
    const known = { arguments: parsed.values, compat: preparation.model.compat, data };
    if (earlier === undefined) await refuseForeign(preparation, [lockFolder]);
    else refuseOther(preparation.checkpointFolder, earlier, known);
    const finished = earlier === undefined ? undefined : await findFinishedRun(preparation);
    if (finished !== undefined) {
      printLines(describeFinished(finished, preparation, process.cwd()));
      if (options.json === true) printJson(finished);
      return;
    }
    const isReady = await bringFramesUpToDate(plan, pipeline, signals);
    if (!isReady) return;
    await train(preparation, { plan, data, options, lock, signals });
  } finally {
    signals.dispose();
    await lock.release();
  }
}

/** As `repro run frames`; sets the exit code where that fails. */
async function bringFramesUpToDate(
  plan: Plan,
  pipeline: PipelineOptions,
  signals: SignalListener,
): Promise<boolean> {
  const { selected } = selectInstances(plan, { targets: [framesStage] });
  const state = createRunState();
  const view = await openView();
  try {
    await runPlan({
      plan,
      selected,
      jobs: os.availableParallelism(),
      facts: factsOf(plan.projectRoot),
      signal: signals.stop,
      killSignal: signals.kill,
      onEvent: (event) => {
        const nowMs = Date.now();
        applyEvent(state, event, nowMs);
        view.show(event, state, nowMs);
      },
    });
  } finally {
    view.close();
  }
  if (state.outcome === 'ok') return true;
  const summary = summariseRun(state, {
    colors: colorsFor(process.stderr),
    runArguments: pipelineArguments(pipeline),
    folder: process.cwd(),
    results: [],
  });
  printLines(summary);
  process.exitCode =
    state.outcome === 'interrupted' ? exitCodeOfSignal(signals.received()) : exitCode.stageFailed;
  return false;
}

/** Trains with the frames that are there, and shows it as a run of one stage; sets the exit code where that does not end well. */
async function train(
  preparation: Preparation,
  {
    plan,
    data,
    options,
    lock,
    signals,
  }: {
    readonly plan: Plan;
    readonly data: DataSettings;
    readonly options: TrainValOptions;
    readonly lock: Lock;
    readonly signals: SignalListener;
  },
): Promise<void> {
  const { checkpointFolder } = preparation;
  const { engine, notes } = await chooseDevice(preparation.device, options.engine);
  const frames = (await readStageRecord(plan, framesStage))?.outputs[0];
  if (frames === undefined) throw new Error(`stage "${framesStage}" left no record`);
  const record = describeRecord(preparation, data, frames.digest, engine.description);
  const earlier = await readRecord(checkpointFolder);
  if (earlier !== undefined) refuseOther(checkpointFolder, earlier, record);
  await writeRecord(checkpointFolder, record);

  const exitNow = (): void => process.exit(exitCodeOfSignal(signals.received()));
  signals.kill.addEventListener('abort', exitNow); // what is saved is whole
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
      assertHeld: () => assertHeld(lock, checkpointFolder),
      nowSeconds: () => Date.now() / 1000,
    });
    view.finish();
    view.close();
    printLines(describeOutcome(run, preparation, process.cwd()));
    if (options.json === true) printJson(run);
  } catch (error) {
    view.close();
    if (!(error instanceof ReproError)) throw error;
    printLines([describeError(error)]);
    process.exitCode =
      error.code === 'training-interrupted' ? exitCodeOfSignal(signals.received()) : exitCode.stageFailed;
  } finally {
    signals.kill.removeEventListener('abort', exitNow);
  }
}

function assertHeld(lock: Lock, folder: string): void {
  if (!lock.isLost()) return;
  throw new ReproError('lock-lost', 'Another training has taken this folder, or its lock was deleted.', {
    where: folder,
    fix: 'What was saved before is kept. Run the command again when no other is at work there.',
  });
}

function sayAside(text: string): void {
  printLines([`${colorsFor(process.stderr).yellow('!')} ${text}`]);
}

function printLines(lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`);
}
