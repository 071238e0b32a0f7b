import { createHash } from 'node:crypto';

/** The identity of a list of clips with their classes. Frames and predictions use the same, so that it can be seen whether they agree. */
export class ClipListDigest {
  readonly #hash = createHash('sha256');

  /** @param label from 0 */
  add(recording: string, label: number): void {
    this.#hash.update(`${JSON.stringify([recording, String(label)])}\n`);
  }

  /** sha256; nothing can be added afterwards. */
  get value(): string {
    return this.#hash.digest('hex');
  }
}
