import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { latin1Text, listSome } from '../../base/text.ts';
import type { SampleFacts } from '../../results/dataset-facts.ts';
import { SPLITS, type Split } from '../contract/clips.ts';
import { failMissing } from '../contract/how-to-get.ts';
import { decodeMatEvents } from '../events/mat-events.ts';
import { READERS, type ReaderName, type SampleReader } from '../events/readers.ts';
import { type FileTree, FolderTree, kindOfSource, readWhole } from '../reading/file-tree.ts';
import { TarTree } from '../reading/tar-tree.ts';
import { ZipTree } from '../reading/zip-tree.ts';
import { nameReader, partFolders, type SampleName } from './names.ts';

/** A part of a data set: a folder, or the zip that unpacks to it. */
interface SamplePart {
  /** Empty for the root itself. */
  readonly folder: string;
  readonly archive: string;
  /** Of the zip as published; null if the publisher gives none. */
  readonly md5: string | null;
}

/** A data set with one file of events per sample, in folders or in zips of them. */
export interface SampleLayout {
  readonly facts: SampleFacts;
  readonly parts: readonly SamplePart[];
  parseName(path: string): SampleName | null;
}

/** A larger file is not a sample: several hundred times what one of N-MNIST has, and several times one of CIFAR10-DVS. */
export const LARGEST_SAMPLE_BYTES = 256 << 20;

/** @throws {ReproError} `dataset-names` if the file of the data set contradicts itself */
export function sampleLayout(facts: SampleFacts): SampleLayout {
  const parts = (partFolders(facts) ?? ['']).map((folder): SamplePart => {
    const archive = `${folder}.zip`;
    return { folder, archive, md5: facts.files.find(({ name }) => name === archive)?.md5 ?? null };
  });
  return { facts, parts, parseName: nameReader(facts) };
}

/** By the name that a data set's `reader` gives. */
export const SAMPLE_READERS: Readonly<Record<ReaderName, SampleReader>> = {
  ...READERS,
  mat: { format: 'MATLAB', endings: ['.mat'], decode: decodeMatEvents },
};

/** @throws {ReproError} if the bytes are not a sample; `sample-sensor` if its own sensor is not that of the data set */
export async function decodeSample(
  { facts: { title, sensor, audio } }: SampleLayout,
  { files }: SampleName,
  bytes: Uint8Array,
  file: string,
) {
  const of = { title, sensor, npy: files, audio };
  const { sensor: found = sensor, ...sample } = await SAMPLE_READERS[files.reader].decode(bytes, file, of);
  if (found.height === sensor.height && found.width === sensor.width) return sample;
  const size = files.reader === 'wav' ? '`audio.bands` x 1' : 'its sensor';
  const what = `${size} is ${found.width} x ${found.height}, but the sensor of ${title} is ${sensor.width} x ${sensor.height}.`;
  const fix = 'Correct `sensor` of the data set, or remove the file.';
  throw new ReproError('sample-sensor', what, { where: file, fix });
}

/** The name of a sample in a part; null for another file. A zip may hold samples of another part, which would be read twice. */
export function sampleIn(layout: SampleLayout, part: SamplePart, path: string): SampleName | null {
  return part.folder === '' || path.startsWith(`${part.folder}/`) ? layout.parseName(path) : null;
}

export interface Sample {
  readonly path: string;
  readonly class: number;
  readonly user: number | null;
}

/**
 * Sorts samples into splits, each in name order.
 *
 * @param paths all file names, in any order; those that are not samples are left out
 * @param testList what `readTestList` gives
 */
export function splitSamples(
  layout: SampleLayout,
  paths: readonly string[],
  testList: ReadonlySet<string> | null = null,
): Record<Split, Sample[]> {
  const splits: Record<Split, Sample[]> = { train: [], test: [] };
  const classes: { readonly sample: Sample; readonly number: number }[][] = layout.facts.classes.map(
    () => [],
  );
  for (const path of [...paths].sort(compareCodeUnits)) {
    const name = layout.parseName(path);
    if (name === null) continue;
    const sample = { path, class: name.class, user: name.user };
    const split = testList === null ? name.split : testList.has(path) ? 'test' : 'train';
    if (split !== null) splits[split].push(sample);
    else classes[name.class]!.push({ sample, number: name.number ?? 0 });
  }
  for (const members of classes) {
    members.sort((a, b) => a.number - b.number);
    // Rounded down, so that a handful of samples is tested too; the small number is for 0.9 · 10 and its like.
    const kept = Math.floor((layout.facts.split.trainShare ?? 1) * members.length + 1e-9);
    for (const [i, { sample }] of members.entries()) splits[i < kept ? 'train' : 'test'].push(sample);
  }
  for (const split of SPLITS) splits[split].sort((a, b) => compareCodeUnits(a.path, b.path));
  return splits;
}

