import path from 'node:path';
import { hashText } from '../../files/canonical-json.ts';
import type { Store } from '../store/store.ts';
import { decodeText, readSmallFile, textBytesAtMost } from './kept-texts.ts';

/** Lines around each change. */
const contextLines = 2;

/** Texts that differ in more lines than this are not read as a difference, and finding one would take too long. */
const editsAtMost = 4000;

/** The difference of a file's text, or why it cannot be shown. */
export type TextDiff =
  | {
      readonly kind: 'lines';
      /** Unified, without the names: `@@ -1,3 +1,3 @@` and lines that begin with a space, `-` or `+`. */
      readonly lines: readonly string[];
      readonly added: number;
      readonly removed: number;
    }
  | { readonly kind: 'unavailable'; readonly why: string };

/** Where the two versions of a file are. */
export interface TextVersions {
  /** sha256 of the bytes; null if not recorded. */
  readonly before: string | null;
  readonly now: string | null;
  /** The file on disk, relative to the project or absolute; null if it is only in the store. */
  readonly file: string | null;
}

/** Shows differences of texts of which the store kept the earlier version. */
export class TextDiffs {
  readonly #store: Store;
  readonly #projectRoot: string;

  constructor(store: Store, projectRoot: string) {
    this.#store = store;
    this.#projectRoot = projectRoot;
  }

  async compare({ before, now, file }: TextVersions): Promise<TextDiff> {
    if (before === null) return unavailable('the earlier text was not recorded');
    const old = await this.#store.readFile(before, textBytesAtMost);
    if (old === null) return unavailable('the earlier text was not kept');
    const present = await this.#readNow(now, file);
    if (present === null) return unavailable('the present text cannot be read, or is too large');
    const [oldText, presentText] = [decodeText(old), decodeText(present)];
    if (oldText === null || presentText === null) return unavailable('not a text');
    return diffTexts(oldText, presentText);
  }

  async #readNow(sha256: string | null, file: string | null): Promise<Uint8Array | null> {
    const onDisk = file === null ? null : await readSmallFile(path.resolve(this.#projectRoot, file));
    if (onDisk !== null && (sha256 === null || hashText(onDisk) === sha256)) return onDisk;
    return sha256 === null ? null : this.#store.readFile(sha256, textBytesAtMost);
  }
}

function unavailable(why: string): TextDiff {
  return { kind: 'unavailable', why };
}

/** The unified difference of two texts. */
export async function diffTexts(before: string, now: string): Promise<TextDiff> {
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
