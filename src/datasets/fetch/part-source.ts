import fs from 'node:fs/promises';
import { hasErrorCode } from '../../errors.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { kindOfPath } from '../../files/folders.ts';
import type { FileVersion } from './answer-headers.ts';
import { type Checksum, PART_ENDING, SOURCE_ENDING } from './remote-file.ts';

/** Where the bytes of an incomplete download came from, kept in a small file beside them. */
export interface PartSource {
  /** As listed, before redirects. */
  readonly url: string;
  readonly version: FileVersion;
}

/** The sole writer: the folder is locked. */
export async function writeSource(file: string, checksum: Checksum, source: PartSource): Promise<void> {
  const { url, version } = source;
  const content = { version: 1, checksum, url, ...version };
  await writeFileAtomic(file, `${JSON.stringify(content, null, 2)}\n`, { soleWriter: true });
}

/**
 * @param checksum of the file wanted now
 * @returns `absent` if there is no such file; `useless` if it is damaged, or about a file with another checksum
 */
export async function readSource(
  file: string,
  checksum: Checksum,
): Promise<PartSource | 'absent' | 'useless'> {
  const text = await fs.readFile(file, 'utf8').catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (text === null) return 'absent';
  const found = parse(text);
  if (found === null || found.version !== 1) return 'useless';
  const { url, etag, lastModified, ifRange, checksum: wanted } = found;
  if (!isRecord(wanted) || wanted.kind !== checksum.kind || wanted.hex !== checksum.hex) return 'useless';
  if (
    typeof url !== 'string' ||
    !isTextOrNull(etag) ||
    !isTextOrNull(lastModified) ||
    !isTextOrNull(ifRange)
  ) {
    return 'useless';
  }
  return { url, version: { etag, lastModified, ifRange } };
}

/**
 * Removes the note that a command leaves if it is killed between giving the complete file its name and the end. Not if there
 * is a part, which somebody may be writing.
 *
 * @param target path of the complete file
 */
export async function removeStrayNote(target: string): Promise<void> {
  if ((await kindOfPath(target + PART_ENDING)) !== null) return;
  await fs.rm(target + SOURCE_ENDING, { force: true }).catch(() => {
    // The folder may be one that nobody can write to, and the note does no harm.
  });
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
