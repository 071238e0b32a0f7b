import * as v from 'valibot';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits, hashJson, isSha256 } from '../../base/files/canonical-json.ts';
import { count, type Value } from '../../base/files/shape.ts';
import type { DigestCache } from './digest-cache.ts';
import { hashFiles } from './hash-files.ts';
import { type Scan, scanTree } from './tree.ts';

/** Stays inside the project; what it names can be a path on every disk. */
export const safePath = v.custom<string>(isSafePath);
export const sha256 = v.custom<string>(isSha256);

const entryShape = v.object({
  /** Relative, with `/`. */
  path: safePath,
  size: count,
  sha256,
  /** Kept to restore the file as it was; not part of any digest, since file systems differ here. */
  executable: v.exactOptional(v.literal(true)),
});
export type TreeEntry = Value<typeof entryShape>;

const treeShape = v.object({ entries: v.array(entryShape), emptyFolders: v.array(safePath) });

/** The content of a folder: its files and its folders without files, sorted by path code unit. */
export type Tree = Value<typeof treeShape>;

export interface FoundDigest {
  readonly kind: 'file' | 'folder';
  readonly digest: string;
  readonly sizeBytes: number;
  readonly files: number;
  readonly tree: Tree;
}

export type PathDigest = { readonly kind: 'missing' } | FoundDigest;

/** A folder's digest: sha256 over the relative path, size and sha256 of every file in it, and over the folders without files. */
export function digestTree(tree: Tree): string {
  return hashJson([
    'tree',
    tree.entries.map((entry) => [entry.path, entry.size, entry.sha256]),
    tree.emptyFolders,
  ]);
}

export function executablesOf(tree: Tree): string[] {
  return tree.entries.filter((entry) => entry.executable === true).map((entry) => entry.path);
}

/** The list with these files executable, and no others. */
export function withExecutables({ entries, emptyFolders }: Tree, names: readonly string[]): Tree {
  const wanted = new Set(names);
  return {
    entries: entries.map(({ executable: _, ...entry }) =>
      wanted.has(entry.path) ? { ...entry, executable: true } : entry,
    ),
    emptyFolders,
  };
}

/** What is known of files' hashes; null: all of them are read. */
export type KnownDigests = DigestCache | null;

/** The content digest of a path: a file's sha256, a folder's {@link digestTree}. Only files unknown to the cache are read. */
export async function digestPath(absolute: string, cache: KnownDigests): Promise<PathDigest> {
  return digestScan(await scanTree(absolute), cache);
}

/** The sha256 of a file, or what is there instead: `folder` or `missing`. */
export async function digestFile(absolute: string, cache: KnownDigests): Promise<string> {
  const found = await digestPath(absolute, cache);
  return found.kind === 'file' ? found.digest : found.kind;
}

/** The digest of what is in the place of an output. What cannot even be listed (a link loop, say) is not what the stage left. */
export async function digestOutput(
  absolute: string,
  cache: KnownDigests,
): Promise<PathDigest | { readonly kind: 'altered' }> {
  try {
    return await digestPath(absolute, cache);
  } catch (error) {
    if (error instanceof ReproError) return { kind: 'altered' };
    throw error;
  }
}

async function digestScan(scan: Scan, cache: KnownDigests): Promise<PathDigest> {
  if (scan.kind === 'missing') return { kind: 'missing' };
  const known = scan.files.map((file) => cache?.find(file.absolute, file.stamp));
  const unknown = scan.files.filter((_, i) => known[i] === undefined);
  if (unknown.length > 0) {
    const hashedAtMs = Date.now();
    const hashes = await hashFiles(unknown);
    unknown.forEach((file, i) => {
      cache?.remember(file.absolute, file.stamp, hashes[i] ?? '', hashedAtMs);
    });
    let next = 0;
    for (let i = 0; i < known.length; i += 1) known[i] ??= hashes[next++];
  }
  const entries = scan.files.map(
    (file, i): TreeEntry => ({
      path: file.path,
      size: file.stamp.size,
      sha256: known[i] ?? '',
      ...(file.executable ? { executable: true } : {}),
    }),
  );
  return digestOfTree(scan.kind, { entries, emptyFolders: scan.emptyFolders });
}

export function digestOfTree(kind: FoundDigest['kind'], tree: Tree): FoundDigest {
  const sizeBytes = tree.entries.reduce((sum, entry) => sum + entry.size, 0);
  const [first] = tree.entries;
  if (kind === 'file' && first !== undefined) {
    return { kind, digest: first.sha256, sizeBytes, files: 1, tree };
  }
  return { kind: 'folder', digest: digestTree(tree), sizeBytes, files: tree.entries.length, tree };
}

export function digestBelow(tree: Tree, relative: string): PathDigest {
  const file = tree.entries.find((entry) => entry.path === relative);
  if (file !== undefined) return digestOfTree('file', { entries: [{ ...file, path: '' }], emptyFolders: [] });
  const prefix = `${relative}/`;
  const entries = tree.entries
    .filter((entry) => entry.path.startsWith(prefix))
    .map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) }));
  const emptyFolders = tree.emptyFolders
    .filter((folder) => folder.startsWith(prefix))
    .map((folder) => folder.slice(prefix.length));
  if (entries.length > 0 || emptyFolders.length > 0 || tree.emptyFolders.includes(relative)) {
    return digestOfTree('folder', { entries, emptyFolders });
  }
  return { kind: 'missing' };
}

/** Whether a value from a file, perhaps of a remote, is a list of files inside the folder, as a folder on a disk gives it: sorted, for one. */
export function isSafeTree(value: unknown): value is Tree {
  if (!v.is(treeShape, value)) return false;
  const files = value.entries.map((entry) => entry.path);
  const paths = [...files, ...value.emptyFolders];
  const isSorted = (all: readonly string[]) =>
    all.every((one, i) => compareCodeUnits(all[i - 1] ?? '', one) < 0);
  const all = new Set(paths);
  const isBelowOther = (one: string): boolean => {
    for (let at = one.indexOf('/'); at !== -1; at = one.indexOf('/', at + 1)) {
      if (all.has(one.slice(0, at))) return true;
    }
    return false;
  };
  const areSorted = isSorted(files) && isSorted(value.emptyFolders);
  return areSorted && all.size === paths.length && !paths.some(isBelowOther);
}

/** Of all file systems in use. */
const nameBytesAtMost = 255;

/** macOS takes 1,024 bytes, with the project's folder in front. */
const pathBytesAtMost = 512;

/** Relative, with `/`, and without `.` or `..`: a list from a file must not name paths outside its folder. */
function isSafePath(value: unknown): value is string {
  if (typeof value !== 'string' || /\0|\p{Surrogate}/u.test(value)) return false;
  if (Buffer.byteLength(value) > pathBytesAtMost) return false;
  return value
    .split('/')
    .every((part) => !['', '.', '..'].includes(part) && Buffer.byteLength(part) <= nameBytesAtMost);
}
