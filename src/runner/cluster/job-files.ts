import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import type { StageLaunch } from '../../executors/executor.ts';
import type { StageInstance } from '../plan/plan.ts';
import { listFileStates } from '../store/file-states.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { settingsFile } from './cluster-settings.ts';

/** What a job on a node does: `launch.json` in its folder, beside the stage's `task.json`. */
export interface JobLaunch {
  readonly instance: StageInstance;
  readonly parts: FingerprintParts;
  /** `environment`: only the variables that name folders of the job. */
  readonly launch: Omit<StageLaunch, 'stop' | 'kill' | 'onMessage' | 'onStart'>;
  /** Names of the variables that the stage sees, as they are on the node. */
  readonly variables: readonly string[];
  readonly cacheRoot: string;
  /** Inputs that other stages made, with the time of their last change: a node may still see older ones. */
  readonly made: readonly { readonly path: string; readonly mtimeMs: number }[];
  readonly patienceSeconds: number;
}

/** A digest of the files below these folders by size and time, without reading them: they may be large. */
export async function describeFolders(folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const [i, folder] of folders.entries()) {
    for (const file of await listFileStates(folder)) {
      hash.update(`${i} ${file.path} ${file.sizeBytes} ${file.changedNs}\n`);
    }
  }
  return hash.digest('hex');
}

/**
 * Waits until a network file system shows what another machine has written.
 *
 * @param what such as `the outputs did not appear here`
 * @throws {ReproError} `not-visible` if it does not in time; the signal's reason if that ends this
 */
export async function awaitVisible(
  what: string,
  check: () => Promise<boolean>,
  { patienceSeconds, signal }: { readonly patienceSeconds: number; readonly signal: AbortSignal },
): Promise<void> {
  const untilMs = performance.now() + patienceSeconds * 1000;
  while (!(await check())) {
    if (performance.now() >= untilMs) {
      throw new ReproError('not-visible', `${what} within ${patienceSeconds} s`, {
        where: settingsFile,
        fix: 'If the file system is only slow, raise `patience:`.',
      });
    }
    await wait(500, undefined, { signal });
  }
}

/** The time of the last change of a file or folder; null if it is not there. Its folder is listed first, so that NFS asks the server. */
export async function lastChangeOf(file: string): Promise<number | null> {
  refreshFolder(path.dirname(file));
  return fs.stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  );
}

/** Lists a folder, so that NFS asks the server for new files in it. */
export function refreshFolder(folder: string): void {
  try {
    readdirSync(folder);
  } catch {
    // It does not exist here yet.
  }
}

/** How long after SIGTERM a stage may save its work. Slurm kills what takes longer than its `KillWait`, 30 s by default. */
export const termSeconds = 25;

/** More than this is read in parts. */
const readAtMost = 1024 * 1024;

/** The whole lines of a file that another machine appends to, from an offset on; none while it cannot be read: the next call reads them. */
export function readLinesFrom(
  file: string,
  offset: number,
): { readonly lines: readonly string[]; readonly offset: number } {
  try {
    // Opened each time, since only then does NFS ask the server for the latest state.
    const descriptor = openSync(file, 'r');
    try {
      const buffer = Buffer.alloc(Math.min(Math.max(0, fstatSync(descriptor).size - offset), readAtMost));
      const read = readSync(descriptor, buffer, 0, buffer.length, offset);
      const end = buffer.subarray(0, read).lastIndexOf(0x0a) + 1;
      return { lines: buffer.toString('utf8', 0, end).split('\n').slice(0, -1), offset: offset + end };
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return { lines: [], offset };
  }
}
