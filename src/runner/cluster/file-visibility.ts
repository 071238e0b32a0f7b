import { readdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** How often to check whether a file from another node has appeared. */
const lookEveryMs = 500;

/**
 * Waits until files from another node are visible here: a network file system may show an old state of a folder for a while.
 *
 * @param check whether everything is there
 * @param folders listed before each check, so that NFS asks the server
 * @returns whether everything was there in time
 */
export async function waitUntilVisible(
  check: () => boolean | Promise<boolean>,
  {
    folders,
    patienceSeconds,
    signal,
  }: { readonly folders: readonly string[]; readonly patienceSeconds: number; readonly signal?: AbortSignal },
): Promise<boolean> {
  const until = performance.now() + patienceSeconds * 1000;
  for (;;) {
    // Also before the first check, which may otherwise see an old state.
    for (const folder of folders) await fs.readdir(folder).catch(() => []);
    if (await check()) return true;
    if (performance.now() >= until || signal?.aborted === true) return false;
    await wait(lookEveryMs, undefined, { signal }).catch(() => {});
  }
}

/** Whether all of these exist. */
export async function exist(files: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    files.map((file) =>
      fs.lstat(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.every(Boolean);
}

/** The folders that files are in, each once. */
export function foldersOf(files: readonly string[]): string[] {
  return [...new Set(files.map((file) => path.dirname(file)))];
}

/** Lists a folder, so that NFS asks the server for new files in it. */
export function refreshFolder(folder: string): void {
  try {
    readdirSync(folder);
  } catch {
    // The folder does not exist here yet.
  }
}
