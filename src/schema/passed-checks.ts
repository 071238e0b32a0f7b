import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hashText, isSha256 } from '../files/canonical-json.ts';

/** Raise this when a new validator or option changes what passes. */
const formatVersion = 1;

/** Enough for a few profiles with their overrides; older entries are the least likely to recur. */
const keptAtMost = 500;

/**
 * Remembers what has passed which schema, so that the validator, which takes longer to load and compile
 * than everything else here combined, is needed only after a change. Failures are never remembered.
 */
export class PassedChecks {
  readonly #file: string | undefined;
  readonly #keys: Set<string>;
  #changed = false;

  private constructor(file: string | undefined, keys: Iterable<string>) {
    this.#file = file;
    this.#keys = new Set(keys);
  }

  /** @param file where they are kept between runs; an unreadable file counts as empty */
  static open(file: string): PassedChecks {
    let text = '';
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      // The file does not exist or is unreadable: everything is checked again.
    }
    return new PassedChecks(file, text.split('\n').filter(isSha256));
  }

  /** Kept in memory only. */
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
      // An unwritable folder costs the next run a few milliseconds and is not worth an error.
    }
  }
}

function hash(schema: string, subject: string): string {
  return hashText(`${formatVersion} ${schema.length}\n${schema}\n${subject}`);
}
