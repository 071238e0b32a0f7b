import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { DATA_SETS } from '../../results/thesis/data-sets.ts';
import { publishedFile } from '../contract/dataset.ts';
import { failMissing, howToFetch } from '../contract/how-to-get.ts';
import { kindOfSource } from '../reading/file-tree.ts';
import { locatePacked, type PackedPlace } from '../reading/tar-tree.ts';
import recordings from './recordings.json' with { type: 'json' };

/** What a set of gesture recordings must consist of. */
export interface GestureFacts {
  /** md5 of each recording by file name, per split. */
  readonly train: Readonly<Record<string, string>>;
  readonly test: Readonly<Record<string, string>>;
  /** md5 of the published archive. */
  readonly archiveMd5: string;
  /** md5 of the small accompanying files; none of them is used. */
  readonly extras: Readonly<Record<string, string>>;
}

export const ARCHIVE = 'DvsGesture.tar.gz';
export const FOLDER = 'DvsGesture';
/** `dataset.root` of profile full. */
export const USUAL_ROOT = 'data/DvsGesture';
export const TRIAL_LISTS = { train: 'trials_to_train.txt', test: 'trials_to_test.txt' } as const;
/** Present beside simulated recordings, and nowhere else. */
export const SIMULATED_MARK = 'SIMULATED.txt';
/** Approximate; the data set's own README says 3 GB. */
export const ARCHIVE_BYTES = 2.9e9;

/** The data set as IBM published it: 98 recordings of users 1-23, 24 of users 24-29. */
export const PUBLISHED: GestureFacts = {
  ...recordings,
  archiveMd5: '8a5c71fb11e24e5ca5b11866ca6c00a1',
  extras: {
    'gesture_mapping.csv': '109b2ae64a0e1f3ef535b18ad7367fd1',
    'LICENSE.txt': '065e10099753156f18f51941e6e44b66',
    'README.txt': 'a0663d3b1d8307c329a43d949ee32d19',
  },
};

export const FACTS = {
  ...DATA_SETS['dvs128-gesture'],
  licence: 'CC BY 4.0',
  homepage: 'https://research.ibm.com/publications/a-low-power-fully-event-based-gesture-recognition-system',
  usualRoot: USUAL_ROOT,
  files: [
    publishedFile(ARCHIVE, PUBLISHED.archiveMd5, [
      'https://www.dropbox.com/s/cct5kyilhtsliup/DvsGesture.tar.gz?dl=1',
    ]),
    ...Object.entries(PUBLISHED.extras).map(([name, md5]) => publishedFile(name, md5, [])),
  ],
} as const;
export const { sensor: SENSOR, classes: CLASSES } = FACTS;

/** Rows per class in every labels file; class 1 of a labels file is `CLASSES[0]`. */
export const ROWS_PER_CLASS = FACTS.recordings.clipsByClass;

/** In this file class 9 ends after the next row starts; it was published that way. */
export const OVERLAPPING_LABELS = 'user22_led_labels.csv';

/** `user01_fluorescent_led.aedat` -> user 1, light `fluorescent_led`; null for any other name. */
export function parseRecordingName(name: string): { readonly user: number; readonly light: string } | null {
  const match = /^user(\d{2,})_([a-z0-9_]+)\.aedat$/.exec(name);
  return match === null ? null : { user: Number(match[1]), light: match[2]! };
}

function isArchiveName(name: string): boolean {
  return /\.(?:tar\.gz|tgz)$/.test(name);
}

export function labelsNameOf(recording: string): string {
  return recording.replace(/\.aedat$/, '_labels.csv');
}

/** The full instructions for getting the recordings and putting them at `root`. */
export function howToGetGestures(root: string): string {
  const steps = howToFetch(FACTS, isArchiveName(root) ? path.dirname(root) : root, [
    `That is about ${ARCHIVE_BYTES / 1e9} GB, also in a folder that the page links to: https://ibm.ent.box.com/s/3hiq58ww1pbbjrinh367ykfdf60xsfm8`,
    `It is read in place; unpacked (5 GB: tar -xzf ${ARCHIVE}) it is read faster.`,
  ]);
  return `${steps}\nWithout the recordings, \`npm run reproduce\` runs everything on simulated gestures.`;
}

/**
 * Finds the recordings at `root`, as `locatePacked`.
 *
 * @throws {ReproError} `data-missing` with all steps to get the data
 */
export async function locateGestures(root: string): Promise<PackedPlace> {
  const kind = await kindOfSource(root);
  if (kind === 'file' && !isArchiveName(root)) {
    throw new ReproError('data-missing', `${path.resolve(root)} is a file, but not a .tar.gz archive.`, {
      where: 'dataset.root',
      fix:
        `Point dataset.root at ${ARCHIVE}, at a folder that contains it, or at ${FOLDER}/: --set dataset.root=DIR.\n` +
        howToGetGestures(USUAL_ROOT),
    });
  }
  const place = await locatePacked(root, { archive: ARCHIVE, folder: FOLDER }, async (folder) =>
    (await readdir(folder)).some((name) => name === TRIAL_LISTS.train || /^user\d+_.*\.aedat$/.test(name)),
  );
  if (place !== null) return place;
  const names = kind === null ? [] : await readdir(root);
  const started = names.find((name) => name.startsWith(ARCHIVE) || name.startsWith('Unconfirmed'));
  const what =
    started === undefined
      ? `contains neither ${ARCHIVE} nor ${FOLDER}/ with recordings`
      : `contains ${started}, an unfinished download, but not ${ARCHIVE}`;
  const facts = { ...FACTS, howToGet: howToGetGestures };
  return failMissing(facts, 'recordings', root, kind === null ? 'does not exist' : what);
}
