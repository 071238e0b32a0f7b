import type { ForwardNetwork } from '../../snn/forward.ts';
import type { RecordingTask } from '../own-clip.ts';
import type { EmbeddedFrames } from '../payload.ts';
import type { PageTrainingTask } from '../training.ts';

/** To a thread. */
export type Request =
  /** It answers with a `Trace`. */
  | {
      readonly kind: 'run';
      readonly network: ForwardNetwork;
      readonly frames: EmbeddedFrames;
      readonly steps: number;
    }
  /** It answers with a `PageTrainingProgress` before the first and after each step. */
  | { readonly kind: 'train'; readonly network: ForwardNetwork; readonly task: PageTrainingTask }
  /** It answers with an `OwnClip`. */
  | { readonly kind: 'read'; readonly task: RecordingTask };

declare const WORKER_SOURCE: string;

/** The source of a thread is part of this script, since a page from the disk cannot load another file. */
const source = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));

/** Starts a thread that computes. */
export function startThread(): Worker {
  return new Worker(source);
}

/** The only answer of a thread that is not busy. @throws {Error} with what went wrong in it */
export function ask<Answer>(thread: Worker, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    thread.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
    thread.onerror = (event) => reject(new Error(takeError(event)));
    thread.postMessage(request);
  });
}

/** What went wrong in a thread, without the `Uncaught ReproError: ` of browsers; it no longer appears in their console. */
export function takeError(event: ErrorEvent): string {
  event.preventDefault();
  return event.message.replace(/^(Uncaught )?\w*Error: /, '');
}
