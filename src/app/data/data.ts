import path from 'node:path';
import process from 'node:process';
import { describeError, ReproError } from '../../base/errors.ts';
import { formatBytes } from '../../base/text.ts';
import { exitCode, exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { showWork } from '../view/open-view.ts';
import { alignTopics, printJson, printResult, printWarning } from '../view/print.ts';
import { alignTable } from '../view/table.ts';
import { drawClip, type ShowOptions } from './clip-picture.ts';
import {
  assertFetched,
  checkDataset,
  type DataOptions,
  downloadDataset,
  lookUpDataset,
  placeDataset,
  showPath,
  surveyDatasets,
} from './datasets.ts';

type Options = DataOptions & { readonly json?: boolean };

/** `repro data list` */
export function listDatasets(options: Options): void {
  const datasets = surveyDatasets(options);
  const count = (clips: number): string => clips.toLocaleString('en-US');
  printResult(options, 'data list', { datasets }, () => [
    ...alignTable([
      ['name', 'what', 'classes', 'training + test', 'to get it', 'here'],
      ...datasets.map(({ name, kind, classes, clips, root, present, ...one }) => [
        name,
        kind === 'events' ? 'event recordings' : 'still images',
        String(classes),
        `${count(clips.train)} + ${count(clips.test)}`,
        one.simulated
          ? `./repro run --profile ${one.profile}`
          : one.fetch
            ? `./repro data fetch ${name}`
            : 'by hand',
        present ? showPath(root) : '-',
      ]),
    ]),
    '',
    `${datasets.length} data sets; \`./repro data info NAME\` says more about one.`,
  ]);
}

/** `repro data info NAME` */
export async function describeDataset(name: string, options: Options): Promise<void> {
  const { lines, howToGet, document } = await lookUpDataset(name, options);
  printResult(options, 'data info', document, () => [...alignTopics(lines), '', howToGet]);
}

/** With so few, the error itself shows them all. */
const shownProblems = 3;

/** `repro data verify NAME`: exit code 1 if the data are missing or not right. */
export async function verifyDataset(name: string, options: Options): Promise<void> {
  const placed = await placeDataset(name, options);
  const signals = listenForSignals();
  const view = await showWork('data verify', `${placed.dataset.title} in ${showPath(placed.root)}`);
  const problems: string[] = [];
  try {
    const { manifest, lines } = await checkDataset(placed, {
      signal: signals.stop,
      progress: view.progress,
      log: (line) => problems.push(line),
    });
    view.finish();
    for (const warning of manifest.warnings) printWarning(warning);
    if (options.json === true) printJson(manifest);
    else process.stdout.write(`${alignTopics(lines).join('\n')}\n`);
  } catch (error) {
    view.close();
    if (signals.received() !== null) {
      process.stderr.write('Stopped; nothing was changed.\n');
      process.exitCode = exitCodeOfSignal(signals.received());
      return;
    }
    if (!(error instanceof ReproError)) throw error;
    process.stderr.write(`${describeError(error)}\n`);
    // The error itself names only a few of each kind.
    if (options.json === true) {
      const { code, message } = error;
      printJson({ version: 1, command: 'data verify', dataset: name, error: { code, message }, problems });
    } else if (problems.length > shownProblems) {
      const all = problems.map((line) => `  ${line}\n`).join('');
      process.stderr.write(`All ${problems.length} problems:\n${all}`);
    }
    process.exitCode = exitCode.stageFailed;
  } finally {
    signals.dispose();
  }
}

/** `repro data fetch NAME` */
export async function fetchDataset(name: string, options: Options): Promise<void> {
  const placed = await placeDataset(name, options);
  assertFetched(placed);
  const { dataset, root } = placed;
  const signals = listenForSignals();
  const view = await showWork('data fetch', `${dataset.title} (${dataset.licence}) to ${showPath(root)}`);
  try {
    const files = await downloadDataset(placed, {
      signal: signals.stop,
      note: view.note,
      progress: view.progress,
    });
    view.finish();
    const own = options.root === undefined ? '' : ` --root ${showPath(root)}`;
    printResult(options, 'data fetch', { dataset: name, root, files }, () => [
      ...files.map(({ name: file, outcome }) => `${file}: ${outcome}`),
      `Check what is in them: ./repro data verify ${name}${own}`,
    ]);
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

/** `repro data show NAME CLIP`, or `repro data show FILE` */
export async function showClip(
  name: string,
  clip: string | undefined,
  options: ShowOptions & { readonly json?: boolean },
): Promise<void> {
  const { facts, values, file, sizeBytes } = await drawClip(name, clip, options, printWarning);
  printResult(options, 'data show', { ...values, picture: path.resolve(file) }, () =>
    alignTopics([...facts, ['picture', `${file} (${formatBytes(sizeBytes)})`]]),
  );
}
