import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { SPLITS, type Split } from '../dataset.ts';
import { type FileTree, FolderTree, kindOfPath, type TreeFile } from '../file-tree.ts';
import { showPath } from '../show-path.ts';
import { ZipTree } from '../zip-tree.ts';
import { ARCHIVES, FOLDERS, howToGetNmnist } from './facts.ts';

/** Where one split's samples were found; names are `Train/0/00002.bin` either way. */
export interface NmnistPlace {
  readonly split: Split;
  /** Full path of the zip, null for a folder. */
  readonly archive: string | null;
  readonly tree: FileTree & { list(): Promise<string[]> };
}

/** Class folders below the split's, samples below those. */
const FOLDER_DEPTH = 2;

/**
 * Finds either split at `root`: its folder, or else its zip.
 *
 * @throws {ReproError} `data-missing` with all steps to get the data
 */
export async function locateNmnist(root: string): Promise<Record<Split, NmnistPlace>> {
  const shown = showPath(root);
  const kind = await kindOfPath(root);
  if (kind !== 'folder') {
    fail(shown, kind === null ? `${shown} does not exist` : `${shown} is no folder`);
  }
  const places: Partial<Record<Split, NmnistPlace>> = {};
  for (const split of SPLITS) {
    const folder = path.join(root, FOLDERS[split]);
    const archive = path.join(root, ARCHIVES[split].name);
    if ((await kindOfPath(folder)) === 'folder') {
      const tree = below(new FolderTree(folder, FOLDER_DEPTH), FOLDERS[split]);
      places[split] = { split, archive: null, tree };
    } else if ((await kindOfPath(archive)) === 'file') {
      places[split] = { split, archive, tree: new ZipTree(archive, ARCHIVES[split].name) };
    }
  }
  const { train, test } = places;
  if (train !== undefined && test !== undefined) return { train, test };
  const missing = SPLITS.filter((split) => places[split] === undefined);
  return fail(
    shown,
    `${shown} holds ${missing.map((split) => `neither ${FOLDERS[split]}/ nor ${ARCHIVES[split].name}`).join(', ')}`,
  );
}

/** The same files with the folder's name before theirs. */
function below(tree: FolderTree, folder: string): NmnistPlace['tree'] {
  const renamed = (file: TreeFile): TreeFile => ({ ...file, path: `${folder}/${file.path}` });
  return {
    walk: (visit, signal) => tree.walk((file) => visit(renamed(file)), signal),
    list: async () => (await tree.list()).map((name) => `${folder}/${name}`),
  };
}

function fail(shown: string, what: string): never {
  throw new ReproError('data-missing', `the samples of N-MNIST are not here: ${what}.`, {
    where: 'dataset.root',
    fix: howToGetNmnist(shown),
  });
}
