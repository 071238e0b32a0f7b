import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { failMissing } from '../contract/how-to-get.ts';
import { type FileTree, FolderTree, kindOfPath } from '../reading/file-tree.ts';
import { TarTree } from '../reading/tar-tree.ts';
import { ARCHIVE, FOLDER, howToGetGestures, isArchiveName, TITLE, TRIAL_LISTS, USUAL_ROOT } from './facts.ts';

export interface GesturePlace {
  /** The archive's full path; null for a folder. */
  readonly archive: string | null;
  /** File names relative to `DvsGesture/`, whether it is packed or not. */
  readonly tree: FileTree;
  /** The file names, if listing them is cheap; otherwise null. */
  list(): Promise<readonly string[] | null>;
}

/**
 * Finds the recordings at `root`: the archive itself, a folder that contains it, or the unpacked folder (`DvsGesture/` or
 * the one above). An unpacked folder is preferred to an archive beside it.
 *
 * @throws {ReproError} `data-missing` with all steps to get the data
 */
export async function locateGestures(root: string): Promise<GesturePlace> {
  const kind = await kindOfPath(root);
  if (kind === 'file') {
    if (isArchiveName(root)) return archivePlace(root);
    throw new ReproError('data-missing', `${path.resolve(root)} is a file, but not a .tar.gz archive.`, {
      where: 'dataset.root',
      fix:
        `Point dataset.root at ${ARCHIVE}, at a folder that contains it, or at ${FOLDER}/: --set dataset.root=DIR.\n` +
        howToGetGestures(USUAL_ROOT),
    });
  }
  if (kind === null) failNotFound(root, 'does not exist');
  const below = path.join(root, FOLDER);
  for (const folder of [root, below]) {
    if ((await kindOfPath(folder)) !== 'folder' || !(await holdsRecordings(folder))) continue;
    const tree = new FolderTree(folder, 1);
    return { archive: null, tree, list: () => tree.list() };
  }
  const archive = path.join(root, ARCHIVE);
  if ((await kindOfPath(archive)) === 'file') return archivePlace(archive);
  const started = (await readdir(root)).find(
    (name) => name.startsWith(ARCHIVE) || name.startsWith('Unconfirmed'),
  );
  failNotFound(
    root,
    started === undefined
      ? `contains neither ${ARCHIVE} nor ${FOLDER}/ with recordings`
      : `contains ${started}, an unfinished download, but not ${ARCHIVE}`,
  );
}

async function holdsRecordings(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  return names.some((name) => name === TRIAL_LISTS.train || /^user\d+_.*\.aedat$/.test(name));
}

function archivePlace(archive: string): GesturePlace {
  return { archive, tree: TarTree.folder(archive, FOLDER), list: async () => null };
}

function failNotFound(root: string, what: string): never {
  failMissing({ title: TITLE, howToGet: howToGetGestures }, 'recordings', root, what);
}
