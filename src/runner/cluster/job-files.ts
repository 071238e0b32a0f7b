import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../base/errors.ts';
import type { StageLaunch } from '../executors/executor.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { StartState } from '../run/start-state.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { listFileStates } from '../store/tree.ts';
import { settingsFile } from './cluster-settings.ts';

/** What a job on a node does: `launch.json` in its folder, beside the stage's `task.json`. */
export interface JobLaunch {
  readonly instance: StageInstance;
  readonly parts: FingerprintParts;
  /** As the run that submitted the job found it. */
  readonly start: StartState;
  /** `environment`: only the variables that name folders of the job. */
  readonly launch: Omit<StageLaunch, 'stop' | 'kill' | 'onMessage' | 'onStart'>;
  /** Inputs that other stages made: a node may still see older ones. Absolute. */
  readonly made: readonly string[];
  /** What is there: see `describeFiles`. */
  readonly madeState: string;
  readonly patienceSeconds: number;
}

/** A digest of these files, and those below these folders, by size and time, without reading them: they may be large. */
export async function describeFiles(places: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const [i, place] of places.entries()) {
    for (const file of await listFileStates(place)) {
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

/** Lists a folder, so that NFS asks the server for new files in it. */
export function refreshFolder(folder: string): void {
  try {
    readdirSync(folder);
  } catch {
    // It does not exist here yet.
  }
}

/** More than this is read in parts; no line is longer. */
const readAtMost = 1024 * 1024;

/** A file to which another machine appends lines. */
export class AppendedLines {
  readonly #file: string;
  #offset = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** The whole lines since the last call; none while the file cannot be read: the next call gives them. */
  *read(): Generator<string> {
    try {
      // Opened each time, since only then does NFS ask the server for the latest state.
      const descriptor = openSync(this.#file, 'r');
      try {
        const buffer = Buffer.allocUnsafe(readAtMost);
        for (;;) {
          const length = readSync(descriptor, buffer, 0, readAtMost, this.#offset);
          const end = buffer.subarray(0, length).lastIndexOf(0x0a);
          if (end === -1) return;
          this.#offset += end + 1;
          yield* buffer.toString('utf8', 0, end).split('\n');
        }
      } finally {
        closeSync(descriptor);
      }
    } catch {
      // The file system may fail for a moment.
    }
  }
}
