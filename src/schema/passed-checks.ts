import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Raised when the validator or its options change what passes. */
const formatVersion = 1;

/** A few profiles with their overrides; older entries are the least likely to be met again. */
const keptAtMost = 500;

/**
 * Remembers what has passed which schema, so that the validator, which takes longer to load and to compile
 * than everything else here together, is needed only after a change. Failures are never remembered.
 */
export class PassedChecks {
  readonly #file: string | undefined;
  readonly #keys: Set<string>;
  #changed = false;

  private constructor(file: string | undefined, keys: Iterable<string>) {
    this.#file = file;
    this.#keys = new Set(keys);
  }

  /** @param file where they are kept between runs; what cannot be read counts as empty */
  static async open(file: string): Promise<PassedChecks> {
    let text = '';
    try {
      text = await readFile(file, 'utf8');
    } catch {
      // No such file yet, or none that we may read: everything is checked anew.
    }
    return new PassedChecks(
      file,
      text.split('\n').filter((line) => /^[0-9a-f]{64}$/.test(line)),
    );
  }

  /** Remembers nothing beyond its own life. */
  static none(): PassedChecks {
    return new PassedChecks(undefined, []);
  }

  has(schema: string, subject: string): boolean {
    return this.#keys.has(hash(schema, subject));
  }

  add(schema: string, subject: string): void {
    this.#keys.add(hash(schema, subject));
    this.#changed = true;
  }

  async save(): Promise<void> {
    if (this.#file === undefined || !this.#changed) return;
    try {
      await mkdir(path.dirname(this.#file), { recursive: true });
      await writeFile(this.#file, `${[...this.#keys].slice(-keptAtMost).join('\n')}\n`);
    } catch {
      // A folder that cannot be written costs the next run some milliseconds, and nobody an error.
    }
  }
}

function hash(schema: string, subject: string): string {
  return createHash('sha256')
    .update(`${formatVersion} ${schema.length}\n${schema}\n${subject}`)
    .digest('hex');
}
