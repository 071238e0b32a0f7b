import type { Fields } from '../formats/fields.ts';
import { parseResult, type ResultFile } from './result-file.ts';

/** One file of a data set as found. */
export interface ManifestFile {
  /** Relative to the data set's root, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly md5: string;
  /** `archive`: contains the others. `unlisted`: not part of the data set and not used. */
  readonly status: 'ok' | 'archive' | 'unlisted';
}

/** Clips by some key, for instance by class. */
type ClipCounts = Readonly<Record<string, number>>;

/** manifest.json: what `verify` found. It has no absolute paths and no times, so that the same data give the same manifest. */
export interface Manifest {
  readonly version: 1;
  readonly dataset: string;
  readonly simulated: boolean;
  /** Whether the data are in archives, as downloaded. */
  readonly archive: boolean;
  readonly splits: Readonly<
    Record<'train' | 'test', { readonly recordings: number; readonly clips: number }>
  >;
  /** By user, light and class name. */
  readonly perUser: ClipCounts;
  readonly perLight: ClipCounts;
  /** For each user, by its lights; only for data sets with both. */
  readonly perUserLight?: Readonly<Record<string, ClipCounts>>;
  readonly perClass: ClipCounts;
  readonly warnings: readonly string[];
  readonly files: readonly ManifestFile[];
}

export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readManifest(from: ResultFile): Manifest {
  const fields = parseResult(from);
  const splits = fields.object('splits');
  const users = fields.has('perUserLight') ? fields.object('perUserLight') : null;
  return {
    version: 1,
    dataset: fields.text('dataset'),
    simulated: fields.flag('simulated'),
    archive: fields.flag('archive'),
    splits: { train: readSplit(splits.object('train')), test: readSplit(splits.object('test')) },
    perUser: readCounts(fields.object('perUser')),
    perLight: readCounts(fields.object('perLight')),
    ...(users === null
      ? {}
      : {
          perUserLight: Object.fromEntries(
            users.keys().map((user) => [user, readCounts(users.object(user))]),
          ),
        }),
    perClass: readCounts(fields.object('perClass')),
    warnings: fields.texts('warnings'),
    files: fields.objects('files').map((file) => ({
      path: file.text('path'),
      sizeBytes: file.count('sizeBytes'),
      md5: file.text('md5'),
      status: file.choice('status', ['ok', 'archive', 'unlisted']),
    })),
  };
}

function readSplit(fields: Fields): Manifest['splits']['train'] {
  return { recordings: fields.count('recordings'), clips: fields.count('clips') };
}

function readCounts(fields: Fields): ClipCounts {
  return Object.fromEntries(fields.keys().map((key) => [key, fields.count(key)]));
}
