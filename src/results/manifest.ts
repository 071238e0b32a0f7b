import * as v from 'valibot';
import { count, type Value } from '../base/files/shape.ts';
import { type ResultFile, readResult } from './result-file.ts';

/** One file of a data set as found. */
const fileShape = v.object({
  /** Relative to the data set's root, with `/`. */
  path: v.string(),
  sizeBytes: count,
  md5: v.string(),
  /** `archive`: contains the others. `duplicate`: the same as another, and not used. `unlisted`: not part of the data set and not used. */
  status: v.picklist(['ok', 'archive', 'duplicate', 'unlisted']),
});
export type ManifestFile = Value<typeof fileShape>;

const split = v.object({ recordings: count, clips: count });
/** Clips by some key, for instance by class. */
const clipCounts = v.record(v.string(), count);

const shape = v.object({
  version: v.literal(1),
  dataset: v.string(),
  simulated: v.boolean(),
  /** Whether the data are in archives, as downloaded. */
  archive: v.boolean(),
  splits: v.object({ train: split, test: split }),
  /** By user, light and class name. */
  perUser: clipCounts,
  perLight: clipCounts,
  /** For each user, by its lights; only for data sets with both. */
  perUserLight: v.exactOptional(v.record(v.string(), clipCounts)),
  perClass: clipCounts,
  warnings: v.array(v.string()),
  files: v.array(fileShape),
});

/** manifest.json: what `verify` found. It has no absolute paths and no times, so that the same data give the same manifest. */
export type Manifest = Value<typeof shape>;

export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readManifest(from: ResultFile): Manifest {
  return readResult(from, shape);
}
