import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { stampPath } from './way.ts';

interface Place {
  /** What was there when the runner last looked or wrote: see `stampPath`. */
  readonly stamp: string;
  readonly token: string;
}

/**
 * Tells, also after a kill, whether anybody but the runner has written to the place of an output since a stage began to read it: a token
 * that stays the same while the runner itself replaces the output, for another profile, say.
 */
export class Custody {
  readonly #file: string;
  readonly #projectRoot: string;
  #places: Map<string, Place> | null = null;
  #saving: Promise<void> = Promise.resolve();

  /** Damaged or missing, the file counts as empty: then nothing that was interrupted resumes. */
  constructor(file: string, projectRoot: string) {
    this.#file = file;
    this.#projectRoot = projectRoot;
  }

  /** The token of an output, relative to the project; null if others have written there, or no stage has read it yet. */
  async find(output: string): Promise<string | null> {
    const place = this.#known.get(output);
    return place !== undefined && place.stamp === (await this.#stamp(output)) ? place.token : null;
  }

  /** As {@link find}, but where there is none it gives a new one, from here on. @param isKept whether it is to outlive this process */
  async begin(output: string, isKept: boolean): Promise<string> {
    const found = await this.find(output);
    const token = found ?? randomUUID();
    if (found === null) await this.#note(output, token);
    if (isKept) await this.#save();
    return token;
  }

  /** Around the runner's own replacing of outputs. What others had written there by then is not forgotten. */
  async keep<T>(outputs: readonly string[], replace: () => Promise<T>): Promise<T> {
    const known = outputs.filter((output) => this.#known.has(output));
    const tokens = await Promise.all(known.map((output) => this.find(output)));
    const result = await replace();
    for (const [i, output] of known.entries()) await this.#note(output, tokens[i] ?? randomUUID());
    if (known.length > 0) await this.#save();
    return result;
  }

  async #note(output: string, token: string): Promise<void> {
    this.#known.set(output, { stamp: await this.#stamp(output), token });
  }

  /** One after the other, so that the last stays. */
  #save(): Promise<void> {
    const text = JSON.stringify(Object.fromEntries(this.#known));
    this.#saving = this.#saving.catch(() => {}).then(() => writeFileAtomic(this.#file, text));
    return this.#saving;
  }

  #stamp(output: string): Promise<string> {
    return stampPath(path.resolve(this.#projectRoot, output));
  }

  get #known(): Map<string, Place> {
    this.#places ??= readPlaces(this.#file);
    return this.#places;
  }
}

function readPlaces(file: string): Map<string, Place> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Place>));
  } catch {
    return new Map();
  }
}
