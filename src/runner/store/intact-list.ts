import path from 'node:path';
import { digestOutput, type Tree } from './digest.ts';
import { DigestCache } from './digest-cache.ts';

/**
 * The files of a folder in place if, read anew, it is what its digest says; otherwise null.
 *
 * @throws what reading it throws, such as EACCES
 */
export async function listIntact(absolute: string, digest: string): Promise<Tree | null> {
  const remembersNothing = new DigestCache(path.join(absolute, '\0'), absolute);
  const found = await digestOutput(absolute, remembersNothing);
  return found.kind === 'folder' && found.digest === digest ? found.tree : null;
}
