import process from 'node:process';
import {
  assertFetched,
  type DataOptions,
  fetchDataset as fetch,
  placeDataset,
  showPath,
} from '../../apps/datasets.ts';
import { describeError, ReproError } from '../../errors.ts';
import { exitCode, exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { showWork } from '../view/open-view.ts';
import { printJson } from '../view/print.ts';

/** `repro data fetch NAME` */
export async function fetchDataset(
  name: string,
  options: DataOptions & { readonly json?: boolean },
): Promise<void> {
  const placed = await placeDataset(name, options);
  assertFetched(placed);
  const { dataset, root } = placed;
  const signals = listenForSignals();
  const view = await showWork('data fetch', `${dataset.title} (${dataset.licence}) to ${showPath(root)}`);
  try {
    const files = await fetch(placed, { signal: signals.stop, note: view.note, progress: view.progress });
    view.finish();
    view.close();
    if (options.json === true) {
      printJson({ version: 1, command: 'data fetch', dataset: name, root, files });
      return;
    }
    for (const { name: file, outcome } of files) process.stdout.write(`${file}: ${outcome}\n`);
    const own = options.root === undefined ? '' : ` --root ${showPath(root)}`;
    process.stdout.write(`Check what is in them: repro data verify ${name}${own}\n`);
  } catch (error) {
    view.close();
    const stopped = signals.received() !== null;
    if (!(error instanceof ReproError) || (error.code === 'locked' && !stopped)) throw error;
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = stopped ? exitCodeOfSignal(signals.received()) : exitCode.stageFailed;
  } finally {
    signals.dispose();
  }
}
