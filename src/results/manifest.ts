import { parseResult, type ResultFile } from './result-file.ts';
import {
  choice,
  count,
  flag,
  list,
  object,
  optional,
  readShape,
  record,
  text,
  texts,
  type Value,
} from './shape.ts';

/** One file of a data set as found. */
const fileShape = {
  /** Relative to the data set's root, with `/`. */
  path: text,
  sizeBytes: count,
  md5: text,
  /** `archive`: contains the others. `unlisted`: not part of the data set and not used. */
  status: choice(['ok', 'archive', 'unlisted']),
};
export type ManifestFile = Value<typeof fileShape>;

const split = object({ recordings: count, clips: count });
/** Clips by some key, for instance by class. */
const clipCounts = record(count);

const shape = {
  version: (): 1 => 1,
  dataset: text,
  simulated: flag,
  /** Whether the data are in archives, as downloaded. */
  archive: flag,
  splits: object({ train: split, test: split }),
  /** By user, light and class name. */
  perUser: clipCounts,
  perLight: clipCounts,
  /** For each user, by its lights; only for data sets with both. */
  perUserLight: optional(record(clipCounts)),
  perClass: clipCounts,
  warnings: texts,
  files: list(fileShape),
};

/** manifest.json: what `verify` found. It has no absolute paths and no times, so that the same data give the same manifest. */
export type Manifest = Value<typeof shape>;

export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readManifest(from: ResultFile): Manifest {
  return readShape(parseResult(from), shape);
}
