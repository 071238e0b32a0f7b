import { readdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { removeNear } from './output-files.ts';

/**
 * Removes leftovers of killed runs. Only for who holds the lock: whatever is there at the moment of the call is theirs. What appears later
 * stays, so that a run need not wait for the end.
 *
 * @param folder the cache's folder for incomplete files
 */
export async function removeLeftOver(folder: string): Promise<void> {
  const names = listNow(folder);
  const remove = async (name: string): Promise<void> => {
    await removeNear(path.join(folder, name)).catch(() => {});
    await fs.rm(path.join(folder, name), { recursive: true, force: true });
  };
  await Promise.all(names.map((name) => remove(name).catch(() => {})));
}

function listNow(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
