import { createHash } from 'node:crypto';
import { streamRegular } from '../files/regular-file.ts';

export interface FileHash {
  readonly sizeBytes: number;
  /** Hex md5 of the whole file, the checksum that the data sets are published with. */
  readonly md5: string;
}

/** Reads a file to its end. Aborts with the signal's reason. */
export function hashFile(file: string, signal: AbortSignal | undefined): Promise<FileHash> {
  return hashChunks(streamRegular(file), signal);
}

/** The same for bytes from any source. */
export async function hashChunks(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<FileHash> {
  const hash = createHash('md5');
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, md5: hash.digest('hex') };
}
