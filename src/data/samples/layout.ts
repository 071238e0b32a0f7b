import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { type DatasetFacts, SPLITS, type Split } from '../contract/dataset.ts';
import { failMissing } from '../contract/how-to-get.ts';
import type { Events, Sensor } from '../events/events.ts';
import { type FileTree, FolderTree, kindOfSource } from '../reading/file-tree.ts';
import { ZipTree } from '../reading/zip-tree.ts';

/** A part of a data set: a folder, or the zip that unpacks to it. */
export interface SamplePart {
  readonly folder: string;
  readonly archive: string;
  /** Of the zip as published; null if the publisher gives none. */
  readonly md5: string | null;
}

/** Where a sample belongs, as far as its name says; the split is null if the samples of a class are split by `trainShare`. */
interface SampleName {
  readonly class: number;
  readonly split: Split | null;
  /** For the order in which a class is split: `cifar10_bird_2.aedat` comes before `cifar10_bird_10.aedat`. */
  readonly number: number;
}

/** A data set with one file of events per sample, in folders or in zips of them. */
export interface SampleLayout
  extends Pick<
    DatasetFacts,
    'name' | 'title' | 'profile' | 'classes' | 'published' | 'usualRoot' | 'howToGet' | 'simulated'
  > {
  readonly sensor: Sensor;
  readonly parts: readonly SamplePart[];
  /** What samples are called, for messages: `Train/<digit>/<number>.bin`. */
  readonly sampleNames: string;
  /** A larger file is not a sample. */
  readonly largestSampleBytes: number;
  /** `Train/7/00042.bin` -> its class and split; null for any other name. */
  parseName(path: string): SampleName | null;
  /** Of each class, the first floor(trainShare · n) by number are for training; null if names or folders say which. */
  readonly trainShare: number | null;
  /** @throws {ReproError} if the bytes are not a sample */
  decode(bytes: Uint8Array, file: string): Promise<DecodedSample> | DecodedSample;
}

interface DecodedSample {
  readonly events: Events;
  /** One sentence for each accepted irregularity. */
  readonly warnings: readonly string[];
}

/** The name of a sample in a part; null for another file. A zip may hold samples of another part, which would be read twice. */
export function sampleIn(layout: SampleLayout, part: SamplePart, path: string): SampleName | null {
  return path.startsWith(`${part.folder}/`) ? layout.parseName(path) : null;
}

export interface Sample {
  readonly path: string;
  readonly class: number;
}

/**
 * Sorts samples into splits, each in name order.
 *
 * @param paths all file names, in any order; those that are not samples are left out
 */
export function splitSamples(layout: SampleLayout, paths: readonly string[]): Record<Split, Sample[]> {
  const splits: Record<Split, Sample[]> = { train: [], test: [] };
  const classes: { readonly path: string; readonly number: number }[][] = layout.classes.map(() => []);
  for (const path of [...paths].sort(compareCodeUnits)) {
    const name = layout.parseName(path);
    if (name === null) continue;
    if (name.split !== null) splits[name.split].push({ path, class: name.class });
    else classes[name.class]!.push({ path, number: name.number });
  }
  for (const [label, members] of classes.entries()) {
    members.sort((a, b) => a.number - b.number);
    // Rounded down, so that a handful of samples is tested too; the small number is for 0.9 · 10 and its like.
    const kept = Math.floor((layout.trainShare ?? 1) * members.length + 1e-9);
    for (const [i, { path }] of members.entries()) {
      splits[i < kept ? 'train' : 'test'].push({ path, class: label });
    }
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

/** A part's folder has at most folders of classes, and these have samples. */
const FOLDER_DEPTH = 2;

/**
 * Finds every part at `root`: each as a folder, or else as a zip.
 *
 * @throws {ReproError} `data-missing` with all steps to get the data
 */
export async function locateSamples(layout: SampleLayout, root: string): Promise<SamplePlace[]> {
  const kind = await kindOfSource(root);
  if (kind === null) failMissing(layout, 'samples', root, 'does not exist');
  if (kind === 'file') {
    const { title, parts } = layout;
    const message = `${path.resolve(root)} is a file, but ${title} is a folder with ${parts.length} parts, such as ${parts[0]?.folder}/ or ${parts[0]?.archive}.`;
    throw new ReproError('data-missing', message, {
      where: 'dataset.root',
      fix: `Point dataset.root at that folder: --set dataset.root=DIR.\n${layout.howToGet(layout.usualRoot)}`,
    });
  }
  const places: SamplePlace[] = [];
  const missing: SamplePart[] = [];
  for (const part of layout.parts) {
    const folder = path.join(root, part.folder);
    const archive = path.join(root, part.archive);
    if ((await kindOfSource(folder)) === 'folder') {
      places.push({ part, archive: null, tree: new FolderTree(folder, FOLDER_DEPTH, `${part.folder}/`) });
    } else if ((await kindOfSource(archive)) === 'file') {
      places.push({ part, archive, tree: new ZipTree(archive, part.archive) });
    } else {
      missing.push(part);
    }
  }
  if (missing.length === 0) return places;
  const names = missing.map((part) => `neither ${part.folder}/ nor ${part.archive}`);
  return failMissing(layout, 'samples', root, `contains ${names.join(', ')}`);
}
