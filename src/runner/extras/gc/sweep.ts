import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../../errors.ts';
import { syncFolder } from '../../../files/atomic-file.ts';
import { removeEmptyFolder } from '../../../files/folders.ts';

/**
 * In the order in which they are removed: records before what they name, so that a run never finds a record without noticing that its
 * outputs are gone.
 */
export const garbageKinds = ['records', 'trees', 'files', 'code', 'resume', 'logs', 'leftovers'] as const;

export type GarbageKind = (typeof garbageKinds)[number];

/** A file or folder that nothing needs. */
export interface Garbage {
  readonly kind: GarbageKind;
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** Removes garbage in the order of {@link garbageKinds}; after a kill at any moment the rest is still garbage. */
export async function sweep(garbage: readonly Garbage[]): Promise<void> {
  for (const kind of garbageKinds) {
    const folders = new Set<string>();
    for (const one of garbage.filter((candidate) => candidate.kind === kind)) {
      await fs.rm(one.path, { recursive: true, force: true });
      folders.add(path.dirname(one.path));
    }
    for (const folder of folders) {
      await syncFolder(folder).catch(ignoreMissing);
      // Those named by the first two letters of a digest.
      if (/^[0-9a-f]{2}$/.test(path.basename(folder))) await removeEmptyFolder(folder);
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (!hasErrorCode(error, 'ENOENT')) throw error;
}

/** The size of everything at or below a path; 0 if it is gone. */
export async function measureSize(target: string): Promise<number> {
  const stats = await fs.lstat(target).catch(() => null);
  if (stats === null) return 0;
  if (!stats.isDirectory()) return stats.size;
  let sizeBytes = 0;
  for (const name of await fs.readdir(target).catch(() => [])) {
    sizeBytes += await measureSize(path.join(target, name));
  }
  return sizeBytes;
}
