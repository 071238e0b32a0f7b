import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { countCores } from '../../base/cores.ts';
import { ReproError } from '../../base/errors.ts';
import { formatBytes } from '../../base/text.ts';
import type { Dataset } from '../../data/contract/dataset.ts';
import { describePublishedFile } from '../../data/contract/how-to-get.ts';
import { fetchFiles } from '../../data/fetch/fetch-files.ts';
import { DATASETS, findDataset } from '../../data/registry.ts';
import type { Manifest } from '../../results/manifest.ts';
import { findDataSet } from '../../results/thesis/data-sets.ts';
import type { Progress } from '../../runner/stage/define-stage.ts';
import { findProjectRoot } from '../project/load-plan.ts';

export { showPath } from '../../data/contract/how-to-get.ts';

type Line = readonly [topic: string, text: string];

export interface DataOptions {
  readonly project?: string;
  readonly root?: string;
}

/** All data sets, and which of them are here. */
export function surveyDatasets(options: DataOptions) {
  return DATASETS.map((dataset) => {
    const root = rootOf(dataset, options);
    const simulated = findDataSet(dataset.name)?.simulated === true;
    return {
      name: dataset.name,
      title: dataset.title,
      kind: dataset.kind,
      classes: dataset.classes.length,
      clips: dataset.published,
      licence: dataset.licence,
      /** Whether all its files can be downloaded directly. */
      fetch: isFetched(dataset),
      /** Whether its profile makes it. */
      simulated,
      profile: dataset.profile,
      root,
      // Stage `simulate` writes the recordings of every profile below one folder, gestures too.
      present: existsSync(simulated ? path.join(root, 'Train') : root),
    };
  });
}

/** What is known of a data set, and all steps to get it. */
export async function lookUpDataset(
  name: string,
  options: DataOptions,
): Promise<{
  readonly lines: readonly Line[];
  readonly howToGet: string;
  readonly document: object;
}> {
  const dataset = await withData(async () => findDataset(name));
  const root = rootOf(dataset, options);
  const { title, summary, kind, classes, licence, citation, homepage, files, published, remarks, profile } =
    dataset;
  return {
    lines: [
      ['name', `${name} (${title})`],
      ['what', summary],
      dataset.kind === 'events'
        ? ['sensor', `${dataset.sensor.width} x ${dataset.sensor.height} pixels`]
        : ['image', describeImage(dataset)],
      ['classes', `${classes.length}: ${classes.join(', ')}`],
      describeClips(published.train, published.test),
      ['licence', licence],
      ['cite', citation],
      ['from', homepage],
      ['profile', profile],
      ...files.map((file): Line => ['file', describePublishedFile(file)]),
      ...remarks.map((remark): Line => ['remark', remark]),
    ],
    howToGet: dataset.howToGet(root),
    document: {
      name,
      title,
      summary,
      kind,
      ...(dataset.kind === 'events'
        ? { sensor: dataset.sensor }
        : { image: dataset.image, preparation: dataset.preparation }),
      ...{ classes, published, licence, citation, homepage, files, remarks, profile, root },
    },
  };
}

function describeClips(train: number, test: number): Line {
  return ['clips', `${formatNumber(train)} for training, ${formatNumber(test)} for testing`];
}

function formatNumber(count: number): string {
  return count.toLocaleString('en-US');
}

function describeImage({ image, preparation }: Extract<Dataset, { kind: 'images' }>): string {
  const { channels, height, width } = image;
  const { mean, std, augmentation } = preparation;
  const colours = channels === 1 ? 'grey' : 'colour';
  const shown = `(x / 255 - mean) / std with mean ${mean.join(', ')} and std ${std.join(', ')}`;
  const varied = augmentation === 'none' ? 'not varied' : `varied for training (${augmentation})`;
  return `${width} x ${height} pixels, ${colours}; shown as ${shown}; ${varied}`;
}

/** A data set, and where it is or will be. */
interface PlacedDataset {
  readonly dataset: Dataset;
  readonly root: string;
}

