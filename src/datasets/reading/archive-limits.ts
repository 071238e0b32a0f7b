import { ReproError } from '../../errors.ts';
import { formatBytes } from '../../text.ts';

/** What an archive may contain. More than any real data set needs; only an archive made to exhaust the reader exceeds it. */
export interface ArchiveLimits {
  readonly mostEntries: number;
  /** Of one file, unpacked. */
  readonly mostFileBytes: number;
  /** Unpacked bytes for each packed one, once more than `ratioFromBytes` are unpacked. */
  readonly mostRatio: number;
  readonly ratioFromBytes: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  // ASL-DVS has 100,800 files, N-MNIST's Train.zip 60,000.
  mostEntries: 1_000_000,
  // An hour of a busy megapixel camera.
  mostFileBytes: 64_000_000_000,
  // Deflate reaches 1,032 for one byte repeated forever. Events pack to a half or a third.
  mostRatio: 1_000,
  // A small file of zeros is harmless.
  ratioFromBytes: 16_000_000,
};

/** What is wrong with unpacking so many bytes from so few; null if nothing. */
export function ratioProblem(
  unpackedBytes: number,
  packedBytes: number,
  limits: ArchiveLimits,
): string | null {
  if (unpackedBytes <= limits.ratioFromBytes || unpackedBytes <= packedBytes * limits.mostRatio) return null;
  return `${formatBytes(packedBytes)} unpack to ${formatBytes(unpackedBytes)} or more: over ${limits.mostRatio.toLocaleString('en-US')} times as much`;
}

/** What is wrong with a file of this size; null if nothing. */
export function sizeProblem(sizeBytes: number, limits: ArchiveLimits): string | null {
  if (sizeBytes <= limits.mostFileBytes) return null;
  return `a file of ${formatBytes(sizeBytes)} unpacked; at most ${formatBytes(limits.mostFileBytes)} are read`;
}

/** What is wrong with this many entries; null if nothing. */
export function countProblem(entries: number, limits: ArchiveLimits): string | null {
  if (entries <= limits.mostEntries) return null;
  return `more than ${limits.mostEntries.toLocaleString('en-US')} entries`;
}

/** What is wrong with an entry's name; null if nothing. */
export function nameProblem(name: string): string | null {
  if (name === '') return 'an entry without a name';
  if (name.includes('\0')) return 'a name with a NUL character';
  // A separator on Windows and a character elsewhere: the same archive would be two different ones.
  if (name.includes('\\')) return 'a name with a backslash';
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name) || name.split('/').includes('..')) {
    return 'a path that leaves the archive';
  }
  return null;
}

/** The error for an archive that is refused. @param label its name for messages */
export function unsafeArchive(what: string, label: string): ReproError {
  return new ReproError('archive-unsafe', `${what}.`, {
    where: label,
    fix: 'This is not the published archive of the data set: download that one.',
  });
}
