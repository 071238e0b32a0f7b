import process from 'node:process';
import type { Dataset } from '../../datasets/contract/dataset.ts';
import { showPath } from '../../datasets/contract/how-to-get.ts';
import { fetchFiles } from '../../datasets/fetch/fetch-files.ts';
import { findDataset } from '../../datasets/registry.ts';
import { describeError, ReproError } from '../../errors.ts';
import { formatBytes } from '../../text.ts';
import { exitCode, exitCodeOfSignal } from '../exit-code.ts';
import { printJson } from '../load.ts';
import { listenForSignals } from '../signals.ts';
import { showTraining } from '../view/training-view.ts';
import { isFetched } from './list.ts';
import { type DataOptions, rewordForData, rootOf, withData } from './root.ts';

/** `repro data fetch NAME` */
export async function fetchDataset(name: string, options: DataOptions): Promise<void> {
  const dataset = await withData(async () => findDataset(name));
  const root = rootOf(dataset, options);
  if (!isFetched(dataset)) throw byHand(dataset, root);
  const signals = listenForSignals();
  const view = await showTraining('data fetch', `${dataset.title} (${dataset.licence}) to ${showPath(root)}`);
  try {
    const outcomes = await fetchFiles(dataset.files, root, {
      signal: signals.stop,
      note: view.note,
      progress: ({ file, doneBytes, totalBytes, bytesPerSecond }) =>
        view.progress({
          done: megabytes(doneBytes),
          // Without a size there is no share to show; the note has the amount.
          total: totalBytes === null ? 0 : megabytes(totalBytes),
          unit: 'MB',
          note: `${file} · ${formatBytes(doneBytes)} · ${formatBytes(bytesPerSecond)}/s`,
        }),
    });
    view.finish();
    view.close();
    const files = dataset.files.map((file, i) => ({ name: file.name, outcome: outcomes[i] }));
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

/** To a tenth. */
function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}

function byHand(dataset: Dataset, root: string): ReproError {
  return new ReproError('data-by-hand', `${dataset.title} cannot be downloaded by a program.`, {
    fix: rewordForData(dataset.howToGet(root)),
  });
}
