import fs from 'node:fs/promises';
import { hasErrorCode } from '../errors.ts';

/** What is at a path, links followed: null if nothing is. Whatever is not a folder counts as a file. */
export async function kindOfPath(target: string): Promise<'file' | 'folder' | null> {
  try {
    return (await fs.stat(target)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
