import fs from 'node:fs/promises';
import path from 'node:path';
import { syncFolder, writeFileAtomic } from '../files/atomic-file.ts';

/**
 * A folder in which a stage keeps what it can go on from. It survives interruption and failure, and belongs to one
 * fingerprint, which a marker beside it names; for any other it is emptied, since it would be the start of another result.
 */
export class ResumeFolder {
  readonly #absolute: string;

  constructor(projectRoot: string, relative: string) {
    this.#absolute = path.resolve(projectRoot, relative);
  }

  /** Makes the folder ready for a fingerprint. @returns whether something of another fingerprint was thrown away */
  async open(fingerprint: string): Promise<{ absolute: string; wasEmptied: boolean }> {
    const marker = this.#marker();
    const owner = await fs.readFile(marker, 'utf8').catch(() => '');
    let wasEmptied = false;
    if (owner.trim() !== fingerprint) {
      const names = await fs.readdir(this.#absolute).catch(() => []);
      wasEmptied = names.length > 0;
      await fs.rm(this.#absolute, { recursive: true, force: true });
      await fs.mkdir(path.dirname(this.#absolute), { recursive: true });
      // Before the marker changes, the old content must be gone for good.
      await syncFolder(path.dirname(this.#absolute));
      await writeFileAtomic(marker, `${fingerprint}\n`);
    }
    await fs.mkdir(this.#absolute, { recursive: true });
    return { absolute: this.#absolute, wasEmptied };
  }

  /** After success: the outputs are all that is needed. */
  async drop(): Promise<void> {
    await fs.rm(this.#absolute, { recursive: true, force: true });
    await fs.rm(this.#marker(), { force: true });
  }

  #marker(): string {
    return `${this.#absolute}.fingerprint`;
  }
}
