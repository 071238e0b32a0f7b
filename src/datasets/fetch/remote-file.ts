import { ReproError } from '../../errors.ts';

export interface Checksum {
  readonly kind: 'md5' | 'sha256';
  /** Lower case. */
  readonly hex: string;
}

/** A published file: where to download it, and how to check it. */
export interface RemoteFile {
  /** Its name in the folder. */
  readonly name: string;
  /** Mirrors of the same bytes, tried in this order. */
  readonly urls: readonly string[];
  /** null if it is not published. */
  readonly sizeBytes: number | null;
  readonly checksum: Checksum;
}

/** `resumed`: part of it was downloaded by an earlier command. */
export type FetchOutcome = 'already there' | 'downloaded' | 'resumed';

/** What a download adds to a file's name while it is incomplete. */
export const PART_ENDING = '.part';
/** What it adds for the note of where the part came from. */
export const SOURCE_ENDING = '.part.json';

/**
 * Only characters that every file system takes and no shell needs quoted except the space: the name comes from a table, and
 * must not be able to leave the folder on any system.
 */
const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_ .()+,@=-]{0,198}[A-Za-z0-9_)])?$/;
const HEX_LENGTH = { md5: 32, sha256: 64 } as const;

/**
 * Checks a table of files before anything is downloaded.
 *
 * @throws {ReproError} `fetch-invalid` for a name that is not a plain file name or occurs twice, an address that is not
 *   http or https, a negative size, or something that cannot be a checksum
 */
export function checkRemoteFiles(files: readonly RemoteFile[]): void {
  const seen = new Set<string>();
  for (const file of files) {
    const problem = problemWith(file) ?? (seen.has(key(file)) ? 'the name occurs twice' : null);
    if (problem !== null) {
      throw new ReproError('fetch-invalid', `${problem}.`, {
        where: JSON.stringify(file.name),
        fix: 'Correct it in the list of files to download.',
      });
    }
    seen.add(key(file));
  }
}

/** Names that differ only in case are one file on macOS and Windows. */
function key(file: RemoteFile): string {
  return file.name.toLowerCase();
}

function problemWith({ name, urls, sizeBytes, checksum }: RemoteFile): string | null {
  if (!NAME.test(name)) {
    return 'expected a plain file name of letters, digits, spaces and _.()+,@=-, without folders and not hidden';
  }
  if ([PART_ENDING, SOURCE_ENDING].some((ending) => name.toLowerCase().endsWith(ending))) {
    return `${PART_ENDING} and ${SOURCE_ENDING} are for incomplete downloads`;
  }
  if (urls.length === 0) return 'expected at least one address to download it from';
  for (const url of urls) {
    const parsed = URL.canParse(url) ? new URL(url) : null;
    if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
      return `expected an address that starts with https:// or http://, found ${JSON.stringify(url)}`;
    }
    if (parsed.username !== '' || parsed.password !== '')
      return 'the address contains a user name or password';
  }
  if (sizeBytes !== null && !(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0)) {
    return `expected a size in bytes, found ${sizeBytes}`;
  }
  const length = HEX_LENGTH[checksum.kind];
  if (!new RegExp(`^[0-9a-f]{${length}}$`).test(checksum.hex)) {
    return `expected ${length} digits 0-9a-f for ${checksum.kind}, found ${JSON.stringify(checksum.hex)}`;
  }
  return null;
}
