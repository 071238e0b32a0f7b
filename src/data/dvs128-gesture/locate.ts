import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import type { GestureFacts } from '../../results/dataset-facts.ts';
import { failMissing, howToGet } from '../contract/how-to-get.ts';
import { kindOfSource } from '../reading/file-tree.ts';
import { locatePacked, type PackedPlace } from '../reading/tar-tree.ts';
import { ARCHIVE, FOLDER, TRIAL_LISTS } from './files.ts';

/**
 * Finds the recordings at `root`, as `locatePacked`.
 *
 * @throws {ReproError} `data-missing` with all steps to get the data
 */
export async function locateGestures(facts: GestureFacts, root: string): Promise<PackedPlace> {
  const kind = await kindOfSource(root);
  if (kind === 'file' && !isArchiveName(root)) {
    throw new ReproError('data-missing', `${path.resolve(root)} is a file, but not a .tar.gz archive.`, {
      where: 'dataset.root',
      fix:
        `Point dataset.root at ${ARCHIVE}, at a folder that contains it, or at ${FOLDER}/: --set dataset.root=DIR.\n` +
        howToGet(facts, facts.root),
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
  return failMissing(facts, 'recordings', root, kind === null ? 'does not exist' : what);
}

function isArchiveName(name: string): boolean {
  return /\.(?:tar\.gz|tgz)$/.test(name);
}
