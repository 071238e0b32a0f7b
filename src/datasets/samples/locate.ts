import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { distance } from 'fastest-levenshtein';
import { ReproError } from '../../errors.ts';
import { byName, type FileTree, FolderTree, kindOfPath, type TreeFile } from '../file-tree.ts';
import { RELATIVE_ROOT } from '../show-path.ts';
import { ZipTree } from '../zip-tree.ts';
import type { SampleLayout, SamplePart } from './layout.ts';

/** Where one part's samples were found; names start with the part's folder whether it is zipped or not. */
export interface SamplePlace {
  readonly part: SamplePart;
  /** The zip's full path; null for a folder. */
  readonly archive: string | null;
  readonly tree: FileTree & {
    list(): Promise<string[]>;
    /** What is not a file; there is nothing like that in a zip. */
    others?(): Promise<string[]>;
  };
}

/** At most class folders below a part's folder, and samples below those. */
const FOLDER_DEPTH = 2;

/**
 * Finds every part at `root`: each as a folder, or else as a zip.
 *
 * @throws {ReproError} `data-missing` with all steps to get the data
 */
export async function locateSamples(layout: SampleLayout, root: string): Promise<SamplePlace[]> {
  const kind = await kindOfPath(root);
  if (kind === null) fail(layout, root, 'does not exist', []);
  if (kind === 'file') failNoFolder(layout, root);
  const places: SamplePlace[] = [];
  const missing: SamplePart[] = [];
  for (const part of layout.parts) {
    const folder = path.join(root, part.folder);
    const archive = path.join(root, part.archive);
    if ((await kindOfPath(folder)) === 'folder') {
      places.push({ part, archive: null, tree: below(new FolderTree(folder, FOLDER_DEPTH), part.folder) });
    } else if ((await kindOfPath(archive)) === 'file') {
      places.push({ part, archive, tree: new ZipTree(archive, part.archive) });
    } else {
      missing.push(part);
    }
  }
  if (missing.length === 0) return places;
  const names = missing.map((part) => `neither ${part.folder}/ nor ${part.archive}`);
  return fail(layout, root, `contains ${names.join(', ')}`, await nameClosest(root, missing));
}

/** The same files with the folder's name prefixed. */
function below(tree: FolderTree, folder: string): SamplePlace['tree'] {
  const prefix = `${folder}/`;
  const renamed = (file: TreeFile): TreeFile => ({ ...file, path: `${prefix}${file.path}` });
  const insideOf = (names: ReadonlySet<string>) =>
    new Set([...names].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)));
  return {
    walk: (visit, signal, wanted) =>
      tree.walk((file) => visit(renamed(file)), signal, wanted && insideOf(wanted)),
    list: async () => (await tree.list()).map((name) => `${prefix}${name}`),
    others: async () => (await tree.others()).map((name) => `${prefix}${name}`),
  };
}

/** `It contains train/: rename that to Train/.` for each name that was probably meant; empty if none is close. */
async function nameClosest(root: string, missing: readonly SamplePart[]): Promise<string[]> {
  const entries = (await readdir(root)).sort(byName);
  return missing.flatMap((part) =>
    [part.folder, part.archive].flatMap((name) => {
      // Of a name such as `a/`, every other letter is one step away.
      if (name.length < 4) return [];
      const close = entries.find(
        (entry) => entry !== name && distance(entry.toLowerCase(), name.toLowerCase()) <= 1,
      );
      return close === undefined ? [] : [`It contains ${close}: rename that to ${name}.`];
    }),
  );
}

function fail(layout: SampleLayout, root: string, what: string, hints: readonly string[]): never {
  const message = `the ${layout.title} samples were not found: ${path.resolve(root)} ${what}.`;
  throw new ReproError('data-missing', message, {
    where: 'dataset.root',
    fix: [...hints, `${RELATIVE_ROOT}.`, layout.howToGet(root)].join('\n'),
  });
}

function failNoFolder(layout: SampleLayout, root: string): never {
  const [first] = layout.parts;
  const message = `${path.resolve(root)} is a file, but ${layout.title} is a folder with ${layout.parts.length} parts, such as ${first?.folder}/ or ${first?.archive}.`;
  throw new ReproError('data-missing', message, {
    where: 'dataset.root',
    fix: `Point dataset.root at that folder: --set dataset.root=DIR.\n${layout.howToGet(layout.usualRoot)}`,
  });
}
