import type { Fields } from '../../formats/fields.ts';
import type { ManifestResult, SplitCount, Tally, UserTally } from '../data/results.ts';

/** What the manifest says about the data as a whole, apart from counts. */
export interface ManifestHead {
  readonly dataset: string;
  readonly simulated: boolean;
}

export function readManifestHead(fields: Fields): ManifestHead {
  requireVersion(fields);
  return { dataset: fields.text('dataset'), simulated: fields.flag('simulated') };
}

/** @throws {ReproError} naming the file and the field */
export function readManifest(fields: Fields, sha256: string): ManifestResult {
  let files = 0;
  let sizeBytes = 0;
  let unlisted = 0;
  for (const file of fields.objects('files')) {
    const status = file.choice('status', ['ok', 'archive', 'unlisted']);
    // The files in an archive are counted, not the archive itself.
    if (status === 'archive') continue;
    files += 1;
    sizeBytes += file.count('sizeBytes');
    if (status === 'unlisted') unlisted += 1;
  }
  const splits = fields.object('splits');
  return {
    sha256,
    files,
    sizeBytes,
    archive: fields.flag('archive'),
    unlisted,
    train: readSplit(splits.object('train')),
    test: readSplit(splits.object('test')),
    perUser: readTallies(fields, 'perUser'),
    perLight: readTallies(fields, 'perLight'),
    perUserLight: readUserTallies(fields),
    perClass: readTallies(fields, 'perClass'),
    warnings: fields.texts('warnings'),
  };
}

export function requireVersion(fields: Fields): void {
  const version = fields.count('version');
  if (version !== 1) fields.fail('version', `is ${version}, but this report reads version 1 only`);
}

function readSplit(fields: Fields): SplitCount {
  return { recordings: fields.count('recordings'), clips: fields.count('clips') };
}

/** Clips by key, in the file's order. Empty if the data set has no such key. */
function readTallies(fields: Fields, name: string): Tally[] {
  if (!fields.has(name)) return [];
  const counts = fields.object(name);
  return counts.keys().map((key) => ({ key, clips: counts.count(key) }));
}

function readUserTallies(fields: Fields): UserTally[] {
  if (!fields.has('perUserLight')) return [];
  const users = fields.object('perUserLight');
  return users.keys().map((user) => ({ user, lights: readTallies(users, user) }));
}
