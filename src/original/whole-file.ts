import { open, rename } from 'node:fs/promises';

/** Writes a file so that, whenever the process ends, it holds its old content or the new, whole. */
export async function writeWhole(file: string, content: Uint8Array | string): Promise<void> {
  const partial = `${file}.partial`; // of one writer only: the folder is locked
  const handle = await open(partial, 'w');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
}
