import process from 'node:process';
import { type EvaluatedSplit, evaluateOnFrames, loadNetwork, type Which } from '../../apps/checkpoints.ts';
import { loadSelectedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import type { EngineChoice } from '../../apps/option-choices.ts';
import { ReproError } from '../../errors.ts';
import { exitCodeOfSignal } from '../process/exit-code.ts';
import { listenForSignals } from '../process/signals.ts';
import { bringFramesUpToDate } from '../run/frames.ts';
import { printJson, printLines, printWarning } from '../view/print.ts';

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
  const checkpoint = await loadNetwork(source, options, printWarning);
  const plan = await loadSelectedPlan(options);
  const signals = listenForSignals();
  const exitNow = (): void => process.exit(exitCodeOfSignal(signals.received()));
  try {
    if (!(await bringFramesUpToDate(plan, options, signals))) return;
    signals.kill.addEventListener('abort', exitNow);
    const { split, engine, threads, otherFrames = false } = options;
    const { warnings, lines, document } = await evaluateOnFrames(plan, checkpoint, {
      ...{ split, engine, threads, otherFrames },
      signal: signals.stop,
      progress: showProgress,
    });
    for (const text of warnings) printWarning(text);
    if (options.json === true) printJson({ version: 1, command: 'evaluate', ...document });
    else printLines(lines);
  } catch (error) {
    if (!(error instanceof ReproError) || error.code !== 'evaluation-interrupted') throw error;
    process.stderr.write('Interrupted.\n');
    process.exitCode = exitCodeOfSignal(signals.received());
  } finally {
    signals.kill.removeEventListener('abort', exitNow);
    signals.dispose();
  }
}

/** Shows a counter, on a terminal only. */
function showProgress(done: number, total: number): void {
  if (process.stderr.isTTY !== true || process.env.TERM === 'dumb') return;
  process.stderr.write(done === total ? '\r\x1b[K' : `\r${done} of ${total} clips`);
}
