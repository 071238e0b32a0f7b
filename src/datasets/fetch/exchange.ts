import type { Dispatcher } from 'undici';
import type { AnswerHeaders } from './answer-headers.ts';

/** Enough to keep the connection busy while the disk is. */
const MOST_QUEUED_BYTES = 1 << 20;

/** What a server answers to one request. */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** As sent: not decoded. Ends with an error if the connection fails, after everything that came before. Read once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the exchange, however far it is. */
  close(): void;
}

/**
 * One request and its answer. Unlike a Node stream, which forgets what it holds when it fails, the body yields every byte that
 * arrived before a failure: those bytes need not be downloaded again.
 *
 * @param timeoutMs how long to wait for the headers, and for each further byte
 */
export function exchange(
  dispatcher: Dispatcher,
  url: URL,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = new Body();
    const stop = (reason: unknown): void => {
      signal?.removeEventListener('abort', onAbort);
      body.fail(reason);
      reject(reason);
    };
    const onAbort = (): void => stop(signal?.reason);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      },
      {
        onRequestStart: (controller) => body.attach(controller),
        onResponseStart: (_, status, found) => {
          // Not 1xx, which precede the answer.
          if (status < 200) return;
          resolve({ status, headers: found, body, close: () => stop(new Error('closed')) });
        },
        onResponseData: (_, chunk) => body.push(chunk),
        onResponseEnd: () => {
          signal?.removeEventListener('abort', onAbort);
          body.end();
        },
        onResponseError: (_, error) => stop(error),
      },
    );
  });
}

class Body implements AsyncIterable<Uint8Array> {
  #controller: Dispatcher.DispatchController | null = null;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #ending: 'none' | 'complete' | { readonly error: unknown } = 'none';
  /** Wakes the reader. */
  #wake: () => void = () => {};

  attach(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ending !== 'none') this.#cut();
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= MOST_QUEUED_BYTES) this.#controller?.pause();
    this.#wake();
  }

  end(): void {
    if (this.#ending === 'none') this.#ending = 'complete';
    this.#wake();
  }

  fail(error: unknown): void {
    if (this.#ending !== 'none') return;
    this.#ending = { error };
    this.#wake();
    this.#cut();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        this.#queuedBytes -= chunk.length;
        yield chunk;
      } else if (this.#ending === 'complete') return;
      else if (this.#ending !== 'none') throw this.#ending.error;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          this.#controller?.resume();
        });
      }
    }
  }

  #cut(): void {
    if (this.#controller?.aborted === false) this.#controller.abort(new Error('closed'));
  }
}