/** Where one part's samples were found; names start with the part's folder whether it is zipped or not. */
export interface SamplePlace {
  readonly part: SamplePart;
  /** The zip's full path; null for a folder. */
  readonly archive: string | null;
  readonly tree: FileTree & { list(): Promise<string[]> };
}

export function isTar({ tree }: SamplePlace): boolean {
  return tree instanceof TarTree;
}

/** The paths in the file `split.testList`; null if the data set has none. @throws {ReproError} `data-missing` if it is not there */
export async function readTestList(
  { facts }: SampleLayout,
  root: string,
  places: readonly SamplePlace[],
): Promise<ReadonlySet<string> | null> {
  const { testList } = facts.split;
  if (testList === undefined) return null;
  const tree = places.find(isTar)?.tree ?? new FolderTree(root, 1);
  let bytes: Uint8Array | undefined;
  await tree.walk(async (file) => {
    if (file.path === testList) bytes = await readWhole(file, LARGEST_SAMPLE_BYTES);
  });
  if (bytes === undefined) return failMissing(facts, 'files', root, `lacks ${testList}`);
  return new Set(latin1Text(bytes).split(/\r?\n/));
}

/** How deep a part's folder is searched: as deep as samples lie, and where other files may lie, which are then named. */
function depthBelow({ folder }: SamplePart, { samples }: SampleFacts): number {
  const levels = Math.max(...samples.map(({ names }) => names.split('/').length));
  return folder === '' ? levels : Math.max(2, levels - 1);
}

/**
 * Finds every part at `root`: each as a folder, or else as a zip; or all of them in one `.tar.gz`, if the data set is published so.
 *
 * @throws {ReproError} `data-missing` with all steps to get the data
 */
export async function locateSamples({ facts, parts }: SampleLayout, root: string): Promise<SamplePlace[]> {
  const kind = await kindOfSource(root);
  if (kind === null) failMissing(facts, 'samples', root, 'does not exist');
  const packed = facts.files.find(({ name }) => name.endsWith('.tar.gz'));
  if (packed !== undefined) {
    const { name, md5 } = packed;
    const archive = kind === 'file' ? root : path.join(root, name);
    const isUnpacked = (await kindOfSource(path.join(root, parts[0]!.folder))) === 'folder';
    if (!isUnpacked && (await kindOfSource(archive)) === 'file')
      return [{ part: { folder: '', archive: name, md5 }, archive, tree: new TarTree(archive, name) }];
  }
  if (kind === 'file') {
    const [{ folder, archive }] = parts as [SamplePart];
    const such = folder === '' ? '' : ` with ${parts.length} parts, such as ${folder}/ or ${archive}`;
    failMissing(facts, 'samples', root, `is a file, but ${facts.title} is a folder${such}`);
  }
  const places: SamplePlace[] = [];
  const missing: SamplePart[] = [];
  for (const part of parts) {
    const folder = path.join(root, part.folder);
    const archive = path.join(root, part.archive);
    if ((await kindOfSource(folder)) === 'folder') {
      places.push({
        part,
        archive: null,
        tree: new FolderTree(folder, depthBelow(part, facts), part.folder === '' ? '' : `${part.folder}/`),
      });
    } else if ((await kindOfSource(archive)) === 'file') {
      places.push({ part, archive, tree: new ZipTree(archive, part.archive) });
    } else {
      missing.push(part);
    }
  }
  if (missing.length === 0) return places;
  const names = missing.map((part) => `neither ${part.folder}/ nor ${packed?.name ?? part.archive}`);
  return failMissing(facts, 'samples', root, `contains ${listSome(names, 3)}`);
}
