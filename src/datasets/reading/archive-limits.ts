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

/** Refuses what no data set's archive contains. Each check throws `archive-unsafe`. */
export class ArchiveGuard {
  readonly #label: string;
  readonly #limits: ArchiveLimits;

  /** @param label the archive's name for messages */
  constructor(label: string, limits: ArchiveLimits) {
    this.#label = label;
    this.#limits = limits;
  }

  checkCount(entries: number): void {
    const { mostEntries } = this.#limits;
    if (entries > mostEntries) this.refuse(`more than ${mostEntries.toLocaleString('en-US')} entries`);
  }

  checkName(name: string): void {
    if (name === '') this.refuse('an entry without a name');
    if (name.includes('\0')) this.refuse('a name with a NUL character', name);
    // A separator on Windows and a character elsewhere: the same archive would be two different ones.
    if (name.includes('\\')) this.refuse('a name with a backslash', name);
    if (name.startsWith('/') || /^[A-Za-z]:/.test(name) || name.split('/').includes('..')) {
      this.refuse('a path that leaves the archive', name);
    }
  }

  /** @param sizeBytes of one file, unpacked */
  checkSize(sizeBytes: number, name: string): void {
    const { mostFileBytes } = this.#limits;
    if (sizeBytes <= mostFileBytes) return;
    const most = `at most ${formatBytes(mostFileBytes)} are read`;
    this.refuse(`a file of ${formatBytes(sizeBytes)} unpacked; ${most}`, name);
  }

  checkRatio(unpackedBytes: number, packedBytes: number, name?: string): void {
    const { mostRatio, ratioFromBytes } = this.#limits;
    if (unpackedBytes <= ratioFromBytes || unpackedBytes <= packedBytes * mostRatio) return;
    const sizes = `${formatBytes(packedBytes)} unpack to ${formatBytes(unpackedBytes)} or more`;
    this.refuse(`${sizes}: over ${mostRatio.toLocaleString('en-US')} times as much`, name);
  }

  refuse(what: string, name?: string): never {
    const about = name === undefined ? '' : `: ${JSON.stringify(name)}`;
    throw new ReproError('archive-unsafe', `${what}${about}.`, {
      where: this.#label,
      fix: 'This is not the published archive of the data set: download that one.',
    });
  }
}
