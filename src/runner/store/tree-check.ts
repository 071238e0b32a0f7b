import process from 'node:process';
import { isSha256 } from '../../files/canonical-json.ts';
import type { Tree, TreeEntry } from './digest.ts';

/**
 * Whether a value from a file is a list of files exactly as a scan makes it: every path stays inside the folder and can be made, sorted,
 * with nothing that the digest leaves out but the mode. Any other list would be stored and then never match what is in place.
 */
export function isSafeTree(value: unknown): value is Tree {
  if (!hasOnly(value, ['entries', 'emptyFolders'])) return false;
  const { entries, emptyFolders } = value as Partial<Tree>;
  return (
    Array.isArray(entries) &&
    entries.every(isSafeEntry) &&
    Array.isArray(emptyFolders) &&
    emptyFolders.every(isSafePath) &&
    canAllBeMade(
      entries.map((entry) => entry.path),
      emptyFolders,
    )
  );
}

function isSafeEntry(value: unknown): value is TreeEntry {
  if (!hasOnly(value, ['path', 'size', 'sha256', 'executable'])) return false;
  const { path, size, sha256, executable } = value as Partial<TreeEntry>;
  return (
    isSafePath(path) &&
    Number.isSafeInteger(size) &&
    Number(size) >= 0 &&
    isSha256(sha256) &&
    (executable === undefined || executable === true)
  );
}

function hasOnly(value: unknown, keys: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).every((key) => keys.includes(key));
}

/** Whether no path is listed twice, and none is below a file or below a folder that is said to be empty. */
function canAllBeMade(files: readonly string[], emptyFolders: readonly string[]): boolean {
  const isSorted = (names: readonly string[]): boolean =>
    names.every((name, i) => i === 0 || (names[i - 1] ?? '') < name);
  const ends = new Set([...files, ...emptyFolders]);
  const isBelowOne = (name: string): boolean => {
    for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
      if (ends.has(name.slice(0, at))) return true;
    }
    return false;
  };
  return (
    isSorted(files) &&
    isSorted(emptyFolders) &&
    ends.size === files.length + emptyFolders.length &&
    ![...ends].some(isBelowOne)
  );
}

/** What Linux can make: a name of 255 bytes, in a path shorter than 4096. */
const nameBytesAtMost = 255;
const pathBytesAtMost = 4095;

/** Relative, with `/`, and without `.` or `..`: a list from a file must not name paths outside its folder. */
export function isSafePath(value: unknown): value is string {
  if (typeof value !== 'string' || value.includes('\0') || Buffer.byteLength(value) > pathBytesAtMost)
    return false;
  if (process.platform === 'win32' && /[\\:]/.test(value)) return false;
  // Half a character becomes another name on the disk.
  if (/\p{Surrogate}/u.test(value)) return false;
  return value
    .split('/')
    .every(
      (part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= nameBytesAtMost,
    );
}
