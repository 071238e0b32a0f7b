import fs from 'node:fs/promises';
import path from 'node:path';
import { hashText } from '../../files/canonical-json.ts';
import type { Tree } from '../store/digest.ts';
import type { Store } from '../store/store.ts';

/** Source files and configuration are far smaller; larger texts are data, and not read line by line. */
const textBytesAtMost = 256 * 1024;

/** A folder of more files is a data set: looking for texts in it would read it all. */
export const textFilesAtMost = 200;

/**
 * Keeps the texts that a run was made from in the store, so that a later difference can be shown line by line. What is not kept
 * (too large, not a text, changed before it was read) only cannot be shown.
 */
export class KeptTexts {
  readonly #store: Store;
  readonly #known = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  async keepFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
    for (const [file, sha256] of Object.entries(files)) await this.#keep(path.resolve(root, file), sha256);
  }

  async keepTree(absolute: string, tree: Tree): Promise<void> {
    if (tree.entries.length > textFilesAtMost) return;
    for (const entry of tree.entries) {
      if (entry.size > textBytesAtMost) continue;
      await this.#keep(entry.path === '' ? absolute : path.join(absolute, entry.path), entry.sha256);
    }
  }

  async #keep(absolute: string, sha256: string): Promise<void> {
    if (this.#known.has(sha256)) return;
    this.#known.add(sha256);
    if (this.#store.hasFile(sha256)) return;
    const bytes = await readSmallFile(absolute);
    if (bytes === null || hashText(bytes) !== sha256 || decodeText(bytes) === null) return;
    // Without it the run is just as good, so a full disk is left to what must be written.
    await this.#store.keepFile(sha256, bytes).catch(() => {});
  }
}

async function readSmallFile(absolute: string): Promise<Buffer | null> {
  try {
    const stats = await fs.stat(absolute);
    return stats.isFile() && stats.size <= textBytesAtMost ? await fs.readFile(absolute) : null;
  } catch {
    return null;
  }
}

/** Bytes as text; null if they are not UTF-8 or contain zeros. */
export function decodeText(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Lines around each change. */
const contextLines = 2;

/** Texts that differ in more lines than this are not read as a difference, and finding one would take too long. */
const editsAtMost = 4000;

export type TextDiff =
  | {
      readonly kind: 'lines';
      /** Unified, without the names: `@@ -1,3 +1,3 @@` and lines that begin with a space, `-` or `+`. */
      readonly lines: readonly string[];
      readonly added: number;
      readonly removed: number;
    }
  | { readonly kind: 'unavailable'; readonly why: string };

export interface TextVersions {
  /** sha256 of the bytes; null if not recorded. */
  readonly before: string | null;
  readonly now: string | null;
  /** On disk, relative to the project or absolute. */
  readonly file: string;
}

/** The difference of a text of which the store kept the earlier version. */
export async function compareTexts(
  store: Store,
  projectRoot: string,
  { before, now, file }: TextVersions,
): Promise<TextDiff> {
  if (before === null) return unavailable('the earlier text was not recorded');
  const old = await store.readFile(before, textBytesAtMost);
  if (old === null) return unavailable('the earlier text was not kept');
  const onDisk = await readSmallFile(path.resolve(projectRoot, file));
  const isPresent = onDisk !== null && (now === null || hashText(onDisk) === now);
  const present = isPresent || now === null ? onDisk : await store.readFile(now, textBytesAtMost);
  if (present === null) return unavailable('the present text cannot be read, or is too large');
  const [oldText, presentText] = [decodeText(old), decodeText(present)];
  if (oldText === null || presentText === null) return unavailable('not a text');
  return diffTexts(oldText, presentText);
}

const unavailable = (why: string): TextDiff => ({ kind: 'unavailable', why });

async function diffTexts(before: string, now: string): Promise<TextDiff> {
  const { structuredPatch } = await import('diff');
  const patch = structuredPatch('', '', before, now, undefined, undefined, {
    context: contextLines,
    maxEditLength: editsAtMost,
  });
  if (patch === undefined) return unavailable('almost every line differs');
  const lines = patch.hunks.flatMap((hunk) => [
    `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`,
    ...hunk.lines,
  ]);
  const count = (sign: string): number =>
    patch.hunks.flatMap((hunk) => hunk.lines).filter((line) => line.startsWith(sign)).length;
  return { kind: 'lines', lines, added: count('+'), removed: count('-') };
}
