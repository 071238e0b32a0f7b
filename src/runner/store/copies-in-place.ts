import type { TreeEntry } from './digest.ts';
import { hashFiles } from './hash-files.ts';
import { type ScannedFile, scanTree } from './tree.ts';

/** What was found while looking for contents in the places of outputs. */
export interface CopiesInPlace {
  /** sha256 -> absolute path of a file that has just this content. */
  readonly copies: ReadonlyMap<string, string>;
  /** What could not be read, in part or at all: absolute path of the output -> why. */
  readonly problems: ReadonlyMap<string, unknown>;
}

/**
 * Looks for contents in all outputs, wherever in them: the same may be in several, and only one need be intact. Files of other sizes are not
 * read.
 *
 * @param outputs absolute
 */
export async function findCopiesInPlace(
  wanted: readonly TreeEntry[],
  outputs: readonly string[],
): Promise<CopiesInPlace> {
  const sizes = new Set(wanted.map(({ size }) => size));
  const missing = new Set(wanted.map(({ sha256 }) => sha256));
  const copies = new Map<string, string>();
  const problems = new Map<string, unknown>();
  if (wanted.length === 0) return { copies, problems };
  for (const output of outputs) {
    try {
      const { files } = await scanTree(output);
      const candidates = files.filter(({ stamp }) => sizes.has(stamp.size));
      const hashes = await hashFiles(candidates).catch(() => hashEach(candidates, problems, output));
      for (const [i, { absolute }] of candidates.entries()) {
        const sha256 = hashes[i] ?? null;
        if (sha256 !== null && missing.has(sha256) && !copies.has(sha256)) copies.set(sha256, absolute);
      }
    } catch (error) {
      problems.set(output, error);
    }
  }
  return { copies, problems };
}

/** One after the other, once it is known that one of them cannot be read. */
async function hashEach(
  files: readonly ScannedFile[],
  problems: Map<string, unknown>,
  output: string,
): Promise<(string | null)[]> {
  const hashes: (string | null)[] = [];
  for (const file of files) {
    const [hash = null] = await hashFiles([file]).catch((error: unknown) => {
      problems.set(output, error);
      return [];
    });
    hashes.push(hash);
  }
  return hashes;
}
