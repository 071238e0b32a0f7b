import { existsSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { requireEnding } from '../../base/files/chosen-file.ts';
import { quoteWords } from '../../base/files/shell-words.ts';
import { getAt } from '../../base/schema/json.ts';
import { formatPercent } from '../../base/text.ts';
import {
  type CheckpointEvaluation,
  evaluateCheckpoint,
  type LoadedCheckpoint,
  networkToEvaluate,
} from '../../exchange/checkpoints/evaluate-checkpoint.ts';
import {
  convertFile,
  describeImport,
  type ExportedContent,
  type ExportFormat,
  exportCheckpoint,
  type Line,
} from '../../exchange/checkpoints/import-export.ts';
import type { ImportAnswers } from '../../exchange/checkpoints/infer-network.ts';
import { loadCheckpoint, type Which } from '../../exchange/checkpoints/loaded-checkpoint.ts';
import { nirEngine } from '../../exchange/checkpoints/nir.ts';
import type { EngineChoice } from '../../network/engines/engine.ts';
import { describeEngine } from '../../network/engines/engine.ts';
import { chooseEngine } from '../../network/engines/selection/engines.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { matchInstances, selectInstances } from '../../runner/plan/selection.ts';
import { readStatus } from '../../runner/run/status.ts';
import { EVALUATION_BATCH } from '../../training/evaluation.ts';
import type { ScoringCompat } from '../../training/scores.ts';
import { factsOf } from '../project/facts.ts';
import {
  loadSelectedPlan,
  type PipelineOptions,
  pipelineArguments,
  type Warn,
} from '../project/load-plan.ts';
import { refuseRunnerFolder } from '../project/reserved-folder.ts';
import { stageNames } from '../project/stages.ts';

export type { ExportFormat, Which };

type SourceOptions = PipelineOptions & { readonly which?: Which };

/** What was done, as lines for people and as the document of `--json`. */
interface Described {
  readonly lines: readonly Line[];
  readonly document: object;
}

/** Converts a PyTorch checkpoint to a file that describes itself. */
export async function convertCheckpoint(
  file: string,
  options: { readonly answers: ImportAnswers; readonly out?: string | undefined; readonly force: boolean },
): Promise<Described> {
  const { out } = options;
  if (out !== undefined) requireEnding(out, 'safetensors', 'Change the name: --out NAME.safetensors');
  refuseRunnerFolder(out ?? path.dirname(file), 'Choose another place with --out.');
  const { out: written, checkpoint } = await convertFile(file, options);
  const { network, trainedSteps, format, className, claims, assumptions, warnings } = checkpoint;
  return {
    lines: [...describeImport(checkpoint), ['written', written]],
    document: {
      file: written,
      ...{ network, trainedSteps, format, class: className, claims, assumed: assumptions, warnings },
    },
  };
}

/** Writes a state for other programs. */
export async function exportSource(
  source: string,
  options: SourceOptions & { readonly to: ExportFormat; readonly out?: string; readonly force?: boolean },
  warn: Warn,
): Promise<{
  readonly source: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly content: ExportedContent;
}> {
  const { to, out, force = false } = options;
  if (out !== undefined) requireEnding(out, to, 'Change the name, or choose another format with --to.');
  refuseRunnerFolder(out ?? '.', 'Choose another place with --out.');
  const checkpoint = await loadSource(source, options, warn);
  if (checkpoint.graph !== undefined) {
    const fix = 'Name what it was made from: a training, or a .pt or .safetensors file.';
    throw new ReproError('usage', 'a .nir file can be evaluated, but not exported.', { where: source, fix });
  }
  return { source: checkpoint.source, ...(await exportCheckpoint(checkpoint, { to, out, force })) };
}

/**
 * Loads a checkpoint that is to be evaluated: on an engine, or a NIR graph in steps of `dt` in its unit of time. Fails if its network is
 * not known, or cannot be run so: making frames first can take long.
 *
 * @returns it, and what evaluates it
 */
export async function loadNetwork(
  source: string,
  options: SourceOptions & {
    readonly engine?: EngineChoice | undefined;
    readonly threads?: number | undefined;
    readonly dt?: number | undefined;
  },
  warn: Warn,
) {
  const checkpoint = await loadSource(source, options, warn);
  const { graph } = checkpoint;
  const ignored = (['dt', 'engine', 'threads'] as const).find(
    (name) => options[name] !== undefined && (name === 'dt') === (graph === undefined),
  );
  if (ignored !== undefined) {
    const problem = `${graph === undefined ? 'only applies' : 'does not apply'} to .nir files`;
    throw new ReproError('usage', `--${ignored} ${problem}`, { where: source, fix: 'Leave it out.' });
  }
  const nir = graph === undefined ? undefined : nirEngine(graph, { dt: options.dt, where: source });
  if (nir === undefined) networkToEvaluate(checkpoint);
  const openEngine = async () => nir ?? chooseEngine(options.engine, { threads: options.threads });
  return { checkpoint, openEngine };
}

/**
 * Accuracy and loss of a state on the test clips of a profile.
 *
 * @throws {ReproError} `evaluation-interrupted`
 */
export async function evaluateOnFrames(
  plan: Plan,
  { checkpoint, openEngine }: Awaited<ReturnType<typeof loadNetwork>>,
  options: {
    readonly otherFrames: boolean;
    readonly signal: AbortSignal;
    readonly progress: (done: number, total: number) => void;
  },
): Promise<Described & { readonly warnings: readonly string[] }> {
  const output = plan.instances.get(stageNames.frames)?.outputs[0];
  if (output === undefined)
    throw new Error(`the pipeline has no stage "${stageNames.frames}" with an output`);
  const batchSize = getAt(plan.settings, ['evaluate', 'batchSize']);
  const engine = await openEngine();
  const evaluation = await evaluateCheckpoint(checkpoint, {
    engine,
    framesFolder: path.resolve(plan.projectRoot, output),
    otherFrames: options.otherFrames,
    // The profile's schema has checked it.
    compat: (getAt(plan.settings, ['train', 'compat']) ?? {}) as Partial<ScoringCompat>,
    // A graph's loops return only between batches.
    batchSize:
      checkpoint.graph !== undefined ? 1 : typeof batchSize === 'number' ? batchSize : EVALUATION_BATCH,
    signal: options.signal,
    progress: options.progress,
  });
  const { assumptions, network, source, trainedOn } = checkpoint;
  const assumed = assumptions.map(({ what }) => what);
  const { name, backend, version } = engine.description;
  return {
    warnings: [...evaluation.warnings, ...assumed.map((text) => `Not in the checkpoint: ${text}.`)],
    lines: [
      ['state', source],
      ...describeEvaluation(evaluation),
      ['engine', describeEngine(engine.description)],
    ],
    document: {
      profile: plan.profile,
      ...{ source, trainedOn, network, assumed },
      ...{ ...evaluation, engine: { name, backend, version } },
    },
  };
}

/** Accuracy and loss, and the clips they were measured on. */
export function describeEvaluation(evaluation: CheckpointEvaluation): Line[] {
  const { clips, correct, accuracy, interval, loss, dataset, simulated, steps } = evaluation;
  const bounds = `${(100 * interval.low).toFixed(1)} to ${formatPercent(interval.high)}`;
  return [
    ['clips', `${clips} test clips of ${dataset}, ${steps === 1 ? '1 frame' : `${steps} frames`} each`],
    ...(simulated
      ? [['simulated', 'these recordings are simulated: the figures say nothing about real ones'] as const]
      : []),
    ['accuracy', `${correct} of ${clips}, ${formatPercent(accuracy)}; 95 % Wilson interval ${bounds}`],
    ['loss', loss.toPrecision(4)],
  ];
}

/** Loads the checkpoint that a command names: by path, or by stage instance, such as `train@baseline,2020`. */
async function loadSource(source: string, options: SourceOptions, warn: Warn): Promise<LoadedCheckpoint> {
  // A path may contain an @, too, but an instance has neither a slash nor a file extension.
  const isPath = /\/|\.(?:pth?|safetensors|npz|nir)$/i.test(source) || existsSync(source);
  const isInstance = source.includes('@') && !isPath;
  const checkpoint = await loadCheckpoint(
    isInstance ? await findOutput(source, options, warn) : source,
    options.which,
  );
  for (const text of checkpoint.warnings) warn(text);
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

async function findOutput(target: string, options: PipelineOptions, warn: Warn): Promise<string> {
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
  // The output may come from other settings, or from another profile.
  const { selected } = selectInstances(plan, { targets: [instance.id] });
  const statuses = await readStatus(plan, { facts: factsOf(plan.projectRoot), selected });
  const status = statuses.find((one) => one.id === id);
  if (status !== undefined && status.state !== 'fresh') {
    const reasons = status.reasons.map(({ text }) => text).join('; ');
    warn(`${instance.id} is not up to date (${reasons || status.state}): using the output of its last run.`);
  }
  return folder;
}
