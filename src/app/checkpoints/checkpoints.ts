import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { requireEnding } from '../../base/files/chosen-file.ts';
import { quoteWords } from '../../base/files/shell-words.ts';
import { getAt } from '../../base/schema/json.ts';
import { formatBytes, formatPercent } from '../../base/text.ts';
import {
  type CheckpointEvaluation,
  evaluateCheckpoint,
  type LoadedCheckpoint,
  networkToEvaluate,
} from '../../exchange/checkpoints/evaluate-checkpoint.ts';
import {
  convertFile,
  describeImport,
  type ExportFormat,
  exportCheckpoint,
  type Line,
} from '../../exchange/checkpoints/import-export.ts';
import type { ImportAnswers } from '../../exchange/checkpoints/infer-network.ts';
import { loadCheckpoint, type Which } from '../../exchange/checkpoints/loaded-checkpoint.ts';
import { describeEngine } from '../../network/engines/engine.ts';
import { chooseEngine } from '../../network/engines/selection/engines.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { matchInstances, selectInstances } from '../../runner/plan/selection.ts';
import { readStatus } from '../../runner/run/status.ts';
import { EVALUATION_BATCH } from '../../training/evaluation.ts';
import type { ScoringCompat } from '../../training/scores.ts';
import { exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { factsOf } from '../project/facts.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments } from '../project/load-plan.ts';
import type { EngineChoice } from '../project/option-choices.ts';
import { refuseRunnerFolder } from '../project/reserved-folder.ts';
import { stageNames } from '../project/stages.ts';
import { bringFramesUpToDate } from '../run/run.ts';
import { alignTopics, printResult, printWarning } from '../view/print.ts';
import { StatusLine } from '../view/status-line.ts';

interface SourceOptions extends PipelineOptions {
  readonly which?: Which;
}

interface EvaluateOptions extends SourceOptions {
  readonly otherFrames?: boolean;
  readonly engine?: EngineChoice;
  readonly threads?: number;
}

/** `repro evaluate SOURCE`: accuracy and loss of a state on the test clips of a profile, on stdout; progress on stderr. */
export async function evaluate(source: string, options: EvaluateOptions): Promise<void> {
  const checkpoint = await loadSource(source, options);
  // Making frames first can take long.
  networkToEvaluate(checkpoint);
  const plan = await loadSelectedPlan(options);
  const signals = listenForSignals();
  const exitNow = (): void => process.exit(exitCodeOfSignal(signals.received()));
  try {
    if (!(await bringFramesUpToDate(plan, options, signals))) return;
    signals.kill.addEventListener('abort', exitNow);
    const output = plan.instances.get(stageNames.frames)?.outputs[0];
    if (output === undefined)
      throw new Error(`the pipeline has no stage "${stageNames.frames}" with an output`);
    const batchSize = getAt(plan.settings, ['evaluate', 'batchSize']);
    const engine = await chooseEngine(options.engine, { threads: options.threads });
    const line = new StatusLine();
    const evaluation = await evaluateCheckpoint(checkpoint, {
      engine,
      framesFolder: path.resolve(plan.projectRoot, output),
      otherFrames: options.otherFrames === true,
      // The profile's schema has checked it.
      compat: (getAt(plan.settings, ['train', 'compat']) ?? {}) as Partial<ScoringCompat>,
      batchSize: typeof batchSize === 'number' ? batchSize : EVALUATION_BATCH,
      signal: signals.stop,
      progress: (done, total) => line.show(`${done} of ${total} clips`),
    }).finally(() => line.clear());
    const assumed = checkpoint.assumptions.map(({ what }) => what);
    for (const text of evaluation.warnings) printWarning(text);
    for (const text of assumed) printWarning(`Not in the checkpoint: ${text}.`);
    const { network, source: state, trainedOn } = checkpoint;
    const { name, backend, version } = engine.description;
    const document = {
      ...{ profile: plan.profile, source: state, trainedOn, network, assumed },
      ...{ ...evaluation, engine: { name, backend, version } },
    };
    printResult(options, 'evaluate', document, () =>
      alignTopics([
        ['state', state],
        ...describeEvaluation(evaluation),
        ['engine', describeEngine(engine.description)],
      ]),
    );
  } catch (error) {
    if (!(error instanceof ReproError) || error.code !== 'evaluation-interrupted') throw error;
    process.stderr.write('Interrupted.\n');
    process.exitCode = exitCodeOfSignal(signals.received());
  } finally {
    signals.kill.removeEventListener('abort', exitNow);
    signals.dispose();
  }
}

/** Accuracy and loss, and the clips they were measured on. */
export function describeEvaluation(evaluation: CheckpointEvaluation): Line[] {
  const { clips, correct, accuracy, interval, loss, dataset, simulated, steps, frameOrder } = evaluation;
  const bounds = `${(100 * interval.low).toFixed(1)} to ${formatPercent(interval.high)}`;
  return [
    ['clips', `${clips} test clips of ${dataset}, ${steps === 1 ? '1 frame' : `${steps} frames`} each`],
    ...(frameOrder === undefined ? [] : [['frames', `${frameOrder}, as in its training`] as const]),
    ...(simulated
      ? [['simulated', 'these recordings are simulated: the figures say nothing about real ones'] as const]
      : []),
    ['accuracy', `${correct} of ${clips}, ${formatPercent(accuracy)}; 95 % Wilson interval ${bounds}`],
    ['loss', loss.toPrecision(4)],
  ];
}

interface ExportOptions extends SourceOptions {
  readonly to: ExportFormat;
  readonly out?: string;
  readonly force?: boolean;
}

/** `repro export state SOURCE`: writes a state for other programs. */
export async function exportState(named: string, options: ExportOptions): Promise<void> {
  const { to, out, force = false } = options;
  if (out !== undefined) requireEnding(out, to, 'Change the name, or choose another format with --to.');
  refuseRunnerFolder(out ?? '.', 'Choose another place with --out.');
  const checkpoint = await loadSource(named, options);
  const { source } = checkpoint;
  const { file, sizeBytes, content } = await exportCheckpoint(checkpoint, { to, out, force });
  const what = Object.entries(content).map(([noun, count]) => `${count} ${noun}`);
  printResult(options, 'export state', { source, format: to, file, sizeBytes, ...content }, () => [
    `${file}: ${what}, ${formatBytes(sizeBytes)}; ${source}`,
  ]);
}

interface ImportOptions extends Omit<ImportAnswers, 'size'> {
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly input?: readonly [number, number];
}

/** `repro import FILE`: converts a PyTorch checkpoint to a file that can be evaluated. */
export async function importFile(file: string, options: ImportOptions): Promise<void> {
  const { out, force = false, pooling, tau, reset, input: size, steps } = options;
  if (out !== undefined) requireEnding(out, 'safetensors', 'Change the name: --out NAME.safetensors');
  refuseRunnerFolder(out ?? path.dirname(file), 'Choose another place with --out.');
  const answers = { pooling, tau, reset, size, steps };
  const { out: written, checkpoint } = await convertFile(file, { answers, out, force });
  const { network, trainedSteps, format, className, claims, assumptions, warnings } = checkpoint;
  const document = {
    file: written,
    ...{ network, trainedSteps, format, class: className, claims, assumed: assumptions, warnings },
  };
  printResult(options, 'import', document, () =>
    alignTopics([...describeImport(checkpoint), ['written', written]]),
  );
}

/** Loads the checkpoint that a command names: by path, or by stage instance, such as `train@baseline,2020`. */
async function loadSource(source: string, options: SourceOptions): Promise<LoadedCheckpoint> {
  // A path may contain an @, too, but an instance has neither a slash nor a file extension.
  const isPath = /\/|\.(?:pth?|safetensors|npz|nir)$/i.test(source) || existsSync(source);
  const isInstance = source.includes('@') && !isPath;
  const checkpoint = await loadCheckpoint(
    isInstance ? await findOutput(source, options) : source,
    options.which,
  );
  for (const text of checkpoint.warnings) printWarning(text);
  return checkpoint;
}

/** @throws {ReproError} with the advice that the training may belong to another profile or to other settings */
function findInstances(plan: Plan, target: string): string[] {
  try {
    return matchInstances(plan, target);
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    const { code, message, where, fix } = error;
    const advice =
      `This looks in profile "${plan.profile}". If the training was run with other settings, repeat them here ` +
      "(--profile, --set 'models=[…]'), or name its folder.";
    throw new ReproError(code, message, { where, fix: fix === undefined ? advice : `${fix}\n${advice}` });
  }
}

async function findOutput(target: string, options: PipelineOptions): Promise<string> {
  const plan = await loadSelectedPlan(options);
  const [id, ...more] = findInstances(plan, target);
  const instance = id === undefined ? undefined : plan.instances.get(id);
  if (instance === undefined || more.length > 0) {
    throw new ReproError('usage', `"${target}" matches several instances: ${[id, ...more].join(', ')}`, {
      fix: 'Name one of them.',
    });
  }
  const folder = path.resolve(plan.projectRoot, instance.outputs[0] ?? '');
  if (instance.outputs.length === 0 || !existsSync(folder)) {
    throw new ReproError('checkpoint-missing', `"${instance.id}" has no output yet.`, {
      fix: `Run it: ${quoteWords(['./repro', 'run', instance.id, ...pipelineArguments(options)])}`,
    });
  }
  const { selected } = selectInstances(plan, { targets: [instance.id] });
  const statuses = await readStatus(plan, { facts: factsOf(plan), selected });
  const status = statuses.find((one) => one.id === id);
  if (status === undefined || status.state === 'fresh') return folder;
  const reasons = status.reasons.map(({ text }) => text).join('; ');
  // What is there was altered, or is another run's.
  if (status.state === 'restorable') {
    throw new ReproError(
      'checkpoint-altered',
      `"${instance.id}" is not what its last run made: ${reasons}.`,
      {
        fix:
          `Restore it: ${quoteWords(['./repro', 'run', instance.id, ...pipelineArguments(options)])}\n` +
          'To use what is there, name its folder, or repeat the --set of its run.',
      },
    );
  }
  printWarning(
    `${instance.id} is not up to date (${reasons || status.state}): using what is in ${instance.outputs[0]}.`,
  );
  return folder;
}
