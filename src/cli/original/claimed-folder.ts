import fs from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { makeFolder, removeEmptyFolder } from '../../files/folders.ts';
import { acquireLock, type Lock } from '../../files/lock.ts';

/** The folder inside a claimed one that keeps other processes out. */
export const lockFolder = 'lock';

/** A folder that only this process writes to. */
export class ClaimedFolder {
  readonly #folder: string;
  readonly #lock: Lock;
  /** The outermost folder that had to be created for it. */
  readonly #firstMade: string | undefined;

  private constructor(folder: string, lock: Lock, firstMade: string | undefined) {
    this.#folder = folder;
    this.#lock = lock;
    this.#firstMade = firstMade;
  }

  /**
   * Creates the folder if needed, and keeps other processes out of it.
   *
   * @param folder absolute
   * @param fix what to do if the folder cannot be created
   * @throws {ReproError} `locked` if another process has it, `output-nowhere` if it cannot be created
   */
  static async claim(folder: string, fix: string): Promise<ClaimedFolder> {
    const firstMade = await makeFolder(folder, fix);
    return new ClaimedFolder(folder, await acquireLock(path.join(folder, lockFolder)), firstMade);
  }

  /** @throws {ReproError} `lock-lost` if another process has taken the folder, which it may if this one appears dead */
  assertHeld(): void {
    if (!this.#lock.isLost()) return;
    throw new ReproError(
      'lock-lost',
      'Another training has taken over this folder, or its lock was deleted.',
      {
        where: this.#folder,
        fix: 'Everything saved so far is kept. Run the command again when no other training uses the folder.',
      },
    );
  }

  /** Releases the folder. If nothing was written, removes the lock and the folders that were created for it. */
  async leave(): Promise<void> {
    // A lost folder is for its new owner to clean up.
    const isUsed =
      this.#lock.isLost() || (await fs.readdir(this.#folder)).some((name) => name !== lockFolder);
    if (isUsed) return this.#lock.release();
    await this.#lock.dissolve();
    if (this.#firstMade === undefined) return;
    let folder = this.#folder;
    while ((await removeEmptyFolder(folder)) && folder !== this.#firstMade) folder = path.dirname(folder);
  }
}
