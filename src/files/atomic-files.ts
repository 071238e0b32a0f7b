import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { blame, makeFolderSynced, syncFolder, writeSynced } from './atomic-file.ts';

export interface FileToWrite {
  readonly file: string;
  readonly content: string | Uint8Array;
}

/**
 * Writes several files, each whole or not at all, and none unless there is room for all: their contents are written beside them first.
 * Makes the folders if needed.
 */
export async function writeFilesAtomic(files: readonly FileToWrite[]): Promise<void> {
  const waiting: { readonly file: string; readonly partial: string }[] = [];
  try {
    for (const { file, content } of files) {
      await makeFolderSynced(path.dirname(file));
      const partial = path.join(path.dirname(file), `.${randomUUID()}.partial`);
      waiting.push({ file, partial });
      await writeSynced(partial, content).catch((error: unknown) => {
        throw blame(error, file);
      });
    }
    for (const { file, partial } of waiting) {
      await fs.rename(partial, file).catch((error: unknown) => {
        throw blame(error, file);
      });
    }
  } finally {
    for (const { partial } of waiting) await fs.rm(partial, { force: true });
  }
  for (const folder of new Set(files.map(({ file }) => path.dirname(file)))) await syncFolder(folder);
}
