import { createHash } from 'node:crypto';

/** md5 of a whole file's bytes, in hex: the checksum that the data sets are published with. */
export async function hashChunks(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
