import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { distance } from 'fastest-levenshtein';
import { ReproError } from '../../errors.ts';
import { SPLITS, type Split } from '../dataset.ts';
import { byName, type FileTree, FolderTree, kindOfPath, type TreeFile } from '../file-tree.ts';
import { RELATIVE_ROOT } from '../show-path.ts';
import { ZipTree } from '../zip-tree.ts';
import { ARCHIVES, FOLDERS, howToGetNmnist, USUAL_ROOT } from './facts.ts';

/** Where one split's samples were found; names are like `Train/0/00002.bin` in either case. */
export interface NmnistPlace {
  readonly split: Split;
  /** The zip's full path; null for a folder. */
  readonly archive: string | null;
  readonly tree: FileTree & { list(): Promise<string[]> };
}

/** Class folders below the split's, samples below those. */
const FOLDER_DEPTH = 2;

/**
 * Finds both splits at `root`: each as a folder, or else as a zip.
 *
 * @throws {ReproError} `data-missing` with all steps to get the data
 */
export async function locateNmnist(root: string): Promise<Record<Split, NmnistPlace>> {
  const kind = await kindOfPath(root);
  if (kind === null) fail(root, 'does not exist', []);
  if (kind === 'file') failNoFolder(root);
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
  const names = missing.map((split) => `neither ${FOLDERS[split]}/ nor ${ARCHIVES[split].name}`);
  return fail(root, `contains ${names.join(', ')}`, await nameClosest(root, missing));
}

/** The same files with the folder's name prefixed. */
function below(tree: FolderTree, folder: string): NmnistPlace['tree'] {
  const renamed = (file: TreeFile): TreeFile => ({ ...file, path: `${folder}/${file.path}` });
  return {
    walk: (visit, signal) => tree.walk((file) => visit(renamed(file)), signal),
    list: async () => (await tree.list()).map((name) => `${folder}/${name}`),
  };
}

/** `It contains train/: rename that to Train/.` for each name that was probably meant; empty if none is close. */
async function nameClosest(root: string, missing: readonly Split[]): Promise<string[]> {
  const entries = (await readdir(root)).sort(byName);
  return missing.flatMap((split) =>
    [FOLDERS[split], ARCHIVES[split].name].flatMap((name) => {
      const close = entries.find(
        (entry) => entry !== name && distance(entry.toLowerCase(), name.toLowerCase()) <= 1,
      );
      return close === undefined ? [] : [`It contains ${close}: rename that to ${name}.`];
    }),
  );
}

function fail(root: string, what: string, hints: readonly string[]): never {
  throw new ReproError('data-missing', `the N-MNIST samples were not found: ${path.resolve(root)} ${what}.`, {
    where: 'dataset.root',
    fix: [...hints, `${RELATIVE_ROOT}.`, howToGetNmnist(root)].join('\n'),
  });
}

function failNoFolder(root: string): never {
  const message = `${path.resolve(root)} is a file, but N-MNIST is a folder with Train/ or Train.zip, and Test/ or Test.zip.`;
  throw new ReproError('data-missing', message, {
    where: 'dataset.root',
    fix: `Point dataset.root at that folder: --set dataset.root=DIR.\n${howToGetNmnist(USUAL_ROOT)}`,
  });
}
