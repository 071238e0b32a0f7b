import { writeSync } from 'node:fs';
import { hasErrorCode } from '../errors.ts';
import type { Progress } from './context.ts';
import { messageDescriptor, type StageMessage } from './protocol.ts';

/** A stage may report after every sample; a person cannot read more than this. */
const progressEveryMs = 100;

/** The stage's end of the control channel. Writes are synchronous, so that they arrive even from a long computation. */
export class MessageChannel {
  #lastProgressMs = Number.NEGATIVE_INFINITY;
  #withheld: Progress | null = null;

  send(message: StageMessage): void {
    this.#flushProgress();
    write(message);
  }

  progress(progress: Progress): void {
    this.#withheld = progress;
    const nowMs = performance.now();
    const isDue = nowMs - this.#lastProgressMs >= progressEveryMs || progress.done >= progress.total;
    if (!isDue) return;
    this.#lastProgressMs = nowMs;
    this.#flushProgress();
  }

  #flushProgress(): void {
    if (this.#withheld === null) return;
    const progress = this.#withheld;
    this.#withheld = null;
    write({ type: 'progress', progress });
  }
}

function write(message: StageMessage): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(messageDescriptor, bytes, written);
    } catch (error) {
      // A full channel is full only for a moment: the runner reads it continuously.
      if (!hasErrorCode(error, 'EAGAIN')) throw error;
    }
  }
}
