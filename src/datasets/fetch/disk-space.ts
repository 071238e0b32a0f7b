import fs from 'node:fs/promises';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { formatBytes } from '../../text.ts';

import { showPath } from '../contract/how-to-get.ts';

/** Left free when a file's size is not known: a full system disk harms other programs. */
const RESERVE_BYTES = 500_000_000;
const KEPT = 'What has been downloaded is kept.';

/** How many bytes this user can still write in the folder; null if the file system does not say. */
async function freeBytes(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await fs.statfs(folder);
    // Some network file systems report zero blocks in total and have room.
    return bavail > 0 ? bavail * bsize : null;
  } catch {
    return null;
  }
}

/**
 * Refuses before the download what does not fit, rather than after hours.
 *
 * @param neededBytes still to come
 * @throws {ReproError} `disk-enospc`
 */
export async function requireSpace(folder: string, name: string, neededBytes: number): Promise<void> {
  const free = await freeBytes(folder);
  if (free === null || neededBytes <= free) return;
  throw new ReproError(
    'disk-enospc',
    `${name} needs ${formatBytes(neededBytes)} more, but only ${formatBytes(free)} are free.`,
    { where: showPath(folder), fix: `Free some space, then run the same command again. ${KEPT}` },
  );
}

/** The most bytes to accept of a file whose size nobody knows. */
export async function mostUnannouncedBytes(folder: string): Promise<number> {
  const free = await freeBytes(folder);
  return free === null ? Number.POSITIVE_INFINITY : Math.max(0, free - RESERVE_BYTES);
}

/** Says what to do about a full disk; any other error is returned as it is. */
export function explainWriteError(error: unknown, file: string): unknown {
  if (!hasErrorCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG') || error instanceof ReproError) return error;
  const [code, text, fix] = hasErrorCode(error, 'ENOSPC')
    ? ['disk-enospc', 'the disk is full (ENOSPC).', 'Free some space']
    : hasErrorCode(error, 'EDQUOT')
      ? ['disk-edquot', 'your disk quota is used up (EDQUOT).', 'Free some space or ask for more']
      : [
          'disk-efbig',
          'the file is larger than this file system or your limits allow (EFBIG).',
          'Use another disk',
        ];
  return new ReproError(code, text, {
    where: showPath(file),
    fix: `${fix}, then run the same command again. ${KEPT} The download continues there.`,
    cause: error,
  });
}
