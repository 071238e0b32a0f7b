import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { countCores } from '../../base/cores.ts';
import { describeError, ReproError } from '../../base/errors.ts';
import type { Dataset } from '../../data/contract/dataset.ts';
import { describePublishedFile, howToGet, showPath, thenRun } from '../../data/contract/how-to-get.ts';
import { fetchFiles } from '../../data/fetch/fetch-files.ts';
import { openDataset } from '../../data/open-dataset.ts';
import {
  audioOf,
  canFetch,
  type DatasetFacts,
  type ImageFacts,
  isCommitted,
  nameSensor,
} from '../../results/dataset-facts.ts';
import type { Manifest } from '../../results/manifest.ts';
import { exitCode, exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { hasFiles, readAllFacts, readCheckedFacts } from '../project/dataset-files.ts';
import { findProjectRoot } from '../project/load-plan.ts';
import { showWork } from '../view/open-view.ts';
import { alignTopics, printJson, printResult, printWarning } from '../view/print.ts';
import { alignTable } from '../view/table.ts';

type Line = readonly [topic: string, text: string];

export interface DataOptions {
  readonly project?: string;
  readonly root?: string;
  readonly json?: boolean;
}

/** `repro data list`: all data sets, and which of them are here. */
export async function listDatasets(options: DataOptions): Promise<void> {
  const all = await readAllFacts(findProject(options.project) ?? ownProject());
  const datasets = all.map((dataset) => {
    const root = rootOf(dataset, options);
    const { name, title, kind, classes, published, licence, profile, simulated = false } = dataset;
    return {
      ...{ name, title, kind, classes: classes.length, clips: published, licence, profile, root },
      /** Whether it can be downloaded directly. */
      fetch: canFetch(dataset),
      /** Whether its profile makes it. */
      simulated,
      committed: isCommitted(dataset),
      sound: audioOf(dataset) !== undefined,
      // Stage `simulate` writes the recordings of every profile below one folder, gestures too.
      present: hasFiles(simulated ? path.join(root, 'Train') : root),
    };
  });
  printResult(options, 'data list', { datasets }, () => [
    ...alignTable([
      ['name', 'what', 'classes', 'training + test', 'to get it', 'here'],
      ...datasets.map(({ name, kind, classes, clips, root, present, ...one }) => [
        name,
        kind === 'images' ? 'still images' : one.sound ? 'sound' : 'event recordings',
        String(classes),
        `${formatNumber(clips.train)} + ${formatNumber(clips.test)}`,
        one.simulated
          ? `./repro run --profile ${one.profile}`
          : one.fetch
            ? `./repro data fetch ${name}`
            : one.committed
              ? 'in the repository'
              : 'by hand',
        present ? showPath(root) : '-',
      ]),
    ]),
    '',
    `${datasets.length} data sets; \`./repro data info NAME\` says more about one.`,
  ]);
}

/** `repro data info NAME`: what is known of a data set, and all steps to get it. */
export async function describeDataset(name: string, options: DataOptions): Promise<void> {
  const { dataset, root } = await placeDataset(name, options);
  const { facts } = dataset;
  const { title, summary, kind, classes, licence, citation, homepage, files, published, remarks, profile } =
    facts;
  const document = {
    name,
    title,
    summary,
    kind,
    ...(facts.kind === 'events'
      ? { sensor: facts.sensor }
      : { image: facts.image, preparation: facts.preparation }),
    ...{ classes, published, licence, citation, homepage, files, remarks, profile, root },
    ...(facts.git && { git: facts.git }),
  };
  const lines: Line[] = [
    ['name', `${name} (${title})`],
    ['what', summary],
    facts.kind === 'events'
      ? ['sensor', nameSensor(facts.sensor, audioOf(facts) !== undefined)]
      : ['image', describeImage(facts)],
    ['classes', `${classes.length}: ${classes.join(', ')}`],
    describeClips(published.train, published.test),
    ['licence', licence],
    ['cite', citation],
    ...(homepage === undefined ? [] : [['from', homepage] as const]),
    ...(profile === undefined ? [] : [['profile', profile] as const]),
    ...files.map((file): Line => ['file', describePublishedFile(file)]),
    ...remarks.map((remark): Line => ['remark', remark]),
  ];
  printResult(options, 'data info', document, () => [...alignTopics(lines), '', howToGet(facts, root)]);
}

function describeClips(train: number, test: number): Line {
  return ['clips', `${formatNumber(train)} for training, ${formatNumber(test)} for testing`];
}

function formatNumber(count: number): string {
  return count.toLocaleString('en-US');
}

function describeImage({ image, preparation }: ImageFacts): string {
  const { channels, height, width } = image;
  const { mean, std, augmentation } = preparation;
  const colours = channels === 1 ? 'grey' : 'colour';
  const shown = `(x / 255 - mean) / std with mean ${mean.join(', ')} and std ${std.join(', ')}`;
  const varied = augmentation === 'none' ? 'not varied' : `varied for training (${augmentation})`;
  return `${width} x ${height} pixels, ${colours}; shown as ${shown}; ${varied}`;
}

/** With so few, the error itself shows them all. */
const shownProblems = 3;

/** `repro data verify NAME`: exit code 1 if the data are missing or not right. */
export async function verifyDataset(name: string, options: DataOptions): Promise<void> {
  const { dataset, root } = await placeDataset(name, options);
  const signals = listenForSignals();
  const view = await showWork('data verify', `${dataset.facts.title} in ${showPath(root)}`);
  const problems: string[] = [];
  try {
    const verify = (simulated: boolean) =>
      dataset.verify(root, {
        simulated,
        signal: signals.stop,
        // The compiled file with this code, which a thread can run from.
        threads: { count: countCores(), module: new URL(import.meta.url) },
        progress: (done, total) => view.progress({ done, total, unit: dataset.recordingsNoun }),
        log: (line) => problems.push(line),
      });
    // As simulated recordings, if it is these that are there.
    const manifest = await withData(() =>
      verify(false).catch((error: unknown) => {
        if (error instanceof ReproError && error.code === 'data-kind') return verify(true);
        throw error;
      }),
    );
    view.finish();
    for (const warning of manifest.warnings) printWarning(warning);
    if (options.json === true) printJson(manifest);
    else process.stdout.write(`${alignTopics(describeManifest(manifest)).join('\n')}\n`);
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

function describeManifest(manifest: Manifest): Line[] {
  const { simulated, splits, perUser, perLight, perClass, files, archive } = manifest;
  const counts = { 'per class': perClass, 'per light': perLight, 'per user': perUser };
  return [
    describeClips(splits.train.clips, splits.test.clips),
    ...(simulated ? [['simulated', 'no camera, no people'] as const] : []),
    ...Object.entries(counts).flatMap(([topic, of]): Line[] => {
      const each = Object.entries(of).map(([key, clips]) => `${key} ${formatNumber(clips)}`);
      return each.length === 0 ? [] : [[topic, each.join(', ')]];
    }),
    ['files', `${formatNumber(files.length)}${archive ? ', read in the archive' : ''}`],
  ];
}

/** `repro data fetch NAME`: if no program may download it, an error says what to do instead. */
export async function fetchDataset(name: string, options: DataOptions): Promise<void> {
  const { dataset, root } = await placeDataset(name, options);
  const { facts } = dataset;
  if (!canFetch(facts)) {
    throw new ReproError('data-by-hand', `${facts.title} cannot be downloaded by a program.`, {
      fix: howToGet(facts, root),
    });
  }
  const signals = listenForSignals();
  const view = await showWork('data fetch', `${facts.title} to ${showPath(root)}`);
  view.note(`Licence: ${facts.licence}. To cite: ${facts.citation}`);
  try {
    const files = await fetchFiles(facts, root, { ...view, signal: signals.stop });
    view.finish();
    printResult(options, 'data fetch', { dataset: name, root, files }, () => [
      ...files.map(({ name: file, outcome }) => `${file}: ${outcome}`),
      ...thenRun(facts, root),
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

/** What reads a data set, and its folder. */
export async function placeDataset(
  name: string,
  options: DataOptions,
): Promise<{ readonly dataset: Dataset; readonly root: string }> {
  const facts = await withData(() => readCheckedFacts(findProject(options.project) ?? ownProject(), name));
  return { dataset: openDataset(facts), root: rootOf(facts, options) };
}

/** The folder of a data set: `--root`, or else its usual place in the project, or below the current folder without one. */
function rootOf(facts: DatasetFacts, { root, project }: DataOptions): string {
  return path.resolve(root ?? path.resolve(findProject(project) ?? process.cwd(), facts.root));
}

/** Undefined outside a project. */
function findProject(project: string | undefined): string | undefined {
  try {
    return findProjectRoot(project ?? process.cwd());
  } catch (error) {
    if (project === undefined && error instanceof ReproError && error.code === 'no-pipeline') {
      return undefined;
    }
    throw error;
  }
}

/** The project that this program is part of. */
function ownProject(): string {
  return findProjectRoot(path.dirname(fileURLToPath(import.meta.url)));
}

/** Does something with data. Errors about the pipeline's settings name no place: here the arguments say which data are meant. */
export async function withData<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!(error instanceof ReproError) || !/^dataset\.(root|name)$/.test(error.where ?? '')) throw error;
    const { code, message, fix, cause } = error;
    throw new ReproError(code, message, { fix, cause });
  }
}
