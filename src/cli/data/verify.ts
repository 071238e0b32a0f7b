import process from 'node:process';
import { type DataOptions, placeDataset, showPath, verifyDataset as verify } from '../../apps/datasets.ts';
import { describeError, ReproError } from '../../errors.ts';
import { exitCode, exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { showWork } from '../view/open-view.ts';
import { printJson, printLines, printWarning } from '../view/print.ts';

/** With so few, the error itself shows them all. */
const SHOWN_PROBLEMS = 3;

interface VerifyOptions extends DataOptions {
  readonly simulated?: boolean;
  readonly json?: boolean;
}

/** `repro data verify NAME`: exit code 1 if the data are missing or not right. */
export async function verifyDataset(name: string, options: VerifyOptions): Promise<void> {
  const placed = await placeDataset(name, options);
  const signals = listenForSignals();
  const view = await showWork('data verify', `${placed.dataset.title} in ${showPath(placed.root)}`);
  const problems: string[] = [];
  try {
    const { manifest, lines } = await verify(placed, {
      simulated: options.simulated === true,
      signal: signals.stop,
      progress: view.progress,
      log: (line) => problems.push(line),
    });
    view.finish();
    view.close();
    for (const warning of manifest.warnings) printWarning(warning);
    if (options.json === true) printJson(manifest);
    else printLines(lines);
  } catch (error) {
    view.close();
    if (signals.received() !== null) {
      process.stderr.write('Stopped; nothing was changed.\n');
      process.exitCode = exitCodeOfSignal(signals.received());
      return;
    }
    if (!(error instanceof ReproError)) throw error;
    process.stderr.write(`${describeError(error)}\n`);
    // The error shows a few of each kind.
    if (options.json === true) {
      const { code, message } = error;
      printJson({ version: 1, command: 'data verify', dataset: name, error: { code, message }, problems });
    } else if (problems.length > SHOWN_PROBLEMS) {
      process.stderr.write(
        `All ${problems.length} problems:\n${problems.map((line) => `  ${line}\n`).join('')}`,
      );
    }
    process.exitCode = exitCode.stageFailed;
  } finally {
    signals.dispose();
  }
}
