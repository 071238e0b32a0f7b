import { existsSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { identifyThisProcess, type ProcessIdentity } from '../../base/files/process-identity.ts';
import { shortenText } from '../../base/text.ts';
import { type CacheFolder, fileNameOf } from './cache-folder.ts';

export interface AttemptFailure {
  readonly code: string;
  readonly text: string;
  readonly seconds: number;
}

/** An execution that is running or has failed. A successful one has a record instead. */
export interface Attempt {
  readonly version: 1;
  readonly id: string;
  readonly fingerprint: string;
  readonly startedAt: string;
  readonly runner: ProcessIdentity;
  /** null: it is running, or its runner was killed. */
  readonly failure: AttemptFailure | null;
}

/** A text from a stage may be of any length; the log has all of it. */
const textLengthAtMost = 2000;

/**
 * The last attempt of each instance that has not succeeded: one small file each, which appears when a stage starts and goes when it
 * succeeds. It only informs, so what cannot be written is left out, and one that a crash has cut off counts as none.
 */
export class Attempts {
  readonly #folder: CacheFolder;
  /** Looked up once: some systems need another process for it. */
  #runner: ProcessIdentity | null = null;

  constructor(folder: CacheFolder) {
    this.#folder = folder;
  }

  async begin(id: string, fingerprint: string): Promise<Attempt> {
    this.#runner ??= identifyThisProcess();
    const attempt: Attempt = {
      version: 1,
      id,
      fingerprint,
      startedAt: new Date().toISOString(),
      runner: this.#runner,
      failure: null,
    };
    const file = this.#fileOf(id);
    await ignoreErrors(
      fs
        .mkdir(path.dirname(file), { recursive: true })
        .then(() => fs.writeFile(file, JSON.stringify(attempt))),
    );
    return attempt;
  }

  async fail(attempt: Attempt, { code, text, seconds }: AttemptFailure): Promise<void> {
    const failure = { code, text: shortenText(text, textLengthAtMost), seconds };
    await ignoreErrors(writeFileAtomic(this.#fileOf(attempt.id), JSON.stringify({ ...attempt, failure })));
  }

  /** After a success, also one that was found or fetched, or an interruption, which says nothing about the stage. */
  async drop(id: string): Promise<void> {
    const file = this.#fileOf(id);
    if (existsSync(file)) await ignoreErrors(fs.rm(file));
  }

  find(id: string): Attempt | null {
    try {
      const value = JSON.parse(readFileSync(this.#fileOf(id), 'utf8')) as Attempt;
      return value.version === 1 && value.id === id ? value : null;
    } catch {
      return null;
    }
  }

  #fileOf(id: string): string {
    return path.join(this.#folder.attempts, `${fileNameOf(id)}.json`);
  }
}

async function ignoreErrors(work: Promise<unknown>): Promise<void> {
  await work.catch(() => {
    // A full or read-only disk: the run itself says so.
  });
}
