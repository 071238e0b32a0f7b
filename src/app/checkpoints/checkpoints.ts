import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { formatBytes } from '../../base/text.ts';
import { exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { loadSelectedPlan, type PipelineOptions } from '../project/load-plan.ts';
import type { EngineChoice } from '../project/option-choices.ts';
import { bringFramesUpToDate } from '../run/run.ts';
import { alignTopics, printResult, printWarning } from '../view/print.ts';
import {
  convertCheckpoint,
  type ExportFormat,
  evaluateOnFrames,
  exportSource,
  loadNetwork,
  type Which,
} from './reading.ts';

interface EvaluateOptions extends PipelineOptions {
  readonly which?: Which;
  readonly otherFrames?: boolean;
  readonly engine?: EngineChoice;
  readonly threads?: number;
  readonly dt?: number;
}

/** `repro evaluate SOURCE`: accuracy and loss of a state on the test clips of a profile, on stdout; progress on stderr. */
export async function evaluate(source: string, options: EvaluateOptions): Promise<void> {
  const network = await loadNetwork(source, options, printWarning);
  const plan = await loadSelectedPlan(options);
  const signals = listenForSignals();
  const exitNow = (): void => process.exit(exitCodeOfSignal(signals.received()));
  try {
    if (!(await bringFramesUpToDate(plan, options, signals))) return;
    signals.kill.addEventListener('abort', exitNow);
    const { warnings, lines, document } = await evaluateOnFrames(plan, network, {
      otherFrames: options.otherFrames === true,
      signal: signals.stop,
      progress: showProgress,
    });
    for (const text of warnings) printWarning(text);
    printResult(options, 'evaluate', document, () => alignTopics(lines));
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

interface ExportOptions extends PipelineOptions {
  readonly to: ExportFormat;
  readonly which?: Which;
  readonly out?: string;
  readonly force?: boolean;
}

/** `repro export state SOURCE`: writes a state for other programs. */
export async function exportState(named: string, options: ExportOptions): Promise<void> {
  const { source, file, sizeBytes, content } = await exportSource(named, options, printWarning);
  const what = Object.entries(content).map(([noun, count]) => `${count} ${noun}`);
  printResult(options, 'export state', { source, format: options.to, file, sizeBytes, ...content }, () => [
    `${file}: ${what}, ${formatBytes(sizeBytes)}; ${source}`,
  ]);
}

interface ImportOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly pooling?: 'max' | 'average';
  readonly tau?: number;
  readonly reset?: 'hard' | 'soft';
  readonly input?: readonly [number, number];
  readonly steps?: number;
}

/** `repro import FILE`: converts a PyTorch checkpoint to a file that can be evaluated. */
export async function importFile(file: string, options: ImportOptions): Promise<void> {
  const { out, force = false, pooling, tau, reset, input: size, steps } = options;
  const answers = { pooling, tau, reset, size, steps };
  const { lines, document } = await convertCheckpoint(file, { answers, out, force });
  printResult(options, 'import', document, () => alignTopics(lines));
}
