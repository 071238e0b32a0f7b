import fs from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../errors.ts';
import { removeEmptyFolder } from '../files/empty-folder.ts';
import { makeFolder } from '../files/new-folder.ts';
import { acquireLock, type Lock } from '../runner/cache/lock.ts';

/** The folder in a claimed one that keeps others out. */
export const lockFolder = 'lock';

/** A folder that this process alone writes to. */
export class ClaimedFolder {
  readonly #folder: string;
  readonly #lock: Lock;
  /** The outermost folder that was made for it. */
  readonly #firstMade: string | undefined;

  private constructor(folder: string, lock: Lock, firstMade: string | undefined) {
    this.#folder = folder;
    this.#lock = lock;
    this.#firstMade = firstMade;
  }

  /**
   * Makes the folder, if it is not there, and keeps others out of it.
   *
   * @param folder absolute
   * @param fix what a person can do where there can be no such folder
   * @throws {ReproError} `locked` if another process has it, `output-nowhere` if there can be no such folder
   */
  static async claim(folder: string, fix: string): Promise<ClaimedFolder> {
    const firstMade = await makeFolder(folder, fix);
    return new ClaimedFolder(folder, await acquireLock(path.join(folder, lockFolder)), firstMade);
  }

  /** @throws {ReproError} `lock-lost` if another process has taken the folder, as it may where this one seems dead */
  assertHeld(): void {
    if (!this.#lock.isLost()) return;
    throw new ReproError('lock-lost', 'Another training has taken this folder, or its lock was deleted.', {
      where: this.#folder,
      fix: 'What was saved before is kept. Run the command again when no other is at work there.',
    });
  }

  /** Lets others in. Where nothing was written, nothing stays behind: neither the lock nor folders that were made for it. */
  async leave(): Promise<void> {
    // A lost folder is another's to tidy.
    const isUsed =
      this.#lock.isLost() || (await fs.readdir(this.#folder)).some((name) => name !== lockFolder);
    if (isUsed) return this.#lock.release();
    await this.#lock.dissolve();
    if (this.#firstMade === undefined) return;
    let folder = this.#folder;
    while ((await removeEmptyFolder(folder)) && folder !== this.#firstMade) folder = path.dirname(folder);
  }
}
