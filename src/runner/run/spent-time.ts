import fs from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import { listFileStates } from '../store/file-states.ts';

/** The time that earlier executions spent on what the present one resumes from. */
interface SpentTime {
  readonly version: 1;
  readonly startedAt: string;
  readonly seconds: number;
}

/**
 * Takes note that an execution begins, so that the time of all that led to a result can be told. Each counts until it last
 * saved something into its resume folders, which also holds for one that was killed: what it did after that is done again.
 *
 * It only informs, so what cannot be written is left out, and what cannot be read counts as none.
 *
 * @param resume its resume folders, absolute, as they are now
 * @returns the seconds that earlier executions spent on what is there
 */
export async function beginSpending(
  folder: CacheFolder,
  fingerprint: string,
  resume: readonly string[],
): Promise<number> {
  if (resume.length === 0) return 0;
  const nowMs = Date.now();
  const savedMs = await findLastSave(resume);
  const before = savedMs === null ? null : await read(fileOf(folder, fingerprint));
  const lastMs = Math.min(savedMs ?? 0, nowMs);
  const seconds =
    before === null ? 0 : before.seconds + Math.max(0, lastMs - Date.parse(before.startedAt)) / 1000;
  const spent: SpentTime = { version: 1, startedAt: new Date(nowMs).toISOString(), seconds };
  await writeFileAtomic(fileOf(folder, fingerprint), `${JSON.stringify(spent)}\n`).catch(() => {
    // A full or read-only disk: the run itself says so.
  });
  return seconds;
}

export async function forgetSpending(folder: CacheFolder, fingerprint: string): Promise<void> {
  // Nothing reads a file that stays behind.
  await fs.rm(fileOf(folder, fingerprint), { force: true }).catch(() => {});
}

/** When anything in these resume folders was last written; null if there is nothing. */
export async function findLastSave(folders: readonly string[]): Promise<number | null> {
  const states = await Promise.all(folders.map(listFileStates)).catch(() => []);
  const times = states.flat().map(({ changedNs }) => Number(changedNs / 1_000_000n));
  return times.length === 0 ? null : times.reduce((last, one) => Math.max(last, one));
}

function fileOf(folder: CacheFolder, fingerprint: string): string {
  return path.join(folder.attempts, `${fingerprint}.spent.json`);
}

async function read(file: string): Promise<SpentTime | null> {
  try {
    const spent = JSON.parse(await fs.readFile(file, 'utf8')) as SpentTime;
    return spent.version === 1 && Number.isFinite(spent.seconds + Date.parse(spent.startedAt)) ? spent : null;
  } catch {
    return null;
  }
}
