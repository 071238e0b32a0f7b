import type { Entry } from 'yauzl';
import { type ArchiveLimits, ratioProblem, sizeProblem } from './archive-limits.ts';

/** The file type bits of the Unix mode in a zip entry's external attributes. */
const KIND_MASK = 0o170000;
const PLAIN_FILE = 0o100000;
/** Of a local header, before the name. */
const LOCAL_HEADER_BYTES = 30;

/** Where an entry is in the archive, in bytes from its start. */
export interface ZipPlace {
  readonly name: string;
  /** Of its local header. */
  readonly start: number;
  /** At least: the local header may be longer than the directory tells. */
  readonly end: number;
  readonly unpackedBytes: number;
}

/** What is wrong with an entry to be read, by itself; null if nothing. */
export function entryProblem(entry: Entry, limits: ArchiveLimits): string | null {
  const kind = (entry.externalFileAttributes >>> 16) & KIND_MASK;
  const quoted = JSON.stringify(entry.fileName);
  if (entry.isEncrypted() || (kind !== 0 && kind !== PLAIN_FILE)) return `${quoted} is not a plain file`;
  const problem =
    sizeProblem(entry.uncompressedSize, limits) ??
    ratioProblem(entry.uncompressedSize, entry.compressedSize, limits);
  return problem === null ? null : `${quoted}: ${problem}`;
}

export function placeOf(entry: Entry): ZipPlace {
  const start = entry.relativeOffsetOfLocalHeader;
  return {
    name: entry.fileName,
    start,
    end: start + LOCAL_HEADER_BYTES + entry.fileNameLength + entry.compressedSize,
    unpackedBytes: entry.uncompressedSize,
  };
}

/**
 * Where each entry has to end: where the next one or the directory starts. Entries that share bytes unpack to far more than
 * their archive's size allows: the trick of the smallest zip bombs.
 *
 * @param directoryStart position of the directory, which follows all entries
 * @returns for each start, the end; or what is wrong
 */
export function findEnds(
  places: readonly ZipPlace[],
  directoryStart: number,
): ReadonlyMap<number, number> | { readonly problem: string } {
  const ordered = [...places].sort((a, b) => a.start - b.start);
  const ends = new Map<number, number>();
  for (const [i, place] of ordered.entries()) {
    const next = ordered[i + 1];
    const end = Math.min(next?.start ?? directoryStart, directoryStart);
    if (place.end > end) {
      const other =
        next === undefined || next.start >= directoryStart
          ? "the archive's directory"
          : JSON.stringify(next.name);
      return { problem: `${JSON.stringify(place.name)} shares bytes with ${other}` };
    }
    ends.set(place.start, end);
  }
  return ends;
}

/** What is wrong with the archive's size unpacked; null if nothing. */
export function totalProblem(
  places: readonly ZipPlace[],
  archiveBytes: number,
  limits: ArchiveLimits,
): string | null {
  const unpackedBytes = places.reduce((sum, place) => sum + place.unpackedBytes, 0);
  return ratioProblem(unpackedBytes, archiveBytes, limits);
}