export async function placeDataset(name: string, options: DataOptions): Promise<PlacedDataset> {
  const dataset = await withData(async () => findDataset(name));
  return { dataset, root: rootOf(dataset, options) };
}

/** @throws {ReproError} `data-by-hand` if no program may download it, with what to do instead */
export function assertFetched({ dataset, root }: PlacedDataset): void {
  if (isFetched(dataset)) return;
  throw new ReproError('data-by-hand', `${dataset.title} cannot be downloaded by a program.`, {
    fix: dataset.howToGet(root),
  });
}

/** Downloads a data set. @returns its files, and what became of each */
export async function downloadDataset(
  { dataset, root }: PlacedDataset,
  host: {
    readonly signal: AbortSignal;
    readonly note: (text: string) => void;
    readonly progress: (progress: Progress) => void;
  },
): Promise<{ readonly name: string; readonly outcome: string | undefined }[]> {
  const outcomes = await fetchFiles(dataset.files, root, {
    signal: host.signal,
    note: host.note,
    progress: ({ file, doneBytes, totalBytes, bytesPerSecond }) =>
      host.progress({
        done: megabytes(doneBytes),
        // Without a size there is no percentage; the note has the amount.
        total: totalBytes === null ? 0 : megabytes(totalBytes),
        unit: 'MB',
        note: `${file} · ${formatBytes(doneBytes)} · ${formatBytes(bytesPerSecond)}/s`,
      }),
  });
  return dataset.files.map((file, i) => ({ name: file.name, outcome: outcomes[i] }));
}

/** To a tenth. */
function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}

/** Checks every file of a data set, as simulated recordings if it is these that are there. Errors are worded for `repro data`. */
export async function checkDataset(
  { dataset, root }: PlacedDataset,
  host: {
    readonly signal: AbortSignal;
    readonly progress: (progress: Progress) => void;
    /** Takes each problem. */
    readonly log: (line: string) => void;
  },
): Promise<{ readonly manifest: Manifest; readonly lines: readonly Line[] }> {
  const verify = (simulated: boolean) =>
    dataset.verify(root, {
      simulated,
      signal: host.signal,
      // The compiled file with this code, which a thread can run from.
      threads: { count: countCores(), module: new URL(import.meta.url) },
      progress: (done, total) => host.progress({ done, total, unit: dataset.recordingsNoun }),
      log: host.log,
    });
  const manifest = await withData(() =>
    verify(false).catch((error: unknown) => {
      if (error instanceof ReproError && error.code === 'data-kind') return verify(true);
      throw error;
    }),
  );
  return { manifest, lines: describeManifest(manifest) };
}

function describeManifest(manifest: Manifest): Line[] {
  const { simulated, splits, perUser, perLight, perClass, files, archive } = manifest;
  const counts: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
    ['per class', perClass],
    ['per light', perLight],
    ['per user', perUser],
  ];
  return [
    describeClips(splits.train.clips, splits.test.clips),
    ...(simulated ? [['simulated', 'no camera, no people'] as const] : []),
    ...counts.flatMap(([topic, of]): Line[] => {
      const each = Object.entries(of).map(([key, clips]) => `${key} ${formatNumber(clips)}`);
      return each.length === 0 ? [] : [[topic, each.join(', ')]];
    }),
    ['files', `${formatNumber(files.length)}${archive ? ', read in the archive' : ''}`],
  ];
}

/** Whether all its files can be downloaded directly. */
function isFetched({ files }: Dataset): boolean {
  return files.length > 0 && files.every(({ urls }) => urls.length > 0);
}

/** The folder of a data set: `--root`, or else its usual place in the project, or below the current folder without one. */
export function rootOf({ usualRoot }: Dataset, { root, project }: DataOptions): string {
  return path.resolve(root ?? path.join(projectOrHere(project), usualRoot));
}

function projectOrHere(project: string | undefined): string {
  try {
    return findProjectRoot(project ?? process.cwd());
  } catch (error) {
    if (project === undefined && error instanceof ReproError && error.code === 'no-pipeline') {
      return process.cwd();
    }
    throw error;
  }
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
