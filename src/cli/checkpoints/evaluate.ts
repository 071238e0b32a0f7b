import path from 'node:path';
import process from 'node:process';
import { describeEvaluation } from '../../checkpoints/describe.ts';
import { type EvaluatedSplit, evaluateCheckpoint, networkOf } from '../../checkpoints/evaluate-checkpoint.ts';
import type { LoadedCheckpoint, Which } from '../../checkpoints/loaded-checkpoint.ts';
import { describeEngine, type EngineChoice } from '../../engines/engine.ts';
import { chooseEngine } from '../../engines/selection/choose-engine.ts';
import { ReproError } from '../../errors.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { getAt } from '../../schema/json.ts';
import { readScoring } from '../../training/scores.ts';
import { exitCodeOfSignal } from '../exit-code.ts';
import { printLines, printWarning } from '../lines.ts';
import { loadSelectedPlan, type PipelineOptions, printJson } from '../load.ts';
import { bringFramesUpToDate, framesStage } from '../original/frames.ts';
import { listenForSignals, type SignalListener } from '../signals.ts';
import { loadSource } from './source.ts';

interface EvaluateOptions extends PipelineOptions {
  readonly which?: Which;
  readonly split: EvaluatedSplit;
  readonly otherFrames?: boolean;
  readonly engine?: EngineChoice;
  readonly threads?: number;
  readonly json?: boolean;
}

/** `repro evaluate SOURCE`: accuracy and loss of a state on the clips of a profile, on stdout; progress on stderr. */
export async function evaluate(source: string, options: EvaluateOptions): Promise<void> {
  const checkpoint = await loadSource(source, options);
  // Fails early: making frames can take long.
  networkOf(checkpoint);
  const plan = await loadSelectedPlan(options);
  const signals = listenForSignals();
  try {
    if (!(await bringFramesUpToDate(plan, options, signals))) return;
    await evaluateOn(plan, checkpoint, options, signals);
  } finally {
    signals.dispose();
  }
}

async function evaluateOn(
  plan: Plan,
  checkpoint: LoadedCheckpoint,
  options: EvaluateOptions,
  signals: SignalListener,
): Promise<void> {
  const output = plan.instances.get(framesStage)?.outputs[0];
  if (output === undefined) throw new Error(`the pipeline has no stage "${framesStage}" with an output`);
  const batchSize = getAt(plan.settings, ['evaluate', 'batchSize']);
  const engine = await chooseEngine(options.engine, { threads: options.threads });
  const exitNow = (): void => process.exit(exitCodeOfSignal(signals.received()));
  signals.kill.addEventListener('abort', exitNow);
  try {
    const evaluation = await evaluateCheckpoint(checkpoint, {
      engine,
      framesFolder: path.resolve(plan.projectRoot, output),
      split: options.split,
      otherFrames: options.otherFrames === true,
      compat: readScoring(getAt(plan.settings, ['train', 'compat'])),
      batchSize: typeof batchSize === 'number' ? batchSize : 16,
      signal: signals.stop,
      progress: showProgress,
    });
    const { assumptions, network, trainedOn } = checkpoint;
    const assumed = assumptions.filter(({ matters }) => matters === 'evaluation').map(({ what }) => what);
    for (const text of evaluation.warnings) printWarning(text);
    for (const text of assumed) printWarning(`Not in the checkpoint: ${text}.`);
    if (options.json === true) {
      const { name, backend, version } = engine.description;
      const described = { source: checkpoint.source, trainedOn, network, assumed };
      const figures = { ...evaluation, engine: { name, backend, version } };
      printJson({ version: 1, command: 'evaluate', profile: plan.profile, ...described, ...figures });
      return;
    }
    printLines([
      ['state', checkpoint.source],
      ...describeEvaluation(evaluation),
      ['engine', describeEngine(engine.description)],
    ]);
  } catch (error) {
    if (!(error instanceof ReproError) || error.code !== 'evaluation-interrupted') throw error;
    process.stderr.write('Interrupted.\n');
    process.exitCode = exitCodeOfSignal(signals.received());
  } finally {
    signals.kill.removeEventListener('abort', exitNow);
  }
}

/** Shows a counter, on a terminal only. */
function showProgress(done: number, total: number): void {
  if (process.stderr.isTTY !== true || process.env.TERM === 'dumb') return;
  process.stderr.write(done === total ? '\r\x1b[K' : `\r${done} of ${total} clips`);
}
