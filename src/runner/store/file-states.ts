import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';

interface FileState {
  /** Relative to its folder. */
  readonly path: string;
  readonly sizeBytes: bigint;
  /** Of its last change, since 1970. */
  readonly changedNs: bigint;
}

/**
 * The files below a folder, or the file itself, sorted by path. Other processes may still write there, so files that vanish meanwhile are left out; so are those
 * that NFS keeps because they were removed while open.
 */
export async function listFileStates(folder: string): Promise<FileState[]> {
  const entries = await unlessGone(fs.readdir(folder, { recursive: true, withFileTypes: true }));
  const below = (entries ?? [])
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.nfs'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  const states: FileState[] = [];
  for (const file of entries === null ? [folder] : below) {
    const found = await unlessGone(fs.lstat(file, { bigint: true }));
    if (found === null) continue;
    states.push({ path: path.relative(folder, file), sizeBytes: found.size, changedNs: found.mtimeNs });
  }
  return states;
}

async function unlessGone<Value>(looking: Promise<Value>): Promise<Value | null> {
  try {
    return await looking;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ESTALE')) return null;
    throw error;
  }
}
