import fs from 'node:fs/promises';
import { hasErrorCode } from '../errors.ts';

/** Removes a folder if it is empty. @returns whether it is gone */
export async function removeEmptyFolder(folder: string): Promise<boolean> {
  try {
    await fs.rmdir(folder);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return true;
    if (hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}
