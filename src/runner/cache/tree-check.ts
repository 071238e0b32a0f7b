import process from 'node:process';
import type { Tree, TreeEntry } from '../files/digest.ts';
import { isSha256 } from '../files/sha256.ts';

/** Whether a value from a file is a list of files, and every path in it stays inside the folder. */
export function isSafeTree(value: unknown): value is Tree {
  if (typeof value !== 'object' || value === null) return false;
  const { entries, emptyFolders } = value as Partial<Tree>;
  return (
    Array.isArray(entries) &&
    entries.every(isSafeEntry) &&
    Array.isArray(emptyFolders) &&
    emptyFolders.every(isSafePath)
  );
}

function isSafeEntry(value: unknown): value is TreeEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { path, size, sha256 } = value as Partial<TreeEntry>;
  return isSafePath(path) && Number.isSafeInteger(size) && Number(size) >= 0 && isSha256(sha256);
}

/** Relative, with `/`, and without `.` or `..`: whoever can write a list must not be able to write elsewhere. */
export function isSafePath(value: unknown): value is string {
  if (typeof value !== 'string' || value.includes('\0')) return false;
  if (process.platform === 'win32' && /[\\:]/.test(value)) return false;
  return value.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
